"""Whether socmon itself is well: only then is the outside told so, and its silence tells others that socmon is not.

The intake counters have to add up with the records and the log, Slack and the jobs must not be behind, what is in scope
must have been looked at, operators must have been told of what they have to mend. And the log is read again in small
pages, from its first entry to its last checkpoint once a day: what was signed must still be there.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.domain.delivery import Outcome, Result
from bot.domain.errors import SocmonError
from bot.domain.evidence import Actor, BrokenFrontier, Entry, Frontier, leaf_hash
from bot.domain.heartbeat import Fault, Watch
from bot.ports import Records
from bot.procedures.seal_log import Seal
from bot.procedures.watch_sources import keep_listening, still_here

SUBJECT = "self-audit"
PAGE = 5_000  # entries read again in one audit; as many as a checkpoint covers at most
COUNTED = 50_000  # entries counted in one audit
ANEW_AFTER = timedelta(days=1)
LATE = timedelta(minutes=15)
SLACK_LATE = timedelta(minutes=5)
UNTOLD = timedelta(minutes=15)
DAMNING = ("evidence:log", "slack:token")
"""Trouble with which socmon cannot do its work, whatever else is well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What should be so. `due_after` gives a job's first due time after another; None means that it is not asked."""

    seal: Seal
    jobs: Mapping[str, Callable[[datetime], datetime | None]]
    slack: bool
    coverage_within: timedelta | None


def audit_itself(records: Records, expected: Expected) -> tuple[Watch, tuple[Fault, ...]]:
    """(how far it has come, what is wrong); stores nothing. Faults name no person, address or secret."""
    watch = still_here(records).still_here(records.now)
    watch, counts = _counters(records, watch)
    watch, log = _log_read_again(records, watch, expected.seal)
    faults = [
        *counts,
        *log,
        *_slack(records, watch, expected),
        *_jobs(records, watch, expected),
        *_coverage(records, watch, expected),
        *_problems(records),
    ]
    return watch, tuple(faults)


def keep_audit(records: Records, watch: Watch, faults: tuple[Fault, ...]) -> bool:
    """Store what an audit found; on record when it fails for other reasons than before, and when all is well again.

    True when all is well.
    """
    before = keep_listening(records)
    was, now = {one.check for one in before.faults}, {one.check for one in faults}
    if now - was:
        _log(records, "self_audit.failed", faults)
    elif was and not now:
        _log(records, "self_audit.passed", ())
    kept = replace(
        watch,
        listening_since=before.listening_since,
        looked_at=before.looked_at,
        audited_at=records.now,
        faults=faults,
        pinged_at=before.pinged_at,
        ping_problem=before.ping_problem,
    )
    records.save_watch(kept)
    return not faults


def pinged(records: Records, problem: str) -> None:
    """The outside was told that all is well, or why it could not be."""
    watch = still_here(records)
    at = watch.pinged_at if problem else records.now
    records.save_watch(replace(watch, pinged_at=at, ping_problem=problem))


def state(records: Records) -> Watch | None:
    """What is known of the last audit."""
    return records.watch()


def says(faults: tuple[Fault, ...]) -> str:
    """All of it, in a few sentences."""
    return " ".join(one.says for one in faults)


def _counters(records: Records, watch: Watch) -> tuple[Watch, list[Fault]]:
    """Received = accepted + unreadable (+ what is not kept); alerts = new + reopened, in counters, rows and log."""
    size = records.tree()[1].size
    end = min(size, watch.counted_to + COUNTED)
    if watch.counted_to > size:  # the records were restored from a backup
        watch = replace(watch, counted_to=0, triggered=0, reopened=0)
        end = min(size, COUNTED)
    watch = replace(
        watch,
        counted_to=end,
        triggered=watch.triggered + records.count_entries("alert.triggered", watch.counted_to, end),
        reopened=watch.reopened + records.count_entries("alert.reopened", watch.counted_to, end),
    )
    (alerts, deliveries), newest = records.given_numbers(), records.newest_numbers()
    kept = records.counted("delivery", (Result.ACCEPTED, Result.UNREADABLE))
    figures = {
        "deliveries counted as kept": (kept, deliveries),
        "the newest delivery's number": (newest[1], deliveries),
        "the newest alert's number": (newest[0], alerts),
    }
    if end == size:
        figures["alerts in the evidence log"] = (watch.triggered + watch.reopened, alerts)
        new = records.counted("alert", (Outcome.NEW,))
        figures["new alerts counted"] = (new, watch.triggered)
    wrong = [f"{name}: {found} instead of {due}" for name, (found, due) in figures.items() if found != due]
    return watch, _fault("intake", f"The intake figures do not add up ({'; '.join(wrong)})." if wrong else "")


