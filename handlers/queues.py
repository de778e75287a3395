"""What lies in a tool's queue goes the same way as what comes over HTTP, and leaves the queue once it is on record.

A message that cannot be believed or read is shown once, as an intake gap, and stays: the queue's own redrive policy
moves it to the dead letters. While the records or something else that all messages need is away, socmon holds what it
has and asks for no more, so that no alarm uses up its receives.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from threading import Thread
from typing import TypeVar

from bot.domain.delivery import UNPROVEN, Delivery
from bot.domain.errors import Refused, SocmonError, TryAgain, Unavailable
from bot.providers.contract import Queue, Queued, Request
from handlers.webhooks import DELIVERIES, INTAKE_SECONDS, Intake, read_delivery

log = logging.getLogger(__name__)
T = TypeVar("T")

PATIENCE = 3
LONGEST_PAUSE = 60.0


@dataclass(slots=True, kw_only=True)
class QueueIntake:
    """Takes one queue's messages. `stopping` is asked before each look; `report` and `mended` tell the operators."""

    provider: str
    queue: Queue
    intake: Intake
    stopping: Callable[[], bool]
    report: Callable[[str, str], Awaitable[None]]
    mended: Callable[[str], Awaitable[None]]
    held: list[Queued] = field(default_factory=list)
    """Received, and waiting for what all messages need."""
    failures: int = 0
    is_well: bool = False

    async def run(self) -> None:
        """Until socmon stops."""
        while not self.stopping():
            try:
                await self._take_some()
            except SocmonError as error:
                await self._failed(str(error))
            except Exception as error:
                log.exception("%s: socmon failed", self.queue.name)
                await self._failed(
                    f"socmon failed with {self.queue.name} ({type(error).__name__}): its log says more. It tries again."
                )
            else:
                await self._worked()

    async def _take_some(self) -> None:
        """Look at some messages at once, so that they share a commit; those that have to wait are held."""
        messages = self.held or await _in_thread(self.queue.receive)
        outcomes = await asyncio.gather(*map(self._take, messages), return_exceptions=True)
        found = list(zip(messages, outcomes, strict=True))
        self.held = [message for message, outcome in found if isinstance(outcome, TryAgain | Unavailable)]
        if self.held:
            DELIVERIES.labels(self.provider, "unavailable").inc(len(self.held))
        if taken := [message for message, outcome in found if outcome is True]:
            await _in_thread(partial(self.queue.remove, taken))
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome

    async def _take(self, message: Queued) -> bool:
        """Put it on record; whether it may leave the queue. Raises TryAgain and Unavailable: nothing was stored."""
        clock = self.intake.clock
        started = clock.monotonic()
        request = Request(headers={}, body=message.body, received_at=clock.now())
        delivery = await self._checked(message, request)
        _, kept = await self.intake.record(delivery)
        INTAKE_SECONDS.labels(self.provider).observe(clock.monotonic() - started)
        return not kept.unreadable

    async def _checked(self, message: Queued, request: Request) -> Delivery:
        webhook = self.queue.webhook
        verified_by, gap = UNPROVEN, ""
        try:
            verified_by = await webhook.authenticate(request)
            await webhook.follow_up(request)
        except Refused as refused:
            gap = f"A message in {self.queue.name} was not believed. {refused}"
        except TryAgain as error:
            if verified_by == UNPROVEN:
                raise
            gap = str(error)  # what one message asks for must not keep the others waiting
        except Exception as error:
            log.exception("%s: a message could not be checked", self.queue.name)
            gap = f"socmon failed while it checked this ({type(error).__name__}); please report this"
        if not gap:
            delivery = read_delivery(self.provider, webhook, request, verified_by)
            if not delivery.unreadable:
                return delivery
            gap = delivery.gap
        log.warning("%s: a message stays in the queue: %s", self.queue.name, gap)
        # By the queue's name for it: it comes again, and its own name may be forged, or count once it can be read.
        return Delivery(
            provider=self.provider,
            delivery_id=f"{self.queue.name}/{message.id}",
            received_at=request.received_at,
            verified_by=verified_by,
            body=message.body,
            gap=gap,
            unreadable=True,
        )

    async def _failed(self, why: str) -> None:
        """One hiccup is nobody's business; what lasts is a problem on record."""
        self.failures += 1
        log.warning("%s: %s", self.queue.name, why)
        if self.failures >= PATIENCE:
            self.is_well = False
            await self.report(self.queue.name, why)
        await self.intake.clock.sleep(min(2.0 ** min(self.failures - 1, 10), LONGEST_PAUSE))

    async def _worked(self) -> None:
        self.failures = 0
        if not self.is_well:  # at the start too: an earlier process may have left the problem
            self.is_well = True
            await self.mended(self.queue.name)


async def _in_thread(work: Callable[[], T]) -> T:
    """Like asyncio.to_thread, but no thread that the end of the process has to wait for: SQS may answer late."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()

    def run() -> None:
        settle: Callable[[], None]
        try:
            settle = partial(answer.set_result, work())
        except BaseException as error:  # noqa: BLE001 - raised where it is waited for
            settle = partial(answer.set_exception, error)
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(lambda: None if answer.done() else settle())

    Thread(target=run, name="queue", daemon=True).start()
    return await answer
