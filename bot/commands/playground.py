"""`socmon playground`: the unchanged bot beside a local Slack workspace in the browser, without any account."""

import asyncio
import json
import os
import secrets
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp

from bot.app import Socmon
from bot.commands.playground_fleet import INVENTORY, connect
from bot.commands.serve import run_server
from bot.domain.errors import WrongSettings
from bot.logs import set_up_logging
from bot.playground.app import Playground, create_playground
from bot.playground.clock import PlaygroundClock
from bot.playground.datadog import FakeDatadog
from bot.playground.datadog_line import DatadogLine
from bot.playground.fleet import OPS, PAGERDUTY_SERVICE, SLACK_ACCOUNT, STANDARD, inventory
from bot.playground.pagerduty import FakePagerDuty
from bot.playground.pagerduty_line import PagerDutyLine
from bot.playground.people import PAGERDUTY_SENDER, TOKEN
from bot.ports import Answer
from bot.providers import all_providers
from bot.providers.contract import Samples
from bot.settings import Settings, load_settings, read_environment, trust

PLAYGROUND_CONFIG = f"""\
[slack]
alerts_channel = "C0ALERTS"
validation_channel = "C0SOC2"
on_call = ["U0SAM"]

[[on_call.teams]]
name = "Platform"
pagerduty_policy = "PESC001"

[roles]
responders = ["U0SAM", "U0KIM"]
engineering_lead = ["U0LEAD"]
admins = ["U0ADMIN"]
auditors = ["U0AUDIT"]

[coverage]
standard = "standard.toml"

[notifications]
approved_channels = ["#{OPS}"]

[notifications.services]
{PAGERDUTY_SERVICE} = "Platform"
"""
PAUSE, MOST_TRIES = 0.2, 100


def playground(*, host: str, port: int, fresh: bool) -> int:
    """The unchanged bot beside a local Slack workspace; only the token, the secret and SLACK_API_URL differ.

    Raises WrongSettings when real tokens are in the environment: the playground must never post to a real workspace.
    """
    set_up_logging(readable=True)
    os.umask(0o077)  # as `socmon serve`
    environ = read_environment()
    refuse_real_tokens(environ)
    folder = Path(environ.get("SOCMON_DATA_DIR") or "data/playground").absolute()
    if fresh and folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    base = f"http://{host}:{port}"
    secret = secrets.token_hex(16)
    samples = {name: provider.samples() for name, provider in all_providers().items()}
    network = SampleNetwork({url: body for one in samples.values() for url, body in one.pages.items()})
    clock = PlaygroundClock()
    pagerduty = PagerDutyLine(FakePagerDuty(now=clock.now), folder=folder, bot_url=base)
    trust(pagerduty.authority)
    datadog = DatadogLine(FakeDatadog(clock=clock.now), own_url=base)
    workspace = create_playground(
        bot_url=base,
        signing_secret=secret,
        bot_token=TOKEN,
        samples=samples,
        clock=clock,
        snapshot_path=folder / "workspace.json",
        rate_limits=True,
        pagerduty=pagerduty,
        datadog=datadog,
    )
    settings = playground_settings(
        folder,
        base=base,
        signing_secret=secret,
        samples=samples,
        pagerduty=pagerduty,
        datadog=datadog,
    )
    socmon = Socmon(settings=settings, network=network, clock=clock)
    print(f"\n  socmon's playground is open:  {base}/\n  Ctrl+C ends it; what happened stays in {folder}\n")
    connect(workspace, socmon)
    app = socmon.asgi(workspace.routes, beside=lambda: _running(workspace, url=base))
    return run_server(app, socmon, host=host, port=port, leaving=workspace.live.hang_up)


@asynccontextmanager
async def _running(workspace: Playground, *, url: str) -> AsyncIterator[None]:
    await workspace.start()
    looking = asyncio.create_task(_first_look(workspace, url))
    try:
        yield
    finally:
        looking.cancel()
        await asyncio.wait([looking])
        await workspace.stop()


async def _first_look(workspace: Playground, url: str) -> None:
    """As soon as Slack and the tools, which this process serves too, can answer."""
    async with aiohttp.ClientSession() as session:
        for _ in range(MOST_TRIES):
            try:
                async with session.get(f"{url}/playground/fleet"):
                    break
            except aiohttp.ClientError:
                await asyncio.sleep(PAUSE)
    if workspace.fleet:
        await workspace.fleet.let_look()


def playground_settings(
    folder: Path,
    *,
    base: str,
    signing_secret: str,
    samples: Mapping[str, Samples],
    pagerduty: PagerDutyLine,
    datadog: DatadogLine | None = None,
) -> Settings:
    """Settings as an operator would write them, with every provider connected to its samples."""
    config = folder / "socmon.toml"
    more: dict[str, dict[str, Any]] = {
        "pagerduty": {"from": PAGERDUTY_SENDER},
        "datadog": {"slack_accounts": [SLACK_ACCOUNT]},
    }
    tables = [_toml_table(name, {**one.table, **more.get(name, {})}) for name, one in samples.items()]
    config.write_text(PLAYGROUND_CONFIG + "".join(tables))
    for name, content in (
        (INVENTORY, inventory()),
        ("standard.toml", STANDARD.format(reviewed=datetime.now(UTC).date())),
    ):
        if not (folder / name).exists():  # whoever has changed it wants to see what comes of it
            (folder / name).write_text(content)
    environ = {
        "SOCMON_CONFIG": str(config),
        "SOCMON_DATA_DIR": str(folder),
        "SOCMON_LOG_ORIGIN": "playground.invalid/socmon",
        "SLACK_API_URL": f"{base}/playground/api/",
        "SLACK_BOT_TOKEN": TOKEN,
        "SLACK_SIGNING_SECRET": signing_secret,
        **pagerduty.environ,
        **(datadog.environ if datadog else {}),
    }
    for one in samples.values():
        environ |= one.environ
    return load_settings(environ, all_providers())


def refuse_real_tokens(environ: Mapping[str, str]) -> None:
    """Raises WrongSettings."""
    real = [
        name for name in ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET") if environ.get(name)
    ]
    if real:
        raise WrongSettings(
            f"{', '.join(real)} stands in the environment, so this looks like a real installation. The playground needs"
            " none: unset it to try socmon here, or run `socmon serve` for the real workspace."
        )


@dataclass(frozen=True)
class SampleNetwork:
    """What the samples' signatures need from the network (SNS's certificate), served from memory."""

    pages: Mapping[str, bytes]

    async def get(self, url: str, *, most_bytes: int, seconds: float) -> Answer:
        del most_bytes, seconds
        body = self.pages.get(url)
        return Answer(status=404, body=b"") if body is None else Answer(status=200, body=body)


def _toml_table(name: str, table: Mapping[str, Any]) -> str:
    lines = [f"{key} = {json.dumps(value)}" for key, value in table.items() if not isinstance(value, dict)]
    nested = [
        f"[providers.{name}.{key}]\n"
        + "\n".join(f"{one} = {json.dumps(text)}" for one, text in value.items())
        for key, value in table.items()
        if isinstance(value, dict)
    ]
    return "\n".join([f"\n[providers.{name}]", "enabled = true", *lines, *nested, ""])
