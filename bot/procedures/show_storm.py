"""Many alerts at once become one message, their digest, under the same rules as any other message to Slack.

Which alerts it shows is decided here, in the transaction that hands out what to send next: an alert that waits for its
message joins the storm of its channel, and is from then on shown by the digest, for good. Whose message may be under
way stays by itself. So every alert has one place in Slack, whatever is lost or killed in between.
"""

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, replace

from bot.domain.errors import UnknownAlert
from bot.domain.evidence import Actor, Entry
from bot.domain.storm import Digest, Members, Storm, StormRule
from bot.domain.thread import SlackRoutes
from bot.ports import Records
from bot.procedures import show_alert
from bot.procedures.show_alert import LEASE, UNREADABLE_FOR, Sending, Step, Task


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestTask(Sending):
    """A storm's digest. `news` are the alerts that it shows for the first time in this place."""

    thread: Storm
    digest: Digest
    news: tuple[int, ...] = ()


def take_tasks(
    records: Records,
    *,
    lease: str,
    busy_channels: Collection[str],
    updates_allowed: bool,
    except_alerts: Collection[int],
    except_storms: Collection[int] = (),
    storms: StormRule | None = None,
) -> list[Task | DigestTask]:
    """Lease what is most urgent in each channel that may send now, and record what is about to be sent.

    Without a rule no storm begins, and running ones end.
    """
    watch_storms(records, storms)
    digests = _digest_tasks(
        records,
        records.claim_storms(
            lease=lease,
            lasting=LEASE,
            busy_channels=busy_channels,
            updates_allowed=updates_allowed,
            except_storms=except_storms,
        ),
    )
    posting = {task.thread.channel for task in digests if task.step is Step.POST}
    alerts = show_alert.take_tasks(
        records,
        lease=lease,
        busy_channels=[*busy_channels, *posting],
        updates_allowed=updates_allowed,
        except_alerts=except_alerts,
    )
    return [*digests, *alerts]


def watch_storms(records: Records, rule: StormRule | None) -> None:
    """Begin and end storms, and let the alerts that wait for a message join them."""
    running = {storm.channel: storm for storm in records.running_storms()}
    for storm in list(running.values()):
        if _is_over(records, rule, storm):
            records.end_storm(storm.id)
            del running[storm.channel]
    if rule is None:
        return
    for channel, waiting in records.unposted_since().items():
        triggered = records.newest_triggers(channel, most=rule.asks_for)
        if channel not in running and rule.begins(triggered, records.now, waiting=waiting):
            running[channel] = records.begin_storm(channel)
        if channel in running:
            storm = running[channel]
            severe = records.waiting_severe(channel, besides=storm.spared, most=storm.may_spare)
            records.take_in(replace(storm, spared=(*storm.spared, *severe)))


def _is_over(records: Records, rule: StormRule | None, storm: Storm) -> bool:
    """Not before its digest stands in Slack: while Slack is away, one storm takes everything that waits."""
    if rule is None:
        return True
    return storm.ts is not None and rule.ends(
        records.newest_triggers(storm.channel, most=rule.asks_for), records.now
    )


def _digest_tasks(records: Records, storms: list[Storm]) -> list[DigestTask]:
    tasks = []
    for storm in storms:
        digest = records.digest(storm.id)
        if digest is None:  # all its rows are damaged: `socmon evidence verify` says so
            records.save_storm(storm.unknown("nothing to show", retry_at=records.now + UNREADABLE_FOR))
        else:
            tasks.append(_task(records, storm, digest))
    return tasks


def _task(records: Records, storm: Storm, digest: Digest) -> DigestTask:
    if storm.ts is not None:
        news = records.storm_members(storm.id, Members.UNANNOUNCED)
        return DigestTask(step=Step.UPDATE, thread=storm, digest=digest, news=tuple(news))
    news = records.storm_members(storm.id)
    lost = storm.intent
    if lost is None:
        storm = storm.sending(storm.key, records.now)
        records.save_storm(storm, keep_lease=LEASE)
    return DigestTask(step=Step.POST, thread=storm, digest=digest, news=tuple(news), lost=lost)


def digest_shown(records: Records, storm: Storm, news: Collection[int]) -> bool:
    """The digest stands in Slack: log where each alert that it shows now is. False when another replica took over."""
    if not records.save_storm(storm):
        return False
    records.announce_members(storm.id, list(news))
    for alert_id in news:
        records.log(
            Entry(
                type="alert.announced",
                actor=Actor(kind="system"),
                subject={"alert": alert_id},
                facts={"channel": storm.channel, "ts": storm.ts or "", "storm": storm.id},
                private={},
                alert_id=alert_id,
            )
        )
    return True


def give_up(records: Records, storm: Storm, *, channel: str) -> bool:
    """Its channel takes no messages, so its alerts go to another one, where they are alerts like others."""
    return records.give_up_storm(storm, channel=channel)


def reroute_storms(records: Records, routes: SlackRoutes) -> int:
    """At the start: what waits for a channel that the configuration no longer names goes where it says now."""
    moved = 0
    for storm in records.stranded_storms():
        if storm.channel in routes.channels:
            continue
        for alert_id in records.storm_members(storm.id):
            with suppress(UnknownAlert, ValueError):
                alert = records.alert(alert_id)
                records.move_thread(alert_id, channel=routes.of(alert.provider, alert).channel)
                moved += 1
        records.clear_problem(show_alert.channel_problem(storm.channel))
        records.give_up_storm(storm, channel=routes.default.channel)
    return moved
