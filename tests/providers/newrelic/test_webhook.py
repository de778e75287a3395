"""New Relic's deliveries: who sent them, and what each of them says."""

import json
import re
from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from bot.domain.alert import Change, Severity
from bot.domain.errors import Refused
from bot.providers.contract import SampleKind
from bot.providers.newrelic import PROVIDER
from bot.providers.newrelic.template import TEMPLATE
from tests.providers.deliveries import NOW, facts, made_of, read_file, request, set_up

PAYLOADS = Path(__file__).parent / "payloads"
SAMPLES, WEBHOOK = set_up(PROVIDER)
SECRET = SAMPLES.environ["SOCMON_WEBHOOK_SECRET_NEWRELIC"]

MEMORY = "“prod-api-2 query result is > 90.0 for 10 minutes on 'Memory is nearly used up'”"
SITE = "“prod-web-1 query result is < 99.0 for 3 minutes on 'Site does not answer'”"
DISK = "“Disk used % > 80 for at least 15 minutes on 'prod-queue-1'”"


@pytest.mark.parametrize(
    ("file", "made"),
    [
        ("triggered.json", f"triggered SEV1 prod-api-2 {MEMORY}"),
        ("created.json", f"triggered SEV2 prod-api-2 {MEMORY}"),
        ("repeated.json", f"triggered SEV1 prod-api-2, prod-api-3 {MEMORY}"),
        ("acknowledged.json", f"updated SEV1 prod-api-2 {MEMORY}"),
        ("acknowledged_by_nobody_named.json", f"updated SEV1 prod-api-2 {MEMORY}"),
        ("recovered.json", f"recovered SEV1 prod-api-2 {MEMORY}"),
        ("closed_by_a_person.json", f"recovered SEV1 prod-api-2 {MEMORY}"),
        ("odd_priority.json", f"triggered SEV3 prod-api-2 {MEMORY}"),
        ("default_template.json", f"triggered SEV3 prod-web-1, Checkout page {SITE}"),
        ("default_template_user_action.json", f"updated SEV3 prod-web-1, Checkout page {SITE}"),
        ("default_template_owner.json", f"updated SEV3 prod-web-1, Checkout page {SITE}"),
        ("default_template_nobody.json", f"updated SEV3 prod-web-1, Checkout page {SITE}"),
        ("time_too_large.json", f"triggered SEV3 prod-web-1, Checkout page {SITE}"),
        ("time_malformed.json", f"triggered SEV3 prod-web-1, Checkout page {SITE}"),
        ("legacy_open.json", f"triggered SEV3 prod-queue-1 {DISK}"),
        ("legacy_acknowledged.json", f"updated SEV3 prod-queue-1 {DISK}"),
        ("legacy_closed.json", f"recovered SEV3 prod-queue-1 {DISK}"),
        ("test_notification.json", "ignored: test notification"),
        ("test_notification_without_id.json", "ignored: test notification"),
        ("legacy_test.json", "ignored: test notification"),
    ],
)
def test_what_is_made_of_a_payload(file: str, made: str) -> None:
    assert made_of(WEBHOOK, PAYLOADS / file) == made


@pytest.mark.parametrize(
    ("file", "why"),
    [
        ("unknown_state.json", "the issue state “SIMMERING”, which socmon does not know"),
        ("without_state.json", "does not say what happened"),
        ("without_id.json", "names no issue"),
        ("malformed.body", "The body is not JSON"),
    ],
)
def test_why_a_payload_cannot_be_read(file: str, why: str) -> None:
    assert why in made_of(WEBHOOK, PAYLOADS / file)


