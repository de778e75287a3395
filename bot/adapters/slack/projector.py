"""Keeps Slack in step with the records: latest state wins, most severe first, one parent per alert, never lost.

Slack is a projection, not a queue: a thousand changes of an alert cost one update, a crash costs nothing, and while Slack
is away the threads simply lag. The budgets are Slack's: one post a second a channel, replies included, and fifty updates
a minute a workspace.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from prometheus_client import Counter

from bot.adapters.slack.blocks import Message, alert_message, thread_reply
from bot.adapters.slack.web import (
    CLOSED_CHANNEL,
    DEAD_TOKEN,
    NoAnswer,
    RateLimited,
    SlackSaysNo,
    SlackWeb,
)
from bot.domain.errors import SocmonError
from bot.domain.thread import Thread
from bot.ports import Clock, Randomness, RecordKeeper
from bot.procedures import show_alert
from bot.procedures.show_alert import Step, Task

log = logging.getLogger(__name__)

POLL_SECONDS = 2.0
LOOK_UP_AFTER = 3.0  # Slack's history may lag behind its posts by a moment
MENDING_SECONDS = 30.0  # how soon a closed channel or a dead token is tried again
LONGEST_BACKOFF = 60.0
MARGIN = timedelta(minutes=2)  # between our clock and Slack's, when looking for a message

SLACK_CALLS = Counter("socmon_slack_calls_total", "Calls to Slack by step and result", ["step", "result"])
POSSIBLE_DUPLICATES = Counter("socmon_slack_possible_duplicates_total", "Parents posted again without a look")


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How much Slack takes: messages a second a channel, updates a minute a workspace."""

    posts_per_second: float = 1.0
    updates_per_minute: int = 50


