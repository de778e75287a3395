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
        ("cloudwatch", {"topics": [TOPIC], "test_topics": [f"{TOPIC}2"]}, {}, "believes nothing from"),
        (
            "cloudwatch",
            {"topics": [TOPIC], "test_alarms": {"a": [f"{TOPIC}2"]}},
            {},
            "could not hear of a test",
        ),
        ("cloudwatch", {"topics": [TOPIC], "test_alarms": {"a-quiet": [TOPIC]}}, {}, "is no name"),
        ("cloudwatch", {"topics": [TOPIC], "test_alarms": [TOPIC]}, {}, "Write a name and the topics"),
        (
            "cloudwatch",
            {"topics": [TOPIC], "test_alarms": {"a": [TOPIC, TOPIC.replace("west-1", "west-2")]}},
            {},
            "own account and region",
        ),
        ("datadog", {"webhook": 7}, {}, "behind @webhook-"),
        ("datadog", {"test_routes": {"a": ["@slack-ops"]}}, {}, "nobody could hear of a test of a"),
        ("datadog", {"test_routes": {"a": ["socmon"]}}, {}, "a = ['socmon'] is no route"),
        ("datadog", {"test_routes": ["@webhook-socmon"]}, {}, "a name and the handles of each route"),
        ("datadog", {"test_pager": "pagerduty"}, {}, "one handle that pages with low urgency"),
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


def test_a_route_has_pagerdutys_hops_when_every_test_of_it_pages() -> None:
    """That takes a pager for quiet tests; socmon itself need not be among the handles then."""
    provider = all_providers()["datadog"]
    keys = {"DD_API_KEY": "a", "DD_APP_KEY": "b"}
    routes = {"both": ["@webhook-socmon", "@pagerduty-shop"], "chat": ["@webhook-socmon", "@slack-ops"]}
    found = {}
    for pager in ("", "@pagerduty-socmon-test"):
        table = {
            "test_routes": routes | ({"pages": ["@pagerduty-shop"]} if pager else {}),
            "test_pager": pager,
        }
        sender = provider.test_alerts(provider.settings(table, keys))
        assert sender is not None
        found[pager] = {path.id: {hop.value for hop in path.hops} for path in sender.paths()}

    in_slack = {"sent", "shown", "told", "seen"}
    assert found[""]["datadog:both"] == in_slack | {"received"}
    quietly = found["@pagerduty-socmon-test"]
    assert quietly["datadog:both"] == in_slack | {"received", "incident", "notified"}
    assert quietly["datadog:chat"] == in_slack | {"received"}
    assert quietly["datadog:pages"] == in_slack | {"incident", "notified"}
