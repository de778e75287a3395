"""A small PagerDuty that remembers: incidents, notes, people and who is on call, over the part of its REST API we use.

It knows no HTTP: `answer` takes a request and gives (status, body). What it would tell its webhook subscribers goes to
`hear`. While `is_down` says so it answers 503 and does nothing; people go on there.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from bot.playground.pagerduty_shapes import SITE, Body, oncall, reference, rule, user

Query = Mapping[str, Sequence[str]]

KEY = "a-key-of-the-fake"
TEST_KEY = "fedcba9876543210fedcba9876543210"
"""The integration key of its test service."""
POLICY = "PESC001"
MOST_ITEMS = 100


class FakePagerDuty:
    """`now` is asked for every time. It knows one REST key, KEY, and one escalation policy of its own, POLICY."""

    def __init__(self, *, now: Callable[[], datetime]) -> None:
        self._now = now
        self._last = 0
        self.incidents: dict[str, Body] = {}
        self.notes: dict[str, list[Body]] = {}
        self.users: dict[str, Body] = {}
        self.rules: dict[str, list[Body]] = {}
        self.policies: dict[str, Body] = {}
        self.services: dict[str, Body] = {}
        self.oncalls: list[Body] = []
        self.notified: dict[str, list[Body]] = {}
        self.subscriptions: list[Body] = []
        self.hear: Callable[[Body], None] = lambda _event: None
        self.changed: Callable[[], None] = lambda: None
        self.is_down: Callable[[], bool] = lambda: False

    # What is kept over a restart
    def dump(self) -> Body:
        """Everything, as JSON."""
        return {"last": self._last} | {name: getattr(self, name) for name in _KEPT}

    def restore(self, stored: Body) -> None:
        self._last = stored["last"]
        for name in _KEPT:
            setattr(self, name, stored.get(name, getattr(self, name)))

    # Who works there
    def hire(self, id: str, name: str, email: str, *methods: Body) -> Body:  # noqa: A002 - PagerDuty's word
        """Somebody whom each of these contact methods rings at once."""
        self.users[id] = user(id, *methods, name=name, email=email)
        self.rules[id] = [rule(each["id"]) for each in methods]
        return self.users[id]

    def put_on_call(
        self,
        id: str,  # noqa: A002
        level: int,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> None:
        """From `start` to `end`; None is for good."""
        self.oncalls.append(
            oncall(
                id,
                name=self.users[id]["name"],
                policy=POLICY,
                level=level,
                start=_time(start) if start else None,
                end=_time(end) if end else None,
            )
        )

    # What happens there
    def trigger(
        self,
        title: str,
        *,
        incident: str = "",
        service: str = "prod-db-1",
        urgency: str = "high",
        key: str = "",
    ) -> Body:
        number = self._next()
        found = incident or f"PFAKE{number:04d}"
        at = _time(self._now())
        self.incidents[found] = {
            "id": found,
            "type": "incident",
            "summary": f"[#{number}] {title}",
            "self": f"https://api.pagerduty.com/incidents/{found}",
            "html_url": f"{SITE}/incidents/{found}",
            "incident_number": number,
            "title": title,
            "created_at": at,
            "last_status_change_at": at,
            "status": "triggered",
            "incident_key": key or f"{service}/{number}",
            "service": reference("service", "PSVC001", service),
            "assignments": self._assigned(1)[:1],
            "acknowledgements": [],
            "escalation_policy": reference("escalation_policy", POLICY, "Platform"),
            "teams": [],
            "priority": None,
            "urgency": urgency,
            "resolved_at": None,
        }
        self._tell("triggered", self.incidents[found], None)
        return self.incidents[found]

    def enqueue(self, event: Body) -> tuple[int, Body]:
        """What the Events API does: it takes whatever has a key that exists, also where no incident comes of it."""
        key, action = event.get("routing_key"), event.get("event_action")
        service = next((one for one in self.services.values() if _has_key(one, key)), None)
        if service is None:
            errors = ["Invalid routing key"]
            return 400, {"status": "invalid event", "message": "Event object is invalid", "errors": errors}
        dedup, open_one = event["dedup_key"], self._open_with(event["dedup_key"])
        if action == "resolve" and open_one:
            self.act(None, open_one["id"], status="resolved")
        elif action == "trigger" and not open_one and service["status"] not in {"disabled", "maintenance"}:
            payload = event["payload"]
            urgency = "high" if payload["severity"] in {"critical", "error"} else "low"
            made = self.trigger(payload["summary"], service=service["name"], urgency=urgency, key=dedup)
            self._notify(made)
        return 202, {"status": "success", "message": "Event processed", "dedup_key": dedup}

    def _open_with(self, key: str) -> Body | None:
        every = self.incidents.values()
        return next(
            (one for one in every if one.get("incident_key") == key and one["status"] != "resolved"), None
        )

    def _notify(self, incident: Body) -> None:
        """Whoever is assigned is told by each of their rules for this urgency, at once."""
        at = _time(self._now())
        for assignment in incident["assignments"]:
            who = assignment["assignee"]
            for one in self.rules.get(who["id"], []):
                if one["urgency"] not in {incident["urgency"], "all"}:
                    continue
                kind = (
                    one["contact_method"]["type"]
                    .partition("_contact_method")[0]
                    .removesuffix("_notification")
                )
                entry = {
                    "id": f"RLOG{self._next():04d}",
                    "type": "notify_log_entry",
                    "created_at": at,
                    "user": who,
                    "channel": {"type": "auto", "notification": {"type": f"{kind}_notification"}},
                }
                self.notified.setdefault(incident["id"], []).append(entry)

    def adopt(self, event: Body) -> None:
        """An incident of which the bot is told elsewhere (by a sample) stands here as well, with what it says."""
        told = event["data"]
        if told.get("type") != "incident" or not told.get("id"):
            return
        known, at = self.incidents.get(told["id"]), _time(self._now())
        if known and (known["status"] != "resolved") == (told["status"] != "resolved"):
            return  # the same told again: whoever has acknowledged it stays
        self.incidents[told["id"]] = told | {
            "summary": f"[#{told['number']}] {told['title']}",
            "incident_number": told["number"],
            "last_status_change_at": at,
            "assignments": self._assigned(1),
            "acknowledgements": [],
            "resolved_at": at if told["status"] == "resolved" else None,
        }
        self.changed()

    def act(self, user: str | None, incident: str, **changes: Any) -> Body:
        """Somebody changes an incident: `status`, `assignments` or `escalation_level`. None is an integration."""
        found, at = self.incidents[incident], _time(self._now())
        who = reference("user", user, self.users[user]["name"]) if user else None
        if (status := changes.get("status")) and status != found["status"]:
            found |= {"status": status, "last_status_change_at": at}
            found["resolved_at"] = at if status == "resolved" else None
            found["acknowledgements"] = (
                [{"at": at, "acknowledger": who}] if status == "acknowledged" and who else []
            )
            self._tell(status, found, who)
        if assignments := changes.get("assignments"):
            people = [self.users[one["assignee"]["id"]] for one in assignments]
            found["assignments"] = [
                {"at": at, "assignee": reference("user", one["id"], one["name"])} for one in people
            ]
            self._tell("reassigned", found, who)
        if level := changes.get("escalation_level"):
            found["assignments"] = self._assigned(level)
            self._tell("escalated", found, who)
        return found

    def note(self, user: str, incident: str, content: str) -> Body:
        who = reference("user", user, self.users[user]["name"])
        at = _time(self._now())
        written = {"id": f"PNOTE{self._next():04d}", "user": who, "content": content, "created_at": at}
        self.notes.setdefault(incident, []).append(written)
        about = reference("incident", incident, self.incidents[incident]["title"])
        data = {"incident": about, "id": written["id"], "content": content, "trimmed": False}
        self._event("annotated", data | {"type": "incident_note"}, who)
        return written

    def _tell(self, kind: str, incident: Body, who: Body | None) -> None:
        assignees = [one["assignee"] for one in incident["assignments"]]
        data = {
            name: value for name, value in incident.items() if name not in {"assignments", "acknowledgements"}
        }
        self._event(kind, data | {"number": incident["incident_number"], "assignees": assignees}, who)

    def _event(self, kind: str, data: Body, who: Body | None) -> None:
        event = {
            "id": f"01{uuid4().hex[:24].upper()}",
            "event_type": f"incident.{kind}",
            "resource_type": "incident",
            "occurred_at": _time(self._now()),
            "agent": who,
            "client": None,
            "data": data,
        }
        self.hear(event)
        self.changed()

    def _assigned(self, level: int) -> list[Body]:
        """Whoever is on call at this level now."""
        at = _time(self._now())
        now = [
            one["user"] for one in self.oncalls if one["escalation_level"] == level and _touches(one, at, at)
        ]
        return [{"at": at, "assignee": one} for one in now]

    def _next(self) -> int:
        self._last += 1
        return self._last

    # What it is asked
    def answer(
        self, method: str, path: str, query: Query, headers: Mapping[str, str], body: Body
    ) -> tuple[int, Body]:
        """`headers` by their names in lower case."""
        if self.is_down():
            return 503, _error("Service Unavailable")
        if (method, path) == ("POST", "/v2/enqueue"):
            return self.enqueue(body)
        if headers.get("authorization") != f"Token token={KEY}":
            return 401, _error("Unauthorized")
        parts = path.strip("/").split("/")
        if method == "GET":
            return self._read(parts, query)
        sender = headers.get("from", "").casefold()
        author = next((one["id"] for one in self.users.values() if one["email"].casefold() == sender), "")
        if not author:
            return 400, _error("Requester User Not Found")
        return self._write(method, parts, author, body)

    def _read(self, parts: list[str], query: Query) -> tuple[int, Body]:  # noqa: C901 - a table of paths
        found: Body | None
        match parts:
            case ["incidents"]:
                wanted = query.get("statuses[]") or ["triggered", "acknowledged", "resolved"]
                key = (query.get("incident_key") or [""])[0]
                every = [
                    one
                    for one in self.incidents.values()
                    if one["status"] in wanted and key in {"", one.get("incident_key")}
                ]
                found = _page("incidents", every, query)
            case ["incidents", number]:
                found = _wrapped("incident", self.incidents.get(number))
            case ["incidents", number, "notes"]:
                found = {"notes": self.notes.get(number, [])}
            case ["incidents", number, "log_entries"]:
                found = _page("log_entries", self.notified.get(number, []), query)
            case ["webhook_subscriptions"]:
                found = _page("webhook_subscriptions", self.subscriptions, query)
            case ["users"]:
                asked = (query.get("query") or [""])[0].casefold()
                people = self.users.values()
                known = [one for one in people if asked in f"{one['name']} {one['email']}".casefold()]
                found = _page("users", known, query)
            case ["users", person]:
                found = _wrapped("user", self.users.get(person))
            case ["users", person, "notification_rules"]:
                urgency = (query.get("urgency") or ["high"])[0]
                rules = self.rules.get(person, [])
                found = {"notification_rules": [one for one in rules if urgency in {"all", one["urgency"]}]}
            case ["escalation_policies", policy]:
                found = _wrapped("escalation_policy", self.policies.get(policy))
            case ["services"]:
                found = _page("services", self._services("integrations" in query.get("include[]", ())), query)
            case ["oncalls"]:
                found = _page("oncalls", self._on_call(query), query)
            case _:
                found = None
        return (200, found) if found else (404, _error("Not Found"))

    def _services(self, whole: bool) -> list[Body]:  # noqa: FBT001
        """Without its `include[]` an integration is a reference, which shows no key."""
        if whole:
            return list(self.services.values())
        return [
            one | {"integrations": [_reference(each) for each in one["integrations"]]}
            for one in self.services.values()
        ]

    def _on_call(self, query: Query) -> list[Body]:
        """The shifts of the policies that are asked for, within the time from `since` to `until`: by default now."""
        now = _time(self._now())
        since, until = ((query.get(name) or [now])[0] for name in ("since", "until"))
        policies = query.get("escalation_policy_ids[]") or []
        return [
            one
            for one in self.oncalls
            if one["escalation_policy"]["id"] in policies and _touches(one, since, until)
        ]

    def _write(self, method: str, parts: list[str], author: str, body: Body) -> tuple[int, Body]:
        if len(parts) < 2 or parts[0] != "incidents" or parts[1] not in self.incidents:
            return 404, _error("Not Found")
        incident = parts[1]
        match method, parts[2:]:
            case "PUT", []:
                return 200, {"incident": self.act(author, incident, **body["incident"])}
            case "POST", ["notes"]:
                return 201, {"note": self.note(author, incident, body["note"]["content"])}
            case "POST", ["snooze"]:
                until = _time(self._now() + timedelta(seconds=body["duration"]))
                found = self.incidents[incident]
                found["pending_actions"] = [{"type": "unacknowledge", "at": until}]
                return 201, {"incident": found}
            case _:
                return 405, _error("Method Not Allowed")


def _has_key(service: Body, key: Any) -> bool:
    return any(one.get("integration_key") == key for one in service["integrations"])


def _reference(integration: Body) -> Body:
    return {
        "id": integration["id"],
        "type": f"{integration['type']}_reference",
        "summary": integration["summary"],
    }


def _wrapped(name: str, found: Body | None) -> Body | None:
    return {name: found} if found else None


def _page(name: str, found: Sequence[Body], query: Query) -> Body:
    def number(field: str, otherwise: int) -> int:
        given = (query.get(field) or [""])[0]
        return int(given) if re.fullmatch(r"\d{1,6}", given) else otherwise

    start, size = number("offset", 0), min(number("limit", 25), MOST_ITEMS)
    rest = {"limit": size, "offset": start, "total": None, "more": start + size < len(found)}
    return {name: list(found[start : start + size]), **rest}


def _touches(shift: Body, since: str, until: str) -> bool:
    """Times may come in any zone."""
    start, end = shift["start"], shift["end"]
    begun = start is None or datetime.fromisoformat(start) <= datetime.fromisoformat(until)
    return begun and (end is None or datetime.fromisoformat(end) > datetime.fromisoformat(since))


def _error(message: str) -> Body:
    return {"error": {"message": message, "code": 2000}}


def _time(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"


_KEPT = (
    "incidents",
    "notes",
    "users",
    "rules",
    "policies",
    "services",
    "oncalls",
    "notified",
)
