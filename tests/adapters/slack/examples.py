"""Alerts in every state, hostile words, and what every message and form has to be."""

import json
import re
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

from hypothesis import strategies as st
from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

from bot.domain.alert import Alert, Cause, Resolution, Response, Severity, Source
from bot.domain.thread import Moment
from bot.playground.block_kit import message_problems, rings_everybody, view_problems

NOW = datetime(2026, 11, 24, 14, 5, tzinfo=UTC)
OPENED = datetime(2026, 11, 24, 14, 2, tzinfo=UTC)
NOTE = Resolution(
    found="Long ANALYZE after deploy 1.42", done="Added a read replica", cause=Cause.CAPACITY, security=False
)

TRIGGERED = Alert(
    id=412,
    provider="datadog",
    dedup_key="monitor-1:prod-db-1",
    occurrence=None,
    title="CPU > 85 % for 5 min",
    component="prod-db-1",
    condition="",
    value="93 %",
    severity=Severity.SEV1,
    url="https://app.datadoghq.com/monitors/1?a=1&b=2",
    runbook="https://wiki.example.com/cpu",
    text="",
    response=Response.TRIGGERED,
    source=Source.FIRING,
    source_at=OPENED,
    triggered_at=OPENED,
    on_call=("U0SAM", "S0PLATFORM"),
)
NO_DATA = replace(TRIGGERED, source=Source.UNKNOWN)
ACKNOWLEDGED = replace(
    TRIGGERED,
    response=Response.ACKNOWLEDGED,
    owner="U0SAM",
    acknowledged_at=OPENED + timedelta(minutes=3),
    acknowledged_by="U0SAM",
    version=2,
)
SNOOZED = replace(ACKNOWLEDGED, snoozed_until=NOW + timedelta(minutes=30))
RECOVERED = replace(
    TRIGGERED, source=Source.RECOVERED, recovered_at=OPENED + timedelta(minutes=2), source_at=NOW
)
OWNED_RECOVERED = replace(ACKNOWLEDGED, source=Source.RECOVERED, recovered_at=NOW, source_at=NOW)
RESOLVED = replace(
    OWNED_RECOVERED,
    response=Response.RESOLVED,
    resolved_at=OPENED + timedelta(minutes=29),
    resolved_by="U0SAM",
    resolution=NOTE,
    version=3,
)
STATES = {
    "triggered": TRIGGERED,
    "no data": NO_DATA,
    "acknowledged": ACKNOWLEDGED,
    "acknowledged, no data": replace(ACKNOWLEDGED, source=Source.UNKNOWN),
    "snoozed": SNOOZED,
    "recovered": RECOVERED,
    "recovered, owned": OWNED_RECOVERED,
    "recovered, snoozed": replace(SNOOZED, source=Source.RECOVERED, recovered_at=NOW),
    "resolved": RESOLVED,
    "resolved, still firing": replace(RESOLVED, source=Source.FIRING, recovered_at=None),
    "resolved, note lost": replace(RESOLVED, resolution=None),
    "resolved, note redacted": replace(RESOLVED, resolution=replace(NOTE, found="", done="")),
    "bare": replace(
        TRIGGERED, title="", component="", value="", url="", runbook="", on_call=(), previous_id=411
    ),
}

KINDS = (
    "triggered",
    "repeated",
    "worsened",
    "recovered",
    "refired",
    "no_data",
    "flapping",
    "updated",
    "acknowledged",
    "snoozed",
    "woke",
    "reminded",
    "escalated",
    "reassigned",
    "taken_over",
    "released",
    "noted",
    "resolved",
    "amended",
    "reopened",
    "reopened_as",
    "reassigned",
    "told",
    "retold",
    "not_told",
    "still_open",
    "announced",
    "something_newer",
)
BY_PROVIDER = {"triggered", "repeated", "worsened", "recovered", "refired", "no_data", "updated"}

HOSTILE_WORDS = (
    "<!channel>",
    "<!here|@here>",
    "<!everyone>",
    "<!subteam^S1>",
    "<@U1>",
    "<#C1>",
    "<http://evil.example|Acknowledge>",
    "<!date^1^{date}|x>",
    "&lt;!channel&gt;",
    "*bold*",
    "_italic_",
    "~gone~",
    "`code`",
    "```\nblock\n```",
    "\n> quoted",
    ":white_check_mark:",
    ":fire",
    "http://evil.example/login",
    "root@evil.example",
    "@channel",
    "\u202egnp.exe",
    "\u200b",
    "\u2066",
    "\ufeff",
    "\x00",
    "\x1b[31m",
    "\ud800",
    "\U000e0041",
    "\u2028",
    "👩‍🚒",
    "ab" * 2000,
    "&" * 3000,
)
hostile = st.lists(st.one_of(st.sampled_from(HOSTILE_WORDS), st.text(max_size=40)), max_size=8).map("".join)


def moment(kind: str, number: int = 1, *, by: str = "", text: str = "", at: datetime = NOW) -> Moment:
    by = by or ("datadog" if kind in BY_PROVIDER else "U0SAM")
    return Moment(id=number, alert_id=412, at=at, kind=kind, by=by, text=text)


