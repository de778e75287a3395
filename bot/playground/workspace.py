"""The playground's workspace: people, channels, messages, views; every change is told to whoever listens.

All of it is plain state in one event loop: no method waits, so none needs a lock.
"""

import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Protocol

from bot.playground import people
from bot.playground.block_kit import with_ids
from bot.playground.errors import SlackError
from bot.playground.files import Files
from bot.playground.messages import Message, mentioned, rich_text
from bot.playground.tickets import Tickets
from bot.playground.view_stacks import ViewStacks

MOST_NOTIFICATIONS = 500


class Clock(Protocol):
    """What the playground needs to know about time."""

    def now(self) -> datetime:
        """Wall time, aware UTC."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Something a page should show. `user` is set when it is for one person's eyes."""

    kind: str
    data: dict[str, Any]
    user: str | None = None


@dataclass(slots=True, kw_only=True)
class Notification:
    """A message rang somebody. `thread_ts` is set when it shows in a thread only."""

    channel: str
    ts: str
    thread_ts: str | None
    author: str
    text: str
    seen: bool = False


@dataclass(slots=True, kw_only=True)
class _ChannelLog:
    messages: dict[str, Message] = field(default_factory=dict)
    replies: dict[str, list[Message]] = field(default_factory=dict)


class Workspace:
    """The whole state of the fake Slack."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last_ts = 0
        self.listeners: list[Callable[[Change], None]] = []
        self.users = {user.id: user for user in people.users()}
        self.channels = {channel.id: channel for channel in people.channels(int(clock.now().timestamp()))}
        self.groups = {group.id: group for group in people.groups()}
        self.shortcuts = people.SHORTCUTS
        self.logs: dict[str, _ChannelLog] = {}
        self.ephemerals: dict[str, list[Message]] = {}
        self.notifications: dict[str, deque[Notification]] = {}
        self.reads: dict[str, dict[str, str]] = {}
        self.tickets = Tickets(clock.now)
        self.views = ViewStacks(self.new_ts)
        self.files = Files()

    # Time and change
    def now(self) -> datetime:
        return self._clock.now()

    def new_ts(self) -> str:
        """A message id: the time in microseconds, unique and rising in the whole workspace."""
        self._last_ts = max(int(self.now().timestamp() * 1_000_000), self._last_ts + 1)
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    def resume_after(self, ts: str) -> None:
        """Never give out a message id at or before this one."""
        self._last_ts = max(self._last_ts, int(ts.replace(".", "")))

    def tell(self, kind: str, data: dict[str, Any], user: str | None = None) -> None:
        change = Change(kind=kind, data=data, user=user)
        for listener in list(self.listeners):
            listener(change)

    def tell_views(self, user_id: str) -> None:
        """The views a person has open have changed."""
        stack = [view.as_slack() for view in self.views.stacks.get(user_id, ())]
        self.tell("views", {"stack": stack}, user=user_id)

    # People and channels
    def user(self, user_id: str) -> people.User:
        if user_id not in self.users:
            raise SlackError("user_not_found")
        return self.users[user_id]

    def channel(self, reference: str) -> people.Channel:
        """A channel by its id, its name or (for a direct message with the app) the person's id."""
        if reference in self.users:
            return self.direct(reference)
        name = reference.removeprefix("#")
        for channel in self.channels.values():
            if channel.id == reference or (not channel.is_direct and channel.name == name):
                return channel
        raise SlackError("channel_not_found")

    def direct(self, user_id: str) -> people.Channel:
        """The direct messages between a person and the app."""
        user = self.user(user_id)
        if user.is_bot:
            raise SlackError("cannot_dm_bot")
        channel_id = f"D{user_id[1:]}"
        if channel_id not in self.channels:
            created = int(self.now().timestamp())
            self.channels[channel_id] = people.Channel(
                id=channel_id,
                name=user.name,
                created=created,
                user=user_id,
                members=[user_id, people.BOT_USER],
            )
        return self.channels[channel_id]

    def archive(self, channel_id: str, *, archived: bool = True) -> None:
        self.channel(channel_id).archived = archived
        self.tell("channel", {"channel": channel_id})

    def deactivate(self, user_id: str, *, deactivated: bool = True) -> None:
        self.user(user_id).deleted = deactivated
        self.tell("stale", {})

    def join(self, channel_id: str, user_id: str) -> None:
        channel = self.channel(channel_id)
        if user_id not in channel.members:
            channel.members.append(user_id)
            self.tell("channel", {"channel": channel_id})

    def leave(self, channel_id: str, user_id: str) -> None:
        channel = self.channel(channel_id)
        if user_id in channel.members:
            channel.members.remove(user_id)
            self.tell("channel", {"channel": channel_id})

    def visible_channels(self, user_id: str) -> list[people.Channel]:
        return [channel for channel in self.channels.values() if channel.user in {None, user_id}]

    # Messages
    def log(self, channel_id: str) -> _ChannelLog:
        return self.logs.setdefault(channel_id, _ChannelLog())

    def message(self, channel_id: str, ts: str) -> Message:
        found = self.log(channel_id).messages.get(ts)
        if found is None:
            raise SlackError("message_not_found")
        return found

    def replies(self, message: Message) -> list[Message]:
        return self.log(message.channel).replies.get(message.ts, [])

    def post(self, message: Message) -> Message:
        """Add a message; a reply to a reply joins its thread. Whoever it mentions is notified."""
        log = self.log(message.channel)
        if message.thread_ts is not None:
            root = log.messages.get(message.thread_ts)
            if root is None:
                raise SlackError("thread_not_found")
            message.thread_ts = root.thread_ts or root.ts
        message.blocks = with_ids(message.blocks)
        self.restore(message)
        self.tell("message", self.shown(message))
        if message.is_reply and message.thread_ts in log.messages:
            self.tell("message_changed", self.shown(log.messages[message.thread_ts]))
        self._notify(message)
        return message

    def restore(self, message: Message) -> None:
        """Put a message in its place without telling anybody."""
        log = self.log(message.channel)
        log.messages[message.ts] = message
        if message.is_reply and message.thread_ts:
            log.replies.setdefault(message.thread_ts, []).append(message)
        self.resume_after(message.ts)

    def say(self, user_id: str, channel_id: str, text: str, thread_ts: str | None = None) -> Message:
        """A person writes something."""
        block = rich_text(text, secrets.token_urlsafe(4))
        client_id = "-".join(secrets.token_hex(size) for size in (4, 2, 2, 2, 6))
        return self.post(
            Message(
                ts=self.new_ts(),
                channel=channel_id,
                user=user_id,
                text=text,
                blocks=[block],
                thread_ts=thread_ts,
                client_msg_id=client_id,
            )
        )

    def edited(self, message: Message) -> None:
        """The message's content was changed; nobody is notified."""
        message.blocks = with_ids(message.blocks)
        message.edited_at = self.new_ts()
        message.edits += 1
        self.tell("message_changed", self.shown(message))

    def delete(self, message: Message) -> None:
        log = self.log(message.channel)
        del log.messages[message.ts]
        if message.is_reply and message.thread_ts:
            log.replies[message.thread_ts].remove(message)
        self.tell(
            "message_deleted", {"channel": message.channel, "ts": message.ts, "thread_ts": message.thread_ts}
        )

    def whisper(self, message: Message) -> Message:
        """Show a message to one person only, until it is dismissed or replaced."""
        message.blocks = with_ids(message.blocks)
        self.ephemerals.setdefault(message.only_for or "", []).append(message)
        self.tell("ephemeral", self.shown(message), user=message.only_for)
        return message

    def dismiss(self, user_id: str, ts: str) -> Message | None:
        """Take an ephemeral message away; returns it if it was there."""
        for message in self.ephemerals.get(user_id, []):
            if message.ts == ts:
                self.ephemerals[user_id].remove(message)
                self.tell("ephemeral_gone", {"ts": ts, "channel": message.channel}, user=user_id)
                return message
        return None

    def ephemeral(self, user_id: str, ts: str) -> Message | None:
        return next((message for message in self.ephemerals.get(user_id, []) if message.ts == ts), None)

    def shown(self, message: Message) -> dict[str, Any]:
        """The message as a page needs it: Slack's own fields and where it belongs."""
        shown = message.as_slack(self.log(message.channel).replies.get(message.ts, ()))
        shown |= {"channel": message.channel, "edits": message.edits}
        if message.only_for:
            shown["only_for"] = message.only_for
        if message.files:
            files = [self.files.find(file_id) for file_id in message.files]
            shown["files"] = [file.as_slack("") | {"is_picture": file.is_picture} for file in files]
        return shown

    # What a person has seen
    def read(self, user_id: str, channel_id: str, ts: str, thread_ts: str | None = None) -> None:
        """The person has seen the channel's timeline, or one thread in it, up to this message."""
        reads = self.reads.setdefault(user_id, {})
        if thread_ts is None and ts > reads.get(channel_id, ""):
            reads[channel_id] = ts
        for notification in self.notifications.get(user_id, ()):
            same_place = notification.channel == channel_id and notification.thread_ts == thread_ts
            if same_place and notification.ts <= ts:
                notification.seen = True
        self.tell("read", {"channel": channel_id, "ts": ts, "thread_ts": thread_ts}, user=user_id)

    def unread(self, user_id: str, channel_id: str) -> int:
        """How many messages of others in the channel's timeline the person has not seen."""
        read_to = self.reads.get(user_id, {}).get(channel_id, "")
        count = 0
        for message in reversed(self.log(channel_id).messages.values()):
            if message.ts <= read_to:
                break
            count += message.in_timeline and message.user != user_id
        return count

    def unseen(self, user_id: str) -> list[Notification]:
        return [notification for notification in self.notifications.get(user_id, ()) if not notification.seen]

    def _notify(self, message: Message) -> None:
        channel = self.channels[message.channel]
        users, groups = mentioned(message)
        for group_id in groups & self.groups.keys():
            users.update(self.groups[group_id].users)
        if channel.user:
            users.add(channel.user)
        for user_id in sorted(users & set(channel.members) - {message.user, people.BOT_USER}):
            notification = Notification(
                channel=message.channel,
                ts=message.ts,
                thread_ts=None if message.in_timeline else message.thread_ts,
                author=message.user,
                text=message.text,
            )
            known = self.notifications.setdefault(user_id, deque(maxlen=MOST_NOTIFICATIONS))
            known.append(notification)
            self.tell("notification", asdict(notification) | {"for": user_id})
