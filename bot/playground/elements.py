"""What Slack allows inside blocks: text, options, confirmations, and the interactive elements."""

from collections.abc import Iterator
from typing import Any

from bot.playground.schema import (
    Check,
    boolean,
    enum,
    exactly_one,
    integer,
    items,
    pattern,
    problem,
    string,
    structure,
    variants,
)

ID = string(255)
ANY_ID = string(255, least=0)
URL = string(3000)


def plain(most: int, least: int = 1) -> Check:
    return variants({"plain_text": _plain(most, least)})


def text(most: int, least: int = 1) -> Check:
    mrkdwn = structure({"type": string(20), "text": string(most, least)}, {"verbatim": boolean})
    return variants({"plain_text": _plain(most, least), "mrkdwn": mrkdwn})


def _plain(most: int, least: int) -> Check:
    return structure({"type": string(20), "text": string(most, least)}, {"emoji": boolean})


CONFIRM = structure(
    {"title": plain(100), "text": text(300), "confirm": plain(30), "deny": plain(30)},
    {"style": enum("primary", "danger")},
)
DISPATCH = structure(
    {}, {"trigger_actions_on": items(enum("on_enter_pressed", "on_character_entered"), least=1, most=2)}
)
SLACK_FILE = structure({}, {"id": string(255), "url": URL}, exactly_one("id", "url"))


def _option(label: Check, *, url: bool = False) -> Check:
    optional: dict[str, Check] = {"description": plain(75)}
    return structure({"text": label, "value": string(150)}, {**optional, "url": URL} if url else optional)


OPTION = _option(plain(75))
RICH_OPTION = _option(text(75))
OVERFLOW_OPTION = _option(plain(75), url=True)
GROUP = structure({"label": plain(75), "options": items(OPTION, least=1, most=100)}, {})


def _initial_option_is_offered(value: dict[str, Any], pointer: str) -> Iterator[str]:
    offered = [*value.get("options", ()), *(o for g in value.get("option_groups", ()) for o in g["options"])]
    chosen = [value["initial_option"]] if value.get("initial_option") else value.get("initial_options", [])
    values = {option["value"]: option["text"] for option in offered}
    for option in chosen:
        if values.get(option["value"]) != option["text"]:
            yield problem("initial option must be one of the options", pointer)


def _values_are_distinct(value: dict[str, Any], pointer: str) -> Iterator[str]:
    values = [option["value"] for option in value.get("options", ())]
    if len(set(values)) != len(values):
        yield problem("option values must be distinct", f"{pointer}/options")


def _lengths_agree(value: dict[str, Any], pointer: str) -> Iterator[str]:
    if value.get("min_length", 0) > value.get("max_length", 3000):
        yield problem("min_length must not be more than max_length", pointer)


def _element(required: dict[str, Check], optional: dict[str, Check], *rules: Any) -> Check:
    return structure({"type": string(40), **required}, {"action_id": ID, **optional}, *rules)


_FOCUS: dict[str, Check] = {"focus_on_load": boolean}
_MENU: dict[str, Check] = {"placeholder": plain(150), "confirm": CONFIRM, **_FOCUS}
_WRITE: dict[str, Check] = {"placeholder": plain(150), "dispatch_action_config": DISPATCH, **_FOCUS}
_MANY: dict[str, Check] = {"max_selected_items": integer(1, 100)}
_CHOICES: dict[str, Check] = {
    "options": items(OPTION, least=1, most=100),
    "option_groups": items(GROUP, least=1, most=100),
}
_IDS = items(ID, least=1, most=100)
_CONVERSATION: dict[str, Check] = {
    "default_to_current_conversation": boolean,
    "response_url_enabled": boolean,
    "filter": structure(
        {},
        {
            "include": items(enum("im", "mpim", "private", "public"), least=1, most=4),
            "exclude_external_shared_channels": boolean,
            "exclude_bot_users": boolean,
        },
    ),
}

