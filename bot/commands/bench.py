"""`socmon bench`: what this machine and this database take, in figures that can be compared and repeated.

`intake` sends signed deliveries from many senders at once to the real application, and to the same application
with no store, in turns, so that a noisy machine slows both. `slack` measures from webhook to Slack's message, idle
and in a storm. `coverage` (`bot.commands.bench_coverage`) assesses a large fleet.
Every result names database, version and journal mode.
"""

import argparse
import asyncio
import json
import multiprocessing
import socket
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.routing import Route

from bot.adapters.database.engine import describe, reading_engine
from bot.adapters.system import SystemClock
from bot.app import Socmon
from bot.commands.bench_coverage import coverage
from bot.commands.serve import calm_garbage_collector, server_config
from bot.domain.delivery import Receipt, Result
from bot.domain.errors import SocmonError
from bot.logs import set_up_logging
from bot.playground.app import create_playground
from bot.playground.people import BOT_USER, TOKEN, Channel
from bot.providers import all_providers
from bot.settings import Settings, load_settings, read_environment
from handlers.webhooks import Intake

SECRET = "bench-secret-0123456789abcdef0123456789"  # noqa: S105 - good for nothing else
PROBLEMS = 1000  # a fleet that goes on firing
BODY_BYTES = 2000
START_SECONDS = 30
IDLE_CHANNELS = 20
IDLE_ALERTS = 200
WARM_UP = 20  # the first alerts of a process pay for its connections and compiled statements


def run(options: argparse.Namespace) -> int:
    """Measure, and print a table or JSON."""
    result = MEASURED[options.what](options)
    print(json.dumps(result, indent=2) if options.json else _table(result))
    return 0


def _coverage(options: argparse.Namespace) -> dict[str, Any]:
    return coverage(options.components, partial(_settings, port=0))


# Intake


@dataclass(frozen=True, slots=True)
class Load:
    """What one round of senders saw."""

    answers: int
    failures: int
    rate: float
    p50_ms: float
    p99_ms: float
    longest_ms: float


def _intake(options: argparse.Namespace) -> dict[str, Any]:
    rounds: dict[str, list[Load]] = {"no store": [], "durable": [], "repeats": []}
    with (
        tempfile.TemporaryDirectory(prefix="socmon-bench-") as folder,
        _server(_serve_intake, folder, "durable") as durable,
        _server(_serve_intake, folder, "no store") as null,
    ):
        for number in range(options.rounds + 1):
            for name, port, problems in (
                ("no store", null.port, None),
                ("durable", durable.port, None),
                ("repeats", durable.port, PROBLEMS),
            ):
                first = (2 * number + (problems is not None)) * options.senders * 100_000
                load = uvloop.run(
                    _send(
                        port,
                        senders=options.senders,
                        seconds=options.seconds,
                        first=first,
                        problems=problems,
                    )
                )
                if number:  # the first round warms up
                    rounds[name].append(load)
        facts = _database_facts(_environment(folder))
        memory = _memory_mib(durable.process.pid or 0)
    return {
        "what": "durable intake",
        "senders": options.senders,
        "body_bytes": BODY_BYTES,
        "rounds": options.rounds,
        "seconds": options.seconds,
        "database": facts,
        "no_store": _middle(rounds["no store"]),
        "new_alerts": _middle(rounds["durable"]) | {"ratio": _ratio(rounds["durable"], rounds["no store"])},
        "repeats": _middle(rounds["repeats"]) | {"ratio": _ratio(rounds["repeats"], rounds["no store"])},
        "memory_mib": memory,
    }


def _ratio(loads: list[Load], no_store: list[Load]) -> float:
    return round(statistics.median(d.rate / n.rate for d, n in zip(loads, no_store, strict=True)), 3)


def _middle(loads: list[Load]) -> dict[str, float]:
    return {
        "per_second": round(statistics.median(load.rate for load in loads)),
        "p50_ms": round(statistics.median(load.p50_ms for load in loads), 1),
        "p99_ms": round(statistics.median(load.p99_ms for load in loads), 1),
        "longest_ms": round(max(load.longest_ms for load in loads), 1),
        "answers": sum(load.answers for load in loads),
        "failures": sum(load.failures for load in loads),
    }


