"""What socmon makes of PagerDuty's events."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.domain.alert import Change, Reported, Severity
from bot.domain.errors import Unreadable
from bot.domain.tool import ToolAct
from bot.providers.contract import Reading
from bot.providers.pagerduty import PROVIDER
from tests.providers.deliveries import request, webhook_of

PAYLOADS = Path(__file__).parent / "payloads"
WEBHOOK = webhook_of(PROVIDER)


def payload(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((PAYLOADS / f"{name}.json").read_text())
    return found


def read(body: dict[str, Any]) -> Reading:
    return WEBHOOK.read(request(json.dumps(body).encode()))


def told(body: dict[str, Any]) -> Reported:
    [found] = read(body).alerts
    return found


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "triggered",
            {
                "change": Change.TRIGGERED,
                "dedup_key": "PABC123",
                "occurrence": "PABC123",
                "occurred_at": datetime(2026, 11, 24, 12, 0, 0, 500000, tzinfo=UTC),
                "title": "CPU of prod-db-1 is high",
                "component": "prod-db",
                "severity": Severity.SEV1,
                "url": "https://acme.pagerduty.com/incidents/PABC123",
                "text": "Assigned to: Pat Doe\nEscalation policy: Platform\nPriority: P1\nUrgency: high\n"
                "Incident key: cpu/prod-db-1",
                "said": "triggered in PagerDuty automatically",
                "ignored": "",
            },
        ),
        ("repeated", {"change": Change.TRIGGERED, "occurrence": "PABC123"}),
        (
            "reopened",
            {
                "change": Change.TRIGGERED,
                "dedup_key": "PABC123",
                "occurrence": "PABC123|2026-11-24T12:20:00Z",
                "said": "reopened in PagerDuty by Pat Doe",
            },
        ),
        (
            "resolved",
            {
                "change": Change.RECOVERED,
                "dedup_key": "PABC123",
                "occurrence": None,
                "occurred_at": datetime(2026, 11, 24, 12, 10, tzinfo=UTC),
                "said": "resolved in PagerDuty by Pat Doe",
            },
        ),
        ("resolved-by-itself", {"change": Change.RECOVERED, "said": "resolved in PagerDuty automatically"}),
        ("low-urgency", {"change": Change.TRIGGERED, "severity": Severity.SEV4, "url": ""}),
    ],
)
def test_states(name: str, expected: dict[str, object]) -> None:
    """An incident is an alert; what ends it in PagerDuty is the source's recovery, and never a resolution here."""
    found = told(payload(name))

    assert {field: getattr(found, field) for field in expected} == expected


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("acknowledged", "acknowledged in PagerDuty by Pat Doe"),
        ("unacknowledged", "acknowledgement taken back in PagerDuty automatically"),
        ("escalated", "escalated in PagerDuty to Pat Doe, Kim Roe by Pat Doe"),
        ("reassigned", "reassigned in PagerDuty to Kim Roe by Pat Doe"),
        ("delegated", "delegated in PagerDuty to Network by Pat Doe"),
        ("annotated", "note in PagerDuty by Pat Doe: Restarted the pool.\nWatching it."),
        ("annotated-cut", "note in PagerDuty by Pat Doe: A long story (PagerDuty left out the rest)"),
        ("priority-updated", "priority set to P2 in PagerDuty by Pat Doe"),
        ("priority-removed", "priority taken away in PagerDuty by Pat Doe"),
        ("status-update", "status update in PagerDuty by Pat Doe: We are on it"),
        ("responder-added", "Kim Roe asked in PagerDuty to help by Pat Doe: Please look at the index"),
        ("responder-replied", "Kim Roe answered the request for help in PagerDuty: joined (On my way)"),
    ],
)
def test_what_people_do_in_pagerduty_is_told(name: str, said: str) -> None:
    """It stands in the alert's timeline with the person's name; it changes no state here."""
    found = told(payload(name))

    assert (found.change, found.dedup_key, found.said, found.ignored) == (Change.UPDATED, "PABC123", said, "")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("ping", "test notification"),
        ("service-updated", "an event that says nothing about an alert"),
        ("of-tomorrow", "an event that says nothing about an alert"),
    ],
)
def test_other_events_are_filed(name: str, reason: str) -> None:
    assert told(payload(name)).ignored == reason


@pytest.mark.parametrize("name", ["malformed", "not-an-event"])
def test_what_names_no_incident_is_a_gap(name: str) -> None:
    with pytest.raises(Unreadable):
        read(payload(name))


@pytest.mark.parametrize(
    "event",
    [
        None,
        [],
        "incident.triggered",
        {},
        {"event_type": None},
        {"event_type": "incident.triggered", "data": None},
    ],
    ids=str,
)
def test_unreadable(event: object) -> None:
    with pytest.raises(Unreadable):
        read({"event": event})


