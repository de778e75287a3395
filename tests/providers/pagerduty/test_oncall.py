"""Rosters from PagerDuty: every planted fault is found; trouble is an incomplete answer, never an empty roster."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from bot.domain.errors import WrongSettings
from bot.domain.oncall import FaultKind, InSlack, Kind, Level, Roster, Shift
from bot.playground.pagerduty import KEY
from bot.playground.pagerduty_shapes import method, oncall, policy, rule, user
from bot.providers.contract import Pulled, Secrets
from bot.providers.pagerduty.client import RETRIES, PagerDutyApi, SaysNo
from bot.providers.pagerduty.oncall import PagerDutyOnCall
from bot.providers.pagerduty.settings import PagerDutySettings, read_settings
from tests.fake_pagerduty import WatchedPagerDuty, fake_pagerduty
from tests.tls import go_direct

START = datetime(2026, 11, 24, tzinfo=UTC)
END = START + timedelta(days=15)
NOW = START + timedelta(hours=3)


@pytest.fixture
def pagerduty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WatchedPagerDuty]:
    with fake_pagerduty(lambda: NOW, tmp_path, monkeypatch) as server:
        server.policies["PT20YPA"] = policy()
        server.oncalls = [oncall("PSAM"), oncall("PKIM", level=2)]
        server.users = {
            "PSAM": user("PSAM", method("M1"), method("M2", "email", address="sam@example.com")),
            "PKIM": user("PKIM", method("M3", "push_notification", device_type="ios")),
        }
        server.rules = {"PSAM": [rule("M1"), rule("M2"), rule("M1", 30, "low")], "PKIM": [rule("M3", 2)]}
        yield server


def settings(server: WatchedPagerDuty, key: str = KEY) -> PagerDutySettings:
    return PagerDutySettings(secrets=Secrets(), key=key, api_url=server.url)


async def read(server: WatchedPagerDuty, policies: Any = None, **given: Any) -> Pulled[Roster]:
    source = PagerDutyOnCall(settings=settings(server, **given), pause=0.001)
    asked = policies or {"platform": "PT20YPA"}
    return await asyncio.to_thread(source.read, asked, start=START, end=END, as_of=NOW)


async def faults(server: WatchedPagerDuty) -> dict[FaultKind, str]:
    [roster] = (await read(server)).items
    slack = {FaultKind.SLACK_UNKNOWN}  # nobody has asked Slack yet
    return {each.kind: each.says for each in roster.faults(NOW) if each.kind not in slack}


async def test_a_roster_with_its_people(pagerduty: WatchedPagerDuty) -> None:
    """Levels and delays, who is on call for good, and how each is rung, with masked ends."""
    pagerduty.oncalls.append(
        oncall("PKIM", start="2026-11-25T09:00:00+01:00", end="2026-11-26T09:00:00+01:00")
    )
    pulled = await read(pagerduty)

    [roster] = pulled.items
    assert (pulled.complete, pulled.reason, pulled.as_of, pulled.calls) == (True, "", NOW, 6)
    team = roster.team("platform")
    assert team.levels == (
        Level(number=1, delay_minutes=5, targets=("Rotation 1",)),
        Level(number=2, delay_minutes=15, targets=("Rotation 2",)),
    )
    assert team.shifts[0] == Shift(responder="PSAM", level=1)
    assert team.shifts[2].start == datetime(2026, 11, 25, 8, tzinfo=UTC)
    sam, kim = roster.responder("PSAM"), roster.responder("PKIM")
    assert (sam.name, sam.email, sam.in_slack) == ("Sam", "sam@example.com", InSlack.UNKNOWN)
    assert [(each.kind, each.end, each.rings_after) for each in sam.methods] == [
        (Kind.PHONE, "…4711", 0),
        (Kind.EMAIL, "s…@example.com", 0),
    ]
    assert [(each.kind, each.end, each.rings_after) for each in kim.methods] == [(Kind.PUSH, "ios", 2)]
    assert sam.account_url == "https://example.pagerduty.com/users/PSAM"
    assert await faults(pagerduty) == {}


PLANTED: dict[FaultKind, Any] = {
    FaultKind.NO_METHOD: lambda pd: pd.users.update(PSAM=user("PSAM")),
    FaultKind.ONLY_EMAIL: lambda pd: pd.users.update(
        PSAM=user("PSAM", method("M2", "email", address="s@x.org"))
    ),
    FaultKind.METHOD_DISABLED: lambda pd: pd.users.update(PSAM=user("PSAM", method("M1", enabled=False))),
    FaultKind.METHOD_BLOCKED: lambda pd: pd.users.update(PSAM=user("PSAM", method("M1", blacklisted=True))),
    FaultKind.RULE_TOO_LATE: lambda pd: pd.rules.update(PSAM=[rule("M1", 10)]),
    FaultKind.NO_RULE: lambda pd: pd.rules.update(PSAM=[rule("M1", 0, "low")]),
    FaultKind.GAP: lambda pd: (
        pd.oncalls.insert(0, oncall("PSAM", end="2026-11-27T09:00:00Z")) or pd.oncalls.pop(1)
    ),
    FaultKind.EMPTY_LEVEL: lambda pd: pd.oncalls.pop(1),
    FaultKind.NO_LEVELS: lambda pd: pd.policies.clear() or pd.oncalls.clear(),
    FaultKind.SAME_PEOPLE: lambda pd: pd.oncalls.insert(0, oncall("PSAM", level=2)) or pd.oncalls.pop(2),
    FaultKind.GONE: lambda pd: pd.users.pop("PSAM"),
}


@pytest.mark.parametrize("kind", PLANTED)
async def test_each_fault_that_stands_in_pagerduty_is_found_and_no_other(
    pagerduty: WatchedPagerDuty, kind: FaultKind
) -> None:
    """As PagerDuty itself would tell of it, over the wire."""
    PLANTED[kind](pagerduty)

    assert list(await faults(pagerduty)) == [kind]


async def test_every_page_is_read(pagerduty: WatchedPagerDuty) -> None:
    """A shift on the third page counts like one on the first."""
    pagerduty.oncalls = [
        oncall("PSAM", start=f"2026-11-{24 + hour // 24:02}T{hour % 24:02}:00:00Z", end=None)
        for hour in range(140)
    ] * 2 + [oncall("PKIM", level=2)]
    pulled = await read(pagerduty)

    assert pulled.complete
    assert {each.responder for each in pulled.items[0].team("platform").shifts} == {"PSAM", "PKIM"}
    assert pagerduty.paths().count("/oncalls") == 3


async def test_two_teams_may_share_a_policy(pagerduty: WatchedPagerDuty) -> None:
    """It is asked for once."""
    pulled = await read(pagerduty, {"platform": "PT20YPA", "data": "PT20YPA"})

    assert [team.name for team in pulled.items[0].teams] == ["platform", "data"]
    assert pagerduty.paths().count("/escalation_policies/PT20YPA") == 1


@pytest.mark.parametrize("path", ["/oncalls", "/escalation_policies/PT20YPA", "/users/PKIM"])
@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
async def test_a_call_that_fails_at_first_is_tried_again(
    pagerduty: WatchedPagerDuty, path: str, status: int
) -> None:
    pagerduty.faults[path] = [status, status]

    assert (await read(pagerduty)).complete
    assert pagerduty.paths().count(path) == 3


@pytest.mark.parametrize("path", ["/oncalls", "/escalation_policies/PT20YPA", "/users/PKIM"])
@pytest.mark.parametrize("status", [429, 500, 403, 401])
async def test_trouble_is_an_incomplete_answer_with_a_reason(
    pagerduty: WatchedPagerDuty, path: str, status: int
) -> None:
    """It ends after a bounded number of tries, and never passes for “nobody is on call”."""
    pagerduty.faults[path] = [status] * 50
    pulled = await read(pagerduty)

    assert (pulled.items, pulled.complete) == ((), False)
    assert str(status) in pulled.reason
    assert pagerduty.paths().count(path) == RETRIES.get(status, 0) + 1
    assert KEY not in pulled.reason


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/oncalls", b"<html>"),
        ("/oncalls", b"[]"),
        ("/oncalls", b'{"oncalls": 7}'),
        ("/users/PSAM", b"{"),
        ("/oncalls", json.dumps({"oncalls": [oncall("PSAM", start="soon")], "more": False}).encode()),
        (
            "/oncalls",
            json.dumps({"oncalls": [oncall("PSAM", end="2026-11-24T09:00:00")], "more": False}).encode(),
        ),
    ],
)
async def test_what_cannot_be_understood_is_incomplete(
    pagerduty: WatchedPagerDuty, path: str, body: bytes
) -> None:
    pagerduty.garbage[path] = body
    pulled = await read(pagerduty)

    assert (pulled.items, pulled.complete) == ((), False)
    assert "PagerDuty" in pulled.reason


async def test_without_a_key_nobody_is_asked(pagerduty: WatchedPagerDuty) -> None:
    pulled = await read(pagerduty, key="")

    assert "PAGERDUTY_API_KEY is not set" in pulled.reason
    assert (pulled.complete, pagerduty.asked) == (False, [])


async def test_a_wrong_key_is_explained_and_not_shown(pagerduty: WatchedPagerDuty) -> None:
    pulled = await read(pagerduty, key="hunter2-hunter2")

    assert "401" in pulled.reason
    assert "make a new one" in pulled.reason
    assert "hunter2" not in pulled.reason + repr(settings(pagerduty, "hunter2"))


async def test_the_authority_has_to_be_trusted(
    pagerduty: WatchedPagerDuty, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without SSL_CERT_FILE the loopback server is a stranger, and learns no key."""
    go_direct(monkeypatch)
    pulled = await read(pagerduty)

    assert (pulled.complete, pagerduty.asked) == (False, [])


