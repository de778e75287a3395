"""Coverage in Slack, over HTTP: the answer, the picture, and from a gap to its mending."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.adapters.slack import interactions as do
from bot.adapters.slack.blocks import MOST_LETTERS
from bot.adapters.slack.coverage_message import GAPS_A_PAGE, gaps_message
from bot.adapters.system import SystemClock
from bot.app import Socmon
from bot.domain.component import MEASURES, Kind
from bot.domain.coverage import Interval, Run, State
from bot.domain.follow_up import FollowUp
from bot.domain.oncall import Roster
from bot.domain.scope import Change, Difference
from bot.domain.shortfall import Question, Shortfall, Why
from bot.procedures.assess_coverage import CoverageAnswer
from bot.procedures.check_on_call import take_roster
from handlers.slack import coverage
from jobs.collect_coverage import collect_coverage
from jobs.remind_owners import remind_owners
from tests.fleets import MONITORS, STANDARD, TTL, in_scope
from tests.handlers.conftest import SIGNING_SECRET, Build
from tests.handlers.test_slack_commands import ask
from tests.handlers.test_slack_scope import buttons, press, shown
from tests.jobs.test_collect_coverage import Tool
from tests.rosters import NOW, person, shift, team
from tests.slack_requests import click, send, submission, until
from tests.slack_server import Fault, SlackServer

TABLES = """\
[providers.generic]

[[on_call.teams]]
name = "platform"
[[on_call.teams.levels]]
people = ["U1SAM"]
rotation = "none"

[notifications.services]
"Ops" = "platform"
"""
ROSTER = Roster(teams=(team(shift("PSAM")),), responders=(person(),))


@pytest.fixture
def tool() -> Tool:
    return Tool()


@pytest.fixture
async def socmon(build: Build, slack: SlackServer, tool: Tool) -> Socmon:
    slack.users["U1KIM"] = {"profile": {}}
    environ = {
        "SLACK_BOT_TOKEN": "xoxb-1",
        "SLACK_SIGNING_SECRET": SIGNING_SECRET,
        "SLACK_API_URL": slack.url,
    }
    built = build(clock=SystemClock(), tables=TABLES, **environ)
    built.fleets = {"datadog": tool}
    built.standard = STANDARD
    await built.records.write(take_roster, ROSTER, complete=True)
    await built.records.write(
        lambda records: records.add_revision(Change.IMPORTED, Difference(added=(in_scope(),)), by="U1LEAD")
    )
    return built


def told(slack: SlackServer) -> str:
    return json.dumps(slack.given("response_url"), ensure_ascii=False)


async def test_from_a_gap_to_its_mending(socmon: Socmon, slack: SlackServer, tool: Tool) -> None:
    """Open coverage, give the gap to somebody, mend it, recheck: green closes the task, and says so."""
    tool.monitors = MONITORS[1:]
    await collect_coverage(socmon)

    await ask(socmon, slack, "coverage")
    answer = slack.given("response_url")[0]
    assert "4 of 5 covered" in shown(answer)
    assert "Datadog metrics told in full" in shown(answer)
    await until(lambda: "slack_file" in told(slack))
    assert slack.given("upload")[0]["raw"].startswith(b"\x89PNG")
    assert "channel_id" not in slack.given("files.completeUploadExternal")[0], "nobody else sees it"
    gaps = await ask(socmon, slack, "coverage gaps")
    assert "Gaps 1 to 1 of 1" in shown(gaps)
    [open_task], [recheck] = buttons(gaps, "Open task"), buttons(gaps, "Recheck")
    assert buttons(gaps, "Exclude")[0]["action_id"] == do.SCOPE_EXCLUDE

    await press(socmon, slack, open_task, "U1SAM", what="views.open")
    form = slack.given("views.open")[-1]["view"]
    assert "No monitor watches its cpu" in json.dumps(form)
    sent = _filled(form, owner="U1KIM")
    assert "owner" in (await send(socmon, sent)).json()["errors"], "Kim has no role"
    assert "F-1 is on record" in (await send(socmon, _filled(form, owner="U1LEAD"))).text
    assert await remind_owners(socmon) == "1 of 1 told"
    assert await remind_owners(socmon) == "0 of 0 told"
    [direct] = slack.parents("DU1LEAD")
    assert "1 gap to mend is yours" in direct["text"]
    assert "F-1 for <@U1LEAD>" in shown(await ask(socmon, slack, "coverage web-1"))

    tool.monitors = MONITORS
    await press(socmon, slack, recheck, "U1LEAD")
    await until(lambda: "is covered" in told(slack))
    assert "F-1 of <@U1LEAD> is closed: it was found mended" in told(slack)
    await send(socmon, click(slack, recheck["action_id"], recheck["value"]))
    await until(lambda: "a minute at most" in told(slack))
    await send(socmon, click(slack, open_task["action_id"], open_task["value"]))
    await until(lambda: "is no gap on record now" in told(slack))
    assert "No gap: everything in scope is covered" in shown(await ask(socmon, slack, "coverage gaps"))


def _filled(form: dict[str, Any], *, owner: str) -> dict[str, Any]:
    sent = submission(do.TASK_FORM, {"owner": "", "due": "", "note": ""})
    day = f"{datetime.now(UTC) + timedelta(days=3):%Y-%m-%d}"
    sent["view"]["private_metadata"] = form["private_metadata"]
    sent["view"]["state"]["values"] = {
        "owner": {"owner": {"selected_user": owner}},
        "due": {"due": {"selected_date": day}},
        "note": {"note": {"value": "Add a CPU monitor <!channel>"}},
    }
    return sent


async def test_what_is_old_is_asked_for_behind_the_answer(
    socmon: Socmon, slack: SlackServer, tool: Tool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first answer is of the records; a second one says what has changed."""
    tool.monitors = MONITORS[1:]
    await collect_coverage(socmon)
    tool.monitors = MONITORS
    monkeypatch.setattr(coverage, "FRESH", timedelta(0))

    await ask(socmon, slack, "coverage gaps")
    await until(lambda: "asked again" in told(slack))

    assert "Gaps 1 to 1 of 1" in shown(slack.given("response_url")[0])
    assert "5 cells covered, 0 gaps opened, 1 closed" in told(slack)


