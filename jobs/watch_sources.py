"""A source that is silent is told: to operators, and in the alerts channel, where nobody misses it."""

from typing import Any

from bot.adapters.slack.silence_message import silence_message
from bot.procedures import watch_sources as procedure
from bot.procedures.check_on_call import who_is_called
from bot.procedures.show_alert import known_problems
from jobs.tell_people import say


async def watch_sources(parts: Any) -> str:
    await parts.records.write(procedure.watch_sources, parts.settings.heartbeats)
    silent = await parts.records.read(procedure.silent_sources)
    for pulse in silent:
        text = procedure.says(pulse, parts.titles[pulse.provider])
        await parts.operators.report(procedure.subject(pulse), text)
    known = await parts.records.read(known_problems)
    for subject in {one for one in known if one.startswith(procedure.KIND)} - {
        *map(procedure.subject, silent)
    }:
        await parts.operators.mended(subject)
    untold = [pulse for pulse in silent if pulse.told_at is None]
    if untold and parts.settings.slack.connected:
        route = parts.settings.slack_routes.default
        on_call, _ = await parts.records.read(who_is_called, route)
        message = silence_message(
            [procedure.says(one, parts.titles[one.provider]) for one in untold], on_call=on_call
        )
        if await say(parts, [route.channel], message, "a silent source"):
            await parts.records.write(procedure.told, untold)
    return f"{len(silent)} are silent" if silent else "nobody is silent for longer than is normal"
