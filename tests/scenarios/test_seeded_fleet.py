"""A fleet of 60 components over three tools: what is well is covered, and each fault is found for what it is."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.app import Socmon
from bot.commands.coverage import print_coverage
from bot.commands.scope import import_files
from bot.domain.coverage import State
from bot.domain.person import Person, Role
from bot.playground.pagerduty import KEY as PAGERDUTY_KEY
from bot.procedures import assess_coverage, change_scope, take_inventory
from bot.providers import all_providers
from bot.providers.datadog import client as datadog_client
from bot.providers.newrelic import nerdgraph
from bot.settings import load_settings
from jobs.announce_losses import announce_losses
from jobs.collect_coverage import collect_coverage
from jobs.collect_inventory import collect_inventory
from jobs.collect_on_call import collect_on_call
from tests.aws import served
from tests.fake_datadog import fake_datadog
from tests.fake_newrelic import ACCOUNT, fake_newrelic
from tests.fake_pagerduty import fake_pagerduty
from tests.seeded_faults import FAULTS
from tests.seeded_fleet import CONFIG, SOCMON, Company, healthy
from tests.slack_server import slack_server
from tests.world import MovableClock

LEAD = Person(team="T1", user="U1LEAD", roles=frozenset({Role.LEAD, Role.RESPONDER}))
INVENTORY = """\
name,kind,owner,criticality,identities
web-4,host,shop,medium,{web} host:web-4
api-4,host,shop,medium,{api} host:api-4
"""

Cells = Mapping[tuple[str, str], frozenset[str]]


class World:
    """A company and the socmon that looks after it."""

    def __init__(self, company: Company, socmon: Socmon, clock: MovableClock) -> None:
        self.company, self.socmon, self.clock = company, socmon, clock

    async def looks(self, *, minutes: int = 15) -> str:
        """So much later socmon asks everybody again."""
        self.clock.move(60 * minutes)
        self.company.tick(self.clock.now())
        await collect_on_call(self.socmon)
        return await collect_coverage(self.socmon)

    async def found(self) -> tuple[Cells, Mapping[tuple[str, str], str]]:
        """(what is out of coverage and why, what was said of it), by the name of the component and the measure."""
        picture = await self.socmon.records.read(assess_coverage.picture)
        names = {one.component.key: one.component.name for one in picture.entries}
        cells = {
            (names[key], str(measure)): frozenset(
                f"{short.question}: {short.why}" for short in out.shortfalls
            )
            for (key, measure), out in picture.out.items()
        }
        says = {
            (names[key], str(measure)): " ".join(short.says for short in out.shortfalls)
            for (key, measure), out in picture.out.items()
        }
        return cells, says


@pytest.fixture(
    params=["sqlite", pytest.param("postgres", marks=[pytest.mark.postgres, pytest.mark.nightly])],
)
def records_url(request: pytest.FixtureRequest) -> str:
    """On SQLite all day, and on PostgreSQL each night."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
