"""What Slack sends back: the names of buttons and forms, and the values they carry. None gives authority."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate, pairwise
from typing import Final

from bot.domain.component import Measure
from bot.domain.errors import SocmonError

ACKNOWLEDGE: Final = "al_ack"
RESOLVE: Final = "al_resolve"
SNOOZE: Final = "al_snooze"
WAKE: Final = "al_wake"
TAKE_OVER: Final = "al_take"
ESCALATE: Final = "al_escalate"
NO_ACTION: Final = "al_noact"
MORE: Final = "al_more"
EARLIER: Final = "al_earlier"
LATER: Final = "al_later"
EXPORT_CSV: Final = "log_csv"
EXPORT_JSON: Final = "log_json"
CONTACTS: Final = "oc_contacts"
REVIEWED: Final = "oc_reviewed"
LINK_ACCOUNT: Final = "oc_link"
SELF_TEST: Final = "hm_test"
SELF_TEST_RECEIVED: Final = "hm_received"
SHOW_ON_CALL: Final = "hm_oncall"
SHOW_STATUS: Final = "hm_status"

SCOPE_ADD: Final = "iv_add"
SCOPE_ADD_ALL: Final = "iv_add_all"
SCOPE_EXCLUDE: Final = "iv_exclude"
SCOPE_NOT_OURS: Final = "iv_not_ours"
SCOPE_REMOVE: Final = "iv_remove"
SCOPE_NAME: Final = "iv_name"
SCOPE_KEEP_NAME: Final = "iv_keep_name"
SCOPE_APPROVE: Final = "iv_approve"
SCOPE_DECLINE: Final = "iv_decline"
SCOPE_DOCUMENT: Final = "iv_document"
SCOPE_REVIEWED: Final = "iv_reviewed"
SCOPE_DIFF: Final = "iv_diff"

COVERAGE_GAPS: Final = "cv_gaps"
COVERAGE_EARLIER: Final = "cv_earlier"
COVERAGE_LATER: Final = "cv_later"
COVERAGE_ASK: Final = "cv_ask"
CELL_TASK: Final = "cv_task"
CELL_RECHECK: Final = "cv_recheck"

WEEK_VIEW: Final = "wv_view"
WEEK_ATTEST: Final = "wv_attest"
WEEK_LOOK: Final = "wv_look"
WEEK_GAP: Final = "wv_gap"
WEEK_LATER: Final = "wv_later"
WEEK_COSIGN: Final = "wv_cosign"
WEEK_EXPLAIN: Final = "wv_explain"
DELEGATE: Final = "wv_delegate"
DELEGATE_END: Final = "wv_delegate_end"
# Of a finding, in the form; what is chosen there is read when it is sent.
DECISION: Final = "wv_decision"
DECISION_UNTIL: Final = "wv_until"
DECISION_OWNER: Final = "wv_owner"

DASHBOARD_LIST: Final = "db_list"
DASHBOARD_CHOOSE: Final = "db_choose"
DASHBOARD_LEAVE: Final = "db_leave"
DASHBOARD_CAPTURE: Final = "db_capture"
DASHBOARD_REVIEWED: Final = "db_reviewed"
DASHBOARD_FOLLOW_UP: Final = "db_follow_up"
DASHBOARD_FORM: Final = "db_follow_up_submit"

STANDARD_DOCUMENT: Final = "sd_document"
STANDARD_REVIEWED: Final = "sd_reviewed"

TEST_AGREED: Final = "te_agree"
TEST_DECLINED: Final = "te_decline"
TEST_OPEN: Final = "te_open"
TEST_SEEN: Final = "te_seen"
TEST_FORM: Final = "te_submit"

STORM_ACKNOWLEDGE: Final = "st_ack_all"
STORM_LIST: Final = "st_list"
STORM_ACKNOWLEDGE_LISTED: Final = "st_ack_listed"
STORM_PREVIOUS: Final = "st_previous"
STORM_NEXT: Final = "st_next"

RESOLVE_FORM: Final = "al_resolve_submit"
AMEND_FORM: Final = "al_amend_submit"
NOTE_FORM: Final = "al_note_submit"
REOPEN_FORM: Final = "al_reopen_submit"
SNOOZE_FORM: Final = "al_snooze_submit"
REASSIGN_FORM: Final = "al_reassign_submit"
ESCALATE_FORM: Final = "al_escalate_submit"
STORM_LIST_FORM: Final = "st_list_submit"
STORM_RESOLVE_FORM: Final = "st_resolve_submit"
ADD_NOTE_SHORTCUT: Final = "sc_add_note"
ADD_NOTE_FORM: Final = "sc_add_note_submit"
LINK_FORM: Final = "oc_link_submit"
EXCLUDE_FORM: Final = "iv_exclude_submit"
TASK_FORM: Final = "cv_task_submit"
ATTEST_FORM: Final = "wv_attest_submit"
GAP_FORM: Final = "wv_gap_submit"
EXPLAIN_FORM: Final = "wv_explain_submit"
DELEGATE_FORM: Final = "wv_delegate_submit"

# The commands of the ⋯ menu.
SNOOZE_30: Final = "sn30"
SNOOZE_FOR: Final = "sn"
REASSIGN: Final = "re"
ESCALATE_NOW: Final = "esc"
CLOSE_NO_ACTION: Final = "noact"
NOTE: Final = "note"
RELEASE: Final = "rel"
TIMELINE: Final = "tl"
REOPEN: Final = "reopen"
AMEND: Final = "amend"
WAKE_NOW: Final = "wake"


MOST_METADATA = 3000  # characters that Slack keeps with a form


class TooManyTicked(SocmonError):
    """More alerts are ticked in a list than a form can carry."""

    def __init__(self) -> None:
        super().__init__(
            "Too many alerts are ticked one by one. Nothing changed. Resolve or acknowledge some of them first; or tick"
            " none, which means all."
        )


class UnknownControl(SocmonError):
    """A button or form that this version of socmon does not know."""

    def __init__(self) -> None:
        super().__init__(
            "This button or form is from another version of socmon. Nothing changed."
            " Open it again from the alert."
        )


@dataclass(frozen=True, slots=True)
class Target:
    """The alert a control is about, and the version that was on screen."""

    alert_id: int
    version: int

    @property
    def value(self) -> str:
        """For a button."""
        return f"{self.alert_id}:{self.version}"

    @property
    def metadata(self) -> str:
        """For a form."""
        return json.dumps({"a": self.alert_id, "v": self.version}, separators=(",", ":"))

    def command(self, name: str) -> str:
        """For an entry of a menu, or a page."""
        return f"{name}:{self.value}"


@dataclass(frozen=True, slots=True)
class Listed:
    """An open list of a storm's alerts: the newest alert that it counted, the page, and the ticks of all pages."""

    storm_id: int
    newest: int
    page: int
    ticked: tuple[int, ...] = ()

    @property
    def metadata(self) -> str:
        """For a form; raises TooManyTicked. Ticks are written as distances, which are short."""
        steps = [here - before for before, here in pairwise([0, *self.ticked])]
        content = {"s": self.storm_id, "n": self.newest, "p": self.page, "t": ",".join(map(str, steps))}
        metadata = json.dumps(content, separators=(",", ":"))
        if len(metadata) > MOST_METADATA:
            raise TooManyTicked
        return metadata


