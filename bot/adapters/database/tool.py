"""What the tools are to be told, and who is who there."""

from collections.abc import Collection, Mapping
from datetime import timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import RowMapping, bindparam, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from bot.adapters.database.part import Part
from bot.adapters.database.rows import instant, micros
from bot.adapters.database.tables import account_link, account_name, alert, vendor_write
from bot.domain.alert import Alert
from bot.domain.tool import ToolAct, VendorWrite, WriteState

FREE = 0
LONGEST_LEASE = timedelta(hours=2)  # what lasts longer was given by a clock that has been put back


class ToolPart(Part):
    """`bot.ports.ToolRecords`."""

    def latest_alert(self, provider: str, dedup_key: str) -> Alert | None:
        """Another part's."""
        raise NotImplementedError

    def tell_tool(self, about: Alert, action: ToolAct, *, by: str, text: str = "") -> None:
        if action not in self._batch.stamp.outward.get(about.provider, ()):
            return
        words = sha256(text.encode()).hexdigest()[:16]
        row = {
            "id": self._next_id(vendor_write),
            "provider": about.provider,
            "alert_id": about.id,
            "target": about.dedup_key,
            "action": action.value,
            "person": by,
            "account": "",
            "text": text,
            "key": f"A-{about.id}:{action}:{by}:{self.now.isoformat()}:{words}",
            "at": micros(self.now),
            "state": WriteState.PENDING.value,
            "attempts": 0,
            "next_at": micros(self.now),
            "sent_at": None,
            "done_at": None,
            "detail": "",
            "lease": None,
            "leased_until": FREE,
        }
        self._write(_ONCE[self._sql.dialect.name].values(row))

    def vendor_writes(self, alert_id: int) -> list[VendorWrite]:
        return [_write_of(row) for row in self._sql.execute(_WRITES, {"of": alert_id}).mappings()]

    def claim_vendor_writes(self, *, lease: str, lasting: timedelta, most: int) -> list[VendorWrite]:
        now, lease_now = micros(self.now), micros(self._batch.stamp.lease_now)
        farthest = lease_now + micros_of(LONGEST_LEASE)
        # Of each alert the oldest first: an acknowledgement must not overtake the resolution.
        first = (
            select(func.min(vendor_write.c.id).label("id"))
            .where(vendor_write.c.state == WriteState.PENDING.value)
            .group_by(vendor_write.c.alert_id)
            .subquery()
        )
        due = (
            select(vendor_write.c.id)
            .where(
                vendor_write.c.id.in_(select(first.c.id)),
                (vendor_write.c.next_at <= now) | (vendor_write.c.next_at > now + micros_of(LONGEST_LEASE)),
                (vendor_write.c.leased_until <= lease_now) | (vendor_write.c.leased_until > farthest),
            )
            .order_by(vendor_write.c.next_at, vendor_write.c.id)
            .limit(most)
        )
        ids = list(self._sql.execute(due).scalars())
        if not ids:
            return []
        mine = vendor_write.c.id.in_(ids)
        until = micros(self._batch.stamp.lease_now + lasting)
        self._write(update(vendor_write).where(mine).values(lease=lease, leased_until=until))
        claimed = select(vendor_write).where(mine).order_by(vendor_write.c.id)
        return [_write_of(row) for row in self._sql.execute(claimed).mappings()]

    def save_vendor_write(self, write: VendorWrite, *, keep_lease: bool = False) -> bool:
        values: dict[str, Any] = {
            "account": write.account,
            "at": micros(write.at),
            "state": write.state.value,
            "attempts": write.attempts,
            "next_at": micros(write.next_at),
            "sent_at": micros(write.sent_at),
            "done_at": micros(write.done_at),
            "detail": write.detail,
        }
        this = vendor_write.c.id == write.id
        if write.lease is not None:
            this &= (vendor_write.c.lease == write.lease) & (vendor_write.c.state == WriteState.PENDING.value)
        if not keep_lease:
            values |= {"lease": None, "leased_until": FREE}
        return self._write(update(vendor_write).where(this).values(values)).rowcount == 1

    def failed_writes(self, provider: str, *, most: int = 500) -> list[VendorWrite]:
        failed = (vendor_write.c.provider == provider) & (vendor_write.c.state == WriteState.FAILED.value)
        query = select(vendor_write).where(failed).order_by(vendor_write.c.id).limit(most)
        return [_write_of(row) for row in self._sql.execute(query).mappings()]

    def not_recovered(self, provider: str) -> list[Alert]:
        query = select(alert.c.id, alert.c.dedup_key).where(
            alert.c.provider == provider, alert.c.source != "recovered"
        )
        # As they are now: a unit of the same batch may have heard of them.
        latest = (self.latest_alert(provider, row.dedup_key) for row in self._sql.execute(query).all())
        alerts = {one.id: one for one in latest if one is not None}
        return [one for _, one in sorted(alerts.items()) if one.source.value != "recovered"]

    def latest_alert_like(self, provider: str, begins: str) -> Alert | None:
        after = f"{begins[:-1]}{chr(ord(begins[-1]) + 1)}"  # a range, so that the index serves
        query = select(alert.c.dedup_key).where(
            alert.c.provider == provider, alert.c.dedup_key >= begins, alert.c.dedup_key < after
        )
        key = self._sql.execute(query.order_by(alert.c.id.desc()).limit(1)).scalar_one_or_none()
        return None if key is None else self.latest_alert(provider, key)

    def user_of(self, provider: str, account: str) -> str | None:
        this = (account_link.c.provider == provider) & (account_link.c.account == account)
        return self._sql.execute(select(account_link.c.slack_user).where(this)).scalar_one_or_none()

    def account_of(self, provider: str, user: str) -> str | None:
        this = (account_link.c.provider == provider) & (account_link.c.slack_user == user)
        newest = select(account_link.c.account).where(this).order_by(account_link.c.at.desc()).limit(1)
        return self._sql.execute(newest).scalar_one_or_none()

    def keep_account_name(self, provider: str, account: str, name: str) -> None:
        row = {"provider": provider, "account": account, "name": name}
        self._write(_NAMED[self._sql.dialect.name].values(row))

    def account_names(self, provider: str, accounts: Collection[str]) -> Mapping[str, str]:
        if not accounts:
            return {}
        known = select(account_name.c.account, account_name.c.name).where(
            account_name.c.provider == provider, account_name.c.account.in_(list(accounts))
        )
        return {row.account: row.name for row in self._sql.execute(known)}


