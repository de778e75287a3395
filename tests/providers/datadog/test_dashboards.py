"""Datadog's dashboards: listed, drawn graph by graph, and believed only with fresh values of the same queries."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.adapters.web.pixels import look
from bot.domain.dashboard import Captured, Dashboard, Trouble, Uncaptured
from bot.playground.fleet import build_fleet
from bot.providers.datadog.dashboards import DatadogDashboards
from tests.fake_datadog import FakeDatadog, fake_datadog

NOW = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)
LOGIN = b'<html><form action="/account/login"><input type="password"></form>'


@pytest.fixture
def datadog() -> Iterator[FakeDatadog]:
    with fake_datadog(NOW) as fake:
        fake.monitor()
        fake.host("web-1", "env:prod")
        fake.host("db-1", "env:prod")
        fake.dashboard("prod-overview", {"CPU": "avg:system.cpu.user{$env} by {host}"})
        fake.dashboards[0]["template_variables"] = [{"name": "env", "prefix": "env", "defaults": ["prod"]}]
        yield fake


def boards(fake: FakeDatadog, **settings: Any) -> DatadogDashboards:
    return DatadogDashboards(settings=fake.settings(**settings), pause=0)


def capture(fake: FakeDatadog, identity: str = "", **settings: Any) -> Captured:
    board = Dashboard(provider="datadog", id=identity or fake.dashboards[0]["id"], title="prod-overview")
    return boards(fake, **settings).capture(board, start=NOW - timedelta(hours=1), end=NOW)


def test_a_fleets_dashboards() -> None:
    """As the playground has them: each graph drawn, every host recognised, the organisation known."""
    with fake_datadog(NOW) as fake:
        build_fleet(fake)
        listed = boards(fake).list(NOW)
        assert (listed.complete, [one.title for one in listed.items]) == (
            True,
            ["prod-overview", "Batch machines"],
        )
        batch = listed.items[1]
        assert batch.url == f"https://app.datadoghq.com/dashboard/{batch.id}/batch-machines"
        got = boards(fake).capture(batch, start=NOW - timedelta(hours=1), end=NOW)
    assert got.account == batch.account == "organisation 321813"
    assert got.newest_at == NOW
    assert got.shows == {"prod-batch-1", "prod-batch-2"}
    look(got.panels[0].picture)


def test_a_snapshot_is_waited_for(datadog: FakeDatadog) -> None:
    """Until it is there, and comes twice alike."""
    datadog.snapshots = [403, 404, b"\x89PNG\r\n\x1a\nhalf of it"]
    got = capture(datadog)
    look(got.panels[0].picture)
    assert got.shows == {"web-1", "db-1"}, "by the variable's default"


@pytest.mark.parametrize(
    ("answers", "trouble"),
    [
        ([403] * 20, Trouble.LOGIN),
        ([404] * 20, Trouble.MISSING),
        ([LOGIN] * 20, Trouble.LOGIN),
        ([b"<p>Try later"] * 20, Trouble.NO_PICTURE),
        ([b"\x89PNG\r\n\x1a\n" + bytes([number]) for number in range(20)], Trouble.HALF_LOADED),
        ([b"\x89PNG\r\n\x1a\n" + bytes(9_000_000)], Trouble.HUGE),
        ([504], Trouble.TIMED_OUT),
        ([500], Trouble.SILENT),
    ],
)
def test_a_snapshot_that_never_comes(
    datadog: FakeDatadog, answers: list[bytes | int], trouble: Trouble
) -> None:
    datadog.snapshots = answers
    with pytest.raises(Uncaptured) as why:
        capture(datadog)
    assert why.value.trouble is trouble


def test_what_is_not_there_or_not_allowed(datadog: FakeDatadog) -> None:
    with pytest.raises(Uncaptured, match="no such dashboard any more") as gone:
        capture(datadog, "zzz-zzz-zzz")
    assert gone.value.trouble is Trouble.MISSING
    datadog.refuses = True
    with pytest.raises(Uncaptured, match="the permission dashboards_read") as refused:
        capture(datadog)
    assert refused.value.trouble is Trouble.SILENT
    listed = boards(datadog).list(NOW)
    assert not listed.complete
    assert "dashboards_read" in listed.reason


def test_values_of_the_same_queries_tell_the_age(datadog: FakeDatadog) -> None:
    """A graph that finds nothing is named; what is no graph is written out; formulas are said to be left out."""
    datadog.stopped = {name: (NOW - timedelta(minutes=40)).isoformat() for name in ("web-1", "db-1")}
    widgets = datadog.dashboards[0]["widgets"]
    datadog.dashboard("Others", {"Nothing": "avg:system.cpu.user{env:nowhere} by {host}"})
    [lost] = datadog.dashboards[1]["widgets"]
    lost["definition"]["requests"][0]["formulas"] = [{"formula": "query1 * 2"}]
    note = {"definition": {"type": "note", "content": "Call the\nplatform team"}}
    log_stream = {"definition": {"type": "log_stream", "title": "Logs"}}
    group = {"definition": {"type": "group", "widgets": [lost, note]}}
    datadog.dashboards[0]["widgets"] = [*widgets, group, log_stream]

    got = capture(datadog)

    assert got.newest_at == NOW - timedelta(minutes=40)
    assert [panel.title for panel in got.panels] == ["CPU", "Nothing", "note", "Logs"]
    assert got.panels[2].lines == ("Call the", "platform team")
    assert "log_stream" in got.panels[3].lines[0]
    assert got.warnings == (
        "“Nothing” has no value in this time.",
        "“Nothing” is drawn by its queries, without its formulas.",
    )
