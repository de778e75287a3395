"""The scope document: every component in scope, line by line beside what the tools see, with owner and last review.

What the tools see and nobody put in scope stands there as well, since a list must not hide it. A review on record names
the digest of the CSV, which is kept.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from bot.domain import spreadsheet
from bot.domain.component import Known
from bot.domain.scope import Finding, InScope, Line, Reply, Scope, Sighting, lines, present
from bot.domain.spreadsheet import Cell

Row = dict[str, Cell]

COLUMNS = (
    "as_of",
    "revision",
    "component",
    "name",
    "kind",
    "account",
    "region",
    "owner",
    "criticality",
    "status",
    "excluded_until",
    "exclusion_reason",
    "requested_by",
    "approved_by",
    "seen_by",
    "first_seen",
    "last_seen",
    "also_known_as",
    "last_review",
    "reviewed_by",
    "reviewed_revision",
)

IN_SCOPE, EXCLUDED, EXPIRED = "in scope", "excluded", "in scope (exclusion over)"
NOT_IN_SCOPE, NOT_OURS = "not in scope", "not ours"


def scope_rows(
    scope: Scope, sightings: Sequence[Sighting], findings: Iterable[Finding], at: datetime
) -> list[Row]:
    """In the order of the scope, then what stands in no scope."""
    seen = Known((one.component, one) for one in sightings)
    strange = Known((one.component, one) for one in findings if one.reply is Reply.NOT_OURS)
    return [_row(scope, line, seen, strange, at) for line in lines(scope.entries, present(sightings))]


def to_csv(rows: Iterable[Row]) -> str:
    return spreadsheet.to_csv(COLUMNS, rows)


def to_json(rows: Sequence[Row]) -> str:
    return json.dumps(list(rows), ensure_ascii=False, indent=1) + "\n"


def file_name(scope: Scope, at: datetime, form: str) -> str:
    return f"monitoring-scope-{scope.revision.id}-{at.astimezone(UTC):%Y%m%d-%H%M%S}.{form}"


def status(entry: InScope | None, at: datetime) -> str:
    if entry is None:
        return NOT_IN_SCOPE
    if entry.exclusion is None:
        return IN_SCOPE
    return EXPIRED if entry.counts(at) else EXCLUDED


def _row(scope: Scope, line: Line, seen: Known[Sighting], strange: Known[Finding], at: datetime) -> Row:
    one, entry, review = line.component, line.entry, scope.review
    by = seen.same_as(one)
    still = [each for each in by if each.gone_at is None]
    out = entry.exclusion if entry else None
    told = status(entry, at)
    return {
        "as_of": _iso(at),
        "revision": scope.revision.id,
        "component": entry.component.key if entry else one.key,
        "name": one.name,
        "kind": one.kind.value,
        "account": one.account,
        "region": one.region,
        "owner": entry.owner if entry else "",
        "criticality": entry.criticality.value if entry else "",
        "status": NOT_OURS if entry is None and strange.same_as(one) else told,
        "excluded_until": _iso(out.until) if out else "",
        "exclusion_reason": out.reason if out else "",
        "requested_by": out.requested_by if out else "",
        "approved_by": out.approved_by if out else "",
        "seen_by": " ".join(sorted({each.source for each in still})) or "(no tool)",
        "first_seen": _iso(min(each.first_seen for each in by)) if by else "",
        "last_seen": _iso(max(each.last_seen for each in by)) if by else "",
        "also_known_as": " ".join(sorted(map(str, one.identities))),
        "last_review": _iso(review.reviewed_at) if review and review.reviewed_at else "never",
        "reviewed_by": review.reviewed_by if review else "",
        "reviewed_revision": review.id if review else "",
    }


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
