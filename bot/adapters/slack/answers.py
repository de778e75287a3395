"""What socmon answers one person: help, refusals, what went wrong. Always what, why and what to do next."""

from difflib import get_close_matches

from bot.adapters.slack.blocks import Message
from bot.adapters.slack.elements import actions, button, context, section
from bot.adapters.slack.text import own_words, slack_text
from bot.domain.errors import SocmonError

# What `/socmon` understands: (words after it, what it does), in the order of the help.
COMMANDS: dict[str, tuple[tuple[str, str], ...]] = {
    "log": (
        ("log", "the alert log of the last 7 days"),
        ("log open", "alerts that nobody has resolved"),
        ("log mine", "alerts that are yours"),
        ("log 30d", "the last 30 days"),
        ("log A-12", "one alert and its timeline"),
        ("log 30d csv", "the same as a file, sent to you: `csv` or `json`"),
    ),
    "status": (("status", "how socmon and its connections are doing"),),
    "help": (("help", "this list"),),
}


def help_message() -> Message:
    lines = [f"`/socmon {words}`  {what}" for each in COMMANDS.values() for words, what in each]
    hint = "On any message, *More actions → Add to alert record* files it as a note."
    return Message(text="What /socmon can do", blocks=[section("\n".join(lines)), context(hint)])


def unknown_command(typed: str) -> Message:
    """Names the nearest command there is."""
    near = get_close_matches(typed.casefold()[:40], COMMANDS, n=1, cutoff=0.5)
    word = slack_text(typed, 40)
    advice = f"Did you mean `/socmon {near[0]}`?" if near else "`/socmon help` lists what there is."
    return _said(f"There is no command “{word}”. {advice}")


def refusal(error: SocmonError) -> Message:
    """What socmon can explain, for the one person who asked for it."""
    return _said(own_words(str(error)))


def form_timed_out(label: str, action_id: str, value: str, *, alert: str) -> Message:
    """Slack lets a form open for three seconds after the click only; offers the button again."""
    line = "Slack timed out before the form could open. Nothing changed. Try again:"
    again = button(label, action_id, value, spoken=f"{label.rstrip('…')} {alert}")
    return Message(text=line, blocks=[section(line), actions([again])])


def records_unavailable() -> Message:
    return _said(
        "socmon can't write to its records at the moment, so nothing changed. Try again in a minute;"
        " if it goes on, tell an admin: `/socmon status` shows what is wrong."
    )


def failed(reference: str) -> Message:
    """A fault of our own. `reference` finds it in socmon's own output."""
    return _said(
        "That did not work: socmon had a fault of its own. Look at the alert to see whether it changed, then"
        f" try again. If it happens twice, give an admin this reference: {slack_text(reference, 60)}."
    )


def not_in_channel(channel: str, *, waiting: int) -> Message:
    """To an admin: alerts cannot be shown where they should be. `channel` is its id."""
    place = (
        f"<#{channel}>"
        if channel.isascii() and channel.isalnum() and channel[:1] in {"C", "G"}
        else "the channel"
    )
    return _said(
        f"I'm not in {place}, so {waiting:,} of its alerts can't be shown there. They are recorded and none"
        f" is lost. In {place}, type `/invite @socmon`; I'll catch up by myself."
    )


def export_sent(name: str, alerts: int) -> Message:
    """The file went to a direct message, since a log is not for everybody in the channel."""
    return _said(f"I've sent you {slack_text(name, 100)} with {alerts:,} alerts as a direct message.")


def _said(line: str) -> Message:
    return Message(text=line, blocks=[section(line)])