ELEMENTS: dict[str, Check] = {
    "button": _element(
        {"text": plain(75)},
        {
            "url": URL,
            "value": string(2000, least=0),
            "style": enum("primary", "danger"),
            "confirm": CONFIRM,
            "accessibility_label": string(75),
        },
    ),
    "overflow": _element(
        {"options": items(OVERFLOW_OPTION, least=1, most=5)}, {"confirm": CONFIRM}, _values_are_distinct
    ),
    "static_select": _element(
        {},
        {**_MENU, **_CHOICES, "initial_option": OPTION},
        exactly_one("options", "option_groups"),
        _values_are_distinct,
        _initial_option_is_offered,
    ),
    "multi_static_select": _element(
        {},
        {**_MENU, **_MANY, **_CHOICES, "initial_options": items(OPTION, least=1, most=100)},
        exactly_one("options", "option_groups"),
        _values_are_distinct,
        _initial_option_is_offered,
    ),
    "external_select": _element(
        {}, {**_MENU, "min_query_length": integer(0, 3000), "initial_option": OPTION}
    ),
    "multi_external_select": _element(
        {},
        {
            **_MENU,
            **_MANY,
            "min_query_length": integer(0, 3000),
            "initial_options": items(OPTION, least=1, most=100),
        },
    ),
    "users_select": _element({}, {**_MENU, "initial_user": ID}),
    "multi_users_select": _element({}, {**_MENU, **_MANY, "initial_users": _IDS}),
    "conversations_select": _element({}, {**_MENU, **_CONVERSATION, "initial_conversation": ID}),
    "channels_select": _element({}, {**_MENU, "initial_channel": ID, "response_url_enabled": boolean}),
    "checkboxes": _element(
        {"options": items(RICH_OPTION, least=1, most=10)},
        {"initial_options": items(RICH_OPTION, least=1, most=10), "confirm": CONFIRM, **_FOCUS},
        _values_are_distinct,
        _initial_option_is_offered,
    ),
    "radio_buttons": _element(
        {"options": items(RICH_OPTION, least=1, most=10)},
        {"initial_option": RICH_OPTION, "confirm": CONFIRM, **_FOCUS},
        _values_are_distinct,
        _initial_option_is_offered,
    ),
    "datepicker": _element({}, {**_MENU, "initial_date": pattern(r"\d{4}-\d\d-\d\d", "a date, YYYY-MM-DD")}),
    "timepicker": _element(
        {}, {**_MENU, "initial_time": pattern(r"\d\d:\d\d", "a time, HH:mm"), "timezone": string(100)}
    ),
    "datetimepicker": _element(
        {}, {"confirm": CONFIRM, "initial_date_time": integer(1_000_000_000, 9_999_999_999), **_FOCUS}
    ),
    "plain_text_input": _element(
        {},
        {
            **_WRITE,
            "multiline": boolean,
            "min_length": integer(0, 3000),
            "max_length": integer(1, 3000),
            "initial_value": string(3000, least=0),
        },
        _lengths_agree,
    ),
    "url_text_input": _element({}, {**_WRITE, "initial_value": URL}),
    "email_text_input": _element({}, {**_WRITE, "initial_value": string(3000)}),
    "number_input": _element(
        {"is_decimal_allowed": boolean},
        {**_WRITE, "initial_value": string(30), "min_value": string(30), "max_value": string(30)},
    ),
    "image": structure(
        {"type": string(40), "alt_text": string(2000)},
        {"image_url": URL, "slack_file": SLACK_FILE},
        exactly_one("image_url", "slack_file"),
    ),
}

_SINGLE = {"static_select", "external_select", "users_select", "conversations_select", "channels_select"}
_MULTI = {"multi_static_select", "multi_external_select", "multi_users_select"}
_PICK = {"checkboxes", "radio_buttons", "datepicker", "timepicker"}
_TEXT_INPUTS = {"plain_text_input", "url_text_input", "email_text_input", "number_input"}


def _some(names: set[str]) -> Check:
    return variants({name: ELEMENTS[name] for name in names})


ACCESSORY = _some({"button", "overflow", "image"} | _SINGLE | _MULTI | _PICK)
ACTION = _some({"button", "overflow", "datetimepicker"} | _SINGLE | _PICK)
INPUT = _some({"datetimepicker"} | _SINGLE | _MULTI | _PICK | _TEXT_INPUTS)
INTERACTIVE = set(ELEMENTS) - {"image"}
