"""Datadog's deliveries: who sent them, and what each of them says."""

import json
from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.domain.alert import Change, Severity
from bot.domain.errors import Refused, Unreadable
from bot.providers.contract import SampleKind
from bot.providers.datadog import PROVIDER
from bot.providers.datadog.template import TEMPLATE, salvage
from tests.providers.deliveries import NOW, facts, made_of, of, read_file, request, set_up

PAYLOADS = Path(__file__).parent / "payloads"
SAMPLES, WEBHOOK = set_up(PROVIDER)
SECRET = SAMPLES.environ["SOCMON_WEBHOOK_SECRET_DATADOG"]

CPU = "“CPU of the database is high”"
USE_OUR_TEMPLATE = "socmon's payload template into the webhook in Datadog"


@pytest.mark.parametrize(
    ("file", "made"),
    [
        ("triggered.json", f"triggered SEV1 prod-db-1 {CPU}"),
        ("repeated.json", f"triggered SEV1 prod-db-1 {CPU}"),
        ("warn.json", f"triggered SEV3 prod-db-1 {CPU}"),
        ("no_data.json", f"no_data SEV3 prod-db-1 {CPU}"),
        ("renotify.json", f"triggered SEV1 prod-db-1 {CPU}"),
        ("renotify_no_data.json", f"no_data SEV1 prod-db-1 {CPU}"),
        ("recovered.json", f"recovered SEV1 prod-db-1 {CPU}"),
        ("test_notification.json", "ignored: test notification"),
        ("one_service.json", "triggered SEV2 checkout “Too many errors”"),
        ("whole_fleet.json", "triggered SEV1 “Fewer than 3 API nodes report”"),
        ("default_template.json", "triggered SEV2 invoices “Invoices pile up”"),
        ("default_template_recovered.json", "recovered SEV2 invoices “Invoices pile up”"),
        ("named_after_variables.json", f"triggered SEV3 prod-db-1 {CPU}"),
        ("only_a_title.json", "triggered SEV2 “Nightly backup has not run”"),
        ("unescaped_quotes.body", f"triggered SEV1 prod-db-1 {CPU}"),
    ],
)
def test_what_is_made_of_a_payload(file: str, made: str) -> None:
    assert made_of(WEBHOOK, PAYLOADS / file) == made


@pytest.mark.parametrize(
    ("file", "why"),
    [
        ("event_of_no_monitor.json", "events that no monitor sent are not read"),
        ("unknown_transition.json", "the transition “Simmering”, which socmon does not know"),
        ("unrendered.json", USE_OUR_TEMPLATE),
        ("ambiguous_quotes.body", "A quote or line break in a monitor's text can do this"),
        ("malformed.body", "The body is not JSON"),
    ],
)
def test_why_a_payload_cannot_be_read(file: str, why: str) -> None:
    assert why in made_of(WEBHOOK, PAYLOADS / file)


def test_all_of_a_monitors_words_arrive() -> None:
    reading = read_file(WEBHOOK, PAYLOADS / "triggered.json")
    [alert] = reading.alerts

    assert reading.delivery_id == "4021537722450126711|Triggered|1795536001000|7123456789012345601"
    assert facts(alert, "dedup_key", "occurrence", "occurred_at", "condition", "url", "runbook") == {
        "dedup_key": "14211807|env:production,host:prod-db-1",
        "occurrence": "4021537722450126711",
        "occurred_at": datetime(2026, 11, 24, 16, 0, tzinfo=UTC),
        "condition": "avg(last_5m):avg:system.cpu.user{env:production} by {host} > 85",
        "url": "https://app.datadoghq.eu/event/event?id=7123456789012345601",
        "runbook": "https://runbooks.example.com/db/cpu",
    }
    assert alert.text.startswith("system.cpu.user over env:production,host:prod-db-1 was > 85.0")
    assert "The ledger slows down" in alert.text
    assert "%%%" not in alert.text


