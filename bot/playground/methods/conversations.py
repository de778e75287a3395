"""conversations.*: find, open, join and read channels."""

from collections.abc import Callable
from typing import Any

from bot.playground.errors import SlackError
from bot.playground.messages import Message
from bot.playground.methods.method import Answer, Call, Method, page
from bot.playground.people import BOT_USER, TEAM, Channel
from bot.playground.rate_limits import Tier


def channel_facts(channel: Channel) -> dict[str, Any]:
    """A channel as the Web API gives it."""
    facts: dict[str, Any] = {
        "id": channel.id,
        "created": channel.created,
        "is_im": channel.is_direct,
        "is_archived": channel.archived,
        "context_team_id": TEAM,
    }
    if channel.is_direct:
        return facts | {"user": channel.user, "is_user_deleted": False}
    return facts | {
        "name": channel.name,
        "name_normalized": channel.name,
        "is_channel": True,
        "is_group": False,
        "is_mpim": False,
        "is_private": False,
        "is_general": channel.name == "general",
        "is_member": BOT_USER in channel.members,
        "topic": {"value": channel.topic, "creator": "", "last_set": 0},
        "purpose": {"value": "", "creator": "", "last_set": 0},
        "num_members": len(channel.members),
    }


def info(call: Call) -> Answer:
    facts = channel_facts(_channel(call))
    if not call.arguments.flag("include_num_members"):
        facts.pop("num_members", None)
    return {"channel": facts}


def open_direct(call: Call) -> Answer:
    if call.arguments.has("channel"):
        return {"no_op": True, "already_open": True, "channel": {"id": _channel(call).id}}
    users = [user for user in call.arguments.text("users").split(",") if user]
    if not users:
        raise SlackError("users_list_not_supplied")
    if len(users) > 1:
        raise SlackError("not_enough_users", "the playground knows direct messages with one person only")
    channel = call.workspace.direct(users[0])
    if call.arguments.flag("return_im"):
        return {"channel": channel_facts(channel)}
    return {"channel": {"id": channel.id}}


def join(call: Call) -> Answer:
    channel = _channel(call)
    if channel.is_direct:
        raise SlackError("method_not_supported_for_channel_type")
    if channel.archived:
        raise SlackError("is_archived")
    already = BOT_USER in channel.members
    call.workspace.join(channel.id, BOT_USER)
    answer: Answer = {"channel": channel_facts(channel)}
    if already:
        answer |= {"warning": "already_in_channel", "response_metadata": {"warnings": ["already_in_channel"]}}
    return answer


def members(call: Call) -> Answer:
    found, cursor = page(_channel(call).members, call)
    return {"members": list(found), "response_metadata": {"next_cursor": cursor}}


def list_channels(call: Call) -> Answer:
    types = set(call.arguments.text("types", "public_channel").split(","))
    hide_archived = call.arguments.flag("exclude_archived")
    channels = [
        channel
        for channel in call.workspace.channels.values()
        if ("im" if channel.is_direct else "public_channel") in types
        and not (hide_archived and channel.archived)
    ]
    found, cursor = page(channels, call)
    return {"channels": [channel_facts(c) for c in found], "response_metadata": {"next_cursor": cursor}}


def history(call: Call) -> Answer:
    channel, wanted = _readable(call), _range(call)
    newest_first = reversed(call.workspace.log(channel.id).messages.values())
    return _messages(call, [m for m in newest_first if m.in_timeline and wanted(m.ts)])


def replies(call: Call) -> Answer:
    channel, wanted = _readable(call), _range(call)
    log = call.workspace.log(channel.id)
    root = log.messages.get(call.arguments.required("ts"))
    if root is None:
        raise SlackError("thread_not_found")
    root = log.messages.get(root.thread_ts or root.ts, root)
    thread = [m for m in call.workspace.replies(root) if wanted(m.ts)]
    return _messages(call, [root, *thread])


def _messages(call: Call, messages: list[Message]) -> Answer:
    found, cursor = page(messages, call)
    with_metadata = call.arguments.flag("include_all_metadata")
    log = call.workspace.replies
    return {
        "messages": [message.as_slack(log(message), metadata=with_metadata) for message in found],
        "has_more": bool(cursor),
        "pin_count": 0,
        "response_metadata": {"next_cursor": cursor},
    }


def _range(call: Call) -> Callable[[str], bool]:
    """Whether a message id lies between `oldest` and `latest`."""
    oldest, latest = _moment(call, "oldest"), _moment(call, "latest")
    inclusive = call.arguments.flag("inclusive")

    def wanted(ts: str) -> bool:
        if inclusive and ts in {oldest, latest}:
            return True
        return (oldest is None or ts > oldest) and (latest is None or ts < latest)

    return wanted


def _moment(call: Call, name: str) -> str | None:
    value = call.arguments.text(name)
    if value in {"", "0"}:
        return None
    try:
        seconds, _, fraction = value.partition(".")
        return f"{int(seconds)}.{int((fraction + '000000')[:6]):06d}"
    except ValueError as error:
        raise SlackError(f"invalid_ts_{name}") from error


def _channel(call: Call) -> Channel:
    reference = call.arguments.required("channel")
    if reference in call.workspace.users:
        raise SlackError("channel_not_found")
    return call.workspace.channel(reference)


def _readable(call: Call) -> Channel:
    channel = _channel(call)
    if BOT_USER not in channel.members:
        raise SlackError("not_in_channel")
    return channel


_READ = ("channels:read", "groups:read")
_HISTORY = ("channels:history", "groups:history", "im:history", "mpim:history")
METHODS = {
    "conversations.info": Method(run=info, tier=Tier.THREE, scopes=_READ),
    "conversations.open": Method(run=open_direct, tier=Tier.THREE, scopes=("im:write",)),
    "conversations.join": Method(run=join, tier=Tier.THREE, scopes=("channels:join",)),
    "conversations.members": Method(run=members, tier=Tier.FOUR, scopes=_READ),
    "conversations.list": Method(run=list_channels, tier=Tier.TWO, scopes=_READ),
    "conversations.history": Method(run=history, tier=Tier.THREE, scopes=_HISTORY),
    "conversations.replies": Method(run=replies, tier=Tier.THREE, scopes=_HISTORY),
}
