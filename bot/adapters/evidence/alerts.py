"""Check the alerts' rows: each has to say what the alert's own entries tell, and every alert of the log has its row."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bot.adapters.evidence.envelope import matches, read_entry, who
from bot.adapters.evidence.report import Fault, Findings
from bot.adapters.evidence.stored import AlertPage, StoredEntry
from bot.domain.alert import Alert
from bot.domain.evidence import NotCanonical
from bot.domain.retelling import DETAILS, BrokenStory, Told, details_of, differences, retell


@dataclass(frozen=True, slots=True, kw_only=True)
class _Story:
    """An alert as far as its entries were read; `broken` says where they stopped making sense."""

    alert: Alert | None = None
    details: str = ""  # the commitment to what a tool called it
    salt: bytes | None = None
    broken: str = ""


_Texts = Mapping[str, tuple[bytes | None, str | None]]


def check_alerts(pages: Iterable[AlertPage], opened: int, findings: Findings) -> None:
    """`opened` is how many alerts the log had when it was read; since then there may be more."""
    stories: dict[int | None, _Story] = {}  # of alerts whose entries go on in the next page
    due = 1
    for page in pages:
        texts: dict[int, dict[str, tuple[bytes | None, str | None]]] = {}
        for seq, path, salt, text in page.texts:
            texts.setdefault(seq, {})[path] = (salt, text)
        for entry in page.entries:
            told = stories.get(entry.alert_id, _Story())
            stories[entry.alert_id] = _told(told, entry, texts.get(entry.seq, {}))
        for number, alert in page.alerts:
            story = stories.pop(number, None)
            if story is None:
                findings.add(Fault.ALERT_UNKNOWN, f"A-{number}")
                continue
            _missing(due, number - 1, findings)
            due = number + 1
            wrong = _wrong(alert, story)
            findings.check("alerts_checked", Fault.ALERT, f"A-{number}: {wrong}", holds=not wrong)
    _missing(due, opened, findings)


def _missing(first: int, last: int, findings: Findings) -> None:
    if first <= last:
        where = f"A-{first}" if first == last else f"A-{first} to A-{last}"
        findings.add(Fault.ALERT_GONE, where, last - first + 1)


def _told(story: _Story, entry: StoredEntry, texts: _Texts) -> _Story:
    """The story after one more entry."""
    if story.broken:
        return story
    try:
        content = read_entry(entry.leaf)
        alert = retell(story.alert, _read(content, texts))
    except (BrokenStory, ValueError) as error:
        return replace(story, broken=f"entry {entry.seq}, {error}")
    if committed := content["commit"].get("details"):
        story = replace(story, details=committed, salt=texts.get("details", (None, None))[0])
    return replace(story, alert=alert)


def _read(content: dict[str, Any], texts: _Texts) -> Told:
    return Told(
        kind=content["type"].removeprefix("alert."),
        at=datetime.fromisoformat(content["at"]),
        by=who(content),
        facts=content["facts"],
        texts={path: text or "" for path, (_, text) in texts.items()},
    )


def _wrong(alert: Alert | None, story: _Story) -> str:
    """What the row says otherwise than its story; empty when all is well."""
    if story.alert is None or story.broken:
        return story.broken
    if alert is None:
        return "the row cannot be read"
    names = differences(alert, story.alert)
    if not _has_details(alert, story):
        names.append(f"one of {', '.join(DETAILS)}")
    return ", ".join(names)


def _has_details(alert: Alert, story: _Story) -> bool:
    try:
        return matches(story.details, story.salt, "details", details_of(alert))
    except NotCanonical:
        return False
