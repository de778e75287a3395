"""Rosters, each stored when it differs from the one before, and links between accounts in the tools and Slack users."""

from datetime import datetime
from functools import lru_cache

from sqlalchemy import Row, insert, select, update

from bot.adapters.database.part import Part
from bot.adapters.database.rows import instant, micros
from bot.adapters.database.tables import account_link, roster
from bot.domain.errors import UnknownRoster
from bot.domain.oncall import AccountLink, InSlack, Roster, StoredRoster, UnknownTeam


class OnCall(Part):
    """`bot.ports.OnCallRecords`."""

    def latest_roster(self) -> StoredRoster | None:
        row = self._sql.execute(_LATEST).one_or_none()
        return _stored(row) if row else None

    def roster_at(self, at: datetime) -> StoredRoster | None:
        row = self._sql.execute(_LATEST.where(roster.c.at <= micros(at))).one_or_none()
        return _stored(row) if row else None

    def roster(self, roster_id: int) -> StoredRoster:
        row = self._sql.execute(select(roster).where(roster.c.id == roster_id)).one_or_none()
        if row is None:
            raise UnknownRoster(roster_id)
        return _stored(row)

    def add_roster(self, new: Roster, *, checked_at: datetime) -> StoredRoster:
        stored = StoredRoster(
            id=self._next_id(roster), at=self.now, checked_at=checked_at, roster=new, digest=new.digest
        )
        row = {"id": stored.id, "at": micros(stored.at), "checked_at": micros(checked_at)}
        self._write(insert(roster).values(row | {"digest": stored.digest, "body": new.to_json()}))
        return stored

    def save_roster_check(self, roster_id: int, at: datetime) -> None:
        self._write(update(roster).where(roster.c.id == roster_id).values(checked_at=micros(at)))

    def save_roster_review(self, roster_id: int, *, by: str) -> None:
        reviewed = {"reviewed_at": micros(self.now), "reviewed_by": by}
        self._write(update(roster).where(roster.c.id == roster_id).values(reviewed))

    def last_review(self) -> StoredRoster | None:
        reviewed = select(roster).where(roster.c.reviewed_at.is_not(None))
        row = self._sql.execute(reviewed.order_by(roster.c.reviewed_at.desc()).limit(1)).one_or_none()
        return _stored(row) if row else None

    def on_call_at(self, team: str, level: int) -> tuple[str, ...]:
        stored = self.latest_roster()
        try:
            people = stored.roster.at_level(team, level, self.now) if stored else ()
        except UnknownTeam:
            return ()
        return tuple(person.slack for person in people if person.slack and person.in_slack in _REACHED)

    def account_links(self) -> list[AccountLink]:
        rows = self._sql.execute(
            select(account_link).order_by(account_link.c.provider, account_link.c.account)
        )
        return [
            AccountLink(
                provider=row.provider,
                account=row.account,
                slack_user=row.slack_user,
                linked_by=row.linked_by,
                at=instant(row.at),
            )
            for row in rows
        ]

    def link_account(self, link: AccountLink) -> None:
        same = (account_link.c.provider == link.provider) & (account_link.c.account == link.account)
        self._write(account_link.delete().where(same))
        self._write(
            insert(account_link).values(
                provider=link.provider,
                account=link.account,
                slack_user=link.slack_user,
                linked_by=link.linked_by,
                at=micros(link.at),
            )
        )


def _stored(row: Row[tuple[int, int, int, str, str, int | None, str | None]]) -> StoredRoster:
    return StoredRoster(
        id=row.id,
        at=instant(row.at),
        checked_at=instant(row.checked_at),
        roster=_parsed(row.body),
        digest=row.digest,
        reviewed_at=instant(row.reviewed_at),
        reviewed_by=row.reviewed_by or "",
    )


@lru_cache(maxsize=8)
def _parsed(body: str) -> Roster:
    """Each new alert of a storm asks for the same one."""
    return Roster.from_json(body)


_REACHED = {InSlack.ACTIVE, InSlack.UNKNOWN}
_LATEST = select(roster).order_by(roster.c.id.desc()).limit(1)
