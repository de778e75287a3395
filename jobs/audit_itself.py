"""socmon audits itself, and only when all is well the outside is told so."""

import logging
from typing import Any

from bot.domain.errors import SocmonError
from bot.procedures import audit_itself as procedure
from bot.procedures.audit_itself import SUBJECT, Expected

log = logging.getLogger(__name__)


async def audit_itself(parts: Any) -> str:
    """A stopped or hung socmon pings nobody: that is how others notice."""
    try:
        faults = await _audit(parts)
    except SocmonError as error:
        log.warning("the audit could not be made: %s", error)
        await _tell_outside(parts, "The records cannot be read or written.")
        raise
    problem = await _tell_outside(parts, procedure.says(faults))
    if parts.ping:
        await parts.records.write(procedure.pinged, problem or procedure.says(faults))
    found = f"not well: {', '.join(one.check for one in faults)}" if faults else "all is well"
    return f"{found}; {problem}" if problem else found


async def _audit(parts: Any) -> Any:
    expected = Expected(
        seal=parts.key,
        jobs=parts.ticker.jobs_due,
        slack=parts.settings.slack.connected,
        coverage_within=parts.coverage_time_to_live + procedure.LATE if parts.fleets else None,
    )
    watch, faults = await parts.records.read(procedure.audit_itself, expected)
    if await parts.records.write(procedure.keep_audit, watch, faults):
        await parts.operators.mended(SUBJECT)
    else:
        await parts.operators.report(SUBJECT, f"socmon is not well. {procedure.says(faults)}")
    return faults


async def _tell_outside(parts: Any, sick: str) -> str:
    """Returns what went wrong with the ping."""
    if not parts.ping:
        return ""
    problem: str = await (parts.ping.sick(sick) if sick else parts.ping.well())
    if problem:
        log.warning("%s", problem)
    return problem
