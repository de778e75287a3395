"""Slack, the records and PagerDuty tell the same story: acts go out in a person's name, come in, and echo once.

After each story the log verifies: what came of a tool is no tampering.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from pagerduty import RestApiV2Client
from sqlalchemy import insert

from bot.adapters.database.evidence import LogReader
from bot.adapters.database.tables import account_link
from bot.adapters.evidence.verify import verify_log
from bot.app import Socmon
from bot.domain.alert import Alert, Response, Source
from bot.domain.tool import VendorWrite, WriteState
from bot.playground.pagerduty import KEY
from bot.procedures import respond_to_alert as respond
from bot.procedures.report_status import report_status
from bot.procedures.show_alert import take_tasks
from bot.providers import all_providers
from bot.providers.pagerduty.samples import SECRET
from bot.providers.pagerduty.samples import signed as signed_event
from bot.settings import load_settings
from jobs.reconcile import reconcile
from jobs.send_vendor_writes import send_vendor_writes
from tests.fake_pagerduty import WatchedPagerDuty, fake_pagerduty
from tests.reports import KIM, NOTE, SAM
from tests.slack_server import slack_server
from tests.world import MovableClock

CONFIG = """\
[slack]
alerts_channel = "C0ALERTS"
[roles]
responders = ["*"]
[providers.pagerduty]
from = "socmon@example.com"
"""
INCIDENT = "PINC1"


@dataclass
class Step:
    """A socmon and its PagerDuty; short words for what a story needs."""

    socmon: Socmon
    pagerduty: WatchedPagerDuty
    clock: MovableClock
    heard: int = 0

    async def hears(self) -> list[str]:
        """PagerDuty's webhooks arrive, each signed; returns what became of each."""
        told = []
        transport = httpx.ASGITransport(app=self.socmon.asgi())
        async with httpx.AsyncClient(transport=transport, base_url="http://socmon") as door:
            for event in self.pagerduty.events[self.heard :]:
                sample = signed_event(event)
                answer = await door.post("/webhooks/pagerduty", content=sample.body, headers=sample.headers)
                assert answer.status_code == 202, answer.text
                told.append(answer.json()["alerts"][0]["outcome"])
        self.heard = len(self.pagerduty.events)
        return told

    async def begins(self, incident: str = INCIDENT) -> None:
        self.pagerduty.trigger("CPU high", incident=incident)
        assert await self.hears() == ["new"]

    async def does(self, act: Any, by: Any = SAM, alert_id: int = 1, **given: Any) -> Alert:
        alert: Alert = await self.socmon.records.write(act, alert_id, by=by, **given)
        return alert

    async def tells(self) -> str:
        return await send_vendor_writes(self.socmon)

    async def alert(self, alert_id: int = 1) -> Alert:
        return await self.socmon.records.read(lambda records: records.alert(alert_id))

    async def writes(self, alert_id: int = 1) -> list[VendorWrite]:
        return await self.socmon.records.read(lambda records: records.vendor_writes(alert_id))

    async def kinds(self, alert_id: int = 1) -> list[str]:
        moments = await self.socmon.records.read(lambda records: records.timeline(alert_id))
        return [moment.kind for moment in moments]

    def there(self, incident: str = INCIDENT) -> str:
        status: str = self.pagerduty.incidents[incident]["status"]
        return status

    async def small_print(self) -> str:
        """The context line of the parent as it would be drawn now."""
        self.clock.move(60)  # past the lease of an earlier look
        tasks = await self.socmon.records.write(
            take_tasks, lease="a look", busy_channels=[], updates_allowed=True, except_alerts=[]
        )
        message = self.socmon.projector._parent(tasks[0], tasks[0].thread)  # noqa: SLF001 - what Slack would be sent
        return " ".join(part["text"] for part in message.blocks[1]["elements"])


