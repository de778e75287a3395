"""`/socmon scope`: how it stands, its document and review; and the buttons of what was found."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError

from bot.adapters.pdf.scope_document import scope_pdf
from bot.adapters.slack import interactions as do
from bot.adapters.slack import scope_message as told
from bot.adapters.slack.answers import told as line_of
from bot.adapters.slack.blocks import Message
from bot.adapters.slack.scope_form import asked_view, exclude_form, read_exclusion
from bot.adapters.slack.text import slack_text
from bot.adapters.slack.views import View
from bot.adapters.slack.words import some
from bot.domain.person import Person
from bot.domain.scope import ExclusionRequest, Scope
from bot.domain.scope_document import file_name, scope_rows, to_csv, to_json
from bot.procedures import change_scope, exclude_component, review_scope, take_inventory
from bot.procedures.review_scope import Standing
from handlers.slack.desk import Body, Desk, Do, Refuse, log, on_press

Answer = Callable[[Desk, Person, list[str]], Awaitable[Message]]
MOST_REVISIONS = 15


def register(app: AsyncApp, desk: Desk) -> None:
    acts: dict[str, Do] = {
        do.SCOPE_ADD: add_found,
        do.SCOPE_ADD_ALL: add_all,
        do.SCOPE_EXCLUDE: open_exclude_form,
        do.SCOPE_NOT_OURS: not_ours,
        do.SCOPE_REMOVE: remove_vanished,
        do.SCOPE_NAME: take_name,
        do.SCOPE_KEEP_NAME: keep_name,
        do.SCOPE_APPROVE: approve,
        do.SCOPE_DECLINE: decline,
        do.SCOPE_DOCUMENT: send_document,
        do.SCOPE_REVIEWED: review,
        do.SCOPE_DIFF: show_difference,
    }
    for action_id, act in acts.items():
        app.action(action_id)(on_press(desk, act))


# The command
async def scope(desk: Desk, person: Person, words: list[str]) -> Message:
    name, *rest = words or ["show"]
    if name.lower() not in ANSWERS:
        return line_of(
            f"`/socmon scope` knows {', '.join(sorted(ANSWERS))}, and not “{slack_text(name, 40)}”."
        )
    return await ANSWERS[name.lower()](desk, person, rest)


async def _show(desk: Desk, person: Person, _words: list[str]) -> Message:
    stands = await desk.records.read(review_scope.standing, by=person)
    return told.scope_message(stands, titles=desk.titles)


async def _diff(desk: Desk, person: Person, words: list[str]) -> Message:
    if words and not (words[0].isascii() and words[0].isdigit()):
        return line_of(
            "Name a revision by its number: `/socmon scope diff 3`. `/socmon scope history` lists them."
        )
    since = int(words[0][:20]) if words else None
    found = await desk.records.read(review_scope.differences, since=since, by=person)
    return told.difference_message(found, titles=desk.titles)


async def _history(desk: Desk, person: Person, _words: list[str]) -> Message:
    return told.history_message(await desk.records.read(review_scope.history, most=MOST_REVISIONS, by=person))


async def _add(desk: Desk, person: Person, words: list[str]) -> Message:
    """`add web-1 owner=platform criticality=high`."""
    pairs = [word.partition("=") for word in words]
    given = {
        key.lower(): value for key, sign, value in pairs if sign and key.lower() in {"owner", "criticality"}
    }
    name = " ".join(word for word, (key, _, _) in zip(words, pairs, strict=True) if key.lower() not in given)
    if not name:
        return line_of("Name the component: `/socmon scope add web-1 owner=platform criticality=high`.")
    chosen = await desk.records.read(change_scope.choose, name, by=person)
    revision, entry = await desk.records.write(change_scope.add, chosen, **given, by=person)
    line = f"{slack_text(entry.component.name, 80)} is in scope, {entry.criticality}, owner"
    return told.done_message(f"{line} {slack_text(entry.owner, 80) or 'nobody'}.", revision)


async def _exclude(desk: Desk, person: Person, words: list[str]) -> Message:
    if not words:
        return line_of("Name the component: `/socmon scope exclude web-1`.")
    found = await desk.records.read(exclude_component.component_to_exclude, " ".join(words), by=person)
    return told.ask_to_exclude(found)


async def _remove(desk: Desk, person: Person, words: list[str]) -> Message:
    if not words:
        return line_of("Name the component and the reason: `/socmon scope remove web-1 replaced by web-2`.")
    name, *reason = words
    chosen = await desk.records.read(change_scope.choose, name, by=person)
    revision = await desk.records.write(change_scope.remove, chosen, reason=" ".join(reason), by=person)
    return told.done_message(f"{slack_text(name, 80)} is out of scope.", revision)


async def _review(desk: Desk, person: Person, _words: list[str]) -> Message:
    """As files in a direct message; the CSV is kept, since a review names its digest."""
    stands, now = await desk.records.read(review_scope.for_document, by=person)
    at = desk.clock.now().replace(microsecond=0)
    made = await asyncio.to_thread(_document, desk, stands, now, at)
    csv, as_json, pdf = (file_name(now, at, form) for form in ("csv", "json", "pdf"))
    opened: Any = await desk.client.conversations_open(users=[person.user])
    await desk.client.files_upload_v2(
        channel=opened["channel"]["id"],
        file_uploads=[
            {"filename": csv, "title": csv, "content": made.csv},
            {"filename": as_json, "title": as_json, "content": made.json},
            {"filename": pdf, "title": pdf, "file": made.pdf},
        ],
        initial_comment="Monitoring scope",
    )
    return told.document_message(csv, now, made.digest, made.lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    csv: str
    json: str
    pdf: bytes
    digest: str
    lines: int


def _document(desk: Desk, stands: Standing, scope: Scope, at: datetime) -> Document:
    """Of very many components it takes seconds."""
    rows = scope_rows(scope, stands.sightings, stands.findings, at)
    listed = to_csv(rows)
    digest = desk.artifacts.keep(listed.encode())
    page = scope_pdf(scope, rows, digest, at)
    return Document(csv=listed, json=to_json(rows), pdf=page, digest=digest, lines=len(rows))


ANSWERS: dict[str, Answer] = {
    "show": _show,
    "diff": _diff,
    "review": _review,
    "add": _add,
    "exclude": _exclude,
    "remove": _remove,
    "history": _history,
}


# The buttons
async def add_found(desk: Desk, body: Body, value: str, tell: Refuse) -> None:
    number, person = do.read_number(value), await desk.person(body)
    revision = await desk.records.write(change_scope.add_found, [number], by=person)
    await _done(desk, body, tell, told.done_message("It is in scope.", revision))


async def add_all(desk: Desk, body: Body, value: str, tell: Refuse) -> None:
    """Those that waited when the message was made; what has come since was not on screen."""
    newest, person = do.read_number(value), await desk.person(body)
    waiting = await desk.records.read(change_scope.waiting_new, up_to=newest)
    revision = await desk.records.write(change_scope.add_found, waiting, by=person)
    said = f"{some(len(waiting), 'component is', 'components are')} in scope."
    await _done(desk, body, tell, told.done_message(said, revision))


async def not_ours(desk: Desk, body: Body, value: str, tell: Refuse) -> None:
    number, person = do.read_number(value), await desk.person(body)
    found = await desk.records.write(change_scope.not_ours, number, by=person)
    said = f"{slack_text(found.component.name, 80)} is not ours: nobody is asked about it again."
    await _done(desk, body, tell, told.done_message(said))


async def remove_vanished(desk: Desk, body: Body, value: str, tell: Refuse) -> None:
    number, person = do.read_number(value), await desk.person(body)
    revision = await desk.records.write(change_scope.remove_vanished, number, by=person)
    await _done(desk, body, tell, told.done_message("It is out of scope.", revision))


async def take_name(desk: Desk, body: Body, value: str, tell: Refuse) -> None:
    number, person = do.read_number(value), await desk.person(body)
    revision = await desk.records.write(change_scope.take_name, number, by=person)
    await _done(desk, body, tell, told.done_message("It is called so in scope, too.", revision))


async def keep_name(desk: Desk, body: Body, value: str, tell: Refuse) -> None:
    number, person = do.read_number(value), await desk.person(body)
    await desk.records.write(change_scope.keep_name, number, by=person)
    await _done(desk, body, tell, told.done_message("It keeps its name in scope."))


async def open_exclude_form(desk: Desk, body: Body, value: str, refuse: Refuse) -> None:
    about = do.read_excluding(value)

    async def make() -> View:
        person = await desk.person(body)
        found = await desk.records.read(
            exclude_component.component_to_exclude, about.component, finding=about.finding, by=person
        )
        return exclude_form(found, about)

    await desk.open(body, make(), refuse)


async def request_exclusion(desk: Desk, body: Body) -> View:
    """Whoever has to approve it is asked by a job, within the minute."""
    about = do.read_excluding(body["view"]["private_metadata"])
    reason, until = read_exclusion(body["view"]["state"], desk.zone)
    person = await desk.person_in_time(body)
    component = await desk.records.read(
        exclude_component.component_to_exclude, about.component, finding=about.finding, by=person
    )
    request = await desk.records.write(
        exclude_component.request_exclusion,
        component,
        reason=reason,
        until=until,
        finding=about.finding,
        by=person,
    )
    return asked_view(request)


async def approve(desk: Desk, body: Body, value: str, tell: Refuse) -> None:
    number, person = do.read_number(value), await desk.person(body)
    chosen = await desk.records.read(exclude_component.chosen_to_exclude, number)
    request = await desk.records.write(exclude_component.approve_exclusion, number, chosen, by=person)
    await _decided(desk, body, tell, request)


async def decline(desk: Desk, body: Body, value: str, tell: Refuse) -> None:
    number, person = do.read_number(value), await desk.person(body)
    request = await desk.records.write(exclude_component.decline_exclusion, number, by=person)
    await _decided(desk, body, tell, request)


async def _decided(desk: Desk, body: Body, tell: Refuse, request: ExclusionRequest) -> None:
    """Whoever asked for it hears of it, too."""
    message = told.decided_message(request)
    await tell(message)
    await _replace(desk, body, message)
    if request.requested_by == request.decided_by:
        return
    try:
        opened: Any = await desk.client.conversations_open(users=[request.requested_by])
        await desk.client.chat_postMessage(
            channel=opened["channel"]["id"], text=message.text, blocks=message.blocks
        )
    except SlackApiError as error:
        log.warning("%s could not be told about an exclusion: %s", request.requested_by, error)


async def send_document(desk: Desk, body: Body, _value: str, tell: Refuse) -> None:
    await tell(await _review(desk, await desk.person(body), []))


async def review(desk: Desk, body: Body, value: str, tell: Refuse) -> None:
    """Of a document that is kept."""
    (revision, digest), person = do.read_reviewed(value), await desk.person(body)
    await asyncio.to_thread(desk.artifacts.read, digest)
    reviewed = await desk.records.write(review_scope.review, revision, document=digest, by=person)
    await tell(told.reviewed_message(reviewed))


async def show_difference(desk: Desk, body: Body, _value: str, tell: Refuse) -> None:
    await tell(await _diff(desk, await desk.person(body), []))


async def _done(desk: Desk, body: Body, tell: Refuse, message: Message) -> None:
    """The message with the buttons goes on with what still waits."""
    await tell(message)
    await _replace(desk, body, told.prompt_message(await desk.records.read(take_inventory.undecided)))


async def _replace(desk: Desk, body: Body, message: Message) -> None:
    """Only where everybody sees the message; what was told to one person alone stays as it is."""
    place = body.get("container") or {}
    if place.get("type") != "message" or place.get("is_ephemeral"):
        return
    try:
        await desk.client.chat_update(
            channel=place["channel_id"], ts=place["message_ts"], text=message.text, blocks=message.blocks
        )
    except SlackApiError as error:
        log.warning("a message about the scope could not be brought up to date: %s", error)
