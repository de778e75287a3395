"""PagerDuty: incidents, told by v3 webhooks and handled over its REST API; who is on call, asked there."""

from typing import TYPE_CHECKING

from bot.providers.contract import Paging, Provider, TestAlertSender, Witness
from bot.providers.pagerduty.oncall import PagerDutyOnCall
from bot.providers.pagerduty.samples import PagerDutySamples
from bot.providers.pagerduty.settings import PagerDutySettings, findings, read_settings
from bot.providers.pagerduty.webhook import PagerDutyWebhook

if TYPE_CHECKING:
    from bot.providers.pagerduty.alerts import PagerDutyAlerts


def rest_api(settings: PagerDutySettings) -> "PagerDutyAlerts | None":
    """Where the settings say how to ask; only then its client is imported, which takes a while."""
    if not settings.key:
        return None
    from bot.providers.pagerduty.alerts import PagerDutyAlerts  # noqa: PLC0415

    return PagerDutyAlerts(settings=settings)


def services(settings: PagerDutySettings) -> Paging | None:
    """As with the incidents."""
    if not settings.key:
        return None
    from bot.providers.pagerduty.services import PagerDutyServices  # noqa: PLC0415

    return PagerDutyServices(settings=settings)


def witness(settings: PagerDutySettings) -> Witness | None:
    """As with the incidents."""
    if not settings.key:
        return None
    from bot.providers.pagerduty.test_alert import PagerDutyWitness  # noqa: PLC0415

    return PagerDutyWitness(settings=settings)


def test_alerts(settings: PagerDutySettings) -> TestAlertSender:
    """Also without a key, since it says what to set up."""
    from bot.providers.pagerduty.test_alert import PagerDutyTestAlerts  # noqa: PLC0415

    return PagerDutyTestAlerts(settings=settings)


PROVIDER = Provider(
    name="pagerduty",
    title="PagerDuty",
    settings=read_settings,
    webhook=lambda settings, _network: PagerDutyWebhook(settings=settings),
    samples=PagerDutySamples,
    findings=findings,
    oncall=lambda settings: PagerDutyOnCall(settings=settings),
    alerts=rest_api,
    teller=rest_api,
    paging=services,
    witness=witness,
    test_alerts=test_alerts,
)