class Projector:
    """One per process. `titles` are the providers' names for people; `alarm` tells the operators about new trouble."""

    def __init__(
        self,
        *,
        records: RecordKeeper,
        web: SlackWeb,
        clock: Clock,
        randomness: Randomness,
        budget: Budget,
        titles: dict[str, str],
        alarm: Callable[[str, str], Awaitable[None]],
    ) -> None:
        self._records, self._web, self._clock, self._randomness = records, web, clock, randomness
        self._budget, self._titles, self._alarm = budget, titles, alarm
        self._lease = randomness.token(8).hex()
        self._woken = asyncio.Event()
        self._next_post: dict[str, float] = {}  # channel → monotonic time of its next post
        self._next_update = 0.0
        self._working: dict[int, asyncio.Task[None]] = {}
        self._known_problems: set[str] = set()
        self.heartbeat = clock.monotonic()

    def wake(self) -> None:
        """Something may lag. Cheap, and harmless when nothing does."""
        self._woken.set()

    async def run(self) -> None:
        """Work until cancelled; a message under way is finished first."""
        try:
            while True:
                self._woken.clear()
                try:
                    found = await self._cycle()
                except SocmonError as error:
                    log.warning("projector waits for the records: %s", error)
                    found = False
                self.heartbeat = self._clock.monotonic()
                if not found:
                    await self._pause()
        finally:
            if self._working:
                await asyncio.wait(self._working.values(), timeout=10)

    async def _cycle(self) -> bool:
        now = self._clock.monotonic()
        tasks = await self._records.write(
            show_alert.take_tasks,
            lease=self._lease,
            busy_channels=[channel for channel, at in self._next_post.items() if at > now],
            updates_allowed=self._next_update <= now,
            except_alerts=list(self._working),
        )
        for task in tasks:
            self._spend(task, now)
            work = asyncio.create_task(self._perform(task))
            self._working[task.alert.id] = work
            work.add_done_callback(lambda _, alert_id=task.alert.id: self._finished(alert_id))
        return bool(tasks)

    def _finished(self, alert_id: int) -> None:
        del self._working[alert_id]
        self._woken.set()

    def _spend(self, task: Task, now: float) -> None:
        """Budgets are spent before the call, so that a slow answer never lets two out at once."""
        if task.step is Step.UPDATE:
            self._next_update = max(self._next_update, now - 10) + 60 / self._budget.updates_per_minute
        else:
            self._next_post[task.thread.channel] = now + 1 / self._budget.posts_per_second

    async def _pause(self) -> None:
        """Until somebody wakes us, a budget allows the next message, or the safety net of the poll."""
        now = self._clock.monotonic()
        waits = [at - now for at in (*self._next_post.values(), self._next_update) if at > now]
        try:
            await asyncio.wait_for(self._woken.wait(), min([POLL_SECONDS, *waits]))
        except TimeoutError:
            return

    async def _perform(self, task: Task) -> None:
        """Send one message and store what came of it."""
        try:
            await self._send(task)
            SLACK_CALLS.labels(task.step, "ok").inc()
            await self._mended(task.thread.channel)
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
        except SocmonError as error:
            log.warning("A-%s: the records did not take the projector's progress: %s", task.alert.id, error)
        except Exception:
            log.exception(
                "A-%s: the projector failed; it will try again when the lease is over", task.alert.id
            )

    async def _send(self, task: Task) -> None:
        match task.step:
            case Step.POST:
                await self._post(task)
            case Step.UPDATE:
                await self._update(task)
            case Step.REPLY:
                await self._reply(task)

    async def _post(self, task: Task) -> None:
        thread = task.thread
        if task.lost is not None:
            thread, ts = await self._look(task, thread, key=task.lost, thread_ts=None)
            if ts is not None:
                await self._records.write(
                    show_alert.announced, thread.posted(ts, revision=0, moment=thread.shown)
                )
                return
            if not await self._records.write(show_alert.resend, thread):
                return
        message = self._parent(task, thread)
        ts = await self._web.post(thread.channel, message, key=show_alert.parent_key(task.alert.id))
        posted = thread.posted(ts, revision=thread.revision, moment=thread.shown)
        if thread.possible_duplicate:
            posted = replace(posted, projected=thread.revision - 1)  # the notice of it is still to be shown
        await self._records.write(show_alert.announced, posted)

    async def _update(self, task: Task) -> None:
        thread = task.thread
        message = self._parent(task, thread)
        await self._web.update(
            thread.channel, thread.ts or "", message, key=show_alert.parent_key(task.alert.id)
        )
        await self._store(thread.updated(thread.revision))

    async def _reply(self, task: Task) -> None:
        thread = task.thread
        if task.lost is not None:
            told = show_alert.moment_of(task.lost)
            thread, ts = await self._look(task, thread, key=task.lost, thread_ts=thread.ts)
            if ts is not None:
                await self._store(thread.told(told))
                return
            if not await self._records.write(show_alert.resend, thread):
                return
        message = thread_reply(task.alert, task.moments, provider_title=self._title(task))
        key = show_alert.reply_key(task.alert.id, thread.latest)
        await self._web.post(thread.channel, message, key=key, thread_ts=thread.ts)
        await self._store(thread.told(thread.latest))

    async def _look(
        self, task: Task, thread: Thread, *, key: str, thread_ts: str | None
    ) -> tuple[Thread, str | None]:
        """Find the message whose answer was lost. Without the history scope socmon posts again, and says so."""
        sent_at = thread.intent_at or self._clock.now()
        wait = LOOK_UP_AFTER - (self._clock.now() - sent_at).total_seconds()
        if wait > 0:
            await self._clock.sleep(wait)
        try:
            oldest = (sent_at - MARGIN).timestamp()
            return thread, await self._web.find(thread.channel, key=key, oldest=oldest, thread_ts=thread_ts)
        except SlackSaysNo as error:
            if error.error != "missing_scope":
                raise
        log.warning(
            "A-%s: no history scope, so a message may appear twice in %s", task.alert.id, thread.channel
        )
        if thread_ts is None:
            POSSIBLE_DUPLICATES.inc()
            thread = replace(thread, possible_duplicate=True)
        return thread, None

    def _parent(self, task: Task, thread: Thread) -> Message:
        notices = ["possible duplicate: an answer of Slack was lost"] if thread.possible_duplicate else []
        return alert_message(
            task.alert,
            now=self._clock.now(),
            provider_title=self._title(task),
            revision=thread.revision,
            notices=notices,
        )

    def _title(self, task: Task) -> str:
        return self._titles.get(task.alert.provider, task.alert.provider)

    def _later(self, task: Task) -> datetime:
        seconds = min(LONGEST_BACKOFF, 1.0 * 2 ** min(task.thread.attempts, 6))
        return self._clock.now() + timedelta(seconds=seconds)

    async def _limited(self, task: Task, seconds: float) -> None:
        until = self._clock.monotonic() + seconds
        if task.step is Step.UPDATE:
            self._next_update = max(self._next_update, until)
        else:
            self._next_post[task.thread.channel] = until
        retry_at = self._clock.now() + timedelta(seconds=seconds)
        # Being asked to wait is not an attempt that failed.
        thread = replace(task.thread.refused("", retry_at=retry_at), attempts=task.thread.attempts)
        await self._store(thread)

    async def _denied(self, task: Task, error: SlackSaysNo) -> None:
        """Slack refused: make it visible and try again later; alerts wait in the records meanwhile."""
        thread = task.thread
        retry_at = self._clock.now() + timedelta(seconds=MENDING_SECONDS)
        if error.error in DEAD_TOKEN:
            text = f"Slack refuses our token ({error.error}). Alerts are recorded, but nobody sees them in Slack. Mend: reinstall the app and set SLACK_BOT_TOKEN, then restart; `socmon doctor` checks it."
            await self._trouble("slack:token", text)
        elif error.error in CLOSED_CHANNEL:
            text = f"Alerts can't be posted to <#{thread.channel}> ({error.error}). Mend: unarchive the channel or invite the app there (/invite @socmon), or name another one under [slack] in the configuration."
            await self._trouble(f"slack:channel:{thread.channel}", text)
        elif error.error == "message_not_found" and task.step is not Step.POST:
            log.warning("A-%s: its parent was deleted in Slack; posting it anew", task.alert.id)
            thread = replace(thread, ts=None, projected=0)
            retry_at = self._clock.now()
        else:
            text = f"Slack refused a message about A-{task.alert.id}: {error}. This is a fault of socmon; please report it."
            await self._trouble(f"slack:message:{error.error}", text)
        await self._store(thread.refused(str(error), retry_at=retry_at))

    async def _trouble(self, subject: str, text: str) -> None:
        self._known_problems.add(subject)
        if await self._records.write(show_alert.report_problem, subject, text):
            log.error("%s: %s", subject, text)
            await self._alarm(subject, text)

    async def _mended(self, channel: str) -> None:
        """A message went through: what stood in its way is gone. One write per mended problem, none otherwise."""
        for subject in ("slack:token", f"slack:channel:{channel}"):
            if subject in self._known_problems:
                self._known_problems.discard(subject)
                await self._records.write(show_alert.clear_problem, subject)

    async def _store(self, thread: Thread) -> None:
        await self._records.write(show_alert.progressed, thread)
