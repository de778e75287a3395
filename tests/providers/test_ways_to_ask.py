"""Which settings let socmon ask a tool, which let it tell it, and which are refused with their mend."""

from typing import Any

import pytest

from bot.domain.errors import WrongSettings
from bot.domain.tool import ToolAct
from bot.providers import all_providers

TOPIC = "arn:aws:sns:eu-west-1:111122223333:socmon-alarms"
ASKED: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "alertmanager": ({"url": "http://am:9093/"}, {}),
    "cloudwatch": ({"topics": [TOPIC], "compare": True}, {}),
    "datadog": ({}, {"DD_API_KEY": "a", "DD_APP_KEY": "b"}),
    "newrelic": ({}, {"NEW_RELIC_API_KEY": "a", "NEW_RELIC_ACCOUNT_ID": "12"}),
    "pagerduty": ({"from": "bot@example.com"}, {"PAGERDUTY_API_KEY": "a"}),
}


@pytest.mark.parametrize("name", ASKED)
def test_with_its_key_a_tool_is_asked(name: str) -> None:
    provider = all_providers()[name]
    table, environ = ASKED[name]
    settings = provider.settings(table, environ)
    assert provider.alerts(settings) is not None
    assert "'a'" not in repr(settings), "a key is shown"
    teller = provider.teller(settings)
    assert (teller.takes if teller else frozenset()) == (
        frozenset(ToolAct) if name == "pagerduty" else frozenset()
    )


@pytest.mark.parametrize("name", all_providers())
def test_without_it_a_tool_is_only_listened_to(name: str) -> None:
    provider = all_providers()[name]
    settings = provider.settings(provider.samples().table, provider.samples().environ)
    assert provider.alerts(settings) is None
    assert provider.teller(settings) is None


@pytest.mark.parametrize(
    ("name", "table", "environ", "says"),
    [
        ("alertmanager", {"url": "am:9093"}, {}, "http://alertmanager:9093"),
        ("alertmanager", {"receiver": ""}, {}, "name of the receiver"),
        ("cloudwatch", {"compare": "yes"}, {}, "must be true or false"),
        ("datadog", {"webhook": 7}, {}, "behind @webhook-"),
        ("newrelic", {}, {"NEW_RELIC_ACCOUNT_ID": "x"}, "the account's number"),
        ("newrelic", {}, {"NEW_RELIC_REGION": "mars"}, "us, eu, jp"),
        ("pagerduty", {"from": "me"}, {}, "e-mail address"),
        ("pagerduty", {"services": "PIJ90N7"}, {}, 'services = ["PIJ90N7"]'),
        ("pagerduty", {}, {"SOCMON_PAGERDUTY_URL": "http://pd"}, "without TLS"),
    ],
)
def test_what_cannot_be_used_is_refused(
    name: str, table: dict[str, Any], environ: dict[str, str], says: str
) -> None:
    with pytest.raises(WrongSettings, match=says.replace("[", r"\[").replace("]", r"\]")):
        all_providers()[name].settings(table, environ)
