"""Alertmanager's deliveries: who sent them, and what each alert of a group says."""

import json
from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.domain.alert import Reported, Severity
from bot.domain.errors import Refused
from bot.providers.alertmanager import PROVIDER
from tests.providers.deliveries import NOW, facts, made_of, read_file, request, set_up

PAYLOADS = Path(__file__).parent / "payloads"
SAMPLES, WEBHOOK = set_up(PROVIDER)
SECRET = SAMPLES.environ["SOCMON_WEBHOOK_SECRET_ALERTMANAGER"]

DISK = "“/var/lib/queue on prod-queue-1 is 91 % full”"


@pytest.mark.parametrize(
    ("file", "made"),
    [
        ("triggered.json", f"triggered SEV1 prod-queue-1 {DISK}"),
        ("repeated.json", "triggered SEV1 prod-queue-1 “/var/lib/queue on prod-queue-1 is 94 % full”"),
        ("recovered.json", f"recovered SEV1 prod-queue-1 {DISK}"),
        (
            "mixed.json",
            (
                f"recovered SEV1 prod-queue-1 {DISK} + triggered SEV3 prod-queue-2 {DISK}"
                " + gap: Alertmanager left out 12 alerts (max_alerts)."
            ),
        ),
        ("watchdog.json", "ignored: heartbeat"),
        ("odd_severity.json", f"triggered SEV3 prod-queue-1 {DISK}"),
        ("other_alertmanager.json", f"triggered SEV1 prod-queue-1 {DISK}"),
        ("test.json", "ignored: test notification"),
        ("odd_labels.json", "triggered SEV1 a,b “First”"),
        ("version_3.json", "triggered SEV1 host2 “Connect fail”"),
        (
            "one_alert_unreadable.json",
            (
                f"triggered SEV1 prod-queue-1 {DISK} + gap: Alertmanager left out 1 alert (max_alerts)."
                " 2 alerts of this delivery could not be read: An alert has no labels, so nothing tells it from others."
            ),
        ),
    ],
)
def test_what_is_made_of_a_payload(file: str, made: str) -> None:
    assert made_of(WEBHOOK, PAYLOADS / file) == made


@pytest.mark.parametrize(
    ("file", "why"),
    [
        ("version_9.json", "version “9” of its webhook body; socmon reads 3 and 4"),
        ("of_grafana.json", "Let Grafana send it to /webhooks/grafana"),
        ("no_alerts.json", "list of alerts is empty"),
        ("unknown_status.json", "An alert has the status “simmering”; socmon knows firing and resolved"),
        ("not_a_group.json", "has no list of alerts"),
        ("malformed.body", "The body is not JSON"),
    ],
)
def test_why_a_payload_cannot_be_read(file: str, why: str) -> None:
    assert why in made_of(WEBHOOK, PAYLOADS / file)


def test_all_of_an_alerts_words_arrive() -> None:
    [alert] = read_file(WEBHOOK, PAYLOADS / "triggered.json").alerts

    assert facts(
        alert, "dedup_key", "occurrence", "occurred_at", "condition", "value", "url", "runbook", "text"
    ) == {
        "dedup_key": "1f0a5c9be2d44a17|https://alertmanager.example.com",
        "occurrence": "1f0a5c9be2d44a17|2026-11-24T09:30:12.123456+00:00",
        "occurred_at": datetime(2026, 11, 24, 9, 30, 12, 123456, UTC),
        "condition": "node_filesystem_avail_bytes / node_filesystem_size_bytes < 0.1",
        "value": "91 %",
        "url": "https://prometheus.example.com/graph?g0.expr=node_filesystem_avail_bytes+%2F+node_filesystem_size_bytes"
        "+%3C+0.1&g0.tab=1",
        "runbook": "https://runbooks.example.com/queue/disk",
        "text": "At the present rate it is full in four hours.\n\nalertname=DiskFillingUp, cluster=eu-1,"
        " instance=prod-queue-1:9100, job=node, mountpoint=/var/lib/queue, severity=critical",
    }


