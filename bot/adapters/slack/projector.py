"""Keeps Slack in step with the records: latest state wins, most severe first, one parent per alert, never lost.

A parent is the alert's own message, or the digest of the storm that it is part of.

Slack is a projection, not a queue: a thousand changes of an alert cost one update, a crash costs nothing, and while
Slack is away the threads simply lag. The budgets are Slack's: one post a second a channel, replies included, and fifty
updates a minute a workspace.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from prometheus_client import Counter

from bot.adapters.slack.blocks import (
    NEVER,
    Message,
    alert_message,
    asks_for_note,
    calling_nobody_of,
    thread_reply,
)
from bot.adapters.slack.digest import digest_message
from bot.adapters.slack.web import (
    CLOSED_CHANNEL,
    DEAD_TOKEN,
    GONE,
    NoAnswer,
    RateLimited,
    SlackSaysNo,
    SlackWeb,
)
from bot.domain.alert import NoAction
from bot.domain.errors import SocmonError
from bot.domain.storm import StormRule
from bot.domain.thread import Moment, Place
from bot.ports import Clock, Randomness, RecordKeeper
from bot.procedures import show_alert, show_storm
from bot.procedures.show_alert import Step, Task
from bot.procedures.show_storm import DigestTask

log = logging.getLogger(__name__)

Due = Task | DigestTask
"""One message that has to be sent."""

POLL_SECONDS = 2.0
LOOK_UP_AFTER = 3.0  # Slack's history may lag behind its posts by a moment
STALE_SECONDS = 3.0  # a message that took so long to make is not sent before its lease is renewed
MENDING_SECONDS = 10.0  # how soon a closed channel or a dead token is tried again
LONGEST_BACKOFF = 60.0
LONGEST_REFUSAL = 3600.0  # a message that Slack refuses again and again must not take the place of others
MOST_UPDATES = 5  # refused ones, of one and the same state
SHORTEST_RETRY_AFTER = 1.0
BURST_SECONDS = 10.0
RECALL_SECONDS = 60.0
FAULT = "fault"
MARGIN = timedelta(hours=1)  # between our clock and Slack's, when looking for a message

SLACK_CALLS = Counter("socmon_slack_calls_total", "Calls to Slack by step and result", ["step", "result"])
POSSIBLE_DUPLICATES = Counter("socmon_slack_possible_duplicates_total", "Parents posted again without a look")


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How much Slack takes: messages a second a channel, updates a minute a workspace."""

    posts_per_second: float = 1.0
    updates_per_minute: int = 50


