"""What any tool can send to the generic webhook, and how a sender's own JSON is mapped."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from bot.domain.alert import Severity
from bot.domain.errors import Refused, WrongSettings
from bot.providers.contract import SampleKind
from bot.providers.generic import PROVIDER
from bot.providers.generic.settings import ALERT_FIELDS, STATUSES, read_settings
from bot.providers.generic.webhook import GenericWebhook
from tests.providers.deliveries import NOW, facts, made_of, read_file, request, set_up

PAYLOADS = Path(__file__).parent / "payloads"
DOCS = Path(__file__).parents[3] / "docs/providers"
SAMPLES, WEBHOOK = set_up(PROVIDER)
SECRET = SAMPLES.environ["SOCMON_WEBHOOK_SECRET_GENERIC"]

BACKUP = "“Nightly backup of the ledger failed”"


@pytest.mark.parametrize(
    ("file", "made"),
    [
        ("triggered.json", f"triggered SEV2 prod-db-1 {BACKUP}"),
        ("repeated.json", f"triggered SEV2 prod-db-1 {BACKUP}"),
        ("recovered.json", f"recovered SEV3 {BACKUP}"),
        ("no_data.json", f"no_data SEV3 prod-db-1 {BACKUP}"),
        ("updated.json", f"updated SEV3 {BACKUP}"),
        ("test.json", "ignored: test notification"),
        ("smallest.json", "triggered SEV3 “b”"),
        ("two_alerts.json", "triggered SEV3 “First” + recovered SEV3 “Second”"),
        (
            "one_alert_unreadable.json",
            (
                "triggered SEV3 “First” + gap: An alert has the status “simmering”, which socmon does not know."
                " Send one it knows, or map the word under [providers.generic.status]. An alert is not an object."
            ),
        ),
        (
            "misspelt_field.json",
            f'triggered SEV2 prod-db-1 {BACKUP} + gap: There is no field “severty”. Did you mean "severity"?',
        ),
        (
            "odd_values.json",
            (
                "triggered SEV3 prod-db-1 “backup/ledger” + gap: An occurred_at is no possible time: write"
                " 2026-01-31T09:30:00Z, with an offset, or Unix time. The alert “backup/ledger” has no title."
            ),
        ),
    ],
)
def test_what_is_made_of_a_payload(file: str, made: str) -> None:
    assert made_of(WEBHOOK, PAYLOADS / file) == made


@pytest.mark.parametrize(
    ("file", "why"),
    [
        ("without_key.json", "An alert has no dedup_key"),
        (
            "without_status.json",
            "An alert does not say its status: triggered, recovered, no_data, updated or test.",
        ),
        ("unknown_status.json", "the status “simmering”, which socmon does not know"),
        ("update_without_text.json", "The update of “a” has no text that says what happened."),
        ("empty_list.json", "“alerts” is not a list with an alert in it."),
        ("own_json.json", "An alert does not say its status"),
        ("malformed.body", "The body is not JSON"),
    ],
)
def test_why_a_payload_cannot_be_read(file: str, why: str) -> None:
    assert why in made_of(WEBHOOK, PAYLOADS / file)


def test_all_fields_arrive() -> None:
    [alert] = read_file(WEBHOOK, PAYLOADS / "triggered.json").alerts

    assert facts(
        alert, "dedup_key", "occurrence", "occurred_at", "condition", "value", "url", "runbook", "text"
    ) == {
        "dedup_key": "backup/ledger",
        "occurrence": "backup/ledger#2026-11-24",
        "occurred_at": datetime(2026, 11, 24, 8, 30, tzinfo=UTC),
        "condition": "no successful backup for 26 h",
        "value": "27 h",
        "url": "https://backups.example.com/jobs/ledger",
        "runbook": "https://runbooks.example.com/backup",
        "text": "The volume snapshot timed out twice.\nLast good backup: yesterday, 01:12 UTC.",
    }


def test_an_unknown_severity_is_kept_in_words_and_links_that_are_none_are_left_out() -> None:
    [alert] = read_file(WEBHOOK, PAYLOADS / "odd_values.json").alerts

    assert alert.text == "Severity at the sender: awful"
    assert (alert.url, alert.runbook) == ("", "")


def test_an_update_says_what_happened() -> None:
    fields = json.loads((PAYLOADS / "updated.json").read_text())
    [alert] = WEBHOOK.read(request(json.dumps(fields).encode())).alerts
    [worse] = WEBHOOK.read(request(json.dumps(fields | {"severity": "critical"}).encode())).alerts

    assert (alert.said, alert.raised_to, worse.raised_to) == ("retried by Sam", None, Severity.SEV1)


def test_a_senders_delivery_id_hides_no_alert() -> None:
    """Some send one id for ever: a delivery is known by its whole body, for as long as a re-send takes."""
    body = {"status": "triggered", "dedup_key": "backup/ledger", "title": "x", "delivery_id": "job-ledger"}

    assert WEBHOOK.read(request(json.dumps(body).encode())).delivery_id == ""


OWN = {
    "fields": {
        "status": "incident.state",
        "dedup_key": "incident.id",
        "title": "incident.name",
        "component": "incident.host.fqdn",
        "severity": "incident.sev",
        "url": "incident.links.0",
        "occurred_at": "sent",
    },
    "status": {"Opened": "triggered", "closed": "recovered"},
}


def mapped(table: dict[str, Any]) -> GenericWebhook:
    return GenericWebhook(settings=read_settings(table, SAMPLES.environ))


def test_a_senders_own_json_is_read_through_the_mapping() -> None:
    webhook = mapped(OWN)

    assert made_of(webhook, PAYLOADS / "own_json.json") == "triggered SEV1 prod-queue-1 “Queue stuck”"
    assert facts(
        read_file(webhook, PAYLOADS / "own_json.json").alerts[0], "dedup_key", "url", "occurred_at"
    ) == {
        "dedup_key": "42",
        "url": "https://ops.example.com/42",
        "occurred_at": datetime(2026, 11, 24, 9, 0, tzinfo=UTC),
    }


def test_a_list_of_alerts_may_stand_anywhere() -> None:
    webhook = mapped({"fields": {"alerts": "data.items", "dedup_key": "id"}})
    body = {"data": {"items": [{"status": "triggered", "id": 1}, {"status": "recovered", "id": 2}]}}

    reading = webhook.read(request(json.dumps(body).encode()))

    assert [alert.dedup_key for alert in reading.alerts] == ["1", "2"]


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("incident.links.1", ""),
        ("incident.links.x", ""),
        ("incident.links.-1", ""),
        ("incident.name.0", ""),
        ("a.b", ""),
    ],
)
def test_a_path_that_leads_nowhere_finds_nothing(path: str, found: str) -> None:
    webhook = mapped({**OWN, "fields": {**OWN["fields"], "component": path}})

    assert read_file(webhook, PAYLOADS / "own_json.json").alerts[0].component == found


@pytest.mark.parametrize(
    ("table", "why"),
    [
        ({"feilds": {}}, 'providers.generic.feilds is not a known key. Did you mean "fields"?'),
        (
            {"fields": {"tittle": "a"}},
            'providers.generic.fields.tittle is not a known key. Did you mean "title"?',
        ),
        ({"fields": {"title": ""}}, "is not a path"),
        ({"fields": {"title": "a..b"}}, "is not a path"),
        ({"fields": {"title": " a"}}, "is not a path"),
        ({"fields": {"title": ".".join("abcdefghijk")}}, "is not a path"),
        ({"fields": {"title": ["a"]}}, "providers.generic.fields.title has to be text in quotes"),
        ({"fields": "title"}, "providers.generic.fields has to be a table"),
        ({"status": {"opened": "trigered"}}, 'Did you mean "triggered"?'),
        ({"status": {"opened": 1}}, "providers.generic.status.opened has to be text in quotes"),
    ],
)
def test_a_wrong_mapping_is_found_at_the_start(table: dict[str, Any], why: str) -> None:
    with pytest.raises(WrongSettings) as wrong:
        read_settings(table, SAMPLES.environ)

    assert why in str(wrong.value)


@pytest.mark.parametrize(
    ("headers", "way"),
    [({"x-socmon-token": SECRET}, "secret header"), ({"authorization": f"Bearer {SECRET}"}, "bearer token")],
)
async def test_the_secret_may_come_as_a_header_or_as_a_token(headers: dict[str, str], way: str) -> None:
    assert await WEBHOOK.authenticate(request(b"{}", headers)) == way


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({}, "missing secret"),
        ({"authorization": "Basic eDp5"}, "missing secret"),
        ({"x-socmon-token": "x"}, "bad secret"),
    ],
)
async def test_a_missing_secret_and_a_bad_one_are_told_apart(headers: dict[str, str], reason: str) -> None:
    with pytest.raises(Refused) as refused:
        await WEBHOOK.authenticate(request(b"{}", headers))

    assert refused.value.reason == reason


def schema() -> Any:
    return json.loads((DOCS / "generic.schema.json").read_text())


def valid(body: Any) -> bool:
    validator = jsonschema.Draft202012Validator(schema(), format_checker=jsonschema.FormatChecker())
    return bool(validator.is_valid(body))


def test_the_schema_is_one_and_knows_every_field() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())

    assert set(schema()["$defs"]["alert"]["properties"]) == {*ALERT_FIELDS, "delivery_id"}
    assert schema()["$defs"]["alert"]["properties"]["status"]["enum"] == list(STATUSES)


@pytest.mark.parametrize("kind", SampleKind)
def test_samples_fit_the_schema(kind: SampleKind) -> None:
    body = json.loads(SAMPLES.sample(kind, problem=0, episode=0, at=NOW).body)

    assert valid(body) is (kind is not SampleKind.GARBAGE)


@pytest.mark.parametrize("path", sorted(PAYLOADS.glob("*.json")), ids=lambda path: path.stem)
def test_what_fits_the_schema_is_read_without_a_gap_and_nothing_else_is(path: Path) -> None:
    """The schema and the reader agree on what is right."""
    made = made_of(WEBHOOK, path)

    assert valid(json.loads(path.read_text())) is ("gap" not in made and "unreadable" not in made)


def test_the_examples_in_the_documentation_work() -> None:
    for number, example in enumerate(examples()):
        made = made_of_text(example)
        assert "unreadable" not in made, (number, made)
        assert "gap" not in made, (number, made)


def examples() -> Iterator[str]:
    for block in (DOCS / "generic.md").read_text().split("```json")[1:]:
        yield block.split("```")[0]


def made_of_text(body: str) -> str:
    reading = WEBHOOK.read(request(body.encode()))
    return f"{[alert.change for alert in reading.alerts]} {'gap: ' + reading.gap if reading.gap else ''}"


def test_more_alerts_than_anybody_can_read_are_a_gap() -> None:
    reading = WEBHOOK.read(request(json.dumps({"alerts": [{"status": "test"}] * 5001}).encode()))

    assert len(reading.alerts) == 5000
    assert reading.gap == "Of 5001 alerts in this delivery, only the first 5000 were read."


def test_long_keys_that_differ_at_the_end_stay_two_keys() -> None:
    bodies = [{"status": "triggered", "title": "x", "dedup_key": "k" * 9000 + end} for end in "ab"]
    keys = [WEBHOOK.read(request(json.dumps(body).encode())).alerts[0].dedup_key for body in bodies]

    assert keys[0] != keys[1]
    assert max(map(len, keys)) <= 240
