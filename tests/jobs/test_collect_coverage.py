"""Every quarter of an hour the tools are asked; one that fails keeps its last good answer, and delays no other."""

import json
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.adapters.slack.coverage_message import coverage_message
from bot.adapters.slack.web import SlackSaysNo
from bot.domain.answers import Subject
from bot.domain.component import Component
from bot.domain.coverage import State
from bot.domain.monitor import MetricReading, Monitor
from bot.domain.paging import Service, ServiceState
from bot.domain.scope import Change, Difference, Heard, InScope
from bot.domain.shortfall import Why
from bot.domain.spending import ASKED_EVERY, Billed, Spent
from bot.procedures import assess_coverage
from bot.procedures.assess_coverage import CoverageAnswer
from bot.providers.contract import Pulled
from jobs.announce_losses import announce_losses
from jobs.collect_coverage import collect_coverage
from jobs.schedule import all_jobs
from tests.fleets import MONITORS, OPS, READINGS, ROUTES, STANDARD, TTL, in_scope
from tests.rosters import roster
from tests.world import Ledger


class Tool:
    """A fleet that says what a test wants it to."""

    def __init__(self) -> None:
        self.monitors: Sequence[Monitor] = MONITORS
        self.down = self.broken = False
        self.asked: list[Component] = []
        self.billed: tuple[Billed, ...] = ()

    def list_components(self, at: datetime) -> Pulled[Component]:
        return Pulled(items=(), complete=True, as_of=at)

    def read_metrics(self, components: Sequence[Component], at: datetime) -> Pulled[MetricReading]:
        if self.broken:
            raise KeyError("series")
        self.asked = list(components)
        if self.down:
            return Pulled(items=(), complete=False, as_of=at, reason="HTTP 403: grant timeseries_query.")
        return Pulled(
            items=tuple(replace(each, last_at=at) for each in READINGS),
            complete=True,
            as_of=at,
            calls=5,
            billed=self.billed,
        )

    def list_monitors(self, at: datetime) -> Pulled[Monitor]:
        return Pulled(items=tuple(self.monitors), complete=True, as_of=at)

    def check_rights(self, at: datetime) -> Pulled[str]:
        return Pulled(items=(), complete=True, as_of=at)


class Parts(SimpleNamespace):
    """What the job gets of the composition root: real records, a tool, and what was said to people."""

    def __init__(self, ledger: Ledger) -> None:
        said: list[tuple[str, Any]] = []

        class Keeper:
            async def read(self, procedure: Any, *args: Any, **facts: Any) -> Any:
                return ledger.read(procedure, *args, **facts)

            async def write(self, procedure: Any, *args: Any, **facts: Any) -> Any:
                return ledger.write(procedure, *args, **facts)

            async def apart(self, work: Any, *args: Any) -> AsyncGenerator[Any, None]:
                for piece in work(ledger.read, *args):
                    yield piece

        class Operators:
            async def report(self, subject: str, text: str) -> None:
                said.append((subject, text))

            async def mended(self, subject: str) -> None:
                said.append((subject, "mended"))

        class Web:
            refuses: Exception | None = None

            async def say(self, channel: str, message: Any) -> None:
                if self.refuses:
                    raise self.refuses
                said.append((channel, message))

        async def nothing_archived() -> frozenset[str]:
            return frozenset()

        slack = SimpleNamespace(validation_channel="C0SOC2", alerts_channel="C0ALERTS")
        super().__init__(
            records=Keeper(),
            operators=Operators(),
            web=Web(),
            said=said,
            clock=ledger.clock,
            fleets={"datadog": Tool()},
            paging={},
            titles={"datadog": "Datadog"},
            standard=STANDARD,
            coverage_time_to_live=TTL,
            coverage_budget=Decimal(100),
            notification_routes=lambda _stored, _now: ROUTES,
            archived_channels=nothing_archived,
            settings=SimpleNamespace(
                config=SimpleNamespace(slack=slack), slack=SimpleNamespace(connected=True)
            ),
        )


