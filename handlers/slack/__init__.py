"""Everything people do in Slack. Ids and callbacks meet in the `register` function of each module."""

from slack_bolt.async_app import AsyncApp

from handlers.slack import (
    actions,
    commands,
    coverage,
    dashboards,
    events,
    forms,
    home,
    oncall,
    scope,
    self_test,
    shortcuts,
    standard,
    storms,
    test_alerts,
    validation,
)
from handlers.slack.desk import Desk

MODULES = (
    actions,
    commands,
    coverage,
    dashboards,
    events,
    forms,
    home,
    oncall,
    scope,
    self_test,
    shortcuts,
    standard,
    storms,
    test_alerts,
    validation,
)


def register(app: AsyncApp, desk: Desk) -> None:
    """Connect every control that socmon shows."""
    for module in MODULES:
        module.register(app, desk)
