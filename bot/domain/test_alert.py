"""What a test alert is: a marked signal that is sent along a route, and where on its way it was seen, until a person.

It is no alert: it opens none, is counted nowhere among them, and carries TEST wherever people see it.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Self

from bot.domain.errors import IllegalAct, SocmonError

MARK = "socmon-test-"
"""How each nonce begins, wherever a tool passes it on."""
NONCE = re.compile(rf"{MARK}[0-9a-f]{{20}}")
NONCE_BYTES = 10

PATIENCE = timedelta(minutes=5)
"""From being sent to being shown to a person: what a route has to take no longer than."""
QUIET_CLICK = timedelta(hours=4)
"""A quiet test wakes nobody, so the click may take as long as half a working day."""
CONSENT_WITHIN = timedelta(minutes=15)
CLEAN_AGAIN = timedelta(minutes=5)
CLEAN_FOR = timedelta(days=1)
"""How long what a test has left in a tool is tried to be ended there."""
LOST_AFTER = timedelta(minutes=2)
"""A try to send whose end nobody has put down by then died with its process."""

EVERY = timedelta(days=30)
"""How often each path is to be proven."""
BEGUN_AFTER = timedelta(days=23)
"""A weekly look begins a test that would be a month old before the next look."""
DUE_AFTER = timedelta(days=35)
OVERDUE_AFTER = timedelta(days=90)


class Hop(StrEnum):
    """The stations on the way from a tool to a person. Each path says which of them it has, in its order."""

    SENT = "sent"  # the tool has taken the signal
    RECEIVED = "received"  # its word of it came here: by webhook or queue
    INCIDENT = "incident"  # the paging tool has made an incident of it
    NOTIFIED = "notified"  # the paging tool has notified somebody, by the means that `means` names
    SHOWN = "shown"  # it stands in the channel where alerts of this path go
    TOLD = "told"  # a direct message has reached the person on call
    SEEN = "seen"  # a person has said that they have it


WITNESSED = frozenset({Hop.INCIDENT, Hop.NOTIFIED})
"""What only a paging tool can say of a test."""


class Mode(StrEnum):
    """QUIET goes with low urgency and wakes nobody; LIVE pages the person on call, who has to consent."""

    QUIET = "quiet"
    LIVE = "live"


class Verdict(StrEnum):
    """What became of it. Only DELIVERED can prove a path."""

    DELIVERED = "delivered"
    FAILED = "failed"  # something said no, at the hop that is named
    TIMED_OUT = "timed out"  # the hop that is named did not come
    NOT_RUN = "not run"  # nobody consented, or no way to send it


class UnknownTest(SocmonError):
    """There is no such test alert."""

    def __init__(self) -> None:
        super().__init__(
            "There is no such test alert here, so nothing was recorded. It may belong to another installation;"
            " `/socmon test list` shows those of this one."
        )


class UnknownPath(SocmonError):
    """No path has this name."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        listed = ", ".join(known)
        there = f"Known: {listed}." if known else "None is set up yet: `socmon test-alert setup` says how."
        super().__init__(f"There is no path “{name}” to test. {there} Nothing was sent.")


class TestIsOver(IllegalAct):
    """What was clicked belongs to a test that is over."""

    def __init__(self, test: "TestAlert") -> None:
        super().__init__(
            f"Test {test.name} is over ({test.verdict}), so nothing was recorded. Start another one with"
            f" `/socmon test {test.path}`."
        )


class UnderWay(IllegalAct):
    """The path is being tested already."""

    def __init__(self, test: "TestAlert") -> None:
        super().__init__(
            f"Test {test.name} is under way on {test.path}, so no second one was begun. Wait until it is over."
        )


