"""What socmon makes of events that others have recorded, and of the vendor's own examples (SOCMON_FIXTURES)."""

import json
from pathlib import Path

import pytest

from bot.providers.pagerduty import PROVIDER
from tests.providers.deliveries import made_of, webhook_of

WEBHOOK = webhook_of(PROVIDER)
NO_EVENT = "unreadable: The body has no event, so no v3 webhook subscription made it."
OTHER = "ignored: an event that says nothing about an alert"


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("pagerduty-webhook/zulip-triggered_v3", "triggered SEV2 pig208 “Test Incident 3”"),
        ("pagerduty/docs-01-overview-webhooks-02", "updated SEV1 “A little bump in the road”"),
        ("pagerduty/docs-01-overview-webhooks-03", OTHER),
        # These are the data of an event without the event around it, or a subscription.
        *((f"pagerduty/docs-01-overview-webhooks-{number:02}", NO_EVENT) for number in (1, *range(4, 16))),
    ],
)
def test_recorded_events(fixtures_dir: Path, name: str, made: str) -> None:
    assert made_of(WEBHOOK, fixtures_dir / f"{name}.json") == made


@pytest.mark.parametrize(
    ("number", "kind", "made"),
    [
        (4, "incident.triggered", "triggered SEV1 API Service “A little bump in the road”"),
        (4, "incident.reopened", "triggered SEV1 API Service “A little bump in the road”"),
        (4, "incident.resolved", "recovered SEV1 API Service “A little bump in the road”"),
        (4, "incident.acknowledged", "updated SEV1 “A little bump in the road”"),
        (5, "incident.conference_bridge.updated", OTHER),
        (6, "incident.custom_field_values.updated", OTHER),
        (7, "incident.annotated", "updated SEV3"),
        (8, "incident.role.assigned", OTHER),
        (9, "incident.status_update_published", "updated SEV3"),
        (10, "incident.responder.added", "updated SEV3"),
        (10, "incident.responder.replied", "updated SEV3"),
        (11, "incident.task.created", OTHER),
        (12, "incident.workflow.started", OTHER),
        (13, "service.updated", OTHER),
        (14, "service.custom_field_values.updated", OTHER),
        (15, "incident.action_invocation.created", OTHER),
    ],
)
def test_the_vendors_data_inside_its_event(
    fixtures_dir: Path, tmp_path: Path, number: int, kind: str, made: str
) -> None:
    """The documentation shows the data of each kind of event apart; here they are put where they belong."""
    data = json.loads((fixtures_dir / f"pagerduty/docs-01-overview-webhooks-{number:02}.json").read_text())
    body = tmp_path / "body"
    body.write_text(json.dumps({"event": {"id": "01E", "event_type": kind, "agent": None, "data": data}}))

    assert made_of(WEBHOOK, body) in {made, f"{made} “”"}
