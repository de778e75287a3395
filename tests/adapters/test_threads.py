"""Work in a thread gives its result or its error, and never holds up the end."""

import asyncio
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from bot.adapters.threads import in_thread

ROOT = Path(__file__).parents[2]


async def test_its_result_or_its_error_comes_back() -> None:
    def divide(a: int, *, by: int) -> tuple[float, str]:
        return a / by, threading.current_thread().name

    assert await in_thread(divide, 6, by=3) == (2.0, "worker")
    with pytest.raises(ZeroDivisionError):
        await in_thread(divide, 6, by=0)


async def test_whoever_gives_up_waiting_is_not_told() -> None:
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(in_thread(time.sleep, 0.05), 0.01)
    await asyncio.sleep(0.1)


def test_the_process_ends_while_it_still_works() -> None:
    script = (
        "import asyncio, time\nfrom bot.adapters.threads import in_thread\n"
        "async def main():\n    asyncio.create_task(in_thread(time.sleep, 60))\n    await asyncio.sleep(0.1)\n"
        "asyncio.run(main())"
    )
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True, timeout=30)

    assert time.monotonic() - began < 20
