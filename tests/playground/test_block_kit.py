"""Slack's limits, one by one: what just fits is taken, one more is refused; checked against Slack's own models too."""

from collections.abc import Callable
from typing import Any

import pytest
from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block
from slack_sdk.models.blocks.basic_components import ConfirmObject, Option
from slack_sdk.models.blocks.block_elements import BlockElement

from bot.playground.block_kit import message_problems, rings_everybody, view_problems, view_size, with_ids
from tests.playground.rig import actions, button, home, modal, plain, section, text_input

Blocks = list[dict[str, Any]]
Build = Callable[[int], Blocks]


def option(text: str = "One", value: str = "1", **more: Any) -> dict[str, Any]:
    return {"text": plain(text), "value": value, **more}


def options(number: int) -> list[dict[str, Any]]:
    return [option(f"Option {n}", str(n)) for n in range(number)]


def select(**more: Any) -> dict[str, Any]:
    return {"type": "static_select", "action_id": "pick", "options": options(2), **more}


def overflow(number: int) -> dict[str, Any]:
    return {"type": "overflow", "action_id": "more", "options": options(number)}


def boxes(kind: str, number: int) -> dict[str, Any]:
    return {"type": kind, "action_id": "boxes", "options": options(number)}


def mrkdwn(text: str = "hi") -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text}


def image(**more: Any) -> dict[str, Any]:
    return {"type": "image", "image_url": "https://example.com/a.png", "alt_text": "a chart", **more}


def confirm(**more: Any) -> dict[str, Any]:
    return {"title": plain("Sure?"), "text": mrkdwn(), "confirm": plain("Yes"), "deny": plain("No"), **more}


def table(rows: int, columns: int) -> dict[str, Any]:
    return {"type": "table", "rows": [[{"type": "raw_text", "text": "x"}] * columns for _ in range(rows)]}


def an_input(label: int = 1, hint: int = 1, **more: Any) -> dict[str, Any]:
    return {**text_input(**more), "label": plain("x" * label), "hint": plain("x" * hint)}


# name: (the most that fits, blocks of that measure, whether slack_sdk's models know the limit)
LIMITS: dict[str, tuple[int, Build, bool]] = {
    "blocks of a message": (50, lambda n: [section()] * n, False),
    "section text": (3000, lambda n: [section("x" * n)], True),
    "section fields": (10, lambda n: [{"type": "section", "fields": [mrkdwn()] * n}], True),
    "section field text": (2000, lambda n: [{"type": "section", "fields": [mrkdwn("x" * n)]}], False),
    "header text": (150, lambda n: [{"type": "header", "text": plain("x" * n)}], True),
    "block id": (255, lambda n: [section(block_id="x" * n)], True),
    "action id": (255, lambda n: [actions(button("x" * n))], True),
    "actions elements": (25, lambda n: [actions(*(button(str(i)) for i in range(n)))], True),
    "context elements": (10, lambda n: [{"type": "context", "elements": [mrkdwn()] * n}], True),
    "image alternative text": (2000, lambda n: [image(alt_text="x" * n)], True),
    "image address": (3000, lambda n: [image(image_url="https://e.com/".ljust(n, "x"))], True),
    "image title": (2000, lambda n: [image(title=plain("x" * n))], True),
    "button text": (75, lambda n: [actions(button(text=plain("x" * n)))], True),
    "button value": (2000, lambda n: [actions(button(value="x" * n))], True),
    "button address": (3000, lambda n: [actions(button(url="https://e.com/".ljust(n, "x")))], True),
    "button accessibility label": (75, lambda n: [actions(button(accessibility_label="x" * n))], True),
    "confirm title": (100, lambda n: [actions(button(confirm=confirm(title=plain("x" * n))))], True),
    "confirm text": (300, lambda n: [actions(button(confirm=confirm(text=mrkdwn("x" * n))))], True),
    "confirm yes": (30, lambda n: [actions(button(confirm=confirm(confirm=plain("x" * n))))], True),
    "confirm no": (30, lambda n: [actions(button(confirm=confirm(deny=plain("x" * n))))], True),
    "overflow options": (5, lambda n: [actions(overflow(n))], True),
    "select options": (100, lambda n: [actions(select(options=options(n)))], True),
    "select option text": (75, lambda n: [actions(select(options=[option("x" * n)]))], True),
    "select option value": (150, lambda n: [actions(select(options=[option(value="x" * n)]))], True),
    "select option description": (
        75,
        lambda n: [actions(select(options=[option(description=plain("x" * n))]))],
        False,
    ),
    "select placeholder": (150, lambda n: [actions(select(placeholder=plain("x" * n)))], True),
    "select groups": (
        100,
        lambda n: [
            actions(
                {
                    "type": "static_select",
                    "action_id": "pick",
                    "option_groups": [
                        {"label": plain(str(i)), "options": [option(value=str(i))]} for i in range(n)
                    ],
                }
            )
        ],
        True,
    ),
    "checkboxes": (10, lambda n: [actions(boxes("checkboxes", n))], False),
    "radio buttons": (10, lambda n: [actions(boxes("radio_buttons", n))], False),
    "input label": (2000, lambda n: [an_input(label=n)], True),
    "input hint": (2000, lambda n: [an_input(hint=n)], True),
    "input placeholder": (150, lambda n: [an_input(placeholder=plain("x" * n))], True),
    "input longest text": (3000, lambda n: [an_input(max_length=n)], False),
    "table rows": (100, lambda n: [table(n, 2)], False),
    "table columns": (20, lambda n: [table(2, n)], False),
    "markdown": (12_000, lambda n: [{"type": "markdown", "text": "x" * n}], True),
    "markdown in all": (
        12_000,
        lambda n: [{"type": "markdown", "text": "x" * (n - 1)}, {"type": "markdown", "text": "x"}],
        False,
    ),
}


