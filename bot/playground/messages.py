"""What a message is, how Slack would show it to an app, and whom it rings."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.playground.block_kit import spoken_texts
from bot.playground.people import APP, BOT, BOT_USER, TEAM

USER_MENTION = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^>]*)?>")
GROUP_MENTION = re.compile(r"<!subteam\^(S[A-Z0-9]+)(?:\|[^>]*)?>")


@dataclass(slots=True, kw_only=True)
class Message:
    """One message in a channel. `only_for` is set for an ephemeral one, and then nobody else sees it."""

    ts: str
    channel: str
    user: str
    text: str = ""
    blocks: list[dict[str, Any]] = field(default_factory=list)
    attachments: list[dict[str, Any]] = field(default_factory=list)
    thread_ts: str | None = None
    metadata: dict[str, Any] | None = None
    edited_at: str | None = None
    edits: int = 0
    broadcast: bool = False
    subtype: str | None = None
    files: list[str] = field(default_factory=list)
    reactions: dict[str, list[str]] = field(default_factory=dict)
    client_msg_id: str | None = None
    only_for: str | None = None

    @property
    def is_reply(self) -> bool:
        return self.thread_ts is not None and self.thread_ts != self.ts

    @property
    def in_timeline(self) -> bool:
        """Whether it shows in the channel itself, and not only in its thread."""
        return not self.is_reply or self.broadcast

    def as_slack(self, replies: Sequence["Message"] = (), *, metadata: bool = True) -> dict[str, Any]:
        """The message as the Web API gives it; `replies` are those of the thread it heads."""
        shown: dict[str, Any] = {
            "type": "message",
            "user": self.user,
            "text": self.text,
            "ts": self.ts,
            "team": TEAM,
            "blocks": self.blocks,
        }
        if self.user == BOT_USER:
            shown |= {"bot_id": BOT, "app_id": APP, "bot_profile": _BOT_PROFILE}
        optional = {
            "client_msg_id": self.client_msg_id,
            "subtype": "thread_broadcast" if self.broadcast and self.is_reply else self.subtype,
            "attachments": self.attachments,
            "thread_ts": self.thread_ts or (self.ts if replies else None),
            "edited": {"user": self.user, "ts": self.edited_at} if self.edited_at else None,
            "metadata": self.metadata if metadata else None,
            "reactions": [
                {"name": name, "users": users, "count": len(users)} for name, users in self.reactions.items()
            ],
        }
        return shown | {name: value for name, value in optional.items() if value} | _thread_facts(replies)


def mentioned(message: Message) -> tuple[set[str], set[str]]:
    """The users and the user groups that a new message rings."""
    words = "\n".join([message.text, *spoken_texts(message.blocks), *spoken_texts(message.attachments)])
    return set(USER_MENTION.findall(words)), set(GROUP_MENTION.findall(words))


def rich_text(text: str, block_id: str) -> dict[str, Any]:
    """The block that Slack itself puts beside what a person types."""
    elements: list[dict[str, Any]] = []
    end = 0
    for match in USER_MENTION.finditer(text):
        if match.start() > end:
            elements.append({"type": "text", "text": text[end : match.start()]})
        elements.append({"type": "user", "user_id": match.group(1)})
        end = match.end()
    if end < len(text):
        elements.append({"type": "text", "text": text[end:]})
    return {
        "type": "rich_text",
        "block_id": block_id,
        "elements": [{"type": "rich_text_section", "elements": elements}],
    }


def _thread_facts(replies: Sequence[Message]) -> dict[str, Any]:
    if not replies:
        return {}
    users = list(dict.fromkeys(reply.user for reply in replies))
    return {
        "reply_count": len(replies),
        "reply_users_count": len(users),
        "reply_users": users[:5],
        "latest_reply": replies[-1].ts,
        "is_locked": False,
        "subscribed": True,
    }


_BOT_PROFILE = {
    "id": BOT,
    "app_id": APP,
    "name": "socmon",
    "team_id": TEAM,
    "deleted": False,
}
