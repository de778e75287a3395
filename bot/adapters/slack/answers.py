"""What socmon answers one person: help, refusals, what went wrong. Always what, why and what to do next."""

from difflib import get_close_matches

from bot.adapters.slack import interactions as do
from bot.adapters.slack.blocks import Message
from bot.adapters.slack.elements import actions, button, context, section
from bot.adapters.slack.text import own_words, slack_text
from bot.domain.errors import SocmonError, SomebodyElses

SORRY = (
    "socmon failed while doing this, so nothing may have changed. Look at the alert, then try again; if it happens"
    " twice, tell an admin: the log of socmon names the fault."
)

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
    "oncall": (
        ("oncall", "who is on call, until when, how they are reached, and what is wrong with it"),
        ("oncall platform fri 18:00", "one team, at another time"),
    ),
    "coverage": (
        ("coverage", "how much of what is in scope is covered, as a picture, and the first gaps"),
        ("coverage gaps", "every gap: why, how to mend it, and whose task that is"),
        ("coverage web-1", "one component, each measure of it"),
        ("coverage share", "show picture and figures to everybody in this channel"),
    ),
    "dashboards": (
        ("dashboards", "the dashboards that are looked at each week: their pictures, and who reviewed them"),
        ("dashboards choose prod", "which the tools have, to choose from"),
        ("dashboards capture", "take a picture of each now"),
        ("dashboards review", "show the pictures that wait for a review"),
    ),
    "scope": (
        ("scope", "what is monitored on purpose, and what waits for a decision"),
        ("scope diff", "what changed since the last review, and what the tools see besides"),
        ("scope review", "the scope document, sent to you, for a lead's review"),
        ("scope add web-1 owner=platform criticality=high", "put a component in scope"),
        ("scope exclude web-1", "ask to leave one out for a while"),
        ("scope remove web-1 replaced by web-2", "take one out, with the reason"),
        ("scope history", "its revisions"),
    ),
    "standard": (
        ("standard", "how strictly everything has to be watched, who keeps that, and when its review is due"),
        ("standard review", "the whole of it, for a lead's review"),
        ("standard history", "every version that was in force: what changed, and who reviewed it"),
    ),
    "test": (
        ("test", "the paths that alerts take, how fresh their proof is, and the newest test alerts"),
        (
            "test pagerduty",
            "send a quiet test alert along one of them; add a component, or “live” for a real page",
        ),
        ("test pagerduty live now REASON", "a lead's page without waiting for consent"),
    ),
    "validate": (
        ("validate", "the weekly validation that waits, or the newest, to read and attest"),
        ("validate 2026-W47", "that of one week"),
        ("validate explain 2026-W33 <why>", "say why a week was missed"),
        (
            "validate delegate @kim until 2026-12-24",
            "let somebody attest for the lead; without more: who may now",
        ),
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
    near = get_close_matches(typed.casefold()[:40], COMMANDS, n=1, cutoff=0.6)
    word = slack_text(typed, 40)
    advice = f"Did you mean `/socmon {near[0]}`?" if near else "`/socmon help` lists what there is."
    return told(f"There is no command “{word}”. {advice}")


def refusal(error: SocmonError) -> Message:
    """What socmon can explain, for the one person who asked for it; with the way on where there is one."""
    said = told(own_words(str(error)))
    if not isinstance(error, SomebodyElses):
        return said
    value = do.Target(error.alert_id, error.version).value
    take_over = button("Take over", do.TAKE_OVER, value, spoken=f"Take over A-{error.alert_id}")
    return Message(text=said.text, blocks=[*said.blocks, actions([take_over])])


def fault() -> Message:
    """A fault of our own."""
    return told(SORRY)


def form_timed_out(again: tuple[str, str] | None) -> Message:
    """Slack lets a form open for three seconds after the click only; offers the button (action id, value) again."""
    line = "Slack timed out before the form could open. Nothing changed. Try again"
    if again is None:
        return told(f"{line}: choose the shortcut once more.")
    action_id, value = again
    open_form = button("Open form", action_id, value, spoken="Open the form of the alert")
    return Message(text=line, blocks=[section(f"{line}:"), actions([open_form])])


def export_sent(name: str, alerts: int) -> Message:
    """The file went to a direct message, since a log is not for everybody in the channel."""
    return told(f"I've sent you {slack_text(name, 100)} with {alerts:,} alerts as a direct message.")


def told(line: str) -> Message:
    """One line (or a few) of socmon's own words, ready as mrkdwn."""
    return Message(text=line, blocks=[section(line)])
