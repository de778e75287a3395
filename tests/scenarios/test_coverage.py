"""Coverage in the browser: the picture, a gap, its task, and the recheck that closes it."""

import asyncio
import secrets
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect

from bot.app import Socmon
from bot.commands.playground import SampleNetwork, playground_settings
from bot.domain.component import MEASURES, Component, Identity, Kind, Measure
from bot.domain.monitor import MetricReading, Monitor, Target, TargetKind
from bot.domain.scope import Change, Criticality, Difference
from bot.playground import TOKEN, create_playground
from bot.playground.clock import PlaygroundClock
from bot.playground.pagerduty import FakePagerDuty
from bot.playground.pagerduty_line import PagerDutyLine
from bot.ports import Records
from bot.providers import all_providers
from bot.providers.contract import Pulled
from bot.settings import trust
from jobs.collect_coverage import collect_coverage
from tests.fleets import STANDARD, in_scope, monitor
from tests.processes import free_port, wait_until
from tests.scenarios.conftest import DESKTOP, PHONE, picture

pytestmark = pytest.mark.browser

NAMES = ("payments-1", "payments-2", "web-1", "web-2", "worker-1", "reports-1")
ON_CALL = (Target(kind=TargetKind.PAGERDUTY, name="PESC001"),)


class Fleet:
    """Hosts that all report; `missing` is the measure that no monitor watches yet."""

    missing: Measure | None = Measure.CPU

    def list_components(self, at: datetime) -> Pulled[Component]:
        return Pulled(items=(), complete=True, as_of=at)

    def read_metrics(self, _components: Sequence[Component], at: datetime) -> Pulled[MetricReading]:
        every = [(name, measure) for name in NAMES for measure in MEASURES[Kind.HOST]]
        return Pulled(
            items=tuple(
                MetricReading(
                    identity=Identity("host", name), measure=measure, metric=f"system.{measure}", last_at=at
                )
                for name, measure in every
                if (name, measure) != ("reports-1", Measure.MEMORY)
            ),
            complete=True,
            as_of=at,
        )

    def list_monitors(self, at: datetime) -> Pulled[Monitor]:
        watched = [each for each in MEASURES[Kind.HOST] if each not in {Measure.NETWORK, self.missing}]
        found = tuple(replace(monitor(each), targets=ON_CALL) for each in watched)
        return Pulled(items=found, complete=True, as_of=at)

    def check_rights(self, at: datetime) -> Pulled[str]:
        return Pulled(items=(), complete=True, as_of=at)


class Running:
    """The playground as `socmon playground` starts it, with that fleet beside it."""

    def __init__(self, folder: Path) -> None:
        self.url, self.fleet = f"http://127.0.0.1:{(port := free_port())}", Fleet()
        samples = {name: provider.samples() for name, provider in all_providers().items()}
        clock, secret = PlaygroundClock(), secrets.token_hex(16)
        line = PagerDutyLine(FakePagerDuty(now=clock.now), folder=folder, bot_url=self.url)
        trust(line.authority)
        space = create_playground(
            bot_url=self.url,
            signing_secret=secret,
            bot_token=TOKEN,
            samples=samples,
            clock=clock,
            snapshot_path=folder / "workspace.json",
            rate_limits=True,
            pagerduty=line,
        )
        settings = playground_settings(
            folder, base=self.url, signing_secret=secret, samples=samples, pagerduty=line
        )
        self.socmon = Socmon(settings=settings, network=SampleNetwork({}), clock=clock)
        self.socmon.fleets, self.socmon.standard = {"datadog": self.fleet}, STANDARD

        @asynccontextmanager
        async def beside() -> AsyncIterator[None]:
            await space.start()
            assessing = asyncio.create_task(self._assess())
            try:
                yield
            finally:
                assessing.cancel()
                await space.stop()

        config = uvicorn.Config(
            self.socmon.asgi(space.routes, beside=beside), port=port, log_level="critical", ws="none"
        )
        config.timeout_graceful_shutdown = 1
        self._server, self._space = uvicorn.Server(config), space
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        wait_until(lambda: self._server.started or not self._thread.is_alive(), what="the playground is open")

    async def _assess(self) -> None:
        """As the job does a quarter of an hour after the start, once it is known who is on call."""
        await self.socmon.records.write(_import)
        while not await self.socmon.records.read(_roster):  # noqa: ASYNC110 - nobody is told
            await asyncio.sleep(0.1)
        await collect_coverage(self.socmon)

    def is_known(self) -> bool:
        """Both take a moment after the start; the assessment is at most a minute old."""
        read = self.socmon.records.read_now
        return read(lambda records: records.latest_run()) is not None

    def stop(self) -> None:
        self._space.live.hang_up()
        self._server.should_exit = True
        self._thread.join(15)


def _import(records: Records) -> None:
    entries = [replace(in_scope(name), owner="Payments", criticality=_matters(name)) for name in NAMES]
    if records.scope() is None:
        records.add_revision(Change.IMPORTED, Difference(added=tuple(entries)), by="U0LEAD")


def _roster(records: Records) -> object:
    return records.latest_roster()


def _matters(name: str) -> Criticality:
    return Criticality.HIGH if name.startswith("payments") else Criticality.MEDIUM


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    made = Running(tmp_path)
    yield made
    made.stop()


def visit(browser: Browser, running: Running, user: str, viewport: dict[str, int]) -> Page:
    context = browser.new_context(viewport=viewport, reduced_motion="reduce")  # type: ignore[arg-type]
    context.add_init_script(f"localStorage.persona ??= '{user}'")
    page = context.new_page()
    page.goto(f"{running.url}/playground/#/archives/C0SOC2")
    page.wait_for_selector(".page")
    return page


@pytest.mark.nightly
def test_from_a_gap_to_its_mending(browser: Browser, running: Running, tmp_path: Path) -> None:
    """Sam sees the gap on a desk and takes it on; once it is mended, a recheck on a phone closes the task."""
    wait_until(running.is_known, what="who is on call is known, and coverage is assessed")
    desk = visit(browser, running, "U0SAM", DESKTOP)
    box = desk.get_by_role("textbox", name="Message #soc2-monitoring")
    box.fill("/socmon coverage")
    box.press("Enter")
    heat_map = desk.get_by_role("img", name="Heat map of coverage: 23 of 30 covered, 7 gaps")
    expect(heat_map).to_be_visible(timeout=10_000)
    picture(desk, tmp_path, "coverage")
    desk.get_by_role("button", name="List all gaps").first.click()
    expect(desk.get_by_text("Gaps 1 to 7 of 7")).to_be_visible()
    picture(desk, tmp_path, "gaps")
    desk.get_by_role("button", name="Open task for cpu of payments-1").last.click()
    desk.get_by_label("What is to be done?").fill("Add the CPU monitor")
    picture(desk, tmp_path, "form")
    desk.get_by_role("dialog").get_by_role("button", name="Open").click()
    expect(desk.get_by_role("dialog")).to_contain_text("F-1 is on record")
    desk.get_by_role("dialog").get_by_role("button", name="Close").last.click()

    running.fleet.missing = None
    phone = visit(browser, running, "U0SAM", PHONE)
    phone.get_by_role("button", name="List all gaps").first.click()
    expect(phone.get_by_text("F-1 for")).to_be_visible()
    picture(phone, tmp_path, "gaps")
    phone.get_by_role("button", name="Recheck cpu of payments-1").last.click()
    expect(phone.get_by_text("is closed: it was found mended")).to_be_visible(timeout=10_000)
    picture(phone, tmp_path, "closed")
