"""The versions of the written standard that were in force."""

from dataclasses import asdict
from typing import Any

from sqlalchemy import RowMapping, insert, select, update

from bot.adapters.database.part import Part
from bot.adapters.database.rows import instant, micros
from bot.adapters.database.tables import standard_version
from bot.domain.standard_version import Version


class StandardPart(Part):
    """`bot.ports.StandardRecords`."""

    def standard_versions(self) -> list[Version]:
        rows = self._sql.execute(select(standard_version).order_by(standard_version.c.number.desc()))
        return [_version(row) for row in rows.mappings()]

    def add_standard_version(self, version: Version) -> int:
        number: int = (self._sql.execute(_NEWEST).scalar() or 0) + 1
        self._write(insert(standard_version).values(_row(version) | {"number": number}))
        return number

    def save_standard_version(self, version: Version) -> None:
        same = standard_version.c.number == version.number
        self._write(update(standard_version).where(same).values(_row(version)))


_NEWEST = select(standard_version.c.number).order_by(standard_version.c.number.desc()).limit(1)


def _row(version: Version) -> dict[str, Any]:
    return asdict(version) | {
        "at": micros(version.at),
        "document": version.document.decode(),
        "reviewed_at": micros(version.reviewed_at),
        "told_at": micros(version.told_at),
    }


def _version(row: RowMapping) -> Version:
    return Version(
        number=row["number"],
        at=instant(row["at"]),
        document=row["document"].encode(),
        reviewed_at=instant(row["reviewed_at"]),
        reviewed_by=row["reviewed_by"],
        told_at=instant(row["told_at"]),
    )
