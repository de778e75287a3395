"""Every answer says what, why and what to do next."""

import pytest

from bot.adapters.slack import answers
from bot.adapters.slack.blocks import Message
from bot.domain.alert import Act
from bot.domain.errors import IllegalAct, NotPermitted, SocmonError, SomebodyElses, UnknownAlert
from tests.adapters.slack.examples import HOSTILE_WORDS, NOW, RESOLVED, assert_message, labels, parsed_texts


@pytest.mark.parametrize(
    "message",
    [
        answers.help_message(),
        answers.unknown_command("logs"),
        answers.refusal(UnknownAlert("99")),
        answers.form_timed_out(("al_resolve", "412:7")),
        answers.form_timed_out(None),
        answers.fault(),
        answers.export_sent("alerts.csv", 118),
    ],
    ids=lambda message: message.text[:30],
)
def test_every_answer_is_a_message_slack_takes(message: Message) -> None:
    assert_message(message.text, message.blocks)


def test_what_is_somebody_elses_can_be_taken_over() -> None:
    """Right from the refusal."""
    message = answers.refusal(SomebodyElses("This is <@U0SAM>'s alert. Nothing changed.", 412, 7))

    assert_message(message.text, message.blocks)
    assert labels(message.blocks) == ["Take over"]
    assert message.blocks[1]["elements"][0]["value"] == "412:7"


def test_help_lists_what_there_is() -> None:
    shown = "".join(parsed_texts(answers.help_message().blocks))

    assert {
        "coverage",
        "log",
        "oncall",
        "scope",
        "standard",
        "status",
        "test",
        "validate",
        "help",
        "dashboards",
    } == set(answers.COMMANDS)
    for words in (
        "log open",
        "log mine",
        "log 30d",
        "log A-12",
        "csv",
        "json",
        "oncall platform fri 18:00",
        "coverage web-1",
        "scope exclude web-1",
        "status",
        "Add to alert record",
    ):
        assert words in shown
    assert "evidence" not in shown


@pytest.mark.parametrize(
    ("typed", "advice"),
    [
        ("logs", "Did you mean `/socmon log`?"),
        ("on-call", "Did you mean `/socmon oncall`?"),
        ("STAUS", "Did you mean `/socmon status`?"),
        ("hlep", "Did you mean `/socmon help`?"),
        ("frobnicate", "`/socmon help` lists what there is."),
    ],
)
def test_an_unknown_command_gets_the_nearest_one(typed: str, advice: str) -> None:
    assert answers.unknown_command(typed).text == f"There is no command “{typed}”. {advice}"


@pytest.mark.parametrize("word", HOSTILE_WORDS)
def test_hostile_words_come_back_inert(word: str) -> None:
    for message in (answers.unknown_command(word), answers.export_sent(word, 1)):
        assert_message(message.text, message.blocks)


def test_a_refusal_names_the_person_who_was_faster() -> None:
    with pytest.raises(IllegalAct) as refused:
        RESOLVED.after(Act.ACKNOWLEDGE, by="U0ANA", at=NOW)

    message = answers.refusal(refused.value)

    assert message.text.startswith("<@U0SAM> has already resolved A-412. Nothing changed.")


def test_a_refusal_keeps_mentions_and_escapes_the_rest() -> None:
    error: SocmonError = NotPermitted("You can't <b>: Engineering Lead (<@U0LEAD>, <!subteam^S0LEADS>)")

    assert answers.refusal(error).text == (
        "You can't &lt;b&gt;: Engineering Lead (<@U0LEAD>, <!subteam^S0LEADS>)"
    )


def test_a_form_that_did_not_open_can_be_opened_again() -> None:
    """By the same button, or the same entry of the menu; a shortcut has none."""
    message = answers.form_timed_out(("al_more", "note:412:7"))

    [again] = message.blocks[1]["elements"]
    assert labels(message.blocks) == ["Open form"]
    assert (again["action_id"], again["value"]) == ("al_more", "note:412:7")
    assert "shortcut" in answers.form_timed_out(None).text
