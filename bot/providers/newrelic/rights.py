"""Whether the user of the key may see everything that socmon reads: each of its questions, once and in short."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from bot.domain.errors import ToolSilent
from bot.providers.contract import Pulled
from bot.providers.newrelic import inventory, metrics, monitors, routes
from bot.providers.newrelic.nerdgraph import Visit
from bot.providers.newrelic.settings import NewRelicSettings

ONE_HOST = (
    "FROM SystemSample SELECT filter(latest(timestamp), WHERE cpuPercent IS NOT NULL) AS 'cpu' FACET entityGuid"
    " SINCE 30 minutes ago LIMIT 1"
)


class _Right(NamedTuple):
    """What it takes, and the question that shows it: its words, its query, where the answer lies, its variables."""

    needed: str
    about: str
    query: str
    path: str
    variables: dict[str, str]


def check_rights(settings: NewRelicSettings, at: datetime) -> Pulled[str]:
    visit = Visit(settings)
    asked: list[tuple[str, bool]] = []
    for right in _rights(settings):
        try:
            visit.ask(right.about, right.needed, right.query, right.path, **right.variables)
        except ToolSilent as error:
            visit.note(str(error))
            asked.append((right.needed, False))
        else:
            asked.append((right.needed, True))
    refused = {needed for needed, granted in asked if not granted}
    return visit.answer(dict.fromkeys(needed for needed, _ in asked if needed not in refused), at)


def _rights(settings: NewRelicSettings) -> Iterator[_Right]:
    none = f"accountId = {settings.account} AND name = 'socmon-doctor'"
    yield _Right(
        inventory.NEEDED, "which hosts exist", inventory.QUERY, "entitySearch.results", {"search": none}
    )
    yield _Right(metrics.NEEDED, "who reports", metrics.QUERY, "account.nrql.results", {"nrql": ONE_HOST})
    for about, query, name in (
        ("which conditions there are", monitors.CONDITIONS, "nrqlConditionsSearch"),
        ("which policies there are", monitors.POLICIES, "policiesSearch"),
        ("which muting rules there are", monitors.MUTING_RULES, "mutingRules"),
    ):
        yield _Right(monitors.NEEDED, about, query, f"account.alerts.{name}", {})
    for about, query, name in (
        ("which workflows there are", routes.WORKFLOWS, "aiWorkflows.workflows"),
        ("which channels there are", routes.CHANNELS, "aiNotifications.channels"),
        ("which destinations there are", routes.DESTINATIONS, "aiNotifications.destinations"),
    ):
        yield _Right(routes.NEEDED, about, query, f"account.{name}", {})