def _log_read_again(records: Records, watch: Watch, seal: Seal) -> tuple[Watch, list[Fault]]:
    """Go on to the next checkpoint; its root has to come out. At the last one wait, and begin anew once a day."""
    last = records.last_checkpoint()
    if last is None:
        return watch, []
    try:
        tree = Frontier.from_bytes(watch.checked) if watch.checked else Frontier()
        done = tree.size >= last[0]
        if done and watch.checked_since and records.now - watch.checked_since > ANEW_AFTER:
            tree, watch = Frontier(), replace(watch, checked_since=None)
        if tree.size > last[0]:  # the records were restored from a backup
            tree = Frontier()
        at = records.checkpoint_within(tree.size, tree.size + PAGE)
        if at is None:
            done = tree.size >= last[0]
            return watch, [] if done else _fault(
                "log", f"No checkpoint follows entry {tree.size} of the log."
            )
        signed = seal.unseal(at[1])
    except (BrokenFrontier, SocmonError) as error:
        return replace(watch, checked=b""), _fault("log", f"A checkpoint of the log is damaged: {error}")
    for seq, leaf in records.leaves(tree.size, at[0]):
        if seq != tree.size:
            break
        tree.append(leaf_hash(leaf))
    if signed != (tree.size, tree.root()):
        why = f"The entries of the log up to {at[0]} are not what was signed; `socmon evidence verify` says more."
        return watch, _fault("log", why)  # and again at the next audit, until it is mended
    return replace(watch, checked=tree.to_bytes(), checked_since=watch.checked_since or records.now), []


def _slack(records: Records, watch: Watch, expected: Expected) -> list[Fault]:
    lagging, since = records.lag()
    if not expected.slack or since is None or _age(records, watch, since) <= SLACK_LATE:
        return []
    return _fault("slack", f"Slack is behind the records with {lagging} threads for over 5 minutes.")


def _jobs(records: Records, watch: Watch, expected: Expected) -> list[Fault]:
    late = []
    for job, due_after in expected.jobs.items():
        if records.last_run(job) is None:  # new with this version: its first due time is yet to come
            continue
        done = records.last_done(job)  # None when all that were have been forgotten
        due = due_after(max(done, watch.listening_since) if done else watch.listening_since)
        if due and records.now - due > LATE:
            late.append(job)
    return _fault("jobs", f"Due for over 15 minutes and not done: {', '.join(sorted(late))}." if late else "")


def _coverage(records: Records, watch: Watch, expected: Expected) -> list[Fault]:
    run = records.latest_run() if expected.coverage_within else None
    if run is None or expected.coverage_within is None:
        return []
    old = _age(records, watch, run.at) > expected.coverage_within
    return _fault("coverage", "What is in scope has not been looked at for too long." if old else "")


def _problems(records: Records) -> list[Fault]:
    """What stops the work, and what nobody could be told of."""
    known = {subject: at for subject, at, _ in records.problems()}
    faults = [
        one
        for subject in DAMNING
        if subject in known
        for one in _fault(subject, f"{subject} is in trouble; `socmon status` says more.")
    ]
    untold = [
        subject
        for subject, _ in records.untold_problems()
        if subject != SUBJECT and subject in known and records.now - known[subject] > UNTOLD
    ]
    why = f"No operator could be told of {len(untold)} problems." if untold else ""
    return faults + _fault("operators", why)


def _age(records: Records, watch: Watch, at: datetime) -> timedelta:
    """For how long it could have been done: not while socmon was down."""
    return records.now - max(at, watch.listening_since)


def _fault(check: str, says: str) -> list[Fault]:
    return [Fault(check=check, says=says)] if says else []


def _log(records: Records, kind: str, faults: tuple[Fault, ...]) -> None:
    records.log(
        Entry(
            type=kind,
            actor=Actor(kind="system"),
            subject={"audit": "socmon"},
            facts={"faults": {one.check: one.says for one in faults}} if faults else {},
        )
    )
