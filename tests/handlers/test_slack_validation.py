"""The lead's week over HTTP: the message, its sections, the attestation with its exceptions; and who is refused."""

import json
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from bot.adapters.slack import interactions as do
from bot.adapters.system import SystemClock
from bot.app import Socmon
from bot.domain.attestation import Overlap
from bot.domain.slot import Rhythm, WeekTime, preceding, week_of
from bot.domain.validation import Ended
from bot.procedures import review_standard, validate_monitoring
from jobs.tell_of_validations import tell_of_validations
from tests.handlers.conftest import SIGNING_SECRET, Build
from tests.handlers.test_slack_commands import ask
from tests.handlers.test_slack_scope import buttons, press, shown
from tests.slack_requests import click_in, event, send, until
from tests.slack_server import CUT, SlackServer, says

MONDAY = datetime.combine(SystemClock().now().date(), time(), UTC)
MONDAY -= timedelta(days=MONDAY.weekday())
WEEK = preceding(week_of(MONDAY.date()))
RHYTHM = Rhythm(
    opens=WeekTime(0, time(0)), due=WeekTime(6, time(23, 59)), at=MONDAY - timedelta(microseconds=1)
)
SOON = f"{SystemClock().now() + timedelta(days=20):%Y-%m-%d}"


async def start(build: Build, slack: SlackServer, policy: str = "warn") -> Socmon:
    """One week is open, and told of."""
    slack.users |= {user: {"profile": {}} for user in ("U2BACKUP", "U1ADMIN", "U1KIM")}
    token = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_SIGNING_SECRET": SIGNING_SECRET, "SLACK_API_URL": slack.url}
    tables = f'backup_lead = ["U2BACKUP"]\n[providers.generic]\n[policy]\nseparation_of_duties = "{policy}"\n'
    built = build(clock=SystemClock(), tables=tables, **token)
    await built.records.write(review_standard.take_standard, built.standard)
    await built.records.write(lambda records: records.add_rhythm(RHYTHM))
    return built


@pytest.fixture
async def socmon(build: Build, slack: SlackServer) -> Socmon:
    built = await start(build, slack)
    await tell_of_validations(built)
    return built


def card(slack: SlackServer, channel: str = "DU1LEAD") -> dict[str, Any]:
    return [each for each in slack.parents(channel) if "validation" in str(each.get("metadata"))][-1]


def view_button(message: dict[str, Any], name: str) -> dict[str, Any]:
    rows: list[dict[str, Any]] = [block.get("accessory") or {} for block in message["blocks"]]
    return next(each for each in rows if name in each.get("accessibility_label", ""))


async def open_form(
    socmon: Socmon, slack: SlackServer, button: dict[str, Any], user: str = "U1LEAD"
) -> dict[str, Any]:
    """The form, or the one that replaces “One moment…” on a busy machine."""
    before = len(slack.given("views.update"))
    view: dict[str, Any] = (await press(socmon, slack, button, user, what="views.open"))["view"]
    if "One moment" in json.dumps(view):
        await until(lambda: len(slack.given("views.update")) > before)
        view = slack.given("views.update")[-1]["view"]
    return view


def unticked(view: dict[str, Any]) -> dict[str, Any]:
    del view["state"]["values"]["reviewed"]
    return view


def filled(form: dict[str, Any], **decisions: tuple[str, str]) -> dict[str, Any]:
    """The form as somebody sends it: Fix or Accept of each finding with a reason, by the first word of its id."""
    values: dict[str, Any] = {}
    for block in form["blocks"]:
        name = block.get("block_id", "")
        if name.startswith("choice ") and name != "choice rest":
            decided, reason = decisions.get(name.removeprefix("choice ").partition(":")[0], FIX)
            radio, picker, people = block["elements"]
            values[name] = {
                radio["action_id"]: {"selected_option": {"value": decided} if decided else None},
                picker["action_id"]: {"selected_date": SOON},
                people["action_id"]: {"selected_user": people["initial_user"]},
            }
            values[f"reason {name.removeprefix('choice ')}"] = {"reason": {"value": reason}}
    values["reviewed"] = {"reviewed": {"selected_options": [{"value": "yes"}]}}
    return {**form, "id": "V1", "hash": "h", "state": {"values": values}}


