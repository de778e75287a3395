"""Each tool is compared for itself: what goes wrong with one is on record, and keeps no other from being compared."""

from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from bot.domain.alert import Source
from bot.domain.comparison import OpenAlert
from bot.procedures.report_status import report_status
from bot.procedures.show_alert import clear_problem, report_problem
from bot.providers.contract import Alerts, Pulled
from jobs.reconcile import reconcile
from tests.reports import report
from tests.world import ROUTES, MovableClock, open_database


class Well(Alerts):
    def list_open(self, at: datetime) -> Pulled[OpenAlert]:
        return Pulled(items=(OpenAlert(reported=report(current=True)),), complete=True, as_of=at)


class Broken(Alerts):
    def list_open(self, at: datetime) -> Pulled[OpenAlert]:
        raise KeyError(at)


class Silent(Alerts):
    def list_open(self, at: datetime) -> Pulled[OpenAlert]:
        return Pulled(items=(), complete=False, as_of=at, reason="It did not answer.")


async def test_one_tools_trouble_keeps_no_other_from_being_compared(tmp_path: Path) -> None:
    clock = MovableClock()
    records = open_database(f"sqlite:///{tmp_path / 'socmon.db'}", clock)
    tools: dict[str, Alerts] = {"well": Well(), "broken": Broken(), "silent": Silent()}
    told: list[str] = []

    async def told_of(subject: str, text: str) -> None:
        told.append(text)
        await records.write(report_problem, subject, text)

    async def mended(subject: str) -> None:
        await records.write(clear_problem, subject)

    parts: Any = SimpleNamespace(
        tools=tools,
        records=records,
        clock=clock,
        settings=SimpleNamespace(slack_routes=ROUTES),
        operators=SimpleNamespace(report=told_of, mended=mended),
        wake=lambda: None,
    )
    said = await reconcile(parts)

    assert said.startswith("well: 1 opened; broken: not complete (socmon could not read")
    assert said.endswith("silent: not complete (It did not answer.)")
    [alert] = await records.read(lambda reading: reading.find_alerts())
    assert (alert.provider, alert.source) == ("well", Source.FIRING)
    status = await records.read(report_status, {}, version="0")
    assert {problem.subject for problem in status.problems} == {"tool:broken", "tool:silent"}
    assert "Alerts still arrive by webhook" in told[0]
    tools["silent"] = tools["broken"] = Well()
    clock.move(600)
    assert "not complete" not in await reconcile(parts)
    status = await records.read(report_status, {}, version="0")
    assert status.problems == ()
    records.close()