def _same(one: "_Sender") -> "_Sender":
    return one


async def _send(port: int, *, senders: int, seconds: float, first: int, problems: int | None) -> Load:
    """Each sender posts one delivery after the other on its own connection, as the tools do.

    Every delivery reports a new problem, or else one of so many `problems`.
    """
    loop = asyncio.get_running_loop()
    started = loop.time()
    everyone = [
        _Sender(loop, first + number * 100_000, started + seconds, problems) for number in range(senders)
    ]
    for one in everyone:
        await loop.create_connection(partial(_same, one), "127.0.0.1", port)
    await asyncio.gather(*(one.done for one in everyone))
    took = loop.time() - started
    times = sorted(took for one in everyone for took in one.times)
    p50, p99 = (times[int(len(times) * part)] * 1000 for part in (0.5, 0.99))
    return Load(
        len(times), sum(one.failures for one in everyone), len(times) / took, p50, p99, times[-1] * 1000
    )


class _Sender(asyncio.Protocol):
    """As lean as Python allows: what the senders take of the machine, the server lacks."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, first: int, ending: float, problems: int | None
    ) -> None:
        self._loop, self._number, self._ending, self._problems = loop, first, ending, problems
        self.done: asyncio.Future[None] = loop.create_future()
        self.times: list[float] = []
        self.failures = 0
        self._answer = b""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._next()

    def data_received(self, data: bytes) -> None:
        self._answer += data
        if not _whole(self._answer):
            return
        data, self._answer = self._answer, b""
        self.times.append(self._loop.time() - self._begun)
        self.failures += not data.startswith(b"HTTP/1.1 202")
        if self._loop.time() < self._ending:
            self._next()
        else:
            self._transport.close()
            self.done.set_result(None)

    def connection_lost(self, _error: Exception | None) -> None:
        if not self.done.done():
            self.failures += 1
            self.done.set_result(None)

    def _next(self) -> None:
        self._number += 1
        self._begun = self._loop.time()
        self._transport.write(_datadog_request(self._number, self._problems))


def _whole(answer: bytes) -> bool:
    """Whether head and body have arrived."""
    head, end, body = answer.partition(b"\r\n\r\n")
    length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
    return bool(end) and len(body) >= int(length or b"0")


def _datadog_request(number: int, problems: int | None = None) -> bytes:
    """A delivery that reports a new problem, which costs the records most, or one of so many `problems`."""
    problem = b"%012d" % (number if problems is None else number % problems)
    return _template().replace(b"@@@@@@@@@@@@", problem).replace(b"############", b"%012d" % number)


@cache
def _template() -> bytes:
    unique = "@@@@@@@@@@@@"
    body = {
        "v": 1,
        "id": "############",
        "monitor_id": "4711",
        "cycle": f"cycle-{unique}",
        "transition": "Triggered",
        "type": "error",
        "title": f"[Triggered on {{host:web-{unique}}}] CPU is high",
        "scope": f"host:web-{unique}",
        "query": "avg(last_5m):avg:system.cpu.user{*} by {host} > 85",
        "host": f"web-{unique}",
        "tags": "env:prod,team:platform",
        "link": "https://app.datadoghq.com/monitors/4711",
        "last_updated": str(int(time.time() * 1000)),
        "text": "",
    }
    body["text"] = "x" * (BODY_BYTES - len(json.dumps(body)))
    content = json.dumps(body)
    return (
        f"POST /webhooks/datadog HTTP/1.1\r\nhost: bench\r\nx-socmon-token: {SECRET}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(content)}\r\n\r\n{content}"
    ).encode()


class _NoStore:
    """Answers as the records would, and keeps nothing: what is left is HTTP, the signature and the reading."""

    async def write(self, *_args: Any, **_kwargs: Any) -> Any:
        return Receipt(result=Result.ACCEPTED)

    async def read(self, *_args: Any, **_kwargs: Any) -> Any:
        raise SocmonError("There is no store.")


def _serve_intake(port: int, folder: str, store: str) -> None:
    set_up_logging()
    calm_garbage_collector()
    settings = _settings(folder, port)
    if store == "durable":
        app = Socmon(settings=settings).asgi()
    else:
        provider = all_providers()["datadog"]
        intake = Intake(
            records=_NoStore(),
            webhooks={"datadog": provider.webhook(settings.providers["datadog"], None)},  # type: ignore[arg-type]
            routes=settings.slack_routes,
            clock=SystemClock(),
            wake=lambda: None,
        )
        app = Starlette(routes=[Route("/webhooks/{provider}", intake.handle, methods=["POST"])])
    _serve(app, port)


# Slack


def _slack(options: argparse.Namespace) -> dict[str, Any]:
    idle = _webhook_to_slack(IDLE_ALERTS, channels=IDLE_CHANNELS, pause=0.06)
    storm = _webhook_to_slack(options.alerts, channels=1, pause=0)
    ideal = options.alerts - 1
    return {
        "what": "webhook to Slack",
        "database": storm["database"],
        "idle": {key: idle[key] for key in ("alerts", "posted", "p50_ms", "p99_ms", "limited")},
        "storm": {
            "alerts": options.alerts,
            "posted": storm["posted"],
            "parents_twice": storm["parents_twice"],
            "seconds": storm["seconds"],
            "ideal_seconds": ideal,
            "times_ideal": round(storm["seconds"] / ideal, 3),
            "limited": storm["limited"],
        },
    }


def _webhook_to_slack(alerts: int, *, channels: int, pause: float) -> dict[str, Any]:
    with (
        tempfile.TemporaryDirectory(prefix="socmon-bench-") as folder,
        _server(_serve_slack, channels) as slack,
        _server(_serve_bot, folder, slack.port, channels) as bot,
    ):
        sent = asyncio.run(_one_by_one(bot.port, alerts, pause, channels))
        posts = _wait_for_posts(slack.port, alerts)
        facts = _database_facts(_environment(folder))
    warm = list(sent.items())[WARM_UP if channels > 1 else 0 :]
    delays = sorted((posts["at"][key] - at) * 1000 for key, at in warm if key in posts["at"])
    return {
        "alerts": alerts,
        "posted": len(posts["at"]),
        "parents_twice": posts["twice"],
        "limited": posts["limited"],
        "seconds": round(max(posts["at"].values()) - min(sent.values()), 2),
        "p50_ms": round(delays[len(delays) // 2], 1),
        "p99_ms": round(delays[int(len(delays) * 0.99)], 1),
        "database": facts,
    }


async def _one_by_one(port: int, alerts: int, pause: float, channels: int) -> dict[str, float]:
    """Alert number → when its webhook began. Number N goes to channel N modulo the number of channels."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    sent = {}
    for number in range(alerts):
        at = time.time()
        writer.write(_datadog_request(number))
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        told = json.loads(await reader.readexactly(length))
        sent[told["alerts"][0]["alert"]] = at
        if pause and channels:
            await asyncio.sleep(pause)
    writer.close()
    return sent


