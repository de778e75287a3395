"""How long a tool is asked again, what is an echo, and what the small print says of it all."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.domain.tool import (
    PATIENCE,
    Done,
    ToolAct,
    VendorWrite,
    WriteState,
    is_signed,
    signed,
    tool_state,
)

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)


def write(action: ToolAct = ToolAct.ACKNOWLEDGE, number: int = 1, **facts: Any) -> VendorWrite:
    known: dict[str, Any] = {
        "id": number,
        "provider": "pagerduty",
        "alert_id": 12,
        "target": "PINC1",
        "action": action,
        "person": "U1SAM",
        "at": NOW,
        "next_at": NOW,
    }
    return VendorWrite(**known | facts)


def test_a_tool_that_does_not_answer_is_asked_ever_more_rarely_for_an_hour() -> None:
    one, waits = write(), []
    while one.state is WriteState.PENDING:
        at = one.next_at
        one = one.unanswered("503", at)
        waits.append((one.next_at - at).total_seconds())
    assert waits[:7] == [5, 10, 20, 40, 80, 160, 300]
    assert max(waits) == 300
    assert one.state is WriteState.FAILED
    assert PATIENCE <= (one.done_at or NOW) - NOW <= PATIENCE + timedelta(minutes=5)
    anew = one.again(NOW + timedelta(hours=2))
    assert (anew.state, anew.attempts, anew.next_at) == (WriteState.PENDING, 0, NOW + timedelta(hours=2))


SENT = NOW - timedelta(minutes=9)
LONG_AGO = NOW - timedelta(minutes=11)
ECHOES = {
    "the same account, sent lately": (write(account="PSAM", sent_at=SENT, state=WriteState.DONE), None, True),
    "the same account, sent long ago": (
        write(account="PSAM", sent_at=LONG_AGO, state=WriteState.DONE),
        None,
        False,
    ),
    "still open, and the linked user": (write(), "U1SAM", True),
    "still open, and another user": (write(), "U1KIM", False),
    "another account": (write(account="PKIM", sent_at=SENT), None, False),
    "a snooze acknowledges as well": (write(ToolAct.SNOOZE, account="PSAM", sent_at=SENT), None, True),
    "another act": (write(ToolAct.RESOLVE, account="PSAM", sent_at=SENT), None, False),
    "refused": (write().refused("no", NOW), "U1SAM", False),
}


@pytest.mark.parametrize(("one", "user", "echo"), ECHOES.values(), ids=ECHOES)
def test_the_echo_of_an_acknowledgement(one: VendorWrite, user: str | None, echo: bool) -> None:  # noqa: FBT001
    done = Done(act=ToolAct.ACKNOWLEDGE, account="PSAM")
    assert one.is_echoed_by(done, user, now=NOW) is echo


def test_a_note_is_an_echo_only_with_our_signature_for_this_alert() -> None:
    one = write(ToolAct.RESOLVE, account="PSAM", sent_at=SENT)
    ours = signed("Killed the query", name="Sam", alert_id=12, link="https://acme.slack.com/archives/C1/p2")
    assert ours == "Sam in Slack (A-12): Killed the query\nhttps://acme.slack.com/archives/C1/p2"
    assert is_signed(ours, 12)
    assert not is_signed(ours, 1)
    for text, echo in ((ours, True), ("Killed the query", False)):
        assert one.is_echoed_by(Done(act=ToolAct.NOTE, account="PSAM", text=text), None, now=NOW) is echo


def test_the_small_print_tells_the_worst_that_still_counts() -> None:
    acknowledged = write().done(NOW, "acknowledged")
    assert tool_state([]) is None
    state = tool_state([acknowledged])
    assert state is not None
    assert state.state is WriteState.DONE
    lost_note = write(ToolAct.NOTE, 2, state=WriteState.FAILED, detail="503")
    later_note = write(ToolAct.NOTE, 3).done(NOW, "noted")
    worst = tool_state([acknowledged, lost_note, later_note])
    assert worst is not None
    assert (worst.state, worst.action) == (WriteState.FAILED, ToolAct.NOTE)
    made_up_for = tool_state([write(state=WriteState.REFUSED), write(number=2).done(NOW, "")])
    assert made_up_for is not None
    assert made_up_for.state is WriteState.DONE