def test_all_of_an_issues_words_arrive() -> None:
    reading = read_file(WEBHOOK, PAYLOADS / "triggered.json")
    issue = "3b0a6f0e-6c0f-4a41-9d0c-2f9be0a3a111"

    assert reading.delivery_id == f"{issue}|ACTIVATED|STATE_CHANGE|1795536000000"
    assert facts(
        reading.alerts[0], "dedup_key", "occurrence", "occurred_at", "condition", "url", "runbook", "text"
    ) == {
        "dedup_key": issue,
        "occurrence": issue,
        "occurred_at": datetime(2026, 11, 24, 16, 0, tzinfo=UTC),
        "condition": "Memory is nearly used up",
        "url": f"https://radar-api.service.newrelic.com/accounts/3564206/issues/{issue}?notifier=WEBHOOK",
        "runbook": "https://runbooks.example.com/api/memory",
        "text": "Policy: Production infrastructure\nWorkflow: socmon",
    }


def test_one_issue_keeps_its_key_through_its_life() -> None:
    files = ["created", "triggered", "repeated", "acknowledged", "recovered", "closed_by_a_person"]
    alerts = [read_file(WEBHOOK, PAYLOADS / f"{name}.json").alerts[0] for name in files]

    assert len({(alert.dedup_key, alert.occurrence) for alert in alerts}) == 1


def test_a_template_without_the_issues_id_is_read_by_the_address_of_its_page() -> None:
    with_id = read_file(WEBHOOK, PAYLOADS / "default_template.json").alerts[0]
    without_id = read_file(WEBHOOK, PAYLOADS / "default_template_owner.json").alerts[0]

    assert without_id.dedup_key == with_id.dedup_key


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("acknowledged.json", "acknowledged in New Relic by Sam Okafor"),
        ("acknowledged_by_nobody_named.json", "acknowledged in New Relic"),
        ("default_template_owner.json", "acknowledged in New Relic by Pat Example"),
        ("default_template_user_action.json", "changed by a person in New Relic"),
        ("default_template_nobody.json", "changed by a person in New Relic"),
        ("legacy_acknowledged.json", "acknowledged in New Relic by Sam Okafor"),
        ("triggered.json", ""),
        ("closed_by_a_person.json", ""),
    ],
)
def test_what_a_person_did_in_new_relic_goes_on_the_timeline(file: str, said: str) -> None:
    assert read_file(WEBHOOK, PAYLOADS / file).alerts[0].said == said


@pytest.mark.parametrize(
    ("state", "trigger", "said"),
    [
        ("ACKNOWLEDGED", "PRIORITY_CHANGED", "priority changed to CRITICAL in New Relic"),
        ("ACKNOWLEDGED", "INCIDENT_ADDED", "changed in New Relic: incident added"),
        ("ACKNOWLEDGED", "STATE_CHANGE", "acknowledged in New Relic by Sam Okafor"),
        ("ACKNOWLEDGED", "USER_ACTION", "acknowledged in New Relic by Sam Okafor"),
        ("ACKNOWLEDGED", "", "acknowledged in New Relic by Sam Okafor"),
    ],
)
def test_only_a_persons_trigger_acknowledges(state: str, trigger: str, said: str) -> None:
    """An acknowledged issue stays in that state whatever else happens to it."""
    fields = json.loads((PAYLOADS / "acknowledged.json").read_text())
    [alert] = WEBHOOK.read(request(json.dumps(fields | {"state": state, "trigger": trigger}).encode())).alerts

    assert (alert.change, alert.said, alert.raised_to) == (Change.UPDATED, said, Severity.SEV1)


@pytest.mark.parametrize(
    ("file", "occurred_at"),
    [
        ("repeated.json", "2026-11-24T16:10:00+00:00"),
        ("recovered.json", "2026-11-24T16:30:00+00:00"),  # when it closed, not when that was written down
        ("closed_by_a_person.json", "2026-11-24T16:30:05+00:00"),
        ("legacy_closed.json", "2026-11-24T16:30:00+00:00"),
        ("time_too_large.json", None),
        ("time_malformed.json", None),
    ],
)
def test_the_time_is_that_of_the_newest_word(file: str, occurred_at: str | None) -> None:
    alert = read_file(WEBHOOK, PAYLOADS / file).alerts[0]

    assert (alert.occurred_at.isoformat() if alert.occurred_at else None) == occurred_at


