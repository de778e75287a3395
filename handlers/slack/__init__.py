"""Everything people do in Slack. Ids and callbacks meet in the `register` function of each module."""

from slack_bolt.async_app import AsyncApp

from handlers.slack import (
    actions,
    commands,
    coverage,
    events,
    forms,
    home,
    oncall,
    scope,
    self_test,
    shortcuts,
    storms,
)
from handlers.slack.desk import Desk


def register(app: AsyncApp, desk: Desk) -> None:
    """Connect every control that socmon shows."""
    for module in (
        actions,
        commands,
        coverage,
        events,
        forms,
        home,
        oncall,
        scope,
        self_test,
        shortcuts,
        storms,
    ):
        module.register(app, desk)
