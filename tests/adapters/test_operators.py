"""The operators hear of trouble: in Slack, else by e-mail and PagerDuty; and telling them never makes more trouble."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web as aiohttp_web

from bot.adapters.database.writer import Database
from bot.adapters.mail import Email
from bot.adapters.operators import Operators, PagerDuty
from bot.adapters.slack.web import NoAnswer, RateLimited, SlackSaysNo
from bot.domain.errors import Unavailable
from tests.tls import tls_server, trust
from tests.world import MovableClock, open_database

TEXT = "Slack refuses our token. Mend: reinstall the app — now."


class Slack:
    """What the operators need of Slack, and what it does."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.fault, self.told = fault, list[tuple[str, str]]()

    async def tell(self, user: str, text: str) -> None:
        if self.fault:
            raise self.fault
        self.told.append((user, text))


@asynccontextmanager
async def mail_server(*, refuse: bool = False) -> AsyncIterator[tuple[int, list[str]]]:
    """(port, mails): takes what an SMTP client sends, without TLS and without accounts."""
    mails: list[str] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        lines: list[str] = []
        in_data = False
        while line := (await reader.readline()).decode():
            if in_data:
                lines.append(line)
                if line == ".\r\n":
                    in_data = False
                    mails.append("".join(lines))
                    writer.write(b"250 taken\r\n")
            elif line.upper().startswith("DATA"):
                in_data = True
                writer.write(b"354 go on\r\n")
            elif line.upper().startswith("QUIT"):
                writer.write(b"221 bye\r\n")
                break
            else:
                writer.write(b"550 no\r\n" if refuse and line.upper().startswith("MAIL") else b"250 fine\r\n")
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], mails


@asynccontextmanager
async def pagerduty(status: int = 202) -> AsyncIterator[tuple[str, list[dict[str, Any]]]]:
    """(address, events): PagerDuty's Events API, with TLS. Its authority is trusted meanwhile."""
    events: list[dict[str, Any]] = []

    async def enqueue(request: aiohttp_web.Request) -> aiohttp_web.Response:
        events.append(await request.json())
        return aiohttp_web.json_response(
            {"status": "success", "dedup_key": events[-1]["dedup_key"]}, status=status
        )

    application = aiohttp_web.Application()
    application.router.add_post("/v2/enqueue", enqueue)
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as monkeypatch:
        certificate = Path(folder) / "authority.pem"
        async with tls_server(application, certificate) as url:
            trust(monkeypatch, certificate)
            yield url, events


async def admins() -> list[str]:
    return ["U0ADMIN", "U0LEAD"]


def operators(
    slack: Slack,
    email: Email = Email(),  # noqa: B008 - frozen
    pager: PagerDuty = PagerDuty(),  # noqa: B008 - frozen
    records: Any = None,
) -> Operators:
    return Operators(records=records, web=slack, admins=admins, email=email, pagerduty=pager)  # type: ignore[arg-type]


@pytest.fixture
def database(sqlite_url: str) -> Iterator[Database]:
    opened = open_database(sqlite_url, MovableClock())
    yield opened
    opened.close()


async def test_trouble_is_told_once_until_it_is_mended(database: Database) -> None:
    """However often and from wherever it is reported; when it comes again after that, it is new."""
    slack = Slack()
    here = operators(slack, records=database)
    for _ in range(3):
        await here.report("slack:token", TEXT)
    told = len(slack.told)
    await here.mended("slack:token")
    await here.report("slack:token", TEXT)

    assert (told, len(slack.told)) == (2, 4), "each of the two admins, once"
    assert [subject for subject, _, _ in database.read_now(lambda r: r.problems())] == ["slack:token"]


async def test_what_could_not_be_told_is_still_owed(database: Database) -> None:
    """No way worked, or socmon died before it could tell: it is told when one works again, once."""
    away = Slack(NoAnswer("x"))
    await operators(away, records=database).report("slack:channel:C0", TEXT)
    slack = Slack()
    later = operators(slack, records=database)

    assert [await later.tell_untold(), await later.tell_untold()] == [1, 0]
    assert len(slack.told) == 2, "each of the two admins, once"


async def test_trouble_with_the_records_is_no_further_trouble(caplog: pytest.LogCaptureFixture) -> None:
    """Whoever reports or mends goes on; the log says what could not be put on record."""

    class Away:
        async def write(self, *_: Any) -> None:
            raise Unavailable("The database does not answer.")

    here = operators(Slack(), records=Away())
    await here.report("slack:token", TEXT)
    await here.mended("slack:token")

    assert caplog.text.count("could not be put on record") == 2