@pytest.mark.parametrize("missing", ["issueId", "state", "trigger", "updatedAt"])
def test_without_all_that_names_it_a_delivery_is_known_by_its_body(missing: str) -> None:
    fields = json.loads((PAYLOADS / "triggered.json").read_text()) | {missing: None}
    if missing == "state":
        fields["current_state"] = "open"
    reading = WEBHOOK.read(request(json.dumps(fields).encode()))

    assert (reading.delivery_id == "") is (missing != "state")


def test_an_unknown_priority_is_kept_in_words() -> None:
    assert (
        "Priority in New Relic: SEVERE" in read_file(WEBHOOK, PAYLOADS / "odd_priority.json").alerts[0].text
    )


@pytest.mark.parametrize(
    ("headers", "way"),
    [
        ({"x-socmon-token": SECRET}, "secret header"),
        ({"authorization": f"Bearer {SECRET}"}, "bearer token"),
        ({"authorization": f"bearer  {SECRET}"}, "bearer token"),
        ({"authorization": "Basic " + b64encode(f"newrelic:{SECRET}".encode()).decode()}, "basic auth"),
        ({"x-socmon-token": "wrong", "authorization": f"Bearer {SECRET}"}, "bearer token"),
    ],
)
async def test_the_secret_may_come_in_every_way_a_destination_offers(
    headers: dict[str, str], way: str
) -> None:
    assert await WEBHOOK.authenticate(request(b"{}", headers)) == way


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({}, "missing secret"),
        ({"authorization": "Digest x"}, "missing secret"),
        ({"authorization": "Bearer"}, "bad secret"),
        ({"authorization": f"Bearer {SECRET}x"}, "bad secret"),
        ({"authorization": f"Bearer {SECRET} {SECRET}"}, "bad secret"),
    ],
)
async def test_a_missing_secret_and_a_bad_one_are_told_apart(headers: dict[str, str], reason: str) -> None:
    with pytest.raises(Refused) as refused:
        await WEBHOOK.authenticate(request(b"{}", headers))

    assert refused.value.reason == reason


def test_samples_are_made_from_the_template_to_paste() -> None:
    body = json.loads(SAMPLES.sample(SampleKind.TRIGGERED, problem=0, episode=0, at=NOW).body)

    assert list(body) == list(json.loads(filled_in(TEMPLATE)))


def test_what_an_issue_may_lack_stands_inside_an_if() -> None:
    """New Relic refuses to save a template that renders to no JSON, so it has to be one with everything missing."""
    bare = json.loads(filled_in(TEMPLATE, keep_optional=False))

    assert [name for name, value in bare.items() if value is None] == [
        "runbook",
        "chart",
        "closedAt",
        "acknowledgedBy",
    ]


def test_the_documentation_shows_the_template_as_it_is() -> None:
    page = (Path(__file__).parents[3] / "docs/providers/newrelic.md").read_text()

    assert dedent(page.split("```handlebars\n")[1].split("   ```")[0]) == TEMPLATE


def filled_in(template: str, *, keep_optional: bool = True) -> str:
    """The template as Handlebars would render it: a value for each expression, and one branch of each condition."""
    branch = r"\2" if keep_optional else r"\3"
    one_way = re.sub(r"\{\{#if ([^}]+)\}\}(.*?)\{\{else\}\}(.*?)\{\{/if\}\}", branch, template)
    return re.sub(r"\{\{[^}]+\}\}", '"x"', one_way)


@pytest.mark.parametrize("entities", [[["a"], [["b"]]], {"name": ["x"]}, [None, 1, {"name": "n"}], "one", 7])
def test_odd_lists_are_read_as_far_as_they_say_something(entities: Any) -> None:
    fields = json.loads((PAYLOADS / "triggered.json").read_text()) | {"entities": entities}
    alert = WEBHOOK.read(request(json.dumps(fields).encode())).alerts[0]

    assert alert.change is Change.TRIGGERED
    assert "\n" not in alert.component