async def test_the_picture_is_shown_to_a_channel(socmon: Socmon, slack: SlackServer) -> None:
    """Where it was typed, which goes on record; where socmon may not post, the person is told what to do."""
    await collect_coverage(socmon)
    allowing = slack.refuses
    slack.refuses = lambda method, _: "not_in_channel" if method == "files.completeUploadExternal" else ""
    await ask(socmon, slack, "coverage share")
    await until(lambda: "Invite socmon to the channel" in told(slack))
    slack.refuses = allowing
    before = (await socmon.records.read(lambda records: records.tree()))[1].size

    await ask(socmon, slack, "coverage share")
    await until(lambda: len(slack.given("files.completeUploadExternal")) == 2)

    upload = slack.given("files.completeUploadExternal")[-1]
    assert upload["channel_id"] == "C0GENERAL"
    assert "5 of 5 covered" in upload["initial_comment"]
    assert "shared by <@U1SAM>" in upload["initial_comment"]
    announced = slack.given("files.getUploadURLExternal")[-1]
    assert announced["alt_txt"].startswith("Heat map of coverage: 5 of 5 covered")
    await until(lambda: socmon.records.read_now(lambda records: records.tree()[1].size) == before + 1)
    assert "can't share the coverage" in shown(await ask(socmon, slack, "coverage share", user="U1OUT"))


async def test_where_slack_shows_no_picture_it_goes_as_a_direct_message(
    socmon: Socmon, slack: SlackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await collect_coverage(socmon)
    monkeypatch.setattr(coverage, "TRIES", 1)
    slack.fail("response_url", Fault(status=200), Fault(status=404, error="invalid_blocks"))

    await ask(socmon, slack, "coverage")

    await until(lambda: len(slack.given("files.completeUploadExternal")) == 2)
    assert slack.given("files.completeUploadExternal")[-1]["channel_id"] == "DU1SAM"


def test_the_longest_page_of_gaps_fits_into_a_message() -> None:
    """However long names, reasons and keys are."""
    hostile = "<!channel> *x* `y` " * 40
    short = Shortfall(question=Question.REPORTS, why=Why.NO_ANSWER, says=hostile, mend=hostile)
    places = [(f"arn:{'x' * 400}{at}", MEASURES[Kind.HOST][at % 5]) for at in range(GAPS_A_PAGE)]
    gaps = [
        Interval(key=key, measure=measure, state=State.GAP, since=NOW, shortfalls=(short,) * 4)
        for key, measure in places
    ]
    late = FollowUp(
        id=1,
        subject="",
        owner="U1SAM",
        due_at=NOW - timedelta(days=1),
        note=hostile,
        opened_by="U1",
        opened_at=NOW,
    )
    tally = {(Kind.HOST, MEASURES[Kind.HOST][0]): {State.GAP: 99}}
    answer = CoverageAnswer(
        run=Run(at=NOW, scope=1, standard="", components=9, excluded=0, tally=tally, digest=""),
        ages=(),
        gaps=tuple(gaps),
        now=NOW,
        time_to_live=TTL,
        entries={key: replace(in_scope(hostile), owner=hostile) for key, _ in places},
        tasks=dict.fromkeys(places, late),
        overdue=1,
        start=8,
    )

    message = gaps_message(answer, titles={})

    assert len(message.blocks) <= 50
    assert sum(len(block["text"]["text"]) for block in message.blocks if "text" in block) < MOST_LETTERS
    assert all(len(each["value"]) <= 2000 for each in buttons({"blocks": message.blocks}, ""))
    assert "<!channel>" not in json.dumps(message.blocks)