@pytest.fixture
def parts(sqlite_url: str) -> Any:
    ledger = Ledger(sqlite_url)
    made = Parts(ledger)
    made.ledger = ledger
    yield made
    ledger.database.close()


def scope(parts: Any, *entries: InScope) -> None:
    parts.ledger.write(
        lambda records: records.add_revision(Change.IMPORTED, Difference(added=entries), by="U1LEAD")
    )


def ask(parts: Any, name: str = "") -> CoverageAnswer:
    answer: CoverageAnswer = parts.ledger.read(assess_coverage.coverage, name, time_to_live=TTL, most=9)
    return answer


async def test_all_of_it_goes_to_another_process_and_back(parts: Any) -> None:
    """The tools, what they say, and what has changed of their monitors."""
    parts.records.apart = parts.ledger.database.apart
    scope(parts, in_scope())
    assert await collect_coverage(parts) == "5 cells covered, 0 gaps opened, 0 closed"

    parts.fleets["datadog"].monitors = MONITORS[1:]
    assert await collect_coverage(parts) == "4 cells covered, 1 gaps opened, 0 closed, 1 monitors watch less"

    assert parts.fleets["datadog"].asked == []  # it was another one's


async def test_the_tools_are_asked_and_the_answer_stands_for_a_while(parts: Any) -> None:
    assert await collect_coverage(parts) == "nothing is in scope yet"
    scope(parts, in_scope())

    assert await collect_coverage(parts) == "5 cells covered, 0 gaps opened, 0 closed"
    assert [each.name for each in parts.fleets["datadog"].asked] == ["web-1"]
    parts.fleets["datadog"].down = True
    parts.ledger.clock.move(1800)
    assert await collect_coverage(parts) == (
        "5 cells covered, 0 gaps opened, 0 closed; datadog: HTTP 403: grant timeseries_query."
    )
    parts.ledger.clock.move(1800)
    assert (await collect_coverage(parts)).startswith("0 cells covered, 5 gaps opened")
    assert ask(parts).counts == {State.UNKNOWN: 5}
    assert ("coverage:datadog", "mended") in parts.said
    assert "grant timeseries_query" in parts.said[-1][1]


async def test_an_answer_that_cannot_be_read_proves_nothing(parts: Any) -> None:
    scope(parts, in_scope())
    parts.fleets["datadog"].broken = True

    await collect_coverage(parts)

    assert ask(parts).counts == {State.UNKNOWN: 5}
    assert "KeyError" in parts.said[-1][1]


async def test_what_came_into_scope_since_is_unknown(parts: Any) -> None:
    scope(parts, in_scope())
    await collect_coverage(parts)
    scope(parts, in_scope("web-2"))

    picture = parts.ledger.read(assess_coverage.picture)

    assert {place[0] for place in picture.out} == {"host:web-2"}
    assert {each.state for each in picture.out.values()} == {State.UNKNOWN}
    assert {gap.state for gap in ask(parts, "web-2").gaps} == {State.UNKNOWN}
    assert ask(parts, "WEB-1").gaps == ()


async def test_what_watches_less_is_announced(parts: Any) -> None:
    """Once, and as soon as Slack takes it."""
    scope(parts, in_scope())
    await collect_coverage(parts)
    assert await announce_losses(parts) == "nothing watches less"
    parts.fleets["datadog"].monitors = [replace(MONITORS[0], window=timedelta(minutes=15)), *MONITORS[2:]]
    parts.ledger.clock.move(1)
    await collect_coverage(parts)
    parts.web.refuses = SlackSaysNo("is_archived")
    assert await announce_losses(parts) == "2 wait"
    parts.web.refuses = None

    assert await announce_losses(parts) == "2 announced"
    assert await announce_losses(parts) == "nothing watches less"

    channel, message = parts.said[-1]
    told = json.dumps(message.blocks, ensure_ascii=False)
    assert (channel, message.text) == ("C0SOC2", "2 monitors watch less than before")
    assert "> 85 for 5 min → > 85 for 15 min" in told.replace("&gt;", ">").replace("›", ">")
    assert "deleted" in told
    shown = json.dumps(coverage_message(ask(parts), titles=parts.titles).blocks, ensure_ascii=False)
    assert "fires after 15 min, later than 5 min" in shown
    assert "Datadog metrics told in full" in shown


