"""The playground's PagerDuty: who is on call there, what people do there, and what it keeps."""

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from bot.playground.errors import SlackError
from bot.playground.pagerduty import KEY, POLICY, FakePagerDuty
from bot.playground.pagerduty_desk import desk, do
from bot.playground.people import staff_pagerduty
from bot.providers.contract import SampleKind
from bot.providers.pagerduty.samples import PagerDutySamples
from tests.playground.rig import START, HandClock


@pytest.fixture
def pagerduty() -> FakePagerDuty:
    return staffed(HandClock())


def staffed(clock: HandClock) -> FakePagerDuty:
    fake = FakePagerDuty(now=clock.now)
    staff_pagerduty(fake, clock.now())
    return fake


def on_call(fake: FakePagerDuty, since: datetime, until: datetime) -> list[tuple[int, str]]:
    """(level, person) as the REST API tells it."""
    query = {
        "escalation_policy_ids[]": [POLICY],
        "since": [since.isoformat()],
        "until": [until.isoformat()],
        "limit": ["100"],
    }
    status, said = fake.answer("GET", "/oncalls", query, {"authorization": f"Token token={KEY}"}, {})
    assert status == 200
    return [(one["escalation_level"], one["user"]["id"]) for one in said["oncalls"]]


def sample(fake: FakePagerDuty, kind: SampleKind) -> None:
    told = PagerDutySamples().sample(kind, problem=1, episode=1, at=START)
    fake.adopt(json.loads(told.body)["event"])


@pytest.mark.parametrize("day", range(7))
@pytest.mark.parametrize("hour", [0, 8, 9, 23])
def test_a_visitor_meets_sam_and_within_eight_days_kim(day: int, hour: int) -> None:
    """On whatever day they open the playground; hand-overs are on Fridays at nine, and leave no gap."""
    clock = HandClock()
    clock.at = datetime(2026, 11, 23, hour, 30, tzinfo=UTC) + timedelta(days=day)
    fake = staffed(clock)

    assert on_call(fake, clock.at, clock.at) == [(1, "PSAM"), (2, "PPAT001")]
    shifts = [one for one in fake.oncalls if one["escalation_level"] == 1]
    assert all(one["end"] == other["start"] for one, other in pairwise(shifts))
    handover = datetime.fromisoformat(shifts[0]["end"])
    assert (handover.weekday(), handover.hour) == (4, 9)
    assert timedelta(days=1) <= handover - clock.at <= timedelta(days=8)
    assert on_call(fake, handover, handover) == [(1, "PKIM"), (2, "PPAT001")]


def test_an_incident_of_the_sources_panel_stands_there(pagerduty: FakePagerDuty) -> None:
    """Told again it stays as people have left it; what is no incident leaves nothing."""
    for kind in (SampleKind.TEST, SampleKind.GARBAGE):
        sample(pagerduty, kind)
    assert pagerduty.incidents == {}

    sample(pagerduty, SampleKind.TRIGGERED)
    do(pagerduty, "acknowledge", {"user": "PKIM", "incident": "PINC0001"})
    sample(pagerduty, SampleKind.REPEATED)

    [shown] = desk(pagerduty)["incidents"]
    assert (shown["status"], shown["by"], shown["assigned"]) == ("acknowledged", "Kim Okafor", ["Sam Rivera"])
    sample(pagerduty, SampleKind.RECOVERED)
    assert desk(pagerduty)["incidents"] == []


def test_what_people_do_there_is_told(pagerduty: FakePagerDuty) -> None:
    told: list[dict[str, Any]] = []
    pagerduty.hear = told.append
    sample(pagerduty, SampleKind.TRIGGERED)
    about = {"user": "PPAT001", "incident": "PINC0001"}
    do(pagerduty, "reassign", about | {"to": "PKIM"})
    do(pagerduty, "note", about | {"text": " Looking "})
    do(pagerduty, "resolve", about)

    assert [(one["event_type"], one["agent"]["id"]) for one in told] == [
        ("incident.reassigned", "PPAT001"),
        ("incident.annotated", "PPAT001"),
        ("incident.resolved", "PPAT001"),
    ]
    assert told[1]["data"]["content"] == "Looking"


@pytest.mark.parametrize(
    ("act", "given"),
    [
        ("acknowledge", {"user": "U0SAM", "incident": "PINC0001"}),
        ("acknowledge", {"user": "PSAM", "incident": "PINC9"}),
        ("note", {"user": "PSAM", "incident": "PINC0001", "text": " "}),
        ("reassign", {"user": "PSAM", "incident": "PINC0001", "to": "U0KIM"}),
        ("explode", {"user": "PSAM", "incident": "PINC0001"}),
    ],
)
def test_what_nobody_can_do_there_changes_nothing(
    pagerduty: FakePagerDuty, act: str, given: dict[str, str]
) -> None:
    sample(pagerduty, SampleKind.TRIGGERED)
    before = json.dumps(desk(pagerduty))

    with pytest.raises(SlackError):
        do(pagerduty, act, given)

    assert json.dumps(desk(pagerduty)) == before


def test_it_remembers_over_a_restart(pagerduty: FakePagerDuty) -> None:
    sample(pagerduty, SampleKind.TRIGGERED)
    do(pagerduty, "note", {"user": "PSAM", "incident": "PINC0001", "text": "Kept"})
    again = FakePagerDuty(now=HandClock().now)
    again.restore(json.loads(json.dumps(pagerduty.dump())))

    assert again.dump() == pagerduty.dump()
    assert desk(again)["incidents"][0]["notes"] == [{"by": "Sam Rivera", "text": "Kept"}]