def micros_of(length: timedelta) -> int:
    return length // timedelta(microseconds=1)


def _write_of(row: RowMapping) -> VendorWrite:
    return VendorWrite(
        id=row["id"],
        provider=row["provider"],
        alert_id=row["alert_id"],
        target=row["target"],
        action=ToolAct(row["action"]),
        person=row["person"],
        account=row["account"],
        text=row["text"],
        at=instant(row["at"]),
        state=WriteState(row["state"]),
        attempts=row["attempts"],
        next_at=instant(row["next_at"]),
        sent_at=instant(row["sent_at"]),
        done_at=instant(row["done_at"]),
        detail=row["detail"],
        lease=row["lease"],
    )


def _named(dialect: Any) -> Any:
    new = dialect.insert(account_name)
    return new.on_conflict_do_update(index_elements=["provider", "account"], set_={"name": new.excluded.name})


_DIALECTS = (("sqlite", sqlite), ("postgresql", postgresql))
_NAMED = {name: _named(dialect) for name, dialect in _DIALECTS}
_ONCE = {
    name: dialect.insert(vendor_write).on_conflict_do_nothing(index_elements=["key"])
    for name, dialect in _DIALECTS
}


_WRITES = select(vendor_write).where(vendor_write.c.alert_id == bindparam("of")).order_by(vendor_write.c.id)