def test_plain_http_is_refused() -> None:
    """The key must not travel in clear, not even to a test server."""
    with pytest.raises(WrongSettings, match="must not travel without TLS"):
        read_settings({}, {"SOCMON_PAGERDUTY_URL": "http://127.0.0.1:1"})


async def test_a_refusal_has_its_status(pagerduty: WatchedPagerDuty) -> None:
    """So that whoever asks can tell “gone” from “not now”."""

    def ask() -> None:
        with PagerDutyApi(settings(pagerduty)) as api:
            api.get("/users/PNOBODY")

    with pytest.raises(SaysNo, match="GET /users/PNOBODY with 404"):
        await asyncio.to_thread(ask)


async def test_every_call_is_one_that_pagerduty_documents(
    pagerduty: WatchedPagerDuty, fixtures_dir: Path
) -> None:
    """Path and parameters are those of its own OpenAPI document."""
    document = json.loads((fixtures_dir / "openapi/pagerduty-rest-openapiv3.json").read_text())
    await read(pagerduty)

    assert len(pagerduty.asked) == 6
    for asked in pagerduty.asked:
        path = "/" + "/".join(
            "{id}" if part.startswith("P") else part for part in asked.path.strip("/").split("/")
        )
        known = [_resolved(document, each) for each in document["paths"][path]["get"]["parameters"]]
        by_name = {each["name"]: each["schema"] for each in known if each["in"] == "query"}
        for name, value in asked.query:
            schema = by_name[name]
            items = schema.get("items", schema)
            jsonschema.validate(int(value) if items["type"] == "integer" else value, items)


