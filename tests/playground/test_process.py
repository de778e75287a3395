"""The playground as a process of its own, and its refusal to run with a real workspace's token."""

import signal
import subprocess
import sys
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from slack_sdk.web import WebClient

from bot.playground import API_PATH, TOKEN, RealToken, create_playground
from tests.playground.rig import HandClock, free_port, wait_until

ROOT = Path(__file__).parents[2]
REAL = [
    "xoxb-1234567890-abcdef",
    "xapp-1-A0-1-abc",
    "xoxp-1-2-3",
    "xoxe.xoxb-1-abc",
    " xoxb-1234",
    "xoxb-playground2",
]


def start(*words: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "bot.playground", *words]
    return subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("token", REAL)
def test_a_token_that_looks_real_is_refused(token: str) -> None:
    with pytest.raises(RealToken, match="xoxb-playground"):
        create_playground(
            bot_url="http://127.0.0.1:1", signing_secret="s", bot_token=token, samples={}, clock=HandClock()
        )


def test_the_command_refuses_a_real_token_without_repeating_it() -> None:
    process = start("--port", "1", "--bot-url", "http://x", "--signing-secret", "s", "--token", REAL[0])
    _, said = process.communicate(timeout=20)

    assert process.returncode == 2
    assert "real workspace" in said
    assert REAL[0] not in said


def test_the_fake_slack_lives_on_without_its_bot(tmp_path: Path) -> None:
    port, snapshot = free_port(), tmp_path / "workspace.json"
    words = ["--port", str(port), "--bot-url", "http://127.0.0.1:1", "--signing-secret", "s"]
    url = f"http://127.0.0.1:{port}"
    process = start(*words, "--snapshot", str(snapshot))
    try:
        wait_until(lambda: answers(f"{url}/playground/transcript"), what="the playground is up", seconds=20)
        client = WebClient(token=TOKEN, base_url=f"{url}{API_PATH}", retry_handlers=[])
        client.chat_postMessage(channel="C0ALERTS", text="still here")
    finally:
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=20)

    assert "Traceback" not in said
    assert "still here" in snapshot.read_text()


def answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=1):
            return True
    except (URLError, OSError):
        return False