def read_listed(metadata: str) -> Listed:
    """The list that a form is about; raises UnknownControl."""
    match _object(metadata):
        case {"s": int(storm_id), "n": int(newest), "p": int(page), "t": str(steps)}:
            try:
                ticked = tuple(accumulate(int(step) for step in steps.split(",") if step))
            except ValueError as error:
                raise UnknownControl from error
            return Listed(storm_id, newest, page, ticked)
        case _:
            raise UnknownControl


def read_value(value: str) -> Target:
    """The target of a button; raises UnknownControl."""
    alert_id, _, version = value.partition(":")
    if not (alert_id.isascii() and alert_id.isdigit() and version.isascii() and version.isdigit()):
        raise UnknownControl
    return Target(int(alert_id[:18]), int(version[:18]))


def read_number(value: str) -> int:
    """What a button is about that carries a number alone; raises UnknownControl."""
    if not (value.isascii() and value.isdigit()):
        raise UnknownControl
    return int(value[:18])


def read_command(value: str) -> tuple[str, Target]:
    """The command and target of a menu entry; raises UnknownControl."""
    name, _, rest = value.partition(":")
    return name, read_value(rest)


def read_metadata(metadata: str) -> Target:
    """The target of a form; raises UnknownControl."""
    match _object(metadata):
        case {"a": int(alert_id), "v": int(version)}:
            return Target(alert_id, version)
        case _:
            raise UnknownControl


