"""From what two tools see to a reviewed scope document, over HTTP."""

import csv
import io
import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.adapters.slack import interactions as do
from bot.adapters.system import SystemClock
from bot.app import Socmon
from bot.domain.component import Component, Identity, Kind
from bot.domain.monitor import MetricReading, Monitor
from bot.procedures import change_scope, review_scope, take_inventory
from bot.procedures.review_scope import Standing
from bot.providers.contract import Fleet, Pulled
from jobs.ask_about_scope import ask_about_scope
from jobs.collect_inventory import collect_inventory
from tests.handlers.conftest import SIGNING_SECRET, Build
from tests.handlers.test_slack_commands import ask
from tests.slack_requests import click, send, submission, until
from tests.slack_server import SlackServer

TABLES = """\
[providers.generic]
"""
ROLES = 'backup_lead = ["U2BACKUP"]\n'


class Told(Fleet):
    """A tool that tells what a test wrote down."""

    def __init__(self, *items: Component) -> None:
        self.items, self.complete, self.reason = items, True, ""

    def list_components(self, at: datetime) -> Pulled[Component]:
        return Pulled(items=self.items, complete=self.complete, as_of=at, reason=self.reason)

    def read_metrics(self, _components: Any, at: datetime) -> Pulled[MetricReading]:
        return Pulled(items=(), complete=True, as_of=at)

    def list_monitors(self, at: datetime) -> Pulled[Monitor]:
        return Pulled(items=(), complete=True, as_of=at)


class Broken(Told):
    """A fault of our own in reading it."""

    def list_components(self, at: datetime) -> Pulled[Component]:
        raise KeyError(at)


def host(name: str, *identities: str, **tags: str) -> Component:
    return Component(
        kind=Kind.HOST, name=name, identities=frozenset(map(Identity.parse, identities)), tags=tags
    )


@pytest.fixture
def cloud() -> Told:
    return Told(
        host("web-1", "arn:arn:aws:ec2:eu-west-1:1:instance/i-1", "instance:i-1", team="shop"),
        host("db-1", "arn:arn:aws:ec2:eu-west-1:1:instance/i-2", "instance:i-2"),
    )


@pytest.fixture
def agents() -> Told:
    return Told(host("ip-10-0-0-1", "instance:i-1", "host:ip-10-0-0-1"), host("build-9", "host:build-9"))


@pytest.fixture
def socmon(build: Build, slack: SlackServer, cloud: Told, agents: Told) -> Socmon:
    slack.users |= {user: {"profile": {}} for user in ("U2BACKUP", "U1ADMIN")}
    environ = {
        "SLACK_BOT_TOKEN": "xoxb-1",
        "SLACK_SIGNING_SECRET": SIGNING_SECRET,
        "SLACK_API_URL": slack.url,
    }
    built = build(clock=SystemClock(), tables=ROLES + TABLES, **environ)
    built.fleets = {"cloudwatch": cloud, "datadog": agents}
    return built


async def look(socmon: Socmon, monkeypatch: pytest.MonkeyPatch) -> str:
    """An hour has passed."""
    with monkeypatch.context() as patched:
        patched.setattr(take_inventory, "ASK_EVERY", timedelta(0))
        return await collect_inventory(socmon)


async def stands(socmon: Socmon) -> Standing:
    return await socmon.records.read(review_scope.standing)


def shown(told: dict[str, Any]) -> str:
    return json.dumps(told["blocks"], ensure_ascii=False)


def buttons(message: dict[str, Any], label: str) -> list[dict[str, Any]]:
    rows = [block["elements"] for block in message["blocks"] if block["type"] == "actions"]
    return [each for row in rows for each in row if each["text"]["text"].startswith(label)]


async def press(
    socmon: Socmon, slack: SlackServer, button: dict[str, Any], user: str, *, what: str = "response_url"
) -> dict[str, Any]:
    before = len(slack.given(what))
    await send(socmon, click(slack, button["action_id"], button["value"], user=user))
    await until(lambda: len(slack.given(what)) > before)
    return slack.given(what)[-1]


