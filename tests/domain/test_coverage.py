"""A cell is covered when it reports, would alert, and that would reach somebody. All else has a reason."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from time import process_time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.answers import Known
from bot.domain.component import MEASURES, Component, Identity, Kind, Measure, unite
from bot.domain.coverage import Assessment, Cell, State, assess
from bot.domain.monitor import Comparator, Monitor, Mute, Target, TargetKind, Watches
from bot.domain.oncall import InSlack
from bot.domain.route import Routes, reaches_nobody
from bot.domain.scope import Exclusion, lines
from bot.domain.shortfall import Question, Why
from bot.domain.standard import at_least_as_strict
from tests.fleets import (
    MONITORS,
    NEVER,
    OPS,
    READINGS,
    ROUTES,
    STANDARD,
    WEB,
    in_scope,
    look,
    monitor,
    reading,
    rule,
    whole,
)
from tests.rosters import EMAIL, NOW, person, roster, shift, team


def cell(found: Assessment, measure: Measure = Measure.CPU) -> Cell:
    (only,) = [each for each in found.cells if each.measure is measure]
    return only


def with_cpu(**facts: Any) -> dict[str, Known[Monitor]]:
    """The same monitors, the one of CPU otherwise."""
    others = [each for each in MONITORS if each.measure is not Measure.CPU]
    return {"datadog": whole([*others, monitor(**facts)])}


def test_all_three_make_it_covered() -> None:
    found = look()

    assert found.counts == {State.COVERED: 5, State.GAP: 0, State.UNKNOWN: 0}
    assert all(each.holds(question) for each in found.cells for question in Question)


@pytest.mark.parametrize(
    ("facts", "why", "says"),
    [
        ({"threshold": Decimal(95)}, Why.TOO_WEAK, "fires only > 95, where the standard says > 85"),
        ({"window": timedelta(minutes=15)}, Why.TOO_SLOW, "after 15 min, later than 5 min"),
        ({"enabled": False}, Why.DISABLED, "is disabled"),
        ({"silenced": "muted until 18:00"}, Why.SILENCED, "muted until 18:00"),
        ({"severity": "SEV4"}, Why.TOO_MILD, "SEV4, below the standard's SEV3"),
        ({"comparator": Comparator.OTHER}, Why.NO_THRESHOLD, "no threshold"),
        ({"comparator": Comparator.BELOW}, Why.OTHER_WAY, "fires < 85"),
        ({"name": "CPU web-1", "watches": Watches(identities=frozenset({Identity("host", "old")}))},
         Why.ELSEWHERE, "watches host:old"),
        ({"watches": Watches(unreadable="a wildcard.")}, Why.UNREADABLE, "a wildcard"),
        ({"watches": Watches(tags={"env": "test"})}, Why.NO_MONITOR, "No monitor watches its cpu"),
        ({"watches": Watches(tags={"env": "prod"}, without={"env": "prod"})}, Why.NO_MONITOR, "No monitor"),
        ({"targets": ()}, Why.NO_TARGET, "no target"),
        ({"targets": (replace(OPS, dead="its key is orphaned"),)}, Why.DEAD_TARGET, "its key is orphaned."),
        ({"targets": (Target(kind=TargetKind.PAGERDUTY, name="@pagerduty-Old"),)}, Why.NO_TEAM, "no team"),
        ({"targets": (Target(kind=TargetKind.SLACK, name="@slack-random"),)}, Why.NOT_APPROVED, "approved"),
    ],
)  # fmt: skip
def test_what_keeps_a_monitor_from_serving_is_said(facts: dict[str, Any], why: Why, says: str) -> None:
    found = cell(look(monitors=with_cpu(**facts)))

    assert found.state is State.GAP
    assert [each.why for each in found.shortfalls] == [why]
    assert says in found.shortfalls[0].says
    assert found.shortfalls[0].mend.endswith(".")


@pytest.mark.parametrize(
    ("tags", "watches", "watched"),
    [
        ({"service": "api,web"}, Watches(tags={"service": "web"}), True),
        ({"env": "stage"}, Watches(tags={"env": "prod,stage"}), True),
        ({"env": "Prod"}, Watches(tags={"env": "prod"}), True),
        (
            {"env": "prod", "role": "cron"},
            Watches(tags={"env": "prod"}, without={"role": "batch,cron"}),
            False,
        ),
        ({"role": "cron"}, Watches(without={"role": "batch,cron"}), False),
        ({"role": "api,cron"}, Watches(without={"role": "cron"}), False),
    ],
)
def test_a_tag_may_have_several_values(tags: dict[str, str], watches: Watches, *, watched: bool) -> None:
    found = cell(look(in_scope(tags=tags), monitors={"datadog": whole([monitor(watches=watches)])}))
    assert (found.state is State.COVERED) is watched
    assert watches.sees(in_scope(tags=tags).component) is watched


def test_a_monitor_may_be_silent_for_a_part_of_what_it_watches() -> None:
    """The rest stays covered, and another monitor may serve the part."""
    mute = Mute(watches=Watches(identities=frozenset({WEB})), why="in a downtime for host:web-1.")
    other = Mute(watches=Watches(identities=frozenset({Identity("host", "web-2")})), why="in another one")
    muted, loud = monitor(id="a", mutes=(mute,)), monitor(id="b", mutes=(other,))

    part = cell(look(monitors={"datadog": whole([muted])}))
    both = cell(look(monitors={"datadog": whole([muted, loud])}))

    assert [each.why for each in part.shortfalls] == [Why.SILENCED]
    assert "sends nothing for it (in a downtime for host:web-1)" in part.shortfalls[0].says
    assert (both.state, both.monitor) == (State.COVERED, loud)


def test_no_data_has_to_be_noticed_for_uptime() -> None:
    """And in time: how long a monitor waits for data may be longer than its window."""
    quiet = monitor(Measure.UPTIME, comparator=Comparator.AT_LEAST, threshold=Decimal(1))
    loud = replace(quiet, alerts_on_no_data=True)
    late = replace(loud, no_data_window=timedelta(hours=1))

    states = [cell(look(monitors={"datadog": whole([each])}), Measure.UPTIME) for each in (quiet, loud, late)]

    assert [each.state for each in states] == [State.GAP, State.COVERED, State.GAP]
    assert [each.shortfalls[0].why for each in states[::2]] == [Why.NO_DATA_IGNORED, Why.TOO_SLOW]


def seen(provider: str, name: str, **tags: str) -> Component:
    """As one tool knows the machine; all know its instance."""
    names = frozenset({Identity("host", name), Identity("instance", "i-1")})
    return Component(kind=Kind.HOST, name=name, identities=names, sources=frozenset({provider}), tags=tags)


@pytest.mark.parametrize(
    ("facts", "watched"),
    [
        ({"watches": Watches(tags={"env": "prod"})}, True),
        ({"watches": Watches(tags={"env": "test"})}, False),
        ({"watches": Watches(tags={"team": "shop"})}, False),
        ({"watches": Watches(tags={"env": "prod"}, without={"env": "test"})}, True),
        ({"watches": Watches(identities=frozenset({Identity("host", "new")}))}, True),
        ({"watches": Watches(identities=frozenset({Identity("host", "old")}))}, False),
        ({"watches": Watches(identities=frozenset({Identity("host", "ip-1")}))}, False),
        ({"mutes": (Mute(watches=Watches(tags={"env": "test"}), why="muted"),)}, True),
        ({"mutes": (Mute(watches=Watches(tags={"env": "prod"}), why="muted"),)}, False),
    ],
)
def test_a_monitor_finds_what_its_own_tool_calls_so_now(facts: dict[str, Any], *, watched: bool) -> None:
    """Not what another tool does, nor what people do, nor what it was called when it came into scope."""
    known = unite([seen("cloudwatch", "ip-1", env="test", team="shop"), seen("datadog", "new", env="prod")])
    item = in_scope("old", identities=frozenset({Identity("host", "old"), Identity("instance", "i-1")}),
                    tags={"env": "test", "team": "shop"})  # fmt: skip
    [line] = lines([item], known)
    readings = whole([reading(measure, of=Identity("host", "new")) for measure in MEASURES[Kind.HOST]])

    found = cell(
        look(
            replace(item, component=line.component),
            readings={"datadog": readings, "cloudwatch": whole(())},
            monitors={"datadog": whole([monitor(**facts)]), "cloudwatch": whole(())},
        )
    )

    assert (found.state is State.COVERED) is watched


def parted(part: str, **facts: Any) -> Monitor:
    watches = Watches(identities=frozenset({WEB}), part=part, parts=frozenset({"/", "/data"}))
    return monitor(Measure.DISK, id=f"{part} {len(facts)}", watches=watches, **facts)


@pytest.mark.parametrize(
    ("monitors", "why"),
    [
        ([parted("/"), parted("/data")], None),
        ([parted("/")], Why.PARTLY),
        ([parted("/"), parted("/data", enabled=False)], Why.DISABLED),
        ([parted("/"), parted("/data", enabled=False), parted("/data")], None),
        ([parted("/"), parted("/data", targets=())], Why.NO_TARGET),
        ([parted("/", enabled=False), monitor(Measure.DISK)], None),
    ],
)
def test_of_several_parts_each_has_to_be_watched(monitors: list[Monitor], why: Why | None) -> None:
    """File systems, target groups: what says nothing of one of them would stay quiet when that one is ill."""
    found = cell(look(monitors={"datadog": whole(monitors)}), Measure.DISK)

    assert [each.why for each in found.shortfalls] == ([why] if why else [])
    assert why is not Why.PARTLY or "nothing watches /data" in found.shortfalls[0].says


def test_a_filter_that_cannot_be_read_is_no_reason_for_what_it_leaves_out() -> None:
    of_others = monitor(watches=Watches(tags={"env": "test"}, unreadable="one number of all."))
    of_it = monitor(watches=Watches(tags={"env": "prod"}, unreadable="one number of all."))

    whys = [cell(look(monitors={"datadog": whole([one])})).shortfalls[0].why for one in (of_others, of_it)]

    assert whys == [Why.NO_MONITOR, Why.UNREADABLE]


def test_the_nearest_monitor_is_shown_and_the_best_one_serves() -> None:
    """One that is too weak on two counts is farther away than one that is merely muted."""
    weak = monitor(id="a", threshold=Decimal(95), window=timedelta(minutes=15))
    muted, good = monitor(id="b", silenced="muted"), monitor(id="c")

    nearest = cell(look(monitors={"datadog": whole([weak, muted])}))
    best = cell(look(monitors={"datadog": whole([weak, muted, good])}))

    assert nearest.monitor == muted
    assert (best.monitor, best.state) == (good, State.COVERED)


@pytest.mark.parametrize(
    ("minutes_old", "why"), [(15, Why.STALE), (None, Why.SILENT), ("none", Why.NOT_CONFIGURED)]
)
def test_a_metric_that_does_not_arrive_is_a_gap(minutes_old: Any, why: Why) -> None:
    others = [each for each in READINGS if each.measure is not Measure.CPU]
    given_now = [] if minutes_old == "none" else [reading(Measure.CPU, minutes_old)]

    found = cell(look(readings={"datadog": whole([*others, *given_now])}))

    assert found.state is State.GAP
    assert found.shortfalls[0].why is why


def test_what_a_tool_does_not_tell_is_unknown() -> None:
    """Also its last good answer, once that is too old; before that it stands."""
    silent = NEVER.take((), complete=False, as_of=NOW, reason="HTTP 403. Grant hosts_read.")

    nothing_told = cell(look(readings={"datadog": silent}))
    too_old = cell(look(readings={"datadog": whole(READINGS, 46)}))
    then = [replace(each, last_at=NOW - timedelta(minutes=31)) for each in READINGS]
    still_good = whole(then, 30).take((), complete=False, as_of=NOW, reason="down")
    no_monitors = cell(look(monitors={"datadog": silent}))

    assert {nothing_told.state, too_old.state, no_monitors.state} == {State.UNKNOWN}
    assert "Grant hosts_read" in nothing_told.shortfalls[0].says
    assert look(readings={"datadog": still_good}).counts[State.COVERED] == 5


def test_a_monitor_serves_only_where_its_metric_arrives() -> None:
    """Datadog reports, the alarm is CloudWatch's, and CloudWatch gets no value: it would never fire."""
    item = in_scope(sources=frozenset({"datadog", "cloudwatch"}))
    alarm = monitor(provider="cloudwatch", metric="CPUUtilization")
    monitors = {"datadog": whole([]), "cloudwatch": whole([alarm])}

    lost = look(
        item,
        readings={"datadog": whole(READINGS), "cloudwatch": whole([reading(Measure.CPU, None)])},
        monitors=monitors,
    )
    arrives = look(
        item,
        readings={"datadog": whole(READINGS), "cloudwatch": whole([reading(Measure.CPU)])},
        monitors=monitors,
    )

    assert cell(lost).shortfalls[0].why is Why.NOT_ARRIVING
    assert cell(arrives).state is State.COVERED


