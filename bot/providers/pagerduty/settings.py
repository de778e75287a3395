"""What can be configured for PagerDuty: the secrets of its webhook subscriptions, and the way to its REST API."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.domain.errors import WrongSettings
from bot.providers.contract import Secrets, read_table, secret_findings, webhook_secrets

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_ID = re.compile(r"[A-Z0-9]{3,40}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PagerDutySettings:
    """`key` and `api_url` are for what socmon asks and tells by itself; without a key PagerDuty is only listened to.

    `sender` is the user who speaks for people it does not know. `services` are the ids of those whose incidents the
    webhooks tell of; without any all of the account. `test_key` is the integration key of the test service,
    `events_url` stands in for the address of the Events API.
    """

    secrets: Secrets
    key: str = field(default="", repr=False)
    api_url: str = ""
    test_key: str = field(default="", repr=False)
    events_url: str = ""
    sender: str = ""
    services: tuple[str, ...] = ()


def read_settings(table: Mapping[str, Any], environ: Mapping[str, str]) -> PagerDutySettings:
    """Read `[providers.pagerduty]` and the environment; raises WrongSettings."""
    read_table("pagerduty", table, known=("from", "services"))
    sender = table.get("from", "")
    if not isinstance(sender, str) or (sender and not _EMAIL.fullmatch(sender)):
        raise WrongSettings(
            f"providers.pagerduty.from is {sender!r}. Write the e-mail address of the PagerDuty user who speaks for"
            " people that PagerDuty does not know."
        )
    services = table.get("services", [])
    if not isinstance(services, list) or not all(
        isinstance(one, str) and _ID.fullmatch(one) for one in services
    ):
        raise WrongSettings(
            f"providers.pagerduty.services is {services!r}. Write a list of service ids, such as"
            ' services = ["PIJ90N7"]; each stands in the address of its page.'
        )
    url = environ.get("SOCMON_PAGERDUTY_URL", "").rstrip("/")
    if url and not url.startswith("https://"):
        raise WrongSettings(
            f"SOCMON_PAGERDUTY_URL is {url!r}, but PagerDuty's key must not travel without TLS. Write https://…, or"
            " unset it for https://api.pagerduty.com."
        )
    events_url = environ.get("SOCMON_PAGERDUTY_EVENTS_URL", "").rstrip("/")
    test_key = environ.get("SOCMON_PAGERDUTY_TEST_KEY", "").strip()
    if test_key and events_url and not events_url.startswith("https://"):
        raise WrongSettings(
            f"SOCMON_PAGERDUTY_EVENTS_URL is {events_url!r}, but an integration key must not travel without TLS. Write"
            " https://…, or unset it for https://events.pagerduty.com."
        )
    return PagerDutySettings(
        secrets=webhook_secrets("pagerduty", environ),
        key=environ.get("PAGERDUTY_API_KEY", "").strip(),
        api_url=url,
        test_key=test_key,
        events_url=events_url,
        sender=sender,
        services=tuple(services),
    )


def findings(settings: PagerDutySettings) -> list[str]:
    """What `socmon doctor` says about these settings."""
    found = secret_findings("pagerduty", settings.secrets)
    if settings.key and not settings.sender:
        found.append(
            "providers.pagerduty.from is not set, so acts of people whom PagerDuty does not know cannot be written"
            " there. Name a PagerDuty user's e-mail address."
        )
    return found