async def test_from_discovery_to_a_reviewed_document(socmon: Socmon, slack: SlackServer) -> None:
    """Two tools, three machines: asked once, decided by buttons, reviewed; the document maps each line."""
    assert (await collect_inventory(socmon)).endswith("3 found, 0 over")
    assert await collect_inventory(socmon) == "every tool was asked within the hour"
    await ask_about_scope(socmon)
    await ask_about_scope(socmon)
    [prompt] = slack.parents("DU1LEAD")
    assert "3 new" in prompt["text"]
    assert shown(prompt).count("New, and not in scope") == 3

    adds = {one["accessibility_label"].split()[1]: one for one in buttons(prompt, "Add")}
    await press(socmon, slack, adds["web-1"], "U1SAM")
    await until(lambda: slack.given("chat.update"))
    assert "web-1" not in shown(slack.given("chat.update")[0])
    again = await press(socmon, slack, adds["web-1"], "U1SAM")
    assert "<@U1SAM> has decided about web-1" in shown(again)
    strange = next(one for one in buttons(prompt, "Not ours") if "build-9" in one["accessibility_label"])
    assert "can't say that" in shown(await press(socmon, slack, strange, "U1SAM"))
    await press(socmon, slack, strange, "U1LEAD")
    await _exclude_db(socmon, slack, prompt)

    assert "never been reviewed" in shown(await ask(socmon, slack, "scope"))
    answer = await ask(socmon, slack, "scope review", user="U1LEAD")
    sent = [each["raw"] for each in slack.given("upload")]
    rows = {row["name"]: row for row in csv.DictReader(io.StringIO(sent[0].decode()))}
    assert {name: row["status"] for name, row in rows.items()} == {
        "web-1": "in scope",
        "db-1": "excluded",
        "build-9": "not ours",
    }
    assert (rows["web-1"]["seen_by"], rows["web-1"]["owner"]) == ("cloudwatch datadog", "shop")
    assert (rows["db-1"]["requested_by"], rows["db-1"]["approved_by"]) == ("U1LEAD", "U2BACKUP")
    assert [row["name"] for row in json.loads(sent[1])] == list(rows)
    assert sent[2].startswith(b"%PDF-")
    [reviewed] = buttons(answer, "I have reviewed")
    assert "can't review" in shown(await press(socmon, slack, reviewed, "U1SAM"))
    assert "on record" in shown(await press(socmon, slack, reviewed, "U1LEAD"))
    now = await stands(socmon)
    assert now.scope
    assert now.scope.review
    assert (now.scope.review.id, now.scope.review.reviewed_by) == (2, "U1LEAD")
    assert socmon.artifacts.read(now.scope.review.document) == sent[0]
    assert [one.component.name for one in await socmon.records.read(review_scope.in_scope)] == ["web-1"]
    assert "in scope, medium" in shown(await ask(socmon, slack, "scope add db-1"))
    covered = await socmon.records.read(review_scope.in_scope)
    assert sorted(one.component.name for one in covered) == ["db-1", "web-1"], "the exclusion has ended"
    older = reviewed | {"value": f"1 {now.scope.review.document}"}
    assert "at revision 3 by now" in shown(await press(socmon, slack, older, "U1LEAD"))
    forged = reviewed | {"value": f"3 sha256:{'0' * 64}"}
    assert "is not kept" in shown(await press(socmon, slack, forged, "U1LEAD"))
    assert "*2*" in shown(await ask(socmon, slack, "scope history"))