def test_an_exclusion_excludes_until_it_expires() -> None:
    def excluded(days: int) -> Assessment:
        until = NOW + timedelta(days=days)
        why = Exclusion(reason="to be removed", requested_by="U1", approved_by="U2", until=until)
        return look(replace(in_scope(), exclusion=why))

    assert (len(excluded(1).cells), excluded(1).excluded) == (0, ("host:web-1",))
    assert len(excluded(-1).cells) == 5


CALLED_NOBODY: dict[str, tuple[Routes, Why]] = {
    "nobody on call": (replace(ROUTES, roster=roster(team(shift("PSAM", start=1)))), Why.NOBODY),
    "only e-mail": (replace(ROUTES, roster=roster(people=(person(methods=(EMAIL,)),))), Why.UNREACHABLE),
    "left": (replace(ROUTES, roster=roster(people=(person(in_slack=InSlack.DEACTIVATED),))), Why.UNREACHABLE),
    "no roster": (replace(ROUTES, roster=None), Why.NO_ROSTER),
    "another team": (replace(ROUTES, services={"ops": "network"}), Why.NO_ROSTER),
}


@pytest.mark.parametrize(("routes", "why"), CALLED_NOBODY.values(), ids=CALLED_NOBODY)
def test_a_route_ends_at_somebody_on_call_and_reachable(routes: Routes, why: Why) -> None:
    found = reaches_nobody((OPS,), routes, NOW)

    assert found is not None
    assert found.why is why
    state = State.UNKNOWN if why is Why.NO_ROSTER else State.GAP
    assert cell(look(routes=routes)).state is state


