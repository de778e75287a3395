"""`socmon test-alert`: send a test alert, list a year of them, set up what they need in the tools.

A running server sends the test and follows it; this command puts it on record and watches.
"""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.adapters.system import SystemRandomness
from bot.commands.records import records_of, records_to_change, when
from bot.domain.errors import SocmonError, Unfit
from bot.domain.test_alert import CONSENT_WITHIN, PATIENCE, Hop, Mode, Standing, TestAlert, Verdict, new_nonce
from bot.procedures import review_tests, test_alerting
from bot.procedures.escalate_alert import Reach
from bot.providers import all_providers
from bot.providers.contract import TestAlertSender
from bot.settings import Settings

LOOK_SECONDS = 1.0
NOT_BEGUN = timedelta(seconds=30)
YEAR = timedelta(days=366)


def send(settings: Settings, path: str, *, component: str, live: bool, at_once: bool, reason: str) -> int:
    """Exit code 0 when it was delivered, or waits for nothing but the person's click; 1 when the path is broken."""
    if at_once and not live:
        raise Unfit("now", "--now is for --live: a quiet test pages nobody, so it waits for no consent.")
    with records_to_change(settings) as change:
        test: TestAlert = change(
            test_alerting.begin,
            path,
            nonce=new_nonce(SystemRandomness().token),
            mode=Mode.LIVE if live else Mode.QUIET,
            reach=Reach(routes=settings.slack_routes),
            component=component,
            at_once=at_once,
            reason=reason,
        )
    print(f"TEST {test.name} on {test.title}: nothing is wrong")
    return _watch(settings, test)


def print_tests(settings: Settings, *, as_json: bool) -> int:
    """Each path with the age of its proof, and every test of a year; exit code 1 when one is due or broken."""
    now = datetime.now(UTC)
    with records_of(settings) as ask:
        year: review_tests.YearOfTests = ask(review_tests.list_tests, now - YEAR, now + YEAR)
    stale = any(one.proof(now) != "proven" for one in year.standing)
    if as_json:
        told = {
            "paths": [
                {
                    "path": one.known.path.id,
                    "title": one.known.path.title,
                    "proof": one.proof(now),
                    "last_proven": when(one.proven.ended_at) if one.proven else None,
                }
                for one in year.standing
            ],
            "tests": [_row(test) for test in year.tests],
            "missed": [when(at) for at in year.missed],
        }
        print(json.dumps(told, ensure_ascii=False, indent=1))
        return 1 if stale else 0
    for one in year.standing:
        proven = when(one.proven.ended_at) if one.proven else "never"
        print(f"{one.known.path.id:<32} {one.proof(now):<14} last proven {proven}  {one.known.path.title}")
    if not year.standing:
        print("No path can be tested yet: `socmon test-alert setup` shows what it takes.")
    for test in year.tests:
        row = _row(test)
        broken = f" at {row['broken']}: {row['cause']}" if row["broken"] else ""
        print(f"{test.name:>6} {row['asked']} {test.path} {test.mode}: {row['verdict']}{broken}")
    for at in year.missed:
        print(f"     ✗ {when(at)} the weekly tests were missed: socmon was down")
    return 1 if stale else 0


def set_up(settings: Settings, *, apply: bool, sure: bool) -> int:
    """Show what has to stand in each tool; with `apply` make it, after a question. Exit code 1 when some is missing."""
    known, missing, done = all_providers(), 0, 0
    now = datetime.now(UTC)
    for name, own in settings.providers.items():
        sender = known[name].test_alerts(own)
        if sender is None:
            continue
        plan = sender.plan_setup(now)
        print(f"{known[name].title}: {_paths(sender)}")
        if not plan.complete:
            print(f"  ! {plan.reason}")
            missing += 1
        for standing in plan.items:
            print(f"  {'✓' if standing.exists else '+'} {standing.says}")
            print(f"      to make it: {standing.permission}; to send tests afterwards: {standing.needs}")
            if standing.exists:
                continue
            missing += 1
            if standing.by_hand:
                print(f"      by hand: {standing.by_hand}")
            elif apply and (sure or _agreed(standing)):
                done += _make(sender, standing, now)
    if missing and not apply:
        print("Nothing was changed. `socmon test-alert setup --apply` makes what is missing, one by one.")
    return 1 if missing > done else 0


def _make(sender: TestAlertSender, standing: Standing, now: datetime) -> int:
    try:
        print(f"      {sender.set_up(standing, now)}")
    except SocmonError as error:
        print(f"      ✗ {error}")
        return 0
    return 1


def _agreed(standing: Standing) -> bool:
    return input(f"      Make {standing.id}? [y/N] ").strip().casefold() in {"y", "yes"}


def _paths(sender: TestAlertSender) -> str:
    return ", ".join(path.id for path in sender.paths()) or "no path can be tested yet"


def _watch(settings: Settings, test: TestAlert) -> int:
    """Print what comes, until it is over or waits for the person's click only."""
    told: set[Hop] = set()
    began, patience = time.monotonic(), PATIENCE + (CONSENT_WITHIN if test.waits_for_consent else timedelta())
    with records_of(settings) as ask:
        while True:
            test = ask(test_alerting.known, test.id)
            for line in _news(test, told):
                print(line, flush=True)
            if test.is_over:
                return 0 if test.verdict is Verdict.DELIVERED else 1
            if test.sent_at and set(test.missing) <= {Hop.SEEN}:
                print("… it waits for the person's click; `socmon test-alert list` tells what came of it")
                return 0
            passed = timedelta(seconds=time.monotonic() - began)
            if test.trying_at is None and not test.waits_for_consent and passed > NOT_BEGUN:
                print("… nothing has sent it yet: is `socmon serve` running? It goes on when it does.")
                return 1
            if passed > patience + NOT_BEGUN:
                return 1
            time.sleep(LOOK_SECONDS)


def _news(test: TestAlert, told: set[Hop]) -> Iterator[str]:
    for hop in test.expects:
        if hop in test.passed and hop not in told:
            told.add(hop)
            after = test.after(hop)
            means = f" by {', '.join(test.means)}" if hop is Hop.NOTIFIED and test.means else ""
            yield f"✓ {hop}{means} {when(test.passed[hop])}" + (f" ({after.seconds} s)" if after else "")
    if test.is_over:
        at = f" at {test.broken}" if test.broken else ""
        why = f"\n  {test.cause.says} {test.cause.mend}" if test.cause else ""
        yield f"{'✓' if test.verdict is Verdict.DELIVERED else '✗'} {test.verdict}{at}{why}"


def _row(test: TestAlert) -> dict[str, Any]:
    return {
        "test": test.name,
        "path": test.path,
        "component": test.component,
        "mode": test.mode,
        "asked": when(test.asked_at),
        "scheduled": test.on_schedule,
        "proves": test.proves,
        "verdict": test.verdict or "under way",
        "broken": test.broken,
        "cause": f"{test.cause.says} {test.cause.mend}" if test.cause else "",
        "hops": {hop: when(at) for hop, at in test.passed.items()},
        "means": list(test.means),
        "seconds": int(test.took.total_seconds()) if test.took is not None else None,
        "cleaned_up": when(test.cleaned_at) if test.cleaned_at else None,
    }