def read_link(metadata: str) -> str:
    """Where the words of an "Add to alert record" form were first written; raises UnknownControl."""
    match _object(metadata):
        case {"link": str(address)}:
            return address
        case _:
            raise UnknownControl


@dataclass(frozen=True, slots=True)
class Document:
    """The contact list that a button is about: of which roster, and when it was made."""

    roster_id: int
    made_at: datetime

    @property
    def value(self) -> str:
        return f"{self.roster_id}:{int(self.made_at.timestamp())}"


def read_document(value: str) -> Document:
    """Raises UnknownControl."""
    pair = read_value(value)
    try:
        return Document(pair.alert_id, datetime.fromtimestamp(pair.version, UTC))
    except (ValueError, OverflowError, OSError) as error:
        raise UnknownControl from error


@dataclass(frozen=True, slots=True)
class Excluding:
    """The component that somebody wants to leave out, by its key, or by the finding that this would answer."""

    component: str = ""
    finding: int | None = None

    @property
    def value(self) -> str:
        """For a button and for a form."""
        return json.dumps({"c": self.component, "f": self.finding}, separators=(",", ":"))


def read_excluding(value: str) -> Excluding:
    """Raises UnknownControl."""
    match _object(value):
        case {"c": str(component), "f": int() | None as finding}:
            return Excluding(component, finding)
        case _:
            raise UnknownControl


@dataclass(frozen=True, slots=True)
class CellOf:
    """The cell of coverage that a control is about: its component by key, and the measure."""

    component: str
    measure: Measure

    @property
    def value(self) -> str:
        """For a button and for a form."""
        return json.dumps({"c": self.component, "m": self.measure}, separators=(",", ":"))


def read_cell(value: str) -> CellOf:
    """Raises UnknownControl."""
    match _object(value):
        case {"c": str(component), "m": str(measure)} if measure in set(Measure):
            return CellOf(component, Measure(measure))
        case _:
            raise UnknownControl


@dataclass(frozen=True, slots=True)
class WeekOf:
    """The validation that a control is about: its week, the facts that were shown, and which section of them."""

    week: str
    digest: str = ""
    revision: int = 0
    section: str = ""

    @property
    def value(self) -> str:
        """For a button and for a form."""
        content = {"w": self.week, "d": self.digest, "r": self.revision, "s": self.section}
        return json.dumps(content, separators=(",", ":"))


def read_week(value: str) -> WeekOf:
    """Raises UnknownControl."""
    match _object(value):
        case {"w": str(week), "d": str(digest), "r": int(revision), "s": str(section)}:
            return WeekOf(week, digest, revision, section)
        case _:
            raise UnknownControl


@dataclass(frozen=True, slots=True)
class Reviewing:
    """The picture of a dashboard that a form is about, and the message that shows it: `file` is Slack's number."""

    capture: int
    channel: str = ""
    ts: str = ""
    file: str = ""

    @property
    def metadata(self) -> str:
        """For a form."""
        told = {"d": self.capture, "c": self.channel, "t": self.ts, "f": self.file}
        return json.dumps(told, separators=(",", ":"))


def read_reviewing(metadata: str) -> Reviewing:
    """Raises UnknownControl."""
    match _object(metadata):
        case {"d": int(capture), "c": str(channel), "t": str(ts), "f": str(file)}:
            return Reviewing(capture, channel, ts, file)
        case _:
            raise UnknownControl


def read_reviewed(value: str) -> tuple[int, str]:
    """(revision, the document's digest) of a review; raises UnknownControl."""
    revision, _, digest = value.partition(" ")
    return read_number(revision), digest


def _object(metadata: str) -> object:
    try:
        found: object = json.loads(metadata)
    except ValueError as error:
        raise UnknownControl from error
    return found
