"""socmon and its Slack as processes of their own, so that a test can kill one of them in the middle."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from bot.providers import all_providers
from bot.providers.contract import SampleKind

SIGNING_SECRET = "a-signing-secret-for-tests"
WEBHOOK_SECRET = "a-webhook-secret-for-tests-0123456789"
CHANNELS = ("C0ALERTS", "C0SOC2")

CONFIG = """\
[slack]
alerts_channel = "C0ALERTS"
on_call = ["U0SAM"]
posts_per_second = {posts_per_second}
updates_per_minute = 100000

[storms]
enabled = {storms}

[[slack.routes]]
component = "*-b"
channel = "C0SOC2"

[roles]
responders = ["U0SAM", "U0KIM"]
engineering_lead = ["U0LEAD"]
admins = ["U0ADMIN"]

[providers.generic]
enabled = true
"""

# Words that would ring, link, format, run or calculate wherever they are not taken for words.
HOSTILE = [
    "<!channel> <!here> <!everyone> <@U0SAM> <!subteam^S0ONCALL>",
    "<https://evil.example|https://bank.example> [click](https://evil.example)",
    "*bold* _it_ ~gone~ `code` ```block``` > quote :skull: & < >",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    '=HYPERLINK("https://evil.example","pay")',
    "\u202egnp.exe \u200b\u0000 \uff1d1+1",
]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


class Slack:
    """The playground's Slack in its own process."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.api_url = f"http://127.0.0.1:{port}/playground/api/"

    def transcript(self) -> dict[str, Any]:
        found: dict[str, Any] = _get(f"http://127.0.0.1:{self.port}/playground/transcript")
        return found

    def fault(self, **fault: Any) -> None:
        _post(f"http://127.0.0.1:{self.port}/playground/faults", json.dumps(fault).encode())

    def parents(self) -> dict[str, list[str]]:
        """Alert ("A-7") → the ts of each parent that stands in a channel."""
        found: dict[str, list[str]] = {}
        for message in self.transcript()["messages"]:
            key = ((message.get("metadata") or {}).get("event_payload") or {}).get("key", "")
            if key and ":" not in key:
                found.setdefault(key, []).append(message["ts"])
        return found


class Bot:
    """`socmon serve` on a port that stays the same over restarts."""

    def __init__(
        self,
        folder: Path,
        slack: Slack,
        *,
        database_url: str = "",
        posts_per_second: int = 500,
        storms: bool = False,
    ) -> None:
        self.folder, self.port = folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        config = folder / "socmon.toml"
        config.write_text(CONFIG.format(posts_per_second=posts_per_second, storms=str(storms).lower()))
        self.environ = {
            "PATH": os.environ["PATH"],
            "SOCMON_CONFIG": str(config),
            "SOCMON_DATA_DIR": str(folder / "data"),
            "SOCMON_WEBHOOK_SECRET_GENERIC": WEBHOOK_SECRET,
            "SLACK_BOT_TOKEN": "xoxb-playground",
            "SLACK_SIGNING_SECRET": SIGNING_SECRET,
            "SLACK_API_URL": slack.api_url,
        }
        if database_url:
            self.environ["SOCMON_DATABASE_URL"] = database_url
            self.environ["SOCMON_LOG_KEY_FILE"] = str(folder / "log.key")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with (self.folder / "bot.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "bot.cli", "serve", "--port", str(self.port)],
                env=self.environ,
                stderr=log,
            )
        wait_until(
            lambda: _answers(f"{self.url}/readyz"), what="socmon is ready", log=self.folder / "bot.log"
        )

    def kill(self) -> None:
        """As a power cut for the process: nothing is finished, nothing is said."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def stop(self) -> int:
        """Ask it to stop; returns the exit code."""
        if self._process is None or self._process.poll() is not None:
            return 0
        self._process.terminate()
        return self._process.wait(20)

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Another `socmon` command beside the server."""
        words = [sys.executable, "-m", "bot.cli", *command]
        return subprocess.run(words, env=self.environ, capture_output=True, text=True, check=False)

    def log(self) -> list[dict[str, Any]]:
        """The alert log, oldest first."""
        found: list[dict[str, Any]] = json.loads(self.run("log", "--json").stdout)
        return found

    def ready(self) -> dict[str, Any]:
        found: dict[str, Any] = _get(f"{self.url}/readyz")
        return found

    def post(self, body: Mapping[str, Any], *, secret: str = WEBHOOK_SECRET) -> tuple[int, dict[str, Any]]:
        headers = {"X-Socmon-Token": secret, "Content-Type": "application/json"}
        return _post(f"{self.url}/webhooks/generic", json.dumps(body).encode(), headers)


