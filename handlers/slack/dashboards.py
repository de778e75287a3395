"""`/socmon dashboards`: which are looked at, pictures on request, and the review of each picture by a person."""

import asyncio

from slack_bolt.async_app import AsyncApp

from bot.adapters.slack import dashboard_message as told
from bot.adapters.slack import interactions as do
from bot.adapters.slack.answers import told as line_of
from bot.adapters.slack.blocks import Message
from bot.adapters.slack.follow_up_message import read_task
from bot.adapters.slack.pictures import show_picture
from bot.adapters.slack.text import slack_text
from bot.adapters.slack.views import View
from bot.adapters.slack.web import NoAnswer, RateLimited, SlackSaysNo, SlackWeb
from bot.adapters.threads import in_thread
from bot.domain.dashboard import Capture, Dashboard
from bot.domain.person import Person
from bot.procedures import review_dashboards
from bot.procedures.review_dashboards import NotChosen
from handlers.slack.desk import Body, Desk, Do, Refuse, log, on_press


def register(app: AsyncApp, desk: Desk) -> None:
    acts: dict[str, Do] = {
        do.DASHBOARD_LIST: list_all,
        do.DASHBOARD_CHOOSE: choose,
        do.DASHBOARD_LEAVE: leave_out,
        do.DASHBOARD_CAPTURE: capture,
        do.DASHBOARD_REVIEWED: review,
        do.DASHBOARD_FOLLOW_UP: open_form,
    }
    for action_id, act in acts.items():
        app.action(action_id)(on_press(desk, act))


async def dashboards(desk: Desk, person: Person, words: list[str]) -> Message:
    """How they stand; those that can be chosen; pictures, now; or those that wait for a review."""
    match [word.lower() for word in words[:1]]:
        case ["choose"]:
            return await _listed(desk, person, " ".join(words[1:]))
        case ["capture"]:
            return await _captured(desk, person)
        case ["review"]:
            return await _waiting(desk, person)
        case _:
            return await _standing(desk, person)


async def _standing(desk: Desk, person: Person) -> Message:
    standing = await desk.records.read(review_dashboards.standing_for, by=person)
    return told.standing_message(standing, titles=desk.titles)


async def _captured(desk: Desk, person: Person) -> Message:
    person.require(review_dashboards.CAPTURERS, "take pictures of dashboards")
    did = await desk.capture()
    if did is None:
        return line_of(
            ":hourglass_flowing_sand: Pictures are being taken right now, or were within this minute. Look again in a"
            " minute: `/socmon dashboards`."
        )
    standing = await _standing(desk, person)
    line = f":camera: *{slack_text(did, 600)}*"
    return Message(text=line.replace("*", ""), blocks=[*line_of(line).blocks, *standing.blocks])


async def _listed(desk: Desk, person: Person, name: str) -> Message:
    """What the tools have now; one that is silent keeps no other one from being listed."""
    person.require(review_dashboards.CHOOSERS, "choose dashboards")
    listed, silent = await _ask(desk)
    chosen = (await desk.records.read(review_dashboards.standing)).rows
    return told.choose_message(listed, [one for one, _ in chosen], silent, name=name, titles=desk.titles)


async def _ask(desk: Desk) -> tuple[list[Dashboard], dict[str, str]]:
    at = desk.clock.now()
    pulled = await asyncio.gather(*(in_thread(one.list, at) for one in desk.boards.values()))
    by_tool = dict(zip(desk.boards, pulled, strict=True))
    silent = {name: one.reason for name, one in by_tool.items() if one.reason}
    return [each for one in pulled for each in one.items], silent


async def list_all(desk: Desk, body: Body, _value: str, tell: Refuse) -> None:
    await tell(await _listed(desk, await desk.person(body), ""))


async def choose(desk: Desk, body: Body, value: str, tell: Refuse) -> None:
    person = await desk.person(body)
    person.require(review_dashboards.CHOOSERS, "choose dashboards")
    listed, _ = await _ask(desk)
    found = next((one for one in listed if one.key == value), None)
    if found is None:
        raise NotChosen(value)
    made = await desk.records.write(review_dashboards.choose, found, by=person)
    name = slack_text(made.dashboard.title, 100)
    await tell(line_of(f":white_check_mark: *{name}* is looked at each week from now on."))


async def leave_out(desk: Desk, body: Body, value: str, tell: Refuse) -> None:
    gone = await desk.records.write(review_dashboards.leave_out, value, by=await desk.person(body))
    await tell(line_of(f":heavy_minus_sign: *{slack_text(gone.title, 100)}* is not looked at any more."))


async def capture(desk: Desk, body: Body, _value: str, tell: Refuse) -> None:
    person = await desk.person(body)
    await tell(line_of(":camera: Taking a picture of each chosen dashboard."))
    await tell(await _captured(desk, person))


# The review
async def _waiting(desk: Desk, person: Person) -> Message:
    """The pictures that wait, in a direct message."""
    owed = await desk.records.read(review_dashboards.waiting, by=person)
    if not owed:
        return line_of(":white_check_mark: No picture waits for a review.")
    web = SlackWeb(desk.client)
    direct = await web.direct_channel(person.user)
    said = 0
    for one in owed:
        content = await asyncio.to_thread(desk.artifacts.read, one.picture)
        said += await show_picture(web, desk.clock, direct, one, content, titles=desk.titles)
    return line_of(f":bar_chart: I've sent you {said} of {len(owed)} pictures that wait for a review.")


async def review(desk: Desk, body: Body, value: str, _refuse: Refuse) -> None:
    person = await desk.person(body)
    done = await desk.records.write(review_dashboards.review, do.read_number(value), by=person)
    await _mark(desk, done, _reviewing(body, done.id))


async def open_form(desk: Desk, body: Body, value: str, refuse: Refuse) -> None:
    async def make() -> View:
        person = await desk.person(body)
        one = await desk.records.read(review_dashboards.to_review, do.read_number(value), by=person)
        due = desk.clock.now() + told.USUAL
        about = _reviewing(body, one.id)
        return told.follow_up_form(one, about, user=person.user, due=due, zone=desk.zone)

    await desk.open(body, make(), refuse)


async def follow_up(desk: Desk, body: Body) -> View:
    """What the form asks for. The owner is told by a job, within the minute."""
    about = do.read_reviewing(body["view"]["private_metadata"])
    user, due_at, note = read_task(body["view"]["state"], desk.zone)
    person = await desk.person_in_time(body)
    owner = person if user == person.user else await desk.in_time(user, person.team)
    done, task = await desk.records.write(
        review_dashboards.follow_up_on, about.capture, owner=owner, due_at=due_at, note=note, by=person
    )
    await _mark(desk, done, about)
    return told.opened_view(task)


def _reviewing(body: Body, capture_id: int) -> do.Reviewing:
    """The message that was clicked in."""
    message, channel = body.get("message") or {}, body.get("channel") or {}
    files = [
        (block.get("slack_file") or {}).get("id", "")
        for block in message.get("blocks") or ()
        if block.get("type") == "image"
    ]
    return do.Reviewing(
        capture_id, str(channel.get("id", "")), str(message.get("ts", "")), str(files[0]) if files else ""
    )


async def _mark(desk: Desk, done: Capture, about: do.Reviewing) -> None:
    """The message says who reviewed it, and has no buttons any more."""
    if not about.ts:
        return
    said = told.reviewed_message(done, titles=desk.titles, file=about.file)
    try:
        await SlackWeb(desk.client).replace(about.channel, about.ts, said)
    except (SlackSaysNo, RateLimited, NoAnswer) as error:
        log.warning("a reviewed picture still shows its buttons: %s", error)
