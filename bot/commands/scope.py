"""`socmon scope`: the approved inventory comes in, and what is in scope goes out, in words and files."""

import getpass
import json
import sys
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from bot.adapters.inventory import read_file, read_inventory
from bot.adapters.pdf.scope_document import scope_pdf
from bot.adapters.system import SystemClock
from bot.commands.records import records_of, records_to_change, when
from bot.domain.component import Component
from bot.domain.errors import WrongSettings
from bot.domain.scope import Difference, Finding, Heard, InScope, Revision, Scope, changed_fields
from bot.domain.scope_document import scope_rows, to_csv, to_json
from bot.procedures import change_scope, review_scope
from bot.procedures.change_scope import Import
from bot.procedures.review_scope import ScopeDifference, Standing
from bot.settings import Settings

MOST_LISTED = 50


def print_scope(settings: Settings) -> int:
    """How it stands; exit code 1 when something waits for a person."""
    with records_of(settings) as ask:
        answer: tuple[Standing, Scope] = ask(review_scope.for_document)
    stands, scope = answer
    out = sum(not one.counts(stands.now) for one in scope.entries)
    print(
        f"revision {scope.revision.id} of {when(scope.revision.at)}: {len(scope.entries)} components, {out} excluded"
    )
    print(_review(scope.review))
    due = scope.due(stands.now)
    for sentence in due:
        print(f"✗ {sentence}")
    _print_list("✗", [_found(one) for one in stands.waiting])
    for request in stands.requests:
        print(f"✗ an exclusion of {_named(request.component)} waits for its approval")
    _print_heard(stands.heard)
    return 1 if due or stands.waiting or stands.requests else 0


def import_files(settings: Settings, paths: Sequence[Path], *, replacing: bool, dry_run: bool) -> int:
    """All files or none; the scope that comes of it waits for a lead's review."""
    files = [(path, read_file(path, mend="Split it into several files.")) for path in paths]
    inventory = read_inventory(files)
    with records_of(settings) as ask:
        said = {"replacing": replacing, "unrated": inventory.unrated}
        prepared: Import = ask(change_scope.prepare_import, inventory.entries, **said)
    _print_difference(prepared.made)
    if inventory.skipped:
        print(f"{inventory.skipped} resources are of kinds that socmon does not watch; they were left out")
    if dry_run:
        print(f"nothing was imported: {_sum(prepared.made)}")
        return 0
    if not prepared.made:
        print("the scope is as these files say already; nothing changed")
        return 0
    called = [path.name for path in paths]  # where it lies tells of whoever keeps it
    names = [name if called.count(name) == 1 else f"{name} ({at})" for at, name in enumerate(called, 1)]
    digests = {
        name: f"sha256:{sha256(content).hexdigest()}" for name, (_, content) in zip(names, files, strict=True)
    }
    given = {"replacing": replacing, "files": digests, "operator": _operator()}
    with records_to_change(settings) as change:
        revision: Revision = change(change_scope.import_inventory, prepared, **given)
    print(f"revision {revision.id}: {_sum(prepared.made)}. A lead has to review it: /socmon scope review")
    return 0


def print_differences(settings: Settings, *, since: int | None, as_json: bool) -> int:
    """What changed since the last review, and where scope and tools differ; exit code 1 when anything does."""
    with records_of(settings) as ask:
        found: ScopeDifference = ask(review_scope.differences, since=since)
    if as_json:
        print(json.dumps(_as_json(found), ensure_ascii=False, indent=1))
    else:
        begun = f"revision {found.since.id}" if found.since else "the beginning: it has never been reviewed"
        print(f"since {begun}: {_sum(found.made)}")
        _print_difference(found.made)
        _print_list("not in scope, and seen", list(map(_named, found.not_in_scope)))
        _print_list("in scope, and seen by no tool", [_named(one.component) for one in found.not_seen])
        _print_heard(found.heard)
    return 1 if found.made or found.not_in_scope or found.not_seen else 0


