"""What socmon makes of Grafana's alerts."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.domain.alert import Change, Reported, Severity
from bot.domain.errors import Unreadable
from bot.providers.contract import Reading
from bot.providers.grafana import PROVIDER
from tests.providers.deliveries import read_file, request, webhook_of

PAYLOADS = Path(__file__).parent / "payloads"
WEBHOOK = webhook_of(PROVIDER)
KEY = "c6eadffa33fcdf37|1|https://grafana.example.com/"
EPISODE = "c6eadffa33fcdf37|2026-11-24T11:59:10.123456789Z"


def read(name: str) -> Reading:
    return read_file(WEBHOOK, PAYLOADS / f"{name}.json")


def told(name: str) -> Reported:
    [found] = read(name).alerts
    return found


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "triggered",
            {
                "change": Change.TRIGGERED,
                "dedup_key": KEY,
                "occurrence": EPISODE,
                "occurred_at": datetime(2026, 11, 24, 11, 59, 10, 123456, tzinfo=UTC),
                "title": "CPU of prod-db-1 is at 97 %",
                "component": "prod-db-1",
                "condition": "CPU is high",
                "value": "A = 97.2568, C = 1",
                "severity": Severity.SEV1,
                "url": "https://grafana.example.com/d/node?viewPanel=2",
                "runbook": "https://wiki.example.com/cpu",
                "text": "For five minutes.\n\nalertname=CPU is high, instance=prod-db-1:9100, severity=critical",
                "ignored": "",
            },
        ),
        (
            "repeated",
            {
                "change": Change.TRIGGERED,
                "dedup_key": KEY,
                "occurrence": EPISODE,
                "value": "A = 95.5, C = 1",
                "current": True,
            },
        ),
        (
            "resolved",
            {
                "change": Change.RECOVERED,
                "dedup_key": KEY,
                "occurrence": EPISODE,
                "occurred_at": datetime(2026, 11, 24, 12, 20, 10, tzinfo=UTC),
                "value": "",
            },
        ),
        (
            "resolved-and-forgotten",
            {"change": Change.RECOVERED, "dedup_key": KEY, "occurrence": None, "current": False},
        ),
        (
            "series-gone",
            {
                "change": Change.NO_DATA,
                "occurred_at": datetime(2026, 11, 24, 12, 20, 10, tzinfo=UTC),
                "current": False,
            },
        ),
        (
            "no-data",
            {
                "change": Change.NO_DATA,
                "dedup_key": "aaaaffa33fcdf37a|1|https://grafana.example.com/",
                "title": "No data: CPU is high",
                "condition": "CPU is high",
            },
        ),
        ("query-fails", {"change": Change.NO_DATA, "title": "Query fails: CPU is high"}),
        ("left-out", {"change": Change.TRIGGERED}),
        (
            "relative-links",
            {
                "url": "",
                "value": "[ var='A' labels={instance=prod-db-1:9100} value=97.256789012 ], "
                "[ var='C' labels={} value=1 ]",
            },
        ),
        ("without-fingerprint", {"component": "shop", "title": "x", "severity": Severity.SEV3}),
        ("odd-severity", {"severity": Severity.SEV3}),
        ("test", {"ignored": "test notification"}),
        ("test-old", {"ignored": "test notification"}),
        ("receiver-called-test", {"change": Change.TRIGGERED, "ignored": ""}),
        (
            "legacy-alerting",
            {
                "change": Change.TRIGGERED,
                "dedup_key": "rule|7|1|http://grafana.example.com",
                "occurrence": None,
                "occurred_at": None,
                "title": "[Alerting] CPU",
                "component": "prod-db-1",
                "condition": "CPU",
                "value": "cpu = 97.5",
                "url": "http://grafana.example.com/d/node?tab=alert&orgId=1",
                "text": "CPU is too high",
            },
        ),
        ("legacy-ok", {"change": Change.RECOVERED, "dedup_key": "rule|7|1|http://grafana.example.com"}),
        ("legacy-no-data", {"change": Change.NO_DATA, "value": ""}),
        ("legacy-paused", {"change": Change.UPDATED, "said": "paused in Grafana"}),
        ("legacy-test", {"ignored": "test notification"}),
    ],
)
def test_alerts(name: str, expected: dict[str, object]) -> None:
    found = told(name)

    assert {field: getattr(found, field) for field in expected} == expected


def test_each_alert_of_a_group_counts_for_itself() -> None:
    firing, resolved = read("mixed").alerts

    assert (firing.change, firing.component) == (Change.TRIGGERED, "prod-db-1")
    assert (resolved.change, resolved.component) == (Change.RECOVERED, "prod-db-2")


def test_one_unreadable_alert_does_not_hide_the_others() -> None:
    reading = read("one-unreadable")

    assert [found.change for found in reading.alerts] == [Change.TRIGGERED]
    assert reading.gap == (
        "2 alerts of this delivery could not be read: An alert has the status “muddled”; socmon knows firing and"
        " resolved."
    )


def test_what_grafana_left_out_is_a_gap() -> None:
    assert read("left-out").gap == "Grafana left out 12 alerts (“Max Alerts” of the contact point)."


def test_more_alerts_than_anybody_can_read_are_a_gap() -> None:
    """One delivery must not hold up all others: 1 MiB can hold 24 000 alerts that say nothing."""
    alerts = [{"status": "firing", "fingerprint": str(number)} for number in range(5001)]
    reading = WEBHOOK.read(request(json.dumps({"orgId": 1, "alerts": alerts}).encode()))

    assert len(reading.alerts) == 5000
    assert reading.gap == "Of 5001 alerts in this delivery, only the first 5000 were read."


@pytest.mark.parametrize("name", ["malformed", "no-alerts", "custom-payload", "legacy-malformed"])
def test_unreadable(name: str) -> None:
    with pytest.raises(Unreadable):
        read(name)


def test_two_organisations_count_for_themselves() -> None:
    """Fingerprints come from labels, which two organisations or two Grafanas may share."""
    body = (PAYLOADS / "triggered.json").read_bytes()
    bodies = [body, body.replace(b'"orgId": 1', b'"orgId": 2'), body.replace(b'.com/",', b'.org/",')]

    assert len({WEBHOOK.read(request(one)).alerts[0].dedup_key for one in bodies}) == 3