def test_one_episode_keeps_its_key_whatever_the_order_of_its_tags() -> None:
    files = ["triggered", "repeated", "no_data", "renotify", "recovered", "warn"]
    alerts = [read_file(WEBHOOK, PAYLOADS / f"{name}.json").alerts[0] for name in files]

    assert {alert.dedup_key for alert in alerts} == {"14211807|env:production,host:prod-db-1"}
    assert {alert.occurrence for alert in alerts} == {"4021537722450126711"}


def test_the_default_template_names_its_monitor_in_the_links_of_its_text() -> None:
    began = read_file(WEBHOOK, PAYLOADS / "default_template.json").alerts[0]
    ended = read_file(WEBHOOK, PAYLOADS / "default_template_recovered.json").alerts[0]

    assert began.dedup_key == ended.dedup_key == "14211990|queue:invoices"


def test_a_link_that_is_none_is_left_out() -> None:
    [alert] = read_file(WEBHOOK, PAYLOADS / "one_service.json").alerts

    assert (alert.url, alert.runbook) == ("", "")


def test_quotes_in_values_do_not_lose_the_alert() -> None:
    """Datadog puts a query's quotes into our template as they are; the keys around the value still hold it."""
    [alert] = read_file(WEBHOOK, PAYLOADS / "unescaped_quotes.body").alerts

    assert alert.condition == 'avg(last_5m):avg:system.cpu.user{name:"a b"} by {host} > 85'
    assert 'The ledger \n"slows down" once' in alert.text
    assert alert.dedup_key == "14211807|env:production,host:prod-db-1"


def rendered(values: dict[str, str]) -> str:
    """Our template with these values put between its quotes as they stand."""
    body = json.dumps(TEMPLATE)
    for key, value in values.items():
        body = body.replace(f'"{TEMPLATE[key]}"', f'"{value}"')
    return body


@pytest.mark.parametrize(
    ("values", "read"),
    [
        ({"query": 'avg{name:"a b"} > 1'}, {"query": 'avg{name:"a b"} > 1'}),
        ({"title": 'say "hi", then go'}, {"title": 'say "hi", then go'}),
        ({"title": r"C:\new \"quoted\" tail"}, {"title": 'C:\new "quoted" tail'}),
        ({"title": '"', "text": '","'}, {"title": '"', "text": '","'}),
        ({"title": r'bad \x escape "x"'}, {"title": r'bad \x escape "x"'}),
        ({"title": 'x", "unknown": "y'}, {"title": 'x", "unknown": "y'}),
        ({"text": "two\nlines"}, {"text": "two\nlines"}),
        ({"id": '"'}, {"id": '"'}),
        ({"org": '"}'}, {"org": '"}'}),
    ],
)
def test_a_broken_body_is_salvaged_by_its_keys(values: dict[str, str], read: dict[str, str]) -> None:
    salvaged = salvage(rendered(values).encode())

    assert salvaged is not None
    assert {key: salvaged[key] for key in read} == read
    assert salvaged["event_type"] == "$EVENT_TYPE"


@pytest.mark.parametrize(
    "body",
    [
        rendered({"title": 'x", "scope": "host:other'}),
        rendered({"title": 'x","severity":"P5","scope" : "y"'}),
        rendered({"tags": 'x", "org": "1"}'}),
        rendered({"title": '"'}).replace('"metric"', '"Metric"'),
        rendered({"title": '"'}).replace('{"v": 1', '{"v": 2'),
        rendered({"title": '"'})[:-1],
        rendered({"title": '"'}) + "x",
        rendered({"title": '"' + "x" * 70_000}),
        "\xff",
        "",
    ],
)
def test_a_broken_body_that_could_mean_two_things_is_not_salvaged(body: str) -> None:
    assert salvage(body.encode("latin-1")) is None


def test_a_value_that_pretends_to_be_another_key_is_never_believed() -> None:
    """A host that calls itself x","priority":"P5 cannot make its alert harmless."""
    body = rendered({"transition": "Triggered", "priority": "P1", "title": 'down", "priority": "P5'})

    with pytest.raises(Unreadable):
        WEBHOOK.read(request(body.encode()))


