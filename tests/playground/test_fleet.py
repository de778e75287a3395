"""The playground's fleet: what a visitor breaks stands in Datadog and in Slack, and can be mended."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.inventory import read_inventory
from bot.playground.datadog import API_KEY, APP_KEY, FakeDatadog
from bot.playground.errors import SlackError
from bot.playground.fleet import HOSTS, NEW_HOST, build_fleet, inventory, monitors
from bot.playground.fleet_desk import FleetDesk
from bot.playground.snapshot import dump, restore
from bot.playground.workspace import Workspace
from bot.providers.contract import Request, SampleKind
from bot.providers.datadog.alerts import DatadogAlerts
from bot.providers.datadog.samples import DatadogSamples
from bot.providers.datadog.webhook import DatadogWebhook
from tests.fake_datadog import fake_datadog
from tests.playground.rig import START, HandClock
from tests.tls import go_direct

MONITOR = str(monitors()[0]["id"])


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def desk(clock: HandClock) -> FleetDesk:
    fake = FakeDatadog(clock=clock.now)
    build_fleet(fake)
    return FleetDesk(fake, Workspace(clock))


def ask(desk: FleetDesk, path: str, **query: str) -> Any:
    keys = {"dd-api-key": API_KEY, "dd-application-key": APP_KEY}
    status, said = desk.datadog.answer(path, query, keys, {})
    return said if status == 200 else status


def hosts(desk: FleetDesk) -> list[str]:
    said = ask(desk, "/api/v1/hosts", start="0", count="1000")
    return [one["host_name"] for one in said["host_list"]]


def listed(desk: FleetDesk, monitor: str = MONITOR) -> Any:
    said = ask(desk, "/api/v1/monitor", page="0", page_size="1000")
    return next((one for one in said if str(one["id"]) == monitor), None)


def downtimes(desk: FleetDesk) -> list[Any]:
    return list(ask(desk, "/api/v2/downtime", **{"page[offset]": "0", "page[limit]": "100"})["data"])


def channels(desk: FleetDesk) -> Any:
    return ask(desk, "/api/v1/integration/slack/configuration/accounts/Northwind/channels")


Seen = Callable[[FleetDesk], bool]


@pytest.mark.parametrize(
    ("act", "on", "seen"),
    [
        ("mute", MONITOR, lambda desk: bool(downtimes(desk))),
        ("weaken", MONITOR, lambda desk: listed(desk)["query"].endswith("> 97")),
        ("unroute", MONITOR, lambda desk: "@" not in listed(desk)["message"]),
        ("draft", MONITOR, lambda desk: listed(desk).get("draft_status") == "draft"),
        ("delete", MONITOR, lambda desk: listed(desk) is None),
        ("deactivate", "U0SAM", lambda desk: desk.workspace.user("U0SAM").deleted),
        ("archive", "", lambda desk: channels(desk) == []),
        ("refuse", "", lambda desk: channels(desk) == 403),
        ("lose", "", lambda desk: NEW_HOST not in hosts(desk)),
    ],
)
async def test_what_is_broken_is_seen_named_and_mended(
    desk: FleetDesk, act: str, on: str, seen: Seen
) -> None:
    assert not seen(desk)

    desk.do(act, on)

    shown = await desk.shown()
    assert seen(desk)
    assert shown["touched"]
    [broken] = shown["broken"]
    desk.do(broken["act"], broken["on"])
    assert not seen(desk)
    assert (await desk.shown())["broken"] == []


@pytest.mark.parametrize("monitor", [str(one["id"]) for one in monitors()])
async def test_every_monitor_can_be_weakened(desk: FleetDesk, monitor: str) -> None:
    before = json.dumps(listed(desk, monitor))

    desk.do("weaken", monitor)

    assert json.dumps(listed(desk, monitor)) != before
    assert [one["on"] for one in (await desk.shown())["broken"]] == [monitor]


def test_a_host_that_falls_silent_is_listed_for_three_hours(desk: FleetDesk, clock: HandClock) -> None:
    def heard() -> dict[str, int]:
        """Minutes with a value, by host."""
        now = int(clock.now().timestamp()) * 1000
        asked = {
            "from": now - 1_800_000,
            "to": now,
            "interval": 60_000,
            "queries": [{"query": "avg:system.cpu.user{*} by {host}"}],
        }
        keys = {"dd-api-key": API_KEY, "dd-application-key": APP_KEY}
        body = {"data": {"attributes": asked}}
        _, said = desk.datadog.answer("/api/v2/query/timeseries", {}, keys, body)
        found = said["data"]["attributes"]
        names = [one["group_tags"][0].removeprefix("host:") for one in found["series"]]
        values = [sum(value is not None for value in row) for row in found["values"]]
        return dict(zip(names, values, strict=True))

    desk.do("stop", "prod-web-1")
    clock.advance(20 * 60)
    assert heard()["prod-web-1"] < 12 < heard()["prod-web-2"]
    clock.advance(timedelta(hours=2).total_seconds())
    assert "prod-web-1" in hosts(desk)
    assert heard()["prod-web-1"] == 0
    clock.advance(timedelta(hours=1).total_seconds())
    assert "prod-web-1" not in hosts(desk)
    desk.do("start", "prod-web-1")
    assert "prod-web-1" in hosts(desk)


def test_a_renamed_host_stays_the_same_machine(desk: FleetDesk) -> None:
    before = next(one for one in desk.datadog.hosts if one["host_name"] == "prod-cache-1")["aliases"][1]
    desk.do("stop", "prod-cache-1")

    desk.do("rename", "prod-cache-1", "prod-redis-1")

    found = next(one for one in desk.datadog.hosts if one["host_name"] == "prod-redis-1")
    assert before in found["aliases"]
    assert before in inventory()
    assert ("prod-redis-1", "system.disk.in_use") in desk.datadog.silent
    assert "prod-cache-1" not in json.dumps(desk.datadog.dump())


@pytest.mark.parametrize(
    ("act", "on", "to"),
    [
        ("explode", "prod-web-1", ""),
        ("stop", "prod-web-99", ""),
        ("mute", "1", ""),
        ("deactivate", "U0LEAD", ""),
        ("add", "prod-web-1", ""),
        ("add", "Web 5", ""),
        ("rename", "prod-web-1", HOSTS[0][0]),
        ("rename", "prod-web-1", ""),
    ],
)
def test_what_nobody_can_do_changes_nothing(desk: FleetDesk, act: str, on: str, to: str) -> None:
    before = json.dumps(desk.datadog.dump())

    with pytest.raises(SlackError):
        desk.do(act, on, to)

    assert json.dumps(desk.datadog.dump()) == before
    assert not desk.touched


def test_it_remembers_over_a_restart(desk: FleetDesk, clock: HandClock) -> None:
    for act, on in (("stop", "prod-web-1"), ("mute", MONITOR), ("refuse", ""), ("deactivate", "U0SAM")):
        desk.do(act, on)
    stored = json.loads(json.dumps({"fleet": desk.datadog.dump(), "slack": dump(desk.workspace)}))

    again = FleetDesk(FakeDatadog(clock=clock.now), Workspace(clock))
    again.datadog.restore(stored["fleet"])
    restore(stored["slack"], again.workspace)

    assert again.datadog.dump() == desk.datadog.dump()
    assert again.workspace.user("U0SAM").deleted


def test_a_problem_of_the_sources_panel_is_open_there_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or the next comparison with Datadog would take it for recovered."""
    go_direct(monkeypatch)
    with fake_datadog(START) as datadog:
        settings = datadog.settings()

        def tell(kind: SampleKind) -> bytes:
            sample = DatadogSamples().sample(kind, problem=3, episode=1, at=START)
            datadog.adopt(json.loads(sample.body))
            return sample.body

        body = tell(SampleKind.TRIGGERED)
        for kind in (SampleKind.TEST, SampleKind.GARBAGE, SampleKind.REPEATED):
            tell(kind)

        [one] = DatadogAlerts(settings=settings).list_open(START).items
        request = Request(headers={}, body=body, received_at=START)
        [told] = DatadogWebhook(settings=settings).read(request).alerts
        assert (one.reported.dedup_key, one.quiet) == (told.dedup_key, False)
        tell(SampleKind.RECOVERED)
        assert DatadogAlerts(settings=settings).list_open(START).items == ()


def test_the_inventory_is_a_file_that_can_be_imported(tmp_path: Path) -> None:
    found = read_inventory([(tmp_path / "inventory.yaml", inventory().encode())])

    assert (len(found.entries), NEW_HOST in inventory()) == (24, False)
