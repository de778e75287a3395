"""Who is on call, from PagerDuty and a rota to the person who asks: the list, its review, and linked accounts."""

import asyncio
import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.slack import interactions as do
from bot.adapters.system import SystemClock
from bot.app import Socmon
from bot.domain.oncall import InSlack
from bot.playground.pagerduty import KEY
from bot.playground.pagerduty_shapes import method, oncall, policy, rule, user
from bot.procedures.check_on_call import document_digest
from bot.procedures.receive_alert import receive_alert
from jobs.collect_on_call import collect_on_call
from tests.fake_pagerduty import WatchedPagerDuty, fake_pagerduty
from tests.handlers.conftest import SIGNING_SECRET, Build
from tests.handlers.test_slack_commands import ask
from tests.reports import delivery, report
from tests.slack_requests import click, send, submission, until
from tests.slack_server import BROKEN, SlackServer

TEAMS = """\
[[slack.routes]]
channel = "C0DATA"
provider = "generic"
team = "data"

[on_call]
[[on_call.teams]]
name = "platform"
pagerduty_policy = "PT20YPA"
[[on_call.teams]]
name = "data"
[[on_call.teams.levels]]
people = ["U1SAM"]
rotation = "none"
delay_minutes = 5
[[on_call.teams.levels]]
people = ["U1LEAD"]
rotation = "none"

[providers.pagerduty]
[providers.generic]
"""


@pytest.fixture
def pagerduty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WatchedPagerDuty]:
    with fake_pagerduty(lambda: datetime.now(UTC), tmp_path, monkeypatch) as server:
        server.policies["PT20YPA"] = policy()
        server.oncalls = [oncall("PSAM"), oncall("PKIM", level=2)]
        server.users = {"PSAM": user("PSAM", method("M1")), "PKIM": user("PKIM", method("M2"))}
        server.rules = {"PSAM": [rule("M1")], "PKIM": [rule("M2")]}
        yield server


@pytest.fixture
async def socmon(build: Build, slack: SlackServer, pagerduty: WatchedPagerDuty) -> Socmon:
    slack.users |= {
        "U1SAM": {"profile": {"email": "sam@example.com", "display_name": "sam"}},
        "U1LEAD": {"profile": {"email": "lead@example.com", "display_name": "ana"}},
        "U2KIM": {"profile": {"email": "kim@home.example", "display_name": "kim"}},
    }
    environ = {
        "SLACK_BOT_TOKEN": "xoxb-1",
        "SLACK_SIGNING_SECRET": SIGNING_SECRET,
        "SLACK_API_URL": slack.url,
        "PAGERDUTY_API_KEY": KEY,
        "SOCMON_PAGERDUTY_URL": pagerduty.url,
    }
    return build(clock=SystemClock(), tables=TEAMS, **environ)


def forget(socmon: Socmon) -> None:
    """Five minutes have passed."""
    socmon.directory._kept.clear()  # noqa: SLF001 - its own memory


def shown(told: dict[str, Any]) -> str:
    return json.dumps(told["blocks"], ensure_ascii=False)


async def test_the_question_is_answered(socmon: Socmon, slack: SlackServer) -> None:
    """Both teams, their levels, how people are reached, and the one whom Slack does not know."""
    first = await collect_on_call(socmon)
    again = await collect_on_call(socmon)
    told = shown(await ask(socmon, slack, "oncall"))

    assert (first, again) == ("a new roster", "as before")
    assert "*platform* · PagerDuty" in told
    assert "1. <@U1SAM> (phone …4711 after 0 min) " not in told, (
        "nobody follows somebody who is there for good"
    )
    assert "1. <@U1SAM> (phone …4711 after 0 min)" in told
    assert "2. after 5 min Kim (phone …4711 after 0 min)" in told
    assert "*data* · rota" in told
    assert "2. after 5 min <@U1LEAD>" in told
    assert "Gaps in the next 14 days: none" in told
    assert "Kim is not known in Slack as kim@example.com" in told
    assert "never been reviewed" in told
    one = shown(await ask(socmon, slack, "oncall data +3d"))
    assert "*data* · rota at <!date" in one
    assert "platform" not in one
    assert "There is no team “dato”" in shown(await ask(socmon, slack, "oncall dato"))
    assert "none of the roles" in shown(await ask(socmon, slack, "oncall", user="U1OUT"))


