"""Each week every path that is not proven, or would not be a month from its last proof on, gets a quiet test."""

from typing import Any

from bot.domain.test_alert import new_nonce
from bot.procedures import test_alerting


async def begin_test_alerts(parts: Any) -> str:
    paths = parts.test_paths
    await parts.records.write(test_alerting.keep_paths, paths)
    if not paths:
        return "no path can be tested: `socmon test-alert setup` shows what it takes"
    nonces = [new_nonce(parts.randomness.token) for _ in paths]
    begun = await parts.records.write(test_alerting.begin_due, nonces, reach=await parts.reach())
    return f"{len(begun)} tests begun on {len(paths)} paths"
