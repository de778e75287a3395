"""What exists is taken from the tools; what is new, gone or called otherwise is put before people, once each.

An answer that is not whole adds what it tells and takes nothing away.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from bot.domain.component import Known
from bot.domain.evidence import Actor, Entry, Fact
from bot.domain.scope import Finding, Found, Heard, InScope, News, Reply, Sighting, prompt_due, renamed
from bot.ports import Records

ASK_EVERY = timedelta(minutes=58)  # it is looked every few minutes
MOST_NAMED = 100


def take_turn(records: Records, source: str) -> bool:
    """Whether it is time to ask this source; then nobody else asks it for an hour."""
    known = next((one for one in records.heard() if one.source == source), None)
    if known and timedelta(0) <= records.now - known.asked_at < ASK_EVERY:
        return False
    reason = known.reason if known else "It has not answered yet."
    records.save_heard(Heard(source=source, asked_at=records.now, reason=reason))
    return True


def ask_anew(records: Records) -> None:
    """Something was deployed: each source's hour is over, so that it is asked at the next look."""
    for one in records.heard():
        records.save_heard(replace(one, asked_at=min(one.asked_at, records.now - ASK_EVERY)))


def sightings(records: Records, *, after: int = 0) -> list[Sighting]:
    """A page, of what all sources see and saw; empty at the end."""
    return records.sightings(after=after)


def take_news(records: Records, news: News) -> None:
    """Keep what a source's answer changes, in pieces; what is gone is gone since then."""
    records.save_sightings(news.seen)
    records.sightings_gone(news.gone, news.as_of)
    new = sum(not one.id for one in news.seen)
    if new or news.gone:
        facts = {"seen": len(news.seen), "new": new, "gone": len(news.gone)}
        records.log(_of_system("inventory.changed", {"provider": news.source}, facts))
    if news.renamed:
        scope = records.scope()
        found = renamed(scope.entries if scope else (), news.renamed, records.findings(), records.now)
        _keep(records, found)


def take_answer(records: Records, heard: Heard) -> None:
    """When the source was asked, and whether it told everything."""
    records.save_heard(heard)


def scope_and_findings(records: Records) -> tuple[tuple[InScope, ...], list[Finding]]:
    scope = records.scope()
    return scope.entries if scope else (), records.findings()


def keep_findings(records: Records, found: Found) -> None:
    """New and vanished components; what is over is no longer asked about, what waits is shown as it is seen by now."""
    _keep(records, found.new)
    again = [(one, records.finding(one.id)) for one in found.again]
    records.save_findings([replace(kept, component=one.component) for one, kept in again if kept.is_open])
    over(records, [one for each in found.over if (one := records.finding(each)).is_open])


def _keep(records: Records, found: Sequence[Finding]) -> None:
    records.save_findings(found)
    for start in range(0, len(found), MOST_NAMED):
        some = found[start : start + MOST_NAMED]
        listed = [[one.kind.value, one.component.key] for one in some]
        records.log(_of_system("inventory.found", {}, {"found": listed}))


def over(records: Records, found: Iterable[Finding]) -> None:
    """It is no longer so; when it is so again, it is found again."""
    records.save_findings([replace(one, reply=Reply.OVER, replied_at=records.now) for one in found])


def prompt(records: Records) -> list[Finding]:
    """What people are to be asked now, all of it; empty when it is not the time."""
    waiting = undecided(records)
    return waiting if prompt_due(waiting, records.now) else []


def prompt_told(records: Records, asked: Iterable[int]) -> None:
    """A message with these stands in Slack, or may."""
    told = [records.finding(each) for each in asked]
    records.save_findings([replace(one, told_at=records.now) for one in told])


def open_findings(records: Records) -> list[Finding]:
    return records.findings(waiting=True)


def undecided(records: Records) -> list[Finding]:
    """Those that nobody has done anything about: for the others an exclusion waits for its approval."""
    asked = Known((one.component, one) for one in records.exclusion_requests())
    return [one for one in open_findings(records) if not asked.same_as(one.component)]


def _of_system(kind: str, subject: Mapping[str, str | int], facts: Mapping[str, Fact]) -> Entry:
    return Entry(type=kind, actor=Actor(kind="system"), subject=subject, facts=facts)