class Workspace(Slack):
    """`socmon playground`: the bot and its Slack in one process."""

    def __init__(self, port: int, environ: Mapping[str, str]) -> None:
        super().__init__(port)
        self.environ = environ
        self.url = f"http://127.0.0.1:{port}/"

    def answers(self) -> bool:
        return _answers(f"{self.url}readyz")

    def fire(self, provider: str, action: str) -> dict[str, Any]:
        """Press a button of the Sources panel."""
        return _post(f"{self.url}playground/sources/{provider}/{action}", b"")[1]

    def pagerduty(self) -> dict[str, dict[str, Any]]:
        """What is open in PagerDuty, by its id."""
        desk = _get(f"{self.url}playground/pagerduty")
        return {one["id"]: one for one in desk["incidents"]}

    def in_pagerduty(self, act: str, user: str, incident: str, **given: Any) -> None:
        """What a person does there."""
        body = json.dumps({"user": user, "incident": incident, **given}).encode()
        status, _ = _post(f"{self.url}playground/pagerduty/{act}", body)
        assert status == 200, f"{user} cannot {act} {incident}"

    def say(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Post to the generic source with the playground's own secret."""
        samples = all_providers()["generic"].samples()
        headers = samples.sample(SampleKind.TRIGGERED, problem=1, episode=1, at=datetime.now(UTC)).headers
        return _post(f"{self.url}webhooks/generic", json.dumps(body).encode(), headers)[1]

    def act(self, what: str, user: str, **given: Any) -> dict[str, Any]:
        """What a person does in the workspace; the page sends the same."""
        body = json.dumps({"user": user, **given}).encode()
        return _post(f"{self.url}playground/act/{what}", body)[1]

    def turn_clock_on(self, minutes: int) -> datetime:
        """What waits for a time comes within seconds. Returns what time it is then."""
        status, told = _post(f"{self.url}playground/clock", json.dumps({"minutes": minutes}).encode())
        assert status == 200
        return datetime.fromisoformat(told["now"])

    def runs(self, job: str) -> float:
        """How often a job has run."""
        with urlopen(f"{self.url}metrics", timeout=120) as answer:
            lines = answer.read().decode().splitlines()
        return sum(float(line.split()[-1]) for line in lines if f'job_runs_total{{job="{job}"' in line)

    def parent(self, alert: str) -> dict[str, Any]:
        """The alert's message in its channel, as it stands now."""
        found = [
            message
            for message in self.messages()
            if ((message.get("metadata") or {}).get("event_payload") or {}).get("key") == alert
        ]
        assert len(found) == 1
        return found[0]

    def press(self, alert: str, label: str, user: str = "U0SAM") -> dict[str, Any]:
        """Press a button of the alert's message, or choose an entry of its menu, by what it says.

        The message may change between the look and the click; a person would simply press again.
        """
        done: dict[str, Any] = {}
        for _ in range(20):
            done = self._press(alert, label, user)
            if done.get("ok"):
                return done
            time.sleep(0.1)
        raise AssertionError(f"{label} of {alert} cannot be pressed: {done}")

    def _press(self, alert: str, label: str, user: str) -> dict[str, Any]:
        message = self.parent(alert)
        for block in message["blocks"]:
            for element in block.get("elements", []):
                chosen = next(
                    (one for one in element.get("options", []) if one["text"]["text"] == label), None
                )
                is_it = element["type"] == "button" and element["text"]["text"] == label
                if chosen or is_it:
                    return self.act(
                        "click",
                        user,
                        channel="C0ALERTS",
                        ts=message["ts"],
                        block_id=block["block_id"],
                        action_id=element["action_id"],
                        value=chosen["value"] if chosen else None,
                    )
        raise AssertionError(f"{alert} shows no {label}: {message['blocks']}")

    def form(self, user: str = "U0SAM") -> dict[str, Any]:
        """The form that is open before somebody."""
        wait_until(lambda: self.transcript()["views"].get(user), what=f"{user} has a form")
        view: dict[str, Any] = self.transcript()["views"][user][-1]
        return view

    def send(self, values: Mapping[str, Any], user: str = "U0SAM") -> dict[str, Any]:
        """Fill in and send the open form; `values` by field."""
        given = {name: {name: value} for name, value in values.items()}
        return self.act("submit", user, view_id=self.form(user)["id"], values=given)

    def whispers(self) -> str:
        """What only one person sees, newest last."""
        return "\n".join(message["text"] for message in self.transcript()["ephemerals"])

    def messages(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.transcript()["messages"]
        return found

    def log(self) -> list[dict[str, Any]]:
        """The alert log, as `socmon log` tells it."""
        found: list[dict[str, Any]] = json.loads(self.run("log", "--json"))
        return found

    def run(self, *command: str) -> str:
        """What another `socmon` command beside the playground says."""
        words = [sys.executable, "-m", "bot.cli", *command]
        done = subprocess.run(words, env=self.bot_environ(), capture_output=True, text=True, check=True)
        return done.stdout

    def has_begun_to_tick(self) -> bool:
        """From then on a job that comes due runs within seconds."""
        return "never ran" not in self.run("jobs")

    def bot_environ(self) -> dict[str, str]:
        """The environment of the playground's bot, for other commands beside it."""
        folder = self.environ["SOCMON_DATA_DIR"]
        return {**self.environ, "SOCMON_LOG_ORIGIN": "playground.invalid/socmon", "SOCMON_DATA_DIR": folder}


@contextmanager
def running_slack(bot_port: int = 9, *, rate_limits: bool = False) -> Iterator[Slack]:
    port = free_port()
    words = [sys.executable, "-m", "bot.playground", "--port", str(port), "--signing-secret", SIGNING_SECRET]
    words += ["--bot-url", f"http://127.0.0.1:{bot_port}"] + ([] if rate_limits else ["--no-rate-limits"])
    process = subprocess.Popen(words)
    try:
        wait_until(lambda: _answers(f"http://127.0.0.1:{port}/playground/transcript"), what="Slack is there")
        yield Slack(port)
    finally:
        process.terminate()
        process.wait(10)


def wait_until(holds: Any, *, what: str, seconds: float = 30, log: Path | None = None) -> None:
    ending = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > ending:
            said = f"\n{log.read_text()[-3000:]}" if log and log.exists() else ""
            raise AssertionError(f"After {seconds} s it still does not hold that {what}.{said}")
        time.sleep(0.05)


def _answers(url: str) -> bool:
    try:
        _get(url)
    except (OSError, ValueError):
        return False
    return True


def _get(url: str) -> Any:
    with urlopen(url, timeout=120) as answer:
        return json.load(answer)


def _post(url: str, body: bytes, headers: Mapping[str, str] | None = None) -> tuple[int, dict[str, Any]]:
    request = Request(url, data=body, headers={"Content-Type": "application/json", **(headers or {})})
    try:
        with urlopen(request, timeout=120) as answer:
            return answer.status, json.load(answer)
    except HTTPError as error:
        return error.code, {}
    except (URLError, HTTPException) as error:
        raise ConnectionError(str(error)) from error
