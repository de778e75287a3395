"""reactions.add, pins.add, bookmarks.add: marks on messages and channels."""

import re
import secrets

from bot.playground.errors import SlackError
from bot.playground.methods.method import Answer, Call, Method
from bot.playground.people import BOT_USER
from bot.playground.rate_limits import Tier


def add_reaction(call: Call) -> Answer:
    name = call.arguments.text("name")
    if not re.fullmatch(r"[a-z0-9_+'-]{1,100}(::skin-tone-[2-6])?", name):
        raise SlackError("invalid_name")
    channel = call.workspace.channel(call.arguments.required("channel"))
    message = call.workspace.message(channel.id, call.arguments.required("timestamp"))
    users = message.reactions.setdefault(name, [])
    if BOT_USER in users:
        raise SlackError("already_reacted")
    users.append(BOT_USER)
    call.workspace.tell("message_changed", call.workspace.shown(message))
    return {}


def add_pin(call: Call) -> Answer:
    channel = call.workspace.channel(call.arguments.required("channel"))
    message = call.workspace.message(channel.id, call.arguments.required("timestamp"))
    if message.ts in channel.pins:
        raise SlackError("already_pinned")
    channel.pins.append(message.ts)
    return {}


def add_bookmark(call: Call) -> Answer:
    channel = call.workspace.channel(call.arguments.required("channel_id"))
    if call.arguments.required("type") != "link":
        raise SlackError("invalid_bookmark_type")
    link = call.arguments.text("link")
    if not link.startswith(("https://", "http://")):
        raise SlackError("invalid_link")
    bookmark = {
        "id": f"Bk{secrets.token_hex(5).upper()}",
        "channel_id": channel.id,
        "title": call.arguments.required("title"),
        "link": link,
        "emoji": call.arguments.text("emoji"),
        "type": "link",
    }
    channel.bookmarks.append(bookmark)
    call.workspace.tell("channel", {"channel": channel.id})
    return {"bookmark": bookmark}


METHODS = {
    "reactions.add": Method(run=add_reaction, tier=Tier.THREE, scopes=("reactions:write",)),
    "pins.add": Method(run=add_pin, tier=Tier.TWO, scopes=("pins:write",)),
    "bookmarks.add": Method(run=add_bookmark, tier=Tier.TWO, scopes=("bookmarks:write",)),
}
