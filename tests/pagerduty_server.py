"""A PagerDuty on loopback, with TLS: what stands in it a test says, and every request is remembered."""

from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

from tests.tls import tls_server

KEY = "a-key-for-tests"
Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """One request on the wire."""

    method: str
    path: str
    query: list[tuple[str, str]]


class PagerDutyServer:
    """`faults[path]` are statuses that are used up one a call, before the true answer."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.faults: dict[str, list[int]] = defaultdict(list)
        self.garbage: dict[str, bytes] = {}
        self.policies: dict[str, Body] = {}
        self.oncalls: list[Body] = []
        self.users: dict[str, Body] = {}
        self.rules: dict[str, list[Body]] = {}
        self.url = ""

    def paths(self) -> list[str]:
        return [each.path for each in self.asked]

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(Asked(request.method, request.path, list(request.query.items())))
        if request.headers.get("Authorization") != f"Token token={KEY}":
            return web.json_response({"error": {"message": "Unauthorized"}}, status=401)
        if self.faults[request.path]:
            status = self.faults[request.path].pop(0)
            return web.json_response({"error": {"message": "made up", "code": 1}}, status=status)
        if request.path in self.garbage:
            return web.Response(body=self.garbage[request.path], content_type="application/json")
        found = self._find(request)
        return web.json_response(found if found is not None else {"error": {}}, status=200 if found else 404)

    def _find(self, request: web.Request) -> Body | None:
        match request.path.strip("/").split("/"):
            case ["escalation_policies", policy]:
                return _wrapped("escalation_policy", self.policies.get(policy))
            case ["oncalls"]:
                wanted = request.query.getall("escalation_policy_ids[]", [])
                return _page(request, [o for o in self.oncalls if o["escalation_policy"]["id"] in wanted])
            case ["users", user]:
                return _wrapped("user", self.users.get(user))
            case ["users", user, "notification_rules"]:
                every = self.rules.get(user, [])
                urgency = request.query.get("urgency", "high")
                return {"notification_rules": [r for r in every if urgency in {"all", r["urgency"]}]}
            case _:
                return None


def _wrapped(name: str, found: Body | None) -> Body | None:
    return None if found is None else {name: found}


def _page(request: web.Request, found: list[Body]) -> Body:
    start, size = int(request.query.get("offset", 0)), int(request.query.get("limit", 25))
    return {
        "oncalls": found[start : start + size],
        "limit": size,
        "offset": start,
        "more": start + size < len(found),
        "total": None,
    }


def reference(kind: str, id: str, summary: str) -> Body:  # noqa: A002 - PagerDuty's word
    return {"id": id, "type": f"{kind}_reference", "summary": summary}


def oncall(
    user: str, *, policy: str = "PT20YPA", level: int = 1, start: str | None = None, end: str | None = None
) -> Body:
    return {
        "user": reference("user", user, f"{user} by name"),
        "schedule": reference("schedule", "PI7DH85", "Daily Engineering Rotation"),
        "escalation_policy": reference("escalation_policy", policy, "Engineering"),
        "escalation_level": level,
        "start": start,
        "end": end,
    }


def policy(id: str = "PT20YPA", *delays: int) -> Body:  # noqa: A002 - PagerDuty's word
    return {
        "id": id,
        "type": "escalation_policy",
        "name": "Engineering",
        "escalation_rules": [
            {
                "id": f"PRULE{at}",
                "escalation_delay_in_minutes": delay,
                "targets": [reference("schedule", "PI7DH85", f"Rotation {at}")],
            }
            for at, delay in enumerate(delays or (5, 15), 1)
        ],
        "num_loops": 0,
    }


def method(id: str, kind: str = "phone", **facts: Any) -> Body:  # noqa: A002 - PagerDuty's word
    known = {"id": id, "type": f"{kind}_contact_method", "label": "Mobile", "address": "01701234711"}
    return {**known, "enabled": True, "blacklisted": False, **facts}


def rule(method: str, minutes: int = 0, urgency: str = "high") -> Body:
    return {
        "id": f"R{method}{urgency}",
        "type": "assignment_notification_rule",
        "start_delay_in_minutes": minutes,
        "urgency": urgency,
        "contact_method": reference("phone_contact_method", method, "Mobile"),
    }


def user(id: str, *methods: Body, **facts: Any) -> Body:  # noqa: A002 - PagerDuty's word
    name = id.removeprefix("P").title()
    known = {"id": id, "type": "user", "name": name, "email": f"{name.lower()}@example.com"}
    return {
        **known,
        "html_url": f"https://acme.pagerduty.com/users/{id}",
        "contact_methods": list(methods),
        **facts,
    }


@asynccontextmanager
async def pagerduty_server(certificate_file: Path) -> AsyncIterator[PagerDutyServer]:
    server = PagerDutyServer()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", server.answer)
    async with tls_server(application, certificate_file) as url:
        server.url = url
        yield server
