"""Inventories as people write them: read whole, or refused with every line that is wrong."""

import json
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.inventory import Inventory, read_inventory
from bot.adapters.inventory.rows import WrongInventory
from bot.domain.component import Kind
from bot.domain.scope import Criticality

YAML = """\
components:
  - name: web-1
    kind: host
    owner: no
    criticality: High
    account: 012345678901
    identities: [arn:aws:ec2:eu-west-1:012345678901:instance/i-0abc12345, i-0abc12345, "host:web-1.internal"]
    tags: {env: prod}
  - {name: checkout, kind: Load Balancer, owner: ~}
"""


def read(**files: str | bytes) -> Inventory:
    """Names with their last “_” as a dot."""
    named = {".".join(name.rsplit("_", 1)): text for name, text in files.items()}
    contents = [(Path(name), t if isinstance(t, bytes) else t.encode()) for name, t in named.items()]
    return read_inventory(contents)


def wrong(**files: str | bytes) -> str:
    with pytest.raises(WrongInventory) as refused:
        read(**files)
    said = str(refused.value)
    assert said.endswith("\nNothing was imported.")
    return said.removesuffix("\nNothing was imported.")


def test_yaml_is_taken_as_it_is_written() -> None:
    """“no” is an owner, and an account keeps its zero."""
    web, lb = read(inventory_yaml=YAML).entries

    assert (web.owner, web.criticality, web.component.account) == ("no", Criticality.HIGH, "012345678901")
    assert sorted(map(str, web.component.identities)) == [
        "arn:arn:aws:ec2:eu-west-1:012345678901:instance/i-0abc12345",
        "host:web-1.internal",
        "instance:i-0abc12345",
    ]
    assert web.component.tags == {"env": "prod"}
    assert (lb.component.kind, lb.component.key, lb.owner) == (
        Kind.LOAD_BALANCER,
        "name:load_balancer/checkout",
        "",
    )
    assert read(inventory_yaml=YAML).unrated == {lb.component.key}
    assert read(list_yml="- {name: A, kind: host}").entries[0].component.key == "host:a"
    same = read(list_yml="- {name: shop, kind: database}\n- {name: shop, kind: load_balancer}\n")
    assert len(same.entries) == 2