async def submit(socmon: Socmon, view: dict[str, Any], user: str = "U1LEAD") -> dict[str, Any]:
    payload = click_in("modal", "none", "", user) | {"type": "view_submission", "view": view}
    answer = await send(socmon, payload)
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json() if answer.content else {}
    return found


FIX, ACCEPT = ("fix", ""), ("accept", "The importer comes with the next sprint")


async def test_a_lead_attests_with_one_exception_and_every_message_shows_it(
    socmon: Socmon, slack: SlackServer
) -> None:
    """The message, a section in full, what the form refuses, the attestation, and both copies in place."""
    told, copy = card(slack), card(slack, "C0ALERTS")
    assert f"The validation of {WEEK} is open" in shown(told)
    assert shown(told).count('"View"') >= 7
    view = await open_form(socmon, slack, view_button(told, "Contacts"), "U1SAM")
    assert "was not told who is on call" in json.dumps(view)

    form = await open_form(socmon, slack, buttons(told, "Attest")[0])
    some = {"scope": ACCEPT, "contacts": FIX}
    refused = await submit(socmon, unticked(filled(form, **some)))
    assert list(refused["errors"]) == ["reviewed"]
    both = await submit(socmon, filled(form, scope=("", ""), contacts=("", "")))
    assert list(both["errors"]) == ["reason scope:none", "reason contacts:unknown"]
    thin = await submit(socmon, filled(form, scope=("accept", "so"), contacts=FIX))
    assert "at least 10" in thin["errors"]["reason scope:none"]
    done = await submit(socmon, filled(form, **some))
    assert "exceptions (1 accepted, " in json.dumps(done["view"])

    await until(lambda: all("Attested" in shown(card(slack, where)) for where in ("DU1LEAD", "C0ALERTS")))
    assert card(slack)["ts"] == told["ts"]
    assert card(slack, "C0ALERTS")["ts"] == copy["ts"]
    assert not buttons(card(slack), "Attest")
    assert "*to be fixed* by <@U1LEAD>" in shown(card(slack))
    again = await submit(socmon, filled(form, **some))
    assert f"attested {WEEK}" in json.dumps(again["view"])
    assert "exceptions (1 accepted, " in shown(await ask(socmon, slack, "validate"))
    open_tasks = await socmon.records.read(lambda records: records.open_follow_ups())
    assert {each.owner for each in open_tasks} == {"U1LEAD"}


async def test_who_may_not_is_told_who_may(socmon: Socmon, slack: SlackServer) -> None:
    """Attest, look again, remind, co-sign, explain, delegate: of the lead; a section: of all who have a role."""
    told = card(slack, "C0ALERTS")
    for label in ("Attest", "Look again", "Remind me"):
        [button] = buttons(told, label)
        refused = shown(await press(socmon, slack, button, "U1SAM"))
        assert "You can't attest a week" in refused
        assert "<@U1LEAD>" in refused
    assert "You can't" in shown(await press(socmon, slack, buttons(told, "Report")[0], "U1OUT"))
    assert "You can't" in shown(await press(socmon, slack, view_button(told, "Scope"), "U1OUT"))
    for action in (do.WEEK_COSIGN, do.WEEK_EXPLAIN, do.DELEGATE):
        forged = {"action_id": action, "value": do.WeekOf(WEEK).value}
        assert "You can't" in shown(await press(socmon, slack, forged, "U1SAM"))
    assert "You can't end" in shown(
        await press(socmon, slack, {"action_id": do.DELEGATE_END, "value": "1"}, "U1SAM")
    )
    assert "another version" in shown(
        await press(socmon, slack, {"action_id": do.WEEK_ATTEST, "value": "x"}, "U1LEAD")
    )
    form = await open_form(socmon, slack, buttons(told, "Attest")[0])
    sent = await submit(socmon, filled(form, scope=ACCEPT, contacts=FIX), "U1SAM")
    assert "You can't attest a week" in json.dumps(sent["view"])
    assert "U1OUT" not in json.dumps(slack.messages)


