"""A tool is owed word of what a person did: it is told in their name, again and again until it has it or refuses.

Every five seconds, and at once after an act.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

from prometheus_client import Counter

from bot.adapters.slack.web import NoAnswer, RateLimited, SlackSaysNo
from bot.domain.errors import SocmonError, ToolRefused, ToolSilent
from bot.domain.tool import Account, Author, ToolAct, VendorWrite, WriteState, signed
from bot.procedures import sync_with_tools
from bot.procedures.show_alert import known_problems
from bot.providers.contract import Teller

log = logging.getLogger(__name__)

AT_ONCE = 4  # a tool's limits are for the whole account
MOST_ROUNDS = 25
TROUBLE_AFTER = 2  # tries without an answer
POSTPONED = timedelta(seconds=30)

WRITES = Counter("socmon_vendor_writes_total", "Words to tools by outcome", ["provider", "action", "result"])

# What a tool that is told in another name is told besides.
_DID = {
    ToolAct.ACKNOWLEDGE: "acknowledged this.",
    ToolAct.SNOOZE: "snoozed this.",
    ToolAct.ESCALATE: "escalated this.",
    ToolAct.REASSIGN: "gave this to {whom}.",
}


async def send_vendor_writes(parts: Any) -> str:
    """Send what is due, of each alert one after the other. A tool that does not answer is not asked again at once."""
    if not parts.tellers:
        return "no tool is told"
    sender = _Sender(parts)
    lease = parts.randomness.token(8).hex()
    for _ in range(MOST_ROUNDS):
        writes = await parts.records.write(sync_with_tools.take_writes, lease=lease)
        if not writes:
            break
        await asyncio.gather(*map(sender.send, writes))
    await sender.tell_operators()
    if sender.sent or sender.lost:
        parts.projector.wake()
    return f"{sender.sent} sent, {sender.lost} not"


def trouble_with(provider: str) -> str:
    """The subject of "this tool does not answer"."""
    return f"tool:{provider}"


def refusal_of(provider: str) -> str:
    """The subject of "this tool did not take what somebody did"."""
    return f"tool:{provider}:refused"


class _Sender:
    """One run. `silent` are the tools that did not answer in it, and why."""

    def __init__(self, parts: Any) -> None:
        self._parts = parts
        self._few = asyncio.Semaphore(AT_ONCE)
        self.silent: dict[str, str] = {}
        self.troubles: dict[str, str] = {}  # subject → text
        self.well: set[str] = set()
        self.sent = self.lost = 0

    async def send(self, write: VendorWrite) -> None:
        async with self._few:
            try:
                result = await self._send(write)
            except SocmonError as error:
                log.warning(
                    "A-%s: the records did not take what became of a write: %s", write.alert_id, error
                )
                return
        WRITES.labels(write.provider, write.action, result).inc()

    async def _send(self, write: VendorWrite) -> str:
        teller: Teller | None = self._parts.tellers.get(write.provider)
        title = self._parts.titles.get(write.provider, write.provider)
        if teller is None:
            return await self._refused(write, f"{title} is not connected any more.")
        if why := self.silent.get(write.provider):
            until = self._parts.clock.now() + POSTPONED
            await self._write(sync_with_tools.not_sent, write.postponed(until, why))
            return "postponed"
        try:
            return await self._try(teller, write)
        except ToolRefused as error:
            return await self._refused(write, str(error))
        except ToolSilent as error:
            return await self._unanswered(write, title, str(error))
        except SocmonError:
            raise
        except Exception as error:
            log.exception("A-%s: socmon failed while it told %s", write.alert_id, title)
            return await self._unanswered(write, title, f"fault {type(error).__name__}; please report it")

    async def _try(self, teller: Teller, write: VendorWrite) -> str:
        author = await self._author(write.provider, write.person)
        account = await asyncio.to_thread(teller.recognise, author)
        write = write.sending(account.id, self._parts.clock.now())
        if not await self._write(sync_with_tools.about_to_send, write):
            return "echoed"
        did = await self._tell(teller, write, author, account)
        await self._write(sync_with_tools.sent, write.done(self._parts.clock.now(), did))
        self.well.add(write.provider)
        self.sent += 1
        return "sent"

    async def _tell(self, teller: Teller, write: VendorWrite, author: Author, account: Account) -> str:
        whom = await self._author(write.provider, write.text) if write.action is ToolAct.REASSIGN else None
        words = _DID.get(write.action, "{text}").format(whom=whom.name if whom else "", text=write.text)
        note = signed(words, name=author.name, alert_id=write.alert_id, link=await self._link(write.alert_id))
        now = self._parts.clock.now()
        return await asyncio.to_thread(teller.tell, write, account=account, note=note, whom=whom, at=now)

    async def _refused(self, write: VendorWrite, why: str) -> str:
        self.lost += 1
        self.troubles[refusal_of(write.provider)] = (
            f"{self._parts.titles.get(write.provider, write.provider)} refused what <@{write.person}> did to"
            f" A-{write.alert_id} ({write.action}): {why} It is recorded here. Do it there by hand, and mend the cause."
        )
        await self._write(sync_with_tools.not_sent, write.refused(why, self._parts.clock.now()))
        return "refused"

    async def _unanswered(self, write: VendorWrite, title: str, why: str) -> str:
        self.lost += 1
        self.silent[write.provider] = why
        write = write.unanswered(why, self._parts.clock.now())
        if write.attempts >= TROUBLE_AFTER:
            self.troubles[trouble_with(write.provider)] = (
                f"{title} does not take what people do in Slack: {why}. It is recorded here, and told to {title} for an"
                " hour and again once it answers. Mend: look at its status page, its API key and the way there."
            )
        await self._write(sync_with_tools.not_sent, write)
        return "failed" if write.state is WriteState.FAILED else "unanswered"

    async def tell_operators(self) -> None:
        for subject, text in self.troubles.items():
            await self._parts.operators.report(subject, text)
        mended = {subject(provider) for provider in self.well for subject in (trouble_with, refusal_of)}
        if mended := mended - self.troubles.keys():
            for subject in mended & set(await self._parts.records.read(known_problems)):
                await self._parts.operators.mended(subject)

    async def _author(self, provider: str, user: str) -> Author:
        """A person in Slack, or one of the tool's own, who is known there by their account."""
        directory = self._parts.directory
        if not user.startswith(("U", "W")):
            return Author(user=user, name=user, account=user)
        names, email, account = await asyncio.gather(
            directory.names([user]),
            directory.email(user),
            self._parts.records.read(sync_with_tools.account_of, provider, user),
        )
        return Author(user=user, name=names.get(user, user), email=email, account=account or "")

    async def _link(self, alert_id: int) -> str:
        """Where it was done; "" while Slack does not say."""
        channel, ts = await self._parts.records.read(sync_with_tools.where, alert_id)
        if ts:
            with suppress(SlackSaysNo, RateLimited, NoAnswer):
                link: str = await self._parts.web.permalink(channel, ts)
                return link
        return ""

    def _write(self, procedure: Callable[..., Any], write: VendorWrite) -> Awaitable[Any]:
        written: Awaitable[Any] = self._parts.records.write(procedure, write)
        return written