async def test_every_admin_is_told_in_slack_and_that_is_enough() -> None:
    """While Slack works nobody is paged."""
    slack = Slack()
    async with mail_server() as (port, mails), pagerduty() as (url, events):
        email = Email(server=f"smtp://127.0.0.1:{port}", recipients=("ops@example.com",))
        await operators(slack, email, PagerDuty(key="k", url=url)).alarm("slack:channel:C0", TEXT)

    assert slack.told == [("U0ADMIN", TEXT), ("U0LEAD", TEXT)]
    assert (mails, events) == ([], [])


@pytest.mark.parametrize(
    "fault",
    [SlackSaysNo("invalid_auth"), RateLimited(5), NoAnswer("x"), KeyError("channel")],
    ids=["refused", "rate limited", "no answer", "something else"],
)
async def test_when_slack_is_the_trouble_they_are_reached_past_it(fault: Exception) -> None:
    """By e-mail and by PagerDuty, both, with what is wrong and how to mend it."""
    async with mail_server() as (port, mails), pagerduty() as (url, events):
        email = Email(
            server=f"smtp://127.0.0.1:{port}",
            recipients=("ops@example.com", "lead@example.com"),
            sender="s@x.org",
        )
        await operators(Slack(fault), email, PagerDuty(key="k", url=url)).alarm("slack:token", TEXT)

    [mail], [event] = mails, events
    assert "Subject: socmon: slack:token" in mail
    assert "To: ops@example.com, lead@example.com" in mail
    assert "From: s@x.org" in mail
    assert "Slack refuses our token" in mail
    assert event["routing_key"] == "k"
    assert event["event_action"] == "trigger"
    assert event["dedup_key"] == "socmon:slack:token"
    assert event["payload"]["severity"] == "critical"
    assert TEXT in event["payload"]["summary"]


async def test_a_dead_token_is_told_past_slack_even_when_slack_takes_the_message() -> None:
    """The app was removed while a message still went through: that message may be the last."""
    async with pagerduty() as (url, events):
        await operators(Slack(), pager=PagerDuty(key="k", url=url)).alarm("slack:token", TEXT)

    assert len(events) == 1


async def test_one_way_that_fails_does_not_block_the_other(caplog: pytest.LogCaptureFixture) -> None:
    """The mail server refuses, PagerDuty is reached; nothing is raised, and the failure is in the log."""
    async with mail_server(refuse=True) as (port, mails), pagerduty() as (url, events):
        email = Email(server=f"smtp://127.0.0.1:{port}", recipients=("ops@example.com",))
        await operators(Slack(NoAnswer("x")), email, PagerDuty(key="k", url=url)).alarm("slack:token", TEXT)

    assert (mails, len(events)) == ([], 1)
    assert "could not be told" in caplog.text


@pytest.mark.parametrize(
    ("server", "status"), [("smtp://127.0.0.1:9", 400), ("nonsense", 401), ("smtp://", 404), ("", 400)]
)
async def test_telling_never_raises(server: str, status: int) -> None:
    """Whatever is configured and whoever answers: the trouble is in the records already."""
    async with pagerduty(status) as (url, _):
        await operators(
            Slack(NoAnswer("x")), Email(server=server, recipients=("o@x.org",)), PagerDuty(key="k", url=url)
        ).alarm("slack:token", TEXT)


async def test_nobody_configured_is_nobody_told() -> None:
    """No address, no key: nothing is sent anywhere."""
    await operators(Slack(NoAnswer("x"))).alarm("slack:token", TEXT)


async def test_a_password_is_not_sent_in_clear(caplog: pytest.LogCaptureFixture) -> None:
    """A mail server that offers no TLS does not get it."""
    async with mail_server() as (port, mails):
        email = Email(server=f"smtp://user:hunter2@127.0.0.1:{port}", recipients=("ops@example.com",))
        await operators(Slack(NoAnswer("x")), email).alarm("slack:token", TEXT)

    assert mails == []
    assert "TLS" in caplog.text
    assert "hunter2" not in caplog.text


def test_secrets_do_not_show() -> None:
    """Neither the mail server's password nor PagerDuty's key."""
    shown = repr((Email(server="smtp://user:hunter2@x"), PagerDuty(key="hunter3")))

    assert "hunter" not in shown