@pytest.mark.parametrize(
    ("transition", "change"),
    [
        ("Triggered", Change.TRIGGERED),
        ("Re-Triggered", Change.TRIGGERED),
        ("Warn", Change.TRIGGERED),
        ("Re-Warn", Change.TRIGGERED),
        ("Renotify", Change.TRIGGERED),
        ("No Data", Change.NO_DATA),
        ("Re-No Data", Change.NO_DATA),
        ("Recovered", Change.RECOVERED),
    ],
)
def test_every_documented_transition_is_known(transition: str, change: Change) -> None:
    """https://docs.datadoghq.com/integrations/webhooks/#variables"""
    assert alert_of(transition=transition).change is change


@pytest.mark.parametrize(
    ("fields", "severity"),
    [
        ({"priority": "P1"}, Severity.SEV1),
        ({"priority": "p2"}, Severity.SEV2),
        ({"priority": "P3"}, Severity.SEV3),
        ({"priority": "P4"}, Severity.SEV4),
        ({"priority": "P5"}, Severity.SEV4),
        ({"title": "[P2] [Triggered] x", "type": "info"}, Severity.SEV2),
        ({"priority": "normal", "type": "error"}, Severity.SEV2),
        ({"type": "warning"}, Severity.SEV3),
        ({"type": "info"}, Severity.SEV4),
        ({}, Severity.SEV2),
        ({"transition": "Warn"}, Severity.SEV3),
        ({"transition": "No Data"}, Severity.SEV3),
        ({"transition": "Recovered", "type": "success"}, Severity.SEV3),
    ],
)
def test_severity_is_the_priority_else_what_the_type_and_transition_say(
    fields: dict[str, str], severity: Severity
) -> None:
    assert alert_of(**fields).severity is severity


@pytest.mark.parametrize(
    ("title", "name", "component"),
    [
        ("[Triggered on {host:a}] Disk", "Disk", "a"),
        ("[P1] [Re-No Data on {host:a,env:b}] Disk", "Disk", "a"),
        ("[Triggered] [DB] Disk", "[DB] Disk", ""),
        ("[Warn on {env:b,zone:c}] Disk", "Disk", "env:b,zone:c"),
        ("[Warn on {*}] Disk", "Disk", ""),
        ("[No data on {host:a}] Disk", "Disk", "a"),
        ("[Triggered on {host:a}] [TEST] Disk", "[TEST] Disk", "a"),
        ("Disk", "Disk", ""),
        ("[" * 300, "[" * 300, ""),
    ],
)
def test_a_title_loses_the_state_that_socmon_shows_itself(title: str, name: str, component: str) -> None:
    alert = alert_of(title=title)

    assert (alert.title, alert.component) == (name, component)


@pytest.mark.parametrize(
    ("title", "is_test"),
    [
        ("[TEST] [P1] [Triggered on {host:a}] Disk", True),
        ("[Test] Disk", True),
        ("[Triggered on {host:a}] Load balancer [test] fails", False),
        ("[P1] [Triggered] Synthetics [Test] checkout fails", False),
        ("[Triggered] [TEST] Disk", False),
        ("Disk [TEST]", False),
    ],
)
def test_only_the_titles_first_group_makes_it_a_test(title: str, is_test: bool) -> None:  # noqa: FBT001 - a table
    """A monitor may be called anything; its alerts are none the less real."""
    assert bool(alert_of(title=title).ignored) is is_test


@pytest.mark.parametrize(
    ("title", "change"),
    [
        ("[No data on {host:a}] Disk", Change.NO_DATA),
        ("[No Data on {host:a}] Disk", Change.NO_DATA),
        ("[RE-NO DATA] Disk", Change.NO_DATA),
        ("[recovered on {host:a}] Disk", Change.RECOVERED),
    ],
)
def test_the_state_in_a_title_is_known_in_any_case(title: str, change: Change) -> None:
    assert alert_of(title=title, transition="").change is change


