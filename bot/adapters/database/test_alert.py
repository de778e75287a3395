"""Test alerts, and the paths that they can take."""

import json
from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update

from bot.adapters.database.part import Part
from bot.adapters.database.rows import instant, micros
from bot.adapters.database.tables import job_run, test_alert, test_path
from bot.domain.schedule import RunStatus
from bot.domain.test_alert import (
    Cause,
    Hop,
    KnownPath,
    Message,
    Mode,
    TestAlert,
    TestPath,
    UnknownTest,
    Verdict,
)


class TestAlertPart(Part):
    """`bot.ports.TestAlertRecords`."""

    def test_paths(self) -> list[KnownPath]:
        rows = self._sql.execute(select(test_path).order_by(test_path.c.id)).mappings()
        return [
            KnownPath(
                path=TestPath(
                    id=row["id"],
                    provider=row["provider"],
                    title=row["title"],
                    hops=tuple(map(Hop, row["hops"].split())),
                ),
                since=instant(row["since"]),
                gone_at=instant(row["gone_at"]),
            )
            for row in rows
        ]

    def save_test_path(self, known: KnownPath) -> None:
        path = known.path
        row = {
            "provider": path.provider,
            "title": path.title,
            "hops": " ".join(path.hops),
            "since": micros(known.since),
            "gone_at": micros(known.gone_at),
        }
        if not self._write(update(test_path).where(test_path.c.id == path.id).values(row)).rowcount:
            self._write(insert(test_path).values(row | {"id": path.id}))

    def new_test_id(self) -> int:
        return self._next_id(test_alert)

    def save_test_alert(self, test: TestAlert) -> None:
        row = {
            "path": test.path,
            "provider": test.provider,
            "nonce": test.nonce,
            "problem": test.problem or None,
            "link": test.link or None,
            "asked_at": micros(test.asked_at),
            "verdict": test.verdict,
            "proves": test.proves,
            "unfinished": not test.is_over or test.has_to_be_cleaned_up or test.dirty,
            "body": json.dumps(_plain(test), ensure_ascii=False),
        }
        if not self._write(update(test_alert).where(test_alert.c.id == test.id).values(row)).rowcount:
            self._write(insert(test_alert).values(row | {"id": test.id}))

    def test_alert(self, test_id: int) -> TestAlert:
        found = self._tests(test_alert.c.id == test_id)
        if not found:
            raise UnknownTest
        return found[0]

    def test_with_nonce(self, nonce: str) -> TestAlert | None:
        return next(iter(self._tests(test_alert.c.nonce == nonce)), None)

    def is_test(self, provider: str, problem: str) -> bool:
        these = (test_alert.c.problem == problem, test_alert.c.provider == provider)
        return self._sql.execute(select(test_alert.c.id).where(*these).limit(1)).first() is not None

    def test_with_link(self, digest: str) -> TestAlert | None:
        return next(iter(self._tests(test_alert.c.link == digest)), None)

    def unfinished_tests(self) -> list[TestAlert]:
        return self._tests(test_alert.c.unfinished.is_(True))

    def newest_tests(self, path: str) -> tuple[TestAlert | None, TestAlert | None]:
        own, proves = test_alert.c.path == path, test_alert.c.proves.is_(True)
        broke = test_alert.c.verdict.in_([Verdict.FAILED, Verdict.TIMED_OUT])
        telling = self._newest(own, proves | broke, most=1)
        proven = self._newest(own, proves, most=1)
        return next(iter(telling), None), next(iter(proven), None)

    def tests_between(self, start: datetime, end: datetime) -> list[TestAlert]:
        asked = test_alert.c.asked_at
        return self._tests(asked >= micros(start), asked < micros(end))

    def missed_runs(self, job: str, start: datetime, end: datetime) -> list[datetime]:
        due, missed = job_run.c.due_at, job_run.c.status == RunStatus.MISSED
        these = (job_run.c.job == job, missed, due >= micros(start), due < micros(end))
        return [instant(at) for at in self._sql.execute(select(due).where(*these).order_by(due)).scalars()]

    def _tests(self, *which: Any) -> list[TestAlert]:
        rows = self._sql.execute(select(test_alert.c.body).where(*which).order_by(test_alert.c.id))
        return [_test(json.loads(body)) for body in rows.scalars()]

    def _newest(self, *which: Any, most: int) -> list[TestAlert]:
        newest = select(test_alert.c.body).where(*which).order_by(test_alert.c.id.desc()).limit(most)
        return [_test(json.loads(body)) for body in self._sql.execute(newest).scalars()]


_TIMES = ("asked_at", "consent_at", "trying_at", "ended_at", "cleaned_at", "clean_after", "busy_until")
_MESSAGES = ("shown", "told", "consent")


def _plain(test: TestAlert) -> dict[str, Any]:
    row = {one.name: getattr(test, one.name) for one in fields(test)}
    for name in _TIMES:
        row[name] = micros(row[name])
    for name in _MESSAGES:
        row[name] = [row[name].channel, row[name].ts] if row[name] else None
    row["cause"] = [test.cause.says, test.cause.mend] if test.cause else None
    row["passed"] = {hop.value: micros(at) for hop, at in test.passed.items()}
    return row


def _test(row: Mapping[str, Any]) -> TestAlert:
    messages = {name: Message(channel=row[name][0], ts=row[name][1]) for name in _MESSAGES if row[name]}
    times = {name: instant(row[name]) for name in _TIMES}
    given: dict[str, Any] = {
        "mode": Mode(row["mode"]),
        "expects": tuple(map(Hop, row["expects"])),
        "passed": {Hop(hop): instant(at) for hop, at in row["passed"].items()},
        "means": tuple(row["means"]),
        "verdict": Verdict(row["verdict"]) if row["verdict"] else None,
        "broken": Hop(row["broken"]) if row["broken"] else None,
        "cause": Cause(says=row["cause"][0], mend=row["cause"][1]) if row["cause"] else None,
    }
    return TestAlert(**{**row, **dict.fromkeys(_MESSAGES), **times, **messages, **given})
