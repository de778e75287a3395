"""“Ask for an exclusion”: why a component is left out of monitoring, and until when."""

from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from bot.adapters.slack import interactions as do
from bot.adapters.slack.elements import context, plain, question_block, section, text_input
from bot.adapters.slack.text import slack_text
from bot.adapters.slack.views import View, info_view
from bot.domain.component import Component
from bot.domain.errors import Unfit
from bot.domain.scope import ExclusionRequest
from bot.procedures.change_scope import SHORTEST_REASON


def exclude_form(component: Component, about: do.Excluding) -> View:
    rule = "It counts when another person, an Engineering Lead, has approved it. All of it goes on record."
    named = f"*{slack_text(component.name, 80) or '(no name)'}* {component.kind} · {slack_text(component.key, 200)}"
    return {
        "type": "modal",
        "callback_id": do.EXCLUDE_FORM,
        "private_metadata": about.value,
        "title": plain("Exclude from scope", 24),
        "submit": plain("Ask", 24),
        "close": plain("Cancel", 24),
        "blocks": [
            section(named),
            text_input(
                "reason",
                "Why need it not be monitored?",
                hint="For an auditor who reads it next year. Nothing personal, no secrets.",
                fewest=SHORTEST_REASON,
                focus=True,
            ),
            question_block(
                "until",
                "Until when?",
                {"type": "datepicker", "action_id": "until"},
                hint="The whole day is excluded; then it has to be covered again. A year at most.",
            ),
            context(rule),
        ],
    }


def asked_view(request: ExclusionRequest) -> View:
    """Nothing else shows at once that it was taken."""
    return info_view(
        "Asked",
        f"The exclusion of “{request.component.name[:80]}” waits for an Engineering Lead other than you. It counts from"
        " the approval on, and you will be told.",
    )


def read_exclusion(state: Mapping[str, Any], zone: ZoneInfo) -> tuple[str, datetime]:
    """(reason, the end of the chosen day); raises Unfit."""
    values = state.get("values") or {}
    reason = str(((values.get("reason") or {}).get("reason") or {}).get("value") or "").strip()
    picked = ((values.get("until") or {}).get("until") or {}).get("selected_date")
    try:
        day = date.fromisoformat(str(picked))
    except ValueError as error:
        raise Unfit("until", "Choose a day.") from error
    return reason, datetime.combine(day, time(23, 59, 59), zone)