async def test_before_anybody_has_answered_that_is_said(socmon: Socmon, slack: SlackServer) -> None:
    assert "does not know yet who is on call" in shown(await ask(socmon, slack, "oncall"))


async def test_an_alert_calls_whoever_is_on_call_for_its_route(socmon: Socmon) -> None:
    """By the roster, which the alert names."""
    await collect_on_call(socmon)
    receipt = await socmon.records.write(
        receive_alert, delivery(report()), routes=socmon.settings.slack_routes
    )
    alert = await socmon.records.read(lambda records: records.alert(receipt.alerts[0][1] or 0))

    assert (alert.on_call, alert.roster_id) == (("U1SAM",), 1)


async def test_a_linked_account_is_known_from_the_next_look_on(socmon: Socmon, slack: SlackServer) -> None:
    """Kim says that the account is hers; a lead could have, and Sam could not."""
    await collect_on_call(socmon)
    await send(socmon, click(slack, do.LINK_ACCOUNT, "link"))
    await until(lambda: slack.given("views.open"))
    form = slack.given("views.open")[0]["view"]
    assert form["callback_id"] == do.LINK_FORM
    assert [each["value"] for each in form["blocks"][0]["element"]["options"]] == ["pagerduty:PKIM"]

    refused = await send(socmon, filled("pagerduty:PKIM", "U2KIM", by="U1SAM"))
    assert "link an account for somebody else" in refused.text
    taken = await send(socmon, filled("pagerduty:PKIM", "U2KIM", by="U1LEAD"))
    assert taken.text in {"", "{}"}
    await collect_on_call(socmon)

    told = shown(await ask(socmon, slack, "oncall platform"))
    assert "2. after 5 min <@U2KIM>" in told
    assert "To be mended" not in told


def filled(account: str, whose: str, *, by: str) -> dict[str, Any]:
    sent = submission(do.LINK_FORM, {"account": account}, user=by)
    values = sent["view"]["state"]["values"]
    values["account"]["account"] = {"selected_option": {"value": account}}
    values["user"] = {"user": {"selected_user": whose}}
    return sent


async def test_a_form_of_another_version_changes_nothing(socmon: Socmon) -> None:
    await collect_on_call(socmon)

    for values in ("", "pagerduty", "pagerduty:PKIM"):
        assert "another version" in (await send(socmon, filled(values, "", by="U1LEAD"))).text


async def test_somebody_who_has_left_slack_is_found(socmon: Socmon, slack: SlackServer) -> None:
    """Slack no longer finds their address; that they were known says what has become of them."""
    await collect_on_call(socmon)
    slack.users["U1SAM"] = {"deleted": True, "profile": {}}
    forget(socmon)
    await collect_on_call(socmon)

    faults = (await socmon.records.read(lambda records: records.latest_roster())).faults(SystemClock().now())  # type: ignore[union-attr]
    assert [each.says for each in faults if "deactivated" in each.says] == [
        "The Slack account of Sam is deactivated, and they stand in the shifts.",
        "The Slack account of U1SAM is deactivated, and they stand in the shifts.",
    ]


async def test_while_slack_is_silent_what_it_said_before_stands(socmon: Socmon, slack: SlackServer) -> None:
    """And of whom it never said anything, that is unknown and not “no account”."""
    await collect_on_call(socmon)
    for name in ("users.info", "users.lookupByEmail"):
        slack.always[name] = BROKEN
    forget(socmon)

    assert await collect_on_call(socmon) == "as before"


