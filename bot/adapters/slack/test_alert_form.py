"""“Send a test alert”: along which path, for which component, quiet or live."""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.adapters.slack import interactions as do
from bot.adapters.slack.elements import Element, context, option, plain, question_block
from bot.adapters.slack.interactions import UnknownControl
from bot.adapters.slack.views import View
from bot.domain.test_alert import Mode, PathStanding

MOST_OPTIONS = 100
MODES = {Mode.QUIET: "Quiet: low urgency, wakes nobody", Mode.LIVE: "Live: pages the person on call"}


def test_form(paths: Sequence[PathStanding]) -> View:
    """Of paths there is at least one."""
    ways = [
        option(f"{one.known.path.id} · {one.known.path.title}", one.known.path.id)
        for one in paths[:MOST_OPTIONS]
    ]
    modes = [option(label, mode) for mode, label in MODES.items()]
    named: Element = {"type": "plain_text_input", "action_id": "component", "max_length": 200}
    rule = "Nobody is escalated to, and nothing is counted: a test is no alert. It goes on record with your name."
    return {
        "type": "modal",
        "callback_id": do.TEST_FORM,
        "title": plain("Send a test alert", 24),
        "submit": plain("Send test", 24),
        "close": plain("Cancel", 24),
        "blocks": [
            question_block("path", "Which path?", _select("path", ways)),
            question_block("component", "For which component?", named, optional=True),
            question_block(
                "mode",
                "How?",
                _select("mode", modes),
                hint="Before a live test the person on call is asked whether they may be paged now.",
            ),
            context(rule),
        ],
    }


def read_test(state: Mapping[str, Any]) -> tuple[str, str, Mode]:
    """(path, component, mode); raises UnknownControl."""
    values = state.get("values") or {}

    def picked(name: str) -> str:
        return str(
            (((values.get(name) or {}).get(name) or {}).get("selected_option") or {}).get("value") or ""
        )

    component = str(((values.get("component") or {}).get("component") or {}).get("value") or "").strip()
    if not picked("path") or picked("mode") not in set(Mode):
        raise UnknownControl
    return picked("path"), component, Mode(picked("mode"))


def _select(name: str, options: Sequence[Mapping[str, Any]]) -> Element:
    return {
        "type": "static_select",
        "action_id": name,
        "options": list(options),
        "initial_option": options[0],
    }
