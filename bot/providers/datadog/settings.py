"""What can be configured for Datadog: the webhook secret, and the way to its API."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.domain.errors import WrongSettings
from bot.providers.contract import Secrets, read_table, secret_findings, webhook_secrets

_ROUTE = re.compile(r"[a-z][a-z0-9_-]{0,40}")  # it becomes the value of a tag
_HANDLE = re.compile(r"@[\w.+-]+(?:@[\w.-]+)?")
_WAKE_NOBODY = ("@slack-", "@teams-")
PAGERDUTY = "@pagerduty-"


@dataclass(frozen=True, slots=True, kw_only=True)
class TestedRoute:
    """A way that alerts take: `handles` as production's monitors name them, each with its @. `own` reaches socmon.

    A quiet test tells those of them that wake nobody, and `pager` in place of the others.
    """

    name: str
    handles: tuple[str, ...]
    own: str
    pager: str = ""

    @property
    def always(self) -> tuple[str, ...]:
        return tuple(one for one in self.handles if one == self.own or one.startswith(_WAKE_NOBODY))

    @property
    def live(self) -> tuple[str, ...]:
        return tuple(one for one in self.handles if one not in self.always)

    @property
    def quiet(self) -> tuple[str, ...]:
        return (self.pager,) if self.pager and self.live else ()

    @property
    def pages(self) -> bool:
        """Whether every test of it ends as an incident in PagerDuty."""
        return all(any(one.startswith(PAGERDUTY) for one in told) for told in (self.live, self.quiet))


@dataclass(frozen=True, slots=True, kw_only=True)
class DatadogSettings:
    """Without both keys it is only listened to. `webhook` is the integration's name in @webhook-…; "*" is any monitor.

    `slack_accounts` are the names of the Slack workspaces in Datadog's Slack integration, which no call lists.
    `test_routes` are the ways that test alerts take. `proxy` and `ca_file` are for the client, which knows neither
    HTTPS_PROXY nor SSL_CERT_FILE.
    """

    secrets: Secrets
    webhook: str = "socmon"
    slack_accounts: tuple[str, ...] = ()
    test_routes: tuple[TestedRoute, ...] = ()
    api_key: str = field(default="", repr=False)
    app_key: str = field(default="", repr=False)
    site: str = ""
    api_url: str = ""
    proxy: str = field(default="", repr=False)
    ca_file: str = ""


def read_settings(table: Mapping[str, Any], environ: Mapping[str, str]) -> DatadogSettings:
    """Read `[providers.datadog]` and the environment; raises WrongSettings."""
    read_table("datadog", table, known=("webhook", "slack_accounts", "test_routes", "test_pager"))
    webhook = table.get("webhook", "socmon")
    if not isinstance(webhook, str) or not webhook:
        raise WrongSettings(
            f"providers.datadog.webhook is {webhook!r}. Write the name that stands behind @webhook- in your monitors."
        )
    accounts = table.get("slack_accounts", [])
    if not isinstance(accounts, list) or not all(isinstance(one, str) and one for one in accounts):
        raise WrongSettings(
            f"providers.datadog.slack_accounts is {accounts!r}. Write the names of the accounts in Datadog's Slack"
            ' integration, as in ["Main_Account"].'
        )
    return DatadogSettings(
        secrets=webhook_secrets("datadog", environ),
        webhook=webhook.removeprefix("@webhook-"),
        slack_accounts=tuple(accounts),
        test_routes=tuple(_test_routes(table, f"@webhook-{webhook.removeprefix('@webhook-')}")),
        api_key=environ.get("DD_API_KEY", ""),
        app_key=environ.get("DD_APP_KEY", ""),
        site=environ.get("DD_SITE", ""),
        api_url=environ.get("SOCMON_DATADOG_URL", "").rstrip("/"),
        proxy=environ.get("HTTPS_PROXY") or environ.get("https_proxy") or "",
        ca_file=environ.get("SSL_CERT_FILE", ""),
    )


def _test_routes(table: Mapping[str, Any], own: str) -> Iterator[TestedRoute]:
    """`own` is the handle that reaches socmon."""
    routes, pager = table.get("test_routes", {}), table.get("test_pager", "")
    if not isinstance(pager, str) or (pager and not _HANDLE.fullmatch(pager)):
        raise WrongSettings(
            f"providers.datadog.test_pager is {pager!r}. Write one handle that pages with low urgency, as in"
            ' "@pagerduty-socmon-test".'
        )
    if not isinstance(routes, dict):
        raise WrongSettings(
            f"providers.datadog.test_routes is {routes!r}. Write a name and the handles of each route, as in"
            f' payments = ["{own}", "@pagerduty-payments"].'
        )
    for name, handles in routes.items():
        written = handles if isinstance(handles, list) else []
        if not _ROUTE.fullmatch(name) or not written or not all(map(_is_handle, written)):
            raise WrongSettings(
                f"providers.datadog.test_routes: {name} = {handles!r} is no route. Write a name in small letters, and"
                f' the handles that your monitors notify, as in payments = ["{own}", "@pagerduty-payments"].'
            )
        route = TestedRoute(name=name, handles=tuple(written), own=own, pager=pager)
        if own not in written and not route.pages:
            raise WrongSettings(
                f"providers.datadog.test_routes: nobody could hear of a test of {name}. Add {own} to its handles as to"
                " those of your monitors, or test_pager to a route with @pagerduty-…."
            )
        yield route


def _is_handle(one: object) -> bool:
    return isinstance(one, str) and bool(_HANDLE.fullmatch(one))


def findings(settings: DatadogSettings) -> list[str]:
    """What `socmon doctor` says about these settings."""
    return secret_findings("datadog", settings.secrets)
