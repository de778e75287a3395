"""Slack's Web API as the projector needs it: every answer is a success, a refusal, a rate limit, or unknown.

`retry_handlers=[]`: the SDK's default handler posts a message twice when the connection drops after Slack has read it
(measured with slack_sdk 3.48). Every retry is the projector's.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.adapters.slack.blocks import Message

log = logging.getLogger(__name__)

SECONDS = 10
EVENT_TYPE = "socmon_alert"

DEAD_TOKEN = frozenset(
    {
        "invalid_auth",
        "not_authed",
        "token_revoked",
        "token_expired",
        "account_inactive",
        "org_login_required",
        "missing_scope",
    }
)
CLOSED_CHANNEL = frozenset(
    {
        "channel_not_found",
        "is_archived",
        "not_in_channel",
        "restricted_action",
        "access_denied",
        "channel_is_limited_access",
    }
)
GONE = frozenset({"message_not_found", "thread_not_found", "cant_update_message"})  # the last: another app's
BAD_BLOCKS = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long"})
SLACKS_OWN_FAULT = frozenset({"internal_error", "fatal_error", "service_unavailable", "request_timeout"})


class SlackSaysNo(Exception):
    """Slack refused the call: the message does not exist. `error` is Slack's own word for why."""

    def __init__(self, error: str, detail: str = "") -> None:
        super().__init__(f"{error} {detail}".strip())
        self.error = error


class RateLimited(Exception):
    """Slack asks to wait: the message does not exist. `seconds` from its Retry-After header."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"rate limited for {seconds} s")
        self.seconds = seconds


class NoAnswer(Exception):
    """Slack did not answer, or not sensibly: the message may exist or not."""


class LostAnswer(NoAnswer):
    """No answer came to a message that was sent: it may have arrived."""


def web_client(token: str | None, api_url: str) -> AsyncWebClient:
    """A client that never sends anything twice by itself."""
    return AsyncWebClient(
        token=token, base_url=api_url, timeout=SECONDS, retry_handlers=[], trust_env_in_session=True
    )


def web_session() -> aiohttp.ClientSession:
    """Connections to share. The SDK's own time-out does not reach a session that it was given."""
    return aiohttp.ClientSession(trust_env=True, timeout=aiohttp.ClientTimeout(total=SECONDS))


