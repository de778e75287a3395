"""Dashboards are looked at each week: kept as dated pictures, and reviewed by a person. What failed is a gap."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.domain.dashboard import (
    MOST_CHOSEN,
    Capture,
    Captured,
    Chosen,
    Dashboard,
    Review,
    Rules,
    Uncaptured,
    warnings_of,
)
from bot.domain.errors import IllegalAct
from bot.domain.evidence import Actor, Entry, Fact, timestamp
from bot.domain.follow_up import FollowUp, Outcome
from bot.domain.person import LEADS, READERS, RESPONDERS, Person, Role
from bot.domain.scope import InScope
from bot.domain.validation import Finding, Period, Section, Verdict
from bot.ports import Records
from bot.procedures import follow_up

CONFIGURATION = "configuration"
SECTION = "dashboards"
CHOOSERS = LEADS | {Role.ADMIN}
CAPTURERS = RESPONDERS | {Role.ADMIN}
SHOWN_FOR = timedelta(days=7)
"""A picture that nobody could be shown for so long is not shown any more."""
MOST_NAMED = 5


class NotChosen(IllegalAct):
    """It is not among the dashboards that are looked at."""

    def __init__(self, key: str) -> None:
        super().__init__(
            f"{key} is not among the dashboards that are looked at each week. Nothing changed."
            " `/socmon dashboards` lists them."
        )


class TooMany(IllegalAct):
    """More dashboards are chosen than one run can capture."""

    def __init__(self) -> None:
        super().__init__(
            f"{MOST_CHOSEN} dashboards are chosen already, and that is the most. Nothing changed. Leave one out first:"
            " `/socmon dashboards`."
        )


class ByConfiguration(IllegalAct):
    """It stands in the configuration, and is left out there."""

    def __init__(self, title: str) -> None:
        super().__init__(
            f"{title} is looked at because it stands under [[dashboards.pages]]. Nothing changed. Take it out there."
        )


class NothingToReview(IllegalAct):
    """There is no such picture, or somebody has reviewed it already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Each chosen dashboard with its newest capture."""

    now: datetime
    rows: tuple[tuple[Chosen, Capture | None], ...]


def choose(records: Records, dashboard: Dashboard, *, by: Person) -> Chosen:
    """It is looked at each week from now on, in the account where it is now. Raises NotPermitted and TooMany."""
    by.require(CHOOSERS, "choose dashboards")
    known = {one.dashboard.key: one for one in records.chosen_dashboards()}
    before = known.get(dashboard.key)
    if before and before.dashboard == replace(dashboard, modified_at=None):
        return before
    if not before and len(known) >= MOST_CHOSEN:
        raise TooMany
    made = Chosen(dashboard=dashboard, by=by.user, at=records.now)
    records.choose_dashboard(made)
    _log(records, "dashboard.chosen", dashboard, _actor(by), {"account": dashboard.account})
    return made


def leave_out(records: Records, key: str, *, by: Person) -> Dashboard:
    """It is not looked at any more. Raises NotPermitted, NotChosen and ByConfiguration."""
    by.require(CHOOSERS, "leave dashboards out")
    known = next((one for one in records.chosen_dashboards() if one.dashboard.key == key), None)
    if known is None:
        raise NotChosen(key)
    if known.by == CONFIGURATION:
        raise ByConfiguration(known.dashboard.title)
    records.leave_out_dashboard(key)
    _log(records, "dashboard.left_out", known.dashboard, _actor(by))
    return known.dashboard


def take_pages(records: Records, pages: Sequence[Dashboard]) -> None:
    """Those of the configuration are chosen, and no others of it."""
    known = {one.dashboard.key: one for one in records.chosen_dashboards() if one.by == CONFIGURATION}
    for page in pages:
        before = known.pop(page.key, None)
        if before is None or before.dashboard != page:
            records.choose_dashboard(Chosen(dashboard=page, by=CONFIGURATION, at=records.now))
            _log(records, "dashboard.chosen", page, Actor(kind="system"), {"account": page.account})
    for key, gone in known.items():
        records.leave_out_dashboard(key)
        _log(records, "dashboard.left_out", gone.dashboard, Actor(kind="system"))


def to_capture(records: Records) -> tuple[list[Dashboard], tuple[InScope, ...]]:
    """The dashboards, and what is in scope."""
    scope = records.scope()
    return [one.dashboard for one in records.chosen_dashboards()], scope.entries if scope else ()


def seen_components(entries: Collection[InScope], shows: Collection[str]) -> tuple[str, ...]:
    """Names of what is in scope and drawn, by any of its names."""
    drawn = {name.casefold() for name in shows}
    return tuple(
        sorted(
            one.component.name
            for one in entries
            if drawn
            & {one.component.name.casefold(), *(name.value.casefold() for name in one.component.identities)}
        )
    )


def kept(
    dashboard: Dashboard,
    got: Captured,
    entries: Collection[InScope],
    rules: Rules,
    *,
    at: datetime,
) -> Capture:
    """What stands on the picture, and goes on record with it; the picture itself is yet to be drawn."""
    return Capture(
        dashboard=replace(dashboard, account=got.account),
        at=at,
        start=got.start,
        end=got.end,
        newest_at=got.newest_at,
        components=seen_components(entries, got.shows),
        warnings=warnings_of(dashboard, got, rules),
    )


def refused(dashboard: Dashboard, why: Uncaptured, rules: Rules, *, at: datetime) -> Capture:
    """There is no picture: that is on record, too."""
    return Capture(
        dashboard=dashboard,
        at=at,
        start=at - rules.window,
        end=at,
        trouble=why.trouble,
        says=why.says,
        mend=why.mend,
    )


def keep_capture(records: Records, one: Capture) -> Capture:
    """On record, whether it is a picture or the reason why there is none."""
    stored = replace(one, id=records.save_capture(one))
    facts: dict[str, Fact] = {
        "account": one.dashboard.account,
        "captured_at": timestamp(one.at),
        "start": timestamp(one.start),
        "end": timestamp(one.end),
    }
    if one.trouble:
        facts |= {"trouble": one.trouble.value, "why": one.says}
    else:
        facts |= {
            "picture": one.picture,
            "bytes": one.size,
            "newest": timestamp(one.newest_at) if one.newest_at else None,
            "components": one.components,
            "warnings": one.warnings,
        }
    kind = "dashboard.refused" if one.trouble else "dashboard.captured"
    _log(records, kind, one.dashboard, Actor(kind="system"), facts, capture=stored.id)
    return stored


def to_show(records: Records) -> list[Capture]:
    """The newest pictures that people have not been shown."""
    chosen = {one.dashboard.key for one in records.chosen_dashboards()}
    return [
        one
        for one in records.latest_captures()
        if one.is_kept
        and one.shown_at is None
        and one.reviewed_at is None
        and one.dashboard.key in chosen
        and records.now - one.at < SHOWN_FOR
    ]


def waiting(records: Records, *, by: Person) -> list[Capture]:
    """The newest pictures that nobody has reviewed. Raises NotPermitted."""
    by.require(RESPONDERS, "review dashboards")
    chosen = {one.dashboard.key for one in records.chosen_dashboards()}
    return [
        one
        for one in records.latest_captures()
        if one.is_kept and one.reviewed_at is None and one.dashboard.key in chosen
    ]


def shown(records: Records, capture_id: int) -> None:
    """It stands in Slack, or may. A click may have been faster than this word of it."""
    if known := records.capture(capture_id):
        records.save_capture(replace(known, shown_at=records.now))


def review(records: Records, capture_id: int, *, by: Person) -> Capture:
    """They looked at it, and nothing is unusual. Raises NotPermitted and NothingToReview.

    That closes what somebody was asked to follow up about this dashboard: the picture is the proof.
    """
    by.require(RESPONDERS, "review dashboards")
    done = _reviewed(records, capture_id, Review.NOTHING_UNUSUAL, by)
    open_one = records.latest_follow_up(subject_of(done.dashboard))
    if open_one and open_one.is_open:
        follow_up.close(
            records,
            open_one,
            Outcome.MENDED,
            proof=done.picture,
            facts={"capture": done.id, "reviewed_by": by.user},
        )
    return done


def to_review(records: Records, capture_id: int, *, by: Person) -> Capture:
    """What a form about it needs. Raises NotPermitted and NothingToReview."""
    by.require(RESPONDERS, "review dashboards")
    return _unreviewed(records, capture_id)


def follow_up_on(
    records: Records, capture_id: int, *, owner: Person, due_at: datetime, note: str, by: Person
) -> tuple[Capture, FollowUp]:
    """They looked at it, and somebody is to look closer. Raises NotPermitted, NothingToReview and Unfit."""
    by.require(RESPONDERS, "review dashboards")
    found = _unreviewed(records, capture_id)
    task = follow_up.open_about(
        records, subject_of(found.dashboard), owner=owner, due_at=due_at, note=note, by=by
    )
    return _reviewed(records, capture_id, Review.FOLLOW_UP, by, {"follow_up": task.id}), task


def standing(records: Records) -> Standing:
    """How each chosen dashboard stands."""
    newest = {one.dashboard.key: one for one in records.latest_captures()}
    rows = tuple((one, newest.get(one.dashboard.key)) for one in records.chosen_dashboards())
    return Standing(now=records.now, rows=rows)


def standing_for(records: Records, *, by: Person) -> Standing:
    """As `standing`, for somebody in Slack. Raises NotPermitted."""
    by.require(READERS, "see the dashboards")
    return standing(records)


def dashboards(records: Records, period: Period) -> Section:
    """The section of the weekly validation: every chosen dashboard is captured since the week began, and reviewed.

    Pictures are taken right before the validation opens, so those count that came after the week's end as well.
    """
    chosen = records.chosen_dashboards()
    if not chosen:
        nothing = Finding(
            id="dashboards:none",
            says="No dashboard is chosen, so none is looked at.",
            mend="Choose those in scope: `/socmon dashboards choose`.",
        )
        return Section(
            name=SECTION, verdict=Verdict.WARNING, says="no dashboard is chosen", findings=(nothing,)
        )
    every = records.captures_since(period.start)
    tried = {one.dashboard.key: one for one in every}
    good = {one.dashboard.key: one for one in every if one.is_kept}
    done = {one.dashboard.key: one for one in every if one.review}
    keys = [one.dashboard.key for one in chosen]
    titles = {one.dashboard.key: one.dashboard.title for one in chosen}
    broken = [tried[key] for key in keys if key in tried and key not in good]
    missing = [titles[key] for key in keys if key not in tried]
    waiting = [titles[key] for key in keys if key in good and key not in done]
    warned = [good[key] for key in keys if key in good and good[key].warnings]
    findings = []
    if broken:
        findings.append(
            Finding(
                id="dashboards:refused",
                says=" ".join(f"{one.dashboard.title}: {one.says}" for one in broken[:MOST_NAMED])
                + _more(len(broken)),
                mend=" ".join(dict.fromkeys(one.mend for one in broken[:MOST_NAMED])),
            )
        )
    if missing:
        findings.append(
            Finding(
                id="dashboards:missing",
                says=f"Nobody tried to take a picture of {_named(missing)}.",
                mend="Take it now: `/socmon dashboards capture`; and see `socmon jobs` for why the job did not run.",
            )
        )
    if waiting:
        findings.append(
            Finding(
                id="dashboards:unreviewed",
                says=f"Nobody has reviewed the picture of {_named(waiting)}.",
                mend="Look at it in Slack, and press what you found: `/socmon dashboards review`.",
            )
        )
    if warned:
        findings.append(
            Finding(
                id="dashboards:warned",
                says=" ".join(
                    f"{one.dashboard.title}: {' '.join(one.warnings)}" for one in warned[:MOST_NAMED]
                )
                + _more(len(warned)),
                mend="Mend the dashboard, or accept it with the reason.",
            )
        )
    verdict = Verdict.BAD if broken or missing else Verdict.WARNING if findings else Verdict.GOOD
    facts: dict[str, Fact] = {
        "chosen": len(chosen),
        "captured": sum(key in good for key in keys),
        "refused": len(broken),
        "missing": len(missing),
        "reviewed": sum(key in done for key in keys),
        "pictures": [good[key].picture for key in keys if key in good],
    }
    says = f"{facts['captured']} of {len(chosen)} captured, {facts['reviewed']} reviewed"
    return Section(name=SECTION, verdict=verdict, says=says, findings=tuple(findings), facts=facts)


def subject_of(dashboard: Dashboard) -> str:
    """Of a follow-up about it."""
    return f"dashboard:{dashboard.key}"


def _named(titles: Sequence[str]) -> str:
    return ", ".join(titles[:MOST_NAMED]) + (
        f" and {len(titles) - MOST_NAMED} more" if len(titles) > MOST_NAMED else ""
    )


def _more(count: int) -> str:
    return f" And {count - MOST_NAMED} more." if count > MOST_NAMED else ""


def _unreviewed(records: Records, capture_id: int) -> Capture:
    found = records.capture(capture_id)
    if found is None or not found.is_kept:
        raise NothingToReview(
            f"There is no picture {capture_id} here to review. Nothing changed. `/socmon dashboards` lists those there"
            " are."
        )
    if found.reviewed_at:
        raise NothingToReview(
            f"<@{found.reviewed_by}> has reviewed this picture already ({found.review}). Nothing changed."
        )
    return found


def _reviewed(
    records: Records, capture_id: int, outcome: Review, by: Person, more: dict[str, Fact] | None = None
) -> Capture:
    found = _unreviewed(records, capture_id)
    done = replace(found, reviewed_by=by.user, reviewed_at=records.now, review=outcome)
    records.save_capture(done)
    facts: dict[str, Fact] = {"picture": done.picture, "outcome": outcome.value, **(more or {})}
    _log(records, "dashboard.reviewed", done.dashboard, _actor(by), facts, capture=done.id)
    return done


def _log(
    records: Records,
    kind: str,
    dashboard: Dashboard,
    actor: Actor,
    facts: dict[str, Fact] | None = None,
    *,
    capture: int = 0,
) -> None:
    subject: dict[str, str | int] = {"dashboard": dashboard.key, "title": dashboard.title}
    if capture:
        subject["capture"] = capture
    records.log(Entry(type=kind, actor=actor, subject=subject, facts=facts or {}))


def _actor(by: Person) -> Actor:
    return Actor(kind="slack", team=by.team, user=by.user, role=by.role)