async def _exclude_db(socmon: Socmon, slack: SlackServer, prompt: dict[str, Any]) -> None:
    """The lead asks to leave db-1 out, and may not approve it; the backup lead is asked, and does."""
    leave = next(one for one in buttons(prompt, "Exclude") if "db-1" in one["accessibility_label"])
    form = (await press(socmon, slack, leave, "U1LEAD", what="views.open"))["view"]
    day = (SystemClock().now() + timedelta(days=30)).date().isoformat()
    assert "Choose a day" in (await send(socmon, filled(form, "replaced next month", ""))).text
    assert "at most" in (await send(socmon, filled(form, "replaced next month", "2090-01-01"))).text
    assert "at least 10" in (await send(socmon, filled(form, "no", day))).text
    asked = (await send(socmon, filled(form, "replaced next month", day))).json()
    assert "waits for an Engineering Lead other than you" in shown(asked["view"])
    assert (
        "waits for its approval already" in (await send(socmon, filled(form, "and again, please", day))).text
    )
    assert "db-1" not in {one.component.name for one in (await stands(socmon)).waiting}
    assert await socmon.records.read(change_scope.waiting_new, up_to=99) == [], "it waits for an approval"
    await ask_about_scope(socmon)
    [request] = slack.parents("DU2BACKUP")
    assert "replaced next month" in shown(request)
    [approve] = buttons(request, "Approve")
    assert "nobody approves their own" in shown(await press(socmon, slack, approve, "U1LEAD"))
    assert "can't approve" in shown(await press(socmon, slack, approve, "U1SAM"))
    assert "Approved by <@U2BACKUP>" in shown(await press(socmon, slack, approve, "U2BACKUP"))
    await until(lambda: "Approved by <@U2BACKUP>" in shown(slack.parents("DU1LEAD")[-1]))
    assert "approved this already" in shown(await press(socmon, slack, approve, "U2BACKUP"))


