"""Test alerts are driven on: consent, sending, looking where they are, telling people, the verdict, cleaning up.

Every few seconds. A test is leased while somebody works on it, so a crash costs two minutes and no test: what was sent
before it is cleaned up by whoever comes next.
"""

import asyncio
import logging
from typing import Any

from bot.adapters.slack import test_alert_message as told
from bot.adapters.slack.blocks import Message as SlackMessage
from bot.adapters.slack.web import NoAnswer, RateLimited, SlackSaysNo
from bot.adapters.threads import in_thread
from bot.domain.errors import SocmonError, ToolRefused, ToolSilent
from bot.domain.test_alert import WITNESSED, Cause, Hop, Message, TestAlert
from bot.procedures import test_alerting

log = logging.getLogger(__name__)

SLACKS_MENDS = {
    "is_archived": "Unarchive the channel, or send these alerts to another one under [slack].",
    "channel_not_found": "Correct the channel under [slack], or invite socmon to it.",
    "not_in_channel": "Invite socmon to the channel.",
    "user_disabled": "Their Slack account is deactivated: put somebody else on call.",
    "cannot_dm_bot": "A bot stands on call: put a person there.",
}


async def follow_test_alerts(parts: Any) -> str:
    tests: list[TestAlert] = await parts.records.read(test_alerting.unfinished)
    now = parts.clock.now()
    await asyncio.gather(*(_follow(parts, test.id) for test in tests if not test.rests(now)))
    return f"{len(tests)} tests under way"


async def _follow(parts: Any, test_id: int) -> None:
    test: TestAlert | None = await parts.records.write(test_alerting.take, test_id)
    if test is None:
        return
    try:
        if not test.person and not test.trying_at:
            await parts.records.write(test_alerting.name_person, test_id, reach=await parts.reach())
        await _drive(parts, test_id)
    except SocmonError as error:
        log.warning("test T-%s waits: %s", test_id, error)
    except Exception:
        log.exception("test T-%s could not be driven on; it is tried again", test_id)
    finally:
        await parts.records.write(test_alerting.let_go, test_id)


async def _drive(parts: Any, test_id: int) -> None:
    await _ask_for_consent(parts, await _now(parts, test_id))
    if trying := await parts.records.write(test_alerting.next_try, test_id):
        await _send(parts, trying)
    await _look(parts, await _now(parts, test_id))
    await _show(parts, await _now(parts, test_id))
    await _tell(parts, await _now(parts, test_id))
    test = await _settle(parts, await _now(parts, test_id))
    if test.has_to_be_cleaned_up:
        await _clean_up(parts, test)
    test = await _now(parts, test_id)
    if test.dirty:
        await _show(parts, test)


async def _now(parts: Any, test_id: int) -> TestAlert:
    test: TestAlert = await parts.records.read(test_alerting.known, test_id)
    return test


async def _send(parts: Any, test: TestAlert) -> None:
    try:
        what = await in_thread(_sender(parts, test).send, test, parts.clock.now())
    except (ToolRefused, ToolSilent) as error:
        says, mend = _split(str(error))
        await _fail(parts, test, Hop.SENT, Cause(says=says, mend=mend))
        return
    await parts.records.write(test_alerting.sent, test.id, what)


def _sender(parts: Any, test: TestAlert) -> Any:
    """Raises ToolRefused where the tool is not connected any more."""
    if sender := parts.test_senders.get(test.provider):
        return sender
    raise ToolRefused(f"{test.provider} is not connected any more. Add [providers.{test.provider}] again.")


async def _fail(parts: Any, test: TestAlert, hop: Hop, cause: Cause) -> None:
    await _make_known(parts, await parts.records.write(test_alerting.failed, test.id, hop, cause))


async def _look(parts: Any, test: TestAlert) -> None:
    """Only a tool that pages people can say what came of it there."""
    if test.is_over or test.sent_at is None or not WITNESSED & set(test.missing):
        return
    for name, witness in parts.witnesses.items():
        pulled = await in_thread(witness.look, test, parts.clock.now())
        if pulled.items:
            await parts.records.write(test_alerting.witnessed, test.id, pulled.items)
        if not pulled.complete:
            log.warning("%s does not say how far %s came: %s", name, test.name, pulled.reason)


async def _settle(parts: Any, test: TestAlert) -> TestAlert:
    hop, cause = test.overdue_hop(parts.clock.now()), None
    if hop:
        cause = await parts.records.read(test_alerting.cause_here, test, hop) or await _explain(
            parts, test, hop
        )
    settled: TestAlert = await parts.records.write(test_alerting.settle, test.id, cause)
    if settled.is_over and not test.is_over:
        await _make_known(parts, settled)
    return settled


async def _explain(parts: Any, test: TestAlert, hop: Hop) -> Cause | None:
    """The tool in which it began knows best, then those it went on to."""
    asked = [parts.test_senders.get(test.provider), *parts.witnesses.values()]
    for one in filter(None, asked):
        try:
            cause: Cause | None = await in_thread(one.explain, test, hop, parts.clock.now())
        except ToolSilent as error:
            cause = Cause(
                says=f"{test_alerting.likely(hop).says} Why, nobody could be asked: {error}",
                mend="`socmon doctor` tests the connections.",
            )
        if cause:
            return cause
    return None