@pytest.fixture
async def step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Step]:
    clock = MovableClock()
    monkeypatch.setattr(RestApiV2Client, "sleep_timer", 0.001)
    with fake_pagerduty(clock.now, tmp_path, monkeypatch) as pagerduty:
        pagerduty.hire("PSAM", "Sam Rivera", "sam@example.com")
        pagerduty.hire("PKIM", "Kim Lindqvist", "kim@example.com")
        pagerduty.hire("PBOT", "socmon", "socmon@example.com")
        pagerduty.put_on_call("PSAM", 1)
        pagerduty.put_on_call("PKIM", 2)
        async with slack_server() as slack:
            slack.users = {
                user: {"profile": {"display_name": name, "email": f"{name.lower()}@example.com"}}
                for user, name in (("U1SAM", "Sam"), ("U1KIM", "Kim"), ("U1NEW", "Noor"))
            }
            (tmp_path / "socmon.toml").write_text(CONFIG)
            environ = {
                "SOCMON_CONFIG": str(tmp_path / "socmon.toml"),
                "SOCMON_DATA_DIR": str(tmp_path / "data"),
                "SLACK_BOT_TOKEN": "xoxb-1",
                "SLACK_SIGNING_SECRET": "a-signing-secret-for-tests",
                "SLACK_API_URL": slack.url,
                "SOCMON_WEBHOOK_SECRET_PAGERDUTY": SECRET,
                "PAGERDUTY_API_KEY": KEY,
                "SOCMON_PAGERDUTY_URL": pagerduty.url,
            }
            socmon = Socmon(settings=load_settings(environ, all_providers()), clock=clock)
            yield Step(socmon, pagerduty, clock)
            await socmon.seal()
            report = verify_log(LogReader(socmon.records.reading), socmon.key.vkey, now=clock.now())
            socmon.close()
            assert report.exit_code == 0, report.to_text()


async def test_an_acknowledgement_in_slack_is_sams_in_pagerduty_and_its_echo_changes_nothing(
    step: Step,
) -> None:
    await step.begins()
    await step.does(respond.acknowledge)
    assert "telling PagerDuty" in await step.small_print()

    assert await step.tells() == "1 sent, 0 not"

    [ack] = step.pagerduty.incidents[INCIDENT]["acknowledgements"]
    assert ack["acknowledger"]["id"] == "PSAM"
    before = await step.alert()
    assert await step.hears() == ["ignored"]
    assert await step.alert() == before
    assert await step.kinds() == ["triggered", "acknowledged", "told"]
    assert "PagerDuty knows" in await step.small_print()


async def test_an_echo_that_overtakes_the_answer_completes_the_write(step: Step) -> None:
    """The webhook arrives while the call still waits: the write is done, and is not sent again."""
    await step.begins()
    await step.does(respond.acknowledge)
    step.pagerduty.act("PSAM", INCIDENT, status="acknowledged")
    await step.socmon.records.write(
        lambda records: [
            records.save_vendor_write(one.sending("PSAM", records.now)) for one in records.vendor_writes(1)
        ]
    )

    assert await step.hears() == ["ignored"]

    [write] = await step.writes()
    assert (write.state, write.detail) == (WriteState.DONE, "confirmed")
    assert await step.tells() == "0 sent, 0 not"


async def test_somebody_elses_word_about_the_same_incident_is_no_echo(step: Step) -> None:
    await step.begins()
    await step.does(respond.acknowledge)
    await step.tells()
    await step.hears()
    step.pagerduty.note("PKIM", INCIDENT, "I am looking at it as well")

    assert await step.hears() == ["transition"]

    assert (await step.kinds())[-1] == "noted"


async def test_a_resolution_is_a_note_and_the_end_of_the_incident(step: Step) -> None:
    await step.begins()
    await step.does(respond.resolve, resolution=NOTE)
    assert await step.tells() == "1 sent, 0 not"

    [note] = step.pagerduty.notes[INCIDENT]
    assert step.there() == "resolved"
    assert note["user"]["id"] == "PSAM"
    assert note["content"].startswith("Sam in Slack (A-1): Found: A runaway query held the lock Done: Killed")
    assert await step.hears() == ["ignored", "ignored"]
    alert = await step.alert()
    assert (alert.response, alert.source) == (Response.RESOLVED, Source.RECOVERED)


async def test_notes_snoozes_and_what_pagerduty_has_no_word_for(step: Step) -> None:
    await step.begins()
    await step.does(respond.snooze, minutes=30)
    await step.does(respond.add_note, text="Waiting for the vacuum to finish")
    await step.does(respond.release)

    assert await step.tells() == "3 sent, 0 not"

    incident = step.pagerduty.incidents[INCIDENT]
    assert incident["status"] == "acknowledged"
    assert incident["pending_actions"][0]["type"] == "unacknowledge"
    assert [one["content"].partition(": ")[2] for one in step.pagerduty.notes[INCIDENT]] == [
        "Waiting for the vacuum to finish",
        "gave A-1 back: nobody owns it now.",
    ]
    assert set(await step.hears()) == {"ignored"}
    assert (await step.alert()).owner is None


