"""A Slack on loopback that does what a test tells it, call by call, and remembers every request on the wire."""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

BOT, BOT_ID, TEAM = "U0SOCMON", "B0SOCMON", "T1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """How one call goes wrong. `does_it` says whether Slack had carried it out all the same."""

    status: int = 200
    error: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    hang_up: bool = False
    hang: bool = False
    garbage: bytes = b""
    does_it: bool = False


def says(error: str) -> Fault:
    """Slack's “no” is a 200."""
    return Fault(error=error)


def too_many(seconds: int) -> Fault:
    return Fault(status=429, error="ratelimited", headers={"Retry-After": str(seconds)})


BROKEN = Fault(status=500, error="internal_error")
NO_JSON = Fault(status=502, garbage=b"<html>Bad gateway</html>")
CUT = Fault(hang_up=True)  # the connection ends once the request was read
LOST = Fault(hang_up=True, does_it=True)  # as above, and the message is there
SILENT = Fault(hang=True)
SILENT_BUT_DONE = Fault(hang=True, does_it=True)


@dataclass(frozen=True, slots=True)
class Call:
    """One request on the wire."""

    method: str
    given: dict[str, Any]


class SlackServer:
    """`calls` are all requests; `faults[method]` are used up one a call; `messages` is what stands in Slack.

    `delays[method]` is how many seconds each answer takes.
    """

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.faults: dict[str, list[Fault]] = defaultdict(list)
        self.always: dict[str, Fault] = {}
        self.delays: dict[str, float] = {}
        self.messages: list[dict[str, Any]] = []
        self.users: dict[str, dict[str, Any]] = {}
        self.groups: dict[str, list[str]] = {}
        self.channels: dict[str, dict[str, Any]] = {}
        self.scopes = "chat:write,users:read"
        self.headers: dict[str, str] = {}
        self.pages = 200
        self.refuses: Callable[[str, dict[str, Any]], str] = lambda _method, _given: ""
        """Which calls are refused by what they ask for: Slack's error, or nothing."""
        self.url = ""
        self.socket_url = ""
        self._number = 0
        self._gone = asyncio.Event()

    def fail(self, method: str, *faults: Fault) -> None:
        self.faults[method] += faults

    def sent(self, *methods: str) -> list[str]:
        """The methods called, all or only these, in order."""
        return [call.method for call in self.calls if not methods or call.method in methods]

    def given(self, method: str) -> list[dict[str, Any]]:
        return [call.given for call in self.calls if call.method == method]

    def parents(self, channel: str = "") -> list[dict[str, Any]]:
        return [
            each for each in self.messages if "thread_ts" not in each and channel in {"", each["channel"]}
        ]

    def replies(self) -> list[dict[str, Any]]:
        return [each for each in self.messages if "thread_ts" in each]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        given = _arguments(request, await request.read())
        self.calls.append(Call(method, given))
        await asyncio.sleep(self.delays.get(method, 0))
        fault = self.always.get(method) or (self.faults[method].pop(0) if self.faults[method] else None)
        if fault is None:
            return self._json(200, self._do(method, given), {"X-OAuth-Scopes": self.scopes} | self.headers)
        if fault.does_it:
            self._do(method, given)
        if fault.hang:
            await self._gone.wait()
        if fault.hang or fault.hang_up:
            assert request.transport is not None
            request.transport.close()
            return web.Response()
        if fault.garbage:
            return web.Response(status=fault.status, body=fault.garbage, content_type="text/html")
        return self._json(fault.status, {"ok": False, "error": fault.error}, fault.headers)

    def _json(self, status: int, body: dict[str, Any], headers: dict[str, str]) -> web.Response:
        return web.Response(
            status=status, headers=headers, body=json.dumps(body).encode(), content_type="application/json"
        )

    def _do(self, method: str, given: dict[str, Any]) -> dict[str, Any]:
        if error := self.refuses(method, given):
            return {"ok": False, "error": error}
        found: dict[str, Any] = getattr(self, "_" + method.replace(".", "_"), self._nothing)(given)
        return {"ok": True} | found

    def _nothing(self, _: dict[str, Any]) -> dict[str, Any]:
        return {}

    def _apps_connections_open(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"url": self.socket_url}

    def _auth_test(self, _: dict[str, Any]) -> dict[str, Any]:
        return {
            "user_id": BOT,
            "bot_id": BOT_ID,
            "team_id": TEAM,
            "user": "socmon",
            "team": "Acme",
            "url": "x",
        }

    def _chat_postMessage(self, given: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - Slack's name
        self._number += 1
        message = given | {"ts": f"1764000000.{self._number:06}", "user": BOT, "bot_id": BOT_ID}
        self.messages.append({name: value for name, value in message.items() if value is not None})
        return {"ts": message["ts"], "channel": given["channel"]}

    def _chat_update(self, given: dict[str, Any]) -> dict[str, Any]:
        for message in self.messages:
            if (message["channel"], message["ts"]) == (given["channel"], given["ts"]):
                message.update(given)
                return {"ts": given["ts"], "channel": given["channel"]}
        return {"ok": False, "error": "message_not_found"}

    def _conversations_history(self, given: dict[str, Any]) -> dict[str, Any]:
        return self._page(given, self.parents(given["channel"])[::-1])

    def _conversations_replies(self, given: dict[str, Any]) -> dict[str, Any]:
        return self._page(given, [each for each in self.replies() if each["thread_ts"] == given["ts"]])

    def _page(self, given: dict[str, Any], found: list[dict[str, Any]]) -> dict[str, Any]:
        start = int(given.get("cursor") or 0)
        end = start + self.pages
        cursor = str(end) if end < len(found) else ""
        return {"messages": found[start:end], "response_metadata": {"next_cursor": cursor}}

    def _conversations_open(self, given: dict[str, Any]) -> dict[str, Any]:
        return {"channel": {"id": f"D{given['users']}"}}

    def _files_getUploadURLExternal(self, _: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - Slack's name
        return {"upload_url": f"{self.url}upload", "file_id": "F1"}

    def _files_completeUploadExternal(self, given: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - Slack's name
        return {"files": given["files"]}

    def _conversations_info(self, given: dict[str, Any]) -> dict[str, Any]:
        if given["channel"] not in self.channels:
            return {"ok": False, "error": "channel_not_found"}
        return {"channel": {"id": given["channel"]} | self.channels[given["channel"]]}

    def _conversations_list(self, given: dict[str, Any]) -> dict[str, Any]:
        every = [{"id": name} | facts for name, facts in self.channels.items()]
        start = int(given.get("cursor") or 0)
        end = start + min(int(given["limit"]), self.pages)
        cursor = str(end) if end < len(every) else ""
        return {"channels": every[start:end], "response_metadata": {"next_cursor": cursor}}

    def _users_info(self, given: dict[str, Any]) -> dict[str, Any]:
        if given["user"] not in self.users:
            return {"ok": False, "error": "user_not_found"}
        return {"user": {"id": given["user"]} | self.users[given["user"]]}

    def _chat_getPermalink(self, given: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - Slack's name
        return {"permalink": f"https://acme.slack.com/archives/{given['channel']}/p{given['message_ts']}"}

    def _views_open(self, given: dict[str, Any]) -> dict[str, Any]:
        return {"view": given["view"] | {"id": "V1", "hash": "h1"}}

    def _users_lookupByEmail(self, given: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - Slack's name
        for user, info in self.users.items():
            if (info.get("profile") or {}).get("email", "").casefold() == given["email"].casefold():
                return {"user": {"id": user} | info}
        return {"ok": False, "error": "users_not_found"}

    def _usergroups_users_list(self, given: dict[str, Any]) -> dict[str, Any]:
        if given["usergroup"] not in self.groups:
            return {"ok": False, "error": "no_such_subteam"}
        return {"users": self.groups[given["usergroup"]]}


def _arguments(request: web.Request, body: bytes) -> dict[str, Any]:
    if "json" in request.content_type:
        given: dict[str, Any] = json.loads(body)
        return given
    if "form" not in request.content_type and request.method == "POST":
        return {"raw": body}
    pairs = dict(parse_qsl(body.decode())) | dict(request.query)
    return {
        name: json.loads(value) if value[:1] in "[{" and value else value for name, value in pairs.items()
    }


@asynccontextmanager
async def slack_server() -> AsyncIterator[SlackServer]:
    server = SlackServer()
    application = web.Application()
    application.router.add_route("*", "/api/{method}", server.answer)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}/api/"
    try:
        yield server
    finally:
        server._gone.set()  # noqa: SLF001 - its own
        await runner.cleanup()