@pytest.mark.parametrize(
    "target",
    [
        Target(kind=TargetKind.SLACK, name="@slack-Ops"),
        Target(kind=TargetKind.SLACK, name="C0123", reaches=("#ops",)),
        Target(kind=TargetKind.PAGERDUTY, name="critical", reaches=("PT20YPA",)),
        Target(
            kind=TargetKind.WEBHOOK, name="hook", reaches=("https://socmon.example.com/webhooks/datadog",)
        ),
        Target(kind=TargetKind.EMAIL, name="Sam@example.com"),
        Target(kind=TargetKind.SNS, name="arn:aws:sns:eu-west-1:1:ops", reaches=("x@example.com",)),
    ],
    ids=lambda target: str(target.kind),
)
def test_each_kind_of_target_can_reach_somebody(target: Target) -> None:
    assert reaches_nobody((replace(OPS, dead="gone"), target), ROUTES, NOW) is None


@pytest.mark.parametrize(
    ("target", "why"),
    [
        (OPS, Why.NO_RECOVERY),
        (Target(kind=TargetKind.WEBHOOK, name="x", reaches=("https://socmon.example.com/x",)), Why.NO_RECOVERY),
        (Target(kind=TargetKind.SLACK, name="@slack-ops"), None),
        (Target(kind=TargetKind.EMAIL, name="sam@example.com"), None),
    ],
)  # fmt: skip
def test_what_opens_something_has_to_hear_of_the_recovery(target: Target, why: Why | None) -> None:
    """An incident that stays open takes in the next alert, and nobody is called; a message opens nothing."""
    unclosed = replace(target, recovery=False)

    found = reaches_nobody((unclosed,), ROUTES, NOW)

    assert (found.why if found else None) is why
    assert reaches_nobody((unclosed, target), ROUTES, NOW) is None


