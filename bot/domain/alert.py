"""What an alert is: one episode of one problem, what people did about it, and what its source says.

An alert has two independent states. RESPONSE is what people did: triggered, acknowledged, resolved. SOURCE is what
the monitoring tool says: firing, recovered, unknown. "Recovered, note needed" is recovered at the source and not
resolved. A tool can never resolve an alert; only a person with a note can.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from unicodedata import name

from bot.domain.errors import IllegalAct, SomebodyElses, ThinNote
from bot.domain.tool import Done


class Response(StrEnum):
    TRIGGERED = "triggered"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class Source(StrEnum):
    FIRING = "firing"
    RECOVERED = "recovered"
    UNKNOWN = "unknown"


class Severity(StrEnum):
    """How bad, most severe first; the values sort in that order."""

    SEV1 = "SEV1"
    SEV2 = "SEV2"
    SEV3 = "SEV3"
    SEV4 = "SEV4"


class Change(StrEnum):
    """What a provider says happened to a problem."""

    TRIGGERED = "triggered"
    RECOVERED = "recovered"
    NO_DATA = "no_data"
    UPDATED = "updated"  # acknowledged, annotated, reassigned … in the tool: a fact for the timeline


class Act(StrEnum):
    """What a person (or, for `wake`, the clock) can do to an alert."""

    ACKNOWLEDGE = "acknowledge"
    SNOOZE = "snooze"
    WAKE = "wake"
    RELEASE = "release"
    REASSIGN = "reassign"
    TAKE_OVER = "take over"
    ESCALATE = "escalate"
    NOTE = "note"
    RESOLVE = "resolve"
    NO_ACTION = "no action"  # it recovered by itself; the same as resolve, with the least of notes
    AMEND = "amend"  # a further revision of the resolution note
    REOPEN = "reopen"


class Cause(StrEnum):
    """Root cause categories of the resolution form."""

    CAPACITY = "capacity"
    DEPLOY = "deploy"
    DEPENDENCY = "dependency"
    HARDWARE = "hardware"
    SECURITY = "security"
    CONFIGURATION = "configuration"
    FALSE_POSITIVE = "false_positive"
    UNKNOWN = "unknown"
    NO_ACTION = (
        "no_action"  # it recovered by itself; offered where the policy allows it, not as a choice of the form
    )


# The alert's life. What is not in this table is refused: a late click never reopens, a first acknowledgement stands.
RESPONSES: dict[tuple[Response, Act], Response] = {
    (Response.TRIGGERED, Act.ACKNOWLEDGE): Response.ACKNOWLEDGED,
    (Response.TRIGGERED, Act.SNOOZE): Response.ACKNOWLEDGED,  # who snoozes an alert owns it
    (Response.TRIGGERED, Act.REASSIGN): Response.TRIGGERED,  # whose it is now still has to acknowledge it
    (Response.TRIGGERED, Act.ESCALATE): Response.TRIGGERED,
    (Response.TRIGGERED, Act.NOTE): Response.TRIGGERED,
    (Response.TRIGGERED, Act.RESOLVE): Response.RESOLVED,
    (Response.TRIGGERED, Act.NO_ACTION): Response.RESOLVED,
    (Response.ACKNOWLEDGED, Act.SNOOZE): Response.ACKNOWLEDGED,
    (Response.ACKNOWLEDGED, Act.WAKE): Response.ACKNOWLEDGED,
    (Response.ACKNOWLEDGED, Act.RELEASE): Response.TRIGGERED,
    (Response.ACKNOWLEDGED, Act.REASSIGN): Response.ACKNOWLEDGED,
    (Response.ACKNOWLEDGED, Act.TAKE_OVER): Response.ACKNOWLEDGED,
    (Response.ACKNOWLEDGED, Act.ESCALATE): Response.ACKNOWLEDGED,
    (Response.ACKNOWLEDGED, Act.NOTE): Response.ACKNOWLEDGED,
    (Response.ACKNOWLEDGED, Act.RESOLVE): Response.RESOLVED,
    (Response.ACKNOWLEDGED, Act.NO_ACTION): Response.RESOLVED,
    (Response.RESOLVED, Act.NOTE): Response.RESOLVED,
    (Response.RESOLVED, Act.AMEND): Response.RESOLVED,
    (Response.RESOLVED, Act.REOPEN): Response.RESOLVED,  # the new occurrence is a linked alert of its own
}

SOURCES: dict[Change, Source] = {
    Change.TRIGGERED: Source.FIRING,
    Change.RECOVERED: Source.RECOVERED,
    Change.NO_DATA: Source.UNKNOWN,
}

_RANK = {Source.UNKNOWN: 0, Source.FIRING: 1, Source.RECOVERED: 2}

# How long a report may be under way while a newer one overtakes it: a retry, or the slower member of a cluster.
LONGEST_WAY = timedelta(minutes=1)

LONGEST_SNOOZE = timedelta(days=7)
FEWEST_WORDS = 2
FEWEST_LETTERS = 10
MOST_LETTERS = 2000
EMPTY_WORDS = frozenset(
    "n a na none nothing fixed done resolved closed ok see same as above test tbd todo".split()  # noqa: SIM905
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """One alert as a provider reported it in one delivery.

    `dedup_key` names the problem within its provider (monitor and scope); two problems that look alike have two keys.
    `occurrence` names the episode where the tool does, so that a repeat of a resolved episode opens nothing.
    `occurred_at` is the tool's claim, aware UTC; None when the tool does not say.
    `current` says that it is so at present, whenever it began: some tools tell the state of now, with the old start of
    an episode that they had declared over. Never set for a recovery, which has a time of its own.
    `ends_episode` says that a recovery certainly ended one, though it does not name it ("was in alarm before").
    `ignored`, when set, is the reason why this report is filed and has no effect ("test notification").
    `ignored_if_unknown` is the same for a problem that never had an alert ("was not in alarm"): such a report can
    end an alert and never begins one.
    `said` is what happened, for `Change.UPDATED` ("acknowledged in PagerDuty by Sam"), and `raised_to` the severity
    that such an update states; None when it states none.
    `done` is what a person did there, where the tool names them: it may be our own act, told back, or is done here too.
    """

    change: Change
    dedup_key: str
    occurrence: str | None = None
    occurred_at: datetime | None = None
    title: str = ""
    component: str = ""
    condition: str = ""
    value: str = ""
    severity: Severity = Severity.SEV3
    url: str = ""
    runbook: str = ""
    text: str = ""
    said: str = ""
    raised_to: Severity | None = None
    done: Done | None = None
    current: bool = False
    ends_episode: bool = False
    ignored: str = ""
    ignored_if_unknown: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """What a person found and did."""

    found: str
    done: str
    cause: Cause
    security: bool = False
    follow_up: str = ""

    def check(self) -> None:
        """Refuse a note that says nothing; raises ThinNote, naming the form field."""
        check_note("found", self.found)
        check_note("done", self.done)
        if self.follow_up and not self.follow_up.startswith(("https://", "http://")):
            raise ThinNote(
                "follow_up",
                "This is not a web address. Write the whole link, starting with https://, or leave it empty.",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One episode of a problem. `id` is the number people see as A-412; numbers have no holes.

    `version` rises only when the response state or the owner changes. Times are aware UTC; `source_at` is the
    tool's own time of its newest word on the source state (socmon's time of receipt where the tool gives none).
    `on_call` are the Slack users or user groups who were on call when it triggered, and those without Slack by what
    names them best; `roster_id` is the roster that said so. `owner` is who works on it, and `acknowledged_by` who
    acknowledged it: the two part when it is handed on. `amended_by` is whose words the resolution note is now, when
    somebody has edited it.
    """

    id: int
    provider: str
    dedup_key: str
    occurrence: str | None
    title: str
    component: str
    condition: str
    value: str
    severity: Severity
    url: str
    runbook: str
    text: str
    response: Response
    source: Source
    source_at: datetime
    triggered_at: datetime
    on_call: tuple[str, ...] = ()
    owner: str | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    recovered_at: datetime | None = None
    resolved_at: datetime | None = None
    resolved_by: str | None = None
    resolution: Resolution | None = None
    amended_by: str | None = None
    snoozed_until: datetime | None = None
    repeats: int = 0
    flaps: int = 0
    previous_id: int | None = None
    roster_id: int | None = None
    version: int = 1

    @property
    def note_needed(self) -> bool:
        """Recovered at the source, and nobody has written down why."""
        return self.source is Source.RECOVERED and self.response is not Response.RESOLVED

    @property
    def is_open(self) -> bool:
        return self.response is not Response.RESOLVED

    @property
    def over_at(self) -> datetime | None:
        """Since when its source has recovered and a person has resolved it; None before both are so."""
        return max(self.recovered_at, self.resolved_at) if self.recovered_at and self.resolved_at else None

    def after(
        self,
        act: Act,
        *,
        by: str,
        at: datetime,
        until: datetime | None = None,
        to: str | None = None,
        resolution: Resolution | None = None,
    ) -> "Alert":
        """The alert after `by` (a Slack user id) did `act`; raises IllegalAct where there is no such step.

        `until` is when a snooze ends, `to` whose a reassigned alert is to be.
        """
        state = RESPONSES.get((self.response, act))
        if state is None or (act is Act.WAKE and self.snoozed_until is None):
            raise self._why_not(act)
        changed = replace(self, response=state)
        match act:
            case Act.ACKNOWLEDGE:
                changed = self._acknowledged(by, at)
            case Act.SNOOZE:
                changed = replace(self._owned(by, at), snoozed_until=self._snooze_end(at, until))
            case Act.WAKE:
                changed = replace(changed, snoozed_until=None)
            case Act.RELEASE:
                changed = replace(changed, owner=None, acknowledged_at=None, acknowledged_by=None)
                changed = replace(changed, snoozed_until=None)
            case Act.REASSIGN | Act.TAKE_OVER:
                changed = replace(changed, owner=self._next_owner(to or by))
            case Act.RESOLVE | Act.NO_ACTION:
                changed = replace(
                    changed, resolved_at=at, resolved_by=by, resolution=resolution, snoozed_until=None
                )
            case Act.AMEND:
                changed = replace(changed, resolution=resolution, amended_by=by)
            case Act.NOTE | Act.ESCALATE | Act.REOPEN:
                pass
        is_stale = (changed.response, changed.owner) != (self.response, self.owner)
        return replace(changed, version=self.version + is_stale)

    def time_of(self, reported: Reported, *, at: datetime) -> datetime:
        """Since when it has been as reported, for an alert that hears of it `at`.

        The state of now, told clearly after another one, began after that one whatever old start it bears. Nobody
        knows when; right after it is the one time that makes no later word of the tool old news.
        """
        when = reported.occurred_at or at
        is_back = SOURCES[reported.change] is not self.source and at - self.source_at > LONGEST_WAY
        return max(when, self.source_at + timedelta.resolution) if reported.current and is_back else when

    def heard(self, reported: Reported, *, at: datetime) -> "Alert":
        """The alert after its source spoke again: changed in source state or severity, or else repeated once more.

        Words older than the newest ones heard change nothing. At one and the same instant a recovery outranks the
        trigger it ends, and a trigger a lost signal; so the result does not depend on the order of arrival. The alert
        takes on the name of a later episode that it takes in, so that its end is not taken for that of a stranger.
        """
        source = SOURCES[reported.change]
        when = self.time_of(reported, at=at)
        old_news = (when, _RANK[source]) < (self.source_at, _RANK[self.source])
        worse = source is Source.FIRING and reported.severity < self.severity
        begins = not old_news and source is not Source.RECOVERED
        occurrence = (reported.occurrence if begins else None) or self.occurrence
        if old_news or (source is self.source and not worse):
            return replace(
                self,
                occurrence=occurrence,
                repeats=self.repeats + 1,
                source_at=max(when, self.source_at),
            )
        return replace(
            self,
            occurrence=occurrence,
            source=source,
            source_at=when,
            severity=reported.severity if worse else self.severity,
            recovered_at=when if source is Source.RECOVERED else None,
            flaps=self.flaps + (self.source is Source.RECOVERED and source is Source.FIRING),
            value=reported.value or self.value,
        )

    def given_to(self, owner: str) -> "Alert":
        """The alert after somebody has given it to another person in its tool. Who owned it asked for nothing."""
        return self if owner == self.owner else replace(self, owner=owner, version=self.version + 1)

    def settled_at_source(self, *, at: datetime) -> "Alert":
        """The alert after its resolution has ended the problem in the tool that had raised it."""
        if self.source is Source.RECOVERED:
            return self
        return replace(self, source=Source.RECOVERED, source_at=max(at, self.source_at), recovered_at=at)

    def _acknowledged(self, by: str, at: datetime) -> "Alert":
        return replace(self, response=Response.ACKNOWLEDGED, owner=by, acknowledged_at=at, acknowledged_by=by)

    def _owned(self, by: str, at: datetime) -> "Alert":
        return self._acknowledged(by, at) if self.response is Response.TRIGGERED else self

    def _next_owner(self, user: str) -> str:
        if user == self.owner:
            raise IllegalAct(f"A-{self.id} is already <@{user}>'s. Nothing changed.")
        return user

    @staticmethod
    def _snooze_end(at: datetime, until: datetime | None) -> datetime:
        if until is None or not at < until <= at + LONGEST_SNOOZE:
            raise IllegalAct("An alert can be snoozed for at most seven days. Choose an earlier time.")
        return until

    def _why_not(self, act: Act) -> IllegalAct:
        if self.response is Response.RESOLVED:
            done = f"<@{self.resolved_by}> has already resolved A-{self.id}. Nothing changed."
            return IllegalAct(f"{done} To take it up again, choose “Reopen…”.")
        if act is Act.ACKNOWLEDGE:
            return SomebodyElses(
                f"<@{self.acknowledged_by}> has already acknowledged A-{self.id}. Nothing changed.",
                self.id,
                self.version,
            )
        if act is Act.WAKE and self.response is Response.ACKNOWLEDGED:
            return IllegalAct(f"A-{self.id} is not snoozed. Nothing changed.")
        if act in {Act.REOPEN, Act.AMEND}:
            rest = f"so there is nothing to {act}. Add a note or resolve it."
            return IllegalAct(f"A-{self.id} is still open, {rest}")
        return IllegalAct(
            f"Nobody has acknowledged A-{self.id}, so there is nothing to {act}. Acknowledge it first."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class NoAction:
    """When “recovered by itself, no action” will do as a resolution note: it was mild, and soon over."""

    severities: frozenset[Severity] = frozenset({Severity.SEV3, Severity.SEV4})
    longest: timedelta = timedelta(minutes=5)

    def allows(self, alert: Alert) -> bool:
        return alert.note_needed and not self._objection(alert)

    def check(self, alert: Alert) -> None:
        """Raises IllegalAct, saying what keeps this alert from it."""
        if not alert.note_needed:
            raise IllegalAct(
                f"A-{alert.id} has not recovered, so “no action” is not the end of it. Nothing changed."
            )
        if objection := self._objection(alert):
            raise IllegalAct(
                f"A-{alert.id} {objection}, so it needs a note in words. Nothing changed."
                " Choose “Add resolution note…”."
            )

    def _objection(self, alert: Alert) -> str:
        if alert.severity not in self.severities:
            return f"is {alert.severity}"
        lasted = (alert.recovered_at or alert.source_at) - alert.triggered_at
        minutes = self.longest // timedelta(minutes=1)
        return f"lasted longer than {minutes} min" if lasted > self.longest else ""


def _writes_without_spaces(character: str) -> bool:
    """Chinese, Japanese, Thai and their like: a whole sentence is one "word"."""
    return name(character, "").startswith(("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR"))


def check_note(field: str, text: str) -> None:
    """Refuse a note that tells an auditor nothing; raises ThinNote."""
    words = "".join(c if c.isalnum() else " " for c in text.casefold()).split()
    letters = sum(map(len, words))
    if len(text) > MOST_LETTERS:
        raise ThinNote(
            field,
            f"This note has {len(text)} characters; {MOST_LETTERS} are the most. Shorten it, or link to a longer text.",
        )
    few_words = len(set(words)) < FEWEST_WORDS and not any(map(_writes_without_spaces, text))
    if set(words) <= EMPTY_WORDS or letters < FEWEST_LETTERS or few_words:
        raise ThinNote(
            field,
            "Say it so that somebody who was not there understands it: two words or more, at least ten letters.",
        )
