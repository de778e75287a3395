"""What AWS knows of a company's infrastructure: fills `Fleet` of the contract, over all accounts and regions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.component import Component
from bot.domain.monitor import MetricReading, Monitor
from bot.providers.cloudwatch import inventory, metrics, monitors, rights
from bot.providers.cloudwatch.aws import Aws
from bot.providers.cloudwatch.settings import CloudWatchSettings
from bot.providers.contract import Fleet, Pulled


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudWatchFleet(Fleet):
    """Each question signs in anew, so the keys of a role never run out in between."""

    settings: CloudWatchSettings

    def list_components(self, at: datetime) -> Pulled[Component]:
        aws = Aws(self.settings)
        return aws.pulled([one for place in aws.places() for one in inventory.list_components(place)], at)

    def read_metrics(self, components: Sequence[Component], at: datetime) -> Pulled[MetricReading]:
        aws = Aws(self.settings)
        found = [one for place in aws.places() for one in metrics.read_metrics(place, components, at)]
        return aws.pulled(found, at)

    def list_monitors(self, at: datetime) -> Pulled[Monitor]:
        aws = Aws(self.settings)
        found = [one for place in aws.places() for one in monitors.list_monitors(place, self.settings)]
        return aws.pulled(found, at)

    def check_rights(self, at: datetime) -> Pulled[str]:
        return rights.check_rights(Aws(self.settings), at)
