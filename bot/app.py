"""The composition root: the one module that knows all others. It builds the parts, starts and stops them."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.adapter.starlette.async_handler import AsyncSlackRequestHandler
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from bot import __version__
from bot.adapters.artifacts import artifacts_in
from bot.adapters.browser import Browser
from bot.adapters.database.engine import in_reach, reading_engine, writing_engine
from bot.adapters.database.evidence import last_note
from bot.adapters.database.lock import SingleProcess
from bot.adapters.database.migrate import is_current, is_empty, open_log, upgrade
from bot.adapters.database.wakeup import Wakeup
from bot.adapters.database.writer import Database
from bot.adapters.evidence.keys import LogKey
from bot.adapters.mail import NAME as EMAIL
from bot.adapters.mail import Email, EmailTestAlerts
from bot.adapters.network import AiohttpNetwork
from bot.adapters.operators import Operators, PagerDuty
from bot.adapters.ping import Ping
from bot.adapters.slack.accounts import Accounts
from bot.adapters.slack.channels import Channels
from bot.adapters.slack.directory import Directory
from bot.adapters.slack.homes import Homes
from bot.adapters.slack.notices import Messenger
from bot.adapters.slack.projector import Budget, Projector
from bot.adapters.slack.socket import keep_connected
from bot.adapters.slack.validation_cards import ValidationCards
from bot.adapters.slack.web import SlackWeb, web_client, web_session
from bot.adapters.system import SystemClock, SystemRandomness
from bot.domain.dashboard import PAGE
from bot.domain.errors import SocmonError
from bot.domain.oncall import StoredRoster
from bot.domain.route import Routes
from bot.domain.test_alert import WITNESSED, TestPath
from bot.ports import Clock, Network, Randomness
from bot.procedures.assess_coverage import routes as routes_to_people
from bot.procedures.check_on_call import waits_for_slack
from bot.procedures.escalate_alert import Reach
from bot.procedures.review_standard import take_standard
from bot.procedures.seal_log import MOST, DamagedLog, seal_log
from bot.procedures.show_alert import forget_problems, release_leases, reroute_threads
from bot.procedures.show_home import Installation
from bot.procedures.show_storm import reroute_storms
from bot.procedures.test_alerting import keep_paths
from bot.procedures.validate_monitoring import take_rhythm
from bot.providers import all_providers, own_ends, tools_at_the_gate
from bot.providers.contract import OnCallSource, Secrets, Witness
from bot.settings import PingStyle, Settings
from bot.standard import read_standard
from handlers.confirm import Confirming
from handlers.deployments import Gate
from handlers.health import Health
from handlers.http import SlackGuard, routes
from handlers.queues import QueueIntake
from handlers.slack import register
from handlers.slack.desk import Desk
from handlers.webhooks import Intake
from jobs.collect_on_call import collect_on_call
from jobs.schedule import COVERAGE, DASHBOARDS, Ticker, all_jobs
from jobs.send_vendor_writes import send_vendor_writes

log = logging.getLogger(__name__)

LOG_PROBLEM = "evidence:log"
TELL_SECONDS = 5
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 60.0  # seconds between looks for whom Slack knows
# A stop takes less than ten seconds: requests drain for three, then these, then the database closes in three.
PROJECTOR_SECONDS = 3.0
QUEUE_SECONDS = 3.5  # a look into a queue takes three
SEAL_SECONDS = 1.0

Beside = Callable[[], AbstractAsyncContextManager[None]]


@dataclass(kw_only=True)
class Socmon:
    """A whole socmon, built but not started. `asgi()` serves it; tests hand in their clock, randomness or network."""

    settings: Settings
    clock: Clock = field(default_factory=SystemClock)
    randomness: Randomness = field(default_factory=SystemRandomness)
    network: Network = field(default_factory=AiohttpNetwork)

    def __post_init__(self) -> None:  # noqa: PLR0915 - the one place where every part is made
        settings = self.settings
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = SingleProcess(settings.sqlite_path)
        writing = writing_engine(settings.database_url)
        with in_reach(writing):
            upgrade(writing)
            self.current = is_current(writing)
            self.origin = open_log(
                writing,
                settings.log_origin,
                named=settings.log_origin_named,
                # A guess of ours must not rename what another replica is about to sign.
                rename=settings.log_origin_named or settings.sqlite_path is not None,
            )
            self.key = LogKey.open(settings.log_key_file, self.origin, create=is_empty(writing))
            if note := last_note(writing):
                self.key.require_signed(note, settings.log_key_file)
        known = all_providers()
        asked = {name: known[name].alerts(own) for name, own in settings.providers.items()}
        self.tools = {name: tool for name, tool in asked.items() if tool}
        told = {name: known[name].teller(own) for name, own in settings.providers.items()}
        self.tellers = {name: teller for name, teller in told.items() if teller}
        self.standard, self.shipped_standard = read_standard(settings.standard_file), read_standard(None)
        self.coverage_time_to_live = settings.coverage_time_to_live
        self.coverage_budget = settings.config.coverage.most_usd_per_month
        looked_at = {name: known[name].fleet(own) for name, own in settings.providers.items()}
        self.fleets = {name: fleet for name, fleet in looked_at.items() if fleet}
        paged = {name: known[name].paging(own) for name, own in settings.providers.items()}
        self.paging = {name: paging for name, paging in paged.items() if paging}
        drawing = {name: known[name].dashboards(own) for name, own in settings.providers.items()}
        self.boards = {name: boards for name, boards in drawing.items() if boards}
        self.browser = Browser(program=settings.config.dashboards.chromium)
        kept_in = settings.config.artifacts
        self.artifacts = artifacts_in(
            settings.data_dir / "artifacts", bucket=kept_in.bucket, prefix=kept_in.prefix
        )
        self.records = Database(
            writing,
            reading_engine(settings.database_url),
            clock=self.clock,
            randomness=self.randomness,
            node=socket.gethostname(),
            code=f"socmon {__version__}",
            outward={name: teller.takes for name, teller in self.tellers.items()},
        )
        self.titles = {name: provider.title for name, provider in known.items()} | {PAGE: "Web page"}
        self.client: AsyncWebClient = web_client(
            settings.slack.bot_token.get_secret_value(), settings.slack.api_url
        )
        self.directory = Directory(self.client, settings.config.roles.holders(), self.clock)
        self.accounts = Accounts(self.directory)
        self.channels = Channels(self.client)
        self.web = SlackWeb(self.client)
        self.email = Email(
            server=settings.smtp_url.get_secret_value(),
            recipients=settings.config.operators.emails,
            sender=settings.config.operators.email_from,
        )
        self.test_senders, self.witnesses = self._test_senders()
        self.operators = self._operators()
        style = settings.config.watchdog.ping_style
        self.ping = Ping(url=settings.ping_url, plain=style is PingStyle.PLAIN)
        self.on_call_sources = self._on_call_sources()
        self.projector = Projector(
            records=self.records,
            web=self.web,
            clock=self.clock,
            randomness=self.randomness,
            budget=Budget(
                posts_per_second=settings.config.slack.posts_per_second,
                updates_per_minute=settings.config.slack.updates_per_minute,
            ),
            titles=self.titles,
            fallback=settings.slack_routes.default.channel,
            names=self.directory.names,
            report=self.operators.report,
            storms=settings.storm_rule,
            no_action=settings.no_action,
        )
        self.messenger = Messenger(
            records=self.records,
            web=self.web,
            clock=self.clock,
            titles=self.titles,
            policy=settings.escalation,
            no_action=settings.no_action,
        )
        self.sources = {name: self.titles[name] for name in settings.providers}
        self.homes = Homes(
            records=self.records,
            web=self.web,
            directory=self.directory,
            clock=self.clock,
            randomness=self.randomness,
            titles=self.titles,
            installation=Installation(
                sources=self.sources,
                version=__version__,
                teams=tuple(team.name for team in settings.config.on_call.teams),
            ),
            groups=self.groups_on_call,
        )
        self.cards = ValidationCards(records=self.records, web=self.web)
        self.ticker = Ticker(
            all_jobs(ZoneInfo(settings.config.timezone), settings.rhythm),
            records=self.records,
            clock=self.clock,
            parts=self,
            alone=settings.sqlite_path is not None,
        )
        self.bolt = self._bolt() if settings.slack.connected else None
        self.draining = False
        self.intake = self._intake()
        self.gate = Gate(
            records=self.records,
            clock=self.clock,
            secrets=Secrets(settings.deployments_secret.get_secret_value()),
            tools=tools_at_the_gate(settings.providers),
            standard=self.standard,
            time_to_live=self.coverage_time_to_live,
            routes=self.notification_routes,
            draining=lambda: self.draining,
        )
        self.queues = self._queues()
        self._acted = asyncio.Event()

    @property
    def test_paths(self) -> list[TestPath]:
        """Every way that a test alert can take here, without hops that nobody could see."""
        every = [path for sender in self.test_senders.values() for path in sender.paths()]
        return every if self.witnesses else [path.without(WITNESSED) for path in every]

    def wake(self) -> None:
        """Something in Slack may lag, or a tool may be owed word of it."""
        self.projector.wake()
        self._acted.set()

    async def reach(self) -> Reach:
        """Who there is to call."""
        leads, members = await asyncio.gather(self.directory.leads(), self.groups_on_call())
        return Reach(leads=tuple(leads), members=members, routes=self.settings.slack_routes)

    async def archived_channels(self) -> frozenset[str]:
        """Those approved channels that nobody reads any more."""
        if not self.settings.slack.connected:
            return frozenset()
        return await self.channels.archived(self.settings.config.notifications.approved_channels)

    def notification_routes(self, stored: StoredRoster | None, now: datetime) -> Routes:
        return notification_routes(self.settings, stored, now)

    async def groups_on_call(self) -> dict[str, tuple[str, ...]]:
        """The people in each user group that alerts may call."""
        routes = self.settings.slack_routes
        on_call = {name for route in (routes.default, *routes.rules) for name in route.on_call}
        return await self.directory.members([name for name in on_call if name.startswith("S")])

    async def seal(self) -> int:
        """Sign the log up to its end; returns how many entries that covers anew. Raises DamagedLog."""
        covered = 0
        try:
            while (step := await self.records.write(seal_log, seal=self.key)) == MOST:
                covered += step
        except DamagedLog as error:
            await self.operators.report(LOG_PROBLEM, str(error))
            raise
        await self.operators.mended(LOG_PROBLEM)
        return covered + step

    def asgi(self, more_routes: Sequence[BaseRoute] = (), beside: Beside = nullcontext) -> Starlette:
        """The web application. The playground adds routes, and runs `beside` socmon."""
        secret = self.settings.slack.signing_secret.get_secret_value()
        slack = (
            SlackGuard(
                AsyncSlackRequestHandler(self.bolt).handle,
                self.clock,
                report=self.operators.report,
                mended=self.operators.mended,
            )
            if self.bolt and secret
            else None
        )
        return Starlette(
            routes=[
                *routes(
                    intake=self.intake,
                    gate=self.gate,
                    health=self._health(),
                    confirming=Confirming(records=self.records),
                    slack=slack,
                ),
                *more_routes,
            ],
            lifespan=lambda _app: self._lifespan(beside),
        )

    def close(self) -> None:
        """Let go of the database; for callers that never served."""
        self.records.close()
        self._lock.release()

    def _bolt(self) -> AsyncApp:
        slack = self.settings.slack

        async def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
            """The one token there is. Bolt's own way asks auth.test first, and swallows the click when that fails."""
            token = slack.bot_token.get_secret_value()
            return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, bot_token=token)

        app = AsyncApp(
            client=web_client(None, slack.api_url),  # a token here would be Bolt's own, and authorize in vain
            authorize=authorize,
            signing_secret=slack.signing_secret.get_secret_value() or None,
        )
        desk = Desk(
            records=self.records,
            directory=self.directory,
            client=self.client,
            clock=self.clock,
            titles=self.titles,
            zone=ZoneInfo(self.settings.config.timezone),
            sources=self.sources,
            version=__version__,
            wake=self.wake,
            report=self.operators.report,
            reach=self.reach,
            policy=self.settings.escalation,
            no_action=self.settings.no_action,
            homes=self.homes,
            coverage_time_to_live=self.coverage_time_to_live,
            artifacts=self.artifacts,
            recheck=lambda: self.ticker.run_now(COVERAGE),
            boards=self.boards,
            capture=lambda: self.ticker.run_now(DASHBOARDS),
            validation_channel=self.settings.config.slack.validation_channel or "",
            standard=self.standard,
            shipped_standard=self.shipped_standard,
            randomness=self.randomness,
            validation_zone=ZoneInfo(self.settings.rhythm.zone),
            separation=self.settings.config.policy.separation_of_duties,
            cards=self.cards,
        )
        register(app, desk)
        return app

    def _operators(self) -> Operators:
        settings = self.settings
        key = settings.operators_pagerduty_key.get_secret_value()
        return Operators(
            records=self.records,
            web=self.web,
            admins=self.directory.admins,
            email=self.email,
            pagerduty=PagerDuty(key=key, url=settings.pagerduty_events_url),
        )

    def _test_senders(self) -> tuple[Mapping[str, Any], Mapping[str, Witness]]:
        """(the ways to send test alerts, the tools that say how far one came), of what is connected."""
        known, connected = all_providers(), self.settings.providers
        sent = {name: known[name].test_alerts(own) for name, own in connected.items()}
        seen = {name: known[name].witness(own) for name, own in connected.items()}
        mailing = EmailTestAlerts(
            email=self.email, public_url=self.settings.public_url, randomness=self.randomness
        )
        senders = {name: sender for name, sender in sent.items() if sender}
        return {**senders, EMAIL: mailing}, {name: witness for name, witness in seen.items() if witness}

    def _on_call_sources(self) -> dict[str, OnCallSource]:
        """The tools that know who is on call, of those that are connected."""
        offers = {name: all_providers()[name].oncall for name in self.settings.providers}
        return {name: make(self.settings.providers[name]) for name, make in offers.items() if make}

    def _intake(self) -> Intake:
        known = all_providers()
        webhooks = {
            name: known[name].webhook(own, self.network) for name, own in self.settings.providers.items()
        }
        return Intake(
            records=self.records,
            webhooks=webhooks,
            routes=self.settings.slack_routes,
            clock=self.clock,
            wake=self.wake,
        )

    def _queues(self) -> list[QueueIntake]:
        opened = {
            name: all_providers()[name].queue(own, self.network)
            for name, own in self.settings.providers.items()
        }
        return [
            QueueIntake(
                provider=name,
                queue=queue,
                intake=self.intake,
                stopping=lambda: self.draining,
                report=self.operators.report,
                mended=self.operators.mended,
            )
            for name, queue in opened.items()
            if queue is not None
        ]

    def _health(self) -> Health:
        return Health(
            records=self.records,
            clock=self.clock,
            draining=lambda: self.draining,
            current=lambda: self.current,
            waiting=lambda: self.records.waiting,
        )

    @asynccontextmanager
    async def _lifespan(self, beside: Beside) -> AsyncIterator[None]:
        """Start the parts; at the end finish what is under way, sign the log once more, and let go."""
        try:
            async with beside(), web_session() as session, self._socket_mode(session):
                wakeup = Wakeup(self.settings.database_url, self.wake)
                wakeup.start()
                if self.settings.sqlite_path is not None:
                    await self.records.write(release_leases)
                await self.records.write(take_standard, self.standard)
                await self.records.write(keep_paths, self.test_paths)
                await self.records.write(take_rhythm, self.settings.rhythm)
                await self.records.write(reroute_threads, self.settings.slack_routes)
                await self.records.write(reroute_storms, self.settings.slack_routes)
                working = asyncio.create_task(self.projector.run()) if self.settings.slack.connected else None
                await self.records.write(forget_problems, "sqs:", but=[one.queue.name for one in self.queues])
                taking = [asyncio.create_task(queue.run()) for queue in self.queues]
                telling = asyncio.create_task(self._tell_tools()) if self.tellers else None
                self.ticker.start()
                asking = asyncio.create_task(self._ask_who_is_on_call())
                saying = asyncio.create_task(self._say_it_started())
                log.info("socmon %s is ready; the log is %s", __version__, self.origin)
                yield
                self.draining = True
                asking.cancel()
                saying.cancel()
                if telling:
                    telling.cancel()
                await asyncio.gather(
                    self.ticker.stop(),
                    _ended(working),
                    *map(_ended_by_itself, taking),
                    asyncio.to_thread(wakeup.stop),
                )
                await self._seal_at_the_end()
        finally:
            self.close()

    async def _tell_tools(self) -> None:
        """At once after an act, and every few seconds for what is to be tried again.

        No job of the ledger: each write is claimed by a lease of its own.
        """
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._acted.wait(), TELL_SECONDS)
            self._acted.clear()
            try:
                await send_vendor_writes(self)
            except SocmonError as error:
                log.warning("the tools wait for the records: %s", error)
            except Exception:
                log.exception("telling the tools failed; it goes on")

    async def _ask_who_is_on_call(self) -> None:
        """At once, so that the first alert after a start calls the right people; from then on a job does.

        Whom Slack did not tell of, because it did not answer, is asked for again within seconds.
        """
        pause = FIRST_PAUSE
        try:
            await collect_on_call(self)
            while self.settings.slack.connected and await self.records.read(waits_for_slack):
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
                await collect_on_call(self)
        except Exception:
            log.exception("who is on call could not be collected at the start; the job tries again")

    async def _say_it_started(self) -> None:
        if self.ping and (problem := await self.ping.started()):
            log.warning("%s", problem)

    async def _seal_at_the_end(self) -> None:
        try:
            async with asyncio.timeout(SEAL_SECONDS):
                await self.seal()
        except (SocmonError, TimeoutError) as error:
            why = str(error) or f"the database has not answered within {SEAL_SECONDS} s"
            log.warning("the log could not be signed at the end, the next start does it: %s", why)

    @asynccontextmanager
    async def _socket_mode(self, session: aiohttp.ClientSession) -> AsyncIterator[None]:
        """Connects beside everything else: while Slack refuses the app token, alerts are received all the same."""
        self.client.session = session
        token = self.settings.slack.app_token.get_secret_value()
        if not token or self.bolt is None:
            yield
            return
        handler = AsyncSocketModeHandler(self.bolt, token, web_client=self.client)
        keeping = asyncio.create_task(
            keep_connected(handler.client, report=self.operators.report, mended=self.operators.mended)
        )
        try:
            yield
        finally:
            keeping.cancel()
            await handler.close_async()  # type: ignore[no-untyped-call]


def notification_routes(settings: Settings, stored: StoredRoster | None, now: datetime) -> Routes:
    """What decides whether a monitor's target reaches somebody who is on call."""
    return routes_to_people(
        stored,
        now,
        own=own_ends(settings.providers, settings.public_url),
        **settings.notification_rules,
    )


async def _ended(working: asyncio.Task[None] | None) -> None:
    if working:
        working.cancel()
        await asyncio.wait([working], timeout=PROJECTOR_SECONDS)


async def _ended_by_itself(taking: asyncio.Task[None]) -> None:
    """Cut off, a look into a queue would hide what it finds from the next process for a while."""
    await asyncio.wait([taking], timeout=QUEUE_SECONDS)
    taking.cancel()
