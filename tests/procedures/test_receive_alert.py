"""What becomes of what tools say: new, repeated, changed or old news; each delivery once, each figure right."""

import itertools
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.alert import Change, Reported, Severity, Source
from bot.domain.delivery import TEST_NOTIFICATION, Delivery, Outcome, Receipt, Result
from bot.domain.thread import SlackRoute, SlackRoutes
from bot.procedures import respond_to_alert
from bot.procedures.receive_alert import receive_alert, refuse_delivery
from tests.reports import NOTE, SAM, START, delivery, report
from tests.world import ROUTES, Ledger

KEY = "cpu/prod-db-1"


def at(minute: float) -> dict[str, Any]:
    return {"occurred_at": START + timedelta(minutes=minute)}


T, R, N = Change.TRIGGERED, Change.RECOVERED, Change.NO_DATA


def trigger(minute: float, **facts: Any) -> Reported:
    return report(KEY, T, **at(minute), **facts)


def recovery(minute: float, **facts: Any) -> Reported:
    return report(KEY, R, **at(minute), **facts)


def receive(ledger: Ledger, *alerts: Reported, **facts: Any) -> Receipt:
    receipt: Receipt = ledger.write(receive_alert, delivery(*alerts, **facts), routes=ROUTES)
    return receipt


def resolve(ledger: Ledger, alert_id: int) -> None:
    ledger.write(respond_to_alert.resolve, alert_id, by=SAM, resolution=NOTE)


def entries(ledger: Ledger) -> int:
    size: int = ledger.read(lambda records: records.tree()[1].size)
    return size


RESOLVED = "resolved by a person"


@dataclass(frozen=True, kw_only=True)
class Story:
    """What a tool says one after the other (a person resolves in between), and what comes of it."""

    told: list[Reported | str]
    outcomes: list[Outcome]
    source: Source
    alerts: int = 1
    kinds: list[str] = field(default_factory=list)


