"""Whatever a sender sends, socmon answers sensibly, loses nothing genuine, and every figure reconciles."""

import asyncio
import csv
import hmac
import io
import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from bot.app import Socmon
from bot.providers import all_providers
from bot.providers.cloudwatch.samples import CloudWatchSamples
from bot.providers.contract import Sample, SampleKind, Samples
from tests.handlers.conftest import browser as client_of
from tests.handlers.conftest import build, clock, samples  # noqa: F401 - fixtures
from tests.mutations import mutated
from tests.processes import HOSTILE, Bot, running_slack, wait_until

BODIES = 500


@pytest.mark.parametrize("name", sorted(all_providers()))
async def test_five_hundred_damaged_bodies(name: str, build: Any, samples: dict[str, Samples]) -> None:  # noqa: F811
    """Genuinely signed and damaged: never a 5xx, and every figure adds up."""
    socmon: Socmon = build()
    at = socmon.clock.now()
    whole = samples[name].sample(SampleKind.TRIGGERED, problem=1, episode=1, at=at)
    damaged = enumerate(mutated(_core(name, whole), BODIES))
    sent = [_genuine(name, samples[name], whole, body, number) for number, body in damaged]
    async with client_of(socmon) as http:
        answers: Counter[int] = Counter()
        for start in range(0, BODIES, 50):
            some = sent[start : start + 50]
            posts = [http.post(f"/webhooks/{name}", content=one.body, headers=one.headers) for one in some]
            answers.update([answer.status_code for answer in await asyncio.gather(*posts)])

    assert set(answers) <= {202, 401, 403}
    counted = Counter[str]()
    inside = Counter[str]()
    for provider, kind, result, _, number in await socmon.records.read(lambda records: records.counts(at)):
        assert provider == name
        (counted if kind == "delivery" else inside)[result] += number
    assert counted.total() == BODIES
    assert counted["refused"] == BODIES - answers[202]
    assert set(counted) <= {"accepted", "duplicate", "refused", "unreadable"}
    assert set(inside) <= {"new", "repeated", "transition", "ignored"}
    alerts = await socmon.records.read(lambda records: records.find_alerts())
    assert len(alerts) == inside["new"]


def _markup(value: Any) -> Iterator[str]:
    """Every text in which Slack looks for markup: a message's own, and those of mrkdwn objects."""
    if isinstance(value, list):
        for one in value:
            yield from _markup(one)
    elif isinstance(value, dict):
        if value.get("type") in {"message", "mrkdwn"}:
            yield value["text"]
        for one in value.values():
            yield from _markup(one)


def _core(name: str, sample: Sample) -> bytes:
    """What is damaged: the body; of an SNS message the alarm inside, since the envelope's signature covers it."""
    if name != "cloudwatch":
        return sample.body
    message: str = json.loads(sample.body)["Message"]
    return message.encode()


def _genuine(name: str, source: Samples, sample: Sample, body: bytes, number: int) -> Sample:
    """The damaged body as its real sender would sign it."""
    headers = dict(sample.headers)
    if isinstance(source, CloudWatchSamples):
        text = body.decode("utf-8", "replace").replace("\x00", "")
        return source.notification(text, at=_at(sample), message_id=f"m-{number}")
    secret = next(iter(source.environ.values())).split(",")[0].encode()
    if name == "pagerduty":
        headers["x-pagerduty-signature"] = f"v1={hmac.new(secret, body, sha256).hexdigest()}"
    if name == "grafana":
        seconds = headers["x-grafana-alerting-timestamp"]
        message = f"{seconds}:".encode() + body
        headers["x-grafana-alerting-signature"] = hmac.new(secret, message, sha256).hexdigest()
    return Sample(headers=headers, body=body)


def _at(sample: Sample) -> datetime:
    return datetime.fromisoformat(json.loads(sample.body)["Timestamp"])


def test_hostile_words_are_only_words(tmp_path: Path) -> None:
    """In Slack nothing but our own mention rings, and nothing links; in the CSV nothing is a formula."""
    with running_slack() as slack:
        bot = Bot(tmp_path, slack)
        bot.start()
        try:
            for number, words in enumerate(HOSTILE):
                alert = {"status": "triggered", "dedup_key": f"h{number}", "title": words, "component": words}
                assert bot.post({**alert, "condition": words, "text": words})[0] == 202
            wait_until(lambda: len(slack.parents()) == len(HOSTILE), what="all of it stands in Slack")
            table = bot.run("log").stdout
            shown = "\n".join(_markup(slack.transcript()["messages"]))
        finally:
            bot.stop()
    ours = {"<@U0SAM>", "<@U0ADMIN>"}
    assert set(re.findall(r"<[!@#][^>]*>", shown)) - ours <= set(re.findall(r"<!date[^>]*>", shown))
    assert "<https://evil" not in shown
    cells = [cell for row in csv.reader(io.StringIO(table)) for cell in row]
    assert [cell for cell in cells if cell.lstrip().startswith(("=", "+", "-", "@", "\uff1d"))] == []
    assert any("HYPERLINK" in cell for cell in cells)
