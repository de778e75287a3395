"""What New Relic knows of the infrastructure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.component import Component
from bot.domain.monitor import MetricReading, Monitor
from bot.providers.contract import Fleet, Pulled, understood
from bot.providers.newrelic.inventory import list_components
from bot.providers.newrelic.metrics import read_metrics
from bot.providers.newrelic.monitors import list_monitors
from bot.providers.newrelic.rights import check_rights
from bot.providers.newrelic.settings import NewRelicSettings

TITLE = "New Relic"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRelicFleet(Fleet):
    """Hosts and Kubernetes deployments, their metrics and NRQL conditions."""

    settings: NewRelicSettings

    def list_components(self, at: datetime) -> Pulled[Component]:
        return understood(TITLE, lambda: list_components(self.settings, at), at)

    def read_metrics(self, components: Sequence[Component], at: datetime) -> Pulled[MetricReading]:
        return understood(TITLE, lambda: read_metrics(self.settings, components, at), at)

    def list_monitors(self, at: datetime) -> Pulled[Monitor]:
        return understood(TITLE, lambda: list_monitors(self.settings, at), at)

    def check_rights(self, at: datetime) -> Pulled[str]:
        return understood(TITLE, lambda: check_rights(self.settings, at), at)
