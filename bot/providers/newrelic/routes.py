"""Where a condition's issues are sent: the workflows that take them, and what is wrong with their destinations.

https://docs.newrelic.com/docs/apis/nerdgraph/examples/nerdgraph-api-workflows/ and
https://docs.newrelic.com/docs/alerts/get-notified/destinations/
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum

from bot.domain.monitor import Target, TargetKind
from bot.domain.paging import masked
from bot.providers.contract import line, text
from bot.providers.newrelic.nerdgraph import Data, Visit

NEEDED = "a role that may view workflows and destinations"
GOOD = frozenset({"DEFAULT", "TESTED"})
KINDS = {
    "EMAIL": TargetKind.EMAIL,
    "SLACK": TargetKind.SLACK,
    "SLACK_LEGACY": TargetKind.SLACK,
    "PAGERDUTY": TargetKind.PAGERDUTY,
    "PAGERDUTY_ACCOUNT_INTEGRATION": TargetKind.PAGERDUTY,
    "PAGERDUTY_SERVICE_INTEGRATION": TargetKind.PAGERDUTY,
    "WEBHOOK": TargetKind.WEBHOOK,
}
FAR_END = {
    TargetKind.EMAIL: ("email",),
    TargetKind.SLACK: ("channelId",),
    TargetKind.PAGERDUTY: ("service",),
    TargetKind.WEBHOOK: ("url",),
}
"""The properties of a channel, or else of its destination, that say where it ends."""

WORKFLOWS = """\
query ($account: Int!, $cursor: String) {
  actor { account(id: $account) { aiWorkflows { workflows(cursor: $cursor) {
    entities {
      id name workflowEnabled destinationsEnabled mutingRulesHandling
      issuesFilter { predicates { attribute operator values } }
      destinationConfigurations { channelId name type notificationTriggers }
    }
    nextCursor totalCount
  } } } }
}"""
CHANNELS = """\
query ($account: Int!, $cursor: String) {
  actor { account(id: $account) { aiNotifications { channels(cursor: $cursor) {
    entities { id name type active status destinationId properties { key value displayValue } }
    error { description details type }
    nextCursor totalCount
  } } } }
}"""
DESTINATIONS = """\
query ($account: Int!, $cursor: String) {
  actor { account(id: $account) { aiNotifications { destinations(cursor: $cursor) {
    entities { id name type active status properties { key value displayValue } }
    error { description details type }
    nextCursor totalCount
  } } } }
}"""


class Holds(Enum):
    """Whether a filter takes what is asked about."""

    YES = "yes"
    NO = "no"
    PERHAPS = "perhaps"  # it depends on the component


def compare(operator: str, values: Iterable[str], actual: str) -> Holds:
    """One comparison of workflows and muting rules; of several values one is enough, or for “not” none may match."""
    wanted = list(values)
    match operator:
        case "EQUAL" | "EQUALS" | "EXACTLY_MATCHES" | "IN" | "IS":
            answer = actual in wanted
        case "DOES_NOT_EQUAL" | "NOT_EQUALS" | "DOES_NOT_EXACTLY_MATCH" | "NOT_IN" | "IS_NOT":
            answer = actual not in wanted
        case "CONTAINS":
            answer = any(one in actual for one in wanted)
        case "DOES_NOT_CONTAIN" | "NOT_CONTAINS":
            answer = not any(one in actual for one in wanted)
        case "STARTS_WITH":
            answer = actual.startswith(tuple(wanted))
        case "ENDS_WITH":
            answer = actual.endswith(tuple(wanted))
        case _:
            return Holds.PERHAPS
    return Holds.YES if answer else Holds.NO


@dataclass(frozen=True, slots=True, kw_only=True)
class Routes:
    """All workflows with their ends. `known` is False when one of the three lists is not whole."""

    workflows: tuple[Data, ...] = ()
    channels: Mapping[str, Data] = field(default_factory=dict)
    destinations: Mapping[str, Data] = field(default_factory=dict)
    known: bool = True

    def of(self, facts: Mapping[str, str], muted: str) -> tuple[Target, ...]:
        """For a condition with these facts (by the names that filters have for them). `muted` is why it is, or ""."""
        found: list[Target] = []
        for workflow in self.workflows:
            takes = _takes(workflow, facts)
            if takes is not Holds.NO:
                why = _closed(workflow, takes, muted)
                found += (self._target(one, why) for one in workflow.get("destinationConfigurations") or ())
        return tuple(dict.fromkeys(found))

    def _target(self, configuration: Data, why: str) -> Target:
        channel = self.channels.get(text(configuration.get("channelId"), 60))
        destination = self.destinations.get(text((channel or {}).get("destinationId"), 60))
        triggers = configuration.get("notificationTriggers")
        kind = KINDS.get(text(configuration.get("type"), 60), TargetKind.OTHER)
        told = not isinstance(triggers, list) or "ACTIVATED" in triggers
        if not told:
            why = why or "it is told, but not when an issue is activated. Tick Activated under Notify when."
        return Target(
            kind=kind,
            name=line((destination or channel or configuration).get("name")),
            reaches=tuple(_reaches(kind, channel or {}, destination or {})),
            recovery=not isinstance(triggers, list) or "CLOSED" in triggers,
            dead=why or _dead(channel, destination),
        )


def read_routes(visit: Visit) -> Routes:
    workflows, all_workflows = visit.every(
        "which workflows there are", NEEDED, WORKFLOWS, "account.aiWorkflows.workflows", "entities"
    )
    channels, all_channels = visit.every(
        "which channels there are", NEEDED, CHANNELS, "account.aiNotifications.channels", "entities"
    )
    destinations, all_destinations = visit.every(
        "which destinations there are",
        NEEDED,
        DESTINATIONS,
        "account.aiNotifications.destinations",
        "entities",
    )
    return Routes(
        workflows=tuple(workflows),
        channels={text(one.get("id"), 60): one for one in channels},
        destinations={text(one.get("id"), 60): one for one in destinations},
        known=all_workflows and all_channels and all_destinations,
    )


def _takes(workflow: Data, facts: Mapping[str, str]) -> Holds:
    """All predicates have to hold."""
    answer = Holds.YES
    for one in (workflow.get("issuesFilter") or {}).get("predicates") or ():
        attribute = text(one.get("attribute"), 200)
        values = [text(value, 500) for value in one.get("values") or ()]
        # A filter by policy without policies takes all of them.
        if attribute == "labels.policyIds" and not values:
            continue
        operator = text(one.get("operator"), 60)
        # “Contains” asks a list for an element: policy 12 is not in a list that has 123.
        if attribute.startswith("labels.") and operator == "CONTAINS":
            operator = "EXACTLY_MATCHES"
        holds = compare(operator, values, facts[attribute]) if attribute in facts else Holds.PERHAPS
        if holds is Holds.NO:
            return Holds.NO
        answer = Holds.PERHAPS if holds is Holds.PERHAPS else answer
    return answer


def _closed(workflow: Data, takes: Holds, muted: str) -> str:
    """Why a workflow sends nothing."""
    name = line(workflow.get("name"))
    if not workflow.get("workflowEnabled") or not workflow.get("destinationsEnabled"):
        return f"the workflow “{name}” is off. Turn it on under Alerts → Workflows."
    if takes is Holds.PERHAPS:
        return (
            f"it depends on the component whether the workflow “{name}” takes it, and socmon cannot weigh that."
            " Filter by policy."
        )
    notifies_anyway = text(workflow.get("mutingRulesHandling"), 60) == "NOTIFY_ALL_ISSUES"
    return "" if notifies_anyway else muted


def _dead(channel: Data | None, destination: Data | None) -> str:
    if channel is None:
        return "the workflow's channel does not exist. Choose another one in the workflow."
    if destination is None:
        return f"the destination of {line(channel.get('name'))} does not exist. Choose another one in the workflow."
    for one, what in ((channel, "channel"), (destination, "destination")):
        status = text(one.get("status"), 60) or "DEFAULT"
        if not one.get("active"):
            return f"the {what} {line(one.get('name'))} is off. Turn it on under Alerts → Destinations."
        if status not in GOOD:
            return (
                f"the {what} {line(one.get('name'))} has the status {status}: New Relic could not deliver."
                " Test it under Alerts → Destinations."
            )
    return ""


def _reaches(kind: TargetKind, channel: Data, destination: Data) -> Iterator[str]:
    for key in FAR_END.get(kind, ()):
        for one in (*(channel.get("properties") or ()), *(destination.get("properties") or ())):
            if one.get("key") == key:
                shown = {text(one.get("value"), 1000), text(one.get("displayValue"), 1000)}
                parts = [part.strip() for value in sorted(shown) for part in value.split(",")]
                yield from (masked(part) for part in parts if part)
                return
