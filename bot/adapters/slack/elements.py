"""The Block Kit parts socmon uses, each in the one shape we allow. Only types that old phones show, too."""

from collections.abc import Sequence
from typing import Any

from bot.adapters.slack.text import plain_text

Block = dict[str, Any]
Element = dict[str, Any]

MOST_TEXT = 3000
MOST_LABEL = 75
NOTHING = "–"  # text objects may not be empty


def mrkdwn(text: str) -> Element:
    """Text with our own markup. `verbatim` keeps Slack from making links and mentions of its own."""
    return {"type": "mrkdwn", "text": text or NOTHING, "verbatim": True}


def plain(text: str, most: int = MOST_LABEL, *, lines: bool = False) -> Element:
    """Text without any markup: the place for words from outside."""
    return {"type": "plain_text", "text": plain_text(text, most, lines=lines) or NOTHING, "emoji": False}


def section(text: str) -> Block:
    return {"type": "section", "text": mrkdwn(text)}


def sections(lines: Sequence[str]) -> list[Block]:
    """Whole lines, in as few sections as take them."""
    groups: list[str] = []
    for line in lines:
        if groups and len(groups[-1]) + len(line) < MOST_TEXT:
            groups[-1] += f"\n{line}"
        else:
            groups.append(line)
    return [section(group) for group in groups]


def quote(text: str, most: int = MOST_TEXT) -> Block:
    """Somebody's own words, whole and exactly as they are: no markup in them works."""
    return {"type": "section", "text": plain(text, most, lines=True)}


def context(*lines: str) -> Block:
    """Small print, one line each; empty lines are left out."""
    return {"type": "context", "elements": [mrkdwn("\n".join(filter(None, lines)))]}


def actions(elements: Sequence[Element], block_id: str = "") -> Block:
    block: Block = {"type": "actions", "elements": list(elements)}
    return block | {"block_id": block_id} if block_id else block


def button(label: str, action_id: str, value: str, *, spoken: str, primary: bool = False) -> Element:
    """A button. `spoken` is what a screen reader says instead of the label: it names the alert."""
    element: Element = {
        "type": "button",
        "action_id": action_id,
        "text": plain(label),
        "value": value,
        "accessibility_label": plain_text(spoken, MOST_LABEL),
    }
    return element | {"style": "primary"} if primary else element


def overflow(action_id: str, options: Sequence[tuple[str, str]]) -> Element:
    """A ⋯ menu of one to five (label, value)."""
    return {"type": "overflow", "action_id": action_id, "options": [option(*each) for each in options]}


def option(label: str, value: str) -> Element:
    return {"text": plain(label), "value": value}


def text_input(
    name: str,
    question: str,
    *,
    hint: str = "",
    value: str = "",
    fewest: int = 10,
    most: int = 2000,
    focus: bool = False,
) -> Block:
    """A question answered in several lines. Its block id and action id are the field's name."""
    element: Element = {
        "type": "plain_text_input",
        "action_id": name,
        "multiline": True,
        "min_length": fewest,
        "max_length": most,
    }
    if value:
        element["initial_value"] = value[:most]
    if focus:
        element["focus_on_load"] = True
    return question_block(name, question, element, hint=hint)


def question_block(
    name: str, question: str, element: Element, *, hint: str = "", optional: bool = False
) -> Block:
    block: Block = {"type": "input", "block_id": name, "label": plain(question, 2000), "element": element}
    if hint:
        block["hint"] = plain(hint, 2000)
    if optional:
        block["optional"] = True
    return block