@pytest.mark.parametrize("name", LIMITS)
def test_what_just_fits_is_taken_and_one_more_is_refused(name: str) -> None:
    most, build, _ = LIMITS[name]

    assert message_problems(build(most)) == []
    assert message_problems(build(most + 1)) != []


@pytest.mark.parametrize("name", [name for name, (_, _, known) in LIMITS.items() if known])
def test_slacks_own_models_agree(name: str) -> None:
    most, build, _ = LIMITS[name]

    assert sdk_takes(build(most))
    assert not sdk_takes(build(most + 1))


REFUSED: dict[str, Blocks] = {
    "no object": ["text"],  # type: ignore[list-item]
    "no type": [{"text": mrkdwn()}],
    "unknown type": [{"type": "carousel"}],
    "unknown field": [section(color="red")],
    "unknown field of an element": [actions(button(icon="x"))],
    "nothing in a section": [{"type": "section"}],
    "empty text": [section("")],
    "text that is none": [{"type": "section", "text": "hello"}],
    "mrkdwn in a header": [{"type": "header", "text": mrkdwn()}],
    "mrkdwn on a button": [actions(button(text=mrkdwn()))],
    "empty actions": [actions()],
    "an input element among the actions": [actions({"type": "plain_text_input", "action_id": "x"})],
    "a picker of date and time beside a section": [
        section(accessory={"type": "datetimepicker", "action_id": "x"})
    ],
    "an unknown style": [actions(button(style="success"))],
    "one action id twice in a block": [actions(button("a"), button("a"))],
    "one block id twice": [section(block_id="a"), section(block_id="a")],
    "two kinds of options": [actions(select(option_groups=[{"label": plain("x"), "options": options(1)}]))],
    "no options": [actions({"type": "static_select", "action_id": "x"})],
    "no overflow options": [actions(overflow(0))],
    "one value twice": [actions(select(options=[option("A", "1"), option("B", "1")]))],
    "an initial option that is not offered": [actions(select(initial_option=option("Else", "9")))],
    "a picture without a description": [{"type": "image", "image_url": "https://e.com/a.png"}],
    "a picture from two places": [image(slack_file={"id": "F1"})],
    "a date that is none": [actions({"type": "datepicker", "action_id": "x", "initial_date": "1.1.2026"})],
    "shortest longer than longest": [an_input(min_length=5, max_length=4)],
    "a number input that does not say of what": [
        {**text_input(), "element": {"type": "number_input", "action_id": "x"}}
    ],
    "two tables": [table(1, 1), table(1, 1)],
    "an input without a label": [{"type": "input", "element": {"type": "plain_text_input"}}],
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_slack_refuses_is_refused_with_a_pointer(name: str) -> None:
    problems = message_problems(REFUSED[name])

    assert problems
    assert all("[json-pointer:/blocks" in problem for problem in problems)


def test_the_pointer_leads_to_the_mistake() -> None:
    blocks = [section(), actions(button(), button("b", text=plain("x" * 76)))]

    assert message_problems(blocks) == [
        "must be less than 76 characters [json-pointer:/blocks/1/elements/1/text/text]"
    ]


VIEW_LIMITS: dict[str, tuple[int, Callable[[int], dict[str, Any]]]] = {
    "blocks of a modal": (100, lambda n: modal(*([section()] * n))),
    "blocks of a home": (100, lambda n: home(*([section()] * n))),
    "title": (24, lambda n: modal(title=plain("x" * n))),
    "submit": (24, lambda n: modal(submit=plain("x" * n))),
    "close": (24, lambda n: modal(close=plain("x" * n))),
    "private metadata": (3000, lambda n: modal(private_metadata="x" * n)),
    "callback id": (255, lambda n: modal(callback_id="x" * n)),
    "external id": (255, lambda n: modal(external_id="x" * n)),
}


@pytest.mark.parametrize("name", VIEW_LIMITS)
def test_a_view_that_just_fits_is_taken_and_one_more_is_refused(name: str) -> None:
    most, build = VIEW_LIMITS[name]

    assert view_problems(build(most)) == []
    assert view_problems(build(most + 1)) != []


@pytest.mark.parametrize(
    "view",
    [
        pytest.param(modal(table(1, 1)), id="a table in a modal"),
        pytest.param({k: v for k, v in modal().items() if k != "submit"}, id="inputs and no submit"),
        pytest.param({k: v for k, v in modal().items() if k != "title"}, id="no title"),
        pytest.param(
            modal(text_input("a", focus_on_load=True), text_input("b", focus_on_load=True)), id="two focuses"
        ),
        pytest.param(home(title=plain("x")), id="a home with a title"),
        pytest.param({"type": "sheet", "blocks": []}, id="an unknown kind"),
    ],
)
def test_a_view_slack_refuses_is_refused_with_a_pointer(view: dict[str, Any]) -> None:
    problems = view_problems(view)

    assert problems
    assert all("[json-pointer:/view" in problem for problem in problems)


def test_a_views_size_counts_bytes() -> None:
    assert view_size({"a": "ä"}) == len('{"a": "ä"}'.encode())


def test_everybody_is_found_wherever_slack_parses_text() -> None:
    broadcast = {"type": "rich_text_section", "elements": [{"type": "broadcast", "range": "channel"}]}

    assert rings_everybody("<!here>")
    assert rings_everybody("", [section("<!channel>")])
    assert rings_everybody("", [{"type": "rich_text", "elements": [broadcast]}])
    assert rings_everybody("", [{"type": "markdown", "text": "<!everyone>"}])
    assert rings_everybody("", [], [{"text": "<!channel>"}])
    assert not rings_everybody("&lt;!here&gt;", [{"type": "header", "text": plain("<!here>")}])


def test_ids_are_filled_in_without_touching_the_given_blocks() -> None:
    given = [{"type": "actions", "elements": [{"type": "button", "text": plain("Go")}]}]

    filled = with_ids(given)

    assert filled[0]["block_id"]
    assert filled[0]["elements"][0]["action_id"]
    assert "block_id" not in given[0]


def sdk_takes(blocks: Blocks) -> bool:
    """Whether Slack's models take these blocks. They check a part only when it is made a model and asked."""
    try:
        for block in blocks:
            model = Block.parse(block)
            assert model is not None
            model.to_dict()
            for part in _parts(block):
                part.to_dict()
    except SlackObjectFormationError:
        return False
    return True


def _parts(block: dict[str, Any]) -> list[Any]:
    elements = [*block.get("elements", ()), *(block[k] for k in ("accessory", "element") if k in block)]
    parts: list[Any] = [BlockElement.parse(element) for element in elements if element["type"] != "mrkdwn"]
    parts += [ConfirmObject.parse(element["confirm"]) for element in elements if "confirm" in element]
    parts += [option for element in elements for option in Option.parse_all(element.get("options")) or ()]
    return [part for part in parts if part is not None]
