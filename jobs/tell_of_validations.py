"""People are told of validations: that one has opened, is due, is late, waits for a second signature, was missed.

The messages that they have are brought up to date, where that failed before, or where a week was missed.
"""

from typing import Any

from bot.adapters.slack.words import some
from bot.domain.attestation import CHANNEL, Reminder
from bot.domain.person import ROLE_NAMES, Role
from bot.procedures import validate_monitoring as procedure
from jobs.tell_people import direct_channels
from jobs.validate_monitoring import validate_monitoring

ABOUT = "a validation"


async def tell_of_validations(parts: Any) -> str:
    """What should have opened or closed by now does so first, if its own job has failed."""
    done = await validate_monitoring(parts)
    if not parts.settings.slack.connected:
        return f"{done}; Slack is not connected"
    owed = await parts.records.write(procedure.take_reminders)
    sent = 0
    for reminder in owed:
        stand = [await parts.cards.send(reminder, place) for place in await _places(parts, reminder)]
        if any(stand):
            await parts.records.write(procedure.reminder_sent, reminder)
            sent += 1
    followed = await parts.cards.catch_up()
    return f"{done}; {sent} of {len(owed)} told, {some(followed, 'message')} brought up to date"


async def _places(parts: Any, reminder: Reminder) -> list[str]:
    if reminder.to == CHANNEL:
        table = parts.settings.config.slack
        return [table.validation_channel or table.alerts_channel]
    if reminder.to not in set(Role):
        return await direct_channels(parts, [reminder.to], ABOUT)
    role = Role(reminder.to)
    people = await parts.directory.holders_of(role)
    subject, name = f"validation:{role}", ROLE_NAMES[role]
    if people:
        await parts.operators.mended(subject)
    else:
        await parts.operators.report(
            subject,
            f"The validation of {reminder.week} waits for the {name}, and Slack knows nobody who is. Name somebody"
            f" under [roles] as {role}.",
        )
    return await direct_channels(parts, people, ABOUT)
