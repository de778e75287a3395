"""The scope as people read it: nothing that Slack refuses, no words that do anything, however much there is."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.adapters.slack import interactions as do
from bot.adapters.slack import scope_message as told
from bot.adapters.slack.scope_form import exclude_form
from bot.domain.component import Component, Identity, Kind
from bot.domain.scope import (
    Change,
    Difference,
    ExclusionRequest,
    Finding,
    FindingKind,
    Heard,
    InScope,
    Revision,
    Scope,
)
from bot.procedures.review_scope import ScopeDifference, Standing
from tests.adapters.slack.examples import HOSTILE_WORDS, assert_message, assert_view, labels, parsed_texts

NOW = datetime(2026, 11, 24, 3, tzinfo=UTC)


@pytest.mark.parametrize("word", [*HOSTILE_WORDS, "x" * 5000])
def test_whatever_a_tool_calls_its_machines(word: str) -> None:
    own = Component(
        kind=Kind.HOST,
        name=word,
        identities=frozenset({Identity("host", word)}),
        sources=frozenset({"datadog"}),
        account=word,
        tags={word: word},
    )
    entry = InScope(component=own, owner=word)
    first = Revision(
        id=1, at=NOW, by="U1SAM", change=Change.ADDED, added=1, reviewed_at=NOW, reviewed_by="U1LEAD"
    )
    found = tuple(
        Finding(id=number, kind=kind, component=own, at=NOW, before=word)
        for number, kind in enumerate([*FindingKind, *[FindingKind.NEW] * 8], 1)
    )
    request = ExclusionRequest(
        id=1,
        component=own,
        reason=word,
        until=NOW,
        requested_by="U1SAM",
        at=NOW,
        decided_by="U2",
        approved=True,
    )
    scope = Scope(revision=first, entries=(entry,), review=first)
    stands = Standing(
        scope=scope,
        sightings=(),
        heard=(Heard(source="datadog", asked_at=NOW, reason=word),),
        findings=found,
        requests=(request,) * 6,
        now=NOW + timedelta(hours=1),
    )
    changed = replace(entry, owner="", component=replace(own, name="web"))
    found_out = ScopeDifference(
        since=first,
        revision=first,
        made=Difference(added=(entry,) * 9, changed=((entry, changed),)),
        not_in_scope=(own,) * 9,
        not_seen=(entry,) * 9,
        heard=stands.heard,
    )
    for message in (
        told.scope_message(stands, titles={"datadog": "Datadog"}),
        told.decided_message(request),
        told.difference_message(found_out, titles={}),
        told.history_message([first] * 3),
        told.document_message(word, scope, "sha256:00", 3),
        told.reviewed_message(first),
    ):
        assert_message(message.text, message.blocks)
    assert_view(exclude_form(own, do.Excluding(finding=1)))


def test_what_waits_is_shown_with_its_buttons_and_counted() -> None:
    own = Component(kind=Kind.HOST, name="web", identities=frozenset({Identity("host", "web")}))
    found = [Finding(id=number, kind=FindingKind.NEW, component=own, at=NOW) for number in range(1, 61)]
    message = told.prompt_message(found)

    assert message.text == "The infrastructure and the monitoring scope differ: 60 new"
    assert labels(message.blocks) == ["!Add", "Exclude…", "Not ours"] * 10 + ["Add all 60 new ones"]
    assert any("… and 50 more" in text for text in parsed_texts(message.blocks))
    gone = Finding(id=61, kind=FindingKind.VANISHED, component=own, at=NOW)
    assert labels(told.prompt_message([*found, gone]).blocks)[:2] == ["Remove from scope", "Exclude…"]
    assert "Everything" in told.prompt_message([]).text
    assert "No component" in "".join(
        parsed_texts(
            told.scope_message(
                Standing(scope=None, sightings=(), heard=(), findings=(), requests=(), now=NOW), titles={}
            ).blocks
        )
    )