@pytest.mark.parametrize(
    ("date", "occurred_at"),
    [
        ("1795536000000", datetime(2026, 11, 24, 16, 0, tzinfo=UTC)),
        (1795536000000, datetime(2026, 11, 24, 16, 0, tzinfo=UTC)),
        ("1795536000000000", None),
        ("1795546000000", None),  # hours after it was received
        ("soon", None),
        ("$DATE", None),
    ],
)
def test_a_time_that_cannot_be_counts_as_not_given(date: Any, occurred_at: datetime | None) -> None:
    assert alert_of(date=date).occurred_at == occurred_at


@pytest.mark.parametrize("missing", ["cycle", "transition", "last_updated", "id"])
def test_without_all_that_names_it_a_delivery_is_known_by_its_body(missing: str) -> None:
    """An id that could be shared by two deliveries would lose the second one."""
    fields = json.loads((PAYLOADS / "triggered.json").read_text()) | {missing: "null"}
    body = json.dumps(fields).encode()

    assert WEBHOOK.read(request(body)).delivery_id == ""


def test_hostile_texts_are_read_in_no_time() -> None:
    for text in [
        "runbook:" * 5000,
        "\n" * 9000,
        "[" * 9000,
        "[Triggered on {" * 500,
        "/monitors#" * 900,
        "> > " * 3000,
    ]:
        started = datetime.now(UTC)
        alert_of(title=text, text=text)
        assert (datetime.now(UTC) - started).total_seconds() < 0.5


@pytest.mark.parametrize(
    ("headers", "way"),
    [
        ({"x-socmon-token": SECRET}, "secret header"),
        ({"authorization": "Basic " + b64encode(f"datadog:{SECRET}".encode()).decode()}, "basic auth"),
        ({"authorization": "basic " + b64encode(f":{SECRET}".encode()).decode()}, "basic auth"),
    ],
)
async def test_the_secret_may_come_as_a_header_or_as_a_password(headers: dict[str, str], way: str) -> None:
    assert await WEBHOOK.authenticate(request(b"{}", headers)) == way


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({}, "missing secret"),
        ({"authorization": f"Bearer {SECRET}"}, "missing secret"),
        ({"authorization": ""}, "missing secret"),
        ({"x-socmon-token": ""}, "bad secret"),
        ({"x-socmon-token": SECRET.upper()}, "bad secret"),
        ({"x-socmon-token": "gehäime\udcff"}, "bad secret"),
        ({"authorization": f"Basic {SECRET}"}, "bad secret"),
        ({"authorization": "Basic " + b64encode(SECRET.encode()).decode()}, "bad secret"),
        ({"authorization": "Basic é"}, "bad secret"),
    ],
)
async def test_a_missing_secret_and_a_bad_one_are_told_apart(headers: dict[str, str], reason: str) -> None:
    with pytest.raises(Refused) as refused:
        await WEBHOOK.authenticate(request(b"{}", headers))

    assert refused.value.reason == reason
    assert SECRET not in str(refused.value)


def test_samples_are_made_from_the_template_to_paste() -> None:
    body = json.loads(SAMPLES.sample(SampleKind.TRIGGERED, problem=0, episode=0, at=NOW).body)

    assert list(body) == list(TEMPLATE)
    assert not [value for value in body.values() if str(value).startswith("$")]
    assert (
        WEBHOOK.read(of(SAMPLES.sample(SampleKind.NO_DATA, problem=0, episode=0, at=NOW))).alerts[0].change
        is Change.NO_DATA
    )


def test_the_documentation_shows_the_template_as_it_is() -> None:
    page = (Path(__file__).parents[3] / "docs/providers/datadog.md").read_text()

    shown = page.split("```json")[1].split("```")[0]
    assert json.loads(shown) == TEMPLATE


def alert_of(**fields: Any) -> Any:
    """The alert of a small body with these fields."""
    body = {"monitor_id": "7", "transition": "Triggered", "title": "x"} | fields
    return WEBHOOK.read(request(json.dumps(body).encode())).alerts[0]
