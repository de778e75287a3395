"""Messages that SNS did sign and that mean harm, or nothing."""

import json
import re
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.domain.errors import Unreadable
from bot.providers.cloudwatch import alarm, certificates, settings
from bot.providers.cloudwatch.samples import CloudWatchSamples
from bot.providers.cloudwatch.settings import CloudWatchSettings
from bot.providers.cloudwatch.webhook import CloudWatchWebhook
from bot.providers.contract import Request
from tests.mutations import mutated
from tests.providers.cloudwatch.pages import Pages
from tests.providers.test_contract import check_body

NOW = datetime(2026, 11, 24, 16, 30, tzinfo=UTC)
SNS = CloudWatchSamples()
WEBHOOK = CloudWatchWebhook(CloudWatchSettings(), Pages({}))
PAYLOADS = sorted((Path(__file__).parent / "payloads").glob("*.json"))


@pytest.mark.parametrize("path", PAYLOADS, ids=lambda path: path.stem)
def test_a_mutated_alarm_is_read_or_unreadable_and_nothing_else(path: Path) -> None:
    """500 damaged versions of each alarm inside an intact envelope."""
    for message in mutated(path.read_bytes(), 500):
        body = SNS.notification(
            message.decode("utf-8", "surrogateescape").encode("utf-8", "replace").decode(), at=NOW
        ).body
        check_body(WEBHOOK, body, {})


@pytest.mark.parametrize(
    "message",
    [
        '{"AlarmName":' + '{"a":' * 50 + "1" + "}" * 51,
        '{"AlarmName": ' + "9" * 5000 + "}",
        '{"AlarmName": [[[[[' + "]" * 5,
    ],
    ids=["deep", "a number without end", "lopsided"],
)
def test_hostile_json_is_unreadable(message: str) -> None:
    with pytest.raises(Unreadable):
        WEBHOOK.read(Request(headers={}, body=SNS.notification(message, at=NOW).body, received_at=NOW))


EVIL = [
    "severity" + " " * 4000,
    "severity : " * 400,
    "runbook: http" + "a" * 4000,
    "runbook: http " * 300,
    "datapoints [" + "1, " * 1300,
    "datapoint [" * 360,
    "SEV-" * 1000,
    "arn:aws-" + "a-" * 2000,
    "arn:aws:cloudwatch:" + "a" * 4000 + ":1:alarm:",
    "https://sns." + "a-" * 2000 + ".amazonaws.com",
    "arn:aws:sns:" + "a-" * 2000,
]
PATTERNS = [
    pattern
    for module in (alarm, certificates, settings)
    for pattern in vars(module).values()
    if isinstance(pattern, re.Pattern)
]


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: pattern.pattern[:40])
def test_no_text_makes_a_pattern_slow(pattern: re.Pattern[str]) -> None:
    """A vendor's text of four thousand characters costs no pattern five milliseconds."""
    for text in EVIL:
        best = min(_seconds(pattern, text) for _ in range(3))
        assert best < 0.005, text[:40]


def _seconds(pattern: re.Pattern[str], text: str) -> float:
    began = time.perf_counter()
    pattern.search(text)
    pattern.fullmatch(text)
    return time.perf_counter() - began


def test_a_large_alarm_is_cut_and_not_refused() -> None:
    """SNS allows 256 KiB; what people see is bounded."""
    message = json.dumps(
        {
            "AlarmName": "a" * 5000,
            "AWSAccountId": "1",
            "NewStateValue": "ALARM",
            "AlarmDescription": "x" * 200_000,
        }
    )
    [found] = WEBHOOK.read(
        Request(headers={}, body=SNS.notification(message, at=NOW).body, received_at=NOW)
    ).alerts

    assert len(found.title) <= 300
    assert len(found.text) <= 5000
    assert len(found.dedup_key) <= 500
