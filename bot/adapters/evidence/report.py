"""What came of checking the evidence log: the verdict, what was found and what it means, for people and machines."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from bot.adapters.evidence.note import VerifierKey
from bot.domain.retelling import NOT_CARRIED

MOST_PLACES = 20  # of one kind of finding that a report lists
MOST_LETTERS = 300  # of one place
FIGURES = (
    "checkpoints_valid",
    "checkpoints_kept_elsewhere",
    "texts_checked",
    "deliveries_checked",
    "bodies_checked",
    "bodies_not_kept",
    "alerts_checked",
)
NOT_COMPARED = (
    *(f"alert.{name}" for name in NOT_CARRIED),
    "alert.roster_id",
    "delivery.delivery_id",
    "account_link",
    "account_name",
    "attestation",
    "coverage_answer",
    "coverage_interval",
    "coverage_run",
    "dashboard",
    "dashboard_capture",
    "delegation",
    "disposition",
    "draft",
    "escalation",
    "exclusion_request",
    "finding",
    "follow_up",
    "heard",
    "home",
    "intake_count",
    "job_run",
    "monitor_change",
    "notice",
    "problem",
    "pulse",
    "roster",
    "scope_entry",
    "scope_revision",
    "self_test",
    "sighting",
    "source",
    "standard_version",
    "storm",
    "test_alert",
    "test_path",
    "thread",
    "validation",
    "validation_copy",
    "validation_facts",
    "validation_reminder",
    "validation_rhythm",
    "vendor_write",
    "watch",
)
"""Columns and tables that the log does not carry."""


class Fault(Enum):
    """What can be found: what it is, what it means, and whether the evidence is wrong or only less complete."""

    EMPTY = "The log holds no entry.", "Nothing is proven: the log is new, or it was emptied."
    MISSING_ENTRY = "An entry is missing or out of place.", "An entry was deleted, added or moved."
    HASH = "An entry's bytes do not have the hash that is stored beside them.", "One of the two was changed."
    CHAIN = (
        "An entry does not follow the one before it.",
        "One of the two was changed, or something was removed, added or swapped between them.",
    )
    UNREADABLE = (
        "An entry cannot be read.",
        "It was not written by socmon, or by a version this one does not know.",
    )
    PLACE = (
        "An entry states another log or another number than where it stands.",
        "It was moved or copied here.",
    )
    UNCOVERED = (
        "No valid checkpoint covers any entry.",
        "Nothing is proven: the log is a minute old, or its checkpoints were removed, or are another log's.",
    )
    NOTE = "A checkpoint is not valid.", "It was changed or forged, or it belongs to another log."
    NOTE_PLACE = "A checkpoint is of another size than where it is stored.", "It was changed or moved."
    ROOT = (
        "The entries do not add up to what a checkpoint states.",
        "An entry before it was changed, removed, added or swapped after the checkpoint was signed.",
    )
    SHORT = (
        "The log is shorter than a checkpoint.",
        "Entries were cut off at the end, or an older backup was restored.",
    )
    UNSIGNED = (
        "Entries have waited for a checkpoint for more than ten minutes.",
        "Checkpoints were removed, or socmon could not sign: `socmon status` says so. It signs when it starts.",
    )
    COLUMN = (
        "A column of an entry's row differs from the entry.",
        "The row was changed. The entry is proven, but Slack and the reports show the row.",
    )
    NUMBER = (
        "An entry's alert or delivery does not have the next number.",
        "An entry before it was removed or added.",
    )
    HEAD = (
        "The log does not end where the writer and the signer go on from.",
        "The head row was changed, or entries or checkpoints were removed or added at the end.",
    )
    TEXT = "A text does not match the commitment in its entry.", "The text or its salt was changed."
    STRAY_TEXT = "A text belongs to no entry.", "It was added later, or its entry was changed or removed."
    MISSING_TEXT = "A text is gone without a trace.", "It was deleted or emptied, and no entry says so."
    DELIVERY = "A delivery's row differs from its entry.", "The row was changed."
    DELIVERY_GONE = (
        "A delivery's row is gone.",
        "It was deleted. Retention empties bodies and leaves the rows.",
    )
    DELIVERY_UNKNOWN = "A delivery has no entry.", "It was added by somebody else than socmon."
    BODY = "The body of a delivery is not the one that its entry records.", "The stored body was changed."
    BODY_GONE = (
        "The body of a delivery is gone without a trace.",
        "It was emptied, and no entry says that retention went that far.",
    )
    ALERT = (
        "An alert's row differs from what its entries tell.",
        "The row was changed. What happened stands in the alert's entries.",
    )
    ALERT_GONE = "An alert's row is gone.", "It was deleted. What happened stands in the alert's entries."
    ALERT_UNKNOWN = "An alert has no entry.", "It was added by somebody else than socmon."
    BODY_FORGOTTEN = (
        "The body of a delivery is no longer kept.",
        "It was forgotten after the retention time, as the log says. The entry itself is proven.",
        False,
    )

    def __init__(self, what: str, means: str, wrong: bool = True) -> None:  # noqa: FBT001, FBT002 - the rows above
        self.what = what
        self.means = means
        self.wrong = wrong


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One kind of fault: how often, and where (the first MOST_PLACES)."""

    fault: Fault
    count: int
    where: tuple[str, ...]


