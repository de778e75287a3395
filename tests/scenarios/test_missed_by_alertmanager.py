"""Debian's own Alertmanager is asked what is active: what its lost webhooks would have told is found all the same."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from bot.app import Socmon
from bot.domain.alert import Source
from bot.providers import all_providers
from bot.settings import load_settings
from jobs.reconcile import reconcile
from tests.alertmanager import SECRET, push, running_alertmanager
from tests.processes import free_port, wait_until
from tests.slack_server import slack_server
from tests.world import MovableClock


@pytest.fixture
def url(alertmanager: Path, tmp_path: Path) -> Iterator[str]:
    """Its webhooks go nowhere."""
    with running_alertmanager(alertmanager, tmp_path, f"http://127.0.0.1:{free_port()}") as address:
        yield address


async def test_missed_triggers_and_recoveries_are_found(url: str, tmp_path: Path) -> None:
    """db-1 and db-2 fire unheard; db-3 is silenced; then db-1 recovers unheard, and Alertmanager goes away."""
    clock = MovableClock(datetime.now(UTC) + timedelta(minutes=10))
    async with slack_server() as slack:
        slack.users = {}
        socmon = _socmon(tmp_path, url, slack.url, clock)
        _silence(url, "db-3")
        push(url, "db-1", "db-2", "db-3")
        wait_until(lambda: len(_active(url)) == 3, what="Alertmanager has them")

        assert await reconcile(socmon) == "alertmanager: 2 opened"
        assert {one.component: one.source for one in await _alerts(socmon)} == {
            "db-1": Source.FIRING,
            "db-2": Source.FIRING,
        }
        assert await reconcile(socmon) == "alertmanager: in agreement"

        push(url, "db-1", ended=True)
        wait_until(lambda: len(_active(url)) == 2, what="db-1 has recovered there")
        clock.move(600)
        assert await reconcile(socmon) == "alertmanager: 1 recovered"
        assert {one.component: one.source for one in await _alerts(socmon)} == {
            "db-1": Source.RECOVERED,
            "db-2": Source.FIRING,
        }

        silent = _socmon(tmp_path / "b", f"http://127.0.0.1:{free_port()}", slack.url, clock)
        assert "not complete" in await reconcile(silent)
        [(subject, _, text)] = await silent.records.read(lambda records: records.problems())
        assert subject == "tool:alertmanager"
        assert "did not say which alerts are active: no answer" in text
        silent.close()
        socmon.close()


def _socmon(folder: Path, url: str, slack: str, clock: MovableClock) -> Socmon:
    folder.mkdir(exist_ok=True)
    config = folder / "socmon.toml"
    config.write_text(f'[providers.alertmanager]\nurl = "{url}"\n')
    environ = {
        "SOCMON_CONFIG": str(config),
        "SOCMON_DATA_DIR": str(folder / "data"),
        "SOCMON_WEBHOOK_SECRET_ALERTMANAGER": SECRET,
        "SLACK_BOT_TOKEN": "xoxb-1",
        "SLACK_API_URL": slack,
    }
    return Socmon(settings=load_settings(environ, all_providers()), clock=clock)


async def _alerts(socmon: Socmon) -> list[Any]:
    return await socmon.records.read(lambda records: records.find_alerts())


def _active(url: str) -> list[Any]:
    with urlopen(f"{url}/api/v2/alerts", timeout=5) as answer:
        found: list[Any] = json.load(answer)
    return found


def _silence(url: str, host: str) -> None:
    now = datetime.now(UTC)
    body = {
        "matchers": [{"name": "instance", "value": host, "isRegex": False, "isEqual": True}],
        "startsAt": (now - timedelta(minutes=1)).isoformat(),
        "endsAt": (now + timedelta(hours=1)).isoformat(),
        "createdBy": "a test",
        "comment": "a test",
    }
    asked = Request(
        f"{url}/api/v2/silences",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    urlopen(asked, timeout=5).close()
