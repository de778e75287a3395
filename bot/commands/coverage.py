"""`socmon coverage`: every cell in scope, in words, as JSON, CSV or a page; exit code 1 when one is not covered."""

import json
import sys
from collections.abc import Iterator, Sequence
from html import escape

from bot.adapters.web.heat_map import heat_map
from bot.commands.records import records_of, when
from bot.domain.component import MEASURES
from bot.domain.coverage import Interval, State
from bot.domain.spending import spending
from bot.domain.spreadsheet import Cell, to_csv
from bot.procedures import assess_coverage
from bot.procedures.assess_coverage import NotInScope, Picture
from bot.procedures.review_standard import StandardStanding, standing
from bot.settings import Settings
from bot.standard import read_standard

COLUMNS = (
    "component",
    "name",
    "kind",
    "owner",
    "criticality",
    "measure",
    "state",
    "since",
    "why",
    "mend",
    "monitor",
)
Row = dict[str, Cell]


def print_coverage(settings: Settings, words: Sequence[str], *, form: str) -> int:
    """`form` is "text", "json", "csv" or "html". The text names what is not covered; JSON and CSV have every cell."""
    with records_of(settings) as ask:
        picture: Picture = ask(assess_coverage.picture)
        standard: StandardStanding = ask(standing, read_standard(settings.standard_file))
    rows = [row for row in _rows(picture) if not words or _is_asked(row, " ".join(words))]
    if words and not rows:
        raise NotInScope(" ".join(words))
    match form:
        case "json":
            print(json.dumps(_document(settings, picture, rows), ensure_ascii=False, indent=2))
        case "csv":
            sys.stdout.write(to_csv(COLUMNS, rows))
        case "html":
            sys.stdout.write(_page(settings, picture, rows))
        case _:
            _print(settings, picture, rows)
            for fault in standard.due:
                print(f"! {fault}")
    return 1 if any(row["state"] in {State.GAP, State.UNKNOWN} for row in rows) else 0


def _rows(picture: Picture) -> Iterator[Row]:
    for one in picture.entries:
        component = one.component
        for measure in MEASURES[component.kind]:
            out = picture.out.get((component.key, measure)) if one.counts(picture.now) else None
            yield {
                "component": component.key,
                "name": component.name,
                "kind": component.kind.value,
                "owner": one.owner,
                "criticality": one.criticality.value,
                "measure": measure.value,
                "state": _state(out) if one.counts(picture.now) else "excluded",
                "since": when(out.since) if out else "",
                "why": " ".join(each.says for each in out.shortfalls) if out else "",
                "mend": " ".join(each.mend for each in out.shortfalls) if out else "",
                "monitor": out.monitor if out else "",
            }


def _state(out: Interval | None) -> str:
    return out.state.value if out else State.COVERED.value


def _is_asked(row: Row, name: str) -> bool:
    key = str(row["component"]).casefold()
    return name.casefold() in {key, key.partition(":")[2], str(row["name"]).casefold()}


def _document(settings: Settings, picture: Picture, rows: Sequence[Row]) -> dict[str, object]:
    return {
        "assessed_at": when(picture.run.at),
        "scope_revision": picture.run.scope,
        "standard": picture.run.standard,
        "digest": picture.run.digest,
        "tools": _ages(settings, picture),
        "spent": _spent(picture),
        "cells": rows,
    }


def _ages(settings: Settings, picture: Picture) -> list[dict[str, object]]:
    return [
        {
            "provider": age.provider,
            "subject": age.subject.value,
            "whole_at": when(age.whole_at),
            "stands": age.stands(picture.now, settings.coverage_time_to_live),
            "reason": age.reason,
            "calls": age.calls,
            "components": age.components,
            "calls_per_thousand": age.spent.per_thousand,
            "billed": [{"of": each.of, "units": each.units, "usd": str(each.usd)} for each in age.billed],
        }
        for age in picture.ages
    ]


def _spent(picture: Picture) -> dict[str, object]:
    """Of each tool: what its newest answers took together, and what its inventory takes, once an hour."""
    return {
        provider: {
            "calls": one.calls,
            "components": one.components,
            "calls_per_thousand": one.per_thousand,
            "inventory_calls": inventory,
            "usd": str(one.usd),
            "usd_a_month": str(one.usd_a_month),
        }
        for provider, one, inventory in picture.spent
    }


def _print(settings: Settings, picture: Picture, rows: Sequence[Row]) -> None:
    for row in rows:
        if row["state"] in {State.GAP, State.UNKNOWN}:
            sign = "✗" if row["state"] == State.GAP else "?"
            print(f"{sign} {row['component']} {row['measure']}: {row['why']} {row['mend']}")
    print(_summary(rows))
    for line in _told_ages(settings, picture):
        print(line)


def _summary(rows: Sequence[Row]) -> str:
    states = [row["state"] for row in rows]
    counts = [f"{states.count(each)} {each}" for each in (*State, "excluded") if each in states]
    return f"{len(rows)} cells: {', '.join(counts) or 'none'}"


def _told_ages(settings: Settings, picture: Picture) -> list[str]:
    return (
        [f"assessed {when(picture.run.at)}, scope revision {picture.run.scope}"]
        + [
            f"{age['provider']} {age['subject']}: told in full {age['whole_at']}"
            + ("" if age["stands"] else ", too old to stand")
            + (f" ({age['reason']})" if age["reason"] else "")
            for age in _ages(settings, picture)
        ]
        + [f"{provider}: {spending(one, inventory=calls)}" for provider, one, calls in picture.spent]
    )


def _page(settings: Settings, picture: Picture, rows: Sequence[Row]) -> str:
    drawing = heat_map(picture)
    shown = ("name", "measure", "state", "since", "why", "mend")
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(str(row[name]))}</td>' for name in shown)}</tr>"
        for row in rows
        if row["state"] in {State.GAP, State.UNKNOWN}
    )
    small = "".join(f"<li>{escape(line)}</li>" for line in _told_ages(settings, picture))
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><title>Coverage</title>'
        "<style>body{font:14px sans-serif;margin:2em}td,th{text-align:left;padding:.3em .6em;vertical-align:top;"
        "border-top:1px solid #ddd}svg{max-width:100%;height:auto}div{overflow-x:auto}</style>"
        f"<h1>Coverage</h1><p>{escape(_summary(rows))}</p>{drawing}<h2>Not covered</h2><div><table><tr>"
        f"{''.join(f'<th scope=col>{name}</th>' for name in shown)}</tr>{body}</table></div><ul>{small}</ul></html>\n"
    )
