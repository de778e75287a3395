"""What the tools are told of people's acts, and what people do there: writes, echoes, and how far they have come.

socmon's own record never waits for a tool. What a tool is owed is a row that is sent, again and again, until the tool
has it, refuses it, or has not answered for an hour.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

FIRST_WAIT = timedelta(seconds=5)
LONGEST_WAIT = timedelta(minutes=5)
PATIENCE = timedelta(hours=1)
"""How long a tool that does not answer is asked again; after that the comparison of the records sends it anew."""
ECHO_WITHIN = timedelta(minutes=10)


class ToolAct(StrEnum):
    """What can be done in the tool, by socmon for a person, or by a person there."""

    ACKNOWLEDGE = "acknowledge"
    NOTE = "note"
    REASSIGN = "reassign"
    ESCALATE = "escalate"
    SNOOZE = "snooze"
    RESOLVE = "resolve"


# A word of the tool → the writes of ours that make it say so. A note may come with any of them: it says who did it.
ECHOES: dict[ToolAct, frozenset[ToolAct]] = {
    ToolAct.ACKNOWLEDGE: frozenset({ToolAct.ACKNOWLEDGE, ToolAct.SNOOZE}),
    ToolAct.NOTE: frozenset(ToolAct),
    ToolAct.REASSIGN: frozenset({ToolAct.REASSIGN, ToolAct.ESCALATE}),
    ToolAct.ESCALATE: frozenset({ToolAct.ESCALATE}),
    ToolAct.SNOOZE: frozenset({ToolAct.SNOOZE}),
    ToolAct.RESOLVE: frozenset({ToolAct.RESOLVE}),
}


class WriteState(StrEnum):
    """PENDING waits for its next try; FAILED had no answer for an hour; REFUSED is what the tool will never take."""

    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What a person did to an alert in its tool. `account` is the tool's own id of them, `name` what it calls them.

    `to` is the account (id, name) that an alert was given to, `at` when it was done, where the tool says so.
    """

    act: ToolAct
    account: str
    name: str = ""
    to: tuple[str, str] | None = None
    text: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorWrite:
    """One act that a tool is to be told of.

    `target` is the tool's own id of what is written to, `person` the Slack user who did it (or "socmon"), `account`
    the tool's id of whom it was sent as. `text` are the words of a note, the whole note of a resolution, the Slack
    user who gets the alert, the end of a snooze, or the level to escalate to.
    """

    id: int
    provider: str
    alert_id: int
    target: str
    action: ToolAct
    person: str
    account: str = ""
    text: str = ""
    at: datetime
    state: WriteState = WriteState.PENDING
    attempts: int = 0
    next_at: datetime
    sent_at: datetime | None = None
    done_at: datetime | None = None
    detail: str = ""
    lease: str | None = None

    def sending(self, account: str, at: datetime) -> "VendorWrite":
        """Before it goes out: from now on a word of the tool may be its echo."""
        return replace(self, account=account, sent_at=at)

    def done(self, at: datetime, detail: str) -> "VendorWrite":
        return replace(self, state=WriteState.DONE, done_at=at, detail=detail)

    def refused(self, why: str, at: datetime) -> "VendorWrite":
        """The tool said no, and would say so again."""
        return replace(
            self, state=WriteState.REFUSED, attempts=self.attempts + 1, done_at=at, detail=why, sent_at=None
        )

    def unanswered(self, why: str, at: datetime) -> "VendorWrite":
        """The tool did not answer, so it may or may not have taken it: try again later, for an hour in all."""
        tried = replace(self, attempts=self.attempts + 1, detail=why)
        if at - self.at >= PATIENCE:
            return replace(tried, state=WriteState.FAILED, done_at=at)
        return replace(tried, next_at=at + min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(self.attempts, 10)))

    def postponed(self, until: datetime, why: str) -> "VendorWrite":
        """Not tried, since its tool has just not answered another one."""
        return replace(self, next_at=max(self.next_at, until), detail=why)

    def again(self, at: datetime) -> "VendorWrite":
        """The tool is back: a write that had failed begins anew."""
        return replace(self, state=WriteState.PENDING, attempts=0, at=at, next_at=at, done_at=None)

    def is_echoed_by(self, done: Done, user: str | None, *, now: datetime) -> bool:
        """Whether what somebody did there is this write: the same act and person, still open or sent lately."""
        if done.account != self.account and (user is None or user != self.person):
            return False
        if self.action not in ECHOES[done.act]:
            return False
        if done.act is ToolAct.NOTE and not is_signed(done.text, self.alert_id):
            return False
        is_recent = self.sent_at is not None and now - self.sent_at < ECHO_WITHIN
        return self.state is WriteState.PENDING or is_recent


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Who acted in Slack, for the tool: `account` is their linked account there, "" for none; `email` is Slack's."""

    user: str
    name: str
    email: str = ""
    account: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """As whom a tool is written to. `is_author` is false where it does not know them, and socmon speaks for them."""

    id: str
    email: str
    is_author: bool = True


def signed(text: str, *, name: str, alert_id: int, link: str = "") -> str:
    """A note for the tool: it carries who wrote it and where, first, since tools cut long notes at their end."""
    return "\n".join(filter(None, [f"{name} {_mark(alert_id)}: {text}", link]))


def is_signed(text: str, alert_id: int) -> bool:
    """Whether socmon wrote this note about the alert."""
    return _mark(alert_id) in text[:200]


def _mark(alert_id: int) -> str:
    return f"in Slack (A-{alert_id})"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolState:
    """How far an alert's tool has been told, for the small print: the worst of what is not yet done, else the last."""

    state: WriteState
    action: ToolAct
    detail: str = ""
    waits_since: datetime | None = None


def tool_state(writes: Sequence[VendorWrite]) -> ToolState | None:
    """Of an alert's writes, oldest first; None when its tool is told nothing."""
    newest: dict[ToolAct, VendorWrite] = {one.action: one for one in writes}
    for state in (WriteState.REFUSED, WriteState.FAILED, WriteState.PENDING):
        # A note stands for itself; of other acts a later one takes the place of an earlier one.
        found = [one for one in writes if one.state is state]
        current = [one for one in found if one.action is ToolAct.NOTE or newest[one.action] is one]
        if current:
            worst = current[-1]
            waits = worst.at if state is WriteState.PENDING and worst.attempts else None
            return ToolState(state=state, action=worst.action, detail=worst.detail, waits_since=waits)
    last = writes[-1] if writes else None
    return ToolState(state=last.state, action=last.action, detail=last.detail) if last else None
