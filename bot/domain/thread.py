"""What a thread is: an alert's place in Slack, and how far Slack has caught up with the records."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any, Self

from bot.domain.alert import Alert, Reported, Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackRoute:
    """One rule that sends alerts to a channel. Empty fields match everything; `component` is a glob ("prod-*").

    Called are the people of `team` who are on call; when it has none, or is none, those in `on_call`.
    """

    channel: str
    provider: str = ""
    severity: Severity | None = None
    component: str = ""
    on_call: tuple[str, ...] = ()
    team: str = ""

    def takes(self, provider: str, about: Reported | Alert) -> bool:
        return (
            self.provider in {"", provider}
            and self.severity in {None, about.severity}
            and (not self.component or fnmatchcase(about.component, self.component))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackRoutes:
    """Where alert threads go: the first rule that takes the alert, else the default."""

    default: SlackRoute
    rules: Sequence[SlackRoute] = ()

    def of(self, provider: str, about: Reported | Alert) -> SlackRoute:
        return next((rule for rule in self.rules if rule.takes(provider, about)), self.default)

    @property
    def channels(self) -> set[str]:
        return {self.default.channel, *(rule.channel for rule in self.rules)}


TOLD_BY_PARENT = frozenset({"triggered", "announced", "told", "retold"})
"""Moments that no reply repeats."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One line of an alert's timeline, which is its part of the evidence log.

    `id` is the entry's number in the log; `kind` its type without "alert." ("acknowledged", "noted" …); `by` a Slack
    user id for people, the provider's name for sources, "socmon" for the clock. `text` is what people wrote, empty
    when they wrote nothing or when it was redacted; `facts` are the entry's public facts ({"until": "2026-…Z"}).
    """

    id: int
    alert_id: int
    at: datetime
    kind: str
    by: str
    text: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """How far Slack has caught up with what one message in a channel stands for.

    `revision` rises with each visible change, `projected` is the revision that Slack shows. `ts` is the message's id,
    None until Slack has answered. `intent` is the key of a message that may be under way: it is recorded before the
    message is sent and stands in the message's metadata, so that after a lost answer socmon looks for its own message
    before it posts again. `lease` is the fencing token of the replica that works on it.
    """

    channel: str
    revision: int
    projected: int
    next_at: datetime
    ts: str | None = None
    stale_since: datetime | None = None
    intent: str | None = None
    intent_at: datetime | None = None
    attempts: int = 0
    problem: str = ""
    possible_duplicate: bool = False
    lease: str | None = None

    @property
    def key(self) -> str:
        """The key in the message's metadata; and how people call what it stands for."""
        raise NotImplementedError

    @property
    def lags(self) -> bool:
        return self.revision > self.projected

    def sending(self, key: str, at: datetime) -> Self:
        """Before a message with this key goes out."""
        return replace(self, intent=key, intent_at=at)

    def updated(self, revision: int) -> Self:
        """The message shows this revision. A reply whose answer was lost may still be there, so its intent stays."""
        return replace(self, projected=revision, attempts=0, problem="")

    def refused(self, problem: str, *, retry_at: datetime) -> Self:
        """Slack said no: nothing is under way."""
        return replace(
            self, intent=None, intent_at=None, attempts=self.attempts + 1, next_at=retry_at, problem=problem
        )

    def unknown(self, problem: str, *, retry_at: datetime) -> Self:
        """No answer came: the message may or may not exist, so the intent stays."""
        return replace(self, attempts=self.attempts + 1, next_at=retry_at, problem=problem)

    def settled(self) -> Self:
        """What was under way has arrived."""
        return replace(self, intent=None, intent_at=None, attempts=0, problem="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread(Place):
    """How far Slack has caught up with one alert.

    `latest` is the newest moment to tell in the thread, `shown` the newest one told; -1 for none. `asked` says that
    somebody has been called for the resolution note: that rings once, however often the source flaps. `storm_id` is the
    storm whose digest shows the alert; then it has no parent of its own, and no replies.
    """

    alert_id: int
    latest: int
    shown: int
    asked: bool = False
    storm_id: int | None = None

    @property
    def key(self) -> str:
        return f"A-{self.alert_id}"

    @property
    def lags(self) -> bool:
        return self.storm_id is None and (self.revision > self.projected or self.latest > self.shown)

    def posted(self, ts: str, *, revision: int, moment: int) -> "Thread":
        """The parent exists and shows this revision; the moments up to `moment` are told by it."""
        return replace(self.settled(), ts=ts, projected=revision, shown=max(self.shown, moment))

    def told(self, moment: int, *, asked: bool = False) -> "Thread":
        """The thread has told everything up to `moment`, and perhaps asked for the note."""
        return replace(self.settled(), shown=moment, asked=self.asked or asked)