def test_a_channel_is_not_taken_for_a_service_of_its_name() -> None:
    found = reaches_nobody(
        (Target(kind=TargetKind.SLACK, name="@slack-ops"),), replace(ROUTES, approved=frozenset()), NOW
    )

    assert found is not None
    assert found.why is Why.NOT_APPROVED


# No false green

Spoil = Callable[[Measure], dict[str, Any]]
SUPPORTS: dict[str, Spoil] = {
    "the reading": lambda of: {
        "readings": {"datadog": whole([each for each in READINGS if each.measure is not of])}
    },
    "the monitor": lambda of: {
        "monitors": {"datadog": whole([each for each in MONITORS if each.measure is not of])}
    },
    "the targets": lambda _of: {
        "monitors": {"datadog": whole([replace(each, targets=()) for each in MONITORS])}
    },
    "the people": lambda _of: {"routes": replace(ROUTES, roster=roster(team(shift("PKIM", start=1))))},
    "the age of the metrics": lambda _of: {"readings": {"datadog": whole(READINGS, 46)}},
    "the age of the monitors": lambda _of: {"monitors": {"datadog": whole(MONITORS, 46)}},
}


@pytest.mark.parametrize("spoil", SUPPORTS.values(), ids=SUPPORTS)
@pytest.mark.parametrize("measure", [each for each in MEASURES[Kind.HOST] if each is not Measure.NETWORK])
def test_without_any_one_support_nothing_is_covered(measure: Measure, spoil: Spoil) -> None:
    assert cell(look(**spoil(measure)), measure).state is not State.COVERED


