"""The test message that a person sends themselves: TEST in every line that a phone may show, and what it proves."""

from bot.adapters.slack import interactions as do
from bot.adapters.slack.blocks import Message
from bot.adapters.slack.elements import actions, button, context, section
from bot.adapters.slack.text import date
from bot.adapters.slack.words import duration
from bot.domain.self_test import SelfTest

_PROVES = (
    "TEST: proves that socmon's direct messages reach you, here where you read it. It proves no route: no tool, no"
    " escalation and no phone took part."
)


def self_test_message(test: SelfTest) -> Message:
    """With the button that says it arrived."""
    line = f":test_tube: *TEST, no alert* — you asked for this {date(test.asked_at)}. Nothing is wrong."
    received = button(
        "I received this",
        do.SELF_TEST_RECEIVED,
        str(test.id),
        spoken="I received this test message",
        primary=True,
    )
    text = "TEST from socmon, no alert: press “I received this”."
    return Message(text=text, blocks=[section(line), actions([received]), context(_PROVES)])


def received_message(test: SelfTest) -> Message:
    """What stands in its place afterwards."""
    took = duration(test.took) if test.took is not None else "some time"
    line = f":white_check_mark: *TEST, no alert* — you received it {took} after it was sent. It is on record."
    return Message(text=f"TEST, no alert: received after {took}.", blocks=[section(line), context(_PROVES)])