def test_an_alert_keeps_its_key_and_its_episode_until_it_ends() -> None:
    files = ["triggered", "repeated", "recovered"]
    alerts = [read_file(WEBHOOK, PAYLOADS / f"{name}.json").alerts[0] for name in files]

    assert len({(alert.dedup_key, alert.occurrence) for alert in alerts}) == 1
    assert alerts[2].occurred_at == datetime(2026, 11, 24, 10, 2, 30, 500_000, UTC)


def test_two_alertmanagers_that_look_alike_have_two_problems() -> None:
    ours = read_file(WEBHOOK, PAYLOADS / "triggered.json").alerts[0]
    other = read_file(WEBHOOK, PAYLOADS / "other_alertmanager.json").alerts[0]

    assert ours.dedup_key != other.dedup_key


def test_each_alert_of_a_group_counts_for_itself() -> None:
    alerts = read_file(WEBHOOK, PAYLOADS / "mixed.json").alerts

    assert len({alert.dedup_key for alert in alerts}) == 2


def test_what_fires_is_the_state_of_now() -> None:
    """After a “resolved” that was none it fires on with its old start; what is resolved has a time of its own."""
    files = ["triggered", "repeated", "recovered"]

    assert [read_file(WEBHOOK, PAYLOADS / f"{name}.json").alerts[0].current for name in files] == [
        True,
        True,
        False,
    ]


def test_an_alert_that_is_only_told_when_it_ends_names_no_episode() -> None:
    """Alertmanager lets it start when it ends; such a name would open an alert that nobody can find anything about."""
    ended_at = "2026-11-24T15:40:26.632Z"
    ended = alert_of(status="resolved", startsAt=ended_at, endsAt=ended_at)

    assert (ended.occurrence, ended.occurred_at) == (None, datetime(2026, 11, 24, 15, 40, 26, 632000, UTC))


def test_version_3_has_no_fingerprint_so_the_labels_name_the_alert() -> None:
    group = json.loads((PAYLOADS / "version_3.json").read_text())
    again = json.loads(json.dumps(group))
    again["alerts"][0]["labels"] = dict(reversed(again["alerts"][0]["labels"].items()))
    other = json.loads(json.dumps(group))
    other["alerts"][0]["labels"]["instance"] = "host3"

    keys = [
        WEBHOOK.read(request(json.dumps(body).encode())).alerts[0].dedup_key for body in (group, again, other)
    ]

    assert keys[0] == keys[1] != keys[2]


@pytest.mark.parametrize(
    ("word", "severity"),
    [
        ("critical", Severity.SEV1),
        ("page", Severity.SEV1),
        ("error", Severity.SEV2),
        ("high", Severity.SEV2),
        ("Warning", Severity.SEV3),
        ("info", Severity.SEV4),
        ("none", Severity.SEV4),
        ("apocalyptic", Severity.SEV3),
        ("", Severity.SEV3),
    ],
)
def test_severity_is_what_the_label_says(word: str, severity: Severity) -> None:
    assert alert_of(labels={"alertname": "x", "severity": word}).severity is severity


def test_an_unknown_severity_is_kept_in_words() -> None:
    assert (
        "Severity in Alertmanager: apocalyptic"
        in read_file(WEBHOOK, PAYLOADS / "odd_severity.json").alerts[0].text
    )


