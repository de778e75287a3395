"""Slack catches up with the records: what to send next, recorded before it is sent, and what came of it.

Nothing here talks to Slack. A crash between any two of these steps costs nothing: an intent without an answer makes the
projector look for its own message before it posts again.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from bot.domain.alert import Alert
from bot.domain.errors import UnknownAlert
from bot.domain.evidence import Actor, Entry
from bot.domain.storm import Storm
from bot.domain.thread import TOLD_BY_PARENT, Moment, Place, SlackRoutes, Thread
from bot.domain.tool import ToolState, tool_state
from bot.ports import Records
from bot.procedures.escalate_alert import just_acted

MOST_TOLD = 200  # moments in one reply
LEASE = timedelta(seconds=15)  # longer than a look and a call of Slack take together
SLACK_MAY_TAKE = timedelta(
    seconds=13
)  # a call's time-out, and a moment: so long may a dead process's post still arrive
UNREADABLE_FOR = timedelta(minutes=10)


class Step(StrEnum):
    """The next thing a thread needs, in order of urgency."""

    POST = "post"
    UPDATE = "update"
    REPLY = "reply"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """One message to send. `thread` carries the lease and the intent; `lost` is an earlier intent without an answer."""

    step: Step
    thread: Place
    lost: str | None = None

    def perhaps_twice(self) -> Self:
        """The lost message may be there, and nobody can look."""
        return replace(self, thread=replace(self.thread, possible_duplicate=True))

    def refused(self, problem: str, *, retry_at: datetime, thread: Place | None = None) -> Place:
        """Slack said no to it. What may still be there stays on record.

        That is a lost message that it let nobody look for and, while a parent is updated, a lost reply.
        """
        place = thread or self.thread
        if self.step is Step.UPDATE or self.lost is not None:
            return place.unknown(problem, retry_at=retry_at)
        return place.refused(problem, retry_at=retry_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task(Sending):
    """An alert's parent, or a reply in its thread. `acted` are those whom a first message must not call."""

    thread: Thread
    alert: Alert
    moments: tuple[Moment, ...] = ()
    tool: ToolState | None = None
    acted: frozenset[str] = frozenset()


def take_tasks(
    records: Records,
    *,
    lease: str,
    busy_channels: Collection[str],
    updates_allowed: bool,
    except_alerts: Collection[int],
) -> list[Task]:
    """Lease the most urgent lagging thread of each channel that may send now, and record what is about to be sent."""
    threads = records.claim_threads(
        lease=lease,
        lasting=LEASE,
        busy_channels=busy_channels,
        updates_allowed=updates_allowed,
        except_alerts=except_alerts,
    )
    tasks = []
    for thread in threads:
        try:
            tasks.append(_task(records, thread))
        except (UnknownAlert, ValueError) as error:
            # A damaged row, or one of a later version, must not keep all other alerts from Slack.
            _set_aside(records, thread, error)
    return tasks


def _set_aside(records: Records, thread: Thread, error: Exception) -> None:
    why = f"unreadable: {type(error).__name__}"
    records.save_thread(thread.unknown(why, retry_at=records.now + UNREADABLE_FOR))
    records.set_problem(
        unreadable_problem(thread.key),
        f"A-{thread.alert_id} cannot be read from the records ({type(error).__name__}), so Slack does not show it. Run"
        " `socmon evidence verify`: it says whether somebody has changed the database.",
    )


def _task(records: Records, thread: Thread) -> Task:
    alert = records.alert(thread.alert_id)
    names = _names_of(records, alert)
    alert = named(alert, names)
    tool = tool_state(records.vendor_writes(alert.id))
    moments: tuple[Moment, ...] = ()
    acted: frozenset[str] = frozenset()
    if thread.ts is None:
        step, key = Step.POST, parent_key(alert.id)
        acted = frozenset(just_acted(records, alert))
    elif thread.revision > thread.projected:
        return Task(step=Step.UPDATE, thread=thread, alert=alert, tool=tool)
    else:
        news = records.timeline(alert.id, after=thread.shown, most=MOST_TOLD)
        if len(news) == MOST_TOLD:  # more than one reply can tell: the next one goes on from here
            thread = replace(thread, latest=news[-1].id)
        told = [moment for moment in news if moment.kind not in TOLD_BY_PARENT]
        moments = tuple(told_by_name(records, alert.provider, told))
        step, key = Step.REPLY, reply_key(alert.id, thread.latest)
    task = Task(step=step, thread=thread, alert=alert, moments=moments, tool=tool, acted=acted)
    if thread.intent is not None:
        return replace(task, lost=thread.intent)
    thread = thread.sending(key, records.now)
    records.save_thread(thread, keep_lease=LEASE)
    return replace(task, thread=thread)


