"""“Add to alert record” on any message: a person's words become a note, with a link to where they were written."""

from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError

from bot.adapters.slack import interactions as do
from bot.adapters.slack.forms import add_note_form
from bot.adapters.slack.text import plain_words
from bot.adapters.slack.views import error_view, info_view
from bot.domain.alert import Act
from bot.domain.errors import SocmonError
from bot.domain.person import PERMISSIONS
from bot.procedures.review_alerts import alert_of_thread, recent_alerts
from handlers.slack.desk import SORRY, Body, Desk, Say, log


def register(app: AsyncApp, desk: Desk) -> None:
    async def add_to_record(ack: Say, body: Body) -> None:
        await ack()
        try:
            view = await _form(desk, body)
        except SocmonError as error:
            view = error_view(str(error))
        except Exception:  # noqa: BLE001 - logged whole, and told to the person
            log.exception("a shortcut failed")
            view = error_view(SORRY)
        await desk.client.views_open(trigger_id=body["trigger_id"], view=view)

    app.shortcut(do.ADD_NOTE_SHORTCUT)(add_to_record)


async def _form(desk: Desk, body: Body) -> dict[str, object]:
    person = await desk.person(body)
    person.require(PERMISSIONS[Act.NOTE], "add notes to alerts")
    alerts = await desk.records.read(recent_alerts)
    if not alerts:
        return info_view(
            "Add to alert record", "There are no alerts yet, so there is nothing to add this message to."
        )
    message, channel = body["message"], body["channel"]["id"]
    thread = message.get("thread_ts") or message["ts"]
    selected = await desk.records.read(alert_of_thread, channel, thread)
    text = plain_words(message.get("text", ""))
    return add_note_form(
        alerts, selected=selected, text=text, link=await _permalink(desk, channel, message["ts"])
    )


async def _permalink(desk: Desk, channel: str, ts: str) -> str:
    """The note is worth keeping without its link."""
    try:
        answer = await desk.client.chat_getPermalink(channel=channel, message_ts=ts)
    except SlackApiError:
        return ""
    return str(answer["permalink"])
