"""`socmon standard`: how strictly everything has to be watched, who keeps that, and the versions that were in force."""

import json
from typing import Any

from bot.commands.records import records_of, when
from bot.domain.standard_version import differences, lines
from bot.procedures.review_standard import StandardStanding, standing
from bot.settings import Settings
from bot.standard import read_standard


def print_standard(settings: Settings, *, as_json: bool) -> int:
    """The standard of the file as it is now; exit code 1 when something about it is due."""
    standard = read_standard(settings.standard_file)
    stands, own = _standing(settings), differences(standard, read_standard(None))
    newest, due = stands.newest, stands.due
    if as_json:
        told = {
            "digest": newest.digest,
            **newest.facts,
            "not_as_shipped": own,
            "due": due,
            "review": _review(stands),
        }
        print(json.dumps(told, ensure_ascii=False, indent=1))
        return 1 if due else 0
    for name, said in lines(newest.facts).items():
        print(f"{name.replace('_', ' ')}: {said or 'nobody'}")
    print(f"digest: {newest.digest}")
    if not newest.number:
        print("not in force yet: socmon takes it at its next start")
    for each in own:
        print(f"~ not as it ships: {each}")
    if stands.review:
        print(f"last review: {stands.review.on}, {stands.review.by or 'as its file says'}")
    for sentence in due:
        print(f"✗ {sentence}")
    return 1 if due else 0


def print_history(settings: Settings, *, as_json: bool) -> int:
    """Every version that was in force, the newest first."""
    stands = _standing(settings)
    rows = [_version(stands, at) for at in range(len(stands.versions))]
    if as_json:
        print(json.dumps(rows, ensure_ascii=False, indent=1))
        return 0
    for row in rows:
        reviewed = (
            f"reviewed {row['reviewed_at']} by {row['reviewed_by']}"
            if row["reviewed_by"]
            else "never reviewed"
        )
        print(f"{row['version'] or 'next':>5}  {row['since']}  {row['digest']}  {reviewed}")
        for change in row["changes"]:
            print(f"       {change}")
    return 0


def _standing(settings: Settings) -> StandardStanding:
    with records_of(settings) as ask:
        stands: StandardStanding = ask(standing, read_standard(settings.standard_file))
    return stands


def _version(stands: StandardStanding, at: int) -> dict[str, Any]:
    one = stands.versions[at]
    return {
        "version": one.number or None,
        "since": when(one.at),
        "digest": one.digest,
        "changes": stands.changes(at),
        "reviewed_at": when(one.reviewed_at) if one.reviewed_at else None,
        "reviewed_by": one.reviewed_by,
    }


def _review(stands: StandardStanding) -> dict[str, Any] | None:
    review = stands.review
    if review is None:
        return None
    return {"on": review.on.isoformat(), "by": review.by or "the file", "of_this_version": review.is_current}
