"""Prism, which checks each request against a vendor's OpenAPI description."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.processes import free_port, wait_until


@contextmanager
def running_prism(description: Path, folder: Path, *, asks: str) -> Iterator[str]:
    """Its URL, once it answers the path `asks`; skips the test where there is none."""
    program = Path(sys.executable).parent / "prism"
    found = str(program) if program.exists() else shutil.which("prism")
    if not found:
        pytest.skip("no Prism here: `make test-rigs` tries to get one, which needs Node and npm")
    port, log = free_port(), folder / "prism.log"
    words = [found, "mock", "--errors", "-h", "127.0.0.1", "-p", str(port), str(description)]
    with log.open("wb") as said:
        process = subprocess.Popen(words, stdout=said, stderr=said)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until(
            lambda: _answers(f"{url}{asks}"), what="Prism has read the description", log=log, seconds=90
        )
        yield url
    finally:
        process.terminate()
        process.wait(20)


def _answers(url: str) -> bool:
    try:
        httpx.get(url, timeout=5)
    except httpx.HTTPError:
        return False
    return True
