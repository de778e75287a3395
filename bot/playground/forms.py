"""What a person filled in: the typed values Slack sends for it, and what Slack itself would object to."""

import re
from collections.abc import Iterator
from typing import Any

from bot.playground.block_kit import elements_of

Given = dict[str, dict[str, Any]]  # block id → action id → what the page sends for the element

STATELESS = {"button", "overflow", "image"}
REQUIRED = "Please complete this required field."
_URL = re.compile(r"[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")


def state_values(blocks: list[dict[str, Any]], given: Given) -> dict[str, dict[str, Any]]:
    """`state.values` of a view or a message; what the page did not send is at its initial value."""
    values: dict[str, dict[str, Any]] = {}
    for block in blocks:
        for element in elements_of(block):
            if element["type"] in STATELESS or "action_id" not in element:
                continue
            sent = given.get(block["block_id"], {})
            known = element["action_id"] in sent
            value = typed_value(element, sent[element["action_id"]]) if known else _initial_value(element)
            values.setdefault(block["block_id"], {})[element["action_id"]] = {
                "type": element["type"],
                **value,
            }
    return values


def typed_value(element: dict[str, Any], raw: Any) -> dict[str, Any]:
    """The fields in which Slack tells what was chosen in this element."""
    kind = element["type"]
    if kind == "button":
        return {name: element[name] for name in ("text", "value", "style") if name in element}
    if kind in {"overflow", "static_select", "radio_buttons"}:
        return {"selected_option": _option(element, raw)}
    if kind in {"multi_static_select", "checkboxes"}:
        return {"selected_options": [_option(element, value) for value in raw or ()]}
    field = _VALUE_FIELDS.get(kind, "value")
    if kind.startswith("multi_"):
        return {field: raw or []}
    return {field: raw or None}


def problems(blocks: list[dict[str, Any]], values: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Block id → what Slack would say, before it asks the app."""
    found = {}
    for block in blocks:
        if block["type"] != "input":
            continue
        element = block["element"]
        value = values[block["block_id"]][element["action_id"]]
        chosen = next((item for name, item in value.items() if name != "type"), None)
        if not chosen:
            if not block.get("optional"):
                found[block["block_id"]] = REQUIRED
        elif objection := next(_objections(element, chosen), None):
            found[block["block_id"]] = objection
    return found


_VALUE_FIELDS = {
    "external_select": "selected_option",
    "multi_external_select": "selected_options",
    "multi_users_select": "selected_users",
    "datetimepicker": "selected_date_time",
    "users_select": "selected_user",
    "channels_select": "selected_channel",
    "conversations_select": "selected_conversation",
    "datepicker": "selected_date",
    "timepicker": "selected_time",
}
_INITIAL_FIELDS = {
    "users_select": "initial_user",
    "multi_users_select": "initial_users",
    "channels_select": "initial_channel",
    "conversations_select": "initial_conversation",
    "datepicker": "initial_date",
    "timepicker": "initial_time",
    "datetimepicker": "initial_date_time",
}


def _initial_value(element: dict[str, Any]) -> dict[str, Any]:
    match element["type"]:
        case "static_select" | "radio_buttons" | "external_select":
            return {"selected_option": element.get("initial_option")}
        case "multi_static_select" | "multi_external_select" | "checkboxes":
            return {"selected_options": element.get("initial_options", [])}
        case kind:
            return typed_value(element, element.get(_INITIAL_FIELDS.get(kind, "initial_value")))


def _option(element: dict[str, Any], value: Any) -> dict[str, Any] | None:
    offered = [
        *element.get("options", ()),
        *(o for g in element.get("option_groups", ()) for o in g["options"]),
    ]
    return next((option for option in offered if option["value"] == value), None)


def _objections(element: dict[str, Any], value: Any) -> Iterator[str]:
    match element["type"]:
        case "plain_text_input":
            if len(value) < element.get("min_length", 0):
                yield f"Please write at least {element['min_length']} characters."
            if len(value) > element.get("max_length", 3000):
                yield f"Please write at most {element.get('max_length', 3000)} characters."
        case "url_text_input":
            if not _URL.fullmatch(value):
                yield "Please enter a valid web address, with https:// in front."
        case "email_text_input":
            if not _EMAIL.fullmatch(value):
                yield "Please enter a valid e-mail address."
        case "number_input":
            yield from _number_objections(element, value)
        case _:
            pass


def _number_objections(element: dict[str, Any], value: str) -> Iterator[str]:
    if not _NUMBER.fullmatch(value) or ("." in value and not element["is_decimal_allowed"]):
        yield "Please enter a number." if element["is_decimal_allowed"] else "Please enter a whole number."
        return
    if "min_value" in element and float(value) < float(element["min_value"]):
        yield f"Please enter a number of at least {element['min_value']}."
    if "max_value" in element and float(value) > float(element["max_value"]):
        yield f"Please enter a number of at most {element['max_value']}."
