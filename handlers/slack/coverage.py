"""`/socmon coverage`: answered at once from the records; behind the answer come the picture and newer facts.

Each gap has its buttons: a task for somebody, an exclusion, and another look.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from slack_bolt.async_app import AsyncApp

from bot.adapters.slack import coverage_message as told
from bot.adapters.slack import interactions as do
from bot.adapters.slack.answers import told as line_of
from bot.adapters.slack.blocks import Message
from bot.adapters.slack.coverage_message import FIRST_GAPS, GAPS_A_PAGE
from bot.adapters.slack.follow_up_message import assigned_view, read_task, task_form
from bot.adapters.slack.views import View
from bot.adapters.slack.web import CLOSED_CHANNEL, NoAnswer, RateLimited, SlackSaysNo, SlackWeb, answer_of
from bot.adapters.web.picture import png_of
from bot.domain.errors import SocmonError
from bot.domain.person import Person
from bot.procedures import assess_coverage, follow_up
from bot.procedures.assess_coverage import CellAnswer, CoverageAnswer, Picture
from handlers.slack.desk import Body, Desk, Do, Refuse, Say, log, on_press, pressed

FRESH = timedelta(minutes=5)
"""What is older is asked for again behind the answer."""
USUAL = timedelta(days=7)
"""Until a task is due, unless somebody says otherwise."""
TRIES = 3
GAPS, SHARE = "gaps", "share"


class NotShared(SocmonError):
    """Slack has not taken the picture that somebody wants to show."""

    def __init__(self, error: Exception, instead: str) -> None:
        elsewhere = f", or type it in <#{instead}>" if instead else ""
        mend = (
            f"Invite socmon to the channel and type it again{elsewhere}."
            if isinstance(error, SlackSaysNo) and error.error in CLOSED_CHANNEL
            else "Type it again in a minute; if it goes on, tell an admin."
        )
        super().__init__(f"The coverage was not shared: Slack did not take it ({error}). {mend}")


def register(app: AsyncApp, desk: Desk) -> None:
    acts: dict[str, Do] = {
        do.COVERAGE_GAPS: list_gaps,
        do.COVERAGE_ASK: ask_the_tools,
        do.CELL_TASK: open_task_form,
        do.CELL_RECHECK: recheck,
    }
    for action_id, act in acts.items():
        app.action(action_id)(on_press(desk, act))
    for action_id in (do.COVERAGE_EARLIER, do.COVERAGE_LATER):
        app.action(action_id)(_turned(desk))


def _turned(desk: Desk) -> Callable[[Say, Body, Say], Awaitable[None]]:
    """Another page in the place of this one."""

    async def callback(ack: Say, body: Body, respond: Say) -> None:
        await ack()

        async def turn() -> None:
            _, value = pressed(body) or ("", "")
            page = await _gaps(desk, await desk.person(body), do.read_number(value))
            await respond(text=page.text, blocks=page.blocks, replace_original=True)

        await desk.attempt(turn(), desk.teller(body, respond))

    return callback


# The command
async def coverage(desk: Desk, person: Person, words: list[str]) -> Message:
    """At once, from the records."""
    name = " ".join(words)
    if name.lower() == GAPS:
        return await _gaps(desk, person, 0)
    if name.lower() == SHARE:
        person.require(assess_coverage.SHARERS, "share the coverage")
        await _look(desk, person)
        return line_of(":hourglass_flowing_sand: The picture of the coverage is on its way to this channel.")
    answer = await _look(desk, person, name)
    return told.coverage_message(answer, titles=desk.titles)


async def afterwards(
    desk: Desk, person: Person, words: list[str], channel: str, tell: Callable[[Message], Awaitable[Any]]
) -> None:
    """What follows the answer: the picture, and what the tools say now if the records are not fresh."""
    if " ".join(words).lower() == SHARE:
        await _share(desk, person, channel)
        return
    if not words:
        try:
            await _show_picture(desk, person, tell)
        except (SlackSaysNo, RateLimited, NoAnswer) as error:
            log.warning("the picture of the coverage could not be shown: %s", error)
    run = (await _look(desk, person)).run
    if desk.clock.now() - run.at > FRESH and (did := await desk.recheck()) is not None:
        await tell(told.asked_again_message(await _look(desk, person), did))


async def _look(
    desk: Desk, person: Person, name: str = "", *, start: int = 0, most: int = FIRST_GAPS
) -> CoverageAnswer:
    return await desk.records.read(
        assess_coverage.coverage,
        name,
        time_to_live=desk.coverage_time_to_live,
        by=person,
        start=start,
        most=most,
    )


async def _gaps(desk: Desk, person: Person, start: int) -> Message:
    answer = await _look(desk, person, start=start, most=GAPS_A_PAGE)
    return told.gaps_message(answer, titles=desk.titles)


# The picture
async def _draw(desk: Desk, person: Person) -> tuple[Picture, bytes, dict[str, Any]]:
    """What is drawn, the PNG, and how it is called in Slack."""
    drawn = await desk.records.read(assess_coverage.picture_for, person)
    content = await asyncio.to_thread(png_of, drawn)
    name = f"coverage-{drawn.run.at:%Y%m%d-%H%M}.png"
    return drawn, content, {"filename": name, "title": "Coverage", "alt_txt": told.described(drawn.run)}


async def _show_picture(desk: Desk, person: Person, tell: Callable[[Message], Awaitable[Any]]) -> None:
    """In the conversation, for this person alone; where Slack does not show it there, in a direct message."""
    _, content, called = await _draw(desk, person)
    sent = await _upload(desk, content, called)
    message = told.picture_message(sent["files"][0]["id"], called["alt_txt"])
    for _ in range(TRIES):
        if (await tell(message)).status_code == 200:
            return
        await desk.clock.sleep(1)  # Slack looks at a new picture before it shows it
    log.warning("Slack does not show the picture of the coverage here; it goes as a direct message")
    direct = await SlackWeb(desk.client).direct_channel(person.user)
    await _upload(desk, content, called, channel=direct)


async def _share(desk: Desk, person: Person, channel: str) -> None:
    """Where it was typed, for everybody there. The picture is kept, and who showed it where goes on record."""
    drawn, content, called = await _draw(desk, person)
    digest = await asyncio.to_thread(desk.artifacts.keep, content)
    text = told.shared_text(drawn.run, person.user)
    try:
        await _upload(desk, content, called, channel=channel, initial_comment=text)
    except (SlackSaysNo, RateLimited, NoAnswer) as error:
        raise NotShared(error, desk.validation_channel) from error
    await desk.records.write(assess_coverage.shared, drawn.run, channel=channel, picture=digest, by=person)


async def _upload(desk: Desk, content: bytes, called: dict[str, Any], **where: Any) -> dict[str, Any]:
    return await answer_of(desk.client.files_upload_v2(content=content, **called, **where))


# The buttons
async def list_gaps(desk: Desk, body: Body, value: str, tell: Refuse) -> None:
    await tell(await _gaps(desk, await desk.person(body), do.read_number(value)))


async def ask_the_tools(desk: Desk, body: Body, _value: str, tell: Refuse) -> None:
    person = await desk.person(body)
    before = await _look(desk, person)
    await tell(told.asking_message())
    did = await desk.recheck()
    if did is None:
        await tell(told.just_asked_message(before.run))
    else:
        await tell(told.asked_again_message(await _look(desk, person), did))


async def recheck(desk: Desk, body: Body, value: str, tell: Refuse) -> None:
    """Then how that cell stands; also when the tools were asked a moment ago."""
    about, person = do.read_cell(value), await desk.person(body)

    async def cell() -> CellAnswer:
        return await desk.records.read(assess_coverage.cell, about.component, about.measure, by=person)

    before = await cell()
    await tell(told.asking_message())
    if await desk.recheck() is None:
        await tell(told.just_asked_message(before.run))
    await tell(told.cell_message(await cell()))


async def open_task_form(desk: Desk, body: Body, value: str, refuse: Refuse) -> None:
    about = do.read_cell(value)

    async def make() -> View:
        person = await desk.person(body)
        gap, known = await desk.records.read(follow_up.gap_to_mend, about.component, about.measure, by=person)
        due = desk.clock.now() + USUAL
        return task_form(about, gap, known, user=person.user, due=due, zone=desk.zone)

    await desk.open(body, make(), refuse)


async def assign_task(desk: Desk, body: Body) -> View:
    """The owner is told by a job, within the minute."""
    about = do.read_cell(body["view"]["private_metadata"])
    user, due_at, note = read_task(body["view"]["state"], desk.zone)
    person = await desk.person_in_time(body)
    owner = person if user == person.user else await desk.in_time(user, person.team)
    task = await desk.records.write(
        follow_up.assign,
        about.component,
        about.measure,
        owner=owner,
        due_at=due_at,
        note=note,
        by=person,
    )
    return assigned_view(task, now=desk.clock.now())