async def _make_known(parts: Any, test: TestAlert) -> None:
    """Operators hear of a path that is broken, once, until it is proven again."""
    subject = f"test:{test.path}"
    if test.proves:
        await parts.operators.mended(subject)
    elif test.broken and test.cause:
        await parts.operators.report(
            subject,
            f"Test {test.name} on {test.title} {test.verdict} at the hop “{test.broken}”. {test.cause.says}"
            f" {test.cause.mend}",
        )


async def _clean_up(parts: Any, test: TestAlert) -> None:
    if test.clean_after and test.clean_after > parts.clock.now():
        return
    try:
        what = await in_thread(_sender(parts, test).clean_up, test, parts.clock.now())
    except (ToolRefused, ToolSilent) as error:
        left = await parts.records.write(test_alerting.not_cleaned_up, test.id, str(error))
        if left.is_left:
            said = f"Test {test.name} ({test.nonce}) may have left something open in {test.provider}: {error}"
            await parts.operators.report(f"test:{test.name}", f"{said} End it there by hand.")
    else:
        await parts.records.write(test_alerting.cleaned_up, test.id, what)


# In Slack
async def _ask_for_consent(parts: Any, test: TestAlert) -> None:
    if not test.waits_for_consent or test.consent or not test.person:
        return
    try:
        channel = await parts.web.direct_channel(test.person)
        ts = await parts.web.post(channel, told.consent_message(test), key=f"{test.name}:consent")
    except (SlackSaysNo, RateLimited, NoAnswer) as error:
        log.warning("%s could not be asked for consent to %s: %s", test.person, test.name, error)
    else:
        message = Message(channel=channel, ts=ts)
        await parts.records.write(test_alerting.consent_asked, test.id, message)


async def _show(parts: Any, test: TestAlert) -> None:
    if not test.dirty or not (test.sent_at or test.is_over):
        return
    if not parts.settings.slack.connected or not test.channel:
        await _not_shown(parts, test, "Slack is not connected", "Set SLACK_BOT_TOKEN.")
        return
    try:
        message = await _put(parts, test, told.progress_message(test))
    except SlackSaysNo as error:
        mend = SLACKS_MENDS.get(error.error, "See that the channel exists and that socmon is in it.")
        await _not_shown(
            parts, test, f"Slack shows nothing in the channel {test.channel}: {error.error}", mend
        )
    except (RateLimited, NoAnswer) as error:
        log.warning("%s is not shown as it is yet: %s", test.name, error)
    else:
        await parts.records.write(test_alerting.shows, test.id, test, message)


async def _put(parts: Any, test: TestAlert, message: SlackMessage) -> Message:
    key = f"{test.name}:progress"
    if test.shown:
        await parts.web.update(test.shown.channel, test.shown.ts, message, key=key)
        return test.shown
    return Message(channel=test.channel, ts=await parts.web.post(test.channel, message, key=key))


async def _not_shown(parts: Any, test: TestAlert, why: str, mend: str) -> None:
    if Hop.SHOWN in test.missing and not test_alerting.waits_for(test, Hop.SHOWN) and not test.is_over:
        await _fail(parts, test, Hop.SHOWN, Cause(says=f"{why}.", mend=mend))
    elif test.is_over:
        await _answer_asker(parts, test)
        await parts.records.write(test_alerting.shows, test.id, test, None)


async def _answer_asker(parts: Any, test: TestAlert) -> None:
    """The channel cannot say it, so whoever asked is told directly."""
    if not test.asked_by or not parts.settings.slack.connected:
        return
    try:
        channel = await parts.web.direct_channel(test.asked_by)
        await parts.web.say(channel, told.progress_message(test))
    except (SlackSaysNo, RateLimited, NoAnswer) as error:
        log.warning("%s could not be told what became of %s: %s", test.asked_by, test.name, error)


async def _tell(parts: Any, test: TestAlert) -> None:
    if test.is_over or Hop.TOLD not in test.missing or test_alerting.waits_for(test, Hop.TOLD):
        return
    if not test.person:
        nobody = Cause(
            says="Nobody is on call now, so nobody was told.", mend="Fill the shift: `/socmon oncall`."
        )
        await _not_told(parts, test, nobody)
        return
    try:
        channel = await parts.web.direct_channel(test.person)
        ts = await parts.web.post(channel, told.told_message(test), key=f"{test.name}:told")
    except SlackSaysNo as error:
        mend = SLACKS_MENDS.get(
            error.error, "`/socmon oncall` says who is on call; see whether Slack knows them."
        )
        says = f"Slack delivers no direct message to <@{test.person}>: {error.error}."
        await _not_told(parts, test, Cause(says=says, mend=mend))
    except (RateLimited, NoAnswer) as error:
        log.warning("%s is not told of %s yet: %s", test.person, test.name, error)
    else:
        await parts.records.write(test_alerting.told, test.id, Message(channel=channel, ts=ts))


async def _not_told(parts: Any, test: TestAlert, cause: Cause) -> None:
    """What is missing before it is named first: while that may still come, it is waited for."""
    if test.missing[0] is Hop.TOLD:
        await _fail(parts, test, Hop.TOLD, cause)


def _split(message: str) -> tuple[str, str]:
    """What happened, and what to do: the last sentence."""
    says, dot, mend = message.rstrip(".").rpartition(". ")
    return (f"{says}.", f"{mend}.") if dot else (message, "`socmon doctor` tests the connection.")
