"""Each chosen dashboard is captured each week: what is broken is refused with its reason, and keeps no other back."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bot.adapters.artifacts import artifacts_in
from bot.adapters.browser import Browser
from bot.adapters.system import SystemClock
from bot.adapters.web.pixels import look
from bot.domain.dashboard import PAGE, Capture, Dashboard, Rules, Trouble
from bot.domain.scope import Change, Difference
from bot.domain.validation import Period, Section, Verdict
from bot.procedures import review_dashboards
from bot.providers.datadog.dashboards import DatadogDashboards
from jobs.capture_dashboards import capture_dashboards
from tests.dashboard_pages import ACCOUNT, serve
from tests.fake_datadog import fake_datadog
from tests.fake_pagerduty import serving
from tests.fleets import in_scope
from tests.reports import LEAD
from tests.world import MovableClock, open_database

RULES = Rules(name_like="prod", stale_after=timedelta(minutes=15), window=timedelta(hours=3))
BROKEN = {
    "/blank": Trouble.BLANK,
    "/login": Trouble.LOGIN,
    "/gone": Trouble.MISSING,
    "/stale": Trouble.STALE,
    "/half": Trouble.HALF_LOADED,
    "/huge": Trouble.HUGE,
    "/slow": Trouble.TIMED_OUT,
    "/other": Trouble.WRONG_ACCOUNT,
}


def parts(folder: Path, clock: Any, **facts: Any) -> Any:
    table = SimpleNamespace(rules=RULES, page_dashboards=facts.pop("pages", ()))
    known = {
        "settings": SimpleNamespace(config=SimpleNamespace(dashboards=table)),
        "records": open_database(f"sqlite:///{folder / 'socmon.db'}", clock),
        "clock": clock,
        "artifacts": artifacts_in(folder / "artifacts", bucket="", prefix=""),
        "titles": {"datadog": "Datadog", PAGE: "Web page"},
        "boards": {},
        "browser": Browser(program=""),
    }
    return SimpleNamespace(**known | facts)


async def newest(made: Any) -> dict[str, Capture]:
    found = await made.records.read(lambda records: records.latest_captures())
    return {one.dashboard.title: one for one in found}


async def test_what_is_kept_and_what_is_refused(tmp_path: Path) -> None:
    """The picture lies under its digest, with what is in scope on it; a page without a browser is a gap."""
    clock = MovableClock(datetime(2026, 11, 23, 8, 30, tzinfo=UTC))
    page = Dashboard(provider=PAGE, id="https://a.example/", title="prod page", url="https://a.example/")
    with fake_datadog(clock.now()) as fake:
        fake.monitor()
        fake.host("web-1", "env:prod")
        fake.dashboard("prod-overview", {"CPU": "avg:system.cpu.user{env:prod} by {host}"})
        fake.dashboard("prod-dead", {"CPU": "avg:system.cpu.user{env:gone} by {host}"})
        tool = DatadogDashboards(settings=fake.settings(), pause=0)
        made = parts(tmp_path, clock, boards={"datadog": tool}, pages=(page,))
        try:
            added = Difference(added=(in_scope("web-1"),))
            await made.records.write(
                lambda records: records.add_revision(Change.IMPORTED, added, by="U1LEAD")
            )
            for one in tool.list(clock.now()).items:
                await made.records.write(review_dashboards.choose, one, by=LEAD)
            other = Dashboard(provider="newrelic", id="x", title="prod elsewhere")
            await made.records.write(review_dashboards.choose, other, by=LEAD)
            did = await capture_dashboards(made)
            found = await newest(made)
        finally:
            made.records.close()
    assert did.startswith("1 of 4 captured; ")
    kept = found["prod-overview"]
    content = made.artifacts.read(kept.picture)
    look(content)
    assert (kept.size, kept.components) == (len(content), ("web-1",))
    assert kept.newest_at == clock.now()
    assert {name: one.trouble for name, one in found.items() if one.trouble} == {
        "prod-dead": Trouble.STALE,
        "prod elsewhere": Trouble.SILENT,
        "prod page": Trouble.NO_PICTURE,
    }
    assert all(not one.picture and one.says and one.mend for one in found.values() if one.trouble)
    assert "[dashboards] chromium" in found["prod page"].mend


@pytest.mark.browser
@pytest.mark.nightly
async def test_eight_broken_pages(tmp_path: Path, chromium: Path) -> None:
    """All of them refused with the reason, in the records and in the week's section; the whole one is kept."""
    clock = SystemClock()
    with serving(serve, None) as url:
        pages = [
            Dashboard(
                provider=PAGE,
                id=path,
                title=f"prod {path}",
                url=f"{url}{path}",
                account="" if path == "/blank" else ACCOUNT,
            )
            for path in ("/whole", *BROKEN)
        ]
        browser = Browser(program=str(chromium), seconds=5)
        made = parts(tmp_path, clock, pages=pages, browser=browser)
        try:
            did = await capture_dashboards(made)
            found = await newest(made)
            now = clock.now()
            period = Period(week="W", start=now - timedelta(days=1), end=now)
            section: Section = await made.records.read(review_dashboards.dashboards, period)
        finally:
            made.records.close()
    assert did.startswith("1 of 9 captured")
    assert {path: found[f"prod {path}"].trouble for path in BROKEN} == BROKEN
    assert all(found[f"prod {path}"].says for path in BROKEN)
    look(made.artifacts.read(found["prod /whole"].picture))
    assert section.verdict is Verdict.BAD
    assert section.facts["refused"] == len(BROKEN)
