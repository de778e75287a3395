"""Direct messages that people sent themselves to see that they arrive."""

from sqlalchemy import Row, insert, select, update

from bot.adapters.database import tables
from bot.adapters.database.part import Part
from bot.adapters.database.rows import instant, micros
from bot.domain.self_test import SelfTest


class SelfTestPart(Part):
    """`bot.ports.SelfTestRecords`."""

    def last_self_test(self, user: str) -> SelfTest | None:
        own = select(tables.self_test).where(tables.self_test.c.user == user)
        row = self._sql.execute(own.order_by(tables.self_test.c.id.desc()).limit(1)).one_or_none()
        return _test(row) if row else None

    def self_test(self, test_id: int, *, user: str) -> SelfTest | None:
        this = (tables.self_test.c.id == test_id) & (tables.self_test.c.user == user)
        row = self._sql.execute(select(tables.self_test).where(this)).one_or_none()
        return _test(row) if row else None

    def new_self_test(self, user: str) -> SelfTest:
        test = SelfTest(id=self._next_id(tables.self_test), user=user, asked_at=self.now)
        row = {"id": test.id, "user": user, "asked_at": micros(test.asked_at)}
        self._write(insert(tables.self_test).values(row))
        return test

    def save_self_test(self, test: SelfTest) -> None:
        known = {"sent_at": micros(test.sent_at), "confirmed_at": micros(test.confirmed_at)}
        self._write(update(tables.self_test).where(tables.self_test.c.id == test.id).values(known))


def _test(row: Row[tuple[int, str, int, int | None, int | None]]) -> SelfTest:
    return SelfTest(
        id=row.id,
        user=row.user,
        asked_at=instant(row.asked_at),
        sent_at=instant(row.sent_at),
        confirmed_at=instant(row.confirmed_at),
    )
