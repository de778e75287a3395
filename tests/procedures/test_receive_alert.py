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


def firing(minute: float, **facts: Any) -> Reported:
    """What a tool says that tells the state of now, and since when: the episode bears the name of its start."""
    return trigger(minute, current=True, occurrence=f"e{minute}", **facts)


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
    """What a tool says one after the other, and what comes of it; a person resolves in between, or minutes pass."""

    told: list[Reported | str | int]
    outcomes: list[Outcome]
    source: Source
    alerts: int = 1
    kinds: list[str] = field(default_factory=list)
    severity: Severity | None = None


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
    "the tool tells that somebody raised its priority there": Story(
        told=[
            *(trigger(0, severity=Severity.SEV3), replace(UPDATE, raised_to=Severity.SEV4)),
            *(replace(UPDATE, raised_to=Severity.SEV1), replace(UPDATE, raised_to=Severity.SEV2), UPDATE),
        ],
        outcomes=[NEW, TRANSITION, TRANSITION, TRANSITION, TRANSITION],
        source=Source.FIRING,
        kinds=["triggered", "updated", "updated", "updated", "updated"],
        severity=Severity.SEV1,
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
    "the state of now, firing on with its old start after a recovery that was none": Story(
        told=[1, firing(0), 11, recovery(10, occurrence="e0"), 16, firing(0)],
        outcomes=[NEW, TRANSITION, TRANSITION],
        source=Source.FIRING,
        kinds=["triggered", "recovered", "refired"],
    ),
    "the same, and its true end, which was heard late": Story(
        told=[
            *(1, firing(0), 11, recovery(10, occurrence="e0"), 16, firing(0)),
            *(17, recovery(12, occurrence="e0"), recovery(10, occurrence="e0")),
        ],
        outcomes=[NEW, TRANSITION, TRANSITION, TRANSITION, REPEATED],
        source=Source.RECOVERED,
    ),
    "the state of now after a recovery that was none, and a person's note": Story(
        told=[1, firing(0), 11, recovery(10, occurrence="e0"), RESOLVED, 16, firing(0), 256, firing(0)],
        outcomes=[NEW, TRANSITION, NEW, REPEATED],
        source=Source.FIRING,
        alerts=2,
    ),
    "the state of now, overtaken by its recovery": Story(
        told=[1, recovery(1, occurrence="e0"), firing(0), RESOLVED, firing(0)],
        outcomes=[NEW, REPEATED, REPEATED],
        source=Source.RECOVERED,
    ),
    "the state of now is told on and on after a person resolved it": Story(
        told=[1, firing(0), RESOLVED, 9, firing(0), 99, firing(0)],
        outcomes=[NEW, REPEATED, REPEATED],
        source=Source.FIRING,
    ),
    "the state of now after the signal was lost": Story(
        told=[1, firing(0), report(KEY, N, **at(3)), 9, firing(0)],
        outcomes=[NEW, TRANSITION, TRANSITION],
        source=Source.FIRING,
        kinds=["triggered", "no_data", "refired"],
    ),
    "a later episode joins the open alert and ends after a person resolved it": Story(
        told=[
            *(trigger(0, occurrence="e1"), recovery(5, occurrence="e1"), trigger(10, occurrence="e2")),
            *(RESOLVED, trigger(25, occurrence="e2"), recovery(30, occurrence="e2")),
        ],
        outcomes=[NEW, TRANSITION, TRANSITION, REPEATED, TRANSITION],
        source=Source.RECOVERED,
    ),
    "the same, when the first episode's end was never heard": Story(
        told=[
            *(trigger(0, occurrence="e1"), trigger(10, occurrence="e2")),
            *(RESOLVED, recovery(30, occurrence="e2")),
        ],
        outcomes=[NEW, REPEATED, TRANSITION],
        source=Source.RECOVERED,
    ),
    "an earlier episode's name comes late": Story(
        told=[
            *(trigger(10, occurrence="e2"), trigger(0, occurrence="e1")),
            *(RESOLVED, recovery(30, occurrence="e2")),
        ],
        outcomes=[NEW, REPEATED, TRANSITION],
        source=Source.RECOVERED,
    ),
    "a later episode's recovery, without a name, overtakes its trigger": Story(
        told=[trigger(0), recovery(5), RESOLVED, recovery(61, ends_episode=True), trigger(60)],
        outcomes=[NEW, TRANSITION, NEW, REPEATED],
        source=Source.RECOVERED,
        alerts=2,
    ),
    "the same recovery after a person resolved what still fired": Story(
        told=[trigger(0), RESOLVED, recovery(5, ends_episode=True), recovery(5, ends_episode=True)],
        outcomes=[NEW, TRANSITION, REPEATED],
        source=Source.RECOVERED,
    ),
    "a later episode's recovery gives no sign, and then comes its trigger": Story(
        told=[trigger(0), recovery(5), RESOLVED, recovery(61), trigger(60)],
        outcomes=[NEW, TRANSITION, REPEATED, NEW],
        source=Source.RECOVERED,
        alerts=2,
    ),
    "a trigger of the resolved episode comes late, and its end came first": Story(
        told=[trigger(0), recovery(5), 9, RESOLVED, recovery(8), trigger(7)],
        outcomes=[NEW, TRANSITION, REPEATED, REPEATED],
        source=Source.RECOVERED,
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
        elif isinstance(told, int):
            ledger.clock.at = START + timedelta(minutes=told)
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
        assert alerts[0].severity is (story.severity or alerts[0].severity)
        assert alerts[0].previous_id == (1 if story.alerts == 2 else None)
    assert sum(alert.repeats for alert in alerts) == story.outcomes.count(REPEATED)
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


def tells(ledger: Ledger, *alerts: Reported) -> Receipt:
    """A delivery without a name of its own, whose id is made of its body."""
    return receive(ledger, *alerts, delivery_id=f"digest of {alerts}", named=False)


def test_an_equal_body_without_a_name_is_a_resend_only_while_it_says_nothing_new(ledger: Ledger) -> None:
    """A tool that flaps tells the same two bodies in turn; each turn counts, and each re-send of one does not."""
    fires, ends = report(KEY, T), report(KEY, R)
    turns = [fires, fires, ends, ends, fires, fires, ends, fires, fires]

    receipts = [tells(ledger, turn) for turn in turns]

    was_resend = [receipt.result is Result.DUPLICATE for receipt in receipts]
    assert was_resend == [False, True, False, True, False, True, False, False, True]
    alert = ledger.read(lambda records: records.alert(1))
    assert (alert.source, alert.flaps, alert.repeats) == (Source.FIRING, 2, 0)


def test_an_equal_body_opens_a_new_alert_after_the_problem_was_over(ledger: Ledger) -> None:
    """Recovered, resolved by a person, and back within minutes: it is told in the very words of before."""
    tells(ledger, report(KEY, T))
    tells(ledger, report(KEY, R))
    resolve(ledger, 1)

    assert tells(ledger, report(KEY, T)).alerts == ((NEW, 2, ""),)
    assert tells(ledger, report(KEY, T)).result is Result.DUPLICATE


def test_a_body_that_tells_two_words_of_one_problem_is_a_resend_by_the_last(ledger: Ledger) -> None:
    """Else each re-send of it would be a flap."""
    body = report(KEY, T), report(KEY, R), report("muted", T, ignored="muted")
    tells(ledger, *body)

    assert tells(ledger, *body).result is Result.DUPLICATE


@pytest.mark.parametrize(
    "second",
    [
        [firing(60), recovery(61, occurrence="e60")],
        [trigger(60), recovery(61)],
        [trigger(60, occurrence="e60"), recovery(61, ends_episode=True)],
        [trigger(60), report(KEY, N, **at(61)), trigger(62), recovery(63, ends_episode=True)],
    ],
    ids=["state of now", "times only", "recovery without a name", "lost and found"],
)
def test_every_order_of_a_second_episode_ends_in_the_same_second_alert(second: list[Reported]) -> None:
    """The first one is over, and resolved: whatever comes first of the second one, it gets an alert of its own."""
    ledger = Ledger.shared()
    ends = set()
    for order in itertools.permutations(second):
        key = ledger.fresh_key()
        ledger.clock.at = START
        for event in [trigger(0, occurrence="e0"), recovery(5, occurrence="e0")]:
            receive(ledger, replace(event, dedup_key=key))
        first = ledger.read(lambda records, key=key: records.latest_alert("generic", key))
        ledger.clock.at = START + timedelta(minutes=6)
        resolve(ledger, first.id)
        ledger.clock.at = START + timedelta(minutes=61)
        for event in order:
            receive(ledger, replace(event, dedup_key=key))
        alert = ledger.read(lambda records, key=key: records.latest_alert("generic", key))
        ends.add((alert.previous_id == first.id, alert.is_open, alert.source, alert.source_at))

    assert ends == {(True, True, Source.RECOVERED, second[-1].occurred_at)}


def test_an_update_that_makes_it_worse_moves_the_alert_up_in_slack(ledger: Ledger) -> None:
    """The parent is to show it, and the thread is as urgent as the alert; other updates leave both as they are."""
    receive(ledger, trigger(0, severity=Severity.SEV3))
    for raised_to in (Severity.SEV4, None, Severity.SEV1):
        before = ledger.read(lambda records: records.thread(1))
        receive(ledger, replace(UPDATE, raised_to=raised_to))
        after = ledger.read(lambda records: records.thread(1))
        assert after.revision - before.revision == (raised_to is Severity.SEV1)

    with ledger.database.reading.connect() as connection:
        assert connection.exec_driver_sql("SELECT severity FROM thread").scalar_one() == "SEV1"


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
