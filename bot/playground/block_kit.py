"""Slack's rules for messages, modals and App Home: what Slack would refuse, the playground refuses too.

It is stricter than Slack in one thing: a chat message that would ring a whole channel is refused, since socmon
never sends one. Block types that this page cannot draw are refused as unsupported.
"""

import json
import re
import secrets
from collections.abc import Iterable, Iterator
from typing import Any

from bot.playground.elements import (
    ACCESSORY,
    ACTION,
    ANY_ID,
    ELEMENTS,
    ID,
    INPUT,
    INTERACTIVE,
    SLACK_FILE,
    URL,
)
from bot.playground.elements import plain as plain_text
from bot.playground.elements import text as text_object
from bot.playground.schema import (
    Check,
    at_least_one,
    boolean,
    enum,
    exactly_one,
    items,
    problem,
    string,
    structure,
    variants,
)

MOST_MESSAGE_BLOCKS = 50
MOST_VIEW_BLOCKS = 100
MOST_VIEW_BYTES = 250_000
MOST_MARKDOWN = 12_000
BROADCAST = re.compile(r"<!(channel|here|everyone|group)(\|[^>]*)?>", re.IGNORECASE)
BROADCAST_WORD = re.compile(r"(?<![\w.])@(channel|here|everyone)\b", re.IGNORECASE)


def _block(required: dict[str, Check], optional: dict[str, Check], *rules: Any) -> Check:
    return structure({"type": string(40), **required}, {"block_id": ID, **optional}, *rules)


