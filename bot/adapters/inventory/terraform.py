"""What Terraform runs, from its state (`terraform state pull`, format version 4).

The format is Terraform's own (hashicorp/terraform, internal/states/statefile/version4.go): `resources[]` with `mode`,
`type`, `name` and `instances[].attributes`, whose names are those of the AWS provider's documentation. Only what is
named below is read: a state holds secrets.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from bot.adapters.inventory.rows import Problem, Row
from bot.domain.component import Kind
from bot.domain.scope import Criticality

VERSION = 4

GROUP = "aws_elasticache_replication_group"

# type → (kind, where its name stands, its other identities: space → attribute). The private DNS name of an instance is
# none: networks of the same addresses give the same one twice.
TYPES: Mapping[str, tuple[Kind, str, Mapping[str, str]]] = {
    "aws_instance": (Kind.HOST, "", {"instance": "id"}),
    "aws_ebs_volume": (Kind.VOLUME, "", {}),
    "aws_db_instance": (Kind.DATABASE, "identifier", {}),
    "aws_rds_cluster": (Kind.CLUSTER, "cluster_identifier", {}),
    "aws_rds_cluster_instance": (Kind.DATABASE, "identifier", {}),
    "aws_docdb_cluster": (Kind.CLUSTER, "cluster_identifier", {}),
    "aws_docdb_cluster_instance": (Kind.DATABASE, "identifier", {}),
    "aws_neptune_cluster": (Kind.CLUSTER, "cluster_identifier", {}),
    "aws_neptune_cluster_instance": (Kind.DATABASE, "identifier", {}),
    "aws_ecs_service": (Kind.SERVICE, "name", {}),
    "aws_eks_cluster": (Kind.CLUSTER, "name", {}),
    "aws_lambda_function": (Kind.FUNCTION, "function_name", {}),
    "aws_lb": (Kind.LOAD_BALANCER, "name", {}),
    "aws_alb": (Kind.LOAD_BALANCER, "name", {}),
    "aws_elasticache_cluster": (Kind.CACHE, "cluster_id", {}),
    GROUP: (Kind.CACHE, "replication_group_id", {}),
}


def read_terraform(file: str, content: bytes) -> tuple[list[Row], int, list[Problem]]:
    """(rows, how many resources are of other types, problems)."""
    resources = _resources(file, content)
    if isinstance(resources, Problem):
        return [], 0, [resources]
    rows: list[Row] = []
    nodes: list[Row] = []
    problems: list[Problem] = []
    skipped = 0
    for resource in resources:
        if not isinstance(resource, dict) or resource.get("mode") != "managed":
            continue  # a data source only looks at what others run
        if str(resource.get("type")) not in TYPES:
            skipped += 1
            continue
        for address, attributes in _instances(resource):
            row = _row(f"{file} ({address})", resource["type"], attributes)
            if isinstance(row, Problem):
                problems.append(row)
            elif resource["type"] == GROUP:
                nodes += _nodes(row, attributes)
            else:
                rows.append(row)
    alone = {row.identities for row in rows}
    return [*rows, *(node for node in nodes if node.identities not in alone)], skipped, problems


def _resources(file: str, content: bytes) -> list[Any] | Problem:
    try:
        state = json.loads(content)
    except json.JSONDecodeError as error:
        return Problem(f"{file}:{error.lineno}", f"it is not JSON: {error.msg}. {_PULL}")
    except (ValueError, RecursionError):  # no text, a number of thousands of digits, too deep
        return Problem(file, f"it is not JSON. {_PULL}")
    version = state.get("version") if isinstance(state, dict) else None
    if version != VERSION:
        said = f"format version {version}" if version is not None else "no state of Terraform"
        return Problem(file, f"it is {said}, and version {VERSION} can be read. {_PULL}")
    resources = state.get("resources")
    return (
        resources if isinstance(resources, list) else Problem(file, f"it has no list of resources. {_PULL}")
    )


def _instances(resource: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    name = f"{resource['type']}.{resource.get('name', '')}"
    module = resource.get("module")
    instances = resource.get("instances")
    for one in instances if isinstance(instances, list) else ():
        if not isinstance(one, dict) or one.get("deposed"):
            continue  # it is about to be destroyed, and another one has its place
        index = one.get("index_key")
        shown = "" if index is None else f"[{json.dumps(index)}]"
        attributes = one.get("attributes")
        yield (
            f"{f'{module}.' if module else ''}{name}{shown}",
            attributes if isinstance(attributes, dict) else {},
        )


def _row(where: str, kind_of: str, attributes: Mapping[str, Any]) -> Row | Problem:
    if not _arn(attributes):
        return Problem(
            where,
            "it has no ARN in the state. Run `terraform apply -refresh-only`, and pull the state again.",
        )
    return row_of(kind_of, attributes, where=where)


def row_of(kind_of: str, attributes: Mapping[str, Any], *, where: str, address: str = "") -> Row:
    """A component by its attributes; before it is made it has no ARN, and then its address in the plan names it."""
    kind, named, others = TYPES[kind_of]
    if attributes.get("load_balancer_type") == "network":
        kind = Kind.NETWORK_LOAD_BALANCER
    arn = _arn(attributes)
    tags = {
        str(name): str(value)
        for source in ("tags", "tags_all")
        for name, value in _object(attributes.get(source)).items()
        if value is not None
    }
    lowered = {name.casefold(): value for name, value in tags.items()}
    identities = [
        *filter(None, [arn]),
        *(f"{space}:{value}" for space, key in others.items() if (value := attributes.get(key))),
    ]
    level = lowered.get("criticality", "").casefold()
    region, account = arn.split(":")[3:5] if arn else (str(attributes.get("region") or ""), "")
    called = str(attributes.get(named) or "") or tags.get("Name")
    fields = {
        "name": called or str(address or attributes.get("id") or arn),
        "kind": kind.value,
        "owner": lowered.get("owner") or lowered.get("team") or "",
        "criticality": level if level in set(Criticality) else "",  # a tag may follow another rule
        "account": account,
        "region": region,
    }
    return Row(where=where, fields=fields, identities=tuple(identities or [f"name:{address}"]), tags=tags)


def _nodes(group: Row, attributes: Mapping[str, Any]) -> list[Row]:
    """AWS measures the nodes of a replication group, each a cluster of its own; the group itself has no metrics."""
    members = attributes.get("member_clusters")
    names = sorted(each for each in members if isinstance(each, str)) if isinstance(members, list) else []
    place = group.identities[0].rpartition(":replicationgroup:")[0]
    if not (names and place):
        return [group]
    return [
        replace(group, fields={**group.fields, "name": name}, identities=(f"{place}:cluster:{name}",))
        for name in names
    ]


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _arn(attributes: Mapping[str, Any]) -> str:
    """An ECS service's ARN is its id."""
    for key in ("arn", "id"):
        value = attributes.get(key)
        if isinstance(value, str) and value.startswith("arn:") and value.count(":") >= 5:
            return value
    return ""


_PULL = "Give the file that `terraform state pull` writes."
