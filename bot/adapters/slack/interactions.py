"""What Slack sends back: the names of buttons and forms, and the values they carry. None gives authority."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

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

RESOLVE_FORM: Final = "al_resolve_submit"
AMEND_FORM: Final = "al_amend_submit"
NOTE_FORM: Final = "al_note_submit"
REOPEN_FORM: Final = "al_reopen_submit"
SNOOZE_FORM: Final = "al_snooze_submit"
REASSIGN_FORM: Final = "al_reassign_submit"
ESCALATE_FORM: Final = "al_escalate_submit"
ADD_NOTE_SHORTCUT: Final = "sc_add_note"
ADD_NOTE_FORM: Final = "sc_add_note_submit"
LINK_FORM: Final = "oc_link_submit"

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


def read_value(value: str) -> Target:
    """The target of a button; raises UnknownControl."""
    alert_id, _, version = value.partition(":")
    if not (alert_id.isascii() and alert_id.isdigit() and version.isascii() and version.isdigit()):
        raise UnknownControl
    return Target(int(alert_id[:18]), int(version[:18]))


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


def _object(metadata: str) -> object:
    try:
        found: object = json.loads(metadata)
    except ValueError as error:
        raise UnknownControl from error
    return found
