"""“Send me a test” in App Home, and “I received this” under the message."""

from slack_bolt.async_app import AsyncApp

from bot.adapters.slack import interactions as do
from bot.adapters.slack.self_test_message import received_message, self_test_message
from bot.adapters.slack.web import NoAnswer, RateLimited, SlackSaysNo, SlackWeb
from bot.domain.errors import SocmonError
from bot.procedures import self_testing
from handlers.slack.actions import callback
from handlers.slack.desk import Body, Desk, Refuse, log


class NotSent(SocmonError):
    """The test message did not go out, or nobody knows whether it did."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"Slack has not taken your test message ({why}), so it proves that something is wrong between socmon and"
            " Slack. That is on record. Press again in a minute; if it goes on, tell an admin: *Status* may say more."
        )


def register(app: AsyncApp, desk: Desk) -> None:
    app.action(do.SELF_TEST)(callback(desk, send))
    app.action(do.SELF_TEST_RECEIVED)(callback(desk, confirm))


async def send(desk: Desk, body: Body, _value: str, _refuse: Refuse) -> None:
    """At once: no bundle and no quiet hours, since the person looks for it now."""
    person = await desk.person(body)
    test = await desk.records.write(self_testing.ask_for_self_test, by=person)
    web = SlackWeb(desk.client)
    try:
        await web.say(await web.direct_channel(person.user), self_test_message(test))
    except (SlackSaysNo, RateLimited, NoAnswer) as error:
        await desk.records.write(self_testing.self_test_not_sent, test, why=str(error)[:100])
        raise NotSent(str(error)) from error
    await desk.records.write(self_testing.self_test_sent, test)


async def confirm(desk: Desk, body: Body, value: str, _refuse: Refuse) -> None:
    person = await desk.person(body)
    test = await desk.records.write(self_testing.confirm_self_test, do.read_number(value), by=person)
    try:
        await SlackWeb(desk.client).replace(
            body["channel"]["id"], body["message"]["ts"], received_message(test)
        )
    except (SlackSaysNo, RateLimited, NoAnswer) as error:
        log.warning("a test message still shows its button: %s", error)
