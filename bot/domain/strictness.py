"""Whether a monitor is at least as strict as a rule of the standard, and how far from it."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

from bot.domain.component import Measure
from bot.domain.monitor import Comparator, Monitor
from bot.domain.shortfall import Question, Shortfall, Why
from bot.domain.standard import LOWER, UPPER, Rule, at_least_as_strict

# How far each shortcoming is from serving; a monitor has as many as it has.
FAR = {
    Why.TOO_MILD: 1,
    Why.SILENCED: 2,
    Why.DISABLED: 4,
    Why.NO_DATA_IGNORED: 8,
    Why.TOO_SLOW: 16,
    Why.TOO_WEAK: 32,
    Why.PARTLY: 48,
    Why.UNREADABLE: 128,
    Why.NO_THRESHOLD: 64,
    Why.OTHER_WAY: 64,
}


def shortcoming(
    one: Monitor, measure: Measure, rule: Rule, least: str | None
) -> tuple[int, Shortfall | None]:
    """(how far it is from this rule, all that is wrong with it as one shortfall)."""
    wrong = list(_wrong(one, measure, rule, least))
    if not wrong:
        return 0, None
    farthest = max(wrong, key=lambda each: FAR[each[0]])
    shortfall = Shortfall(
        question=Question.THRESHOLD,
        why=farthest[0],
        says=f"“{one.name}” in {one.provider} {', and '.join(says for _, says, _ in wrong)}.",
        mend=" ".join(dict.fromkeys(mend for _, _, mend in wrong)),
    )
    return sum({FAR[why] for why, _, _ in wrong}), shortfall


def _wrong(one: Monitor, measure: Measure, rule: Rule, least: str | None) -> Iterator[tuple[Why, str, str]]:
    """Each thing that keeps the monitor from being as strict as the rule: its kind, a part of a sentence, the mend."""
    yield from _wrong_threshold(one, measure, rule)
    window = (one.no_data_window if rule.comparator is Comparator.ABSENT else None) or one.window
    if window > rule.window:
        yield (
            Why.TOO_SLOW,
            f"fires after {_minutes(window)} min, later than {_minutes(rule.window)} min",
            f"Shorten its window to {_minutes(rule.window)} min.",
        )
    if rule.no_data and not one.alerts_on_no_data and one.comparator is not Comparator.ABSENT:
        yield Why.NO_DATA_IGNORED, "stays quiet when no data arrives", "Let it alert on missing data."
    if not one.enabled:
        yield Why.DISABLED, "is disabled", "Enable it."
    if one.silenced:
        yield Why.SILENCED, f"sends nothing ({one.silenced.rstrip('.')})", "Lift the silence."
    if least and one.severity and one.severity > least:
        yield (
            Why.TOO_MILD,
            f"has severity {one.severity}, below the standard's {least}",
            f"Raise its severity to {least}.",
        )


def _wrong_threshold(one: Monitor, measure: Measure, rule: Rule) -> Iterator[tuple[Why, str, str]]:
    if rule.comparator is Comparator.ABSENT:
        if one.comparator is not Comparator.ABSENT and not one.alerts_on_no_data:
            yield Why.NO_DATA_IGNORED, "stays quiet when no data arrives", "Let it alert on missing data."
        return
    if one.comparator not in UPPER | LOWER or one.threshold is None:
        yield (
            Why.NO_THRESHOLD,
            "has no threshold that the standard could be compared with",
            f"Add one that fires {rule}.",
        )
        return
    wanted = f"{rule.comparator} {rule.threshold}"
    if (one.comparator in UPPER) != (rule.comparator in UPPER):
        yield (
            Why.OTHER_WAY,
            f"fires {one.comparator} {_plain(one.threshold)}, where the standard says {wanted}",
            f"Add one that fires {rule}.",
        )
    elif not at_least_as_strict(measure, rule, one.comparator, one.threshold):
        yield (
            Why.TOO_WEAK,
            f"fires only {one.comparator} {_plain(one.threshold)}, where the standard says {wanted}",
            f"Set its threshold to {wanted}.",
        )


def _minutes(window: timedelta) -> str:
    return f"{window / timedelta(minutes=1):g}"


def _plain(threshold: Decimal) -> str:
    """Without the zeros that a tool writes behind it."""
    return f"{threshold.normalize():f}"