@pytest.mark.parametrize(
    ("labels", "component"),
    [
        ({"instance": "prod-db-1:9100"}, "prod-db-1"),
        ({"instance": "[2001:db8::1]:9100"}, "[2001:db8::1]"),
        ({"instance": "https://shop.example.com:443"}, "https://shop.example.com:443"),
        ({"instance": "https://shop.example.com/a"}, "https://shop.example.com/a"),
        ({"instance": "prod-db-1"}, "prod-db-1"),
        ({"instance": "10.0.0.7:9100", "node": "worker-3"}, "worker-3"),
        ({"instance": "10.0.0.7:9100", "component": "ledger"}, "ledger"),
        ({"job": "node"}, "node"),
        ({}, ""),
    ],
)
def test_the_component_is_the_most_telling_label(labels: dict[str, str], component: str) -> None:
    assert alert_of(labels={"alertname": "x", **labels}).component == component


@pytest.mark.parametrize(
    ("generator", "condition", "url"),
    [
        (
            "http://p:9090/graph?g0.expr=up+%3D%3D+0&g0.tab=1",
            "up == 0",
            "http://p:9090/graph?g0.expr=up+%3D%3D+0&g0.tab=1",
        ),
        ("http://p:9090/graph", "x", "http://p:9090/graph"),
        ("http://[/graph?g0.expr=up", "x", "http://[/graph?g0.expr=up"),
        ("/graph?g0.expr=up", "x", "https://am.example.com"),
        ("", "x", "https://am.example.com"),
        ("http://p/?" + "a=1&" * 5000, "x", "https://am.example.com"),
    ],
)
def test_the_condition_is_the_rules_expression(generator: str, condition: str, url: str) -> None:
    alert = alert_of(generatorURL=generator)

    assert (alert.condition, alert.url) == (condition, url)


@pytest.mark.parametrize("starts_at", ["whenever", "0001-01-01T00:00:00Z", "2026-11-24T09:00:00", 7, None])
def test_an_episode_without_a_beginning_has_no_name(starts_at: Any) -> None:
    """Else every later episode would look like a repeat of the first."""
    alert = alert_of(startsAt=starts_at)

    assert (alert.occurrence, alert.occurred_at) == (None, None)


@pytest.mark.parametrize(
    ("headers", "way"),
    [
        ({"authorization": f"Bearer {SECRET}"}, "bearer token"),
        ({"authorization": "Basic " + b64encode(f"alertmanager:{SECRET}".encode()).decode()}, "basic auth"),
    ],
)
async def test_the_secret_may_come_as_a_token_or_as_a_password(headers: dict[str, str], way: str) -> None:
    assert await WEBHOOK.authenticate(request(b"{}", headers)) == way


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({}, "missing secret"),
        ({"x-socmon-token": SECRET}, "missing secret"),
        ({"authorization": f"Token {SECRET}"}, "missing secret"),
        ({"authorization": f"Bearer x{SECRET}"}, "bad secret"),
        ({"authorization": "Basic " + b64encode(b"alertmanager:").decode()}, "bad secret"),
    ],
)
async def test_a_missing_secret_and_a_bad_one_are_told_apart(headers: dict[str, str], reason: str) -> None:
    with pytest.raises(Refused) as refused:
        await WEBHOOK.authenticate(request(b"{}", headers))

    assert refused.value.reason == reason


def alert_of(**fields: Any) -> Reported:
    """The alert of a small group with these fields."""
    alert = {
        "status": "firing",
        "labels": {"alertname": "x"},
        "startsAt": "2026-11-24T09:00:00Z",
        "fingerprint": "f",
    }
    group = {"version": "4", "externalURL": "https://am.example.com", "alerts": [alert | fields]}
    return WEBHOOK.read(request(json.dumps(group).encode(), at=NOW)).alerts[0]


def test_more_alerts_than_anybody_can_read_are_a_gap() -> None:
    """One delivery must not hold up all others: 1 MiB can hold 50 000 alerts that say nothing."""
    alert = {"status": "firing", "labels": {"alertname": "x"}}
    reading = WEBHOOK.read(request(json.dumps({"version": "4", "alerts": [alert] * 5001}).encode()))

    assert len(reading.alerts) == 5000
    assert reading.gap == "Of 5001 alerts in this delivery, only the first 5000 were read."
