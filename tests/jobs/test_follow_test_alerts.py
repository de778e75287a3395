"""Test alerts end to end: delivered along whole paths, and of broken ones the hop that is broken is named."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiosmtpd.controller import Controller

from bot.adapters.slack import interactions as do
from bot.domain.test_alert import Hop, Mode, Verdict
from bot.playground.block_kit import message_problems
from bot.playground.pagerduty_shapes import subscription
from bot.providers.asking import ask
from tests.alertmanager import running_alertmanager
from tests.fake_pagerduty import WatchedPagerDuty, fake_pagerduty
from tests.handlers.conftest import browser
from tests.processes import free_port
from tests.slack_requests import click, send, until
from tests.slack_server import SlackServer, slack_server
from tests.test_alert_rig import Ahead, Rig, door, rig, staff


@pytest.fixture
def clock() -> Ahead:
    return Ahead()


@pytest.fixture
async def slack() -> AsyncIterator[SlackServer]:
    async with slack_server() as server:
        yield server


@pytest.fixture
def pagerduty(clock: Ahead, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WatchedPagerDuty]:
    with fake_pagerduty(clock.now, tmp_path, monkeypatch) as fake:
        staff(fake)
        yield fake


async def log(there: Rig) -> list[tuple[str, dict[str, Any]]]:
    """(type, facts) of what the evidence log says of tests."""
    leaves = await there.socmon.records.read(lambda records: list(records.leaves(0, 1000)))
    every = [json.loads(leaf) for _, leaf in leaves]
    return [(one["type"], one.get("facts", {})) for one in every if one["type"].startswith("test.")]


async def test_a_quiet_test_through_pagerduty_is_delivered(
    tmp_path: Path, slack: SlackServer, pagerduty: WatchedPagerDuty, clock: Ahead
) -> None:
    """From the Events API to the person's click, each hop with its time on record; and it is no alert."""
    async with rig(tmp_path, slack, pagerduty, clock) as there:
        test = await there.begin("pagerduty", component="prod-db-1")
        for _ in range(3):
            test = await there.follow(test)
        assert test.missing == (Hop.SEEN,)
        await send(there.socmon, click(slack, do.TEST_SEEN, str(test.id)))
        await until(lambda: "received T-1" in json.dumps(slack.given("chat.update")))
        clock.move(seconds=1)
        test = await there.follow(test)
        test = await there.follow(test)

        assert (test.verdict, test.broken, test.means) == (Verdict.DELIVERED, None, ("push",))
        assert set(test.passed) == set(test.expects)
        [incident] = pagerduty.incidents.values()
        assert (incident["status"], incident["urgency"]) == ("resolved", "low")
        assert incident["title"].startswith("[TEST] socmon T-1 of prod-db-1")
        assert await there.alerts() == []
        assert not test.dirty
        [progress] = slack.parents("C0ALERTS")
        assert "delivered in" in json.dumps(progress)
        for message in slack.messages:
            assert message["text"].startswith("TEST T-1")
            assert message_problems(message["blocks"]) == []
        kinds = [kind for kind, _ in await log(there)]
        for kind in ("asked", "sent", "received", "passed", "seen", "delivered", "cleaned_up"):
            assert f"test.{kind}" in kinds
        assert set(there.answered) == {202}


async def test_a_live_test_waits_for_the_yes_of_whom_it_pages(
    tmp_path: Path, slack: SlackServer, pagerduty: WatchedPagerDuty, clock: Ahead
) -> None:
    """Nothing is sent before; another one's yes does not count; after it the phone rings."""
    async with rig(tmp_path, slack, pagerduty, clock) as there:
        test = await there.begin("pagerduty", mode=Mode.LIVE)
        await there.follow(test)
        assert pagerduty.incidents == {}
        assert "OK, page me" in json.dumps(slack.messages)
        await send(there.socmon, click(slack, do.TEST_AGREED, "1", user="U1LEAD"))
        await until(
            lambda: "only they can say yes" in json.dumps([call.given for call in slack.calls], default=str)
        )
        await there.follow(test)
        assert pagerduty.incidents == {}
        await send(there.socmon, click(slack, do.TEST_AGREED, "1"))
        await until(lambda: slack.given("chat.update"))
        test = await there.follow(test)
        test = await there.follow(test)

        assert [one["urgency"] for one in pagerduty.incidents.values()] == ["high"]
        assert (test.consent_by, test.means) == ("U1SAM", ("phone",))
        assert [
            problem for message in slack.messages for problem in message_problems(message["blocks"])
        ] == []


async def test_without_a_yes_nothing_is_sent_and_a_lead_need_not_wait(
    tmp_path: Path, slack: SlackServer, pagerduty: WatchedPagerDuty, clock: Ahead
) -> None:
    async with rig(tmp_path, slack, pagerduty, clock) as there:
        waited = await there.begin("pagerduty", mode=Mode.LIVE)
        await there.follow(waited)
        clock.move(minutes=16)
        waited = await there.follow(waited)
        assert (waited.verdict, waited.trying_at, waited.cleaned_at) == (Verdict.NOT_RUN, None, None)
        reason = "The quarterly live test, announced on Monday"
        at_once = await there.begin("pagerduty", mode=Mode.LIVE, at_once=True, reason=reason)
        at_once = await there.follow(at_once)

        assert (at_once.consent_by, len(pagerduty.incidents)) == ("U1LEAD", 1)