def _wait_for_posts(port: int, alerts: int) -> dict[str, Any]:
    """Parents by key with the time Slack stored them, how many stood twice, and how often Slack said 429."""
    ending = time.monotonic() + alerts * 1.5 + 30
    while True:
        with urlopen(f"http://127.0.0.1:{port}/playground/transcript", timeout=10) as answer:
            transcript = json.load(answer)
        at: dict[str, float] = {}
        twice = 0
        for message in transcript["messages"]:
            key = ((message.get("metadata") or {}).get("event_payload") or {}).get("key", "")
            if key and ":" not in key:
                twice += key in at
                at[key] = float(message["ts"])
        if len(at) >= alerts or time.monotonic() > ending:
            limited = sum(1 for request in transcript["requests"] if request["status"] == 429)
            return {"at": at, "twice": twice, "limited": limited}
        time.sleep(0.5)


def _serve_slack(port: int, channels: int) -> None:
    set_up_logging()
    workspace = create_playground(
        bot_url="http://127.0.0.1:9",  # nobody clicks here
        signing_secret=SECRET,
        bot_token=TOKEN,
        samples={},
        clock=SystemClock(),
        snapshot_path=None,
        rate_limits=True,
    )
    for number in range(channels):
        name = _channel(number)
        workspace.workspace.channels[name] = Channel(id=name, name=name.lower(), members=[BOT_USER])
    _serve(Starlette(routes=workspace.routes), port)