class Findings:
    """What was found so far, and how often each check came out well."""

    def __init__(self) -> None:
        self._count: Counter[Fault] = Counter()
        self._places: dict[Fault, list[str]] = {}
        self.figures = dict.fromkeys(FIGURES, 0)

    def add(self, fault: Fault, where: str, times: int = 1) -> None:
        self._count[fault] += times
        places = self._places.setdefault(fault, [])
        if len(places) < MOST_PLACES:
            places.append(where[:MOST_LETTERS])

    def check(self, figure: str, fault: Fault, where: str, *, holds: bool) -> None:
        """Count what holds; what does not is a fault."""
        if holds:
            self.figures[figure] += 1
        else:
            self.add(fault, where)

    def all(self) -> tuple[Finding, ...]:
        return tuple(
            Finding(fault=fault, count=self._count[fault], where=tuple(self._places[fault]))
            for fault in Fault
            if fault in self._count
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What came of a check. `figures` are counts; `root` is base64, as it stands in checkpoints."""

    vkey: VerifierKey
    root: str
    figures: Mapping[str, int]
    findings: tuple[Finding, ...]

    @property
    def exit_code(self) -> int:
        """0 all is well, 1 the evidence is wrong, 3 it is right, with exceptions."""
        if any(finding.fault.wrong for finding in self.findings):
            return 1
        return 3 if self.findings else 0

    @property
    def verdict(self) -> str:
        return {0: "ok", 1: "wrong", 3: "ok, with exceptions"}[self.exit_code]

    def to_text(self) -> str:
        """For people: the verdict first, then what was found, then the figures."""
        lines = [f"{self.vkey.name}: {self.verdict}", ""]
        for finding in self.findings:
            more = finding.count - len(finding.where)
            where = ", ".join(finding.where) + (f" and {more} more" if more else "")
            lines += [
                f"{'WRONG' if finding.fault.wrong else 'EXCEPTION'}: {finding.fault.what} ({finding.count})",
                f"  Where: {where}",
                f"  It means: {finding.fault.means}",
                "",
            ]
        lines += [f"{name.replace('_', ' ')}: {number}" for name, number in self.figures.items()]
        lines += [f"root: {self.root}", f"checked with: {self.vkey}", ""]
        lines += [f"Not compared, since the log does not carry it: {', '.join(NOT_COMPARED)}.", ""]
        if not self.figures["checkpoints_kept_elsewhere"]:
            lines += [
                "No checkpoint from outside was given. This shows that nothing changed since socmon signed, unless by",
                "somebody who also holds the signing key. Checkpoints that you kept yourself rule that out.",
                "",
            ]
        return "\n".join(lines)

    def to_json(self) -> str:
        report = {
            "verdict": self.verdict,
            "exit_code": self.exit_code,
            "log": self.vkey.name,
            "vkey": str(self.vkey),
            "root": self.root,
            "figures": dict(self.figures),
            "not_compared": list(NOT_COMPARED),
            "findings": [
                {
                    "kind": finding.fault.name.lower(),
                    "wrong": finding.fault.wrong,
                    "what": finding.fault.what,
                    "means": finding.fault.means,
                    "count": finding.count,
                    "where": list(finding.where),
                }
                for finding in self.findings
            ],
        }
        return json.dumps(report, indent=2) + "\n"
