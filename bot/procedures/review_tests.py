"""What test alerts prove: every due test of a time with its verdict, and how fresh the proof of each path is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.evidence import Fact
from bot.domain.person import Person
from bot.domain.test_alert import DUE_AFTER, OVERDUE_AFTER, PathStanding, Proof, TestAlert
from bot.domain.test_alert import Verdict as Became
from bot.domain.validation import Finding, Period, Section, Verdict
from bot.ports import Records
from bot.procedures.test_alerting import JOB, standing

NAME = "test alerts"


@dataclass(frozen=True, slots=True, kw_only=True)
class YearOfTests:
    """Every test of a time, oldest first, and when the weekly look itself was missed."""

    tests: tuple[TestAlert, ...]
    missed: tuple[datetime, ...]
    standing: tuple[PathStanding, ...]
    now: datetime


def list_tests(records: Records, start: datetime, end: datetime, *, by: Person | None = None) -> YearOfTests:
    """Every due test of a time with its verdict, whatever happened, and the others. Raises NotPermitted."""
    paths = standing(records, by=by)
    return YearOfTests(
        tests=tuple(records.tests_between(start, end)),
        missed=tuple(records.missed_runs(JOB, start, end)),
        standing=tuple(paths),
        now=records.now,
    )


def tests(records: Records, period: Period) -> Section:
    """The section of the weekly validation. A finding per path that is not proven: people decide on each of them."""
    paths = standing(records)
    made = records.tests_between(period.start, period.end)
    missed = records.missed_runs(JOB, period.start, period.end)
    findings = [*_findings(paths, records.now), *_missed(missed)]
    proofs = [one.proof(records.now) for one in paths]
    proven, became = proofs.count(Proof.PROVEN), [one.verdict for one in made]
    facts: dict[str, Fact] = {
        "paths": {one.known.path.id: proof.value for one, proof in zip(paths, proofs, strict=True)},
        "tests": len(made),
        "delivered": became.count(Became.DELIVERED),
        "broken": became.count(Became.FAILED) + became.count(Became.TIMED_OUT),
        "missed": len(missed),
    }
    says = f"{proven} of {len(paths)} paths are proven; {len(made)} tests this week, {facts['delivered']} delivered."
    return Section(
        name=NAME,
        verdict=_verdict(proofs, findings),
        says=says if paths else "No path that alerts take can be tested.",
        findings=tuple(findings),
        facts=facts,
    )


def _verdict(proofs: Sequence[Proof], findings: Sequence[Finding]) -> Verdict:
    if {Proof.BROKEN, Proof.OVERDUE} & set(proofs):
        return Verdict.BAD
    return Verdict.WARNING if findings else Verdict.GOOD


def _findings(paths: Sequence[PathStanding], now: datetime) -> Iterator[Finding]:
    if not paths:
        yield Finding(
            id="test:none",
            says="No path that alerts take can be tested, so nothing proves that alerts reach people.",
            mend="`socmon test-alert setup` shows what it takes.",
        )
    for one in paths:
        path, proof = one.known.path, one.proof(now)
        if proof is not Proof.PROVEN:
            says, mend = _WORDS[proof]
            yield Finding(
                id=f"test:{path.id}",
                says=f"{path.title}: {says}{_of(one, proof)}",
                mend=one.newest.cause.mend
                if proof is Proof.BROKEN and one.newest and one.newest.cause
                else mend,
            )


def _of(one: PathStanding, proof: Proof) -> str:
    """The hop and the cause of a broken path; when any other one was last proven."""
    if proof is Proof.BROKEN and one.newest:
        why = f" {one.newest.cause.says}" if one.newest.cause else ""
        return f" at the hop “{one.newest.broken}” ({one.newest.name}).{why}"
    proven = one.proven.ended_at if one.proven else None
    return f"; it was last proven on {proven:%Y-%m-%d}." if proven else "."


def _missed(missed: Sequence[datetime]) -> Iterator[Finding]:
    if missed:
        at = ", ".join(f"{one:%Y-%m-%d %H:%M} UTC" for one in missed)
        yield Finding(
            id="test:missed",
            says=f"socmon was down when the weekly tests were due: {at}.",
            mend="What was due then is made up for by the next ones; say why it was down.",
        )


_AGAIN = "Send a test with `/socmon test`, and let the person on call press the button."
_WORDS = {
    Proof.BROKEN: ("its newest test did not arrive: it broke", _AGAIN),
    Proof.OVERDUE: (f"no test has proven it for more than {OVERDUE_AFTER.days} days", _AGAIN),
    Proof.DUE: (f"its proof is older than {DUE_AFTER.days} days", _AGAIN),
    Proof.NEVER: ("no test has proven it yet", _AGAIN),
}
