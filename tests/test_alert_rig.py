"""A socmon between real senders and a Slack and a PagerDuty of ours, whose clock tests put forward."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.app import Socmon
from bot.domain.alert import Alert
from bot.domain.test_alert import Mode, TestAlert, new_nonce
from bot.playground.pagerduty import KEY, POLICY, TEST_KEY
from bot.playground.pagerduty_shapes import method, rule, service, subscription
from bot.procedures import test_alerting
from bot.providers import all_providers
from bot.providers.pagerduty.samples import SECRET as PAGERDUTY_SECRET
from bot.providers.pagerduty.samples import signed
from bot.settings import load_settings
from jobs.follow_test_alerts import follow_test_alerts
from tests.alertmanager import SECRET as ALERTMANAGER_SECRET
from tests.fake_pagerduty import WatchedPagerDuty
from tests.handlers.conftest import SIGNING_SECRET, browser
from tests.reports import LEAD, SAM
from tests.slack_server import SlackServer

CONFIG = """\
[slack]
alerts_channel = "C0ALERTS"
on_call = ["U1SAM"]
[roles]
responders = ["U1SAM"]
engineering_lead = ["U1LEAD"]
[operators]
emails = ["ops@example.com"]
[providers.pagerduty]
from = "sam@example.com"
[providers.alertmanager]
"""


class Ahead:
    """The machine's time, and as much later as a test says: what tools stamp with their own time is never to come."""

    def __init__(self) -> None:
        self.by = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.by

    def monotonic(self) -> float:
        return self.now().timestamp()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def move(self, **length: float) -> None:
        self.by += timedelta(**length)


@dataclass(kw_only=True)
class Rig:
    socmon: Socmon
    slack: SlackServer
    clock: Ahead
    pagerduty: WatchedPagerDuty
    webhook_secret: str = PAGERDUTY_SECRET
    answered: list[int] = field(default_factory=list)

    async def begin(self, path: str, **given: Any) -> TestAlert:
        """By Sam, or a lead who does not wait."""
        by = LEAD if given.get("at_once") else SAM
        test: TestAlert = await self.socmon.records.write(
            test_alerting.begin,
            path,
            nonce=new_nonce(self.socmon.randomness.token),
            reach=await self.socmon.reach(),
            by=by,
            **({"mode": Mode.QUIET} | given),
        )
        return test

    async def follow(self, test: TestAlert) -> TestAlert:
        """One look of the job, and PagerDuty's webhooks of what it did meanwhile."""
        await follow_test_alerts(self.socmon)
        await self.deliver()
        return await self.now(test)

    async def deliver(self) -> None:
        """Where PagerDuty has a subscription that is not disabled."""
        events = list(self.pagerduty.events)
        self.pagerduty.events.clear()
        if not any(one["active"] for one in self.pagerduty.subscriptions):
            return
        async with browser(self.socmon) as client:
            for event in events:
                sample = signed(event, secret=self.webhook_secret)
                answer = await client.post("/webhooks/pagerduty", content=sample.body, headers=sample.headers)
                self.answered.append(answer.status_code)

    async def follow_to_the_end(self, test: TestAlert) -> TestAlert:
        """Three looks within the first seconds, then one after each time that something may take."""
        for pause in (0, 1, 1, 301, 4 * 3600, 1):
            self.clock.move(seconds=pause)
            if (await self.follow(test)).is_over:
                break
        return await self.follow(test)

    async def now(self, test: TestAlert) -> TestAlert:
        found: TestAlert = await self.socmon.records.read(lambda records: records.test_alert(test.id))
        return found

    async def sees(self, test: TestAlert) -> None:
        await self.socmon.records.write(test_alerting.seen, test.id, by=SAM)

    async def alerts(self) -> list[Alert]:
        found: list[Alert] = await self.socmon.records.read(lambda records: records.find_alerts())
        return found


@asynccontextmanager
async def rig(
    folder: Path,
    slack: SlackServer,
    pagerduty: WatchedPagerDuty,
    clock: Ahead,
    *,
    alertmanager: str = "",
    test_key: str = TEST_KEY,
    tables: str = "",
    **environ: str,
) -> AsyncIterator[Rig]:
    config = folder / "socmon.toml"
    config.write_text(CONFIG + (f'url = "{alertmanager}"\n' if alertmanager else "") + tables)
    slack.users = {user: {"profile": {}} for user in ("U1SAM", "U1LEAD")}
    given = {
        "SOCMON_CONFIG": str(config),
        "SOCMON_DATA_DIR": str(folder / "data"),
        "SOCMON_PUBLIC_URL": "https://socmon.example.com",
        "SOCMON_WEBHOOK_SECRET_PAGERDUTY": PAGERDUTY_SECRET,
        "SOCMON_WEBHOOK_SECRET_ALERTMANAGER": ALERTMANAGER_SECRET,
        "SOCMON_PAGERDUTY_URL": pagerduty.url,
        "SOCMON_PAGERDUTY_EVENTS_URL": pagerduty.url,
        "SOCMON_PAGERDUTY_TEST_KEY": test_key,
        "PAGERDUTY_API_KEY": KEY,
        "SLACK_BOT_TOKEN": "xoxb-1",
        "SLACK_SIGNING_SECRET": SIGNING_SECRET,
        "SLACK_API_URL": slack.url,
    }
    socmon = Socmon(settings=load_settings(given | environ, all_providers()), clock=clock)
    await socmon.records.write(test_alerting.keep_paths, socmon.test_paths)
    try:
        yield Rig(socmon=socmon, slack=slack, clock=clock, pagerduty=pagerduty)
    finally:
        socmon.close()


def staff(pagerduty: WatchedPagerDuty) -> None:
    """Sam is on call for the test service, with a rule for each urgency, and socmon hears of every incident."""
    pagerduty.hire("PSAM", "Sam", "sam@example.com", method("PMPHONE"))
    pagerduty.rules["PSAM"].append(rule("PMPUSH", urgency="low", kind="push_notification"))
    pagerduty.put_on_call("PSAM", 1)
    pagerduty.services["PTEST"] = service("PTEST", "socmon test", POLICY, TEST_KEY, urgency="severity_based")
    pagerduty.subscriptions.append(subscription("https://socmon.example.com/webhooks/pagerduty"))


@asynccontextmanager
async def door(where: dict[str, Any]) -> AsyncIterator[str]:
    """An address at which others reach the socmon that is in `where` by then."""

    async def relay(request: web.Request) -> web.Response:
        async with browser(where["socmon"]) as client:
            answer = await client.request(
                request.method, request.path, content=await request.read(), headers=dict(request.headers)
            )
        return web.Response(status=answer.status_code, body=answer.content)

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", relay)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
