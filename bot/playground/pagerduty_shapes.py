"""Users, contact methods, notification rules, escalation policies and shifts, in the shapes of PagerDuty's REST API."""

from typing import Any

Body = dict[str, Any]

SITE = "https://example.pagerduty.com"


def reference(kind: str, id: str, summary: str) -> Body:  # noqa: A002 - PagerDuty's word
    return {
        "id": id,
        "type": f"{kind}_reference",
        "summary": summary,
        "html_url": f"{SITE}/{kind}s/{id}",
    }


def user(id: str, *methods: Body, **facts: Any) -> Body:  # noqa: A002
    """`facts` are `name`, `email` and whatever else differs; without a name the id serves."""
    name = facts.get("name") or id.removeprefix("P").title()
    known = {"id": id, "type": "user", "name": name, "summary": name, "email": f"{name.lower()}@example.com"}
    return {**known, "html_url": f"{SITE}/users/{id}", "contact_methods": list(methods), **facts}


def method(id: str, kind: str = "phone", **facts: Any) -> Body:  # noqa: A002
    known = {"id": id, "type": f"{kind}_contact_method", "label": "Mobile", "address": "01701234711"}
    return {**known, "enabled": True, "blacklisted": False, **facts}


def rule(method: str, minutes: int = 0, urgency: str = "high", kind: str = "phone") -> Body:
    """A contact method (its id) rings so many minutes after an incident was assigned."""
    return {
        "id": f"R{method}{urgency}",
        "type": "assignment_notification_rule",
        "start_delay_in_minutes": minutes,
        "urgency": urgency,
        "contact_method": reference(f"{kind}_contact_method", method, "Mobile"),
    }


def policy(id: str = "PT20YPA", *delays: int, name: str = "Engineering") -> Body:  # noqa: A002
    """A level per delay; a delay is how many minutes the next level waits."""
    return {
        "id": id,
        "type": "escalation_policy",
        "name": name,
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


def oncall(
    user: str,
    *,
    name: str = "",
    policy: str = "PT20YPA",
    level: int = 1,
    start: str | None = None,
    end: str | None = None,
) -> Body:
    """A shift from `start` to `end` (ISO 8601); None is for good."""
    return {
        "user": reference("user", user, name or f"{user} by name"),
        "schedule": reference("schedule", "PI7DH85", "Daily Engineering Rotation"),
        "escalation_policy": reference("escalation_policy", policy, "Engineering"),
        "escalation_level": level,
        "start": start,
        "end": end,
    }


def service(
    id: str,  # noqa: A002
    name: str,
    policy: str,
    *keys: str,
    status: str = "active",
    urgency: str = "high",
) -> Body:
    """A service with an Events API v2 integration for each key."""
    return {
        "id": id,
        "type": "service",
        "name": name,
        "summary": name,
        "html_url": f"{SITE}/service-directory/{id}",
        "status": status,
        "escalation_policy": reference("escalation_policy", policy, policy),
        "incident_urgency_rule": {"type": "constant", "urgency": urgency},
        "integrations": [
            {
                "id": f"{id}I{number}",
                "type": "events_api_v2_inbound_integration",
                "name": "Events API V2",
                "summary": "Events API V2",
                "integration_key": key,
                "service": reference("service", id, name),
            }
            for number, key in enumerate(keys)
        ],
        "teams": [],
    }


def subscription(url: str, *, active: bool = True, temporarily_disabled: bool = False) -> Body:
    """A v3 webhook subscription."""
    return {
        "id": "PSUB001",
        "type": "webhook_subscription",
        "active": active,
        "delivery_method": {
            "type": "http_delivery_method",
            "url": url,
            "temporarily_disabled": temporarily_disabled,
        },
        "events": ["incident.triggered"],
        "filter": {"type": "account_reference"},
    }
