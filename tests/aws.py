"""moto's AWS as processes of their own."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import moto.moto_proxy
import pytest

CA_FILE = str(Path(moto.moto_proxy.__file__).parent / "ca.crt")
STARTUP_SECONDS = 30


def start(module: str) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", module, "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            wait_for(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def wait_for(port: int) -> None:
    for _ in range(STARTUP_SECONDS * 10):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    pytest.fail(f"moto did not start within {STARTUP_SECONDS} s")