async def world(records_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.setattr(datadog_client, "BACKOFF", 0)
    monkeypatch.setattr(nerdgraph, "PAUSES", (0.0, 0.0, 0.0))
    clock = MovableClock(datetime.now(UTC))
    with (
        served(monkeypatch) as aws,
        fake_datadog(clock.now()) as datadog,
        fake_newrelic(clock.now()) as newrelic,
        fake_pagerduty(clock.now, tmp_path, monkeypatch) as pagerduty,
    ):
        async with slack_server() as slack:
            company = Company(
                datadog=datadog,
                newrelic=newrelic,
                aws=aws,
                pagerduty=pagerduty,
                slack=slack,
            )
            healthy(company)
            company.tick(clock.now())
            (tmp_path / "socmon.toml").write_text(CONFIG)
            environ = {
                "SOCMON_CONFIG": str(tmp_path / "socmon.toml"),
                "SOCMON_DATA_DIR": str(tmp_path / "data"),
                "SOCMON_DATABASE_URL": records_url,
                "SOCMON_LOG_ORIGIN": "socmon.example.com",
                "SOCMON_LOG_KEY_FILE": str(tmp_path / "log.key"),
                "SOCMON_PUBLIC_URL": SOCMON,
                "SLACK_BOT_TOKEN": "xoxb-1",
                "SLACK_SIGNING_SECRET": "a-signing-secret-for-tests",
                "SLACK_API_URL": slack.url,
                "DD_API_KEY": "k",
                "DD_APP_KEY": "k",
                "SOCMON_DATADOG_URL": datadog.url,
                "NEW_RELIC_API_KEY": "k",
                "NEW_RELIC_ACCOUNT_ID": str(ACCOUNT),
                "SOCMON_NEWRELIC_URL": newrelic.url,
                "PAGERDUTY_API_KEY": PAGERDUTY_KEY,
                "SOCMON_PAGERDUTY_URL": pagerduty.url,
            }
            socmon = Socmon(settings=load_settings(environ, all_providers()), clock=clock)
            try:
                yield World(company, socmon, clock)
            finally:
                socmon.close()


async def put_in_scope(world: World, folder: Path) -> None:
    """Two machines by the approved inventory, and all else that the tools find."""
    given = INVENTORY.format(web=world.company.instances["web-4"], api=world.company.instances["api-4"])
    (folder / "inventory.csv").write_text(given)
    await asyncio.to_thread(
        import_files, world.socmon.settings, [folder / "inventory.csv"], replacing=False, dry_run=False
    )
    await collect_inventory(world.socmon)
    waiting = await world.socmon.records.read(take_inventory.open_findings)
    await world.socmon.records.write(change_scope.add_found, [one.id for one in waiting], by=LEAD)


async def collect_inventory_again(world: World) -> None:
    world.clock.move(3600)
    world.company.tick(world.clock.now())
    await collect_inventory(world.socmon)


async def test_every_planted_fault_is_found(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each with its own reason, in exactly the cells that it spoils; before that everything was covered."""
    await put_in_scope(world, tmp_path)
    await world.looks()
    well = await world.socmon.records.read(assess_coverage.picture)
    assert (well.run.components, well.run.total(State.COVERED), well.out) == (60, 208, {})
    expected: dict[tuple[str, str], frozenset[str]] = {}
    for fault in FAULTS:
        fault.plant(world.company)
        planted = dict(fault.expected)
        assert not planted.keys() & expected.keys(), "no fault hides another one"
        expected |= planted

    await collect_inventory_again(world)
    await world.looks()

    cells, says = await world.found()
    assert {at: why for at, why in cells.items() if expected.get(at) != why} == {}, "no false red"
    assert expected.keys() - cells.keys() == set(), "no false green"
    for fault in FAULTS:
        assert all(fault.says in says[at] for at, _ in fault.expected), fault.what
    assert len(FAULTS) >= 25
    capsys.readouterr()
    assert await asyncio.to_thread(print_coverage, world.socmon.settings, (), form="json") == 1
    told = json.loads(capsys.readouterr().out)["cells"]
    red = {(row["name"], row["measure"]) for row in told if row["state"] != State.COVERED}
    assert (len(told), red) == (208, set(expected))
    await announce_losses(world.socmon)
    announced = world.company.slack.parents("C0SOC2")[-1]["text"]
    assert announced.endswith("monitors watch less than before")


@pytest.mark.nightly
async def test_a_tool_that_is_down_makes_nothing_green_and_nothing_red(world: World, tmp_path: Path) -> None:
    """New Relic answers 500 to every question about metrics; what it measures is unknown once its answers are old."""
    await put_in_scope(world, tmp_path)
    await world.looks()
    world.company.newrelic.faults["nrql("] = [500] * 1000

    await world.looks()
    soon = await world.socmon.records.read(assess_coverage.picture)
    await world.looks(minutes=40)
    late = await world.socmon.records.read(assess_coverage.picture)
    cells, says = await world.found()
    world.company.newrelic.faults.clear()
    await world.looks()

    assert soon.out == {}, "its last good answer stands for 45 minutes"
    assert {out.state for out in late.out.values()} == {State.UNKNOWN}
    assert cells.keys() == {
        (name, measure)
        for name in ("api-1", "api-2", "api-3", "api-4", "api-5", "node-1", "node-2", "node-3")
        for measure in ("cpu", "memory", "disk", "network", "uptime")
        if (name, measure) not in _SEEN_BY_AWS_ALONE
        if not (name.startswith("api") and measure == "network")
    } | {
        (f"shop/{name}", measure)
        for name in ("cart", "search", "post")
        for measure in ("cpu", "memory", "uptime")
    }
    assert all("it answered 500" in said for said in says.values())
    assert (await world.socmon.records.read(assess_coverage.picture)).out == {}


_SEEN_BY_AWS_ALONE = {("api-4", "cpu"), ("api-5", "disk")}


@pytest.mark.nightly
async def test_a_lost_page_proves_nothing_absent(world: World, tmp_path: Path) -> None:
    """Of Datadog's monitors the second page is lost: who watches from there is unknown, and the rest is as before."""
    other = [world.company.datadog.monitor(query="avg(last_5m):avg:shop.orders{*} > 1") for _ in range(970)]
    del world.company.datadog.monitors[-len(other) :]
    world.company.datadog.monitors[12:12] = other
    await put_in_scope(world, tmp_path)
    await world.looks()
    assert (await world.socmon.records.read(assess_coverage.picture)).out == {}
    world.company.datadog.faults["/api/v1/monitor?page"] = [503] * 1000

    await world.looks(minutes=50)

    picture = await world.socmon.records.read(assess_coverage.picture)
    cells, says = await world.found()
    assert {out.state for out in picture.out.values()} == {State.UNKNOWN}
    assert cells.keys() == {
        *(("dc-4", measure) for measure in ("disk", "uptime")),
        *((name, measure) for name in ("dc-5", "dc-6") for measure in ("cpu", "memory", "disk", "uptime")),
    }
    assert all("it answered 503" in said for said in says.values())