@dataclass(frozen=True)
class Broken:
    """A way to break the path, the hop that then does not come, and words of the cause that has to be named."""

    name: str
    breaks: Callable[[Rig], None]
    hop: Hop
    says: str


def _service(**facts: Any) -> Callable[[Rig], None]:
    return lambda there: there.pagerduty.services["PTEST"].update(facts)


def _orphan(there: Rig) -> None:
    there.pagerduty.services["PTEST"]["integrations"] = []


def _no_rule(there: Rig) -> None:
    there.pagerduty.rules["PSAM"] = [one for one in there.pagerduty.rules["PSAM"] if one["urgency"] == "high"]


def _disable(there: Rig) -> None:
    there.pagerduty.subscriptions[:] = [subscription("https://x.example/webhooks/pagerduty", active=False)]


def _wrong_secret(there: Rig) -> None:
    there.webhook_secret = "another-secret-than-socmon-has-0123456789"


def _slack(method: str, channel: str, error: str) -> Callable[[Rig], None]:
    def breaks(there: Rig) -> None:
        there.slack.refuses = lambda asked, given: (
            error if asked == method and given.get("channel") == channel else ""
        )

    return breaks


BROKEN = [
    Broken("orphaned key", _orphan, Hop.SENT, "belongs to no integration"),
    Broken("service disabled", _service(status="disabled"), Hop.INCIDENT, "socmon test is disabled"),
    Broken("maintenance", _service(status="maintenance"), Hop.INCIDENT, "maintenance window"),
    Broken(
        "nobody on call", lambda there: there.pagerduty.oncalls.clear(), Hop.NOTIFIED, "nobody is on call"
    ),
    Broken("no rule", _no_rule, Hop.NOTIFIED, "no notification rule in PagerDuty for low urgency"),
    Broken(
        "no subscription", lambda there: there.pagerduty.subscriptions.clear(), Hop.RECEIVED, "no webhook"
    ),
    Broken("subscription disabled", _disable, Hop.RECEIVED, "is disabled"),
    Broken("wrong secret", _wrong_secret, Hop.RECEIVED, "was refused: bad signature"),
    Broken(
        "archived channel", _slack("chat.postMessage", "C0ALERTS", "is_archived"), Hop.SHOWN, "is_archived"
    ),
    Broken("person gone", _slack("chat.postMessage", "DU1SAM", "user_disabled"), Hop.TOLD, "user_disabled"),
    Broken("nobody looks", lambda _there: None, Hop.SEEN, "nobody said that they have it"),
]


@pytest.mark.parametrize("broken", BROKEN, ids=lambda one: one.name)
async def test_the_broken_hop_is_named(
    broken: Broken, tmp_path: Path, slack: SlackServer, pagerduty: WatchedPagerDuty, clock: Ahead
) -> None:
    """With its cause and mend, told to operators; and nothing of the test is left open in the tool."""
    async with rig(tmp_path, slack, pagerduty, clock) as there:
        broken.breaks(there)
        test = await there.follow_to_the_end(await there.begin("pagerduty"))

        assert (test.broken, test.verdict in {Verdict.FAILED, Verdict.TIMED_OUT}) == (broken.hop, True)
        assert test.cause
        assert broken.says in test.cause.says
        assert test.cause.mend
        assert all(one["status"] == "resolved" for one in pagerduty.incidents.values())
        problems = await there.socmon.records.read(lambda records: records.problems())
        assert [subject for subject, _, _ in problems if subject.startswith("test:")] == ["test:pagerduty"]
        assert await there.alerts() == []


AM_CONFIG = """\
route:
  receiver: socmon
  group_by: [component]
  group_wait: 0s
  group_interval: 1s
  repeat_interval: 1h
  routes:
    - receiver: elsewhere
      matchers: [component="nohandle"]
    - receiver: wrong
      matchers: [component="secret"]
receivers:
  - name: socmon
    webhook_configs:
      - url: {url}/webhooks/alertmanager
        http_config: {{authorization: {{credentials: {secret}}}}}
  - name: wrong
    webhook_configs:
      - url: {url}/webhooks/alertmanager
        http_config: {{authorization: {{credentials: wrong}}}}
  - name: elsewhere
"""


