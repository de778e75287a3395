"""What the tools see against what is in scope: an answer that is not whole proves no absence."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.component import Component, Identity, Kind
from bot.domain.scope import (
    Change,
    Criticality,
    Exclusion,
    Finding,
    FindingKind,
    InScope,
    News,
    Reply,
    Revision,
    Scope,
    Sighting,
    changed_fields,
    difference,
    find,
    lines,
    news,
    present,
    prompt_due,
    renamed,
    take_in,
)

NOW = datetime(2026, 11, 24, 3, tzinfo=UTC)
HOUR = timedelta(hours=1)

identities = st.builds(Identity, st.sampled_from(["arn", "instance", "host"]), st.sampled_from("abcd"))
components = st.builds(
    Component,
    kind=st.just(Kind.HOST),
    name=st.sampled_from(["web", "db"]),
    identities=st.frozensets(identities, min_size=1, max_size=2),
)
answers = st.lists(
    st.tuples(st.sampled_from(["datadog", "cloudwatch"]), st.lists(components, max_size=4), st.booleans()),
    max_size=5,
)


def host(name: str, *names: str, **tags: str) -> Component:
    given = frozenset(map(Identity.parse, names or (f"host:{name}",)))
    return Component(kind=Kind.HOST, name=name, identities=given, tags=tags)


def kept(known: list[Sighting], told: News) -> list[Sighting]:
    """As the records keep it."""
    after = {one.id: one for one in known}
    for one in told.seen:
        after[one.id or max(after, default=0) + 1] = one
    for number in told.gone:
        after[number] = replace(after[number], gone_at=told.as_of)
    return [replace(one, id=number) for number, one in after.items()]


def after(told: list[tuple[str, list[Component], bool]]) -> list[Sighting]:
    known: list[Sighting] = []
    for at, (source, items, complete) in enumerate(told):
        own = [one for one in known if one.source == source]
        known = kept(known, news(source, own, items, complete=complete, as_of=NOW + at * HOUR))
    return known


def _given_once(every: list[Component]) -> set[Identity]:
    """The names that count in any case: a host name that two have names neither of them."""
    return {name for one in every for name in one.identities if name.is_given_once}


@given(answers, st.sampled_from(["datadog", "cloudwatch"]), st.lists(components, max_size=4))
def test_an_answer_that_is_not_whole_proves_no_absence(
    told: list[tuple[str, list[Component], bool]], source: str, items: list[Component]
) -> None:
    """Whatever came before: after it everything that was there is still there, and nothing has vanished."""
    before, later = after(told), after([*told, (source, items, False)])
    seen = _given_once(present(before))
    assert _given_once(present(later)) == seen | _given_once(items)
    scope = [
        InScope(component=replace(one, identities=frozenset({name})))
        for one in present(before)
        for name in one.identities
    ]
    assert not [one for one in find(scope, later, [], NOW).new if one.kind is FindingKind.VANISHED]


@given(answers, st.lists(components, max_size=4))
def test_a_whole_answer_is_what_there_is(
    told: list[tuple[str, list[Component], bool]], items: list[Component]
) -> None:
    """Of its source; and told again it changes nothing."""
    later = after([*told, ("datadog", items, True)])
    own = [one for one in later if one.source == "datadog"]

    there = [one.component for one in own if one.gone_at is None]
    assert _given_once(there) == _given_once(items)
    again = news("datadog", own, items, complete=True, as_of=NOW)
    assert ([one for one in again.seen if not one.id], again.gone, again.renamed) == ([], (), ())


@given(answers)
def test_each_thing_is_found_once(told: list[tuple[str, list[Component], bool]]) -> None:
    """And stays found, as long as nothing changes."""
    known = after(told)
    scope = [InScope(component=one.component) for one in known if one.gone_at][:1]
    first = find(scope, known, [], NOW + 9 * HOUR)
    stored = [replace(one, id=number) for number, one in enumerate(first.new, 1)]
    again = find(scope, known, stored, NOW + 10 * HOUR)

    assert (again.new, again.over) == ((), ())


def test_what_people_know_by_name_alone_is_the_one_that_is_called_so() -> None:
    """Of the same kind, and when there is only one."""
    named = InScope(component=replace(host("shop-db", "name:shop-db"), kind=Kind.DATABASE))
    seen = replace(host("Shop-DB", "arn:arn:aws:rds:eu:1:db:shop"), kind=Kind.DATABASE)
    [line] = lines([named], [seen])
    assert (line.component.name, line.component.key) == ("shop-db", "arn:arn:aws:rds:eu:1:db:shop")

    assert [bool(line.seen) for line in lines([named], [replace(seen, kind=Kind.HOST)])] == [False, True]
    other = replace(seen, identities=frozenset({Identity("guid", "x")}))
    assert len(lines([named], [seen, other])) == 3
    gone = Sighting(id=1, source="aws", component=seen, first_seen=NOW, last_seen=NOW, gone_at=NOW)
    assert [one.kind for one in find([named], [gone], [], NOW).new] == [FindingKind.VANISHED]


def test_two_that_the_inventory_knows_as_one_are_one() -> None:
    entry = InScope(component=host("web", "instance:i-1", "host:web"))
    [line] = lines([entry], [host("a", "instance:i-1", "guid:g"), host("b", "host:web")])
    assert {str(name) for name in line.component.identities} == {"instance:i-1", "host:web", "guid:g"}


def test_a_machine_that_was_made_anew_keeps_its_place_and_another_one_gets_none() -> None:
    """The same host name on a new instance: while the old one is there, they are two; then the new one is it."""
    aws = frozenset({"aws"})
    old, new = (replace(host("web", f"instance:i-{number}", "host:web"), sources=aws) for number in (1, 2))
    [was] = kept([], news("aws", [], [old], complete=True, as_of=NOW))
    both = kept([was], news("aws", [was], [old, new], complete=True, as_of=NOW))
    scope = [InScope(component=old)]
    [found] = find(scope, both, [], NOW).new
    assert (found.kind, str(found.component.key)) == (FindingKind.NEW, "instance:i-2")
    strange = replace(found, id=1, reply=Reply.NOT_OURS)
    assert [one.component.key for one in find([], both, [strange], NOW).new] == ["instance:i-1"]

    later = kept([was], news("aws", [was], [new], complete=True, as_of=NOW + HOUR))
    assert [(one.component, bool(one.gone_at)) for one in later] == [(old, True), (new, False)]
    assert find(scope, later, [], NOW + HOUR).new == ()
    assert [line.seen for line in lines(scope, present(later))] == [new]
    both_in = [*scope, InScope(component=host("web", "instance:i-2"))]
    assert [line.seen for line in lines(both_in, present(later))] == [None, new], "it is another one by name"


def test_a_name_in_another_account_is_another_one() -> None:
    own = replace(host("shop", "name:database/shop"), kind=Kind.DATABASE, account="1")
    seen = replace(host("shop", "arn:a"), kind=Kind.DATABASE, account="2")
    assert [bool(line.seen) for line in lines([InScope(component=own)], [seen])] == [False, True]
    mine = replace(host("shop", "arn:b"), kind=Kind.DATABASE, account="1")
    assert lines([InScope(component=own)], [seen, mine])[0].seen == mine


def test_what_left_the_scope_and_comes_back_is_new_again() -> None:
    web = host("web", "instance:i-1")
    answered = Finding(id=1, kind=FindingKind.NEW, component=web, at=NOW, reply=Reply.ADDED)
    back = Sighting(id=1, source="aws", component=web, first_seen=NOW, last_seen=NOW)

    assert find([InScope(component=web)], [back], [answered], NOW).new == ()
    assert [one.kind for one in find([], [back], [answered], NOW).new] == [FindingKind.NEW]


def test_what_waits_is_as_it_is_seen_by_now_and_once() -> None:
    """Two that turn out to be one machine are asked about once, with all its names and tags."""
    by_name = Finding(id=1, kind=FindingKind.NEW, component=host("web", "host:web"), at=NOW)
    by_id = Finding(id=2, kind=FindingKind.NEW, component=host("i-1", "instance:i-1"), at=NOW)
    whole = host("web", "host:web", "instance:i-1", owner="shop")
    seen = [Sighting(id=1, source="aws", component=whole, first_seen=NOW, last_seen=NOW)]

    found = find([], seen, [by_name, by_id], NOW)
    assert (found.new, found.again, found.over) == ((), (replace(by_name, component=whole),), (2,))
    assert [len(page.over) for page in found.pages(1)] == [1]
    again = find([], seen, list(found.again), NOW)
    assert (again.new, again.again, again.over) == ((), (), ())


def test_a_new_name_that_is_taken_back_is_over() -> None:
    web = host("web", "instance:i-1")
    told = Finding(id=1, kind=FindingKind.RENAMED, component=replace(web, name="web-b"), at=NOW, before="web")
    for scope, called, over in ((web, "web-b", ()), (web, "web", (1,)), (told.component, "web-b", (1,))):
        seen = Sighting(
            id=1, source="aws", component=replace(web, name=called), first_seen=NOW, last_seen=NOW
        )
        assert find([InScope(component=scope)], [seen], [told], NOW).over == over


def test_a_new_name_is_found_where_it_is_in_scope() -> None:
    scope = [InScope(component=host("web", "instance:i-1"))]
    now = host("web-b", "instance:i-1")
    told = [("web", now), ("x", host("y")), ("web", now)]
    [found] = renamed(scope, told, [], NOW)
    assert (found.before, found.component.name) == ("web", "web-b")
    assert renamed(scope, told, [found], NOW) == []


def test_people_are_asked_once_a_day_and_of_the_same_once_a_week() -> None:
    new = Finding(id=1, kind=FindingKind.NEW, component=host("web"), at=NOW)
    told = replace(new, told_at=NOW)
    cases = [
        ([], 0, False),
        ([new], 0, True),
        ([told], 24, False),
        ([told, new], 23, False),
        ([told, new], 24, True),
        ([told], 7 * 24, True),
        ([replace(told, reply=Reply.ADDED)], 7 * 24, False),
    ]
    for waiting, hours, due in cases:
        assert prompt_due(waiting, NOW + hours * HOUR) is due


EXCLUDED = Exclusion(reason="spare", requested_by="U1", approved_by="U2", until=NOW + HOUR)


def test_an_import_keeps_what_a_file_cannot_say() -> None:
    """Exclusions, and identities known besides. What it does not name stays, or leaves when it replaces all."""
    web = InScope(component=host("web", "instance:i-1", "host:web"), exclusion=EXCLUDED)
    old = InScope(component=host("old"))
    told = InScope(component=host("web", "host:web"), owner="shop", criticality=Criticality.HIGH)

    after_all = take_in([web, old], [told], replacing=False)
    made = difference([web, old], after_all)
    assert (made.added, made.removed) == ((), ())
    [(before, now)] = made.changed
    assert (before, now.exclusion, now.component.identities) == (web, EXCLUDED, web.component.identities)
    assert changed_fields(before, now) == ["owner nobody → shop", "criticality medium → high"]
    assert difference([web, old], take_in([web, old], [told], replacing=True)).removed == (old,)
    assert not difference(after_all, take_in(after_all, [told], replacing=False))


def test_what_a_file_leaves_out_stays_as_it_is_known() -> None:
    """Or a refresh from Terraform's state would take everything's owner and criticality away."""
    known = InScope(component=replace(host("web"), region="eu"), owner="shop", criticality=Criticality.HIGH)
    told = InScope(component=host("web"))
    assert take_in([known], [told], replacing=True, unrated={"host:web"}) == [known]
    [rated] = take_in([known], [told], replacing=True)
    assert (rated.owner, rated.criticality) == ("shop", Criticality.MEDIUM)


def test_a_file_that_tells_two_apart_loses_neither() -> None:
    """The exclusion was of one of them: it stays with the first."""
    both = InScope(component=host("web", "instance:i-1", "host:db"), exclusion=EXCLUDED)
    web, db = InScope(component=host("web", "instance:i-1")), InScope(component=host("db", "host:db"))
    assert take_in([both], [web, db], replacing=False) == [replace(web, exclusion=EXCLUDED), db]


def test_what_is_due_for_review() -> None:
    first = Revision(id=1, at=NOW, by="", change=Change.IMPORTED)
    reviewed = replace(first, reviewed_at=NOW, reviewed_by="U1LEAD")
    entry = InScope(component=host("web"), owner="shop", exclusion=EXCLUDED)

    assert Scope(revision=first, entries=()).due(NOW) == ["The scope has never been reviewed."]
    assert Scope(revision=first, entries=(), review=reviewed).due(NOW) == []
    later = Scope(
        revision=replace(first, id=2), entries=(entry, InScope(component=host("x"))), review=reviewed
    )
    assert later.due(NOW) == [
        "The scope has changed since revision 1 was reviewed.",
        "1 exclusion ends within 14 days.",
        "1 component has no owner.",
    ]
    assert "The last review is more than 90 days old." in later.due(NOW + timedelta(days=90))
    assert "An exclusion is over: this component has to be covered again." in later.due(NOW + HOUR)
