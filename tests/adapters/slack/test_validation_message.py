"""The weekly validation as people read it: nothing that Slack refuses, however much was found; no words act."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings

from bot.adapters.slack import validation_form as form
from bot.adapters.slack import validation_message as told
from bot.domain.attestation import Attestation, Decided, Delegation, Disposition, Overlap, Told
from bot.domain.evidence import Fact
from bot.domain.slot import Calendar, Rhythm
from bot.domain.validation import Ended, Finding, Period, Section, Validation, Verdict, freeze
from bot.procedures.validate_monitoring import Shown
from tests.adapters.slack.examples import assert_message, assert_view, hostile, labels

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
SLOT = Calendar([Rhythm(zone="Europe/Berlin", at=NOW - timedelta(days=30))]).slot("2026-W47")


def week(count: int, word: str = "", decided: int = 0) -> Shown:
    """With so many findings, all in these words; of the first few it was decided before."""
    findings = tuple(
        Finding(
            id=f"metrics:{at}",
            says=f"{at} {word} is silent.",
            mend=f"Look {word} at `/socmon coverage gaps`.",
        )
        for at in range(count)
    )
    facts: dict[str, Fact] = {
        "checked": None,
        "tools": {"a tool": [1, {"name": word}], "none": []},
        "fresh": True,
    }
    sections = [
        Section(name="metrics", verdict=Verdict.BAD, says=f"short {word}", findings=findings, facts=facts),
        *(Section(name=f"other-{at}", verdict=Verdict.GOOD, says="all well") for at in range(9)),
    ]
    frozen = replace(
        freeze(Period(week=SLOT.week, start=SLOT.start, end=SLOT.end), sections, NOW), revision=2
    )
    record = Validation(slot=SLOT, opened_at=NOW, revision=2, digest=frozen.digest)
    known = {each.id: decision(each.id, word) for each in findings[:decided]}
    return Shown(record=record, facts=frozen, decided=known, delegations=(), now=NOW)


def decision(finding: str, word: str) -> Disposition:
    fix = finding.endswith("1")
    return Disposition(
        finding=finding,
        decided=Decided.FIX if fix else Decided.ACCEPT,
        until=NOW + timedelta(days=9),
        reason=word,
        by="U1LEAD",
        at=NOW,
        week=SLOT.week,
        owner="U1SAM" if fix else "",
    )


def answered(shown: Shown, word: str = "") -> Shown:
    findings = shown.facts.findings if shown.facts else ()
    done = Attestation(
        week=SLOT.week,
        at=NOW,
        by="U1KIM",
        role="delegate",
        revision=2,
        digest=shown.record.digest,
        is_late=True,
        delegated_by="U1LEAD",
        dispositions=tuple(decision(each.id, word) for each in findings),
        overlaps=(Overlap.SCOPE, Overlap.RESPONSE),
    )
    return replace(shown, record=replace(shown.record, attestation=done))


@settings(max_examples=10)
@given(hostile)
def test_no_words_act(word: str) -> None:
    word = word.encode("utf-8", "ignore").decode()  # what is frozen is UTF-8
    _check(week(4, word, decided=2), word)


@pytest.mark.parametrize("word", ["", "x" * 4000, "&" * 900])
@pytest.mark.parametrize(("count", "decided"), [(0, 0), (1, 0), (25, 0), (60, 20)])
def test_however_much_was_found(count: int, decided: int, word: str) -> None:
    _check(week(count, word, decided=decided), word)


def _check(shown: Shown, word: str) -> None:
    missed = replace(shown.record, missed_at=NOW, ended=Ended.NOBODY)
    explained = replace(missed, reason=word or "why", explained_by="U1LEAD", explained_at=NOW)
    done = answered(shown, word)
    for each in (
        shown,
        done,
        replace(shown, record=missed),
        replace(shown, record=explained, facts=None),
    ):
        for kind in (Told.OPENED, Told.COSIGN, Told.MISSED):
            message = told.validation_message(each, told.reminder_line(kind, each.record))
            assert_message(message.text, message.blocks)
    one = Delegation(id=1, user="U1KIM", by="U1LEAD", at=NOW, until=NOW)
    delegates = told.delegates_message([one])
    assert_message(delegates.text, delegates.blocks)
    assert shown.facts is not None
    assert done.record.attestation is not None
    for view in (
        form.attest_form(shown, user="U1LEAD", zone=ZoneInfo("Europe/Berlin")),
        form.attested_view(done.record.attestation, shown),
        form.explain_form(missed),
        form.gap_form(SLOT.week, user="U1SAM", now=NOW, zone=ZoneInfo("UTC")),
        form.delegate_form(),
        *(told.section_view(shown.facts, each) for each in shown.facts.sections[:2]),
    ):
        assert_view(view)


def test_what_can_be_pressed_when() -> None:
    def pressed(shown: Shown) -> list[str]:
        return [each for each in labels(told.validation_message(shown).blocks) if each != "View"]

    shown = week(1)
    missed = replace(shown.record, missed_at=NOW, ended=Ended.NOBODY)
    assert pressed(shown) == ["!Attest…", "Look again", "Report gap…", "Remind me tomorrow"]
    assert pressed(answered(shown)) == ["!Co-sign", "Report gap…"]
    assert pressed(replace(shown, record=missed)) == ["!Say why…", "Report gap…"]


def test_commands_are_code_and_spaces_stay() -> None:
    text = "Let a lead read it: `/socmon oncall`, then `rm -rf` [Reviewed]."
    assert told.with_code(text, 600) == "Let a lead read it: `/socmon oncall`, then ˋrm -rfˋ [Reviewed]."


def test_of_sixty_findings_all_can_be_decided() -> None:
    """One by one, or the rest in one go; a choice of its own goes before."""
    shown = week(60)
    zone = ZoneInfo("UTC")
    view: dict[str, Any] = form.attest_form(shown, user="U1LEAD", zone=zone)
    assert len(view["blocks"]) <= 100
    accept = {
        "choice metrics:0": {"wv_decision": {"selected_option": {"value": "accept"}}},
        "reason metrics:0": {"reason": {"value": "for now"}},
        "choice rest": {
            "wv_decision": {"selected_options": [{"value": "fix"}]},
            "wv_owner": {"selected_user": "U1SAM"},
        },
        "reviewed": {"reviewed": {"selected_options": [{"value": "yes"}]}},
    }
    chosen = form.read_attestation(view | {"state": {"values": accept}}, shown, user="U1LEAD", zone=zone)
    assert len(chosen) == 60
    assert chosen["metrics:0"].decided is Decided.ACCEPT
    assert {each.owner for name, each in chosen.items() if name != "metrics:0"} == {"U1SAM"}
