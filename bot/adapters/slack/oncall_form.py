"""“Link account”: which Slack user somebody on call is, where the e-mail address does not tell."""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.adapters.slack import interactions as do
from bot.adapters.slack.elements import Element, context, option, plain, question_block
from bot.adapters.slack.interactions import UnknownControl
from bot.adapters.slack.views import View, info_view

MOST_OPTIONS = 100


def link_form(accounts: Sequence[tuple[str, str, str]], *, user: str, titles: Mapping[str, str]) -> View:
    """`accounts` are (provider, account, name); `user` is who asks, and stands there to begin with."""
    if not accounts:
        return info_view(
            "Link account", "Everybody on call has a Slack account. Only a lead or an admin can change that."
        )
    options = [
        option(f"{name} · {titles.get(provider, provider)}", f"{provider}:{account}")
        for provider, account, name in accounts[:MOST_OPTIONS]
    ]
    account: Element = {
        "type": "static_select",
        "action_id": "account",
        "placeholder": plain("Choose an account"),
        "options": options,
    }
    person: Element = {"type": "users_select", "action_id": "user", "initial_user": user}
    rule = "The link goes on record with your name, and counts within five minutes."
    return {
        "type": "modal",
        "callback_id": do.LINK_FORM,
        "title": plain("Link account", 24),
        "submit": plain("Link", 24),
        "close": plain("Cancel", 24),
        "blocks": [
            question_block("account", "Which account?", account),
            question_block(
                "user", "Whose is it?", person, hint="For somebody else only a lead or an admin can say it."
            ),
            context(rule),
        ],
    }


def read_link(state: Mapping[str, Any]) -> tuple[str, str, str]:
    """(provider, account, Slack user); raises UnknownControl."""
    values = state.get("values") or {}
    picked = ((values.get("account") or {}).get("account") or {}).get("selected_option") or {}
    user = ((values.get("user") or {}).get("user") or {}).get("selected_user")
    provider, _, account = str(picked.get("value") or "").partition(":")
    if not (provider and account and isinstance(user, str) and user):
        raise UnknownControl
    return provider, account, user