async def test_pagerdutys_own_examples_are_read(pagerduty: WatchedPagerDuty, fixtures_dir: Path) -> None:
    """What its documentation answers makes a roster: a shift long ago is a gap now."""

    def example(name: str) -> Any:
        text = (fixtures_dir / f"pagerduty/openapi-example-{name}.json").read_text()
        return json.loads(text)["responses"]["200"]["response"]

    pagerduty.policies["PT20YPA"] = example("get_escalation_policies_id")["escalation_policy"]
    pagerduty.garbage["/oncalls"] = json.dumps(example("get_oncalls")).encode()
    pagerduty.users["PT23IWX"] = example("get_users_id")["user"]
    pagerduty.rules["PT23IWX"] = example("get_users_id_notification_rules")["notification_rules"]
    pulled = await read(pagerduty)

    [roster] = pulled.items
    team = roster.team("platform")
    assert pulled.complete
    assert team.levels == (
        Level(number=1, delay_minutes=30, targets=("Kyler Kuhn", "Daily Engineering Rotation")),
    )
    assert team.shifts == (
        Shift(
            responder="PT23IWX",
            level=2,
            start=datetime(2015, 3, 6, 20, 28, 51, tzinfo=UTC),
            end=datetime(2015, 3, 7, 20, 28, 51, tzinfo=UTC),
        ),
    )
    assert roster.responder("PT23IWX").email == "125.greenholt.earline@graham.name"
    assert FaultKind.EMPTY_LEVEL in {each.kind for each in roster.faults(NOW)}


def _resolved(document: Any, parameter: Any) -> Any:
    """The parameter, its reference followed."""
    if "$ref" not in parameter:
        return parameter
    found = document
    for part in parameter["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return found
