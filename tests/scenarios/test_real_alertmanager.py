"""Debian's own Alertmanager posts its own webhooks: firing, grouped, resolved."""

import json
from pathlib import Path
from typing import Any

from tests.alertmanager import SECRET, push, running_alertmanager
from tests.processes import Bot, running_slack, wait_until


def test_firing_grouped_and_resolved(alertmanager: Path, tmp_path: Path) -> None:
    """Two hosts of one group become two alerts; when one recovers, only that one asks for its note.

    The Watchdog in the same group is heard as what it is, and no alert; that it ends is seen.
    """
    with running_slack() as slack:
        bot = Bot(tmp_path, slack)
        config = tmp_path / "socmon.toml"
        config.write_text(f"{config.read_text()}\n[providers.alertmanager]\nenabled = true\n")
        bot.environ["SOCMON_WEBHOOK_SECRET_ALERTMANAGER"] = SECRET
        bot.start()
        try:
            with running_alertmanager(alertmanager, tmp_path, bot.url) as url:
                push(url, "prometheus-1", name="Watchdog")
                push(url, "db-1", "db-2")
                wait_until(lambda: len(bot.log()) == 2, what="both have fired", log=tmp_path / "bot.log")
                push(url, "prometheus-1", name="Watchdog", ended=True)
                push(url, "db-1", ended=True)
                wait_until(
                    lambda: _states(bot)["db-1"] == "recovered, note needed", what="db-1 has recovered"
                )
        finally:
            bot.stop()
        assert _states(bot) == {"db-1": "recovered, note needed", "db-2": "triggered"}
        status = json.loads(bot.run("status", "--json").stdout)
        source = next(one for one in status["sources"] if one["provider"] == "alertmanager")
        heard = [(one["name"], bool(one["heard_at"]), bool(one["ended_at"])) for one in source["pulses"]]
        assert heard == [("Watchdog of c1", True, True)]
        assert status["gaps"] == []
        assert bot.run("evidence", "verify").returncode == 0


def _states(bot: Bot) -> dict[str, Any]:
    return {row["component"]: row["state"] for row in bot.log()}