_readings = st.lists(
    st.builds(reading, st.sampled_from(MEASURES[Kind.HOST]), st.sampled_from([1, 15, None])), max_size=6
)
_monitors = st.lists(
    st.builds(
        monitor,
        st.sampled_from(MEASURES[Kind.HOST]),
        id=st.sampled_from("abcdef"),
        threshold=st.sampled_from([Decimal(80), Decimal(85), Decimal(95)]),
        comparator=st.sampled_from(list(Comparator)),
        enabled=st.booleans(),
        watches=st.sampled_from(
            [Watches(), Watches(tags={"env": "prod"}), Watches(identities=frozenset({WEB}))]
        ),
        targets=st.sampled_from([(OPS,), ()]),
    ),
    max_size=6,
    unique_by=lambda one: one.id,
)


@given(readings=_readings, monitors=_monitors, lost=st.sampled_from(["readings", "monitors"]), kept=st.data())
def test_an_answer_that_becomes_incomplete_turns_no_gap_green(
    readings: list[Any], monitors: list[Any], lost: str, kept: st.DataObject
) -> None:
    """Whatever part of it is still told, and whatever was."""
    told = {"readings": readings, "monitors": monitors}
    heard: dict[str, Any] = {name: {"datadog": whole(items)} for name, items in told.items()}
    before = look(**heard)
    part = kept.draw(st.lists(st.sampled_from(told[lost]))) if told[lost] else []
    broken = NEVER.take(tuple(part), complete=False, as_of=NOW, reason="page 2 was lost")

    after = look(**heard | {lost: {"datadog": broken}})

    was_covered = {each.measure for each in before.cells if each.state is State.COVERED}
    assert {each.measure for each in after.cells if each.state is State.COVERED} <= was_covered