async def test_older_facts_are_not_attested(socmon: Socmon, slack: SlackServer) -> None:
    """A form that was open while somebody looked again is refused; the messages show the newer facts."""
    told = card(slack)
    form = await open_form(socmon, slack, buttons(told, "Attest")[0])
    assert "findings now" in shown(await press(socmon, slack, buttons(told, "Look again")[0], "U1LEAD"))
    await until(lambda: "looked at 2 times" in shown(card(slack, "C0ALERTS")))
    refused = await submit(socmon, filled(form, scope=ACCEPT, contacts=FIX))
    assert "not the newest facts" in json.dumps(refused["view"])
    newer = await open_form(socmon, slack, buttons(told, "Attest")[0])
    assert "Attested" in json.dumps(await submit(socmon, filled(newer, scope=FIX, contacts=FIX)))


async def test_a_gap_is_reported_and_a_reminder_asked_for(socmon: Socmon, slack: SlackServer) -> None:
    told = card(slack)
    assert f"reminded of {WEEK}" in shown(await press(socmon, slack, buttons(told, "Remind")[0], "U1LEAD"))
    form = await open_form(socmon, slack, buttons(told, "Report")[0], "U1SAM")
    values = {
        "note": {"note": {"value": "Nobody watches the queue of the mailer"}},
        "owner": {"owner": {"selected_user": "U1SAM"}},
        "due": {"due": {"selected_date": SOON}},
    }
    view = {**form, "id": "V1", "hash": "h", "state": {"values": values}}
    assert "is on record" in json.dumps(await submit(socmon, view, "U1SAM"))


async def test_a_delegate_attests_until_the_lead_ends_it(socmon: Socmon, slack: SlackServer) -> None:
    """Named by a command or in a form; a delegate needs no role, and is told as the lead is."""
    assert "names no delegate" in shown(await ask(socmon, slack, "validate delegate kim", user="U1LEAD"))
    typed = f"validate delegate <@U1KIM|kim> until {SOON}"
    assert "You can't name a delegate" in shown(await ask(socmon, slack, typed))
    assert "yet to come" in shown(await ask(socmon, slack, typed[:-10] + "2026-01-01", user="U1LEAD"))
    assert "<@U1KIM> may attest" in shown(await ask(socmon, slack, typed, user="U1LEAD"))
    await tell_of_validations(socmon)
    told = card(slack, "DU1KIM")
    assert "scope:none" in json.dumps(await open_form(socmon, slack, view_button(told, "Scope"), "U1KIM"))
    form = await open_form(socmon, slack, buttons(told, "Attest")[0], "U1KIM")

    listed = await ask(socmon, slack, "validate delegate", user="U1LEAD")
    [end] = [block["accessory"] for block in listed["blocks"] if "accessory" in block]
    assert "may not attest" in shown(await press(socmon, slack, end, "U1LEAD"))
    sent = await submit(socmon, filled(form, scope=ACCEPT, contacts=FIX), "U1KIM")
    assert "can't attest" in json.dumps(sent["view"])

    named = await open_form(socmon, slack, buttons(listed, "Name")[0])
    values = {"user": {"user": {"selected_user": "U1KIM"}}, "until": {"until": {"selected_date": SOON}}}
    view = {**named, "id": "V1", "hash": "h", "state": {"values": values}}
    assert "<@U1KIM> may attest" in json.dumps(await submit(socmon, view))
    fixed = filled(form, scope=ACCEPT, contacts=ACCEPT, dashboards=ACCEPT, test=ACCEPT)
    assert "delegate of <@U1LEAD>" in json.dumps(await submit(socmon, fixed, "U1KIM"))


