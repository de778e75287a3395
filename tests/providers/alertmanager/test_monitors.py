"""Which machines a rule is about, which are silenced, and that good rules make a machine covered."""

import json
from typing import Any

import pytest
import yaml

from bot.domain.component import Identity
from bot.domain.coverage import State
from bot.domain.monitor import Monitor
from bot.domain.scope import InScope
from bot.standard import read_standard
from tests.fake_prometheus import ANSWERS, routed, rules, scraped, silence, spoiled, target
from tests.fleets import ROUTES, look, whole
from tests.mutations import mutated
from tests.rosters import NOW

MEMORY = "node_memory_MemAvailable_bytes{%s} / node_memory_MemTotal_bytes < 0.1"
DISK = "node_filesystem_avail_bytes{%s} / node_filesystem_size_bytes < 0.15"
MACHINES = scraped(
    target("web-1:9100", env="prod", team="shop"),
    target("web-2:9100", env="prod"),
    target("10.0.0.7:9100", env="staging", team="data"),
)


def read(monkeypatch: pytest.MonkeyPatch, *written: dict[str, Any], **spoil: Any) -> list[Monitor]:
    pulled = spoiled(monkeypatch, **{**MACHINES, **spoil, "rules": rules(*written)}).list_monitors(NOW)
    assert (pulled.reason, pulled.complete) == ("", True)
    return list(pulled.items)


