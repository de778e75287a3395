"""Who is on call in PagerDuty: escalation policies, shifts, and by what each person is rung when the urgency is high.

https://developer.pagerduty.com/api-reference/ → On-Calls, Escalation Policies, Users
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.domain.errors import SocmonError
from bot.domain.oncall import ContactMethod, Kind, Level, Responder, Roster, Shift, Team
from bot.providers.contract import Pulled, line, web_address
from bot.providers.pagerduty.client import PagerDutyApi, SaysNo
from bot.providers.pagerduty.settings import PagerDutySettings

SHOWN_DIGITS = 4

Data = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class PagerDutyOnCall:
    """Reads rosters. `pause` is how long the first retry waits, in seconds."""

    settings: PagerDutySettings
    pause: float = 1.5

    def read(
        self, policies: Mapping[str, str], *, start: datetime, end: datetime, as_of: datetime
    ) -> Pulled[Roster]:
        """The teams with these policies. Never raises for PagerDuty's sake: a call that fails makes it incomplete."""
        if not self.settings.key:
            reason = "PAGERDUTY_API_KEY is not set, so PagerDuty was not asked. Set it and restart socmon."
            return Pulled(items=(), complete=False, as_of=as_of, calls=0, reason=reason)
        with PagerDutyApi(self.settings, pause=self.pause) as api:
            try:
                items, complete = _read(api, policies, start, end)
            except SocmonError as error:
                return Pulled(items=(), complete=False, as_of=as_of, calls=api.calls, reason=str(error))
            reason = "" if complete else "PagerDuty lists more than 10,000 shifts, so not all could be read."
            return Pulled(items=items, complete=complete, as_of=as_of, calls=api.calls, reason=reason)


def _read(
    api: PagerDutyApi, policies: Mapping[str, str], start: datetime, end: datetime
) -> tuple[tuple[Roster, ...], bool]:
    levels = {policy: _levels(api, policy) for policy in dict.fromkeys(policies.values())}
    asked = {
        "escalation_policy_ids[]": [policy for policy, found in levels.items() if found],
        "since": _iso(start),
        "until": _iso(end),
    }
    on_calls, complete = (
        api.get_all("/oncalls", "oncalls", asked) if asked["escalation_policy_ids[]"] else ([], True)
    )
    shifts: dict[str, list[Shift]] = {policy: [] for policy in levels}
    named: dict[str, str] = {}
    for each in on_calls:
        policy, person = _id(each.get("escalation_policy")), _id(each.get("user"))
        level = each.get("escalation_level")
        if policy not in shifts or not person or not isinstance(level, int):
            continue
        named[person] = line(_table(each.get("user")).get("summary"), 200) or person
        shifts[policy].append(
            Shift(
                responder=person,
                level=level,
                start=_instant(each.get("start")),
                end=_instant(each.get("end")),
            )
        )
    teams = tuple(
        Team(
            name=name,
            source="pagerduty",
            policy=policy,
            levels=levels[policy],
            shifts=tuple(dict.fromkeys(shifts[policy])),
        )
        for name, policy in policies.items()
    )
    people = tuple(_responder(api, person, name) for person, name in named.items())
    return (Roster(teams=teams, responders=people),), complete


def _levels(api: PagerDutyApi, policy: str) -> tuple[Level, ...]:
    """Empty for a policy that does not exist: that is an answer, and a fault of the roster."""
    try:
        answer = api.get(f"/escalation_policies/{policy}")
    except SaysNo as error:
        if error.status == 404:
            return ()
        raise
    rules = _table(answer.get("escalation_policy")).get("escalation_rules")
    return tuple(
        Level(
            number=number,
            delay_minutes=_minutes(_table(rule).get("escalation_delay_in_minutes")) or 0,
            targets=tuple(
                line(target.get("summary"), 200) for target in _tables(_table(rule).get("targets"))
            ),
        )
        for number, rule in enumerate(rules if isinstance(rules, list) else [], 1)
    )


def _responder(api: PagerDutyApi, person: str, name: str) -> Responder:
    try:
        user = _table(api.get(f"/users/{person}", {"include[]": ["contact_methods"]}).get("user"))
        # Without `urgency` PagerDuty lists the high ones only; all of them are asked for so that this is no guess.
        rules = api.get(f"/users/{person}/notification_rules", {"urgency": "all"}).get("notification_rules")
    except SaysNo as error:
        if error.status == 404:
            return Responder(id=person, name=name, gone=True)
        raise
    rings = _rings(_tables(rules))
    return Responder(
        id=person,
        name=line(user.get("name"), 200) or name,
        email=line(user.get("email"), 200),
        methods=tuple(
            _method(each, rings)
            for each in sorted(_tables(user.get("contact_methods")), key=_id)
            if _kind(each) in _KINDS
        ),
        account_url=web_address(user.get("html_url")),
    )


def _rings(rules: list[Data]) -> dict[str, int]:
    """Contact method → minutes until it rings at a high urgency."""
    found: dict[str, int] = {}
    for rule in rules:
        method, minutes = _id(rule.get("contact_method")), _minutes(rule.get("start_delay_in_minutes"))
        if rule.get("urgency") == "high" and method and minutes is not None:
            found[method] = min(minutes, found.get(method, minutes))
    return found


def _method(method: Data, rings: Mapping[str, int]) -> ContactMethod:
    """A push device has no `enabled`: it is there, or it is not."""
    kind = _KINDS[_kind(method)]
    return ContactMethod(
        kind=kind,
        end=_masked(kind, method),
        enabled=method.get("enabled") is not False,
        blocked=method.get("blacklisted") is True,
        rings_after=rings.get(_id(method)),
    )


def _masked(kind: Kind, method: Data) -> str:
    """Enough to know one's own by, and no more: the list goes to more people than the number should."""
    address = line(method.get("address"), 200)
    match kind:
        case Kind.PUSH:
            return line(method.get("device_type"), 40)
        case Kind.EMAIL:
            name, _, host = address.rpartition("@")
            return f"{name[:1]}…@{host}" if name else "…"
        case _:
            return f"…{address[-SHOWN_DIGITS:]}" if len(address) > SHOWN_DIGITS else "…"


def _kind(method: Data) -> str:
    return line(method.get("type"), 60).removesuffix("_reference").removesuffix("_contact_method")


def _id(reference: object) -> str:
    return line(_table(reference).get("id"), 60)


def _minutes(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 10_000 else None


def _instant(value: object) -> datetime | None:
    """Null is for good. A time that cannot be read is an answer that cannot be used."""
    if value is None:
        return None
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError as error:
        raise SocmonError(f"PagerDuty gives a shift the time {line(value, 40)!r}, which is none.") from error
    if found.tzinfo is None:
        raise SocmonError(f"PagerDuty gives a shift the time {line(value, 40)!r} without a time zone.")
    return found.astimezone(UTC)


def _iso(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


def _table(value: object) -> Data:
    return value if isinstance(value, dict) else {}


def _tables(value: object) -> list[Data]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


_KINDS = {
    "phone": Kind.PHONE,
    "sms": Kind.SMS,
    "push_notification": Kind.PUSH,
    "whatsapp": Kind.WHATSAPP,
    "email": Kind.EMAIL,
}
