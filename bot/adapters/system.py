"""The machine's clock and randomness, filling the ports of the same names."""

import asyncio
import os
import time
from datetime import UTC, datetime


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class SystemRandomness:
    def token(self, size: int) -> bytes:
        return os.urandom(size)
