"""What the expression of an alert rule says: of which metric, beyond what, after how long, and of which series.

The grammar is that of the library promql-parser: https://prometheus.io/docs/prometheus/latest/querying/basics/
The metrics are those of node_exporter: https://github.com/prometheus/node_exporter. An expression is read as a sum of
metrics, each times a number, compared with a number; what is more than that is left unread, with a word of why.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from math import isfinite

import promql_parser as promql

from bot.domain.component import Measure
from bot.domain.monitor import Comparator
from bot.providers.alertmanager.matching import Matcher, Sign, Unreadable

HUNDRED = Decimal(100)
CPU = "node_cpu_seconds_total"
MODES = frozenset({"user", "nice", "system", "irq", "softirq", "iowait", "idle", "steal"})
AT_REST = frozenset({"idle", "iowait", "steal"})
"""Modes in which a CPU does no work of its own; what is left is user, system and interrupts."""
TOTAL = "node_memory_MemTotal_bytes"
AVAILABLE = "node_memory_MemAvailable_bytes"
FREE = "node_memory_MemFree_bytes"
CACHES = frozenset(
    f"node_memory_{name}_bytes" for name in ("Buffers", "Cached", "SReclaimable", "Slab", "MemFree")
)
FILESYSTEM, FILESYSTEM_FREE = "node_filesystem_avail_bytes", "node_filesystem_free_bytes"
FILESYSTEM_SIZE = "node_filesystem_size_bytes"
NETWORK = ("node_network_receive_bytes_total", "node_network_transmit_bytes_total")
UP = "up"
READONLY = "node_filesystem_readonly"
MEASURES: Mapping[str, Measure] = {
    CPU: Measure.CPU,
    AVAILABLE: Measure.MEMORY,
    FREE: Measure.MEMORY,
    TOTAL: Measure.MEMORY,
    FILESYSTEM: Measure.DISK,
    FILESYSTEM_FREE: Measure.DISK,
    NETWORK[0]: Measure.NETWORK,
    NETWORK[1]: Measure.NETWORK,
    UP: Measure.UPTIME,
}
"""The metrics by which a rule that cannot be read is known to be about a measure."""

INSTANCE = "instance"
SERIES_LABELS: Mapping[Measure, frozenset[str]] = {
    Measure.CPU: frozenset({"cpu", "mode"}),
    Measure.MEMORY: frozenset(),
    Measure.DISK: frozenset({"device", "mountpoint", "fstype"}),
    Measure.NETWORK: frozenset({"device"}),
    Measure.UPTIME: frozenset(),
}
"""Labels that tell several series of one instance apart."""
DEEPEST = 60
LONGEST, MOST_STEPS, MOST_RECORDED = 8000, 100, 30
"""What a rule may take: the parser is slow with deep expressions, and thousands of levels would end the process."""

_SIGNS = {
    ">": Comparator.ABOVE,
    ">=": Comparator.AT_LEAST,
    "<": Comparator.BELOW,
    "<=": Comparator.AT_MOST,
}
_TURNED = {
    Comparator.ABOVE: Comparator.BELOW,
    Comparator.AT_LEAST: Comparator.AT_MOST,
    Comparator.BELOW: Comparator.ABOVE,
    Comparator.AT_MOST: Comparator.AT_LEAST,
}
_COMPARISONS = {*_SIGNS, "==", "!="}
_MIRRORED = {">": "<", "<": ">", ">=": "<=", "<=": ">=", "==": "==", "!=": "!="}
_SMOOTHED = {"avg_over_time", "min_over_time", "max_over_time"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What a rule watches. `matchers` choose its series; `unreadable` says why that is not known.

    `labels` are those that its alerts have of the series; None when they have all. `window` is how long the values
    must last before the rule's own `for` begins.
    """

    metric: str = ""
    measure: Measure | None = None
    comparator: Comparator = Comparator.OTHER
    threshold: Decimal | None = None
    window: timedelta = timedelta()
    matchers: frozenset[Matcher] = frozenset()
    labels: frozenset[str] | None = None
    unreadable: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sum:
    """`constant` + Σ times × metric. `merged` says how the metric's series were made one: label that is gone → how."""

    times: Mapping[str, Decimal] = field(default_factory=dict)
    constant: Decimal = Decimal(0)
    matchers: frozenset[Matcher] = frozenset()
    window: timedelta = timedelta()
    merged: Mapping[str, str] = field(default_factory=dict)
    labels: frozenset[str] | None = None

    def scaled(self, by: Decimal) -> "_Sum":
        times = {name: each * by for name, each in self.times.items()}
        return replace(self, times=times, constant=self.constant * by)

    @property
    def is_number(self) -> bool:
        return not self.times


