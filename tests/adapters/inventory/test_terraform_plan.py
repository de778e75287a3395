"""Plans as `terraform show -json` writes them: read by the documented schema, or refused with a reason and a mend."""

import json
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.inventory import read_deployment
from bot.adapters.inventory.rows import WrongInventory
from bot.domain.plan import Fate
from tests.plans import alarm, change, configured, expression, function, plan, server


def refused(content: bytes) -> str:
    with pytest.raises(WrongInventory) as wrong:
        read_deployment(Path("plan.json"), content)
    said = str(wrong.value)
    assert said.endswith("\nNothing was checked.")
    return said


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "it is not JSON"),
        (b"PK\x03\x04\x14\x00", "it is not JSON"),
        ("{}".encode("utf-16"), "it is not JSON"),
        (b'{"format_version": NaN}', "it is not JSON"),
        (b"[" * 200_000, "it is not JSON"),
        (b"[]", "no plan of Terraform"),
        (b"{}", "it is no plan"),
        (json.dumps({"version": 4, "resources": []}).encode(), "it is a state"),
        (json.dumps({"format_version": "1.0", "values": {}}).encode(), "it is no plan"),
        (plan(format_version="2.0"), "format version is 2.0, and 1.x can be read"),
        (plan(format_version="0.2"), "format version is 0.2"),
        (plan(errored=True), "Terraform itself failed"),
        (plan(resource_changes={"a": 1}), "documented form"),
        (plan({"address": "a.b", "mode": "managed"}), "documented form"),
        (plan(server() | {"change": None}), "documented form"),
        (plan(server("aws_instance.\x1bweb")), "documented form"),
        (plan(server() | {"change": {"actions": ["create"], "after": "all"}}), "documented form"),
        (plan(server(), configuration={"resources": [7]}), "documented form"),
    ],
)
def test_garbage_is_refused_with_the_mend(content: bytes, word: str) -> None:
    said = refused(content)

    assert word in said
    assert "terraform show -json" in said


def test_what_a_plan_does_with_each_resource() -> None:
    """By its actions; what is forgotten runs on, and a deposed object has its successor already."""
    acts: dict[tuple[str, ...], Fate] = {
        ("no-op",): Fate.KEPT,
        ("create",): Fate.CREATED,
        ("update",): Fate.CHANGED,
        ("delete",): Fate.DELETED,
        ("delete", "create"): Fate.REPLACED,
        ("create", "delete"): Fate.REPLACED,
    }
    changes = [change(f"aws_vpc.n{at}", *one, before={}, after={}) for at, one in enumerate(acts)]
    left_out = [
        change("aws_vpc.forgotten", "forget", before={}),
        change("aws_vpc.deposed", "delete", before={}) | {"deposed": "abc123"},
        change("aws_vpc.data", "read", after={}) | {"mode": "data"},
    ]

    read = read_deployment(Path("plan.json"), plan(*changes, *left_out, unknown_key_of_a_later_version={}))

    assert [one.fate for one in read.resources] == list(acts.values())
    assert read.skipped == 5


def test_what_is_sensitive_is_dropped_and_what_is_unknown_is_named() -> None:
    """A mark may be of the whole value or of a part, in tables and in lists."""
    after = {"a": "secret", "b": {"c": "secret", "d": "plain"}, "e": ["secret", "plain"], "f": "plain"}
    marks = {"a": True, "b": {"c": True}, "e": [True, False]}
    made = change(
        "aws_vpc.v", "create", after=after, after_sensitive=marks, after_unknown={"g": {"h": True}, "i": {}}
    )

    [one] = read_deployment(Path("plan.json"), plan(made)).resources

    assert one.after == {"a": None, "b": {"c": None, "d": "plain"}, "e": [None, "plain"], "f": "plain"}
    assert one.unknown == {"g": {"h": True}, "i": {}}


def test_references_in_circles_end() -> None:
    """Variables and outputs that lead to each other, which Terraform would refuse."""
    web = {
        "outputs": {"id": {"expression": expression(["var.x", "module.web.id", "aws_instance.this"])}},
        "resources": [configured("aws_cloudwatch_metric_alarm.cpu", dimensions=["var.x"])],
        "module_calls": {"web": {"module": {}}},
    }
    call = {"module": web, "expressions": {"x": expression(["module.web.id"])}}
    made = [
        server("module.web.aws_instance.this"),
        alarm("module.web.aws_cloudwatch_metric_alarm.cpu", "AWS/EC2 CPUUtilization", ...),
    ]

    read = read_deployment(Path("plan.json"), plan(*made, configuration={"module_calls": {"web": call}}))

    assert read.resources[1].refers == {"dimensions": ("module.web.aws_instance.this",)}


def test_a_large_plan_is_read_in_time_that_grows_with_it() -> None:
    """5,000 instances with an alarm each by its index, and one output of them all."""
    many = 5000
    made: list[Any] = [function(f"aws_lambda_function.f[{at}]", f"f-{at}") for at in range(many)]
    made += [alarm(f"aws_cloudwatch_metric_alarm.a[{at}]", "AWS/Lambda Errors", ...) for at in range(many)]
    dimensions = ["aws_lambda_function.f", "count.index"]
    config = configured(
        "aws_cloudwatch_metric_alarm.a", dimensions=dimensions, tags=["aws_lambda_function.f"]
    )

    read = read_deployment(Path("plan.json"), plan(*made, configuration={"resources": [config]}))

    assert len(read.proposed) == many
    assert read.resources[-1].refers["dimensions"] == (f"aws_lambda_function.f[{many - 1}]",)
