"""The escalation contact list: one row a person and level, dated, the same bytes whenever it is made of the same facts.

A review on record names the digest of these bytes, so that an auditor can make the document again and compare.
"""

from datetime import UTC, datetime

from bot.domain import spreadsheet
from bot.domain.oncall import ContactMethod, Responder, StoredRoster, Team
from bot.domain.spreadsheet import Cell

Row = dict[str, Cell]

COLUMNS = (
    "as_of",
    "team",
    "source",
    "level",
    "next_level_after_minutes",
    "person",
    "email",
    "slack_user",
    "on_call_now",
    "until",
    "reachable",
    "contact_methods",
    "faults",
    "roster",
)


def contact_list(stored: StoredRoster, at: datetime) -> list[Row]:
    """By team and level; a level that has nobody is a row without a person, since a list must not hide it."""
    return [row for team in stored.roster.teams for row in _team_rows(stored, team, at)]


def to_csv(stored: StoredRoster, at: datetime) -> str:
    return spreadsheet.to_csv(COLUMNS, contact_list(stored, at))


def file_name(at: datetime, form: str) -> str:
    return f"escalation-contacts-{at.astimezone(UTC):%Y%m%d-%H%M%S}.{form}"


def told(method: ContactMethod) -> str:
    """“phone …4711 after 0 min”, or why it is of no use."""
    name = " ".join(filter(None, [method.kind, method.end]))
    if method.blocked:
        return f"{name} (blocked)"
    if not method.enabled:
        return f"{name} (disabled)"
    return f"{name} (no rule)" if method.rings_after is None else f"{name} after {method.rings_after} min"


def _team_rows(stored: StoredRoster, team: Team, at: datetime) -> list[Row]:
    rows: list[Row] = []
    for level in team.levels:
        people = dict.fromkeys(shift.responder for shift in team.shifts if shift.level == level.number)
        about: Row = {
            "as_of": _iso(at),
            "team": team.name,
            "source": f"{team.source} {team.policy}".strip(),
            "level": level.number,
            "next_level_after_minutes": level.delay_minutes,
            "roster": stored.digest,
        }
        rows += [
            about | _person(stored, team, level.number, stored.roster.responder(each), at) for each in people
        ] or [about | {"person": "(nobody)", "reachable": False}]
    return rows


def _person(stored: StoredRoster, team: Team, level: int, person: Responder, at: datetime) -> Row:
    now = person in stored.roster.at_level(team.name, level, at)
    until = stored.roster.until(team.name, level, person.id, at) if now else None
    return {
        "person": person.name,
        "email": person.email,
        "slack_user": person.slack,
        "on_call_now": now,
        "until": ("for good" if until is None else _iso(until)) if now else "",
        "reachable": person.reachable,
        "contact_methods": "; ".join(map(told, person.methods)),
        "faults": "; ".join(each.says for each in stored.faults(at) if each.person == person.id),
    }


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
