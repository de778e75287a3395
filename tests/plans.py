"""Plans in the form that `terraform show -json` writes, and what is on record when they come."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bot.domain.answers import Known
from bot.domain.monitor import MetricReading, Monitor
from bot.domain.packed_answers import pack_monitors, pack_readings
from bot.domain.scope import InScope
from bot.procedures.assess_coverage import OnRecord
from tests.fleets import whole

ACCOUNT, REGION = "111122223333", "eu-west-1"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:ops"
Data = dict[str, Any]


def plan(*changes: Data, configuration: Data | None = None, **more: Any) -> bytes:
    """https://developer.hashicorp.com/terraform/internals/json-format, as Terraform 1.9 writes it."""
    return json.dumps(
        {
            "format_version": "1.2",
            "terraform_version": "1.9.8",
            "planned_values": {"root_module": {}},
            "resource_changes": list(changes),
            "configuration": {"provider_config": {}, "root_module": configuration or {}},
            "errored": False,
        }
        | more
    ).encode()


def change(
    address: str,
    *actions: str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    **more: Any,
) -> Data:
    """One of `resource_changes`, by its address; what `after` has as ... is not known yet, and stands nowhere."""
    module, _, last = address.rpartition(".")
    *modules, kind = module.rsplit(".", 1)
    name, bracket, key = last.partition("[")
    told: Data = {
        "address": address,
        "mode": "managed",
        "type": kind,
        "name": name,
        "provider_name": "registry.terraform.io/hashicorp/aws",
        "change": {
            "actions": list(actions),
            "before": before,
            "after": None if after is None else known(after),
            "after_unknown": unknown(after or {}),
            "before_sensitive": {},
            "after_sensitive": {},
        },
    }
    if bracket:
        told["index"] = json.loads(key.removesuffix("]"))
    if modules:
        told["module_address"] = modules[0]
    told["change"] |= more
    return told


def known(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: known(one) for key, one in value.items() if one is not ...}
    return [known(one) for one in value] if isinstance(value, list) else value


def unknown(value: Any) -> Any:
    """True for what is not known, in the form of the rest: Terraform leaves out the tables' other keys."""
    if isinstance(value, dict):
        return {key: unknown(one) for key, one in value.items() if one is ... or isinstance(one, dict | list)}
    return [unknown(one) for one in value] if isinstance(value, list) else value is ...


def configured(address: str, **expressions: Any) -> Data:
    """One of `resources` of a module's configuration; an expression is a list of references or a value."""
    kind, _, name = address.rpartition(".")
    return {
        "address": address,
        "mode": "managed",
        "type": kind,
        "name": name,
        "expressions": {key: expression(one) for key, one in expressions.items()},
    }


def expression(one: Any) -> Data:
    return {"references": one} if isinstance(one, list) else {"constant_value": one}


def server(address: str = "aws_instance.web", *actions: str, **attributes: Any) -> Data:
    after = {"ami": "ami-1", "id": ..., "arn": ..., "tags": {"env": "prod"}, "tags_all": {"env": "prod"}}
    return change(address, *(actions or ("create",)), after=after | attributes)


def function(address: str = "aws_lambda_function.pay", name: Any = "pay", *actions: str) -> Data:
    return change(
        address, *(actions or ("create",)), after={"function_name": name, "arn": ..., "id": ..., "tags": None}
    )


def alarm(address: str, metric: str, dimensions: Any, **attributes: Any) -> Data:
    """A metric alarm that is about to be made, as strict as the standard of tests/fleets.py."""
    namespace, _, name = metric.partition(" ")
    after = {
        "alarm_name": address.replace(".", "-"),
        "arn": ...,
        "namespace": namespace,
        "metric_name": name,
        "dimensions": dimensions,
        "comparison_operator": "GreaterThanOrEqualToThreshold",
        "threshold": 1,
        "period": 300,
        "evaluation_periods": 1,
        "statistic": "Sum",
        "treat_missing_data": "breaching",
        "actions_enabled": True,
        "alarm_actions": [TOPIC],
        "ok_actions": [TOPIC],
        "metric_query": [],
    }
    return change(address, "create", after=after | attributes)


def record(
    *entries: InScope,
    monitors: Mapping[str, Sequence[Monitor]],
    readings: Mapping[str, Iterable[MetricReading]] | None = None,
) -> OnRecord:
    """What the tools have told just now."""
    told: Mapping[str, Known[MetricReading]] = {name: whole(some) for name, some in (readings or {}).items()}
    return OnRecord(
        newest=None,
        scope=7,
        entries={one.component.key: one for one in entries},
        metrics={name: pack_readings(told.get(name, whole(()))) for name in monitors},
        monitors={name: pack_monitors(whole(some)) for name, some in monitors.items()},
        services={},
        roster=None,
    )
