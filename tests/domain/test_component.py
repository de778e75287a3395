"""One machine that three tools see is one component."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.component import MEASURES, Component, Identity, Kind, unite

identities = st.builds(
    Identity, st.sampled_from(["arn", "instance", "guid", "host", "name"]), st.sampled_from("abcdef")
)
components = st.builds(
    Component,
    kind=st.sampled_from(Kind),
    name=st.sampled_from(["web", "db"]),
    identities=st.frozensets(identities, min_size=1, max_size=3),
    sources=st.frozensets(st.sampled_from(["datadog", "newrelic", "cloudwatch"]), min_size=1),
)


def seen(source: str, kind: Kind, *names: str) -> Component:
    given = frozenset(map(Identity.parse, names))
    return Component(kind=kind, name=names[0], identities=given, sources=frozenset({source}))


def test_one_machine_seen_by_three_tools_is_one_component() -> None:
    """CloudWatch knows the instance, Datadog instance and host name, New Relic the host name and its own guid."""
    arn = "arn:arn:aws:ec2:eu-west-1:111122223333:instance/i-1"
    one, other = unite(
        [
            seen("newrelic", Kind.HOST, "guid:MTIz", "host:ip-10-0-0-1"),
            seen("cloudwatch", Kind.HOST, arn, "instance:i-1"),
            seen("newrelic", Kind.HOST, "guid:other"),
            seen("datadog", Kind.HOST, "instance:i-1", "host:ip-10-0-0-1"),
        ]
    )

    assert (one.key, sorted(one.sources)) == (arn, ["cloudwatch", "datadog", "newrelic"])
    assert (other.key, sorted(other.sources)) == ("guid:other", ["newrelic"])


@given(st.lists(components, max_size=8), st.randoms())
def test_uniting_is_the_same_in_any_order_and_a_second_time(found: list[Component], random: object) -> None:
    united = unite(found)
    shuffled = list(found)
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    assert [one.identities for one in unite(shuffled)] == [one.identities for one in united]
    assert unite(united) == united


@given(st.lists(components, max_size=8))
def test_nothing_is_lost_and_no_two_share_an_identity(found: list[Component]) -> None:
    """But names that people chose, where two have the same."""
    united = unite(found)
    names = [name for one in united for name in one.identities]
    given_once = {name for one in found for name in one.identities if name.is_given_once}

    assert len(names) == len(set(names))
    assert {name for name in names if name.is_given_once} == given_once
    assert all(MEASURES[one.kind] for one in united)
    whole = [part.identities for part in found if len(part.identities) == 1]
    assert all(any(part <= one.identities for one in united) for part in whole)


@pytest.mark.parametrize(
    ("names", "united"),
    [
        # Two clusters: each has a web-1. Which of them a third tool means by it, nobody knows.
        (["guid:a host:web-1", "guid:b host:web-1"], ["guid:a", "guid:b"]),
        (["guid:a host:web-1", "guid:b host:web-1", "host:web-1"], ["guid:a", "guid:b", "host:web-1"]),
        # The same address in two networks, the ids in two tools.
        (
            ["arn:a instance:i-1", "instance:i-1 host:ip-1", "instance:i-2 host:ip-1", "arn:b instance:i-2"],
            ["arn:a instance:i-1", "arn:b instance:i-2"],
        ),
        (
            ["arn:a instance:i-1", "guid:g instance:i-1 host:x", "host:x"],
            ["arn:a guid:g host:x instance:i-1"],
        ),
        (["guid:a host:localhost", "host:localhost"], ["guid:a", "host:localhost"]),
        (["guid:a host:localhost", "instance:i-1 host:localhost"], ["guid:a", "instance:i-1"]),
    ],
)
def test_two_that_are_called_alike_are_two(names: list[str], united: list[str]) -> None:
    found = unite(seen("datadog", Kind.HOST, *each.split()) for each in names)

    assert [" ".join(sorted(map(str, one.identities))) for one in found] == united


def test_a_host_name_is_the_same_in_capitals() -> None:
    assert Identity.parse("host:WEB-1.Internal") == Identity("host", "web-1.internal")
