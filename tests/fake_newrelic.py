"""A NerdGraph for the questions that describe a fleet; faults can be planted.

New Relic publishes no schema. This one holds the fields, names of types and arguments that its official Go client
asks for (newrelic-client-go: pkg/entities, nrdb, alerts, notifications, workflows), and of muting rules `status`, which
that client's recorded answers hold. A question for any other field is refused, as NerdGraph would.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web
from graphql import build_schema, graphql_sync

from bot.providers.contract import Secrets
from bot.providers.newrelic.settings import NewRelicSettings
from tests.fake_pagerduty import serving

ACCOUNT = 10867072
SCHEMA = build_schema(
    """
    scalar Nrql
    scalar NrdbResult
    scalar Seconds
    scalar EntityGuid
    type Query { actor: Actor }
    type Mutation { dashboardCreateSnapshotUrl(guid: EntityGuid!): String }
    type Actor { account(id: Int!): Account entitySearch(query: String): EntitySearch }
    type EntitySearch { count: Int results(cursor: String): EntityResult }
    type EntityResult { nextCursor: String entities: [Entity] }
    type Entity {
      guid: ID name: String domain: String type: String entityType: String accountId: Int permalink: String
      reporting: Boolean tags: [Tag]
    }
    type Tag { key: String values: [String] }
    type Account {
      nrql(query: Nrql!, timeout: Seconds): NrqlResult
      alerts: Alerts
      aiNotifications: AiNotifications
      aiWorkflows: AiWorkflows
    }
    type NrqlResult { results: [NrdbResult] totalResult: NrdbResult otherResult: NrdbResult }
    type Alerts {
      policiesSearch(cursor: String): Policies
      nrqlConditionsSearch(cursor: String): NrqlConditions
      mutingRules: [MutingRule]
    }
    type Policies { nextCursor: String totalCount: Int policies: [Policy] }
    type Policy { id: ID name: String incidentPreference: String accountId: Int }
    type NrqlConditions { nextCursor: String totalCount: Int nrqlConditions: [NrqlCondition] }
    type NrqlCondition {
      id: ID name: String nrql: NrqlQuery enabled: Boolean description: String policyId: ID runbookUrl: String
      terms: [Term] type: String expiration: Expiration
    }
    type NrqlQuery { query: String evaluationOffset: Int }
    type Term {
      operator: String priority: String threshold: Float thresholdDuration: Int thresholdOccurrences: String
    }
    type Expiration {
      closeViolationsOnExpiration: Boolean expirationDuration: Int openViolationOnExpiration: Boolean
    }
    type MutingRule {
      id: ID name: String description: String enabled: Boolean status: String condition: MutingGroup
    }
    type MutingGroup { operator: String conditions: [Predicate] }
    type Predicate { attribute: String operator: String values: [String] }
    type AiNotifications { channels(cursor: String): Channels destinations(cursor: String): Destinations }
    type Channels { entities: [Channel] error: Problem nextCursor: String totalCount: Int }
    type Destinations { entities: [Destination] error: Problem nextCursor: String totalCount: Int }
    type Problem { description: String details: String type: String }
    type Channel {
      id: ID name: String type: String active: Boolean status: String destinationId: ID product: String
      properties: [Property]
    }
    type Destination { id: ID name: String type: String active: Boolean status: String properties: [Property] }
    type Property { key: String value: String displayValue: String label: String }
    type AiWorkflows { workflows(cursor: String): Workflows }
    type Workflows { entities: [Workflow] nextCursor: String totalCount: Int }
    type Workflow {
      id: ID name: String workflowEnabled: Boolean destinationsEnabled: Boolean mutingRulesHandling: String
      issuesFilter: IssuesFilter destinationConfigurations: [DestinationConfiguration]
    }
    type IssuesFilter { id: ID name: String type: String predicates: [Predicate] }
    type DestinationConfiguration {
      channelId: ID name: String type: String notificationTriggers: [String]
    }
    """
)
_NRQL = re.compile(r"FROM (\w+) SELECT (.*) FACET ([\w, ]+) SINCE 30 minutes ago LIMIT (?:MAX|1)")
_ASKED = re.compile(r"filter\(latest\(timestamp\), WHERE (\w+) IS NOT NULL\) AS '(\w+)'")


@dataclass
class FakeNewRelic:
    """`silent` and `stale` are (name, attribute) pairs.

    `faults` are what is answered first to a question with this word in it: an HTTP status, or the words of an error.
    A key "word?" is of its later pages. `garbage` is what it answers instead of anything sensible, by such words.
    """

    now: datetime
    page: int = 200
    entities: list[dict[str, Any]] = field(default_factory=list)
    policies: list[dict[str, Any]] = field(default_factory=list)
    conditions: list[dict[str, Any]] = field(default_factory=list)
    muting_rules: list[dict[str, Any]] = field(default_factory=list)
    channels: list[dict[str, Any]] = field(default_factory=list)
    destinations: list[dict[str, Any]] = field(default_factory=list)
    workflows: list[dict[str, Any]] = field(default_factory=list)
    silent: set[tuple[str, str]] = field(default_factory=set)
    stale: set[tuple[str, str]] = field(default_factory=set)
    faults: dict[str, list[int | str]] = field(default_factory=dict)
    garbage: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    picture: bytes = b""
    drawn: list[str] = field(default_factory=list)
    url: str = ""

    def settings(self, **facts: Any) -> NewRelicSettings:
        known: dict[str, Any] = {"api_key": "a user key", "account": ACCOUNT, "api_url": self.url}
        return NewRelicSettings(secrets=Secrets(), **known | facts)

    async def answer(self, request: web.Request) -> web.Response:
        if request.path.startswith("/image/"):
            self.drawn.append(request.query_string)
            return web.Response(body=self.picture, content_type="image/png")
        body = await request.json()
        query, variables = body["query"], body["variables"]
        self.asked.append(query)
        later = "?" if variables.get("cursor") else ""
        for word, waiting in self.faults.items():
            if waiting and word.rstrip("?") in query and word.endswith("?") == bool(later):
                fault = waiting.pop(0)
                if isinstance(fault, int):
                    return web.json_response({"error": "no"}, status=fault)
                return web.json_response({"data": None, "errors": [{"message": fault}]})
        for word, said in self.garbage.items():
            if word in query:
                return web.json_response(said)
        found = graphql_sync(SCHEMA, query, root_value=self._root(), variable_values=variables)
        return web.json_response(found.formatted)

    def _root(self) -> dict[str, Any]:
        def snapshot(_info: Any, guid: str) -> str:
            return f"{self.url}/image/{guid}?format=PDF&width=1200&height=900"

        return {"actor": self._actor(), "dashboardCreateSnapshotUrl": snapshot}

    def _actor(self) -> dict[str, Any]:
        return {
            "entitySearch": lambda _info, **_: {
                "count": len(self.entities),
                "results": lambda _info, cursor=None: self._page(self.entities, "entities", cursor),
            },
            "account": lambda _info, **asked: self._account() if asked["id"] == ACCOUNT else None,
        }

    def _account(self) -> dict[str, Any]:
        return {
            "nrql": lambda _info, **asked: {"results": self._rows(asked["query"])},
            "alerts": {
                "policiesSearch": self._pages(self.policies, "policies"),
                "nrqlConditionsSearch": self._pages(self.conditions, "nrqlConditions"),
                "mutingRules": self.muting_rules,
            },
            "aiNotifications": {
                "channels": self._pages(self.channels, "entities"),
                "destinations": self._pages(self.destinations, "entities"),
            },
            "aiWorkflows": {"workflows": self._pages(self.workflows, "entities")},
        }

    def _pages(self, rows: list[dict[str, Any]], name: str) -> Any:
        return lambda _info, cursor=None: self._page(rows, name, cursor)

    def _page(self, rows: list[dict[str, Any]], name: str, cursor: str | None) -> dict[str, Any]:
        start = int(cursor or 0)
        end = start + self.page
        return {
            name: rows[start:end],
            "nextCursor": str(end) if end < len(rows) else None,
            "totalCount": len(rows),
        }

    def _rows(self, nrql: str) -> list[dict[str, Any]]:
        event, selected, facets = _NRQL.fullmatch(nrql).groups()  # type: ignore[union-attr]
        host = facets == "entityGuid"
        found = []
        for one in self.entities:
            if (one["type"] == "HOST") is host:
                tags = {tag["key"]: tag["values"][0] for tag in one["tags"]}
                names = [tags.get(f"k8s.{name}") for name in facets.split(", ")]
                row = {
                    alias: self._heard(one["name"], attribute)
                    for attribute, alias in _ASKED.findall(selected)
                }
                if any(row.values()):
                    found.append({"facet": one["guid"] if host else names, **row})
        assert event
        return found

    def _heard(self, name: str, attribute: str) -> int | None:
        if (name, attribute) in self.silent:
            return None
        ago = timedelta(minutes=15 if (name, attribute) in self.stale else 0)
        return int((self.now - ago).timestamp() * 1000)

    def entity(self, kind: str, name: str, **tags: str) -> None:
        self.entities.append(
            {
                "guid": f"GUID-{kind}-{name}",
                "name": name,
                "domain": "INFRA",
                "type": kind,
                "entityType": f"INFRASTRUCTURE_{kind}_ENTITY",
                "accountId": ACCOUNT,
                "reporting": True,
                "tags": [{"key": key.replace("__", "."), "values": [value]} for key, value in tags.items()],
            }
        )

    def condition(self, **facts: Any) -> dict[str, Any]:
        if not self.policies:
            self.policies.append({"id": "12", "name": "Platform", "incidentPreference": "PER_CONDITION"})
        made = {
            "id": str(12345 + len(self.conditions)),
            "name": "CPU is high",
            "enabled": True,
            "policyId": "12",
            "type": "STATIC",
            "nrql": {
                "query": "SELECT average(cpuPercent) FROM SystemSample WHERE tags.env = 'prod' FACET entityGuid"
            },
            "terms": [term()],
            "expiration": {
                "closeViolationsOnExpiration": False,
                "expirationDuration": 600,
                "openViolationOnExpiration": True,
            },
        } | facts
        self.conditions.append(made)
        return made

    def mute(self, *parts: tuple[str, str, str], operator: str = "AND", **facts: Any) -> None:
        conditions = [{"attribute": one, "operator": how, "values": [value]} for one, how, value in parts]
        self.muting_rules.append(
            {
                "id": "123",
                "name": "Maintenance",
                "description": None,
                "enabled": True,
                "status": "ACTIVE",
                "condition": {"operator": operator, "conditions": conditions},
            }
            | facts
        )

    def route(
        self,
        kind: str,
        *predicates: tuple[str, str, list[str]],
        workflow: dict[str, Any] | None = None,
        channel: dict[str, Any] | None = None,
        destination: dict[str, Any] | None = None,
        triggers: tuple[str, ...] = ("ACTIVATED", "CLOSED"),
        **properties: str,
    ) -> None:
        """A workflow with one channel and its destination, which has the properties."""
        number = len(self.workflows)
        given = [{"key": key, "value": value, "displayValue": None} for key, value in properties.items()]
        self.destinations.append(
            {
                "id": f"d{number}",
                "name": f"{kind.lower()} {number}",
                "type": kind,
                "active": True,
                "status": "DEFAULT",
                "properties": given,
            }
            | (destination or {})
        )
        self.channels.append(
            {
                "id": f"c{number}",
                "name": f"channel {number}",
                "type": kind,
                "active": True,
                "status": "DEFAULT",
                "destinationId": f"d{number}",
                "product": "IINT",
                "properties": [],
            }
            | (channel or {})
        )
        self.workflows.append(
            {
                "id": f"w{number}",
                "name": f"workflow {number}",
                "workflowEnabled": True,
                "destinationsEnabled": True,
                "mutingRulesHandling": "DONT_NOTIFY_FULLY_MUTED_ISSUES",
                "issuesFilter": {
                    "predicates": [
                        {"attribute": one, "operator": how, "values": values}
                        for one, how, values in predicates
                    ]
                },
                "destinationConfigurations": [
                    {
                        "channelId": f"c{number}",
                        "name": "EMPTY",
                        "type": kind,
                        "notificationTriggers": list(triggers),
                    }
                ],
            }
            | (workflow or {})
        )


def term(**facts: Any) -> dict[str, Any]:
    return {
        "operator": "ABOVE",
        "priority": "CRITICAL",
        "threshold": 85.0,
        "thresholdDuration": 300,
        "thresholdOccurrences": "ALL",
    } | facts


@contextmanager
def fake_newrelic(now: datetime) -> Iterator[FakeNewRelic]:
    made = FakeNewRelic(now=now)
    with serving(made.answer, None) as url:
        made.url = url
        yield made