def print_history(settings: Settings, *, as_json: bool) -> int:
    with records_of(settings) as ask:
        revisions: list[Revision] = ask(review_scope.history, most=1000)
    if as_json:
        print(json.dumps([_revision(one) for one in revisions], indent=1))
        return 0
    for one in revisions:
        by = one.by or "terminal"
        said = f"{one.added} added, {one.removed} removed, {one.changed} changed"
        print(f"{one.id:>5}  {when(one.at)}  {one.change:<9} by {by:<12} {said}; {_review(one)}")
    return 0


def export(settings: Settings, *, form: str, pdf: Path | None) -> int:
    """The scope document as it is now: `csv` or `json` to standard output, and as PDF to a file."""
    at = SystemClock().now().replace(microsecond=0)
    with records_of(settings) as ask:
        answer: tuple[Standing, Scope] = ask(review_scope.for_document)
    stands, scope = answer
    rows = scope_rows(scope, stands.sightings, stands.findings, at)
    listed = to_csv(rows)
    if pdf:
        page = scope_pdf(scope, rows, review_scope.document_digest(listed.encode()), at)
        try:
            pdf.write_bytes(page)
        except OSError as error:
            raise WrongSettings(f"{pdf} cannot be written ({error.strerror}). Name another file.") from error
    if form or not pdf:
        sys.stdout.write(to_json(rows) if form == "json" else listed)
    return 0


def _operator() -> str:
    """Who runs the command, as the system knows them; in a container often nobody by name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


def _review(revision: Revision | None) -> str:
    if revision is None or revision.reviewed_at is None:
        return "never reviewed"
    return f"revision {revision.id} reviewed {when(revision.reviewed_at)} by {revision.reviewed_by}"


def _named(component: Component) -> str:
    return f"{component.name} ({component.kind}, {component.key})"


def _sum(made: Difference) -> str:
    return f"{len(made.added)} added, {len(made.removed)} removed, {len(made.changed)} changed"


def _found(one: Finding) -> str:
    return f"{one.kind}: {_named(one.component)}{f', was {one.before}' if one.before else ''}"


def _print_difference(made: Difference) -> None:
    _print_list("+", [_entry(one) for one in made.added])
    _print_list("-", [_entry(one) for one in made.removed])
    told = [f"{_named(new.component)}: {'; '.join(changed_fields(old, new))}" for old, new in made.changed]
    _print_list("~", told)


def _entry(one: InScope) -> str:
    return f"{_named(one.component)}, owner {one.owner or 'nobody'}, {one.criticality}"


def _print_list(sign: str, listed: Sequence[str]) -> None:
    for line in listed[:MOST_LISTED]:
        print(f"{sign} {line}" if len(sign) == 1 else f"{sign}: {line}")
    if len(listed) > MOST_LISTED:
        print(f"  … and {len(listed) - MOST_LISTED} more")


def _print_heard(heard: Sequence[Heard]) -> None:
    for one in heard:
        last = f"last told everything {when(one.complete_at)}"
        print(f"{one.source}: {last}{f'. Not whole now: {one.reason}' if one.reason else ''}")


def _as_json(found: ScopeDifference) -> dict[str, Any]:
    return {
        "since": found.since.id if found.since else None,
        "revision": found.revision.id if found.revision else None,
        "added": [one.component.key for one in found.made.added],
        "removed": [one.component.key for one in found.made.removed],
        "changed": {new.component.key: changed_fields(old, new) for old, new in found.made.changed},
        "not_in_scope": [one.key for one in found.not_in_scope],
        "not_seen": [one.component.key for one in found.not_seen],
        "sources": {
            one.source: {"complete_at": when(one.complete_at), "reason": one.reason} for one in found.heard
        },
    }


def _revision(one: Revision) -> dict[str, Any]:
    return {
        "revision": one.id,
        "at": when(one.at),
        "by": one.by or "terminal",
        "change": one.change.value,
        "added": one.added,
        "removed": one.removed,
        "changed": one.changed,
        "reviewed_at": when(one.reviewed_at),
        "reviewed_by": one.reviewed_by,
        "document": one.document,
    }