async def test_an_answer_with_a_page_lost_takes_nothing_away(
    socmon: Socmon, slack: SlackServer, cloud: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its trouble is shown with the age of the last whole one; what is then called otherwise is found."""
    await collect_inventory(socmon)
    await ask(socmon, slack, "scope add db-1")
    every, cloud.items = cloud.items, ()
    cloud.complete, cloud.reason = False, "Page 2 was lost."
    socmon.fleets = {**socmon.fleets, "newrelic": Broken()}
    assert "newrelic: not complete (socmon could not read" in await look(socmon, monkeypatch)
    assert {one.kind for one in (await stands(socmon)).waiting} == {"new"}
    told = shown(await ask(socmon, slack, "scope"))
    assert "told everything" in told
    assert "Page 2 was lost." in told
    assert "inventory:cloudwatch" in {
        subject for subject, _, _ in await socmon.records.read(lambda records: records.problems())
    }
    cloud.complete, cloud.reason = True, ""
    cloud.items = (every[0], host("db-one", "instance:i-2"))
    await look(socmon, monkeypatch)
    [take] = buttons(await ask(socmon, slack, "scope"), "Take the new name")
    assert "called so in scope" in shown(await press(socmon, slack, take, "U1SAM"))
    cloud.items = (every[0], host("db-two", "instance:i-2"))
    await look(socmon, monkeypatch)
    [keep] = buttons(await ask(socmon, slack, "scope"), "Keep the old name")
    assert "keeps its name" in shown(await press(socmon, slack, keep, "U1SAM"))
    await look(socmon, monkeypatch)
    assert not buttons(await ask(socmon, slack, "scope"), "Take the new name")
    told = shown(await ask(socmon, slack, "scope diff"))
    assert "it has never been reviewed" in told
    assert "db-one (host, " in told


def filled(form: dict[str, Any], reason: str, day: str) -> dict[str, Any]:
    sent = submission(do.EXCLUDE_FORM, {"reason": reason, "until": ""}, user="U1LEAD")
    sent["view"]["private_metadata"] = form["private_metadata"]
    sent["view"]["state"]["values"]["until"]["until"] = {"selected_date": day or None}
    return sent


async def test_what_vanishes_is_asked_about_once(
    socmon: Socmon, slack: SlackServer, cloud: Told, agents: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When every tool that saw it says so; when it is back, nothing is asked any more."""
    await collect_inventory(socmon)
    await ask_about_scope(socmon)
    [prompt] = slack.parents("DU1LEAD")
    [every] = buttons(prompt, "Add all 3")
    assert "3 components are in scope" in shown(await press(socmon, slack, every, "U1SAM"))
    assert "Nothing new waits" in shown(await press(socmon, slack, every, "U1SAM"))
    web, db = cloud.items
    cloud.items = (db,)
    await look(socmon, monkeypatch)
    assert (await stands(socmon)).waiting == [], "Datadog still sees it"
    agents.items = agents.items[1:]
    await look(socmon, monkeypatch)
    await look(socmon, monkeypatch)
    [gone] = (await stands(socmon)).waiting
    assert (gone.kind, gone.component.name) == ("vanished", "web-1")
    cloud.items = (web, db)
    await look(socmon, monkeypatch)
    assert (await stands(socmon)).waiting == []
    cloud.items = (db,)
    await look(socmon, monkeypatch)
    told = await ask(socmon, slack, "scope")
    [remove] = buttons(told, "Remove from scope")
    assert "out of scope" in shown(await press(socmon, slack, remove, "U1LEAD"))
    assert len((await stands(socmon)).entries) == 2
    cloud.items = (web, db)
    await look(socmon, monkeypatch)
    [back] = (await stands(socmon)).waiting
    assert (back.kind, back.component.name) == ("new", "web-1"), "it is in no scope any more"


async def test_the_words_of_the_command(socmon: Socmon, slack: SlackServer) -> None:
    await collect_inventory(socmon)
    added = shown(await ask(socmon, slack, "scope add web-1 owner=shop criticality=high"))
    assert "web-1 is in scope, high, owner shop" in added
    assert "just so" in shown(await ask(socmon, slack, "scope add i-1 criticality=HIGH"))
    assert "and not “huge”" in shown(await ask(socmon, slack, "scope add web-1 criticality=huge"))
    assert "Did you mean “web-1”" in shown(await ask(socmon, slack, "scope add web-7"))
    assert "Name the component" in shown(await ask(socmon, slack, "scope add"))
    assert "at least 10" in shown(await ask(socmon, slack, "scope remove web-1 no", user="U1LEAD"))
    assert "out of scope" in shown(
        await ask(socmon, slack, "scope remove web-1 replaced by web-2", user="U1LEAD")
    )
    assert "is not in scope" in shown(
        await ask(socmon, slack, "scope remove web-1 replaced by web-2", user="U1LEAD")
    )
    assert "`/socmon scope` knows add, diff" in shown(await ask(socmon, slack, "scope fly"))
    assert "none of the roles" in shown(await ask(socmon, slack, "scope", user="U1OUT"))
    assert "Name a revision by its number" in shown(await ask(socmon, slack, "scope diff last"))
    assert "has no revision 99" in shown(await ask(socmon, slack, "scope diff 99999999999999999999999"))
    offered = await ask(socmon, slack, "scope exclude db-1")
    [exclude] = buttons(offered, "Exclude")
    assert (await press(socmon, slack, exclude, "U1SAM", what="views.open"))["view"][
        "callback_id"
    ] == do.EXCLUDE_FORM


async def test_values_of_another_version_change_nothing(socmon: Socmon, slack: SlackServer) -> None:
    await collect_inventory(socmon)
    every: list[tuple[str, str]] = [
        *((action, "x") for action in (do.SCOPE_ADD, do.SCOPE_ADD_ALL, do.SCOPE_NOT_OURS, do.SCOPE_REMOVE)),
        (do.SCOPE_EXCLUDE, "{}"),
        (do.SCOPE_APPROVE, "-1"),
        (do.SCOPE_REVIEWED, "x"),
    ]
    for action, value in every:
        said = await press(socmon, slack, {"action_id": action, "value": value}, "U1LEAD")
        assert "another version" in shown(said)
    for action, value, why in (
        (do.SCOPE_ADD, "99", "number 99"),
        (do.SCOPE_APPROVE, "99", "request 99"),
        (do.SCOPE_REVIEWED, "1 sha256:x", "no digest"),
        (do.SCOPE_NAME, "1", "Nothing is to be decided"),
    ):
        assert why in shown(await press(socmon, slack, {"action_id": action, "value": value}, "U1LEAD"))