class Projector:
    """One per process.

    `titles` are the providers' names for people, `fallback` is the channel for alerts whose own one is closed, `names`
    tells what people are called, `report` makes trouble known. `storms` says when many alerts become one message;
    without it they never do. `no_action` is the policy for alerts that were over by themselves.
    """

    def __init__(
        self,
        *,
        records: RecordKeeper,
        web: SlackWeb,
        clock: Clock,
        randomness: Randomness,
        budget: Budget,
        titles: Mapping[str, str],
        fallback: str,
        names: Callable[[Collection[str]], Awaitable[Mapping[str, str]]],
        report: Callable[[str, str], Awaitable[None]],
        storms: StormRule | None,
        no_action: NoAction = NEVER,
    ) -> None:
        self._records, self._web, self._clock, self._randomness = records, web, clock, randomness
        self._no_action = no_action
        self._budget, self._titles, self._fallback = budget, titles, fallback
        self._names, self._report, self._storms = names, report, storms
        self._lease = randomness.token(8).hex()
        self._woken = asyncio.Event()
        self._next_post: dict[str, float] = {}  # channel → monotonic time of its next post
        self._next_update = 0.0
        self._looked_at = 0.0
        self._working: dict[str, asyncio.Task[None]] = {}
        self._known_problems: set[str] = set()
        self._next_recall = clock.monotonic()
        self.heartbeat = clock.monotonic()

    def wake(self) -> None:
        """Something may lag. Cheap, and harmless when nothing does."""
        self._woken.set()

    async def run(self) -> None:
        """Work until cancelled; a message under way is finished first."""
        try:
            while True:
                self._woken.clear()
                found = False
                try:
                    found = await self._cycle()
                except SocmonError as error:
                    log.warning("projector waits for the records: %s", error)
                except Exception:
                    log.exception("the projector failed; it goes on")
                self.heartbeat = self._clock.monotonic()
                if not found:
                    await self._pause()
        finally:
            if self._working:
                await asyncio.wait(self._working.values(), timeout=3)

    async def _cycle(self) -> bool:
        now = self._looked_at = self._clock.monotonic()
        await self._recall_problems(now)
        tasks = await self._records.write(
            show_storm.take_tasks,
            lease=self._lease,
            busy_channels=[channel for channel, at in self._next_post.items() if at > now],
            updates_allowed=self._next_update <= now,
            except_alerts=self._under_way("A-"),
            except_storms=self._under_way("S-"),
            storms=self._storms,
        )
        for task in tasks:
            self._spend(task, now)
            work = asyncio.create_task(self._perform(task))
            self._working[task.thread.key] = work
            work.add_done_callback(partial(self._finished, task.thread.key))
        return bool(tasks)

    def _under_way(self, kind: str) -> list[int]:
        return [int(key.removeprefix(kind)) for key in self._working if key.startswith(kind)]

    def _finished(self, key: str, _: asyncio.Task[None]) -> None:
        del self._working[key]
        self._woken.set()

    def _spend(self, task: Due, now: float) -> None:
        """Budgets are spent before the call, so that a slow answer never lets two out at once."""
        if task.step is Step.UPDATE:
            # A burst is as long as BURST_SECONDS would give, and within any minute the sum is the budget.
            each = (60 + BURST_SECONDS) / self._budget.updates_per_minute
            self._next_update = max(self._next_update, now - BURST_SECONDS) + each
        else:
            self._next_post[task.thread.channel] = now + 1 / self._budget.posts_per_second

    async def _pause(self) -> None:
        """Until somebody wakes us, a budget allows the next message, or the safety net of the poll."""
        now = self._clock.monotonic()
        # Since the last look, not since now: a budget that came free in between must not be slept over.
        waits = [at - now for at in (*self._next_post.values(), self._next_update) if at > self._looked_at]
        try:
            await asyncio.wait_for(self._woken.wait(), max(0.0, min([POLL_SECONDS, *waits])))
        except TimeoutError:
            return

    async def _perform(self, task: Due) -> None:
        """Send one message and store what came of it."""
        try:
            await self._attempt(task)
        except SocmonError as error:
            log.warning("%s: the records did not take the projector's progress: %s", task.thread.key, error)
        except Exception as error:
            log.exception("%s: the projector failed; it will try again", task.thread.key)
            await self._failed(task, error)

    async def _failed(self, task: Due, error: Exception) -> None:
        """A fault of ours must not keep an alert from people without a word."""
        fault = f"{FAULT} {type(error).__name__}"
        text = (
            f"{task.thread.key} cannot be shown in Slack ({fault}). It is recorded, and {_where(task)} shows it. This"
            " is a fault of socmon; please report it with the lines of its log."
        )
        try:
            await self._store(task.thread.unknown(fault, retry_at=self._later(task)))
            self._known_problems.add(f"slack:message:{FAULT}")
            await self._report(f"slack:message:{FAULT}", text)
        except SocmonError as unavailable:
            log.warning("%s: nor did the records take that: %s", task.thread.key, unavailable)

    async def _attempt(self, task: Due) -> None:
        try:
            if task.lost is not None:
                task, ts = await self._look(task)
                if ts is not None:
                    await self._adopt(task, ts)
                    return
                if not await self._renew(task):
                    return
                task = replace(task, lost=None)  # from here on a refusal means that nothing is under way
            await self._send(task)
            SLACK_CALLS.labels(task.step, "ok").inc()
            await self._mended(task)
        except RateLimited as error:
            SLACK_CALLS.labels(task.step, "429").inc()
            await self._limited(task, error.seconds)
        except SlackSaysNo as error:
            SLACK_CALLS.labels(task.step, error.error).inc()
            await self._denied(task, error)
        except NoAnswer as error:
            SLACK_CALLS.labels(task.step, "no answer").inc()
            await self._store(
                task.thread.unknown(f"Slack did not answer ({error})", retry_at=self._later(task))
            )

    async def _send(self, task: Due) -> None:
        thread = task.thread
        match task:
            case DigestTask():
                ts = await self._show(task, self._digest(task))
                now = self._clock.now()
                shown = (
                    task.thread.refreshed(thread.revision, now=now)
                    if thread.ts
                    else task.thread.posted(ts, revision=thread.revision, now=now)
                )
                await self._records.write(show_storm.digest_shown, shown, task.news)
            case Task(step=Step.REPLY):
                await self._reply(task)
            case Task(step=Step.POST):
                await self._post(task)
            case Task():
                await self._show(task, self._parent(task, task.thread))
                await self._store(thread.updated(thread.revision))

    async def _show(self, task: Due, message: Message) -> str:
        """Post the parent, or update it; returns its ts."""
        thread = task.thread
        if thread.ts is None:
            return await self._web.post(thread.channel, message, key=thread.key)
        await self._web.update(thread.channel, thread.ts, message, key=thread.key)
        return thread.ts

    async def _post(self, task: Task) -> None:
        names = await self._called(task, task.acted)
        if names is None:
            return
        ts = await self._show(task, calling_nobody_of(names, self._parent(task, task.thread)))
        posted = task.thread.posted(ts, revision=task.thread.revision, moment=task.thread.shown)
        await self._records.write(show_alert.announced, posted)

    async def _called(self, task: Task, people: Collection[str]) -> Mapping[str, str] | None:
        """What they are called. None when that took so long that another replica has taken over."""
        started = self._clock.monotonic()
        names = await self._names(people)
        if self._clock.monotonic() - started > STALE_SECONDS and not await self._renew(task):
            return None
        return names

    async def _reply(self, task: Task) -> None:
        thread = task.thread
        names = await self._called(task, _named_in(task.moments))
        if names is None:
            return
        message = thread_reply(
            task.alert,
            task.moments,
            provider_title=self._title(task),
            names=names,
            mention=not thread.asked,
            no_action=self._no_action,
        )
        key = show_alert.reply_key(task.alert.id, thread.latest)
        await self._web.post(thread.channel, message, key=key, thread_ts=thread.ts)
        await self._store(thread.told(thread.latest, asked=asks_for_note(task.alert, task.moments)))

    async def _renew(self, task: Due) -> bool:
        """Before a message goes out later than its lease was meant for. False when another replica has taken over."""
        return await self._records.write(show_alert.resend, task.thread)

    async def _look(self, task: Due) -> tuple[Due, str | None]:
        """Find the message whose answer was lost. Without the history scope socmon posts again, and says so."""
        thread, key = task.thread, task.lost or ""
        sent_at = thread.intent_at or self._clock.now()
        wait = LOOK_UP_AFTER - (self._clock.now() - sent_at).total_seconds()
        if wait > 0:
            await self._clock.sleep(wait)
        try:
            oldest = (sent_at - MARGIN).timestamp()
            return task, await self._web.find(thread.channel, key=key, oldest=oldest, thread_ts=thread.ts)
        except SlackSaysNo as error:
            if error.error != "missing_scope":
                raise
        log.warning("%s: no history scope, so a message may appear twice in %s", thread.key, thread.channel)
        if task.step is Step.POST:
            POSSIBLE_DUPLICATES.inc()
            task = task.perhaps_twice()
        return task, None

    async def _adopt(self, task: Due, ts: str) -> None:
        """The message stands in Slack: go on from there. What it shows may be out of date."""
        match task:
            case DigestTask():
                await self._store(task.thread.posted(ts, revision=0, now=self._clock.now()))
            case Task(step=Step.POST):
                posted = task.thread.posted(ts, revision=0, moment=task.thread.shown)
                await self._records.write(show_alert.announced, posted)
            case Task():
                told = show_alert.moment_of(task.lost or "")
                asked = asks_for_note(task.alert, [moment for moment in task.moments if moment.id <= told])
                await self._store(task.thread.told(told, asked=asked))
        await self._mended(task)

    def _parent(self, task: Task, thread: Place) -> Message:
        return alert_message(
            task.alert,
            now=self._clock.now(),
            provider_title=self._title(task),
            revision=thread.revision,
            notices=_notices(thread),
            no_action=self._no_action,
            tool=task.tool,
        )

    def _digest(self, task: DigestTask) -> Message:
        rule = self._storms
        return digest_message(task.thread, task.digest, rule=rule, notices=_notices(task.thread))

    def _title(self, task: Task) -> str:
        return self._titles.get(task.alert.provider, task.alert.provider)

    def _later(self, task: Due) -> datetime:
        seconds = min(LONGEST_BACKOFF, 1.0 * 2 ** min(task.thread.attempts, 6))
        return self._clock.now() + timedelta(seconds=seconds)

    async def _limited(self, task: Due, seconds: float) -> None:
        seconds = max(seconds, SHORTEST_RETRY_AFTER)
        until, channel = self._clock.monotonic() + seconds, task.thread.channel
        if task.step is Step.UPDATE:
            self._next_update = max(self._next_update, until)
        elif task.lost is None:
            self._next_post[channel] = max(self._next_post.get(channel, until), until)
        retry_at = self._clock.now() + timedelta(seconds=seconds)
        # Being asked to wait is not an attempt that failed.
        waiting = task.refused(task.thread.problem, retry_at=retry_at)
        await self._store(replace(waiting, attempts=task.thread.attempts))

    async def _denied(self, task: Due, error: SlackSaysNo) -> None:
        """Slack refused: make it visible and try again later; alerts wait in the records meanwhile."""
        thread, subject, text = task.thread, "", ""
        after: Place | None = None
        now = self._clock.now()
        retry_at = now + timedelta(seconds=MENDING_SECONDS)
        if error.error in DEAD_TOKEN:
            subject = "slack:token"
            text = (
                f"Slack refuses our token ({error.error}). Alerts are recorded, but nobody sees them in Slack. Mend:"
                " reinstall the app and set SLACK_BOT_TOKEN, then restart; `socmon doctor` checks it."
            )
        elif error.error in CLOSED_CHANNEL:
            subject = show_alert.channel_problem(thread.channel)
            text = (
                f"Alerts can't be posted to <#{thread.channel}> ({error.error}). Mend: unarchive the channel or invite"
                " the app there (/invite @socmon), or name another one under [slack] in the configuration and restart."
            )
            if thread.ts is None and thread.channel != self._fallback:
                text += f" Until then its alerts go to <#{self._fallback}>."
                if isinstance(task, DigestTask):  # the other channel may have a storm of its own
                    await self._records.write(show_storm.give_up, task.thread, channel=self._fallback)
                after = replace(thread, channel=self._fallback).refused(str(error), retry_at=now)
        elif error.error in GONE and task.step is not Step.POST:
            log.warning("%s: its parent is out of reach (%s); posting it anew", thread.key, error.error)
            gone = replace(thread, ts=None, projected=0)
            after = task.refused(str(error), retry_at=now, thread=gone)
        else:
            seconds = min(LONGEST_REFUSAL, MENDING_SECONDS * 2 ** min(thread.attempts, 9))
            retry_at = now + timedelta(seconds=seconds)
            subject = f"slack:message:{error.error}"
            text = (
                f"Slack refused a message about {thread.key}: {error}. This is a fault of socmon; please report"
                " it."
            )
        if task.step is Step.UPDATE and thread.attempts >= MOST_UPDATES:
            # It shows an old state until the next change; the thread goes on telling what happens.
            after = replace(thread.updated(thread.revision), problem=str(error))
        await self._store(after or task.refused(str(error), retry_at=retry_at))
        if subject:
            self._known_problems.add(subject)
            await self._report(subject, text)

    async def _recall_problems(self, now: float) -> None:
        """What an earlier process or another replica noted can be mended here as well."""
        if now >= self._next_recall:
            self._known_problems = set(await self._records.read(show_alert.known_problems))
            self._next_recall = now + RECALL_SECONDS

    async def _mended(self, task: Due) -> None:
        """A message went through: what stood in its way is gone. One write per mended problem, none otherwise."""
        refusal = task.thread.problem.partition(" ")[0]
        for subject in (
            "slack:token",
            show_alert.channel_problem(task.thread.channel),
            f"slack:message:{refusal}",
            show_alert.unreadable_problem(task.thread.key),
        ):
            if subject in self._known_problems:
                await self._records.write(show_alert.clear_problem, subject)
                self._known_problems.discard(subject)

    async def _store(self, thread: Place) -> None:
        await self._records.write(show_alert.progressed, thread)


def _named_in(moments: Collection[Moment]) -> set[str]:
    """Whose names the moments' words need."""
    others = {moment.facts.get(fact) for moment in moments for fact in ("to", "from")}
    return {moment.by for moment in moments} | {user for user in others if isinstance(user, str)}


def _notices(thread: Place) -> list[str]:
    return ["possible duplicate: an answer of Slack was lost"] if thread.possible_duplicate else []


def _where(task: Due) -> str:
    """What shows it while Slack cannot."""
    return "`socmon log open`" if isinstance(task, DigestTask) else f"`socmon log {task.thread.key}`"
