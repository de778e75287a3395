"""`/socmon standard`: how strictly everything has to be watched, its versions, and their review by a lead."""

import asyncio
from collections.abc import Awaitable, Callable

from slack_bolt.async_app import AsyncApp

from bot.adapters.slack import interactions as do
from bot.adapters.slack import standard_message as told
from bot.adapters.slack.answers import told as line_of
from bot.adapters.slack.blocks import Message
from bot.adapters.slack.text import slack_text
from bot.domain.person import Person
from bot.procedures import review_standard
from handlers.slack.desk import Body, Desk, Do, Refuse, on_press

Answer = Callable[[Desk, Person], Awaitable[Message]]


def register(app: AsyncApp, desk: Desk) -> None:
    acts: dict[str, Do] = {do.STANDARD_DOCUMENT: show_document, do.STANDARD_REVIEWED: review}
    for action_id, act in acts.items():
        app.action(action_id)(on_press(desk, act))


async def standard(desk: Desk, person: Person, words: list[str]) -> Message:
    name = words[0].lower() if words else "show"
    if name not in ANSWERS:
        return line_of(
            f"`/socmon standard` knows {', '.join(sorted(ANSWERS))}, and not “{slack_text(name, 40)}”."
        )
    return await ANSWERS[name](desk, person)


async def _show(desk: Desk, person: Person) -> Message:
    stands = await desk.records.read(review_standard.standing, desk.standard, by=person)
    return told.standard_message(stands, desk.standard, shipped=desk.shipped_standard)


async def _review(desk: Desk, person: Person) -> Message:
    """What is shown is kept, since a review names its digest."""
    stands = await desk.records.read(review_standard.standing, desk.standard, by=person)
    await asyncio.to_thread(desk.artifacts.keep, stands.newest.document)
    return told.document_message(stands)


async def _history(desk: Desk, person: Person) -> Message:
    return told.history_message(await desk.records.read(review_standard.standing, desk.standard, by=person))


ANSWERS: dict[str, Answer] = {"show": _show, "review": _review, "history": _history}


async def show_document(desk: Desk, body: Body, _value: str, tell: Refuse) -> None:
    await tell(await _review(desk, await desk.person(body)))


async def review(desk: Desk, body: Body, value: str, tell: Refuse) -> None:
    """Of a document that is kept; `value` is its digest."""
    person = await desk.person(body)
    await asyncio.to_thread(desk.artifacts.read, value)
    await tell(told.reviewed_message(await desk.records.write(review_standard.review, value, by=person)))