class NeedsConsent(IllegalAct):
    """Only the person who will be paged can say yes."""

    def __init__(self, test: "TestAlert") -> None:
        super().__init__(
            f"Test {test.name} pages <@{test.person}>, so only they can say yes. Nothing was sent. A lead can send it"
            " without waiting: `/socmon test PATH live now REASON`."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Why a test went no further: a sentence, and what to do."""

    says: str
    mend: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TestPath:
    """A way that alerts take, which a test can take too. `hops` are those that a test on it has to pass, in order.

    `id` begins with the provider ("datadog", "datadog:payments"), is one word, and stays the same; `title` names the
    way for people ("Datadog → PagerDuty → Slack").
    """

    id: str
    provider: str
    title: str
    hops: tuple[Hop, ...]

    def __post_init__(self) -> None:
        if self.hops[:1] != (Hop.SENT,) or len(set(self.hops)) < len(self.hops):
            raise ValueError(f"The hops of {self.id} have to begin with sent, and be there once each.")

    def without(self, hops: Collection[Hop]) -> Self:
        return replace(self, hops=tuple(hop for hop in self.hops if hop not in hops))


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownPath:
    """A path on record: since when it can be tested, and until when it could."""

    path: TestPath
    since: datetime
    gone_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """The tool has taken it. `reference` is the tool's own name of it (a monitor, an incident key), no secret.

    `link` is the digest of the secret in a link that confirms it, where the message carries one.
    """

    reference: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Witnessed:
    """A tool saw the test at a hop, `at` the tool's own time. `means` is how it notified people ("push", "phone")."""

    hop: Hop
    at: datetime
    means: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Something that has to stand in a tool before a path can be tested ("a test monitor with production's handles").

    `id` finds it again in the tool. `permission` is the least right that it takes to make it, and `needs` the least
    that it takes to send tests afterwards. `by_hand`, when set, says how a person makes it, where socmon cannot.
    """

    id: str
    says: str
    permission: str
    needs: str
    exists: bool = False
    by_hand: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message about a test that stands in Slack."""

    channel: str
    ts: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TestAlert:
    """One test. `expects` are the hops that its path had when it began; `passed` says when each of them was seen.

    `asked_by` is a Slack user; "" for the clock and for the terminal. `on_schedule` says that it was due. `person` is
    the Slack user on call, "" when nobody is. `channel` is where alerts of this path go. `consent_by` is who said yes
    to being paged, or the lead who did not wait for that. `trying_at` is when socmon began to send, and `refused` how
    many deliveries of the provider had been refused by then. `problem` is the key under which the provider told of it.
    `clean_after` is when cleaning up is tried again, and `is_left` says that this was given up. `shown`, `told` and
    `consent` are its messages in Slack; `dirty` says that what they show is old.
    """

    id: int
    path: str
    provider: str
    title: str
    nonce: str
    component: str
    mode: Mode
    expects: tuple[Hop, ...]
    asked_at: datetime
    asked_by: str = ""
    on_schedule: bool = False
    reason: str = ""
    channel: str = ""
    person: str = ""
    consent_by: str = ""
    consent_at: datetime | None = None
    trying_at: datetime | None = None
    refused: int = 0
    reference: str = ""
    link: str = ""
    problem: str = ""
    passed: Mapping[Hop, datetime] = field(default_factory=lambda: MappingProxyType({}))
    means: tuple[str, ...] = ()
    verdict: Verdict | None = None
    broken: Hop | None = None
    cause: Cause | None = None
    ended_at: datetime | None = None
    cleaned_at: datetime | None = None
    cleaning: str = ""
    clean_after: datetime | None = None
    is_left: bool = False
    shown: Message | None = None
    told: Message | None = None
    consent: Message | None = None
    dirty: bool = True
    busy_until: datetime | None = None

    @property
    def name(self) -> str:
        return f"T-{self.id}"

    @property
    def is_over(self) -> bool:
        return self.verdict is not None

    @property
    def is_self_test(self) -> bool:
        """Whoever asked for it is who has to say that it came: nobody else was reached, so it proves no path."""
        return Hop.TOLD in self.expects and self.asked_by != "" and self.asked_by == self.person

    @property
    def proves(self) -> bool:
        """Whether the path works, by this test."""
        return self.verdict is Verdict.DELIVERED and not self.is_self_test

    @property
    def waits_for_consent(self) -> bool:
        return not self.is_over and self.mode is Mode.LIVE and not self.consent_by

    @property
    def sent_at(self) -> datetime | None:
        return self.passed.get(Hop.SENT)

    @property
    def missing(self) -> tuple[Hop, ...]:
        """What has not been seen yet, in order."""
        return tuple(hop for hop in self.expects if hop not in self.passed)

    @property
    def has_to_be_cleaned_up(self) -> bool:
        """Something of it may be left in the tool."""
        return self.is_over and self.trying_at is not None and self.cleaned_at is None and not self.is_left

    def rests(self, now: datetime) -> bool:
        """Whether there is nothing to do about it until a person clicks, or until some time has come."""
        if self.dirty:
            return False
        if self.is_over:
            return self.clean_after is not None and self.clean_after > now
        if self.waits_for_consent:
            return self.consent is not None and now - self.asked_at < CONSENT_WITHIN
        return self.missing == (Hop.SEEN,) and self.overdue_hop(now) is None

    @property
    def took(self) -> timedelta | None:
        """From the sending to the last hop; None before."""
        if self.trying_at is None or self.missing:
            return None
        return max(self.passed[hop] for hop in self.expects) - self.trying_at

    def after(self, hop: Hop) -> timedelta | None:
        """How long after it was sent the test was seen there; a tool's clock may be a little off."""
        at = self.passed.get(hop)
        return None if at is None or self.trying_at is None else max(at - self.trying_at, timedelta())

    def seen_at(self, hop: Hop, at: datetime, *, means: Sequence[str] = ()) -> "TestAlert":
        """The first sighting stands. Hops that the path does not have are noted as well."""
        told = tuple(dict.fromkeys((*self.means, *means)))
        passed = self.passed if hop in self.passed else {**self.passed, hop: at}
        return replace(self, passed=passed, means=told, dirty=True)

    def failed(self, hop: Hop, cause: Cause, at: datetime) -> "TestAlert":
        return replace(self, verdict=Verdict.FAILED, broken=hop, cause=cause, ended_at=at, dirty=True)

    def not_run(self, cause: Cause, at: datetime) -> "TestAlert":
        return replace(self, verdict=Verdict.NOT_RUN, cause=cause, ended_at=at, dirty=True)

    def overdue_hop(self, now: datetime) -> Hop | None:
        """The first hop that has not come, once its time is over."""
        if self.is_over or self.sent_at is None or not self.missing:
            return None
        first = self.missing[0]
        patience = QUIET_CLICK if first is Hop.SEEN and self.mode is Mode.QUIET else PATIENCE
        return first if now - self.sent_at >= patience else None

    def timed_out(self, hop: Hop, cause: Cause, at: datetime) -> "TestAlert":
        return replace(self, verdict=Verdict.TIMED_OUT, broken=hop, cause=cause, ended_at=at, dirty=True)

    def delivered(self, at: datetime) -> "TestAlert":
        return replace(self, verdict=Verdict.DELIVERED, ended_at=at, dirty=True)


def new_nonce(token: Callable[[int], bytes]) -> str:
    """`token` gives unpredictable bytes."""
    return f"{MARK}{token(NONCE_BYTES).hex()}"


def nonce_in(*texts: str) -> str:
    """The nonce that one of the texts carries, "" without one."""
    for text in texts:
        if MARK in text and (found := NONCE.search(text)):
            return found[0]
    return ""


class Proof(StrEnum):
    """How fresh the proof is that a path works."""

    PROVEN = "proven"
    DUE = "due"
    OVERDUE = "overdue"
    BROKEN = "broken"  # its newest test failed
    NEVER = "never tested"


@dataclass(frozen=True, slots=True, kw_only=True)
class PathStanding:
    """A path, its newest test that says something of it, and the newest one that proved it."""

    known: KnownPath
    newest: TestAlert | None
    proven: TestAlert | None

    def proof(self, now: datetime) -> Proof:
        """One that failed counts, however fresh the proof before it is."""
        if self.newest and self.newest.verdict in {Verdict.FAILED, Verdict.TIMED_OUT}:
            return Proof.BROKEN
        age = now - self._since
        if age > OVERDUE_AFTER:
            return Proof.OVERDUE
        if self.proven is None:
            return Proof.NEVER
        return Proof.DUE if age > DUE_AFTER else Proof.PROVEN

    def is_to_be_tested(self, now: datetime) -> bool:
        """At the weekly look: what is not proven is tested each week, the rest before it gets too old."""
        return self.proof(now) is not Proof.PROVEN or now - self._since >= BEGUN_AFTER

    @property
    def _since(self) -> datetime:
        proven = self.proven.ended_at if self.proven else None
        return proven or self.known.since
