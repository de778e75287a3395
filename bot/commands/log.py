"""`socmon log`: the alert log as a file."""

import sys

from bot.commands.records import records_of
from bot.domain.alert import Alert
from bot.domain.alert_log import log_rows, to_csv, to_json
from bot.procedures.review_alerts import alert_log
from bot.settings import Settings


def print_log(settings: Settings, which: str, *, as_json: bool) -> int:
    """The same rows as `/socmon log … csv` sends."""
    alerts: list[Alert] = []
    with records_of(settings) as ask:
        while page := ask(alert_log, which, user="", before=alerts[-1].id if alerts else None):
            alerts += page
    rows = log_rows(alerts)
    sys.stdout.write(to_json(rows) if as_json else to_csv(rows))
    return 0
