"""What an incident is about, whether a webhook or the REST API tells of it."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from bot.domain.alert import Severity
from bot.providers.contract import line, severity_of, text, web_address

Data = Mapping[str, Any]


def component_of(incident: Data) -> str:
    return name_of(incident.get("service"))


def severity_of_incident(incident: Data) -> Severity:
    """The priority where there is one (P1 to P5, or names like them), else the urgency: high pages people."""
    return priority_of(incident) or _URGENCIES.get(text(incident.get("urgency"), 20), Severity.SEV3)


def priority_of(incident: Data) -> Severity | None:
    return severity_of(name_of(incident.get("priority")).replace("-", ""))


def details_of(incident: Data) -> str:
    facts = {
        "Assigned to": names_of(_assignees(incident)),
        "Escalation policy": name_of(incident.get("escalation_policy")),
        "Priority": name_of(incident.get("priority")),
        "Urgency": line(incident.get("urgency"), 20),
        "Incident key": line(incident.get("incident_key")),
    }
    return "\n".join(f"{name}: {value}" for name, value in facts.items() if value)


def url_of(value: object) -> str:
    """The incident's page, if it really is PagerDuty's."""
    address = web_address(value)
    try:
        host = urlsplit(address).hostname or ""
    except ValueError:
        return ""
    return address if address.startswith("https://") and host.endswith(".pagerduty.com") else ""


def names_of(references: object) -> str:
    return ", ".join(filter(None, map(name_of, references))) if isinstance(references, list) else ""


def name_of(reference: object) -> str:
    return line(table(reference).get("summary"), 200)


def table(value: object) -> Data:
    return value if isinstance(value, dict) else {}


def _assignees(incident: Data) -> object:
    """Webhooks name the people, the REST API wraps each in an assignment."""
    assignments = incident.get("assignments")
    if isinstance(assignments, list):
        return [table(one).get("assignee") for one in assignments]
    return incident.get("assignees")


_URGENCIES = {"high": Severity.SEV2, "low": Severity.SEV4}
