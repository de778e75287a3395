"""New Relic reports its issues: with our message template, with New Relic's default one, or with the legacy one.

New Relic signs nothing; a shared secret in a header is the only proof of who sends. What is sent, and when:
https://docs.newrelic.com/docs/alerts/get-notified/notification-integrations/#webhook
Template variables: https://docs.newrelic.com/docs/alerts/get-notified/custom-variables-incident-workflows/
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.domain.alert import Change, Reported, Severity
from bot.domain.errors import Unreadable
from bot.providers.contract import (
    Reading,
    Request,
    Way,
    Webhook,
    check_shared_secret,
    instant,
    key_of,
    line,
    parse_object,
    severity_of,
    text,
    web_address,
)
from bot.providers.newrelic.settings import NewRelicSettings

# Our template's name for a value, then the default template's, then that of the legacy notification channels.
NAMES = {
    "issue": ("issueId", "id", "incident_id"),
    "state": ("state", "current_state"),
    "trigger": ("trigger", "event_type"),
    "priority": ("priority", "severity"),
    "title": ("title", "details"),
    "conditions": ("conditionName", "alertConditionNames", "condition_name"),
    "policies": ("policyName", "alertPolicyNames", "policy_name"),
    "entities": ("entities", "impactedEntities", "targets"),
    "url": ("url", "issueUrl", "incident_url"),
    "runbook": ("runbook", "runbook_url"),
    "workflow": ("workflow", "workflowName"),
    "acknowledged_by": ("acknowledgedBy", "owner"),
    "created_at": ("createdAt",),
    "updated_at": ("updatedAt", "timestamp"),
    "closed_at": ("closedAt",),
}

STATES = {
    "created": Change.TRIGGERED,
    "activated": Change.TRIGGERED,
    "open": Change.TRIGGERED,  # legacy
    "acknowledged": Change.UPDATED,
    "closed": Change.RECOVERED,
}

# A person did something to a live issue: it is still "ACTIVATED", but that is no news (seen when one acknowledged it).
USER_ACTION = "user_action"
# The triggers with which an issue's state becomes ACKNOWLEDGED, which only a person can do; "incident" is the legacy
# one. With any other trigger it has been acknowledged before, and something else changed.
ACKNOWLEDGING = {USER_ACTION, "state_change", "incident", ""}
PRIORITY_CHANGED = "priority_changed"

# What "Send test notification" fills in, whatever the template: a sample issue of the year 2021 (its id, and the one
# in the address of its page), and the legacy channels' incident number 0.
SAMPLE_ISSUES = ("d1b1f3fd-995a-4066-88ab-8ce4f6960654", "0ea2df1c-adab-45d2-aae0-042b609d2322")
SAMPLE_CREATED_AT = "1617881246260"
SAMPLE_LEGACY_TITLE = "I am a test Violation"

_ISSUE_PAGE = re.compile(r"/issues/([0-9a-f]{8}-[0-9a-f-]{27})\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRelicWebhook(Webhook):
    """Checks and reads what a workflow sends."""

    settings: NewRelicSettings

    def check_headers(self, headers: Mapping[str, str]) -> str:
        return check_shared_secret(
            "newrelic", self.settings.secrets, headers, {Way.TOKEN, Way.BEARER, Way.BASIC}
        )

    async def authenticate(self, request: Request) -> str:
        return self.check_headers(request.headers)

    def read(self, request: Request) -> Reading:
        issue = _Issue.read(parse_object(request.body))
        return Reading(
            delivery_id=issue.delivery_id,
            alerts=(_reported(issue, request.received_at),),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Issue:
    """The values of one delivery; "" for what it does not say."""

    values: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, fields: dict[str, Any]) -> "_Issue":
        return cls(values={name: _first(fields, names) for name, names in NAMES.items()})

    def __getitem__(self, name: str) -> str:
        return self.values[name]

    @property
    def delivery_id(self) -> str:
        parts = [self[name] for name in ("issue", "state", "trigger", "updated_at")]
        return key_of(*parts) if all(parts) else ""

    @property
    def key(self) -> str:
        """The issue's id; from the address of its page where the template leaves the id out."""
        page = _ISSUE_PAGE.search(self["url"])
        return key_of(self["issue"] or (page[1] if page else ""))

    @property
    def is_test(self) -> bool:
        return (
            self.key in SAMPLE_ISSUES
            or self["created_at"] == SAMPLE_CREATED_AT
            or (self["issue"] == "0" and self["title"] == SAMPLE_LEGACY_TITLE)
        )

    @property
    def change(self) -> Change:
        change = STATES.get(self["state"].lower())
        if change is Change.TRIGGERED and self["trigger"].lower() == USER_ACTION:
            return Change.UPDATED
        if change:
            return change
        if self["state"]:
            raise Unreadable(
                f"New Relic reports the issue state “{line(self['state'], 60)}”, which socmon does not know."
            )
        raise Unreadable(
            "This delivery does not say what happened: the issue's state is not in it."
            " Paste socmon's message template into the workflow's webhook in New Relic."
        )

    @property
    def said(self) -> str:
        trigger = self["trigger"].lower()
        if self.change is not Change.UPDATED:
            return ""
        if trigger == PRIORITY_CHANGED:
            return f"priority changed to {line(self['priority'], 40) or 'none'} in New Relic"
        if trigger not in ACKNOWLEDGING:
            return f"changed in New Relic: {line(trigger, 60).replace('_', ' ')}"
        person = line(self["acknowledged_by"], 100)
        if person and person != "N/A":
            return f"acknowledged in New Relic by {person}"
        acknowledged = self["state"].lower() == "acknowledged"
        return "acknowledged in New Relic" if acknowledged else "changed by a person in New Relic"

    def at(self, received_at: datetime) -> datetime | None:
        """When this word was said: a closing's own time, else the last update, else the creation."""
        names = ["closed_at"] if self.change is Change.RECOVERED else []
        times = (
            instant(self[name], received_at=received_at) for name in [*names, "updated_at", "created_at"]
        )
        return next((time for time in times if time), None)


