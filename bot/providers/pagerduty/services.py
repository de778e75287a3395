"""PagerDuty's services: what pages them, whether they call anybody, and by which escalation policy.

https://developer.pagerduty.com/api-reference/ → Services, List services (`include[]=integrations` gives the keys)
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.domain.errors import SocmonError
from bot.domain.paging import Service, ServiceState, digest_of
from bot.providers.contract import Pulled, line, text, understood
from bot.providers.pagerduty.client import PagerDutyApi
from bot.providers.pagerduty.settings import PagerDutySettings

Data = Mapping[str, Any]

STATES = {
    "active": ServiceState.ACTIVE,
    "warning": ServiceState.ACTIVE,  # incidents that are acknowledged
    "critical": ServiceState.ACTIVE,  # incidents that are open
    "maintenance": ServiceState.MAINTENANCE,
    "disabled": ServiceState.DISABLED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PagerDutyServices:
    """One request for a hundred services. `pause` is how long the first retry waits, in seconds."""

    settings: PagerDutySettings
    pause: float = 1.5

    def list_services(self, at: datetime) -> Pulled[Service]:
        return understood("PagerDuty", lambda: self._list(at), at)

    def _list(self, at: datetime) -> Pulled[Service]:
        with PagerDutyApi(self.settings, pause=self.pause) as api:
            try:
                rows, whole = api.get_all("/services", "services", {"include[]": ["integrations"]})
            except SocmonError as error:
                return Pulled(items=(), complete=False, as_of=at, calls=api.calls, reason=str(error))
            reason = "" if whole else "PagerDuty lists more than 10,000 services, so not all could be read."
            return Pulled(
                items=tuple(map(_service, rows)), complete=whole, as_of=at, calls=api.calls, reason=reason
            )


def _service(row: Data) -> Service:
    policy = row.get("escalation_policy") or {}
    integrations = list(row.get("integrations") or ())
    urgency = row.get("incident_urgency_rule") or {}
    return Service(
        id=line(row["id"], 60),
        name=line(row.get("name") or row.get("summary"), 200) or line(row["id"], 60),
        state=STATES[row["status"]],
        policy=line(policy.get("id"), 60),
        policy_name=line(policy.get("summary"), 200),
        ends=frozenset(digest_of(end) for one in integrations for end in _ends(one)),
        hides_keys=not all(any(_ends(one)) for one in integrations),
        rings=(urgency.get("type"), urgency.get("urgency")) != ("constant", "low"),
    )


def _ends(integration: Data) -> Iterator[str]:
    """By what it is paged: the key is a secret, so it leaves this module as a digest only."""
    for name in ("integration_key", "integration_email"):
        if value := text(integration.get(name), 200):
            yield value