async def test_through_a_real_alertmanager(
    alertmanager: Path, tmp_path: Path, slack: SlackServer, pagerduty: WatchedPagerDuty, clock: Ahead
) -> None:
    """Delivered; and of a route that ends elsewhere, a silence and a wrong secret each is named."""
    where: dict[str, Any] = {}
    async with door(where) as here:
        with running_alertmanager(alertmanager, tmp_path, here, AM_CONFIG) as url:
            async with rig(tmp_path, slack, pagerduty, clock, alertmanager=url) as there:
                where["socmon"] = there.socmon
                silence = {
                    "matchers": [{"name": "component", "value": "muted", "isRegex": False}],
                    "startsAt": clock.now().isoformat(),
                    "endsAt": "2099-01-01T00:00:00Z",
                    "createdBy": "sam",
                    "comment": "too loud",
                }
                ask(f"{url}/api/v2/silences", headers={}, body=silence)
                whole = await there.begin("alertmanager", component="prod-db-1")
                await there.follow(whole)
                received = await _received(there, whole)
                await there.follow(whole)
                await there.sees(whole)
                done = await there.follow(whole)
                assert (done.verdict, done.means) == (Verdict.DELIVERED, ())
                assert received.after(Hop.RECEIVED)

                said = {}
                for component in ("nohandle", "muted", "secret"):
                    broken = await there.begin("alertmanager", component=component)
                    await there.follow(broken)
                    if component == "secret":
                        await until(lambda: there.socmon.records.waiting == 0)
                        await _refused(there)
                    clock.move(minutes=5)
                    ended = await there.follow(broken)
                    clock.move(minutes=-5)
                    assert ended.broken is Hop.RECEIVED
                    said[component] = ended.cause.says if ended.cause else ""
                assert "sends it to elsewhere, and not to socmon" in said["nohandle"]
                assert "A silence in Alertmanager mutes it" in said["muted"]
                assert "was refused: bad secret" in said["secret"]
                assert await there.alerts() == []
                active = ask(f"{url}/api/v2/alerts", headers={})
                assert [one for one in active if one["labels"].get("component") == "prod-db-1"] == []


async def _received(there: Rig, test: Any) -> Any:
    async def has_come() -> bool:
        return Hop.RECEIVED in (await there.now(test)).passed

    await _wait(has_come)
    return await there.now(test)


async def _refused(there: Rig) -> None:
    async def was() -> bool:
        counts = await there.socmon.records.read(lambda records: records.counts(there.clock.now()))
        return any(result == "refused" for _, _, result, _, _ in counts)

    await _wait(was)


async def _wait(holds: Callable[[], Any]) -> None:
    async with asyncio.timeout(15):
        while not await holds():  # noqa: ASYNC110 - Alertmanager tells nobody when it has sent
            await asyncio.sleep(0.05)


class Mailbox:
    """What aiosmtpd hands over; `refuses` is an address that it knows not."""

    def __init__(self, refuses: str = "") -> None:
        self.mails: list[Any] = []
        self.refuses = refuses

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        if address == self.refuses:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 fine"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        self.mails.append(message_from_bytes(envelope.content))
        return "250 taken"


@contextmanager
def mail_server(mailbox: Mailbox) -> Iterator[str]:
    port = free_port()
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield f"smtp://127.0.0.1:{port}"
    finally:
        controller.stop()


async def test_an_e_mail_is_confirmed_by_the_button_behind_its_link(
    tmp_path: Path, slack: SlackServer, pagerduty: WatchedPagerDuty, clock: Ahead
) -> None:
    """To open the link proves nothing, since scanners do that as well; a stranger's link leads nowhere."""
    mailbox = Mailbox()
    with mail_server(mailbox) as smtp:
        async with rig(tmp_path, slack, pagerduty, clock, SOCMON_SMTP_URL=smtp) as there:
            test = await there.follow(await there.begin("email:ops@example.com"))
            [mail] = mailbox.mails
            assert mail["Subject"].startswith("[TEST] socmon T-1")
            link = next(
                word for word in mail.get_payload(decode=True).decode().split() if "/confirm/" in word
            )
            path = urlsplit(link).path
            async with browser(there.socmon) as client:
                shown = [await client.get(path) for _ in range(2)]
                assert {page.status_code for page in shown} == {200}
                assert "I received this</button>" in shown[0].text
                assert (await there.now(test)).missing == (Hop.SEEN,)
                assert (await client.post(path[:-1] + "x")).status_code == 404
                assert (await client.post("/confirm/" + "0" * 48)).status_code == 404
                assert (await client.post(path)).status_code == 200
                assert "on record" in (await client.get(path)).text
            test = await there.follow(test)

            assert test.verdict is Verdict.DELIVERED
            token = path.rpartition("/")[2]
            assert token not in json.dumps(await log(there))
            assert test.link not in {"", token}


async def test_a_mailbox_that_is_not_read_is_named(
    tmp_path: Path, slack: SlackServer, pagerduty: WatchedPagerDuty, clock: Ahead
) -> None:
    """One that does not exist, and one that nobody looks into."""
    mailbox = Mailbox(refuses="ops@example.com")
    with mail_server(mailbox) as smtp:
        async with rig(tmp_path, slack, pagerduty, clock, SOCMON_SMTP_URL=smtp) as there:
            refused = await there.follow_to_the_end(await there.begin("email:ops@example.com"))
            mailbox.refuses = ""
            unread = await there.follow_to_the_end(await there.begin("email:ops@example.com"))

    assert (refused.broken, unread.broken) == (Hop.SENT, Hop.SEEN)
    assert refused.cause
    assert unread.cause
    assert "550 no such mailbox" in refused.cause.says
    assert "nobody pressed the button" in unread.cause.says