def assert_message(text: str, blocks: list[dict[str, Any]]) -> None:
    """Slack takes it, nobody but those who should be is called, and every part of it is ours or inert."""
    assert message_problems(blocks) == []
    for block in blocks:
        parsed = Block.parse(block)
        assert parsed
        assert parsed.to_dict()["type"] == block["type"]
    assert not rings_everybody(text, blocks)
    assert 0 < len(text) <= 4000
    assert sum(len(part) for part in parsed_texts(blocks)) < 13_000
    for part in (text, *parsed_texts(blocks)):
        assert_inert(part)
    for part in literal_texts(blocks):
        assert not re.search("<[!@#]", part)
    assert_sendable([text, blocks])


def assert_view(view: dict[str, Any]) -> None:
    assert view_problems(view) == []
    View(**view).to_dict()
    for part in parsed_texts(view["blocks"]):
        assert_inert(part)
    assert len(json.dumps(view)) < 250_000
    assert_sendable(view)


def assert_sendable(value: object) -> None:
    json.dumps(value, ensure_ascii=False).encode()


OWN_TOKENS = re.compile(
    r"<@[UW][A-Z0-9]+>|<!subteam\^S[A-Z0-9]+>|<#C[A-Z0-9]+>"
    r"|<!date\^\d+\^(?:\{date_short_pretty\} )?\{time\}\|[-0-9: ]+UTC>"
    r"|<http://evil\.example/login[!-;=?-{}~]*\|Datadog>"  # the alert's own address, where it is a plain one
    r"|<https://(?:app\.datadoghq\.com|wiki\.example\.com|jira\.example\.com)/[!-;=?-{}~]*\|[^<>]*>"
)
OWN_EMOJI = re.compile(
    r":(?:red_circle|grey_question|large_yellow_circle|zzz|large_blue_circle|white_check_mark|warning|alarm_clock"
    r"|repeat|arrow_up|memo|lock|x|hourglass_flowing_sand|rotating_light|handshake|arrows_counterclockwise|test_tube"
    r"|telephone_receiver|clipboard|ballot_box_with_check):(?= )"
)
OWN_CODE = re.compile(r"`/?(?:socmon|invite)[^`\n]*`|`\[providers\.…\]`|`csv`|`json`")
OWN_BOLD = re.compile(r"(?<!\S)\*(?=\S)[^*\n]*(?<=\S)\*(?!\w)")


def assert_inert(part: str) -> None:
    """What is left without our own marks can't mention, link, format or name an emoji."""
    rest = OWN_TOKENS.sub("x", part)
    rest = OWN_CODE.sub("", OWN_EMOJI.sub("", rest))
    rest = OWN_BOLD.sub(lambda found: found[0].strip("*"), rest)
    assert not re.search(r"[<>*~`]", rest), rest
    assert not re.search(r"&(?!(?:amp|lt|gt);)", rest), rest
    assert not re.search(r"(?<![A-Za-z0-9_])_|_(?![A-Za-z0-9_])", rest), rest
    assert not re.search(r":(?!\d{1,2}:)[^\s:∶]+:", rest), rest
    assert not re.search(r"^\s*&gt;", rest, re.MULTILINE), rest
    assert not re.search("[\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\x00-\x09\x0b-\x1f]", rest), rest


def parsed_texts(value: object) -> Iterator[str]:
    """The texts that Slack parses."""
    for part in _objects(value):
        if part.get("type") == "mrkdwn":
            assert part["verbatim"] is True
            yield part["text"]


def literal_texts(value: object) -> Iterator[str]:
    for part in _objects(value):
        if part.get("type") == "plain_text":
            yield part["text"]


def shown_lines(blocks: list[dict[str, Any]]) -> list[str]:
    """About what a phone of 360 px shows of the text: 15 px letters in a section, 13 px in small print."""
    return [line for block in blocks for line in _wrapped(block, 42 if block["type"] == "section" else 48)]


def _wrapped(block: dict[str, Any], width: int) -> list[str]:
    lines = []
    for part in parsed_texts(block):
        words = re.sub(r"<!date\^\d+\^\{time[^>]*>", "14:02", part)
        words = re.sub(r"<!date[^>]*>", "today 14:02", words)
        words = re.sub(r"<@\w+>|<!subteam\^\w+>", "@someone", words)
        words = re.sub(r"<http[^|>]*\|([^>]*)>", r"\1", words)
        words = re.sub(r":\w+:", "O", words).replace("*", "")
        for line in unescape(words).split("\n"):
            lines += textwrap.wrap(line, width)
    return lines


def labels(blocks: list[dict[str, Any]]) -> list[str]:
    """The buttons, and behind … what is in the menu."""
    found = []
    for block in blocks:
        for element in block["elements"] if block["type"] == "actions" else []:
            if element["type"] == "button":
                mark = "!" if element.get("style") == "primary" else ""
                found.append(mark + element["text"]["text"])
            else:
                found += ["⋯", *(option["text"]["text"] for option in element["options"])]
    return found


def _objects(value: object) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for item in value.values():
            yield from _objects(item)
    elif isinstance(value, list):
        for item in value:
            yield from _objects(item)