NEW, REPEATED, TRANSITION, IGNORED = Outcome.NEW, Outcome.REPEATED, Outcome.TRANSITION, Outcome.IGNORED
UPDATE = replace(trigger(1), change=Change.UPDATED, said="acknowledged in the tool by Sam")
STORIES = {
    "a problem begins": Story(told=[trigger(0)], outcomes=[NEW], source=Source.FIRING, kinds=["triggered"]),
    "the tool repeats itself": Story(
        told=[trigger(0), trigger(5), trigger(9)],
        outcomes=[NEW, REPEATED, REPEATED],
        source=Source.FIRING,
        kinds=["triggered"],
    ),
    "it recovers": Story(
        told=[trigger(0), recovery(5)],
        outcomes=[NEW, TRANSITION],
        source=Source.RECOVERED,
        kinds=["triggered", "recovered"],
    ),
    "it flaps": Story(
        told=[trigger(0), recovery(5), trigger(6)],
        outcomes=[NEW, TRANSITION, TRANSITION],
        source=Source.FIRING,
        kinds=["triggered", "recovered", "refired"],
    ),
    "the recovery overtakes its trigger": Story(
        told=[recovery(5), trigger(0)],
        outcomes=[NEW, REPEATED],
        source=Source.RECOVERED,
        kinds=["triggered"],
    ),
    "trigger and recovery bear one time": Story(
        told=[recovery(5), trigger(5)], outcomes=[NEW, REPEATED], source=Source.RECOVERED
    ),
    "an old recovery comes late": Story(
        told=[trigger(5), recovery(3)], outcomes=[NEW, REPEATED], source=Source.FIRING
    ),
    "the signal is lost and found": Story(
        told=[trigger(0), report(KEY, N, **at(2)), trigger(4)],
        outcomes=[NEW, TRANSITION, TRANSITION],
        source=Source.FIRING,
        kinds=["triggered", "no_data", "refired"],
    ),
    "no data is a problem of its own": Story(
        told=[report(KEY, N, **at(0))], outcomes=[NEW], source=Source.UNKNOWN, kinds=["triggered"]
    ),
    "it gets worse": Story(
        told=[trigger(0, severity=Severity.SEV3), trigger(1, severity=Severity.SEV1)],
        outcomes=[NEW, TRANSITION],
        source=Source.FIRING,
        kinds=["triggered", "worsened"],
    ),
    "it gets less bad, which changes nothing": Story(
        told=[trigger(0, severity=Severity.SEV1), trigger(1, severity=Severity.SEV3)],
        outcomes=[NEW, REPEATED],
        source=Source.FIRING,
    ),
    "the tool tells what somebody did there": Story(
        told=[trigger(0), UPDATE],
        outcomes=[NEW, TRANSITION],
        source=Source.FIRING,
        kinds=["triggered", "updated"],
    ),
    "it recovers after a person resolved it": Story(
        told=[trigger(0), RESOLVED, recovery(5)],
        outcomes=[NEW, TRANSITION],
        source=Source.RECOVERED,
        kinds=["triggered", "resolved", "recovered"],
    ),
    "the same episode is told again after it was resolved": Story(
        told=[trigger(0, occurrence="e1"), RESOLVED, trigger(9, occurrence="e1")],
        outcomes=[NEW, REPEATED],
        source=Source.FIRING,
        kinds=["triggered", "resolved"],
    ),
    "old news come after it was resolved": Story(
        told=[trigger(5), RESOLVED, trigger(3), trigger(5)],
        outcomes=[NEW, REPEATED, REPEATED],
        source=Source.FIRING,
    ),
    "another episode begins after it was resolved": Story(
        told=[trigger(0, occurrence="e1"), RESOLVED, trigger(9, occurrence="e2")],
        outcomes=[NEW, NEW],
        source=Source.FIRING,
        alerts=2,
        kinds=["triggered"],
    ),
    "it fires again after it was resolved, without episode names": Story(
        told=[trigger(0), RESOLVED, trigger(9)], outcomes=[NEW, NEW], source=Source.FIRING, alerts=2
    ),
    "another episode's name while it is open": Story(
        told=[trigger(0, occurrence="e1"), trigger(1, occurrence="e2")],
        outcomes=[NEW, REPEATED],
        source=Source.FIRING,
    ),
    "a test notification": Story(
        told=[trigger(0, ignored=TEST_NOTIFICATION)], outcomes=[IGNORED], source=Source.FIRING, alerts=0
    ),
    "an update of nothing": Story(told=[UPDATE], outcomes=[IGNORED], source=Source.FIRING, alerts=0),
}


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES.keys())
def test_what_a_tool_says_becomes(ledger: Ledger, story: Story) -> None:
    """Each report's outcome, the number of alerts, the newest one's source state, and its timeline."""
    outcomes = []
    for told in story.told:
        if isinstance(told, str):
            resolve(ledger, 1)
        else:
            [(outcome, alert_id, reason)] = receive(ledger, told).alerts
            outcomes.append(outcome)
            assert (alert_id is None) == (outcome is IGNORED)
            assert bool(reason) == (outcome in {IGNORED, TRANSITION})

    alerts = ledger.read(lambda records: records.find_alerts())
    assert outcomes == story.outcomes
    assert len(alerts) == story.alerts
    if alerts:
        assert alerts[0].source is story.source
        assert alerts[0].previous_id == (1 if story.alerts == 2 else None)
        assert alerts[0].repeats == (story.outcomes.count(REPEATED) if story.alerts == 1 else 0)
    if story.kinds:
        kinds = [moment.kind for moment in ledger.read(lambda records: records.timeline(alerts[0].id))]
        assert kinds == story.kinds


def test_a_delivery_that_is_sent_again_changes_nothing(ledger: Ledger) -> None:
    """Not the alerts, not the log; only a counter says that it came."""
    again = delivery(trigger(0), trigger(1))
    ledger.write(receive_alert, again, routes=ROUTES)
    before = entries(ledger), ledger.read(lambda records: records.find_alerts())

    receipts = [ledger.write(receive_alert, again, routes=ROUTES) for _ in range(3)]

    assert receipts == [Receipt(result=Result.DUPLICATE)] * 3
    assert before == (entries(ledger), ledger.read(lambda records: records.find_alerts()))


def test_two_providers_may_use_one_delivery_id_and_one_key(ledger: Ledger) -> None:
    """Names are a provider's own."""
    for provider in ("datadog", "grafana"):
        receipt = receive(ledger, trigger(0), provider=provider, delivery_id="1")
        assert receipt.alerts[0][0] is NEW


