"""One machine that three tools see is one component."""

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
    united = unite(found)
    names = [name for one in united for name in one.identities]

    assert len(names) == len(set(names))
    assert set(names) == {name for one in found for name in one.identities}
    assert all(MEASURES[one.kind] for one in united)