_thresholds = st.decimals(min_value=0, max_value=100, places=1)
_comparators = st.sampled_from([Comparator.ABOVE, Comparator.AT_LEAST, Comparator.BELOW, Comparator.AT_MOST])
_fires: dict[Comparator, Callable[[Decimal, Decimal], bool]] = {
    Comparator.ABOVE: lambda value, threshold: value > threshold,
    Comparator.AT_LEAST: lambda value, threshold: value >= threshold,
    Comparator.BELOW: lambda value, threshold: value < threshold,
    Comparator.AT_MOST: lambda value, threshold: value <= threshold,
}


@given(
    measure=st.sampled_from([Measure.CPU, Measure.ERRORS]),
    mine=st.tuples(_comparators, _thresholds),
    least=st.tuples(_comparators, st.integers(min_value=0, max_value=100)),
    value=st.integers(min_value=0, max_value=1000),
)
def test_at_least_as_strict_means_that_it_fires_whenever_the_rule_does(
    measure: Measure, mine: Any, least: Any, value: int
) -> None:
    standard = rule(*least)
    seen = Decimal(value) if measure is Measure.ERRORS else Decimal(value) / 10
    if at_least_as_strict(measure, standard, *mine) and _fires[least[0]](seen, Decimal(least[1])):
        assert _fires[mine[0]](seen, mine[1])


def test_more_than_none_is_at_least_one() -> None:
    assert at_least_as_strict(Measure.ERRORS, rule(Comparator.AT_LEAST, 1), Comparator.ABOVE, Decimal(0))
    assert not at_least_as_strict(Measure.CPU, rule(Comparator.AT_LEAST, 1), Comparator.ABOVE, Decimal(1))


def test_free_memory_is_watched_from_below() -> None:
    free = {"comparator": Comparator.BELOW, "watches": Watches()}
    states = [
        cell(look(monitors={"datadog": whole([monitor(Measure.MEMORY, threshold=Decimal(each), **free)])}),
             Measure.MEMORY).state
        for each in (2_000_000_000, 500_000_000)
    ]  # fmt: skip

    assert states == [State.COVERED, State.GAP]


def large(number: int) -> dict[str, Any]:
    """Hosts that Datadog reports, with monitors by tag; every fifth has an alarm of its own, some are too weak."""
    entries = {}
    readings, monitors = [], []
    for at in range(number):
        item = in_scope(f"web-{at}", tags={"env": "prod", "team": f"t{at % 50}"})
        entries[item.component.key] = item
        (name,) = item.component.identities
        readings += [reading(measure, 1 if at % 100 else None, of=name) for measure in MEASURES[Kind.HOST]]
        if at % 5 == 0:
            monitors.append(monitor(id=f"a{at}", watches=Watches(identities=frozenset({name}))))
    for team_number in range(50):
        tags = {"env": "prod", "team": f"t{team_number}"}
        monitors += [
            monitor(measure, id=f"{measure}{team_number}", watches=Watches(tags=tags), threshold=threshold)
            for measure in MEASURES[Kind.HOST]
            for threshold in [None if measure is Measure.UPTIME else Decimal(80 if team_number % 3 else 95)]
        ]
    return {
        "in_scope": entries,
        "readings": {"datadog": whole(readings)},
        "monitors": {"datadog": whole(monitors)},
        "standard": STANDARD,
        "routes": ROUTES,
        "now": NOW,
        "time_to_live": timedelta(minutes=45),
    }


@pytest.mark.nightly
def test_a_hundred_thousand_components_take_seconds() -> None:
    """And ten times as many ten times as long, in time of the processor."""
    took = {}
    for number in (10_000, 100_000):
        facts = large(number)
        start = process_time()
        found = assess(**facts)
        took[number] = process_time() - start
        assert len(found.cells) == 5 * number

    assert took[100_000] < 5
    assert took[100_000] < 15 * took[10_000]