def _serve_bot(port: int, folder: str, slack_port: int, channels: int) -> None:
    set_up_logging()
    calm_garbage_collector()
    settings = _settings(folder, port, slack_port=slack_port, channels=channels)
    _serve(Socmon(settings=settings).asgi(), port)


def _channel(number: int) -> str:
    return f"C0BENCH{number}"


# Both


@dataclass(frozen=True, slots=True)
class _Running:
    port: int
    process: Any


@contextmanager
def _server(target: Callable[..., None], *arguments: Any) -> Iterator[_Running]:
    """Run a server in a process of its own until the end of the block."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = multiprocessing.get_context("spawn").Process(target=target, args=(port, *arguments))
    process.start()
    try:
        _wait_until_open(port)
        yield _Running(port, process)
    finally:
        process.terminate()
        process.join(20)


def _serve(app: Starlette, port: int) -> None:
    uvicorn.Server(server_config(app, host="127.0.0.1", port=port)).run()


def _wait_until_open(port: int) -> None:
    ending = time.monotonic() + START_SECONDS
    while time.monotonic() < ending:
        try:
            urlopen(Request(f"http://127.0.0.1:{port}/healthz"), timeout=1).close()
        except OSError as error:
            if "refused" not in str(error):
                return  # it answers, if only with 404
            time.sleep(0.02)
        else:
            return
    raise SocmonError(
        f"The server on port {port} did not start within {START_SECONDS} s. Look at its output above."
    )


def _environment(folder: str) -> dict[str, str]:
    """SOCMON_DATABASE_URL chooses the database; SQLite in a fresh folder without it."""
    given = read_environment()
    url = given.get("SOCMON_DATABASE_URL", "")
    key = str(Path(folder) / "log.key")
    return {"SOCMON_DATA_DIR": folder} | (
        {"SOCMON_DATABASE_URL": url, "SOCMON_LOG_KEY_FILE": key} if url else {}
    )


def _settings(folder: str, port: int, *, slack_port: int = 0, channels: int = 0) -> Settings:
    config = Path(folder) / f"bench-{port}.toml"
    rules = "".join(
        f'[[slack.routes]]\nchannel = "{_channel(number % channels)}"\ncomponent = "web-{number:012d}"\n'
        for number in range(IDLE_ALERTS if channels > 1 else 0)
    )
    default = _channel(0) if channels else "C0ALERTS"
    storms = "[storms]\nenabled = false\n"  # what is measured is the way of each alert
    tools = "[providers.datadog]\nenabled = true\n"
    config.write_text(f'[slack]\nalerts_channel = "{default}"\n{rules}{storms}{tools}')
    environ = _environment(folder) | {"SOCMON_CONFIG": str(config), "SOCMON_WEBHOOK_SECRET_DATADOG": SECRET}
    if slack_port:
        environ["SLACK_BOT_TOKEN"] = TOKEN
        environ["SLACK_SIGNING_SECRET"] = SECRET
        environ["SLACK_API_URL"] = f"http://127.0.0.1:{slack_port}/playground/api/"
    return load_settings(environ, all_providers())


def _database_facts(environ: dict[str, str]) -> dict[str, str]:
    engine = reading_engine(load_settings(environ, all_providers()).database_url)
    try:
        return describe(engine)
    finally:
        engine.dispose()


MEASURED = {"intake": _intake, "slack": _slack, "coverage": _coverage}


def _memory_mib(pid: int) -> float | None:
    """Resident memory, where /proc tells."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return None
    return next((round(int(line.split()[1]) / 1024, 1) for line in lines if line.startswith("VmRSS")), None)


def _table(result: dict[str, Any], indent: str = "") -> str:
    lines = [] if indent else [f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"]
    for key, value in result.items():
        if isinstance(value, dict):
            lines += [f"{indent}{key}:", _table(value, indent + "  ")]
        else:
            lines.append(f"{indent}{key:<18} {value}")
    return "\n".join(lines)
