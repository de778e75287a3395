"""The status names what needs a look first, and shows nothing unknown as well."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings

from bot.adapters.slack.status_message import status_message
from bot.domain.delivery import Result
from bot.domain.slot import Calendar, Rhythm
from bot.domain.status import IntakeGap, Problem, SourceStatus, Status
from bot.domain.validation import Ended, Stands, Validation, Week
from tests.adapters.slack.examples import NOW, assert_message, hostile, parsed_texts

WELL = Status(
    at=NOW,
    version="0.1.0",
    sources=(
        SourceStatus(
            provider="datadog",
            title="Datadog",
            last_delivery_at=NOW - timedelta(seconds=12),
            last_test_at=NOW - timedelta(days=1),
            results={Result.ACCEPTED: 1412, Result.DUPLICATE: 3},
        ),
    ),
    log_size=20_118,
    checkpoint_at=NOW - timedelta(minutes=5),
)


def test_all_is_well() -> None:
    message = status_message(WELL)

    assert_message(message.text, message.blocks)
    assert message.text == "All is well"
    source, parts = list(parsed_texts(message.blocks))[1:3]
    assert source == (
        ":white_check_mark: *Datadog* — last delivery 12 s ago · 24 h: 1,412 accepted, 3 sent twice"
        " · last test 1 d ago"
    )
    assert parts.split("\n") == [
        ":white_check_mark: *Slack* — in step with the records",
        ":white_check_mark: *Evidence log* — 20,118 entries, last signed checkpoint 5 min ago",
    ]


def test_what_needs_a_look_comes_first() -> None:
    problem = "Alerts can't be posted to <#C1> (not_in_channel). Mend: type /invite @socmon there."
    status = Status(
        at=NOW,
        version="0.1.0",
        sources=(SourceStatus(provider="grafana", title="Grafana", results={Result.REFUSED: 4}),),
        gaps=(IntakeGap(at=NOW, provider="grafana", why="the body is not JSON"),),
        lagging=3,
        lagging_since=NOW - timedelta(minutes=9),
        problems=(Problem(subject="slack:channel:C1", since=NOW - timedelta(hours=2), text=problem),),
        log_size=1,
    )

    message = status_message(status)

    assert_message(message.text, message.blocks)
    assert message.text == "4 things need a look"
    shown = list(parsed_texts(message.blocks))
    assert shown[1] == f":x: *slack∶channel:C1* for 2 h — {problem}"
    assert shown[2].startswith(":warning: *Grafana* — nothing received yet · 24 h: 4 refused · never tested")
    assert "the body is not JSON" in shown[3]
    assert "3 threads behind the records, the first since 9 min ago" in shown[4]
    assert "1 entry, no signed checkpoint yet" in shown[4]


def test_a_quiet_source_is_not_called_well() -> None:
    quiet = Status(at=NOW, version="1", sources=(SourceStatus(provider="datadog", title="Datadog"),))

    assert ":grey_question: *Datadog*" in "".join(parsed_texts(status_message(quiet).blocks))
    assert "No monitoring tool is connected" in "".join(
        parsed_texts(status_message(Status(at=NOW, version="1")).blocks)
    )


def test_a_long_list_is_cut_and_says_so() -> None:
    gaps = tuple(IntakeGap(at=NOW, provider="grafana", why="w" * 2000) for _ in range(30))
    problems = tuple(Problem(subject="slack", since=NOW, text="&" * 5000) for _ in range(30))
    sources = tuple(SourceStatus(provider="x", title="t" * 500) for _ in range(30))

    message = status_message(Status(at=NOW, version="1", gaps=gaps, problems=problems, sources=sources))

    assert "… and 25 more" in "".join(parsed_texts(message.blocks))
    assert max(len(text) for text in parsed_texts(message.blocks)) <= 3000


def test_weeks_that_are_not_as_they_should_be_are_named() -> None:
    """All in a line; and the reason that somebody gave does nothing but say why."""
    slots = list(Calendar([Rhythm()]).between(NOW - timedelta(days=40), NOW - timedelta(days=20)))
    missed = Validation(slot=slots[0], missed_at=NOW, ended=Ended.DOWN, reason="<!channel> no power")
    weeks = (
        Week(slot=slots[0], stands=Stands.MISSED, record=missed),
        Week(slot=slots[1], stands=Stands.OVERDUE),
        Week(slot=slots[2], stands=Stands.OPEN),
    )

    message = status_message(replace(WELL, weeks=weeks))

    assert_message(message.text, message.blocks)
    assert message.text == "1 thing needs a look", "of the missed one the reason is on record"
    assert next(text for text in parsed_texts(message.blocks) if "validations" in text).split("\n") == [
        ":warning: *Weekly validations* — 0 of 3 weeks attested, 1 missed, 1 overdue, 1 open",
        ":x: 2026-W42 — missed: socmon was down; &lt;!channel&gt; no power",
        ":x: 2026-W43 — overdue, due 2026-10-30 17:00 UTC",
    ]


@settings(max_examples=30, deadline=None)
@given(hostile, hostile)
def test_hostile_words_do_nothing_in_the_status(why: str, subject: str) -> None:
    status = Status(
        at=NOW,
        version=why,
        gaps=(IntakeGap(at=NOW, provider=subject, why=why),),
        problems=(Problem(subject=subject, since=NOW, text="Slack refused."),),
        sources=(SourceStatus(provider=subject, title=subject),),
    )

    message = status_message(status)

    assert_message(message.text, message.blocks)