async def test_who_is_not_known_there_is_spoken_for_and_named_in_a_note(step: Step) -> None:
    await step.begins()
    await step.does(respond.acknowledge, by=_person("U1NEW"))
    await step.tells()

    [ack] = step.pagerduty.incidents[INCIDENT]["acknowledgements"]
    [note] = step.pagerduty.notes[INCIDENT]
    assert ack["acknowledger"]["id"] == "PBOT"
    assert note["content"].startswith("Noor in Slack (A-1): acknowledged this.")
    assert await step.hears() == ["ignored", "ignored"]
    assert (await step.writes())[0].detail == "acknowledged as socmon@example.com"


async def test_a_resolved_incident_is_never_opened_again_by_a_late_acknowledgement(step: Step) -> None:
    await step.begins()
    step.pagerduty.act("PKIM", INCIDENT, status="resolved")
    await step.does(respond.acknowledge)
    await step.tells()

    assert step.there() == "resolved"
    assert (await step.writes())[0].detail == "was resolved already"


async def test_what_people_do_in_pagerduty_is_done_here_in_their_name(step: Step) -> None:
    """Kim's account is linked to her Slack user, Sam's is not: he is shown by his name there."""
    await step.begins()
    await step.socmon.records.write(_link, "PKIM", "U1KIM")
    step.pagerduty.act("PKIM", INCIDENT, status="acknowledged")
    step.pagerduty.note("PKIM", INCIDENT, "Restarted the pool")

    assert await step.hears() == ["transition", "transition"]

    alert = await step.alert()
    assert (alert.response, alert.owner) == (Response.ACKNOWLEDGED, "U1KIM")
    step.pagerduty.act("PKIM", INCIDENT, assignments=[{"assignee": {"id": "PSAM"}}])
    assert await step.hears() == ["transition"]
    assert (await step.alert()).owner == "PSAM"
    assert "Sam Rivera" in await step.small_print()
    assert await step.kinds() == ["triggered", "acknowledged", "noted", "reassigned"]
    assert await step.writes() == []
    step.pagerduty.act("PSAM", INCIDENT, escalation_level=2)
    step.pagerduty.act("PSAM", INCIDENT, status="resolved")
    assert await step.hears() == ["transition", "transition"]
    alert = await step.alert()
    assert (alert.response, alert.source) == (Response.ACKNOWLEDGED, Source.RECOVERED)
    assert "Sam Rivera" in await step.small_print()


async def test_two_hours_without_pagerduty_end_in_agreement_after_one_comparison(step: Step) -> None:
    """Acts here wait and fail visibly; webhooks about what happens there are lost; then one look heals it all."""
    for number in range(1, 7):
        await step.begins(f"PINC{number}")
    step.clock.move(600)
    step.pagerduty.is_down = lambda: True
    await step.does(respond.acknowledge, alert_id=1)
    await step.does(respond.add_note, alert_id=1, text="Killed the runaway query")
    await step.does(respond.resolve, alert_id=2, resolution=NOTE)
    await step.does(respond.acknowledge, alert_id=3, by=KIM)
    _unheard(step)
    for _ in range(2 * 60):
        step.clock.move(60)
        await step.tells()
    assert "not complete" in await reconcile(step.socmon)
    assert {one.state for number in (1, 2, 3) for one in await step.writes(number)} <= {
        WriteState.FAILED,
        WriteState.PENDING,
    }
    assert "PagerDuty did not say which incidents are open" in await _degraded(step)
    assert "not_told" in await step.kinds(2)
    assert await _trouble(step) == ["tool:pagerduty"]
    assert 'socmon_tool_trouble{provider="pagerduty"} 1.0' in await _metrics(step)

    step.pagerduty.is_down = lambda: False
    said = await reconcile(step.socmon)
    while "0 sent" not in await step.tells():
        step.clock.move(1)

    assert "retold" in said
    assert await _trouble(step) == []
    assert step.there("PINC1") == "acknowledged"
    assert len(step.pagerduty.notes["PINC1"]) == 1
    assert step.there("PINC2") == "resolved"
    assert (await step.alert(4)).owner == "PKIM"
    assert (await step.alert(5)).source is Source.RECOVERED
    assert (await step.alert(7)).dedup_key == "PNEW1"
    assert set(await step.hears()) <= {"ignored", "repeated"}
    step.clock.move(600)
    assert await reconcile(step.socmon) == "pagerduty: in agreement"
    for incident, alert_id in [(f"PINC{number}", number) for number in range(1, 7)] + [("PNEW1", 7)]:
        alert = await step.alert(alert_id)
        assert _agree(step.there(incident), alert), (incident, step.there(incident), alert)