_MIRROR = {"min": "max", "max": "min"}


def read_expression(written: str, recorded: Mapping[str, str]) -> Condition:
    """`recorded` are the recording rules, by the metric that each makes. Never raises."""
    try:
        expression = _parsed(written)
    except Unreadable as error:
        return Condition(unreadable=str(error))
    try:
        return _Reader(recorded).condition(expression)
    except (Unreadable, RecursionError) as error:
        why = str(error) if isinstance(error, Unreadable) else "Its expression is too deep to be read."
        metric = next((name for name in _names(expression, recorded) if name in MEASURES), "")
        return Condition(metric=metric, measure=MEASURES.get(metric), unreadable=why)


def _parsed(written: str) -> promql.Expr:
    """Raises Unreadable."""
    if len(written) > LONGEST or len(_STEP.findall(_QUOTED.sub("", written))) > MOST_STEPS:
        raise Unreadable("Its expression is too long to be read.")
    try:
        return promql.parse(written)
    except ValueError as error:
        raise Unreadable("socmon cannot parse its expression. Open the rule in Prometheus.") from error
    except BaseException as error:
        # A panic of the library, which is no Exception.
        if type(error).__name__ != "PanicException":
            raise
        raise Unreadable("socmon cannot parse its expression. Open the rule in Prometheus.") from error


