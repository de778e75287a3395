"""Views that only tell something: please wait, somebody was faster, something went wrong."""

from typing import Any

from bot.adapters.slack import interactions as do
from bot.adapters.slack.elements import Block, context, plain, section
from bot.adapters.slack.text import own_words
from bot.adapters.slack.timeline import resolution_blocks
from bot.adapters.slack.words import number, subject
from bot.domain.alert import Alert

View = dict[str, Any]


def waiting_view(title: str) -> View:
    """Shown at once, since a form must open within three seconds; replaced when socmon has read the alert."""
    return _view(title, [context(":hourglass_flowing_sand: One moment…")])


def info_view(title: str, message: str) -> View:
    return _view(title, [section(own_words(message))])


def error_view(what: str, *, why: str = "", next_step: str = "") -> View:
    """What happened, why, and what to do now. The message of a SocmonError is all three in one."""
    lines = [own_words(line) for line in (why, next_step) if line]
    return _view("That did not work", [section(own_words(what)), *([context(*lines)] if lines else [])])


def already_resolved_view(alert: Alert) -> View:
    """Somebody was faster: who, when, and what they wrote."""
    rule = "Nothing changed. To add to it, choose *Edit note…* or *Add note…* in the ⋯ menu of the alert."
    blocks = [section(f"*{number(alert)}* {subject(alert)}"), *resolution_blocks(alert), context(rule)]
    return _view("Already resolved", blocks) | {
        "private_metadata": do.Target(alert.id, alert.version).metadata
    }


def _view(title: str, blocks: list[Block]) -> View:
    return {"type": "modal", "title": plain(title, 24), "close": plain("Close", 24), "blocks": blocks}