def test_one_body_may_hold_many_alerts_and_one_problem_twice(ledger: Ledger) -> None:
    """Each is treated as if it had come alone, in order; the first entry commits to the whole body."""
    other = report("disk/prod-db-1", T)
    receipt = receive(
        ledger, trigger(0, ignored="muted"), trigger(0), other, trigger(1), recovery(2), recovery(3)
    )

    assert [(outcome, alert_id) for outcome, alert_id, _ in receipt.alerts] == [
        (IGNORED, None),
        (NEW, 1),
        (NEW, 2),
        (REPEATED, 1),
        (TRANSITION, 1),
        (REPEATED, 1),
    ]
    alert = ledger.read(lambda records: records.alert(1))
    assert (alert.source, alert.repeats) == (Source.RECOVERED, 2)
    assert _commits_to_the_body(ledger) == [True, False, False]


def test_each_delivery_commits_to_its_body_exactly_once(ledger: Ledger) -> None:
    """Whatever came of it: new alerts, nothing but repeats, nothing at all, or unreadable."""
    receive(ledger, trigger(0))
    receive(ledger, trigger(1))
    receive(ledger, trigger(2, ignored="muted"))
    receive(ledger, UPDATE)
    receive(ledger)
    receive(ledger, unreadable=True, gap="not JSON")

    assert _commits_to_the_body(ledger) == [True] * 6


def _commits_to_the_body(ledger: Ledger) -> list[bool]:
    sql = "SELECT seq IN (SELECT seq FROM disclosure WHERE path = 'raw') FROM leaf ORDER BY seq"
    with ledger.database.reading.connect() as connection:
        return [bool(row[0]) for row in connection.exec_driver_sql(sql)]


def test_what_cannot_be_read_is_kept_whole_and_shown(ledger: Ledger) -> None:
    """A genuine body never disappears: it is stored, it is a gap, and it opens no alert."""
    receipt = receive(ledger, unreadable=True, gap="The body is not JSON", body=b"\x00\xffnonsense")

    assert receipt == Receipt(result=Result.UNREADABLE)
    assert [why for _, _, why in ledger.read(lambda records: records.gaps(START - timedelta(days=1)))] == [
        "The body is not JSON"
    ]
    assert ledger.read(lambda records: records.find_alerts()) == []
    with ledger.database.reading.connect() as connection:
        assert connection.exec_driver_sql("SELECT body FROM delivery").scalar_one() == b"\x00\xffnonsense"


def test_a_refused_delivery_leaves_a_counter_and_nothing_else(ledger: Ledger) -> None:
    """No body, no entry, no sign of life of the source."""
    ledger.write(refuse_delivery, "generic", reason="bad secret")

    assert entries(ledger) == 0
    assert ledger.read(lambda records: records.counts(START)) == [
        ("generic", "delivery", "refused", "bad secret", 1)
    ]
    with ledger.database.reading.connect() as connection:
        for table in ("delivery", "disclosure", "leaf", "source"):
            assert connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one() == 0  # noqa: S608


def test_an_alert_goes_to_the_channel_of_the_first_rule_that_takes_it(ledger: Ledger) -> None:
    """Its on-call people come from the same rule; a late change of severity moves nothing."""
    routes = SlackRoutes(
        default=SlackRoute(channel="C0ALL", on_call=("U1SAM",)),
        rules=[
            SlackRoute(channel="C0DATABASES", component="prod-db-*", on_call=("U1KIM",)),
            SlackRoute(channel="C0WORST", severity=Severity.SEV1),
        ],
    )
    worst: dict[str, Any] = {"component": "web", "severity": Severity.SEV1}
    for key, facts in (("a", {}), ("b", worst), ("c", {"component": "x"})):
        ledger.write(receive_alert, delivery(report(key, **facts)), routes=routes)

    def placed(alert_id: int) -> tuple[str, tuple[str, ...]]:
        thread = ledger.read(lambda records: records.thread(alert_id))
        return thread.channel, ledger.read(lambda records: records.alert(alert_id)).on_call

    assert [placed(number) for number in (1, 2, 3)] == [
        ("C0DATABASES", ("U1KIM",)),
        ("C0WORST", ()),
        ("C0ALL", ("U1SAM",)),
    ]


