"""What a plan of Terraform does to New Relic's conditions: put into NerdGraph's form, and read like all others.

https://registry.terraform.io/providers/newrelic/newrelic/latest/docs/resources/nrql_alert_condition
Which workflow notifies of a condition follows from its policy, its tags and more, and no plan tells that: a changed
condition notifies whom it notified before, and of a new one nobody can say it yet.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.domain.monitor import Monitor, Target, TargetKind
from bot.domain.plan import Foreseen, Resource, touched
from bot.providers.contract import text
from bot.providers.newrelic.monitors import read_condition
from bot.providers.newrelic.routes import Routes
from bot.providers.newrelic.settings import NewRelicSettings

CONDITION = "newrelic_nrql_alert_condition"
NOT_YET = Target(
    kind=TargetKind.OTHER,
    name="of a workflow",
    dead="Which of New Relic's workflows notifies of a new condition can be seen only after the deployment. Make the"
    " condition in a deployment of its own, before what it watches.",
)


def foresee(
    settings: NewRelicSettings, resources: Sequence[Resource], known: Mapping[str, Monitor], _at: datetime
) -> Foreseen:
    conditions = touched(resources, {CONDITION})
    return Foreseen(
        made=tuple(_made(settings, conditions, known)),
        gone=frozenset(number for one in conditions if (number := _number(one.before))),
    )


def _made(
    settings: NewRelicSettings, conditions: Sequence[Resource], known: Mapping[str, Monitor]
) -> Iterator[Monitor]:
    for one in conditions:
        if not one.stays:
            continue
        number = _number(one.after) or _number(one.before) or f"planned {one.address}"
        found = read_condition(_told(one, number), {}, (), Routes(), settings)
        before = known.get(number)
        if before:
            yield replace(found, targets=before.targets, silenced=before.silenced, mutes=before.mutes)
        else:
            yield replace(found, targets=(NOT_YET,))


def _number(attributes: Mapping[str, Any]) -> str:
    """Terraform's id is that of the policy, a colon, and the condition's own."""
    return text(attributes.get("id"), 80).rpartition(":")[2]


def _told(one: Resource, number: str) -> dict[str, Any]:
    after = one.after
    return {
        "id": number,
        "name": after.get("name"),
        "enabled": after.get("enabled") is not False,
        "policyId": text(after.get("policy_id"), 40),
        "type": text(after.get("type") or "static").upper(),
        "nrql": {"query": (next(iter(after.get("nrql") or ()), None) or {}).get("query")},
        "terms": [
            {
                "priority": priority.upper(),
                "operator": text(term.get("operator") or "equals").upper(),
                "threshold": term.get("threshold"),
                "thresholdDuration": term.get("threshold_duration"),
                "thresholdOccurrences": text(term.get("threshold_occurrences")).upper(),
            }
            for priority in ("critical", "warning")
            for term in after.get(priority) or ()
            if isinstance(term, dict)
        ],
        "expiration": {
            "openViolationOnExpiration": after.get("open_violation_on_expiration") is True,
            "expirationDuration": after.get("expiration_duration"),
        },
    }
