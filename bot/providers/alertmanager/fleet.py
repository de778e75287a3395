"""What Prometheus knows of the infrastructure, and where Alertmanager sends its alerts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.component import Component
from bot.domain.monitor import MetricReading, Monitor
from bot.providers.alertmanager.inventory import list_components
from bot.providers.alertmanager.metrics import read_metrics
from bot.providers.alertmanager.monitors import list_monitors
from bot.providers.alertmanager.settings import AlertmanagerSettings
from bot.providers.contract import Fleet, Pulled, understood

TITLE = "Prometheus"


@dataclass(frozen=True, slots=True, kw_only=True)
class PrometheusFleet(Fleet):
    """Machines with a node_exporter, their metrics, and the alert rules."""

    settings: AlertmanagerSettings

    def list_components(self, at: datetime) -> Pulled[Component]:
        return understood(TITLE, lambda: list_components(self.settings, at), at)

    def read_metrics(self, components: Sequence[Component], at: datetime) -> Pulled[MetricReading]:
        return understood(TITLE, lambda: read_metrics(self.settings, components, at), at)

    def list_monitors(self, at: datetime) -> Pulled[Monitor]:
        return understood(TITLE, lambda: list_monitors(self.settings, at), at)
