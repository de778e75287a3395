"""Which receivers an alert reaches, by Alertmanager's own rules, and when a route is mute."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.domain.errors import ToolSilent
from bot.domain.monitor import Target
from bot.providers.alertmanager import PROVIDER
from bot.providers.alertmanager.matching import Holds, Labels, Matcher, Sign, Unreadable, read_matcher
from bot.providers.alertmanager.routes import Route
from bot.providers.alertmanager.time_intervals import is_on
from bot.providers.asking import Declined
from tests.fake_prometheus import ANSWERS, spoiled

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)  # a Tuesday


def route(receiver: str, *routes: Route, goes_on: bool = False, **labels: str) -> Route:
    matchers = tuple(Matcher(name, Sign.MATCHES, value) for name, value in labels.items())
    return Route(receiver=receiver, matchers=matchers, routes=routes, goes_on=goes_on)


TREE = route(
    "root",
    route("all", goes_on=True, team=".*"),
    route("web", route("web-pager", severity="critical"), team="web"),
    route("db", team="db|data"),
)


@pytest.mark.parametrize(
    ("labels", "reached"),
    [
        ({"team": "web", "severity": "critical"}, {"all": "yes", "web-pager": "yes"}),
        ({"team": "web"}, {"all": "yes", "web": "yes"}),
        ({"team": "data"}, {"all": "yes", "db": "yes"}),
        ({"team": "ops"}, {"all": "yes"}),  # a child has taken it, so it does not end at the root
    ],
)
def test_the_first_child_that_matches_takes_it(labels: Mapping[str, str], reached: dict[str, str]) -> None:
    found = TREE.ways(Labels(fixed=labels, open={}))

    assert {one.receiver: held.value for one, held in found} == reached


def test_what_depends_on_the_component_is_said_so() -> None:
    """The pager perhaps takes it, so all behind it perhaps get it too."""
    tree = route("root", route("pager", env="prod"), route("team", severity="warning"))
    labels = Labels(fixed={"severity": "warning"}, open={"env": frozenset({"prod", "staging"})})

    assert {one.receiver: held for one, held in tree.ways(labels)} == {
        "pager": Holds.PERHAPS,
        "team": Holds.PERHAPS,
    }
    only = Labels(fixed={}, open={"env": frozenset({"prod"})})
    assert {one.receiver: held for one, held in tree.ways(only)} == {"pager": Holds.YES}


@pytest.mark.parametrize(
    ("written", "matcher"),
    [
        ('severity="critical"', Matcher("severity", Sign.EQUAL, "critical")),
        ('team=~"a|b"', Matcher("team", Sign.MATCHES, "a|b")),
        (" env != staging ", Matcher("env", Sign.NOT_EQUAL, "staging")),
        (r'note!~"say \"no\""', Matcher("note", Sign.MATCHES_NOT, 'say "no"')),
        ('"utf 8"="x"', Matcher("utf 8", Sign.EQUAL, "x")),
    ],
)
def test_matchers_are_read_as_they_are_written(written: str, matcher: Matcher) -> None:
    assert read_matcher(written) == matcher


@pytest.mark.parametrize(
    "pattern", ["(a+)+b", "(?i)a", r"\bweb", "a{2,9}", "(a|b)*", "[[:alpha:]]", "x" * 2000]
)
def test_a_pattern_that_python_reads_otherwise_is_not_guessed(pattern: str) -> None:
    with pytest.raises(Unreadable):
        Matcher("team", Sign.MATCHES, pattern).takes("web")


@pytest.mark.parametrize(
    ("times", "on"),
    [
        ({}, True),
        ({"weekdays": ["monday:friday"]}, True),
        ({"weekdays": ["saturday", "sunday"]}, False),
        ({"times": [{"start_time": "02:30", "end_time": "03:00"}]}, False),
        ({"times": [{"start_time": "03:00", "end_time": "24:00"}]}, True),
        ({"times": [{"start_time": "03:00", "end_time": "24:00"}], "location": "America/New_York"}, True),
        ({"weekdays": ["tuesday"], "location": "America/New_York"}, False),  # it is Monday there
        ({"days_of_month": ["-7:-1"]}, True),
        ({"days_of_month": ["1:23"]}, False),
        ({"months": ["november:december"], "years": ["2026"]}, True),
        ({"months": ["1:3"]}, False),
    ],
)
def test_time_intervals(times: dict[str, Any], *, on: bool) -> None:
    assert is_on({"name": "x", "time_intervals": [times]}, NOW) is on


def test_a_hidden_address_of_the_receiver_that_tells_socmon_ends_here(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Since Alertmanager 0.26 the API hides the addresses of webhooks."""
    fleet = spoiled(monkeypatch)

    [monitor] = fleet.list_monitors(NOW).items
    [target] = monitor.targets

    assert not target.dead
    assert set(target.reaches) & set(PROVIDER.own_ends(fleet.settings))


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        ({"status": ToolSilent("no answer (TimeoutError)")}, "Alertmanager at http://alertmanager:9093"),
        ({"silences": Declined(503)}, "what is silenced: it answered 503"),
        ({"rules": Declined(401)}, "SOCMON_PROMETHEUS_TOKEN"),
        ({"query": {"status": "error", "error": "query timed out"}}, "query timed out"),
        ({"status_config": {"yaml": "["}}, "configuration cannot be read"),
        ({"rules": {"groups": [{"name": "g", "rules": None}]}}, "form that socmon does not know"),
    ],
)
def test_what_is_not_answered_is_never_whole(
    spoil: dict[str, Any], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulled = spoiled(monkeypatch, **spoil).list_monitors(NOW)

    assert (pulled.items, pulled.complete) == ((), False)
    assert why in pulled.reason


def test_an_answer_with_warnings_adds_and_is_not_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = {"status": "success", "warnings": ["store was not there"], "data": ANSWERS["rules"]}

    pulled = spoiled(monkeypatch, rules=answer).list_monitors(NOW)

    assert (len(pulled.items), pulled.complete) == (1, False)
    assert "store was not there" in pulled.reason


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        ({"alertmanagers": {"activeAlertmanagers": []}}, "to no Alertmanager"),
        (
            {"status_config": {"yaml": "alerting: {alert_relabel_configs: [{action: drop, regex: x}]}"}},
            "alert_relabel_configs",
        ),
        (
            {"status": {"config": {"original": "route: {receiver: x}\nreceivers: [{name: x}]"}}},
            "no integrations",
        ),
    ],
)
def test_dead_ends_have_names(spoil: dict[str, Any], why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    [monitor] = spoiled(monkeypatch, **spoil).list_monitors(NOW).items

    targets: tuple[Target, ...] = monitor.targets
    assert [why in one.dead for one in targets] == [True]
