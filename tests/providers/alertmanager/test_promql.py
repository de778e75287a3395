"""Rules as people write them for a node_exporter, and what each says; what cannot be said of one is never guessed."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.component import Measure
from bot.domain.monitor import Comparator
from bot.providers.alertmanager.promql import read_expression

IDLE = 'rate(node_cpu_seconds_total{mode="idle"}[5m])'
BUSY = 'rate(node_cpu_seconds_total{job="node", mode!~"idle|iowait"}[2m])'
FREE = "node_filesystem_avail_bytes / node_filesystem_size_bytes"
FREED = "avg_over_time(node_memory_MemFree_bytes[10m]) + avg_over_time(node_memory_Cached_bytes[10m])"
NAMED = ' * on(instance) group_left (nodename) node_uname_info{nodename=~".+"}'
RECORDED = {
    "cpu:used": "1 - avg without (cpu) (sum without (mode) (rate(node_cpu_seconds_total{"
    'mode=~"idle|iowait|steal"}[5m])))',
    "memory:used": "1 - (node_memory_MemAvailable_bytes or (node_memory_MemFree_bytes + node_memory_Cached_bytes))"
    " / node_memory_MemTotal_bytes",
    "loop": "loop + 1",
}


@pytest.mark.parametrize(
    ("expression", "measure", "comparator", "threshold", "minutes"),
    [
        (f"100 - (avg by(instance) ({IDLE}) * 100) > 85", "cpu", ">", 85, 5),
        (f"(1 - avg by(instance) ({IDLE.replace('rate', 'irate')})) * 100 >= 85", "cpu", ">=", 85, 0),
        (f"avg by(instance) ({IDLE}) < 0.15", "cpu", ">", 85, 5),
        (f"85 < 100 - 100 * avg without (cpu) ({IDLE})", "cpu", ">", 85, 5),
        (f"100 - {IDLE} * 100 > 85", "cpu", ">", 85, 5),  # one busy core is enough for it
        (f"sum without(mode) (avg without (cpu) ({BUSY})) * 100 > 90", "cpu", ">", 90, 2),
        (f"(sum by (instance) (avg by (mode, instance) ({BUSY})) > 0.8){NAMED}", "cpu", ">", 80, 2),
        ("cpu:used > 0.85", "cpu", ">", 85, 5),
        (
            f"(node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes * 100 < 10){NAMED}",
            "memory",
            ">",
            90,
            0,
        ),
        ("node_memory_MemAvailable_bytes < node_memory_MemTotal_bytes * 0.1", "memory", ">", 90, 0),
        (
            f"100 * (1 - ({FREED}) / avg_over_time(node_memory_MemTotal_bytes[10m])) > 90",
            "memory",
            ">",
            90,
            10,
        ),
        ("memory:used * 100 > 90", "memory", ">", 90, 0),
        ("node_memory_MemAvailable_bytes / 1024 / 1024 / 1024 < 1", "memory", "<", 2**30, 0),
        (f"({FREE} * 100 < 15 and node_filesystem_readonly == 0){NAMED}", "disk", ">", 85, 0),
        (f"max by (instance) (1 - {FREE}) > 0.85", "disk", ">", 85, 0),
        ("node_filesystem_avail_bytes < 10e9", "disk", "<", 10**10, 0),
        (
            'sum by (instance) (rate(node_network_receive_bytes_total{device!="lo"}[2m])) / 1e6 > 100',
            "network",
            ">",
            10**8,
            2,
        ),
    ],
)
def test_a_threshold_is_told_in_the_unit_of_its_measure(
    expression: str, measure: str, comparator: str, threshold: int, minutes: int
) -> None:
    found = read_expression(expression, RECORDED)

    assert found.unreadable == ""
    assert (found.measure, found.comparator, found.threshold, found.window) == (
        Measure(measure),
        Comparator(comparator),
        Decimal(threshold),
        timedelta(minutes=minutes),
    )


@pytest.mark.parametrize(
    ("expression", "minutes"),
    [
        ("up == 0", 0),
        ('up{job="node"} != 1', 0),
        ("avg_over_time(up[5m]) < 0.5", 5),
        ("count by (instance) (up == 0)", 0),
        ('up == 0 or absent(up{instance="web-1:9100"})', 0),
        ('absent(up{instance="web-1:9100"} == 1)', 0),
        ('absent_over_time(node_load1{instance="web-1:9100"}[3m])', 3),
    ],
)
def test_a_lost_signal_is_known(expression: str, minutes: int) -> None:
    found = read_expression(expression, {})

    assert (found.comparator, found.unreadable) == (Comparator.ABSENT, "")
    assert found.window == timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        (f"100 - avg({IDLE}) * 100 > 85", "all instances"),
        (f"100 - max by (instance) ({IDLE}) * 100 > 85", "hides the one"),
        (f"sum by (instance) ({IDLE}) < 1", "hides the one"),
        (f"avg by (instance) (1 - {FREE}) > 0.85", "hides the one"),
        (f"{FREE} < 0.15 and predict_linear(node_filesystem_avail_bytes[6h], 86400) < 0", "second condition"),
        (f"{FREE} < 0.15 unless on(instance) quiet", "unless"),
        ('rate(node_cpu_seconds_total{mode="user"}[5m]) > 0.85', "one by one"),
        ("node_memory_MemAvailable_bytes offset 1h < 1e9", "another time"),
        ("predict_linear(node_filesystem_avail_bytes[1h], 14400) < 0", "predict_linear"),
        ("up == bool 0", "always fires"),
        ('absent(up{job="node"} == 1)', "every series"),
        ('absent(up{instance="web-1:9100"})', "sees nothing"),
        ("max_over_time(node_memory_MemAvailable_bytes[10m:1m]) < 1e9", "max_over_time"),
        (
            "node_memory_MemAvailable_bytes / on (cluster) node_memory_MemTotal_bytes < 0.1",
            "different instances",
        ),
        ("node_memory_MemAvailable_bytes > NaN", "cannot read"),
    ],
)
def test_what_cannot_be_compared_says_why(expression: str, why: str) -> None:
    """And it is still known what it is about, so that people see which rule was meant."""
    found = read_expression(expression, {})

    assert why in found.unreadable
    assert (found.threshold, found.measure is not None) == (None, True)


@pytest.mark.parametrize(
    "expression",
    ["vector(1)", "foo > 1", "nope(", "1 > 2", "sum(up) < 3", "loop > 1"],
)
def test_what_measures_nothing_has_no_threshold(expression: str) -> None:
    found = read_expression(expression, RECORDED)

    assert (found.measure, found.threshold, found.comparator) == (None, None, Comparator.OTHER)


@pytest.mark.parametrize(
    "expression",
    ["-" * 5000 + "up", "(" * 5000, "up" + " + up" * 5000, 'up{a="' + "x" * 9000 + '"}', "bomb0 > 1"],
)
def test_what_would_take_too_long_is_not_begun(expression: str) -> None:
    """Thousands of levels would end the parser's process, and rules that double each other never end."""
    bomb = {f"bomb{number}": f"bomb{number + 1} + bomb{number + 1}" for number in range(50)}

    found = read_expression(expression, bomb)

    assert "too " in found.unreadable


def test_what_stands_in_quotes_is_no_step() -> None:
    found = read_expression('up{job=~"' + "(a-b)|" * 100 + 'c"} == 0', {})

    assert (found.unreadable, found.measure) == ("", Measure.UPTIME)


_PARTS = st.sampled_from(
    [
        IDLE,
        FREE,
        "up",
        "node_memory_MemAvailable_bytes",
        "100",
        "0.85",
        "avg by (instance) (up)",
        "absent(up)",
        "loop",
    ]
)
_WHOLES = st.recursive(
    _PARTS,
    lambda inner: st.tuples(
        inner,
        st.sampled_from(["+", "-", "*", "/", ">", "< bool", "and", "or", "unless", "^", "== on(instance)"]),
        inner,
    ).map(lambda each: f"({' '.join(each)})"),
    max_leaves=8,
)


@given(_WHOLES)
def test_no_expression_breaks_the_reader(expression: str) -> None:
    found = read_expression(expression, RECORDED)

    assert found.threshold is None or not found.unreadable
