"""What New Relic knows of the infrastructure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.component import Component
from bot.domain.monitor import MetricReading, Monitor
from bot.providers.contract import Fleet, Item, Pulled
from bot.providers.newrelic.inventory import list_components
from bot.providers.newrelic.metrics import read_metrics
from bot.providers.newrelic.monitors import list_monitors
from bot.providers.newrelic.settings import NewRelicSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRelicFleet(Fleet):
    """Hosts and Kubernetes deployments, their metrics and NRQL conditions."""

    settings: NewRelicSettings

    def list_components(self, at: datetime) -> Pulled[Component]:
        return _pulled(lambda: list_components(self.settings, at), at)

    def read_metrics(self, components: Sequence[Component], at: datetime) -> Pulled[MetricReading]:
        return _pulled(lambda: read_metrics(self.settings, components, at), at)

    def list_monitors(self, at: datetime) -> Pulled[Monitor]:
        return _pulled(lambda: list_monitors(self.settings, at), at)


def _pulled(ask: Callable[[], Pulled[Item]], at: datetime) -> Pulled[Item]:
    """An answer of another form than the documented one is no answer, wherever it is noticed."""
    try:
        return ask()
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        why = f"New Relic's answer has a form that socmon does not know ({type(error).__name__}: {error})."
        return Pulled(items=(), complete=False, as_of=at, reason=f"{why} Report this as a fault of socmon.")