_QUOTED = re.compile(r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`""", re.DOTALL)
_STEP = re.compile(r"[(\[+*/^%<>=-]|\b(?:and|or|unless|atan2)\b", re.IGNORECASE)


def _names(expression: promql.Expr, recorded: Mapping[str, str]) -> Iterator[str]:
    """All metrics of an expression, then those of its recording rules."""
    seen: set[str] = set()
    waiting = [expression]
    while waiting and len(seen) < MOST_RECORDED:
        for name in _selected_in(waiting.pop(0)):
            yield name
            if name in recorded and name not in seen:
                seen.add(name)
                with suppress(Unreadable):
                    waiting.append(_parsed(recorded[name]))


def _selected_in(expression: promql.Expr) -> list[str]:
    found: list[str] = []

    def visit(node: promql.Expr) -> None:
        if isinstance(node, promql.VectorSelector) and node.name:
            found.append(node.name)

    promql.walk(expression, visit)
    return found


class _Reader:
    def __init__(self, recorded: Mapping[str, str]) -> None:
        self._recorded = recorded
        self._looked_up = 0

    def condition(self, expression: promql.Expr) -> Condition:
        """What lets an alert fire. Raises Unreadable."""
        match expression:
            case promql.ParenExpr():
                return self.condition(expression.expr)
            case promql.BinaryExpr():
                return self._binary(expression)
            case promql.AggregateExpr() if str(expression.op) in {
                "sum",
                "avg",
                "min",
                "max",
                "count",
                "group",
            }:
                # A series of which anything is left fires, whatever its value has become.
                inner = self.condition(expression.expr)
                return replace(inner, labels=_left(expression, inner.labels))
            case promql.Call() if expression.func.name in {"absent", "absent_over_time"}:
                return self._absent(expression)
            case promql.Call() if expression.func.name in {"label_replace", "label_join"}:
                return self.condition(_relabelled(expression))
            case _:
                raise Unreadable("Its expression compares nothing with a threshold.")

    def _binary(self, expression: promql.BinaryExpr) -> Condition:
        sign, modifier = str(expression.op), expression.modifier
        if sign in _COMPARISONS:
            if modifier and modifier.return_bool:
                raise Unreadable("A comparison with “bool” is always there, so the rule always fires.")
            return self._comparison(sign, expression)
        match sign:
            case "and":
                if not _only_leaves_out_readonly(expression.rhs):
                    raise Unreadable("It fires only when a second condition holds as well (“and”).")
                return self.condition(expression.lhs)
            case "or":
                # It fires whenever one of the two does.
                try:
                    return self.condition(expression.lhs)
                except Unreadable:
                    return self.condition(expression.rhs)
            case "+" | "-" | "*" | "/":
                return self._dressed(expression)
            case _:
                raise Unreadable(f"socmon cannot read “{sign}” in its expression.")

    def _dressed(self, expression: promql.BinaryExpr) -> Condition:
        """A comparison that is given other values or labels, and fires all the same."""
        for one, other in ((expression.lhs, expression.rhs), (expression.rhs, expression.lhs)):
            if other is _info(expression) or isinstance(other, promql.NumberLiteral):
                return self.condition(one)
        raise Unreadable("Its expression compares nothing with a threshold.")

    def _comparison(self, sign: str, expression: promql.BinaryExpr) -> Condition:
        left, right = self.sum(expression.lhs), self.sum(expression.rhs)
        if left.is_number:
            left, right, sign = right, left, _MIRRORED[sign]
        if left.is_number:
            raise Unreadable("It compares two numbers.")
        if not right.is_number:
            # a < b × 0.1 is a − b × 0.1 < 0
            left, right = _relative(_added(left, right.scaled(Decimal(-1)), expression)), _Sum()
        return _solved(left, sign, right.constant)

    def _absent(self, call: promql.Call) -> Condition:
        """It fires when nothing is left of all that is chosen: that tells of a component only when there is one."""
        inner, window, compared = _bare(call.args[0]), timedelta(), False
        if isinstance(inner, promql.BinaryExpr) and str(inner.op) in _COMPARISONS:
            number = _bare(inner.rhs)
            compared = isinstance(number, promql.NumberLiteral) and (str(inner.op), number.val) == ("==", 1)
            inner = _bare(inner.lhs)
        if isinstance(inner, promql.MatrixSelector):
            selector, window = inner.vector_selector, inner.range
        elif isinstance(inner, promql.VectorSelector):
            selector = inner
        else:
            raise Unreadable("socmon cannot read what absent() is asked of.")
        if selector.name == UP and not compared:
            raise Unreadable("up is there, as 0, while a target is down: absent() sees nothing. Use up == 0.")
        matchers = _matchers(selector)
        if not any(one.name == INSTANCE and one.sign is Sign.EQUAL for one in matchers):
            raise Unreadable(
                "absent() fires only when every series is gone, not when one is. Name an instance, or use up == 0."
            )
        return Condition(
            metric=selector.name or "",
            measure=MEASURES.get(selector.name or ""),
            comparator=Comparator.ABSENT,
            window=window,
            matchers=matchers,
            labels=frozenset(one.name for one in matchers if one.sign is Sign.EQUAL),
        )

    def sum(self, expression: promql.Expr, depth: int = 0) -> _Sum:
        """Raises Unreadable."""
        if depth > DEEPEST:
            raise Unreadable("Its expression is too deep to be read.")
        match expression:
            case promql.NumberLiteral() if isfinite(expression.val):
                found = _Sum(constant=Decimal(str(expression.val)))
            case promql.ParenExpr():
                found = self.sum(expression.expr, depth + 1)
            case promql.UnaryExpr():
                found = self.sum(expression.expr, depth + 1).scaled(Decimal(-1))
            case promql.VectorSelector():
                found = self._selected(expression, depth)
            case promql.Call():
                found = self._call(expression, depth)
            case promql.AggregateExpr():
                found = _merged(expression, self.sum(expression.expr, depth + 1))
            case promql.BinaryExpr():
                found = self._arithmetic(expression, depth)
            case _:
                raise Unreadable("socmon cannot read a part of its expression.")
        return found

    def _selected(self, selector: promql.VectorSelector, depth: int) -> _Sum:
        matchers, name = _matchers(selector), selector.name or ""
        if name in self._recorded:
            self._looked_up += 1
            if self._looked_up > MOST_RECORDED:
                raise Unreadable("It is made of too many recording rules.")
            found = self.sum(_parsed(self._recorded[name]), depth + 1)
            return replace(found, matchers=found.matchers | matchers)
        return _Sum(times={name: Decimal(1)}, matchers=matchers)

    def _call(self, call: promql.Call, depth: int) -> _Sum:
        name = call.func.name
        if name in {"label_replace", "label_join"}:
            return self.sum(_relabelled(call), depth + 1)
        over = call.args[0] if call.args else None
        if not isinstance(over, promql.MatrixSelector):
            raise Unreadable(f"socmon cannot read {name}() in its expression.")
        selected = self._selected(over.vector_selector, DEEPEST)
        if name in {"rate", "irate"}:
            (metric,) = selected.times
            window = over.range if name == "rate" else timedelta()
            return replace(selected, times={f"rate({metric})": Decimal(1)}, window=window)
        if name in _SMOOTHED:
            return replace(selected, window=over.range)
        raise Unreadable(f"socmon cannot read {name}() in its expression.")

    def _arithmetic(self, expression: promql.BinaryExpr, depth: int) -> _Sum:
        sign = str(expression.op)
        if sign in _COMPARISONS:
            raise Unreadable("It compares the outcome of a comparison.")
        if sign == "*" and (info := _info(expression)):
            return self.sum(expression.lhs if info is expression.rhs else expression.rhs, depth + 1)
        left = self.sum(expression.lhs, depth + 1)
        if sign == "or":
            return left  # what stands there where the left side has nothing, on old kernels
        return _reckoned(sign, left, self.sum(expression.rhs, depth + 1), expression)


def _reckoned(sign: str, left: _Sum, right: _Sum, expression: promql.BinaryExpr) -> _Sum:
    match sign:
        case "+":
            return _added(left, right, expression)
        case "-":
            return _added(left, right.scaled(Decimal(-1)), expression)
        case "*" if left.is_number or right.is_number:
            return left.scaled(right.constant) if right.is_number else right.scaled(left.constant)
        case "/" if right.constant and right.is_number:
            return left.scaled(1 / right.constant)
        case "/":
            return _divided(left, right, expression)
        case _:
            raise Unreadable(f"socmon cannot read “{sign}” in its expression.")


def _matchers(selector: promql.VectorSelector) -> frozenset[Matcher]:
    if selector.offset is not None or selector.at is not None:
        raise Unreadable("It looks at another time (offset or @).")
    if selector.matchers.or_matchers:
        raise Unreadable("Its selector has alternatives (or).")
    return frozenset(
        Matcher(one.name, _sign(one.op), one.value)
        for one in selector.matchers.matchers
        if one.name != "__name__"
    )


def _sign(operator: promql.MatchOp) -> Sign:
    """The library's signs cannot be hashed."""
    signs = (
        (promql.MatchOp.Equal, Sign.EQUAL),
        (promql.MatchOp.NotEqual, Sign.NOT_EQUAL),
        (promql.MatchOp.Re, Sign.MATCHES),
        (promql.MatchOp.NotRe, Sign.MATCHES_NOT),
    )
    return next(sign for one, sign in signs if one == operator)


def _relabelled(call: promql.Call) -> promql.Expr:
    target = call.args[1]
    if isinstance(target, promql.StringLiteral) and target.val == INSTANCE:
        raise Unreadable("It gives its series another instance.")
    found: promql.Expr = call.args[0]
    return found


def _bare(expression: promql.Expr) -> promql.Expr:
    while isinstance(expression, promql.ParenExpr):
        expression = expression.expr
    return expression


def _info(expression: promql.BinaryExpr) -> promql.Expr | None:
    """The side that only adds labels: node_uname_info and its like are 1 for each instance."""
    for side in (expression.rhs, expression.lhs):
        bare = _bare(side)
        if (
            isinstance(bare, promql.VectorSelector)
            and (bare.name or "").endswith("_info")
            and all(
                one.value in {".+", ".*"} and one.op == promql.MatchOp.Re for one in bare.matchers.matchers
            )
        ):
            return side
    return None


def _only_leaves_out_readonly(expression: promql.Expr) -> bool:
    """node_filesystem_readonly == 0: what cannot be written cannot fill."""
    expression = _bare(expression)
    return (
        isinstance(expression, promql.BinaryExpr)
        and str(expression.op) == "=="
        and isinstance(expression.lhs, promql.VectorSelector)
        and expression.lhs.name == READONLY
        and isinstance(expression.rhs, promql.NumberLiteral)
        and expression.rhs.val == 0
    )


def _left(expression: promql.AggregateExpr, labels: frozenset[str] | None) -> frozenset[str] | None:
    """The labels that are left; with `without` it is not known which others there are."""
    modifier = expression.modifier
    if modifier is None:
        return frozenset()
    given = frozenset(modifier.labels)
    if modifier.type == promql.AggModifierType.By:
        return given if labels is None else given & labels
    return None if labels is None else labels - given


def _merged(expression: promql.AggregateExpr, inner: _Sum) -> _Sum:
    how = str(expression.op)
    if how not in {"avg", "min", "max", "sum"}:
        raise Unreadable(f"socmon cannot read {how} in its expression.")
    if how == "sum" and inner.constant:
        raise Unreadable("It adds up as often as there are series.")
    modifier = expression.modifier
    given = frozenset(modifier.labels) if modifier else frozenset()
    by = modifier is None or modifier.type == promql.AggModifierType.By
    known = {INSTANCE}.union(*SERIES_LABELS.values())
    gone = {label for label in known if (label not in given) == by} - set(inner.merged)
    signs = {each > 0 for each in inner.times.values()}
    inward = _MIRROR.get(how, how) if signs == {False} else how
    if len(signs) > 1 and how in _MIRROR:
        inward = "mixed"
    return replace(
        inner,
        merged={**inner.merged, **dict.fromkeys(sorted(gone), inward)},
        labels=_left(expression, inner.labels),
    )


def _added(left: _Sum, right: _Sum, expression: promql.BinaryExpr) -> _Sum:
    if right.is_number:
        return replace(left, constant=left.constant + right.constant)
    if left.is_number:
        return replace(right, constant=left.constant + right.constant)
    times = dict(left.times)
    for name, each in right.times.items():
        times[name] = times.get(name, Decimal(0)) + each
    return replace(
        _joined(left, right, expression),
        times={name: each for name, each in times.items() if each},
        constant=left.constant + right.constant,
    )


def _divided(left: _Sum, right: _Sum, expression: promql.BinaryExpr) -> _Sum:
    """By one metric; that metric by itself is 1."""
    if len(right.times) != 1 or right.constant or left.constant:
        raise Unreadable("socmon cannot read a quotient of its expression.")
    ((below, by),) = right.times.items()
    if any("/" in name for name in (*left.times, below)):
        raise Unreadable("socmon cannot read a quotient of its expression.")
    whole = left.times.get(below, Decimal(0)) / by
    return replace(
        _joined(left, right, expression),
        times={f"{name}/{below}": each / by for name, each in left.times.items() if name != below},
        constant=whole,
    )


def _joined(left: _Sum, right: _Sum, expression: promql.BinaryExpr) -> _Sum:
    matching = expression.modifier.matching if expression.modifier else None
    labels = (
        left.labels
        if right.labels is None
        else right.labels
        if left.labels is None
        else left.labels & right.labels
    )
    if matching is not None:
        on = matching.type == promql.LabelModifierType.Include
        if (INSTANCE in matching.labels) != on:
            raise Unreadable("It brings series of different instances together.")
        if on and expression.modifier and expression.modifier.card == promql.VectorMatchCardinality.OneToOne:
            labels = frozenset(matching.labels)
    if {label: how for label, how in left.merged.items() if how != "sum"} != {
        label: how for label, how in right.merged.items() if how != "sum"
    }:
        raise Unreadable("It brings together what was merged in different ways.")
    return replace(
        left,
        matchers=left.matchers | right.matchers,
        window=max(left.window, right.window),
        merged={**right.merged, **left.merged},
        labels=labels,
    )


def _relative(found: _Sum) -> _Sum:
    """Of parts and a whole that are compared: parts / whole."""
    for whole in (TOTAL, FILESYSTEM_SIZE):
        if whole in found.times and not found.constant:
            rest = {name: each for name, each in found.times.items() if name != whole}
            return replace(
                found,
                times={f"{name}/{whole}": each for name, each in rest.items()},
                constant=found.times[whole],
            )
    raise Unreadable("It compares metrics with each other.")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Quantity:
    """What a sum of metrics says: the measure is `offset` + `scale` × it.

    `spread` are labels of which each value may be ill by itself, `averaged` those that may be averaged all the same.
    """

    measure: Measure
    scale: Decimal
    offset: Decimal = Decimal(0)
    spread: frozenset[str] = frozenset()
    averaged: frozenset[str] = frozenset()


def _rest_of(quantity: _Quantity) -> _Quantity:
    """What is used, in per cent, by the share that is free."""
    return replace(quantity, scale=-HUNDRED, offset=HUNDRED)


def _solved(found: _Sum, sign: str, number: Decimal) -> Condition:
    """The comparison in the unit of its measure."""
    metric = _metric(found)
    facts = Condition(
        metric=metric, window=found.window, matchers=found.matchers, labels=found.labels, measure=None
    )
    if set(found.times) == {UP}:
        return _solved_up(found, sign, number, facts)
    quantity = _quantity(found)
    if quantity is None:
        return facts
    facts = replace(facts, measure=quantity.measure)
    (times,) = set(found.times.values())
    if sign not in _SIGNS:
        return facts
    comparator = _SIGNS[sign] if times > 0 else _TURNED[_SIGNS[sign]]
    value = (number - found.constant) / times
    for label, how in found.merged.items():
        toward = "max" if comparator in {Comparator.ABOVE, Comparator.AT_LEAST} else "min"
        if label in quantity.averaged and how == "avg":
            continue
        if label in quantity.spread and how != toward:
            raise Unreadable(
                f"It makes one number of what has different {label}s, so it hides the one that is ill."
            )
        if label == INSTANCE and how != toward and not _is_one(found):
            raise Unreadable(
                "It makes one number of all instances: nothing says which is ill. Group it by instance."
            )
    if quantity.measure is Measure.NETWORK and found.merged.get("device") != "sum":
        return facts  # a part of what goes through all devices
    turned = _TURNED[comparator] if quantity.scale < 0 else comparator
    return replace(facts, comparator=turned, threshold=_tidy(quantity.offset + quantity.scale * value))


def _solved_up(found: _Sum, sign: str, number: Decimal, facts: Condition) -> Condition:
    """`up` is 1 while it is scraped and 0 when that fails: who fires at 0 and not at 1 tells of a lost signal."""
    times, toward = found.times[UP], "min"
    down, well = found.constant, found.constant + times
    if not (_crossed(down, sign, number) and not _crossed(well, sign, number)):
        return facts
    if found.merged.get(INSTANCE, toward) != toward and not _is_one(found):
        raise Unreadable(
            "It makes one number of all instances: nothing says which is down. Group it by instance."
        )
    return replace(facts, measure=Measure.UPTIME, comparator=Comparator.ABSENT)


def _is_one(found: _Sum) -> bool:
    return any(one.name == INSTANCE and one.sign is Sign.EQUAL for one in found.matchers)


def _tidy(value: Decimal) -> Decimal:
    """Without what a division of units leaves behind the point, and without trailing zeros."""
    rounded = round(value, 9).normalize()
    return rounded.quantize(Decimal(1)) if rounded == rounded.to_integral_value() else rounded


def _crossed(value: Decimal, sign: str, number: Decimal) -> bool:
    return {
        ">": value > number,
        ">=": value >= number,
        "<": value < number,
        "<=": value <= number,
        "==": value == number,
        "!=": value != number,
    }[sign]


def _quantity(found: _Sum) -> _Quantity | None:
    """None where it says nothing of what counts. Raises Unreadable where it does, in a way that cannot be compared."""
    names = frozenset(found.times)
    if len(set(found.times.values())) > 1:
        if any(_metric_of(name) in MEASURES for name in names):
            raise Unreadable("It adds up metrics in a way that socmon cannot compare.")
        return None
    if names == {f"rate({CPU})"}:
        return _cpu(found)
    parts = frozenset(name.partition("/")[0] for name in names)
    if FREE in parts and parts <= CACHES and names == {f"{part}/{TOTAL}" for part in parts}:
        return _QUANTITIES[frozenset({f"{FREE}/{TOTAL}"})]
    return _QUANTITIES.get(names)


_MEMORY = _Quantity(measure=Measure.MEMORY, scale=Decimal(1))
_DISK = _Quantity(measure=Measure.DISK, scale=Decimal(1), spread=SERIES_LABELS[Measure.DISK])
_QUANTITIES: Mapping[frozenset[str], _Quantity] = {
    **{frozenset({name}): _MEMORY for name in (AVAILABLE, FREE)},
    **{frozenset({f"{name}/{TOTAL}"}): _rest_of(_MEMORY) for name in (AVAILABLE, FREE)},
    **{frozenset({name}): _DISK for name in (FILESYSTEM, FILESYSTEM_FREE)},
    **{frozenset({f"{name}/{FILESYSTEM_SIZE}"}): _rest_of(_DISK) for name in (FILESYSTEM, FILESYSTEM_FREE)},
    **{
        frozenset({f"rate({name})"}): _Quantity(measure=Measure.NETWORK, scale=Decimal(1)) for name in NETWORK
    },
}
"""Bytes that are free, the share that is free, and bytes a second."""


def _cpu(found: _Sum) -> _Quantity | None:
    """The share of time in which the CPUs work, by what the others are at rest."""
    modes = {mode for mode in MODES if all(one.takes(mode) for one in found.matchers if one.name == "mode")}
    added = found.merged.get("mode") == "sum"
    cpus = _Quantity(
        measure=Measure.CPU, scale=HUNDRED, spread=frozenset({"cpu"}), averaged=frozenset({"cpu"})
    )
    if modes == {"idle"} or (added and "idle" in modes and modes <= AT_REST):
        return _rest_of(cpus)
    if added and modes >= MODES - AT_REST and "idle" not in modes:
        return cpus
    if modes & (MODES - AT_REST):
        raise Unreadable(
            "It looks at the modes of the CPU one by one, not at the time that all take together."
        )
    return None


def _metric(found: _Sum) -> str:
    """The one that the measure is known by."""
    names = [_metric_of(name) for name in found.times]
    return next((name for name in names if name in MEASURES), names[0] if names else "")


def _metric_of(name: str) -> str:
    return name.partition("/")[0].removeprefix("rate(").removesuffix(")")
