"""Northwind's fleet, as its Datadog and its inventory have it before anything happens.

All of it is in scope but one host that somebody has just started. Three cells are not covered, as in any company: a
cache whose agent does not look at its disk, and a monitor of the data services that fires too late.
"""

import json
from hashlib import sha256
from typing import Any

from bot.playground.datadog import Body, FakeDatadog

CLUSTER = "northwind"
PAGERDUTY_SERVICE = "Production"
SLACK_ACCOUNT = "Northwind"
OPS = "ops"
"""The Slack channel in which the batch machines and the data services make themselves heard."""
PAGES = f"@pagerduty-{PAGERDUTY_SERVICE}"
POSTS = f"@slack-{SLACK_ACCOUNT}-{OPS}"

HOSTS = (  # each with its tier, its owner and how critical it is
    ("prod-lb-1", "front", "shop", "high"),
    ("prod-web-1", "front", "shop", "high"),
    ("prod-web-2", "front", "shop", "high"),
    ("prod-web-3", "front", "shop", "high"),
    ("prod-api-1", "front", "shop", "high"),
    ("prod-api-2", "front", "shop", "high"),
    ("prod-api-3", "front", "shop", "high"),
    ("prod-auth-1", "front", "platform", "high"),
    ("prod-db-1", "data", "platform", "high"),
    ("prod-db-2", "data", "platform", "high"),
    ("prod-cache-1", "data", "platform", "medium"),
    ("prod-queue-1", "data", "platform", "high"),
    ("prod-search-1", "data", "shop", "medium"),
    ("prod-search-2", "data", "shop", "medium"),
    ("prod-batch-1", "batch", "data", "low"),
    ("prod-batch-2", "batch", "data", "low"),
)
NEW_HOST = "prod-web-4"
SERVICES = (
    ("shop", "checkout"),
    ("shop", "cart"),
    ("shop", "payments"),
    ("shop", "search"),
    ("platform", "auth"),
    ("platform", "mailer"),
    ("data", "ingest"),
    ("data", "reports"),
)
DARK = ("prod-cache-1", "system.disk.in_use")

STANDARD = """\
# Northwind's monitoring standard. What it leaves out is as socmon ships it.
owner = "platform"
approved_by = "Ana Ruiz"
reviewed = {reviewed}

[service]
cpu = {{ reports_only = true }}   # Datadog counts it in nanocores, which are no per cent of anything
"""


def build_fleet(fake: FakeDatadog) -> None:
    for name, tier, *_ in HOSTS:
        add_host(fake, name, tier)
    add_host(fake, NEW_HOST, "front")
    for namespace, name in SERVICES:
        fake.deployment(CLUSTER, namespace, name)
    for facts in monitors():
        fake.monitor(**facts)
    build_dashboards(fake)
    fake.silent.add(DARK)
    fake.channels[SLACK_ACCOUNT] = [OPS]
    fake.services.add(PAGERDUTY_SERVICE)
    fake.webhooks["socmon"] = "https://socmon.northwind.example/webhooks/datadog"


def build_dashboards(fake: FakeDatadog) -> None:
    """One of production, and one that is not."""
    measures = {
        "CPU": "avg:system.cpu.user",
        "Memory in use": "avg:system.mem.pct_used",
        "Disk in use": "max:system.disk.in_use",
        "Network, received": "avg:system.net.bytes_rcvd",
    }
    production = {
        f"{title}: {tier}": f"{query}{{env:production,tier:{tier}}} by {{host}}"
        for tier in ("front", "data")
        for title, query in measures.items()
    }
    fake.dashboard("prod-overview", production)
    fake.dashboard("Batch machines", {"CPU": "avg:system.cpu.user{env:production,tier:batch} by {host}"})


def add_host(fake: FakeDatadog, name: str, tier: str) -> None:
    fake.host(name, "env:production", f"tier:{tier}", aliases=[name, instance_of(name)])


def instance_of(host: str) -> str:
    """The machine's own number, which stays when its host is called otherwise."""
    return f"i-{sha256(host.encode()).hexdigest()[:17]}"


def inventory() -> str:
    """The approved inventory, as `socmon scope import` takes it."""
    rows: list[dict[str, Any]] = [
        {
            "name": name,
            "kind": "host",
            "owner": owner,
            "criticality": criticality,
            "identities": [instance_of(name), f"host:{name}"],
        }
        for name, _, owner, criticality in HOSTS
    ]
    rows += [
        {
            "name": f"{namespace}/{name}",
            "kind": "service",
            "owner": namespace,
            "criticality": "high" if namespace == "shop" else "medium",
            "identities": [f"name:{CLUSTER}/{namespace}/{name}"],
        }
        for namespace, name in SERVICES
    ]
    return "components:\n" + "".join(f"  - {json.dumps(row)}\n" for row in rows)


def monitors() -> list[Body]:
    """As they were set up."""
    made = []
    for tier, title, to in (
        ("front", "Front", PAGES),
        ("data", "Data stores", PAGES),
        ("batch", "Batch", POSTS),
    ):
        of = f"{{env:production,tier:{tier}}}"
        made += [
            _monitor(f"{title}: CPU", f"avg(last_5m):avg:system.cpu.user{of} by {{host}} > ", 85, to),
            _monitor(
                f"{title}: memory", f"avg(last_5m):avg:system.mem.pct_usable{of} by {{host}} < ", 0.1, to
            ),
            _monitor(
                f"{title}: disk", f"avg(last_15m):max:system.disk.in_use{of} by {{host,device}} > ", 0.85, to
            ),
        ]
    alive = '"datadog.agent.up".over("env:production").by("host").last(2).count_by_status()'
    made.append(_monitor("A host is silent", alive, 1, PAGES, kind="service check", no_data_timeframe=5))
    for namespace, limit, to in (("shop", 0.9, PAGES), ("platform", 0.9, PAGES), ("data", 0.95, POSTS)):
        by = "{kube_cluster_name,kube_namespace,kube_deployment}"
        of = f"{{kube_namespace:{namespace}}} by {by}"
        made += [
            _monitor(
                f"{namespace.title()}: memory",
                f"avg(last_5m):max:kubernetes.memory.usage_pct{of} > ",
                limit,
                to,
            ),
            _monitor(
                f"{namespace.title()}: nothing runs",
                f"max(last_5m):max:kubernetes.containers.running{of} < ",
                1,
                to,
            ),
        ]
    return [one | {"id": 7_400_001 + number} for number, one in enumerate(made)]


def _monitor(name: str, query: str, limit: float, to: str, *, kind: str = "", **options: Any) -> Body:
    return {
        "name": name,
        "type": kind or "query alert",
        "query": query if kind else f"{query}{limit:g}",
        "message": f"Look at it before anybody else has to. {to}",
        "options": {"thresholds": {"critical": limit}, "silenced": {}, "notify_no_data": True, **options},
    }
