"""The weekly validation in Slack: what people are told of it."""

from bot.adapters.slack.blocks import Message
from bot.adapters.slack.elements import section
from bot.adapters.slack.text import date
from bot.domain.attestation import Reminder, Told
from bot.procedures.validate_monitoring import Shown


def reminder_message(reminder: Reminder, shown: Shown) -> Message:
    """Why somebody is told of a week now."""
    slot = shown.record.slot
    lines = {
        Told.OPENED: f"The validation of {slot.week} is open. It is due {date(slot.due_at)}.",
        Told.COPY: f"The validation of {slot.week} is open. It is due {date(slot.due_at)}.",
        Told.DUE: f"The validation of {slot.week} is due today, {date(slot.due_at)}.",
        Told.LATE: f"The validation of {slot.week} is late: it was due {date(slot.due_at)}.",
        Told.ESCALATED: f"Nobody has attested {slot.week}. It was due {date(slot.due_at)}; as backup lead you may.",
        Told.TOMORROW: f"You asked to be told again: the validation of {slot.week} is due {date(slot.due_at)}.",
        Told.COSIGN: f"The attestation of {slot.week} needs your signature too: duties overlap in it.",
        Told.MISSED: f"The validation of {slot.week} was missed: {shown.record.ended}. Say why, on record.",
    }
    line = lines[reminder.kind]
    return Message(text=line, blocks=[section(line)])
