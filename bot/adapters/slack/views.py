"""Views that only tell something: please wait, somebody was faster, something went wrong."""

from typing import Any

from bot.adapters.slack import interactions as do
from bot.adapters.slack.blocks import Message
from bot.adapters.slack.elements import Block, context, plain, section
from bot.adapters.slack.text import own_words
from bot.adapters.slack.timeline import resolution_blocks
from bot.adapters.slack.words import number, subject
from bot.domain.alert import Alert

View = dict[str, Any]


def waiting_view() -> View:
    """Shown in time, since a form must open within three seconds; replaced when socmon knows what to show."""
    return _view("One moment…", [context(":hourglass_flowing_sand: Slack takes its time to answer.")])


def info_view(title: str, message: str) -> View:
    return _view(title, [section(own_words(message))])


def message_view(title: str, message: Message) -> View:
    """What a command answers, to be read in a form: without buttons, since some of them open forms of their own."""
    return _view(title, [block for block in message.blocks if block["type"] != "actions"])


def error_view(message: str) -> View:
    """What happened, why, and what to do now: the message of a SocmonError is all three in one."""
    return info_view("That did not work", message)


def already_resolved_view(alert: Alert) -> View:
    """Somebody was faster: who, when, and what they wrote."""
    rule = "Nothing changed. To add to it, choose *Edit note…* or *Add note…* in the ⋯ menu of the alert."
    blocks = [section(f"*{number(alert)}* {subject(alert)}"), *resolution_blocks(alert), context(rule)]
    return _view("Already resolved", blocks) | {
        "private_metadata": do.Target(alert.id, alert.version).metadata
    }


def _view(title: str, blocks: list[Block]) -> View:
    return {"type": "modal", "title": plain(title, 24), "close": plain("Close", 24), "blocks": blocks}
