"""How socmon itself is doing: its sources, what could not be read, Slack, the log. Unknown is never shown as well."""

from collections.abc import Mapping
from datetime import timedelta

from bot.domain.delivery import Result
from bot.domain.status import IntakeGap, Problem, SourceStatus, Status
from bot.ports import Records
from bot.procedures.validate_monitoring import list_validations

WINDOW = timedelta(hours=24)
GAP_WINDOW = timedelta(days=7)
YEAR = timedelta(days=364)

Sources = Mapping[str, str]
"""The enabled providers: name → title."""


def report_status(records: Records, sources: Sources, *, version: str) -> Status:
    """The status at this moment."""
    lagging, since = records.lag()
    checkpoint = records.last_checkpoint()
    return Status(
        at=records.now,
        version=version,
        sources=tuple(_source(records, name, title) for name, title in sources.items()),
        gaps=tuple(
            IntakeGap(at=at, provider=provider, why=why)
            for at, provider, why in records.gaps(records.now - GAP_WINDOW)
        ),
        lagging=lagging,
        lagging_since=since,
        problems=tuple(
            Problem(subject=subject, since=at, text=text) for subject, at, text in records.problems()
        ),
        log_size=records.tree()[1].size,
        checkpoint_at=checkpoint[1] if checkpoint else None,
        watch=records.watch(),
        weeks=tuple(list_validations(records, records.now - YEAR, records.now)),
    )


def _source(records: Records, name: str, title: str) -> SourceStatus:
    results: dict[Result, int] = {}
    for provider, kind, result, _, number in records.counts(records.now - WINDOW):
        if provider == name and kind == "delivery":
            results[Result(result)] = results.get(Result(result), 0) + number
    heard, tested = records.last_heard(name)
    return SourceStatus(
        provider=name,
        title=title,
        last_delivery_at=heard,
        last_test_at=tested,
        results=results,
        pulses=tuple(one for one in records.pulses() if one.provider == name),
    )