async def test_while_pagerduty_is_silent_its_last_roster_stands(
    socmon: Socmon, slack: SlackServer, pagerduty: WatchedPagerDuty
) -> None:
    """The trouble is made known, once, and mended when PagerDuty answers again."""
    await collect_on_call(socmon)
    pagerduty.faults["/oncalls"] = [403]
    told = await collect_on_call(socmon)

    assert told.startswith("as before; PagerDuty answers GET /oncalls with 403.")
    problems = {subject: text for subject, _, text in await socmon.records.read(lambda r: r.problems())}
    assert "stays in force" in problems["on-call:pagerduty"]
    assert "Kim is not known in Slack" in problems["on-call:faults"]
    assert "<@U1SAM>" in shown(await ask(socmon, slack, "oncall platform"))
    await collect_on_call(socmon)
    assert "on-call:pagerduty" not in {
        subject for subject, _, _ in await socmon.records.read(lambda r: r.problems())
    }


async def test_the_contact_list_is_sent_and_reviewed(socmon: Socmon, slack: SlackServer) -> None:
    """To the person alone; the review names the digest of exactly the file that was sent."""
    await collect_on_call(socmon)
    await send(socmon, click(slack, do.CONTACTS, "csv", user="U1LEAD"))
    await until(lambda: slack.given("response_url"))
    [upload] = slack.given("files.completeUploadExternal")
    sent, page = (each["raw"] for each in slack.given("upload"))
    sent = sent.decode()
    button = next(
        each["elements"][0] for each in slack.given("response_url")[0]["blocks"] if each["type"] == "actions"
    )

    assert upload["channel_id"] == "DU1LEAD"
    assert [each["title"].rpartition(".")[2] for each in upload["files"]] == ["csv", "pdf"]
    assert page.startswith(b"%PDF-")
    rows = list(csv.DictReader(io.StringIO(sent)))
    assert [(row["team"], row["level"], row["person"]) for row in rows] == [
        ("platform", "1", "Sam"),
        ("platform", "2", "Kim"),
        ("data", "1", "sam"),
        ("data", "2", "ana"),
    ]
    await send(socmon, click(slack, do.REVIEWED, button["value"], user="U1SAM"))
    await until(lambda: len(slack.given("response_url")) == 2)
    assert "can't review" in shown(slack.given("response_url")[1])
    await send(socmon, click(slack, do.REVIEWED, button["value"], user="U1LEAD"))
    await until(lambda: len(slack.given("response_url")) == 3)
    assert "on record" in shown(slack.given("response_url")[2])
    assert "Contact list reviewed by <@U1LEAD>" in shown(await ask(socmon, slack, "oncall"))
    with socmon.records.reading.connect() as connection:
        leaf = connection.exec_driver_sql(
            "SELECT leaf FROM leaf WHERE type = 'contacts.reviewed'"
        ).scalar_one()
    assert json.loads(leaf)["facts"]["document"] == document_digest(sent)


def _has_more(slack: SlackServer, before: int) -> bool:
    return len(slack.given("response_url")) > before


async def test_a_button_of_another_version_is_explained(socmon: Socmon, slack: SlackServer) -> None:
    await collect_on_call(socmon)
    for value in ("x", "1:x", "99:1764000000", f"1:{10**18}"):
        before = len(slack.given("response_url"))
        await send(socmon, click(slack, do.REVIEWED, value, user="U1LEAD"))
        await until(partial(_has_more, slack, before))

    said = [shown(each) for each in slack.given("response_url")]
    assert ["another version" in each or "There is no roster 99" in each for each in said] == [True] * 4


async def test_whom_slack_did_not_tell_of_is_asked_for_again_within_seconds(
    socmon: Socmon, slack: SlackServer
) -> None:
    """Slack is away while socmon starts; the job alone would look again in five minutes."""

    async def told(wanted: set[InSlack]) -> None:
        known: set[InSlack] = set()
        while known != wanted:
            await asyncio.sleep(0.02)
            stored = await socmon.records.read(lambda records: records.latest_roster())
            known = {each.in_slack for each in stored.roster.responders} if stored else set()

    for name in ("users.lookupByEmail", "users.info"):
        slack.always[name] = BROKEN
    app = socmon.asgi()
    async with app.router.lifespan_context(app):
        async with asyncio.timeout(8):
            await told({InSlack.UNKNOWN})
            slack.always.clear()
            await told({InSlack.ACTIVE, InSlack.NONE})
