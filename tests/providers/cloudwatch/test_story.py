"""What an alarm's states do to socmon's alert, one after the other, over a real database."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from bot.domain.alert import Source
from bot.domain.delivery import Delivery, Outcome, Receipt
from bot.procedures.receive_alert import receive_alert
from bot.procedures.respond_to_alert import resolve
from bot.providers.cloudwatch.alarm import read_alarm
from bot.providers.cloudwatch.settings import EXAMPLE_TOPIC
from tests.reports import NOTE, SAM
from tests.world import ROUTES, Ledger

START = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
NO_DATA = "INSUFFICIENT_DATA"


class Alarm:
    """A CloudWatch alarm that notifies socmon of every state it comes to."""

    def __init__(self) -> None:
        self.ledger = Ledger.shared()
        self.name = f"alarm-{self.ledger.fresh_key()}"
        self.minute = 0

    def goes(self, before: str, now: str) -> tuple[Outcome, int | None, str]:
        self.minute += 1
        return self.went(before, now, self.minute)

    def went(self, before: str, now: str, minute: int) -> tuple[Outcome, int | None, str]:
        """The same at a minute of its own: what SNS delivers late."""
        changed_at = START + timedelta(minutes=minute)
        alarm = {
            "AlarmName": self.name,
            "AWSAccountId": "111122223333",
            "OldStateValue": before,
            "NewStateValue": now,
            "StateChangeTime": changed_at.isoformat(),
        }
        delivery = Delivery(
            provider="cloudwatch",
            delivery_id=f"{self.name}-{minute}",
            received_at=changed_at,
            verified_by="sns v2",
            body=b"{}",
            alerts=(read_alarm(alarm, topic=EXAMPLE_TOPIC, received_at=changed_at),),
        )
        receipt: Receipt = self.ledger.write(receive_alert, delivery, routes=ROUTES)
        return receipt.alerts[0]


def test_a_new_alarm_finds_its_data() -> None:
    """Every alarm begins without data and then says OK; nobody is to write a note about that."""
    assert Alarm().goes(NO_DATA, "OK") == (Outcome.IGNORED, None, "was not in alarm")


@pytest.mark.parametrize("heard", [True, False], ids=["told of the loss", "not told of the loss"])
def test_an_alarm_recovers_while_its_data_is_away(heard: bool) -> None:  # noqa: FBT001 - two cases
    """ALARM, no data, OK: the end of the alert, whether or not CloudWatch notifies socmon of the loss in between."""
    alarm = Alarm()
    _, number, _ = alarm.goes("OK", "ALARM")
    if heard:
        alarm.goes("ALARM", NO_DATA)

    assert alarm.goes(NO_DATA, "OK") == (Outcome.TRANSITION, number, Source.RECOVERED)


@pytest.mark.parametrize(
    ("states", "outcomes"),
    [
        (["OK", "ALARM", "OK"], [Outcome.NEW, Outcome.TRANSITION]),
        (["OK", "ALARM", "OK", "ALARM"], [Outcome.NEW, Outcome.TRANSITION, Outcome.TRANSITION]),
        (["OK", NO_DATA, "OK"], [Outcome.NEW, Outcome.TRANSITION]),
        ([NO_DATA, "ALARM", NO_DATA, "ALARM"], [Outcome.NEW, Outcome.TRANSITION, Outcome.TRANSITION]),
    ],
    ids=" → ".join,
)
def test_one_alert_follows_its_alarm(states: Sequence[str], outcomes: Sequence[Outcome]) -> None:
    alarm = Alarm()

    assert [alarm.goes(*pair)[0] for pair in pairwise(states)] == outcomes


def test_a_second_episodes_recovery_overtakes_its_alarm() -> None:
    """It gets an alert of its own, also when SNS never delivers the ALARM; else nobody would ever hear of it."""
    alarm = Alarm()
    _, first, _ = alarm.goes("OK", "ALARM")
    alarm.goes("ALARM", "OK")
    alarm.ledger.write(resolve, first, by=SAM, resolution=NOTE)

    outcome, second, _ = alarm.went("ALARM", "OK", 61)

    assert (outcome, second != first) == (Outcome.NEW, True)
    assert alarm.went("OK", "ALARM", 60) == (Outcome.REPEATED, second, "")
    alert = alarm.ledger.read(lambda records: records.alert(second))
    assert (alert.source, alert.previous_id, alert.note_needed) == (Source.RECOVERED, first, True)


def test_an_alarm_that_finds_its_data_again_opens_nothing() -> None:
    """OK after no data ends no episode that nobody has heard of."""
    alarm = Alarm()
    _, first, _ = alarm.goes("OK", "ALARM")
    alarm.goes("ALARM", "OK")
    alarm.ledger.write(resolve, first, by=SAM, resolution=NOTE)

    assert alarm.goes(NO_DATA, "OK") == (Outcome.REPEATED, first, "")
