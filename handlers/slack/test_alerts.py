"""`/socmon test`: send a test alert along a path, say yes to being paged, say that it arrived."""

from datetime import timedelta

from slack_bolt.async_app import AsyncApp

from bot.adapters.slack import interactions as do
from bot.adapters.slack import test_alert_message as told
from bot.adapters.slack.answers import told as line_of
from bot.adapters.slack.blocks import Message
from bot.adapters.slack.test_alert_form import read_test, test_form
from bot.adapters.slack.views import View, info_view
from bot.adapters.slack.web import NoAnswer, RateLimited, SlackSaysNo, SlackWeb
from bot.domain.person import Person
from bot.domain.test_alert import Mode, new_nonce
from bot.procedures import review_tests, test_alerting
from handlers.slack.desk import Body, Desk, Do, Refuse, log, on_press

LATELY = timedelta(days=35)


def register(app: AsyncApp, desk: Desk) -> None:
    acts: dict[str, Do] = {
        do.TEST_OPEN: open_form,
        do.TEST_AGREED: agree,
        do.TEST_DECLINED: decline,
        do.TEST_SEEN: seen,
    }
    for action_id, act in acts.items():
        app.action(action_id)(on_press(desk, act))


async def test(desk: Desk, person: Person, words: list[str]) -> Message:
    """`[list]`, or `PATH [COMPONENT] [quiet|live [now REASON]]`."""
    if not words or words[0].lower() == "list":
        now = desk.clock.now()
        year = await desk.records.read(review_tests.list_tests, now - LATELY, now + LATELY, by=person)
        return told.list_message(year)
    path, *rest = words
    modes = [at for at, word in enumerate(rest) if word.lower() in set(Mode)]
    at = modes[0] if modes else len(rest)
    mode = Mode(rest[at].lower()) if modes else Mode.QUIET
    component, after = " ".join(rest[:at]), rest[at + 1 :]
    at_once = mode is Mode.LIVE and bool(after) and after[0].lower() == "now"
    if after and not at_once:
        return line_of(
            "Write `/socmon test PATH [COMPONENT] [quiet|live]`, or at its end `live now REASON`. Nothing was sent."
        )
    begun = await desk.records.write(
        test_alerting.begin,
        path,
        nonce=new_nonce(desk.randomness.token),
        mode=mode,
        reach=await desk.reach(),
        component=component,
        by=person,
        at_once=at_once,
        reason=" ".join(after[1:]),
    )
    return told.asked_message(begun)


async def open_form(desk: Desk, body: Body, _value: str, refuse: Refuse) -> None:
    async def make() -> View:
        person = await desk.person(body)
        paths = await desk.records.read(test_alerting.standing, by=person)
        if not paths:
            return info_view(
                "Send a test", "No path can be tested yet: `socmon test-alert setup` shows what it takes."
            )
        return test_form(paths)

    await desk.open(body, make(), refuse)


async def send_from_form(desk: Desk, body: Body) -> None:
    path, component, mode = read_test(body["view"]["state"])
    person, reach = await desk.person_in_time(body), await desk.reach_in_time()
    nonce = new_nonce(desk.randomness.token)
    await desk.records.write(
        test_alerting.begin, path, nonce=nonce, mode=mode, reach=reach, component=component, by=person
    )


async def agree(desk: Desk, body: Body, value: str, _refuse: Refuse) -> None:
    person = await desk.person(body)
    answered = await desk.records.write(test_alerting.agree, do.read_number(value), by=person)
    await _replace(desk, body, told.answered_message(answered))


async def decline(desk: Desk, body: Body, value: str, _refuse: Refuse) -> None:
    person = await desk.person(body)
    answered = await desk.records.write(test_alerting.decline, do.read_number(value), by=person)
    await _replace(desk, body, told.answered_message(answered))


async def seen(desk: Desk, body: Body, value: str, _refuse: Refuse) -> None:
    person = await desk.person(body)
    test_seen = await desk.records.write(test_alerting.seen, do.read_number(value), by=person)
    await _replace(desk, body, told.seen_message(test_seen))


async def _replace(desk: Desk, body: Body, message: Message) -> None:
    try:
        await SlackWeb(desk.client).replace(body["channel"]["id"], body["message"]["ts"], message)
    except (SlackSaysNo, RateLimited, NoAnswer) as error:
        log.warning("a message about a test still shows its buttons: %s", error)
