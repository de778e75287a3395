"""`socmon status`: how socmon and its sources are doing."""

import json
from dataclasses import asdict, replace

from bot import __version__
from bot.commands.records import plain, records_of, when
from bot.domain.heartbeat import Pulse, Watch, spoken
from bot.domain.status import Status
from bot.domain.validation import GREEN
from bot.domain.validation_log import summary, year_rows
from bot.procedures.report_status import report_status
from bot.providers import all_providers
from bot.settings import Settings


def print_status(settings: Settings, *, as_json: bool) -> int:
    """Exit code 1 when something needs a look."""
    sources = {name: all_providers()[name].title for name in settings.providers}
    with records_of(settings) as ask:
        status = ask(report_status, sources, version=__version__)
    if as_json:
        told = asdict(replace(status, weeks=())) | {"weeks": year_rows(status.weeks)}
        print(json.dumps(told, default=plain, indent=2))
    else:
        print("\n".join(_status_lines(status)))
    return 1 if status.troubles else 0


def _status_lines(status: Status) -> list[str]:
    lines = [
        f"socmon {status.version}: "
        + (f"{status.troubles} need a look" if status.troubles else "all is well")
    ]
    lines += [
        f"  PROBLEM  {problem.subject} since {when(problem.since)}: {problem.text}"
        for problem in status.problems
    ]
    for source in status.sources:
        counts = (
            ", ".join(f"{number} {result}" for result, number in source.results.items()) or "nothing in 24 h"
        )
        lines.append(f"  {source.title:<14} last delivery {when(source.last_delivery_at)}; {counts}")
        lines += [_heartbeat(pulse) for pulse in source.pulses]
    lines += [f"  GAP      {when(gap.at)} {gap.provider}: {gap.why}" for gap in status.gaps]
    behind = (
        f"{status.lagging} threads behind since {when(status.lagging_since)}" if status.lagging else "in step"
    )
    lines.append(f"  Slack          {behind}")
    lines.append(f"  Validations    {summary(status.weeks)}")
    lines += [
        f"  WEEK     {week.slot.week}: {week.says}" for week in status.weeks if week.stands not in GREEN
    ]
    lines.append(f"  Evidence log   {status.log_size} entries, last checkpoint {when(status.checkpoint_at)}")
    lines.append(f"  Self-audit     {_audit(status.watch)}")
    return lines


def _heartbeat(pulse: Pulse) -> str:
    heard = f"{pulse.name} heard {when(pulse.heard_at)}; " if pulse.key else ""
    normal = f"{spoken(pulse.allowed)} of silence are normal" if pulse.allowed else "silence not learned yet"
    return f"  {'':<14} {heard}{normal}{f'; SILENT since {when(pulse.silent_at)}' if pulse.silent_at else ''}"


def _audit(watch: Watch | None) -> str:
    if watch is None or watch.audited_at is None:
        return "none yet"
    found = "; ".join(one.says for one in watch.faults) or f"all was well at {when(watch.audited_at)}"
    told = watch.ping_problem or (f"told {when(watch.pinged_at)}" if watch.pinged_at else "nobody is told")
    return f"{found}; outside: {told}"