async def test_what_pagerduty_refuses_is_visible_and_not_tried_again(step: Step) -> None:
    """The incident is gone there: the thread says so, an operator is told, and later acts go out as before."""
    await step.begins()
    await step.begins("PINC2")
    gone = step.pagerduty.incidents.pop(INCIDENT)
    await step.does(respond.acknowledge)
    assert await step.tells() == "0 sent, 1 not"

    assert "PagerDuty refused the acknowledgement (it answered 404 (Not Found))" in await step.small_print()
    assert (await step.kinds())[-1] == "not_told"
    assert await _trouble(step) == ["tool:pagerduty:refused"]
    assert await step.tells() == "0 sent, 0 not"
    await step.does(respond.acknowledge, alert_id=2)
    assert await step.tells() == "1 sent, 0 not"
    assert await _trouble(step) == []
    assert gone["status"] == "triggered"


async def test_an_act_is_told_at_once(step: Step) -> None:
    """Nobody waits for a job: the click that wakes the projector wakes the sender too."""
    await step.begins()
    telling = asyncio.create_task(step.socmon._tell_tools())  # noqa: SLF001 - what runs beside the server
    await asyncio.sleep(0)
    await step.does(respond.acknowledge)
    step.socmon.wake()
    for _ in range(200):
        if (await step.writes())[0].state is WriteState.DONE:
            break
        await asyncio.sleep(0.02)
    telling.cancel()
    assert step.there() == "acknowledged"


async def test_a_tool_that_is_only_listened_to_is_told_nothing(step: Step) -> None:
    step.socmon.records._outward = {}  # noqa: SLF001 - as without PAGERDUTY_API_KEY
    await step.begins()
    await step.does(respond.acknowledge)
    assert await step.writes() == []
    assert "PagerDuty knows" not in await step.small_print()


def _unheard(step: Step) -> None:
    """While it is down for us, people go on there; its webhooks do not arrive."""
    step.pagerduty.act("PKIM", "PINC4", status="acknowledged")
    step.pagerduty.act("PKIM", "PINC5", status="resolved")
    step.pagerduty.trigger("Disk full", incident="PNEW1")
    step.heard = len(step.pagerduty.events)


def _agree(there: str, here: Alert) -> bool:
    if there == "resolved":
        return here.source is Source.RECOVERED
    acknowledged = here.response is Response.ACKNOWLEDGED
    return here.is_open and here.source is Source.FIRING and (there == "acknowledged") == acknowledged


async def _degraded(step: Step) -> str:
    transport = httpx.ASGITransport(app=step.socmon.asgi())
    async with httpx.AsyncClient(transport=transport, base_url="http://socmon") as door:
        answer = await door.get("/readyz")
    assert answer.status_code == 200
    return " ".join(answer.json()["degraded"])


async def _metrics(step: Step) -> str:
    transport = httpx.ASGITransport(app=step.socmon.asgi())
    async with httpx.AsyncClient(transport=transport, base_url="http://socmon") as door:
        return (await door.get("/metrics")).text


async def _trouble(step: Step) -> list[str]:
    status = await step.socmon.records.read(report_status, {"pagerduty": "PagerDuty"}, version="0")
    return [problem.subject for problem in status.problems]


def _person(user: str) -> Any:
    return replace(SAM, user=user)


def _link(records: Any, account: str, user: str) -> None:
    row = {"provider": "pagerduty", "account": account, "slack_user": user, "linked_by": user, "at": 0}
    records._write(insert(account_link).values(row))  # noqa: SLF001 - the form that links is another part's
