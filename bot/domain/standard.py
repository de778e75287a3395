"""What the written standard is: how strictly each measure of each kind has to be watched, and how urgent it is.

A monitor is at least as strict when it fires whenever the standard's own rule would, and no later.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from hashlib import sha256

from bot.domain.alert import Severity
from bot.domain.component import Kind, Measure
from bot.domain.evidence import Fact, canonical
from bot.domain.monitor import Comparator
from bot.domain.scope import Criticality

UPPER = frozenset({Comparator.ABOVE, Comparator.AT_LEAST})
LOWER = frozenset({Comparator.BELOW, Comparator.AT_MOST})
COUNTS = frozenset({Measure.ERRORS, Measure.THROTTLES, Measure.HEALTHY_TARGETS})
"""Measures of whole things: more than none is the same as at least one."""
_BYTES = (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """The weakest that will do: beyond `threshold` (in the unit of the measure) for `window`; None with ABSENT.

    `no_data` asks that the monitor also alerts when nothing arrives any more; ABSENT is nothing else.
    """

    comparator: Comparator
    threshold: Decimal | None
    window: timedelta
    no_data: bool = False

    def __str__(self) -> str:
        minutes = f"for {_minutes(self.window)} min"
        if self.comparator is Comparator.ABSENT:
            return f"an alert when no data arrives {minutes}"
        return f"{self.comparator} {self.threshold} {minutes}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standard:
    """`rules` holds alternatives: one of them is enough. A measure without a rule has only to report.

    `owner` and `approved_by` are people as they are written in the file, "" for nobody yet.
    """

    rules: Mapping[Kind, Mapping[Measure, tuple[Rule, ...]]]
    severities: Mapping[Kind, Mapping[Criticality, Severity]] = field(default_factory=dict)
    owner: str = ""
    approved_by: str = ""
    reviewed: date | None = None

    def alternatives(self, kind: Kind, measure: Measure) -> tuple[Rule, ...]:
        return self.rules.get(kind, {}).get(measure, ())

    def severity(self, kind: Kind, criticality: Criticality) -> Severity | None:
        """The mildest that an alert about such a component may have."""
        return self.severities.get(kind, {}).get(criticality)

    @property
    def document(self) -> bytes:
        """All of it, rules in words, as canonical JSON: what is reviewed, and what the digest is of."""
        return canonical(self._facts())

    @property
    def digest(self) -> str:
        """Names exactly these rules, as an assessment went by them."""
        return f"sha256:{sha256(self.document).hexdigest()}"

    def _facts(self) -> Fact:
        return {
            "owner": self.owner,
            "approved_by": self.approved_by,
            "reviewed": self.reviewed.isoformat() if self.reviewed else "",
            "rules": {
                kind.value: {
                    measure.value: [in_words(measure, rule) for rule in rules]
                    for measure, rules in measures.items()
                }
                for kind, measures in self.rules.items()
            },
            "severities": {
                kind.value: {name.value: each.value for name, each in by.items()}
                for kind, by in self.severities.items()
            },
        }


def in_words(measure: Measure, rule: Rule) -> str:
    """Like “> 85% for 5 min” or “< 256 MiB for 5 min”: exact, and with the unit of the measure."""
    also = " and on no data" if rule.no_data else ""
    if rule.threshold is None:
        return f"{rule}{also}"
    amount = _amount(measure, rule.threshold, upwards=rule.comparator in UPPER)
    return f"{rule.comparator} {amount} for {_minutes(rule.window)} min{also}"


def _amount(measure: Measure, threshold: Decimal, *, upwards: bool) -> str:
    """Used is told in per cent, and what is free in bytes, since a tool may not know of how many."""
    match measure:
        case Measure.CPU:
            return f"{threshold}%"
        case Measure.MEMORY | Measure.DISK if upwards:
            return f"{threshold}%"
        case Measure.MEMORY | Measure.DISK:
            unit, size = next((each for each in _BYTES if not threshold % each[1]), ("bytes", 1))
            return f"{threshold / size:f} {unit}"
        case Measure.NETWORK:
            return f"{threshold} bytes/s"
        case Measure.LATENCY:
            return f"{threshold} s"
        case _:
            return str(threshold)


def at_least_as_strict(
    measure: Measure, rule: Rule, comparator: Comparator, threshold: Decimal | None
) -> bool:
    """Whether this threshold is crossed whenever the rule's is. The other way round, or no threshold: never."""
    mine, least = _edge(measure, comparator, threshold), _edge(measure, rule.comparator, rule.threshold)
    return mine is not None and least is not None and mine[0] == least[0] and mine[1:] <= least[1:]


def _edge(
    measure: Measure, comparator: Comparator, threshold: Decimal | None
) -> tuple[bool, Decimal, bool] | None:
    """(upwards, where it begins, whether just behind it); of two in the same direction the lesser is stricter."""
    if threshold is None or comparator not in UPPER | LOWER:
        return None
    behind = comparator in {Comparator.ABOVE, Comparator.BELOW}
    up = comparator in UPPER
    if measure in COUNTS:
        rounding = ROUND_FLOOR if up == behind else ROUND_CEILING
        whole = threshold.to_integral_value(rounding)
        step = (1 if up else -1) if behind else 0
        threshold, behind = whole + step, False
    return up, threshold if up else -threshold, behind


def _minutes(window: timedelta) -> str:
    return f"{window / timedelta(minutes=1):g}"