def _names_of(records: Records, alert: Alert) -> Mapping[str, str]:
    return records.account_names(alert.provider, [alert.owner] if alert.owner else [])


def named(alert: Alert, names: Mapping[str, str]) -> Alert:
    """For showing: an owner who is known only in the tool goes by the name that the tool gives them."""
    return replace(alert, owner=names.get(alert.owner, alert.owner)) if alert.owner else alert


def told_by_name(records: Records, provider: str, moments: Sequence[Moment]) -> list[Moment]:
    """The moments, with those who are known only in the tool by their names there."""
    accounts = {moment.by for moment in moments if moment.facts.get("via")}
    names = records.account_names(provider, accounts)
    return [replace(moment, by=names.get(moment.by, moment.by)) for moment in moments]


def resend(records: Records, thread: Place) -> bool:
    """Before a message goes out again: renew intent and lease. False when another replica has taken over."""
    key = thread.key
    if isinstance(thread, Thread) and thread.ts is not None:
        key = reply_key(thread.alert_id, thread.latest)
    return _save(records, thread.sending(key, records.now), keep_lease=LEASE)


def release_leases(records: Records) -> int:
    """At the start of the only process there is: what the last one was doing, nobody does any more."""
    return records.release_leases(look_after=SLACK_MAY_TAKE)


def reroute_threads(records: Records, routes: SlackRoutes) -> int:
    """At the start: what waits for a channel that the configuration no longer names goes where it says now."""
    moved = 0
    for thread in records.stranded_threads():
        if thread.channel not in routes.channels:
            with suppress(UnknownAlert, ValueError):
                alert = records.alert(thread.alert_id)
                records.move_thread(alert.id, channel=routes.of(alert.provider, alert).channel)
                records.clear_problem(channel_problem(thread.channel))
                moved += 1
    return moved


def unreadable_problem(key: str) -> str:
    """The subject of "this alert cannot be read"."""
    return f"records:{key}"


def channel_problem(channel: str) -> str:
    """The subject of "this channel takes no alerts"."""
    return f"slack:channel:{channel}"


def announced(records: Records, thread: Thread) -> bool:
    """The alert's parent stands in Slack: store where, and log it. False when another replica has taken over."""
    if not records.save_thread(thread):
        return False
    records.log(
        Entry(
            type="alert.announced",
            actor=Actor(kind="system"),
            subject={"alert": thread.alert_id},
            facts={"channel": thread.channel, "ts": thread.ts or ""},
            private={},
            alert_id=thread.alert_id,
        )
    )
    return True


def progressed(records: Records, thread: Place) -> bool:
    """Store what came of an update, a reply or a failure."""
    return _save(records, thread)


def _save(records: Records, place: Place, *, keep_lease: timedelta | None = None) -> bool:
    match place:
        case Thread():
            return records.save_thread(place, keep_lease=keep_lease)
        case Storm():
            return records.save_storm(place, keep_lease=keep_lease)
        case _:
            raise TypeError(type(place))


def report_problem(records: Records, subject: str, text: str) -> bool:
    """Make trouble visible in status and readiness; True when it is new and somebody has to be told."""
    return records.set_problem(subject, text)


def untold_problems(records: Records) -> list[tuple[str, str]]:
    """(subject, text) of the trouble that no operator has been told of."""
    return records.untold_problems()


def problem_told(records: Records, subject: str) -> None:
    records.problem_told(subject)


def clear_problem(records: Records, subject: str) -> bool:
    return records.clear_problem(subject)


def forget_problems(records: Records, kind: str, *, but: Collection[str]) -> None:
    """Clear what nobody will find mended: trouble with something that is no longer configured."""
    for subject, _, _ in records.problems():
        if subject.startswith(kind) and subject not in but:
            records.clear_problem(subject)


def known_problems(records: Records) -> list[str]:
    """The subjects of everything that is to be mended."""
    return [subject for subject, _, _ in records.problems()]


def lag(records: Records) -> tuple[int, datetime | None]:
    """How many threads lag, and since when the oldest does."""
    return records.lag()


def parent_key(alert_id: int) -> str:
    """The key in the parent's metadata."""
    return f"A-{alert_id}"


def reply_key(alert_id: int, moment: int) -> str:
    """The key in a reply's metadata: the newest moment it tells."""
    return f"A-{alert_id}:{moment}"


def moment_of(key: str) -> int:
    """The newest moment that the reply with this key tells."""
    return int(key.partition(":")[2])