@pytest.mark.parametrize(
    ("expression", "tags", "without", "hosts"),
    [
        (MEMORY % "", {}, {}, set()),
        (MEMORY % 'env="prod"', {"env": "prod"}, {}, set()),
        (MEMORY % 'env!="staging"', {}, {"env": "staging"}, set()),
        (MEMORY % 'env=~"prod|staging"', {}, {}, set()),  # all there are
        (MEMORY % 'env=~"prod|test"', {"env": "prod"}, {}, set()),
        (MEMORY % 'env!~"stag.*"', {"env": "prod"}, {}, set()),
        (MEMORY % 'instance="web-1:9100"', {}, {}, {"web-1"}),
        (MEMORY % 'instance=~"web-.*", env="prod"', {"env": "prod"}, {}, {"web-1", "web-2"}),
        (MEMORY % 'instance!="web-1:9100"', {}, {}, {"web-2", "10.0.0.7"}),
        (DISK % 'fstype!~"tmpfs|overlay", mountpoint!~"/boot.*"', {}, {}, set()),
        ('up{job="node"} == 0', {"job": "node"}, {}, set()),
    ],
)
def test_a_rule_is_about_those_that_its_selector_chooses(
    expression: str,
    tags: dict[str, str],
    without: dict[str, str],
    hosts: set[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    [one] = read(monkeypatch, {"query": expression})

    watches = one.watches
    assert (watches.unreadable, dict(watches.tags), dict(watches.without)) == ("", tags, without)
    assert watches.identities == {Identity("host", name) for name in hosts}


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        (MEMORY % 'rack="7"', "a label that no scraped node_exporter has"),
        (MEMORY % 'env="test"', ""),  # a value that nothing has yet watches nothing, and may soon
        (MEMORY % 'env=~"test.*"', "nothing that is scraped has such a env"),
        (MEMORY % 'instance=~"db.*"', "no instance that is scraped"),
        (MEMORY % 'team!="shop", team=~".*a.*|"', "cannot say which machines"),
        (MEMORY % r'env=~"(a+)+b"', "cannot read the regular expression"),
        (DISK % 'mountpoint="/"', "only file systems with"),
        (DISK % 'mountpoint=~"/|/data"', "only file systems with"),
        (DISK % 'mountpoint!="/"', "leaves out the root"),
        (DISK % 'device=~"/dev/.*"', ""),
    ],
)
def test_a_selector_that_cannot_be_weighed_watches_nothing(
    expression: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    [one] = read(monkeypatch, {"query": expression})

    assert (why in one.watches.unreadable, bool(one.watches.unreadable)) == (True, bool(why))


@pytest.mark.parametrize(
    ("silenced", "all_of_it", "mute"),
    [
        (silence(("alertname", "R0")), True, None),
        (silence(("alertname", "R1")), False, None),
        (silence(("alertname", "R0"), state="expired"), False, None),
        (silence(("env", "prod")), False, {"env": "prod"}),
        (silence(("alertname", "R0"), ("env", "prod|staging"), regex=True), True, None),
        (silence(("instance", "web-1:9100")), False, {}),
        (silence(("mountpoint", "/data")), False, None),  # no label of memory
        (silence(("env", "(a+)+b"), regex=True), True, None),
    ],
)
def test_a_silence_is_for_those_whose_labels_it_names(
    silenced: dict[str, Any],
    *,
    all_of_it: bool,
    mute: dict[str, str] | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    [one] = read(monkeypatch, {"query": MEMORY % ""}, silences=[silenced])

    assert bool(one.silenced) is all_of_it
    assert [dict(each.watches.tags) for each in one.mutes] == ([] if mute is None else [mute])


def test_a_silence_for_a_part_of_each_machine_is_one_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody else watches the file system that is left out."""
    [one] = read(monkeypatch, {"query": DISK % ""}, silences=[silence(("mountpoint", "/data"))])

    assert "by kim (work)" in one.silenced


def test_two_rules_of_one_name_are_two(monkeypatch: pytest.MonkeyPatch) -> None:
    found = read(
        monkeypatch,
        {"name": "Full", "query": DISK % "", "labels": {"severity": "warning"}},
        {"name": "Full", "query": DISK % "", "labels": {"severity": "critical"}},
    )

    assert [one.id for one in found] == ["r.yml:g:Full", "r.yml:g:Full#2"]
    assert [one.severity for one in found] == ["SEV3", "SEV1"]


GOOD = (
    {
        "query": '100 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[1m])) * 100 > 85',
        "duration": 240,
    },
    {"query": MEMORY % "", "duration": 300},
    {"query": f"{DISK % ''} and node_filesystem_readonly == 0", "duration": 900},
    {"query": 'up{job="node"} == 0', "duration": 60},
)
PAGED = "route: {receiver: Ops}\nreceivers: [{name: Ops, pagerduty_configs: [{routing_key: <secret>}]}]"


@pytest.mark.parametrize(
    ("spoil", "covered"),
    [
        ({}, 5),
        ({"duration": 300}, 4),  # with the minute of rate() that is six
        ({"labels": {"severity": "info"}}, 4),
        ({"health": "err", "lastError": "many-to-many matching not allowed"}, 4),
    ],
)
def test_good_rules_cover_a_machine(
    spoil: dict[str, Any], covered: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the standard that ships: all five measures, and each only while its rule is as good as that."""
    written = [{**GOOD[0], **spoil}, *GOOD[1:]]
    answers = scraped(target("web-1:9100"), at=NOW.timestamp())
    fleet = spoiled(monkeypatch, **answers, rules=rules(*written), status=routed(PAGED))
    [component] = fleet.list_components(NOW).items

    found = look(
        InScope(component=component),
        readings={"alertmanager": whole(fleet.read_metrics([component], NOW).items)},
        monitors={"alertmanager": whole(fleet.list_monitors(NOW).items)},
        standard=read_standard(None),
        routes=ROUTES,
    )

    assert found.counts[State.COVERED] == covered


ROUTED = """\
route: {receiver: a, routes: [{matchers: ['env="prod"'], receiver: b, continue: true, mute_time_intervals: [x]}]}
receivers: [{name: a, email_configs: [{to: 'kim@example.com'}]}, {name: b, webhook_configs: [{url: 'https://u:p@h/x'}]}]
time_intervals: [{name: x, time_intervals: [{weekdays: ['monday:friday'], location: UTC}]}]
"""


def test_no_answer_breaks_the_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    """Damaged in any place, each is read or refused in words."""
    written = rules({"query": "up == 0"}, {"query": MEMORY % ""})
    good = {**ANSWERS, **MACHINES, "rules": written, "silences": [silence(("env", "prod"))]}
    config = json.dumps(yaml.safe_load(ROUTED)).encode()
    damaged = [(name, body) for name in good for body in mutated(json.dumps(good[name]).encode(), 40)]
    answers = [(name, json.loads(body)) for name, body in damaged if _is_json(body)]
    answers += [("status", routed(body.decode(errors="replace"))) for body in mutated(config, 100)]
    for name, answer in answers:
        spoil = {**good, name: {} if answer is None else answer}
        fleet = spoiled(monkeypatch, **{each.replace("/", "_"): one for each, one in spoil.items()})
        monitors = fleet.list_monitors(NOW)
        assert monitors.complete or monitors.reason
        fleet.read_metrics(fleet.list_components(NOW).items, NOW)


def _is_json(body: bytes) -> bool:
    try:
        return isinstance(json.loads(body), dict | list)
    except ValueError:
        return False
