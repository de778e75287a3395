"""Sightings, findings and revisions on both databases."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.component import Component, Identity, Kind
from bot.domain.errors import UnknownExclusionRequest, UnknownFinding, UnknownRevision
from bot.domain.scope import (
    Change,
    Criticality,
    Difference,
    Exclusion,
    ExclusionRequest,
    Finding,
    FindingKind,
    Heard,
    InScope,
    Reply,
    Sighting,
)
from tests.world import Ledger

WEB = Component(
    kind=Kind.HOST,
    name="wéb",
    identities=frozenset({Identity("arn", "arn:aws:ec2:x"), Identity("host", "a:b")}),
    sources=frozenset({"datadog"}),
    account="1",
    region="eu",
    tags={"env": "prod"},
)
DB = replace(WEB, name="db", identities=frozenset({Identity("odd", "x")}))


def test_sightings_and_findings_are_kept_as_they_were(database_url: str) -> None:
    ledger = Ledger(database_url)
    now = ledger.clock.now()
    seen = [Sighting(source="datadog", component=one, first_seen=now, last_seen=now) for one in (WEB, DB)]
    ledger.write(lambda records: records.save_sightings(seen))
    web, db = ledger.read(lambda records: records.sightings())
    assert [replace(web, id=0), replace(db, id=0)] == seen
    later = replace(web, last_seen=now + timedelta(hours=1))
    ledger.write(lambda records: records.save_sightings([later, seen[1]]))
    ledger.write(lambda records: records.sightings_gone([db.id], now))
    assert ledger.read(lambda records: records.sightings(most=1)) == [later]
    assert ledger.read(lambda records: records.sightings(after=web.id))[0] == replace(db, gone_at=now)

    finding = Finding(kind=FindingKind.RENAMED, component=WEB, at=now, before="old")
    ledger.write(lambda records: records.save_findings([finding]))
    answered = replace(finding, id=1, told_at=now, reply=Reply.NAMED, replied_by="U1", replied_at=now)
    ledger.write(lambda records: records.save_findings([answered]))
    assert ledger.read(lambda records: records.findings()) == [answered]
    with pytest.raises(UnknownFinding, match="number 9"):
        ledger.read(lambda records: records.finding(9))

    whole = Heard(source="datadog", asked_at=now, complete_at=now)
    ledger.write(lambda records: records.save_heard(whole))
    partly = Heard(source="datadog", asked_at=now + timedelta(hours=1), reason="no page 2")
    ledger.write(lambda records: records.save_heard(partly))
    assert ledger.read(lambda records: records.heard()) == [replace(partly, complete_at=now)]
    ledger.database.close()


def test_every_revision_can_be_read_again(database_url: str) -> None:
    ledger = Ledger(database_url)
    assert ledger.read(lambda records: records.scope()) is None
    until = ledger.clock.now()
    out = Exclusion(reason="spare", requested_by="U1", approved_by="U2", until=until)
    web, db = InScope(component=WEB, owner="kim", criticality=Criticality.HIGH), InScope(component=DB)
    excluded = replace(web, exclusion=out)
    steps = [
        (Change.IMPORTED, Difference(added=(web, db)), ""),
        (Change.EXCLUDED, Difference(changed=((web, excluded),)), "U2"),
        (Change.REMOVED, Difference(removed=(db,)), "U1"),
    ]
    for change, made, by in steps:
        ledger.write(lambda records, c=change, m=made, b=by: records.add_revision(c, m, by=b))
    ledger.write(lambda records: records.save_scope_review(2, by="U1LEAD", document="sha256:00"))

    held = [ledger.read(lambda records, n=n: records.scope(n)).entries for n in (1, 2, 3)]
    assert held == [(web, db), (excluded, db), (excluded,)]
    now = ledger.read(lambda records: records.scope())
    assert (now.revision.id, now.revision.by, now.review.id, now.review.document) == (3, "U1", 2, "sha256:00")
    assert ledger.read(lambda records: records.scope(1)).review is None
    assert [one.id for one in ledger.read(lambda records: records.scope_revisions(most=2))] == [3, 2]
    for unknown in (9, 10**20):
        with pytest.raises(UnknownRevision, match=f"revision {unknown}"):
            ledger.read(lambda records, n=unknown: records.scope(n))
    ledger.database.close()


def test_requests_wait_until_they_are_decided(database_url: str) -> None:
    ledger = Ledger(database_url)
    now = ledger.clock.now()
    asked = ExclusionRequest(
        id=0, component=WEB, reason="spare", until=now, requested_by="U1", at=now, finding=3
    )
    number = ledger.write(lambda records: records.save_exclusion_request(asked))
    assert ledger.read(lambda records: records.exclusion_requests()) == [replace(asked, id=number)]
    decided = replace(asked, id=number, told_at=now, decided_by="U2", decided_at=now, approved=False)
    ledger.write(lambda records: records.save_exclusion_request(decided))
    assert ledger.read(lambda records: records.exclusion_requests()) == []
    assert ledger.read(lambda records: records.exclusion_request(number)) == decided
    with pytest.raises(UnknownExclusionRequest, match="request 9"):
        ledger.read(lambda records: records.exclusion_request(9))
    ledger.database.close()