class SlackWeb:
    """The calls of the projector. Raises SlackSaysNo, RateLimited or NoAnswer, and nothing else."""

    def __init__(self, client: AsyncWebClient) -> None:
        self.client = client
        self._me: set[str] | None = None

    async def post(self, channel: str, message: Message, *, key: str, thread_ts: str | None = None) -> str:
        """Post a parent, or a reply when `thread_ts` is given; returns its ts."""
        rest = {"thread_ts": thread_ts, "unfurl_links": False, "unfurl_media": False}
        answer = await self._send(
            self.client.chat_postMessage, _content(channel, message, key) | rest, blocks=None
        )
        return str(answer["ts"])

    async def update(self, channel: str, ts: str, message: Message, *, key: str) -> None:
        # Without the field Slack would keep the old blocks.
        await self._send(self.client.chat_update, _content(channel, message, key) | {"ts": ts}, blocks=[])

    async def _send(
        self, call: Callable[..., Awaitable[AsyncSlackResponse]], content: dict[str, Any], *, blocks: Any
    ) -> dict[str, Any]:
        """Send it; when Slack takes offence at its blocks, as text alone, since an alert must arrive."""
        try:
            return await answer_of(call(**content))
        except SlackSaysNo as error:
            if error.error not in BAD_BLOCKS:
                raise
            log.warning(
                "Slack refuses the blocks of %s, so it goes as text; please report: %s", _key(content), error
            )
        return await answer_of(call(**content | {"blocks": blocks}))

    async def find(
        self, channel: str, *, key: str, oldest: float, thread_ts: str | None = None
    ) -> str | None:
        """The ts of our own message with this key, or None when Slack has none. Needs a history scope."""
        cursor = None
        me = await self._who_am_i()
        while True:
            window: dict[str, Any] = {
                "oldest": f"{oldest:.6f}",
                "inclusive": True,
                "limit": 200,
                "cursor": cursor,
            }
            if thread_ts:
                call = self.client.conversations_replies(
                    channel=channel, ts=thread_ts, include_all_metadata=True, **window
                )
            else:
                call = self.client.conversations_history(channel=channel, include_all_metadata=True, **window)
            answer = await answer_of(call)
            for found in answer.get("messages", []):
                payload = (found.get("metadata") or {}).get("event_payload") or {}
                if payload.get("key") == key and me & {found.get("bot_id"), found.get("user")}:
                    return str(found["ts"])
            cursor = (answer.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return None

    async def permalink(self, channel: str, ts: str) -> str:
        """The address of a message."""
        answer = await answer_of(self.client.chat_getPermalink(channel=channel, message_ts=ts))
        return str(answer.get("permalink") or "")

    async def tell(self, user: str, text: str) -> None:
        """A direct message to one person."""
        channel = await self.direct_channel(user)
        await answer_of(self.client.chat_postMessage(channel=channel, text=text))

    async def direct_channel(self, user: str) -> str:
        """Where direct messages to this person go."""
        opened = await answer_of(self.client.conversations_open(users=[user]))
        return str(opened["channel"]["id"])

    async def say(self, channel: str, message: Message) -> None:
        """A message that is never changed nor looked for again. Raises LostAnswer when it may have arrived."""
        call = self.client.chat_postMessage(
            channel=channel, text=message.text, blocks=message.blocks, unfurl_links=False
        )
        try:
            await answer_of(call)
        except NoAnswer as error:
            raise LostAnswer(str(error)) from error

    async def replace(self, channel: str, ts: str, message: Message) -> None:
        """Put another message in the place of one that was said."""
        await answer_of(
            self.client.chat_update(channel=channel, ts=ts, text=message.text, blocks=message.blocks)
        )

    async def publish_home(self, user: str, view: Mapping[str, Any]) -> None:
        """Show this view in the person's App Home."""
        await answer_of(self.client.views_publish(user_id=user, view=dict(view)))

    async def _who_am_i(self) -> set[str]:
        """Our user id and bot id: a message by anybody else with our key is not ours."""
        if self._me is None:
            answer = await answer_of(self.client.auth_test())
            self._me = {str(answer[name]) for name in ("user_id", "bot_id") if answer.get(name)}
        return self._me


async def answer_of(call: Awaitable[AsyncSlackResponse]) -> dict[str, Any]:
    try:
        data = (await call).data
    except SlackApiError as error:
        raise _sorted(error) from error
    except (SlackClientError, aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        raise NoAnswer(f"{type(error).__name__}: {error}") from error
    if not isinstance(data, dict):
        raise NoAnswer("Slack answered with something that is not JSON")
    return data


def _key(content: Mapping[str, Any]) -> str:
    return str(content["metadata"]["event_payload"]["key"])


def _content(channel: str, message: Message, key: str) -> dict[str, Any]:
    metadata = {"event_type": EVENT_TYPE, "event_payload": {"key": key}}
    return {"channel": channel, "text": message.text, "blocks": message.blocks, "metadata": metadata}


def _sorted(error: SlackApiError) -> Exception:
    response: Any = error.response
    status = getattr(response, "status_code", 0)
    if status == 429:
        return RateLimited(_retry_after(response.headers))
    data = response.data if isinstance(getattr(response, "data", None), dict) else {}
    word = str(data.get("error", ""))
    if word == "ratelimited":
        return RateLimited(_retry_after(response.headers))
    if status >= 500 or not word or word in SLACKS_OWN_FAULT:
        return NoAnswer(f"HTTP {status} {word}".strip())
    messages = data.get("response_metadata", {}).get("messages", [])
    return SlackSaysNo(word, "; ".join(map(str, messages)))


def _retry_after(headers: Mapping[str, Any]) -> float:
    value = next((value for name, value in headers.items() if name.lower() == "retry-after"), "1")
    text = value[0] if isinstance(value, list) else value
    try:
        return max(0.0, min(float(text), 3600.0))
    except ValueError:
        return 1.0
