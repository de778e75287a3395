"""What an alert is: one episode of one problem, what people did about it, and what its source says.

An alert has two independent states. RESPONSE is what people did: triggered, acknowledged, resolved. SOURCE is what
the monitoring tool says: firing, recovered, unknown. "Recovered, note needed" is recovered at the source and not
resolved. A tool can never resolve an alert; only a person with a note can.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from unicodedata import name

from bot.domain.errors import IllegalAct, ThinNote
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
    NOTE = "note"
    RESOLVE = "resolve"
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


# The alert's life. What is not in this table is refused: a late click never reopens, a first acknowledgement stands.
RESPONSES: dict[tuple[Response, Act], Response] = {
    (Response.TRIGGERED, Act.ACKNOWLEDGE): Response.ACKNOWLEDGED,
    (Response.TRIGGERED, Act.SNOOZE): Response.ACKNOWLEDGED,  # who snoozes an alert owns it
    (Response.TRIGGERED, Act.NOTE): Response.TRIGGERED,
    (Response.TRIGGERED, Act.RESOLVE): Response.RESOLVED,
    (Response.ACKNOWLEDGED, Act.SNOOZE): Response.ACKNOWLEDGED,
    (Response.ACKNOWLEDGED, Act.WAKE): Response.ACKNOWLEDGED,
    (Response.ACKNOWLEDGED, Act.RELEASE): Response.TRIGGERED,
    (Response.ACKNOWLEDGED, Act.NOTE): Response.ACKNOWLEDGED,
    (Response.ACKNOWLEDGED, Act.RESOLVE): Response.RESOLVED,
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
    `on_call` are the Slack users or user groups who were on call when it triggered. `amended_by` is whose words the
    resolution note is now, when somebody has edited it.
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
    recovered_at: datetime | None = None
    resolved_at: datetime | None = None
    resolved_by: str | None = None
    resolution: Resolution | None = None
    amended_by: str | None = None
    snoozed_until: datetime | None = None
    repeats: int = 0
    flaps: int = 0
    previous_id: int | None = None
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
        resolution: Resolution | None = None,
    ) -> "Alert":
        """The alert after `by` (a Slack user id) did `act`; raises IllegalAct where there is no such step."""
        state = RESPONSES.get((self.response, act))
        if state is None or (act is Act.WAKE and self.snoozed_until is None):
            raise IllegalAct(self._why_not(act))
        changed = replace(self, response=state)
        match act:
            case Act.ACKNOWLEDGE:
                changed = replace(changed, owner=by, acknowledged_at=at)
            case Act.SNOOZE:
                owner, since = self.owner or by, self.acknowledged_at or at
                end = self._snooze_end(at, until)
                changed = replace(changed, owner=owner, acknowledged_at=since, snoozed_until=end)
            case Act.WAKE:
                changed = replace(changed, snoozed_until=None)
            case Act.RELEASE:
                changed = replace(changed, owner=None, acknowledged_at=None, snoozed_until=None)
            case Act.RESOLVE:
                changed = replace(
                    changed, resolved_at=at, resolved_by=by, resolution=resolution, snoozed_until=None
                )
            case Act.AMEND:
                changed = replace(changed, resolution=resolution, amended_by=by)
            case Act.NOTE | Act.REOPEN:
                pass
        if (changed.response, changed.owner) != (self.response, self.owner):
            changed = replace(changed, version=self.version + 1)
        return changed

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

    @staticmethod
    def _snooze_end(at: datetime, until: datetime | None) -> datetime:
        if until is None or not at < until <= at + LONGEST_SNOOZE:
            raise IllegalAct("An alert can be snoozed for at most seven days. Choose an earlier time.")
        return until

    def _why_not(self, act: Act) -> str:
        if self.response is Response.RESOLVED:
            done = f"<@{self.resolved_by}> has already resolved A-{self.id}. Nothing changed."
            return f"{done} To take it up again, choose “Reopen…”."
        if act is Act.ACKNOWLEDGE:
            return f"<@{self.owner}> has already acknowledged A-{self.id}. Nothing changed."
        if act is Act.WAKE and self.response is Response.ACKNOWLEDGED:
            return f"A-{self.id} is not snoozed. Nothing changed."
        if act in {Act.REOPEN, Act.AMEND}:
            return f"A-{self.id} is still open, so there is nothing to {act}. Add a note or resolve it."
        return f"Nobody has acknowledged A-{self.id}, so there is nothing to {act}. Acknowledge it first."


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
