"""Two people decide about the scope at the same moment, or late: one winner, and no component twice."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.adapters.database.writer import Database
from bot.domain.component import Component, Identity, Kind
from bot.domain.errors import IllegalAct
from bot.domain.person import Person, Role
from bot.domain.scope import Finding, FindingKind, Found, InScope
from bot.procedures import change_scope, exclude_component, review_scope, take_inventory
from bot.procedures.review_scope import Settled
from tests.reports import LEAD, SAM
from tests.world import MovableClock, open_database

BACKUP = Person(team="T1", user="U2BACKUP", roles=frozenset({Role.BACKUP_LEAD}))
CLOCK = MovableClock()


@pytest.fixture
async def replicas(database_url: str) -> AsyncIterator[tuple[Database, Database]]:
    """Of PostgreSQL there are two; of SQLite one."""
    here = open_database(database_url, CLOCK)
    there = here if database_url.startswith("sqlite") else open_database(database_url, CLOCK)
    yield here, there
    for one in {here, there}:
        one.close()


async def at_once(*acts: Any) -> list[str]:
    done = await asyncio.gather(*acts, return_exceptions=True)
    return sorted("refused" if isinstance(one, Settled) else type(one).__name__ for one in done)


async def entries(database: Database) -> tuple[InScope, ...]:
    scope = await database.read(lambda records: records.scope())
    return scope.entries if scope else ()


async def test_of_two_who_decide_at_the_same_moment_one_does(replicas: tuple[Database, Database]) -> None:
    here, there = replicas
    names = [frozenset({Identity("host", f"web-{number}")}) for number in range(4)]
    hosts = [Component(kind=Kind.HOST, name=f"web-{at}", identities=each) for at, each in enumerate(names)]
    new = [Finding(kind=FindingKind.NEW, component=one, at=CLOCK.now()) for one in hosts]
    await here.write(take_inventory.keep_findings, Found(new=tuple(new), again=(), over=()))

    both: list[Any] = [
        one.write(change_scope.add_found, [1], by=by) for one, by in ((here, SAM), (there, LEAD))
    ]
    assert await at_once(*both) == ["Revision", "refused"]
    mixed = (
        here.write(change_scope.add_found, [2], by=SAM),
        there.write(change_scope.not_ours, 2, by=LEAD),
    )
    assert "refused" in await at_once(*mixed)

    ask: dict[str, Any] = {
        "reason": "replaced next month",
        "until": CLOCK.now() + timedelta(days=9),
        "finding": None,
    }
    both = [
        one.write(exclude_component.request_exclusion, hosts[2], **ask, by=by)
        for one, by in ((here, SAM), (there, LEAD))
    ]
    assert await at_once(*both) == ["ExclusionRequest", "refused"]
    chosen = await here.read(exclude_component.chosen_to_exclude, 1)
    both = [
        here.write(exclude_component.approve_exclusion, 1, chosen, by=BACKUP),
        there.write(exclude_component.decline_exclusion, 1, by=LEAD),
    ]
    assert await at_once(*both) == ["ExclusionRequest", "refused"]

    held = await entries(here)
    assert len({one.component.key for one in held}) == len(held)
    revisions = await here.read(review_scope.history, most=99)
    assert [one.id for one in revisions] == list(range(len(revisions), 0, -1))


async def test_what_was_chosen_before_the_scope_changed_changes_nothing(
    replicas: tuple[Database, Database],
) -> None:
    here, there = replicas
    web = Component(kind=Kind.HOST, name="web", identities=frozenset({Identity("host", "web")}))
    prepared = await here.read(change_scope.prepare_import, [InScope(component=web)], replacing=False)
    given: dict[str, Any] = {"replacing": False, "files": {"a": "sha256:0"}, "operator": "kim"}
    assert await at_once(
        *(one.write(change_scope.import_inventory, prepared, **given) for one in replicas)
    ) == [
        "Revision",
        "refused",
    ]
    early = await here.read(change_scope.choose, "WEB", by=LEAD)
    revision, _ = await there.write(change_scope.add, early, owner="shop", by=SAM)
    for late in (
        here.write(change_scope.add, early, owner="ops", by=LEAD),
        here.write(change_scope.remove, early, reason="replaced by another", by=LEAD),
    ):
        with pytest.raises(Settled, match="at the same moment"):
            await late
    assert await entries(there) == (InScope(component=web, owner="shop"),)
    assert revision.id == 2


async def test_nobody_approves_their_own_and_may_still_take_it_back(
    replicas: tuple[Database, Database],
) -> None:
    here, _ = replicas
    web = Component(kind=Kind.HOST, name="web", identities=frozenset({Identity("host", "web")}))
    until = CLOCK.now() + timedelta(days=1)
    ask: dict[str, Any] = {"reason": "replaced next month", "until": until, "finding": None, "by": LEAD}
    request = await here.write(exclude_component.request_exclusion, web, **ask)
    chosen = await here.read(exclude_component.chosen_to_exclude, request.id)
    with pytest.raises(IllegalAct, match="nobody approves their own"):
        await here.write(exclude_component.approve_exclusion, request.id, chosen, by=LEAD)
    declined = await here.write(exclude_component.decline_exclusion, request.id, by=LEAD)
    assert declined == replace(request, decided_by=LEAD.user, decided_at=CLOCK.now(), approved=False)
    assert await entries(here) == ()
