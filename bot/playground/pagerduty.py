"""A small PagerDuty that remembers: incidents, notes, users and who is on call, over the part of its REST API we use.

It knows no HTTP: `answer` takes a request and gives (status, body). What it would tell its webhook subscribers is
collected in `events`, oldest first. While `is_down` it answers 503 and does nothing.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

Body = dict[str, Any]
Query = Mapping[str, Sequence[str]]

SITE = "https://example.pagerduty.com"
MOST_ITEMS = 100


class FakePagerDuty:
    """`now` is asked for every time; `key` is the one REST key it knows."""

    def __init__(self, *, now: Callable[[], datetime], key: str = "a-key-of-the-fake") -> None:
        self._now, self._key = now, key
        self._numbers = count(1)
        self.incidents: dict[str, Body] = {}
        self.notes: dict[str, list[Body]] = {}
        self.users: dict[str, Body] = {}
        self.oncalls: list[Body] = []
        self.events: list[Body] = []
        self.asked: list[tuple[str, str]] = []
        self.is_down = False

    # What happens there
    def hire(self, user: str, name: str, email: str) -> Body:
        self.users[user] = {
            "id": user,
            "type": "user",
            "name": name,
            "summary": name,
            "email": email,
            "html_url": f"{SITE}/users/{user}",
        }
        return self.users[user]

    def put_on_call(self, user: str, level: int, *, policy: str = "PESC001") -> None:
        self.oncalls.append(
            {
                "escalation_policy": _reference("escalation_policy", policy, "Platform"),
                "escalation_level": level,
                "user": _reference("user", user, self.users[user]["name"]),
                "schedule": None,
                "start": None,
                "end": None,
            }
        )

    def trigger(
        self, title: str, *, incident: str = "", service: str = "prod-db-1", urgency: str = "high"
    ) -> Body:
        number = next(self._numbers)
        found = incident or f"PFAKE{number:04d}"
        at = _time(self._now())
        first = [one["user"] for one in self.oncalls if one["escalation_level"] == 1][:1]
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
            "incident_key": f"{service}/{number}",
            "service": _reference("service", "PSVC001", service),
            "assignments": [{"at": at, "assignee": one} for one in first],
            "acknowledgements": [],
            "escalation_policy": _reference("escalation_policy", "PESC001", "Platform"),
            "teams": [],
            "priority": None,
            "urgency": urgency,
            "resolved_at": None,
        }
        self._tell("triggered", self.incidents[found], None)
        return self.incidents[found]

    def act(self, user: str | None, incident: str, **changes: Any) -> Body:
        """Somebody changes an incident: `status`, `assignments` or `escalation_level`. None is an integration."""
        found, at = self.incidents[incident], _time(self._now())
        who = _reference("user", user, self.users[user]["name"]) if user else None
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
                {"at": at, "assignee": _reference("user", one["id"], one["name"])} for one in people
            ]
            self._tell("reassigned", found, who)
        if level := changes.get("escalation_level"):
            next_ones = [one["user"] for one in self.oncalls if one["escalation_level"] == level]
            found["assignments"] = [{"at": at, "assignee": one} for one in next_ones]
            self._tell("escalated", found, who)
        return found

    def note(self, user: str, incident: str, content: str) -> Body:
        who = _reference("user", user, self.users[user]["name"])
        number = next(self._numbers)
        at = _time(self._now())
        written = {"id": f"PNOTE{number:04d}", "user": who, "content": content, "created_at": at}
        self.notes.setdefault(incident, []).append(written)
        about = _reference("incident", incident, self.incidents[incident]["title"])
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
        number = next(self._numbers)
        self.events.append(
            {
                "id": f"01FAKE{number:08d}",
                "event_type": f"incident.{kind}",
                "resource_type": "incident",
                "occurred_at": _time(self._now()),
                "agent": who,
                "client": None,
                "data": data,
            }
        )

    # What it is asked
    def answer(
        self, method: str, path: str, query: Query, headers: Mapping[str, str], body: Body
    ) -> tuple[int, Body]:
        """`headers` by their names in lower case."""
        self.asked.append((method, path))
        if self.is_down:
            return 503, _error("Service Unavailable")
        if headers.get("authorization") != f"Token token={self._key}":
            return 401, _error("Unauthorized")
        parts = path.strip("/").split("/")
        if method == "GET":
            return self._read(parts, query)
        sender = headers.get("from", "").casefold()
        author = next((one["id"] for one in self.users.values() if one["email"].casefold() == sender), "")
        if not author:
            return 400, _error("Requester User Not Found")
        return self._write(method, parts, author, body)

    def _read(self, parts: list[str], query: Query) -> tuple[int, Body]:
        found: Body | None
        match parts:
            case ["incidents"]:
                wanted = query.get("statuses[]") or ["triggered", "acknowledged", "resolved"]
                every = [one for one in self.incidents.values() if one["status"] in wanted]
                found = _page("incidents", every, query)
            case ["incidents", number]:
                found = _wrapped("incident", self.incidents.get(number))
            case ["incidents", number, "notes"]:
                found = {"notes": self.notes.get(number, [])}
            case ["users"]:
                asked = (query.get("query") or [""])[0].casefold()
                people = self.users.values()
                known = [one for one in people if asked in f"{one['name']} {one['email']}".casefold()]
                found = _page("users", known, query)
            case ["users", user]:
                found = _wrapped("user", self.users.get(user))
            case ["oncalls"]:
                policies = query.get("escalation_policy_ids[]") or []
                on_call = [one for one in self.oncalls if one["escalation_policy"]["id"] in policies]
                found = _page("oncalls", on_call, query)
            case _:
                found = None
        return (200, found) if found else (404, _error("Not Found"))

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


def _wrapped(name: str, found: Body | None) -> Body | None:
    return {name: found} if found else None


def _page(name: str, found: Sequence[Body], query: Query) -> Body:
    def number(field: str, otherwise: int) -> int:
        given = (query.get(field) or [""])[0]
        return int(given) if re.fullmatch(r"\d{1,6}", given) else otherwise

    start, size = number("offset", 0), min(number("limit", 25), MOST_ITEMS)
    rest = {"limit": size, "offset": start, "total": None, "more": start + size < len(found)}
    return {name: list(found[start : start + size]), **rest}


def _reference(kind: str, number: str, summary: str) -> Body:
    return {
        "id": number,
        "type": f"{kind}_reference",
        "summary": summary,
        "html_url": f"{SITE}/{kind}s/{number}",
    }


def _error(message: str) -> Body:
    return {"error": {"message": message, "code": 2000}}


def _time(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"