@pytest.mark.parametrize(
    ("priority", "urgency", "severity"),
    [
        ("P1", "low", Severity.SEV1),
        ("P2", "high", Severity.SEV2),
        ("P3", "high", Severity.SEV3),
        ("P4", "high", Severity.SEV4),
        ("P5", "high", Severity.SEV4),
        ("SEV-1", "low", Severity.SEV1),
        ("sev 1", "high", Severity.SEV2),
        ("Unicorn", "low", Severity.SEV4),
        (None, "high", Severity.SEV2),
        (None, "low", Severity.SEV4),
        (None, "severe", Severity.SEV3),
        (None, None, Severity.SEV3),
        (7, None, Severity.SEV3),
    ],
)
def test_severity(priority: object, urgency: object, severity: Severity) -> None:
    """The priority where it says something, else the urgency, else the middle."""
    body = payload("triggered")
    body["event"]["data"] |= {"priority": priority and {"summary": priority}, "urgency": urgency}

    assert told(body).severity == severity


@pytest.mark.parametrize(
    ("name", "raised_to"),
    [
        ("priority-updated", Severity.SEV2),
        ("priority-removed", None),
        ("annotated", None),
        ("triggered", None),
    ],
)
def test_an_update_states_the_incidents_priority(name: str, raised_to: Severity | None) -> None:
    """Its urgency does not count: taking a priority away must not make an alert worse."""
    assert told(payload(name)).raised_to is raised_to


def test_a_replay_cannot_pass_for_a_new_delivery() -> None:
    """The delivery is named by the event's id, which is signed, and not by the header, which is not."""
    body = (PAYLOADS / "triggered.json").read_bytes()
    first = WEBHOOK.read(request(body, {"x-webhook-id": "1"}))
    replay = WEBHOOK.read(request(body, {"x-webhook-id": "2"}))

    assert first.delivery_id == replay.delivery_id == "01EVINCIDENTTRIGGERED"


def test_reopened_twice_is_two_episodes() -> None:
    """Also where PagerDuty does not say when it was reopened."""
    first, second = payload("reopened"), payload("reopened")
    del first["event"]["data"]["reopened_at"], second["event"]["data"]["reopened_at"]
    second["event"]["occurred_at"] = "2026-11-24T13:00:00.000Z"

    assert len({told(first).occurrence, told(second).occurrence, told(payload("triggered")).occurrence}) == 3


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://acme.pagerduty.com/incidents/P1", True),
        ("https://acme.eu.pagerduty.com/incidents/P1", True),
        ("http://acme.pagerduty.com/incidents/P1", False),
        ("https://pagerduty.com.evil.example/", False),
        ("https://evil.example/?acme.pagerduty.com", False),
        ("https://acme.pagerduty.com@evil.example/", False),
        ("https://[acme.pagerduty.com/", False),
        ("javascript:alert(1)//acme.pagerduty.com", False),
        (7, False),
    ],
)
def test_only_pagerdutys_own_pages_are_linked(address: object, shown: bool) -> None:  # noqa: FBT001 - a table
    body = payload("triggered")
    body["event"]["data"]["html_url"] = address

    assert told(body).url == (address if shown else "")


@pytest.mark.parametrize(
    ("name", "done"),
    [
        ("acknowledged", (ToolAct.ACKNOWLEDGE, "PPAT001", "Pat Doe")),
        ("annotated", (ToolAct.NOTE, "PPAT001", "Pat Doe")),
        ("reassigned", (ToolAct.REASSIGN, "PPAT001", "Pat Doe")),
        ("delegated", (ToolAct.REASSIGN, "PPAT001", "Pat Doe")),
        ("resolved", (ToolAct.RESOLVE, "PPAT001", "Pat Doe")),
        ("resolved-by-itself", None),
        ("unacknowledged", None),
        ("priority-updated", None),
    ],
)
def test_whose_act_it_was(name: str, done: tuple[ToolAct, str, str] | None) -> None:
    """Only of people, by PagerDuty's own ids; an integration or a rule did nothing that anybody could answer for."""
    found = told(payload(name)).done
    assert (found and (found.act, found.account, found.name)) == done


def test_an_integration_is_no_person() -> None:
    body = payload("acknowledged")
    body["event"]["agent"] = {"id": "PINT001", "type": "inbound_integration_reference", "summary": "Datadog"}
    assert told(body).done is None


def test_who_gets_it_and_what_was_noted() -> None:
    body = payload("reassigned")
    body["event"]["data"]["assignees"] = [{"id": "PKIM001", "type": "user_reference", "summary": "Kim"}]
    given = told(body).done
    assert given is not None
    assert given.to == ("PKIM001", "Kim")
    noted = told(payload("annotated")).done
    assert noted is not None
    assert noted.text == "Restarted the pool.\nWatching it."
