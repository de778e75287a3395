"""Who is on call is asked of the tools and read off the rotas; what has changed is kept, and faults are made known."""

from typing import Any

from bot.adapters.threads import in_thread
from bot.domain.oncall import FaultKind, StoredRoster, window
from bot.domain.rota import rota_roster, rota_team
from bot.procedures import check_on_call

SUBJECT = "on-call"


async def collect_on_call(parts: Any) -> str:
    config = parts.settings.config.on_call
    if not config.teams:
        return "no teams are configured"
    before, links = await parts.records.read(check_on_call.known)
    start, end = window(parts.clock.now())
    told = [rota_roster([rota_team(name, turns, start, end) for name, turns in parts.settings.turns.items()])]
    silent = {}
    for provider, policies in parts.settings.policies.items():
        read = parts.on_call_sources[provider].read
        pulled = await in_thread(read, policies, start=start, end=end, as_of=parts.clock.now())
        if pulled.complete:
            told += pulled.items
            await parts.operators.mended(f"{SUBJECT}:{provider}")
        else:
            silent[provider] = pulled.reason
            await parts.operators.report(
                f"{SUBJECT}:{provider}", _stale(parts.titles[provider], pulled, before)
            )
    order = [team.name for team in config.teams]
    roster = check_on_call.put_together(before, order, told, silent=silent)
    matched = await parts.accounts.match(roster, links, before)
    changed = await parts.records.write(check_on_call.take_roster, matched, complete=not silent)
    await _make_faults_known(parts)
    kept = "a new roster" if changed else "as before"
    return f"{kept}; {'; '.join(silent.values())}" if silent else kept


def _stale(title: str, pulled: Any, before: StoredRoster | None) -> str:
    kept = (
        f"the roster of {before.checked_at:%Y-%m-%d %H:%M} UTC stays in force"
        if before
        else "there is none yet"
    )
    return f"{title} did not say who is on call, so {kept}. {pulled.reason}"


async def _make_faults_known(parts: Any) -> None:
    stored, _ = await parts.records.read(check_on_call.known)
    # That Slack is silent is another trouble, and told as such.
    every = stored.faults(parts.clock.now()) if stored else []
    faults = [each for each in every if each.kind is not FaultKind.SLACK_UNKNOWN]
    if faults:
        first = faults[0].says
        more = f" And {len(faults) - 1} more." if len(faults) > 1 else ""
        await parts.operators.report(
            check_on_call.FAULTS, f"{first}{more} `/socmon oncall` shows what to mend."
        )
    else:
        await parts.operators.mended(check_on_call.FAULTS)