def _any_object(value: Any, pointer: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield problem("must provide an object", pointer)


RICH_PARTS = variants(
    dict.fromkeys(
        ("text", "link", "emoji", "user", "usergroup", "channel", "broadcast", "date", "color"), _any_object
    )
)
_SECTION = structure(
    {"type": string(40), "elements": items(RICH_PARTS, least=0, most=1000)}, {"border": _any_object}
)
RICH_ELEMENTS = variants(
    {
        "rich_text_section": _SECTION,
        "rich_text_quote": _SECTION,
        "rich_text_preformatted": structure(
            {"type": string(40), "elements": items(RICH_PARTS, least=0, most=1000)},
            {"border": _any_object, "language": string(40)},
        ),
        "rich_text_list": structure(
            {
                "type": string(40),
                "style": enum("bullet", "ordered"),
                "elements": items(variants({"rich_text_section": _SECTION}), least=0, most=100),
            },
            {"indent": _any_object, "offset": _any_object, "border": _any_object},
        ),
    }
)
RICH_TEXT = _block({"elements": items(RICH_ELEMENTS, least=0, most=1000)}, {})
CELL = variants(
    {
        "raw_text": structure({"type": string(40), "text": string(3000, least=0)}, {}),
        "raw_number": _any_object,
        "rich_text": RICH_TEXT,
    }
)
COLUMN = structure({}, {"align": enum("left", "center", "right"), "is_wrapped": boolean})

BLOCKS: dict[str, Check] = {
    "section": _block(
        {},
        {
            "text": text_object(3000),
            "fields": items(text_object(2000), least=1, most=10),
            "accessory": ACCESSORY,
            "expand": boolean,
        },
        at_least_one("text", "fields"),
    ),
    "header": _block({"text": plain_text(150)}, {}),
    "divider": _block({}, {}),
    "context": _block(
        {
            "elements": items(
                variants(
                    {
                        "image": ELEMENTS["image"],
                        "plain_text": text_object(3000),
                        "mrkdwn": text_object(3000),
                    }
                ),
                least=1,
                most=10,
            )
        },
        {},
    ),
    "actions": _block({"elements": items(ACTION, least=1, most=25)}, {}),
    "image": _block(
        {"alt_text": string(2000)},
        {"image_url": URL, "slack_file": SLACK_FILE, "title": plain_text(2000)},
        exactly_one("image_url", "slack_file"),
    ),
    "input": _block(
        {"label": plain_text(2000), "element": INPUT},
        {"hint": plain_text(2000), "optional": boolean, "dispatch_action": boolean},
    ),
    "rich_text": RICH_TEXT,
    "table": _block(
        {"rows": items(items(CELL, least=1, most=20), least=1, most=100)},
        {"column_settings": items(COLUMN, least=0, most=20)},
    ),
    "markdown": _block({"text": string(MOST_MARKDOWN)}, {}),
}
_MESSAGE_BLOCK = variants(BLOCKS)
_VIEW_BLOCK = variants({name: check for name, check in BLOCKS.items() if name != "table"})
_VIEW: dict[str, Check] = {
    "private_metadata": string(3000, least=0),
    "callback_id": ANY_ID,
    "external_id": ANY_ID,
}
_MODAL = structure(
    {
        "type": string(10),
        "title": plain_text(24),
        "blocks": items(_VIEW_BLOCK, least=0, most=MOST_VIEW_BLOCKS),
    },
    {
        **_VIEW,
        "submit": plain_text(24),
        "close": plain_text(24),
        "clear_on_close": boolean,
        "notify_on_close": boolean,
        "submit_disabled": boolean,
    },
)
_HOME = structure(
    {"type": string(10), "blocks": items(_VIEW_BLOCK, least=0, most=MOST_VIEW_BLOCKS)},
    _VIEW,
)
_ANY_VIEW = variants({"modal": _MODAL, "home": _HOME})
_MESSAGE_BLOCKS = items(_MESSAGE_BLOCK, least=0, most=MOST_MESSAGE_BLOCKS)


def message_problems(blocks: Any, pointer: str = "/blocks") -> list[str]:
    """What Slack would refuse about a message's blocks; empty when all is well."""
    found = list(_MESSAGE_BLOCKS(blocks, pointer))
    return found or [*_identity_problems(blocks, pointer), *_whole_message_problems(blocks, pointer)]


def view_problems(view: Any, pointer: str = "/view") -> list[str]:
    """What Slack would refuse about a modal or a home view; empty when all is well."""
    found = list(_ANY_VIEW(view, pointer))
    return found or [
        *_identity_problems(view["blocks"], f"{pointer}/blocks"),
        *_whole_view_problems(view, pointer),
    ]


def view_size(view: Any) -> int:
    return len(json.dumps(view, ensure_ascii=False).encode())


def rings_everybody(text: str, blocks: Iterable[Any] = (), attachments: Iterable[Any] = ()) -> bool:
    """Whether the message would notify a whole channel. In plain_text nothing is parsed, so it can't there."""
    spoken = [text, *spoken_texts(list(blocks)), *spoken_texts(list(attachments))]
    return any(BROADCAST.search(words) for words in spoken) or any(
        part.get("type") == "broadcast" for part in _objects([*blocks, *attachments])
    )


def spoken_texts(value: Any) -> Iterator[str]:
    """All texts in blocks or attachments in which Slack parses mentions."""
    for part in _objects(value):
        if part.get("type") in {"mrkdwn", "markdown"} and isinstance(part.get("text"), str):
            yield part["text"]
        elif part.get("type") == "user":  # rich text
            yield f"<@{part.get('user_id')}>"
        elif part.get("type") == "usergroup":
            yield f"<!subteam^{part.get('usergroup_id')}>"
        elif "type" not in part and isinstance(part.get("text"), str):  # an attachment
            yield part["text"]


def with_ids(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The blocks as Slack stores them: ids and the defaults of text objects are filled in."""
    filled = json.loads(json.dumps(blocks))
    for part in _objects(filled):
        if part.get("type") == "plain_text":
            part.setdefault("emoji", True)
        elif part.get("type") == "mrkdwn":
            part.setdefault("verbatim", False)
    for block in filled:
        if not block.get("block_id"):
            block["block_id"] = secrets.token_urlsafe(4)
        for element in elements_of(block):
            if element.get("type") in INTERACTIVE and not element.get("action_id"):
                element["action_id"] = secrets.token_urlsafe(4)
    result: list[dict[str, Any]] = filled
    return result


def elements_of(block: dict[str, Any]) -> list[dict[str, Any]]:
    """The elements that stand directly in a block."""
    found = [*block.get("elements", ())] if block.get("type") in {"actions", "context"} else []
    return [*found, *(block[name] for name in ("accessory", "element") if block.get(name))]


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for item in value.values():
            yield from _objects(item)
    elif isinstance(value, list):
        for item in value:
            yield from _objects(item)


def _identity_problems(blocks: list[dict[str, Any]], pointer: str) -> Iterator[str]:
    seen: set[str] = set()
    for index, block in enumerate(blocks):
        block_id = block.get("block_id")
        if block_id and block_id in seen:
            yield problem(
                f"block_id already exists for another block: {block_id}", f"{pointer}/{index}/block_id"
            )
        seen.add(block_id or "")
        actions = [element["action_id"] for element in elements_of(block) if element.get("action_id")]
        if len(set(actions)) != len(actions):
            yield problem(
                "action_id already exists for another element of this block", f"{pointer}/{index}/elements"
            )


def _whole_message_problems(blocks: list[dict[str, Any]], pointer: str) -> Iterator[str]:
    if sum(block["type"] == "table" for block in blocks) > 1:
        yield problem("only_one_table_allowed", pointer)
    yield from _markdown_problems(blocks, pointer)


def _whole_view_problems(view: dict[str, Any], pointer: str) -> Iterator[str]:
    blocks = view["blocks"]
    has_input = any(block["type"] == "input" for block in blocks)
    if view["type"] == "modal" and has_input and not view.get("submit"):
        yield problem("missing required field: submit (the view has input blocks)", pointer)
    focused = [element for block in blocks for element in elements_of(block) if element.get("focus_on_load")]
    if len(focused) > 1:
        yield problem("only one element may have focus_on_load", f"{pointer}/blocks")
    yield from _markdown_problems(blocks, f"{pointer}/blocks")


def _markdown_problems(blocks: list[dict[str, Any]], pointer: str) -> Iterator[str]:
    if sum(len(block["text"]) for block in blocks if block["type"] == "markdown") > MOST_MARKDOWN:
        yield problem(f"markdown blocks must be less than {MOST_MARKDOWN + 1} characters together", pointer)
