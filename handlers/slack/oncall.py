"""`/socmon oncall`, the contact list and its review, and whose account is whose."""

import asyncio
from typing import Any

from slack_bolt.async_app import AsyncApp

from bot.adapters.pdf.contact_list import contact_pdf
from bot.adapters.slack import interactions as do
from bot.adapters.slack.blocks import Message
from bot.adapters.slack.oncall_form import link_form, read_link
from bot.adapters.slack.oncall_message import contacts_message, oncall_message, reviewed_message
from bot.adapters.slack.views import View
from bot.domain.contact_list import file_name, to_csv
from bot.domain.person import Person
from bot.procedures import check_on_call
from handlers.slack.desk import Body, Desk, Do, Refuse, on_press


def register(app: AsyncApp, desk: Desk) -> None:
    acts: dict[str, Do] = {
        do.CONTACTS: send_contacts,
        do.REVIEWED: review_contacts,
        do.LINK_ACCOUNT: open_link_form,
    }
    for action_id, act in acts.items():
        app.action(action_id)(on_press(desk, act))


async def oncall(desk: Desk, person: Person, words: list[str]) -> Message:
    answer = await desk.records.read(check_on_call.who_is_on_call, words, zone=desk.zone, by=person)
    return oncall_message(answer, titles=desk.titles)


async def send_contacts(desk: Desk, body: Body, _value: str, tell: Refuse) -> None:
    """As files in a direct message: names and addresses are not for everybody in the channel."""
    person = await desk.person(body)
    stored = await desk.records.read(check_on_call.contacts, by=person)
    made_at = desk.clock.now().replace(microsecond=0)
    csv, pdf = file_name(made_at, "csv"), file_name(made_at, "pdf")
    page = await asyncio.to_thread(contact_pdf, stored, made_at)
    opened: Any = await desk.client.conversations_open(users=[person.user])
    await desk.client.files_upload_v2(
        channel=opened["channel"]["id"],
        file_uploads=[
            {"filename": csv, "title": csv, "content": to_csv(stored, made_at)},
            {"filename": pdf, "title": pdf, "file": page},
        ],
        initial_comment="Escalation contact list",
    )
    await tell(contacts_message(csv, stored, made_at))


async def review_contacts(desk: Desk, body: Body, value: str, tell: Refuse) -> None:
    document, person = do.read_document(value), await desk.person(body)
    stored = await desk.records.write(
        check_on_call.review_contacts, document.roster_id, made_at=document.made_at, by=person
    )
    await tell(reviewed_message(stored))


async def open_link_form(desk: Desk, body: Body, _value: str, refuse: Refuse) -> None:
    async def make() -> View:
        person = await desk.person(body)
        accounts = await desk.records.read(check_on_call.accounts_to_link, by=person)
        return link_form(accounts, user=person.user, titles=desk.titles)

    await desk.open(body, make(), refuse)


async def link_account(desk: Desk, body: Body) -> None:
    provider, account, user = read_link(body["view"]["state"])
    person = await desk.person_in_time(body)
    await desk.records.write(check_on_call.link_account, provider, account, user, by=person)