def reported_issue(fields: dict[str, Any], received_at: datetime) -> Reported:
    """An issue with the names of our message template."""
    return _reported(_Issue.read(fields), received_at)


def _reported(issue: _Issue, received_at: datetime) -> Reported:
    if issue.is_test:
        return Reported(
            change=Change.TRIGGERED,
            dedup_key=key_of("test", issue.key),
            title=line(issue["title"]),
            ignored="test notification",
        )
    if not issue.key:
        raise Unreadable(
            "This delivery names no issue: its id is not in it."
            " Paste socmon's message template into the workflow's webhook in New Relic."
        )
    return Reported(
        change=issue.change,
        dedup_key=issue.key,
        occurrence=issue.key,  # New Relic opens a new issue for each episode
        occurred_at=issue.at(received_at),
        title=line(issue["title"]) or line(issue["conditions"]),
        component=line(issue["entities"], 200),
        condition=line(issue["conditions"], 500),
        severity=severity_of(issue["priority"]) or Severity.SEV3,
        url=web_address(issue["url"]),
        runbook=web_address(issue["runbook"]),
        text=_text(issue),
        said=issue.said,
        raised_to=severity_of(issue["priority"]) if issue.change is Change.UPDATED else None,
    )


def _text(issue: _Issue) -> str:
    said = [issue["title"]] if "\n" in issue["title"] else []
    for label, name in (("Policy", "policies"), ("Workflow", "workflow")):
        if issue[name]:
            said.append(f"{label}: {issue[name]}")
    if issue["priority"] and severity_of(issue["priority"]) is None:
        said.append(f"Priority in New Relic: {issue['priority']}")
    return text("\n".join(said))


def _first(fields: dict[str, Any], names: tuple[str, ...]) -> str:
    """The first of these fields that says something. Most of New Relic's values are lists, even for one name."""
    return next((words for name in names if (words := _words(fields.get(name)))), "")


def _words(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(filter(None, map(_words, value[:20])))
    if isinstance(value, dict):  # a legacy target: {"name": …, "type": …, "link": …}
        value = value.get("name")
    return text(value)
