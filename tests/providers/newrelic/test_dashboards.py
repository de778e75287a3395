"""New Relic's dashboards: listed without their pages, and drawn page by page as PNG."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.domain.dashboard import Trouble, Uncaptured
from bot.providers.newrelic.dashboards import NewRelicDashboards
from tests.adapters.web.test_dashboard_pictures import graph
from tests.fake_newrelic import ACCOUNT, FakeNewRelic, fake_newrelic

NOW = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)


def board(fake: FakeNewRelic, guid: str, **tags: str) -> None:
    fake.entity("DASHBOARD", guid, **tags)
    fake.entities[-1] |= {"guid": guid, "permalink": f"https://one.newrelic.com/{guid}"}


def test_a_dashboard_is_drawn_page_by_page() -> None:
    with fake_newrelic(NOW) as fake:
        tool, window = NewRelicDashboards(settings=fake.settings()), {"start": NOW - timedelta(hours=3)}
        board(fake, "PROD")
        board(fake, "PROD-1", isDashboardPage="true")
        [one] = tool.list(NOW).items
        fake.entities = fake.entities[1:]  # what the search by the parent finds
        fake.picture = graph()
        got = tool.capture(one, end=NOW, **window)
        fake.picture = b"<form action=/login>"
        with pytest.raises(Uncaptured) as login:
            tool.capture(one, end=NOW, **window)
        fake.faults["dashboardCreateSnapshotUrl"] = ["Access denied"]
        with pytest.raises(Uncaptured, match="access to the account's dashboards") as denied:
            tool.capture(one, end=NOW, **window)
        fake.entities = []
        with pytest.raises(Uncaptured) as gone:
            tool.capture(one, end=NOW, **window)

    assert (one.id, one.account, one.url) == ("PROD", str(ACCOUNT), "https://one.newrelic.com/PROD")
    assert got.panels[0].picture == graph()
    assert fake.drawn[0] == "format=PNG&width=2000&height=2000"
    assert (got.account, got.tells_age) == (str(ACCOUNT), False)
    troubles: list[Any] = [why.value.trouble for why in (login, denied, gone)]
    assert troubles == [Trouble.LOGIN, Trouble.SILENT, Trouble.MISSING]