EVENTS = {
    "a life": [trigger(0), report(KEY, N, **at(2)), trigger(3), recovery(5), trigger(6)],
    "ends well": [trigger(0), trigger(4), report(KEY, N, **at(5)), trigger(7), recovery(9)],
    "ties": [trigger(1), report(KEY, N, **at(1)), recovery(1), trigger(0), report(KEY, N, **at(0))],
    "a lost signal and a trigger at one time": [
        trigger(1),
        report(KEY, N, **at(1)),
        recovery(0),
        trigger(0),
        report(KEY, N, **at(0)),
    ],
}


@pytest.mark.parametrize("events", EVENTS.values(), ids=EVENTS.keys())
def test_every_order_of_arrival_ends_in_the_same_source_state(events: list[Reported]) -> None:
    """The tools' own times decide, in all 120 orders of five reports."""
    ledger = Ledger.shared()
    ends = set()
    for order in itertools.permutations(events):
        key = ledger.fresh_key()
        for event in order:
            receive(ledger, replace(event, dedup_key=key))
        alert = ledger.read(lambda records, key=key: records.latest_alert("generic", key))
        ends.add((alert.source, alert.source_at))

    assert len(ends) == 1


@st.composite
def intakes(draw: st.DrawFn) -> list[Delivery | str]:
    """Deliveries of all sorts, some sent again, some refused."""
    reports = st.builds(
        report,
        st.sampled_from(["a", "b", "c"]),
        st.sampled_from(list(Change)),
        occurred_at=st.one_of(
            st.none(), st.integers(0, 9).map(lambda minute: START + timedelta(minutes=minute))
        ),
        occurrence=st.sampled_from([None, "e1", "e2"]),
        severity=st.sampled_from(list(Severity)),
        ignored=st.sampled_from(["", "", "muted"]),
        said=st.just("something"),
    )
    made = st.builds(lambda alerts: delivery(*alerts), st.lists(reports, max_size=4))
    broken = st.builds(lambda: delivery(unreadable=True, gap="broken"))
    sent: list[Delivery | str] = draw(st.lists(st.one_of(made, made, broken, st.just("forged")), max_size=8))
    again = draw(st.lists(st.sampled_from(sent), max_size=4)) if sent else []
    return draw(st.permutations([*sent, *again]))


@given(intakes())
def test_figures_reconcile(sent: list[Delivery | str]) -> None:
    """received = accepted + duplicate + refused + unreadable; reported = new + repeated + transition + ignored."""
    ledger = Ledger.shared()
    before = _figures(ledger)
    receipts = []
    for number, one in enumerate(sent):
        if isinstance(one, str):
            ledger.write(refuse_delivery, "generic", reason="bad secret")
            continue
        receipts.append(ledger.write(receive_alert, one, routes=ROUTES))
        if number == len(sent) // 2:
            _resolve_all(ledger)

    counted = _figures(ledger) - before
    assert sum(counted["delivery", result] for result in Result) == len(sent)
    assert counted["delivery", Result.REFUSED] == sent.count("forged")
    for result in (Result.ACCEPTED, Result.DUPLICATE, Result.UNREADABLE):
        assert counted["delivery", result] == sum(receipt.result is result for receipt in receipts)
    told = Counter(outcome for receipt in receipts for outcome, _, _ in receipt.alerts)
    assert {outcome: counted["alert", outcome] for outcome in Outcome} == {one: told[one] for one in Outcome}
    accepted = {one.delivery_id: len(one.alerts) for one in sent if isinstance(one, Delivery)}
    assert sum(counted["alert", outcome] for outcome in Outcome) == sum(accepted.values())


def _figures(ledger: Ledger) -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()
    for provider, kind, result, _, number in ledger.read(lambda records: records.counts(START)):
        if provider == "generic":  # others share the ledger
            found[kind, result] += number
    return found


def _resolve_all(ledger: Ledger) -> None:
    for alert in ledger.read(lambda records: records.find_alerts(open_only=True)):
        if alert.dedup_key in {"a", "b", "c"}:
            resolve(ledger, alert.id)