async def test_what_the_tools_bill_is_kept_shown_and_told_when_it_is_too_much(parts: Any) -> None:
    """4,000 metrics a run at 0.01 USD for a thousand are 115 USD a month. Nothing is left out for that."""
    scope(parts, in_scope(), in_scope("web-2"))
    parts.fleets["datadog"].billed = (Billed(of="metrics asked for", units=4000, price=Decimal("0.01")),)

    await collect_coverage(parts)

    run = parts.ledger.read(lambda records: records.latest_run())
    spent = Spent(calls=6, components=2, billed=parts.fleets["datadog"].billed)
    heard = Heard(source="datadog", asked_at=parts.clock.now(), calls=3)
    parts.ledger.write(lambda records: records.save_heard(heard))
    assert (run.spent, ask(parts).spent) == ({"datadog": spent}, (("datadog", spent, 3),))
    told = dict(parts.said)["coverage:cost:datadog"]
    assert "costs about 115 USD a month at list prices, over the 100 of [coverage] most_usd_per_month" in told
    shown = json.dumps(coverage_message(ask(parts), titles=parts.titles).blocks, ensure_ascii=False)
    takes = "Datadog takes 6 requests a run; 3 an hour for the inventory; $0.0400 a run"
    assert f"{takes}, about $115.20 a month at list prices" in shown
    parts.fleets["datadog"].billed = ()
    await collect_coverage(parts)
    assert dict(parts.said)["coverage:cost:datadog"] == "mended"


def test_a_month_is_reckoned_with_how_often_the_tools_are_asked() -> None:
    [job] = [each for each in all_jobs(ZoneInfo("UTC")) if each.name == "collect-coverage"]

    assert job.every.interval == ASKED_EVERY


class Pager:
    """PagerDuty's services as a test wants them."""

    def __init__(self) -> None:
        self.down, self.state = False, ServiceState.ACTIVE

    def list_services(self, at: datetime) -> Pulled[Service]:
        if self.down:
            return Pulled(
                items=(), complete=False, as_of=at, reason="PagerDuty answers GET /services with 403."
            )
        found = Service(id="PSVC1", name="Ops", state=self.state, policy="PT20YPA")
        return Pulled(items=(found,), complete=True, as_of=at)


async def test_services_are_asked_and_an_old_answer_says_nothing(parts: Any) -> None:
    """What PagerDuty last said of its services stands as long as any answer; then nobody can tell whom it calls."""
    target = replace(OPS, reaches=("Ops",))
    parts.fleets["datadog"].monitors = [replace(one, targets=(target,)) for one in MONITORS]
    platform = replace(roster().team("platform"), policy="PT20YPA")
    known = replace(roster(), teams=(platform,))
    parts.notification_routes = lambda _stored, _now: replace(ROUTES, services={}, roster=known)
    parts.paging = {"pagerduty": Pager()}
    parts.titles["pagerduty"] = "PagerDuty"
    scope(parts, in_scope())

    assert await collect_coverage(parts) == "5 cells covered, 0 gaps opened, 0 closed"
    assert [(age.provider, age.subject) for age in ask(parts).ages][-1] == ("pagerduty", Subject.SERVICES)
    parts.paging["pagerduty"].down = True
    parts.ledger.clock.move(1800)
    assert (await collect_coverage(parts)).startswith("5 cells covered")
    parts.ledger.clock.move(1800)
    assert (await collect_coverage(parts)).startswith("1 cells covered, 4 gaps opened")
    assert ask(parts).run.total(State.UNKNOWN) == 4
    parts.paging["pagerduty"].down, parts.paging["pagerduty"].state = False, ServiceState.MAINTENANCE
    await collect_coverage(parts)
    assert {each.why for gap in ask(parts).gaps for each in gap.shortfalls} == {Why.DEAD_TARGET}
