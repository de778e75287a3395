"""A week's validation opens, with its facts frozen; what nobody attested until it closed is put down as missed."""

from typing import Any

from bot.adapters.slack.words import some
from bot.adapters.threads import in_thread
from bot.procedures import validate_monitoring as procedure


async def validate_monitoring(parts: Any) -> str:
    """Does all that is owed by now, so that it makes no difference how often it runs, or when it last did."""
    missed = await parts.records.write(procedure.close_weeks)
    weeks = await parts.records.read(procedure.weeks_to_open)
    for week in weeks:
        facts = await parts.records.read(procedure.look, week)
        await in_thread(parts.artifacts.keep, facts.document)
        await parts.records.write(procedure.open_week, facts)
    return f"{', '.join(weeks) or 'nothing'} opened, {some(len(missed), 'week')} missed"