async def test_overlapping_duties_are_co_signed(socmon: Socmon, slack: SlackServer) -> None:
    """The lead has reviewed the standard in that time: it stands, is said, and the backup lead is asked."""
    lead = await socmon.directory.person("U1LEAD", "T1")
    await socmon.records.write(review_standard.review, socmon.standard.digest, by=lead)
    form = await open_form(socmon, slack, buttons(card(slack), "Attest")[0])
    done = await submit(socmon, filled(form, scope=ACCEPT, contacts=FIX))
    assert "Duties overlap" in json.dumps(done)
    await tell_of_validations(socmon)
    asked = card(slack, "DU2BACKUP")
    assert "needs your signature" in asked["text"]
    assert "Another lead" in shown(asked)
    [button] = buttons(asked, "Co-sign")
    assert "another lead has to co-sign" in shown(await press(socmon, slack, button, "U1LEAD"))
    assert "You have co-signed" in shown(await press(socmon, slack, button, "U2BACKUP"))
    places = ("C0ALERTS", "DU1LEAD", "DU2BACKUP")
    await until(lambda: all("Co-signed by <@U2BACKUP>" in shown(card(slack, each)) for each in places))
    assert not buttons(card(slack, "DU2BACKUP"), "Co-sign")


async def test_overlapping_duties_are_refused_where_the_policy_says_so(
    build: Build, slack: SlackServer
) -> None:
    socmon = await start(build, slack, "enforce")
    await tell_of_validations(socmon)
    lead = await socmon.directory.person("U1LEAD", "T1")
    await socmon.records.write(review_standard.review, socmon.standard.digest, by=lead)
    form = await open_form(socmon, slack, buttons(card(slack), "Attest")[0])
    refused = json.dumps(await submit(socmon, filled(form, scope=ACCEPT, contacts=FIX)))
    assert f"you {Overlap.STANDARD}" in refused
    assert "Attest" in str(buttons(card(slack), "Attest"))


async def test_a_missed_week_is_explained(socmon: Socmon, slack: SlackServer) -> None:
    """The lead is asked, in a form or by the command; Home and the message show it until then."""
    missed = await socmon.records.read(lambda records: records.validation(WEEK))
    assert missed is not None
    now = SystemClock().now()
    over = replace(missed, slot=replace(missed.slot, closes_at=now), missed_at=now, ended=Ended.NOBODY)
    await socmon.records.write(lambda records: records.save_validation(over))
    await tell_of_validations(socmon)
    await send(socmon, event("app_home_opened", user="U1LEAD", tab="home", channel="D1"))
    await until(lambda: slack.given("views.publish"))
    assert f"The validation of {WEEK} was missed" in json.dumps(slack.given("views.publish")[-1])

    form = await open_form(socmon, slack, buttons(card(slack), "Say why")[0])
    values = {"reason": {"reason": {"value": "thin"}}}
    view = {**form, "id": "V1", "hash": "h", "state": {"values": values}}
    assert "at least 10" in (await submit(socmon, view))["errors"]["reason"]
    values["reason"]["reason"]["value"] = "Everybody was at the offsite"
    assert "is on record" in json.dumps(await submit(socmon, view))
    await until(lambda: "Everybody was at the offsite" in shown(card(slack, "C0ALERTS")))
    typed = f"validate explain {WEEK} everybody was away"
    assert "has said why already" in shown(await ask(socmon, slack, typed, user="U1LEAD"))


async def test_the_messages_stand_once_whatever_slack_does(
    build: Build, slack: SlackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Down: tried again. A lost answer: looked for. An update that fails: the job makes up for it."""
    monkeypatch.setattr(validate_monitoring, "TRY_AGAIN", timedelta(0))
    socmon = await start(build, slack)
    slack.always["chat.postMessage"] = says("internal_error")
    assert "0 of 2 told" in await tell_of_validations(socmon)
    slack.always.clear()
    slack.fail("chat.postMessage", replace(CUT, does_it=True))
    assert "1 of 2 told" in await tell_of_validations(socmon)
    assert "1 of 1 told" in await tell_of_validations(socmon)
    assert "0 of 0 told" in await tell_of_validations(socmon)
    assert len(slack.parents("C0ALERTS")) == len(slack.parents("DU1LEAD")) == 1

    slack.always["chat.update"] = says("internal_error")
    form = await open_form(socmon, slack, buttons(card(slack), "Attest")[0])
    await submit(socmon, filled(form, scope=ACCEPT, contacts=FIX))
    assert "0 messages brought up to date" in await tell_of_validations(socmon)
    slack.always.clear()
    assert "2 messages brought up to date" in await tell_of_validations(socmon)
    assert "Attested" in shown(card(slack, "C0ALERTS"))
