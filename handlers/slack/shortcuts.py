"""“Add to alert record” on any message: a person's words become a note, with a link to where they were written."""

import asyncio

from slack_bolt.async_app import AsyncApp

from bot.adapters.slack import interactions as do
from bot.adapters.slack.forms import add_note_form
from bot.adapters.slack.text import plain_words
from bot.adapters.slack.views import View, info_view
from bot.adapters.slack.web import NoAnswer, RateLimited, SlackSaysNo, answer_of
from bot.procedures.review_alerts import alerts_to_note
from handlers.slack.desk import Body, Desk, Say


def register(app: AsyncApp, desk: Desk) -> None:
    async def add_to_record(ack: Say, body: Body, respond: Say) -> None:
        await ack()
        refuse = desk.teller(body, respond)
        await desk.attempt(desk.open(body, _form(desk, body), refuse), refuse)

    app.shortcut(do.ADD_NOTE_SHORTCUT)(add_to_record)


async def _form(desk: Desk, body: Body) -> View:
    message, channel = body["message"], body["channel"]["id"]
    person, link = await asyncio.gather(desk.person(body), _permalink(desk, channel, message["ts"]))
    thread = message.get("thread_ts") or message["ts"]
    alerts, selected = await desk.records.read(alerts_to_note, channel, thread, by=person)
    if not alerts:
        return info_view(
            "Add to alert record", "There are no alerts yet, so there is nothing to add this message to."
        )
    return add_note_form(alerts, selected=selected, text=plain_words(message.get("text", "")), link=link)


async def _permalink(desk: Desk, channel: str, ts: str) -> str:
    """The note is worth keeping without its link."""
    try:
        answer = await answer_of(desk.client.chat_getPermalink(channel=channel, message_ts=ts))
    except (SlackSaysNo, RateLimited, NoAnswer):
        return ""
    return str(answer["permalink"])