def test_csv_as_spreadsheets_write_it() -> None:
    """With a byte order mark and semicolons, quoted cells and empty lines."""
    text = '\ufeffName;Kind;Owner;Identities;Tags\r\n"web; 1";host;shop;i-0abc12345 host:web;env=prod a=b\r\n;;;;\r\n'
    [web] = read(inventory_csv=text).entries
    assert (web.component.name, web.owner, web.component.tags) == (
        "web; 1",
        "shop",
        {"env": "prod", "a": "b"},
    )
    assert web.component.key == "instance:i-0abc12345"


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a_yaml", "- name: x\n  kind: hots\n", "a.yaml:1: “hots” is no kind. Did you mean “host”?"),
        (
            "a_yaml",
            "- name: x\n  knd: host\n",
            "a.yaml:2: “knd” is no field of a component. Did you mean “kind”?",
        ),
        ("a_yaml", "- kind: host\n", "a.yaml:1: it has no name. Give it one, as people call it."),
        ("a_yaml", "- name: x\n  name: y\n", "a.yaml:2: name stands there twice. Remove one of the two."),
        ("a_yaml", "- {name: x, kind: host\n", "a.yaml:2: it is not YAML"),
        ("a_yaml", "things: []", "a.yaml:1: “things” is not known here."),
        ("a_yaml", "- x", "a.yaml:1: a component with its name and kind was expected here."),
        ("a_yaml", "- name: [x]", "a.yaml:1: one value was expected here"),
        ("a_yaml", "- {name: x, kind: host, tags: y}", "a.yaml:1: tags are names with values."),
        ("a_yaml", "x", "a.yaml:1: a list of components was expected here."),
        ("a_yaml", "", "a.yaml: no component stands in it."),
        ("a_yaml", b"\xff\xfe\x00", "a.yaml"),
        (
            "a_yaml",
            f"- {{name: {'x' * 501}, kind: host}}",
            "a.yaml:1: its name has more than 500 characters.",
        ),
        (
            "a_yaml",
            '- {name: "a\\u202eb", kind: host}',
            "a.yaml:1: its name holds a character that cannot be seen.",
        ),
        ("a_csv", "name,kind\nx\n", "a.csv:2: it has 1 cells under 2 headings."),
        ("a_csv", "name,kind,color\n", "a.csv:1: “color” is no field of a component."),
        ("a_csv", "kind\nhost\n", "a.csv:1: there is no heading “name”."),
        ("a_csv", "name,kind,name\n", "a.csv:1: the heading name stands there twice."),
        ("a_csv", "name,kind,tags\nx,host,prod\n", "a.csv:2: the tag “prod” has no value."),
        ("a_csv", 'name,kind\n"x\n', "a.csv:"),
        ("a_csv", b"name,kind\nx,host\n\xff,host\n", "a.csv:3: it is not UTF-8 text."),
        ("a_csv", "name,kind,criticality\nx,host,urgent\n", "a.csv:2: “urgent” is no criticality."),
        ("a_txt", "x", "a.txt: its name ends in none of"),
        ("a_tfstate", "{", "a.tfstate:1: it is not JSON"),
        (
            "a_tfstate",
            '{"version": 3, "resources": []}',
            "a.tfstate: it is format version 3, and version 4 can be read.",
        ),
        ("a_json", "[]", "a.json: it is no state of Terraform"),
        ("a_json", f'{{"version": 4, "serial": {"9" * 5000}}}', "a.json: it is not JSON."),
        ("a_json", '{"version": 4, "resources": 5}', "a.json: it has no list of resources."),
        (
            "a_json",
            '{"version": 4, "resources": [{"mode": "managed", "type": "aws_lb", "instances": 5}]}',
            "a.json: no component stands in it.",
        ),
        (
            "a_yaml",
            "- {name: x, kind: host, identities: [host:LOCALHOST]}",
            "a.yaml:1: every machine calls itself",
        ),
        ("a_csv", "name,kind\nlocalhost,host\n", "a.csv:2: every machine calls itself “localhost”."),
        (
            "a_csv",
            "name,kind\nshop,cache\nShop,cache\n",
            "a.csv:3: name:cache/shop stands at a.csv:2 already.",
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_line(name: str, text: str | bytes, said: str) -> None:
    assert wrong(**{name: text}).startswith(said)


def test_every_problem_of_all_files_is_told_at_once() -> None:
    told = wrong(a_yaml="- kind: host\n- name: x\n", b_csv="name,kind\ny,hots\n").splitlines()
    assert [line.partition(" ")[0] for line in told] == ["a.yaml:1:", "a.yaml:2:", "b.csv:2:"]
    same = wrong(a_yaml="- {name: x, kind: host}\n", b_csv="name,kind\nx,host\n")
    assert same.startswith(
        "b.csv:2: host:x stands at a.yaml:1 already. Remove one of the two; if they are two, give"
    )


ARN = "arn:aws:{service}:eu-west-1:111122223333:{rest}"


def resource(kind: str, **attributes: Any) -> dict[str, Any]:
    return {"mode": "managed", "type": kind, "name": "one", "instances": [{"attributes": attributes}]}


def state(*resources: dict[str, Any]) -> str:
    return json.dumps({"version": 4, "terraform_version": "1.9.0", "resources": resources})


def test_a_load_balancer_of_connections_is_a_kind_of_its_own() -> None:
    """It has no latency that could be watched."""
    arn = ARN.format(service="elasticloadbalancing", rest="loadbalancer/{0}/x/1")
    edge, wire = (
        resource("aws_lb", name=kind, arn=arn.format(short), load_balancer_type=kind)
        for kind, short in (("application", "app"), ("network", "net"))
    )
    found = {one.component.name: one.component.kind for one in read(a_tfstate=state(edge, wire)).entries}
    assert found == {"application": Kind.LOAD_BALANCER, "network": Kind.NETWORK_LOAD_BALANCER}


def test_terraforms_state_gives_what_it_runs() -> None:
    """By ARN; data sources, deposed objects and what nobody monitors are left out."""
    web = resource(
        "aws_instance",
        arn=ARN.format(service="ec2", rest="instance/i-1"),
        id="i-1",
        private_dns="ip-10-0-0-1.ec2.internal",
        tags={"Name": "web", "Team": "shop", "Criticality": "tier 1"},
        user_data="secret",
    )
    web["instances"].append({"deposed": "ab", "attributes": {}})
    service = resource("aws_ecs_service", id=ARN.format(service="ecs", rest="service/c/api"), name="api")
    database = resource(
        "aws_db_instance", arn=ARN.format(service="rds", rest="db:d"), identifier="d", id="db-X"
    )
    data = resource("aws_instance") | {"mode": "data"}
    found = read(a_tfstate=state(web, service, database, data, resource("aws_vpc", id="vpc-1")))

    assert found.skipped == 1
    one, two, three = found.entries
    assert (one.component.name, one.owner, one.component.account) == ("web", "shop", "111122223333")
    assert {name.space for name in one.component.identities} == {"arn", "instance"}
    assert (two.component.kind, two.component.name) == (Kind.SERVICE, "api")
    assert (three.component.kind, three.component.name, three.component.region) == (
        Kind.DATABASE,
        "d",
        "eu-west-1",
    )
    assert "secret" not in repr(found)


def test_a_replication_group_is_its_nodes() -> None:
    """As AWS tells of them; one that Terraform knows besides counts once."""
    group = resource(
        "aws_elasticache_replication_group",
        arn=ARN.format(service="elasticache", rest="replicationgroup:cart"),
        replication_group_id="cart",
        member_clusters=["cart-002", "cart-001"],
        tags={"owner": "shop"},
    )
    node = resource(
        "aws_elasticache_cluster",
        arn=ARN.format(service="elasticache", rest="cluster:cart-002"),
        cluster_id="cart-002",
    )
    found = read(a_tfstate=state(group, node)).entries
    assert sorted((one.component.name, one.owner) for one in found) == [
        ("cart-001", "shop"),
        ("cart-002", ""),
    ]
    assert {one.component.key.rpartition(":")[2] for one in found} == {"cart-001", "cart-002"}


def test_a_resource_without_an_arn_is_named_by_its_address() -> None:
    lost = resource("aws_lb", name="x") | {"module": "module.edge"}
    lost["instances"][0]["index_key"] = "blue"
    assert 'a.json (module.edge.aws_lb.one["blue"]): it has no ARN' in wrong(a_json=state(lost))
