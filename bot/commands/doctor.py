"""`socmon doctor`: looks at all that a working installation needs; each finding says what is wrong and its mend."""

import asyncio
import json
import stat
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from slack_sdk.errors import SlackApiError

from bot.adapters.database.engine import describe, reading_engine
from bot.adapters.database.migrate import is_current, refuse_newer
from bot.adapters.evidence.keys import LogKey
from bot.adapters.network import AiohttpNetwork
from bot.adapters.slack.manifest import METHOD_SCOPES
from bot.adapters.slack.web import web_client
from bot.adapters.system import SystemClock
from bot.commands.records import records_of
from bot.domain.errors import SocmonError, WrongSettings
from bot.domain.oncall import window
from bot.domain.person import ROLE_NAMES, Role
from bot.domain.prerequisite import Prerequisite, Standing, documents
from bot.domain.standard import Standard
from bot.domain.standard_version import in_force
from bot.procedures.check_prerequisites import prerequisites
from bot.procedures.review_standard import StandardStanding, standing
from bot.providers import all_providers
from bot.providers.contract import Fleet, Secrets, secret_findings
from bot.settings import SLACK_API, Settings, load_settings, read_environment
from bot.standard import read_standard

HISTORY = frozenset({"channels:history", "groups:history"})
MOST_SKEW_SECONDS = 30


class Level(StrEnum):
    OK = "ok"
    HINT = "hint"  # works, but weaker than it could be
    FAULT = "fault"


_LEVELS = {Standing.MET: Level.OK, Standing.WEAK: Level.HINT, Standing.UNMET: Level.FAULT}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was checked. `mend` says what to do, where there is something to do."""

    level: Level
    subject: str
    text: str
    mend: str = ""


def run(*, offline: bool, as_json: bool) -> int:
    """Print every finding; exit code 1 when one is a fault."""
    try:
        settings = load_settings(read_environment(), all_providers())
    except SocmonError as error:
        findings = [Finding(level=Level.FAULT, subject="configuration", text=str(error))]
    else:
        findings = [*local_findings(settings), *([] if offline else asyncio.run(remote_findings(settings)))]
    if as_json:
        print(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        for finding in findings:
            print(_line(finding))
    return 1 if any(finding.level is Level.FAULT for finding in findings) else 0


def local_findings(settings: Settings) -> list[Finding]:
    """What can be checked without asking anybody."""
    return [
        *_configuration(settings),
        *_database(settings),
        *_modes(settings),
        *_key(settings),
        *_sources(settings),
        *_prerequisites(settings),
        *_standard(settings),
        *_slack_settings(settings),
    ]


async def remote_findings(settings: Settings) -> list[Finding]:
    """What Slack says of our token, scopes, channels and clock, and whether tools, queues and our address answer."""
    found = [
        *await _public_address(settings),
        *await asyncio.to_thread(lambda: list(_queues(settings))),
        *await _rosters(settings),
        *await _rights(settings),
    ]
    if not settings.slack.connected:
        return found
    client = web_client(settings.slack.bot_token.get_secret_value(), settings.slack.api_url)
    try:
        before = time.time()
        me: Any = await client.auth_test()
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the finding
        mend = "Check SLACK_BOT_TOKEN (Slack: your app, OAuth & Permissions), and that this machine reaches Slack."
        return [*found, _fault("slack token", f"Slack does not accept the token: {_reason(error)}.", mend)]
    found.append(_ok("slack token", f"Slack knows us as {me['user']} in {me['team']}."))
    found += _scopes(me.headers)
    found += _clock(me.headers, before)
    for channel in _channels(settings):
        found.append(await _channel(client, channel))
    return found


def _configuration(settings: Settings) -> Iterator[Finding]:
    roles = settings.config.roles.holders()
    for role in (Role.RESPONDER, Role.LEAD, Role.ADMIN):
        if not roles[role]:
            mend = f'Name them under [roles] {role.value} = ["U…"] in the file that SOCMON_CONFIG names.'
            yield _fault("roles", f"Nobody is {ROLE_NAMES[role]}.", mend)
    if not settings.config.slack.on_call:
        mend = 'Set [slack] on_call = ["U…"] to a person or user group: they are called when no roster names anybody.'
        yield _hint("on call", "When no team is on call, nobody is mentioned as an alert triggers.", mend)


def _database(settings: Settings) -> Iterator[Finding]:
    path = settings.sqlite_path
    if path is not None and not path.exists():
        yield _hint("database", f"{path} does not exist yet.", "It is made at the first start.")
        return
    try:
        engine = reading_engine(settings.database_url)
        facts = describe(engine)
        current = is_current(engine)
        with engine.connect() as connection:
            refuse_newer(connection)
        engine.dispose()
    except WrongSettings as error:
        yield _fault("database", str(error), "")
        return
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the finding
        yield _fault(
            "database", f"The database does not answer: {error}.", "Check SOCMON_DATABASE_URL and the server."
        )
        return
    yield _ok("database", ", ".join(f"{name} {value}" for name, value in facts.items()))
    if not current:
        yield _fault("database", "Its schema is older than this socmon.", "Run `socmon db upgrade`.")
    if facts.get("fsync") == "off":
        yield _fault("database", "PostgreSQL runs with fsync=off: a power cut loses alerts.", "Set fsync=on.")
    if facts.get("journal_mode") == "truncate":
        mend = "Install the pysqlite3 package (it brings a newer SQLite) for more speed; nothing is unsafe."
        yield _hint(
            "database", "This SQLite is too old for a safe WAL, so the slower rollback journal is used.", mend
        )


def _modes(settings: Settings) -> Iterator[Finding]:
    """Whole deliveries lie there, with whatever secrets the tools put into them."""
    database = settings.sqlite_path
    folders = {settings.data_dir, *([database.resolve().parent] if database else [])}
    beside = database.resolve().parent.glob(f"{database.resolve().name}*") if database else ()
    for path, mode in [
        *((folder, 0o700) for folder in sorted(folders)),
        *((file, 0o600) for file in sorted(beside)),
    ]:
        if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077:
            text = f"{path} is open to other accounts of this machine (mode {stat.S_IMODE(path.stat().st_mode):04o})."
            yield _hint("file modes", text, f"Close it: chmod {mode:04o} {path}")


def _key(settings: Settings) -> Iterator[Finding]:
    if not settings.log_key_file.exists():
        mend = "It is made at the first start; with PostgreSQL, copy the same file to every replica."
        yield _hint("log key", f"{settings.log_key_file} does not exist yet.", mend)
        return
    try:
        key = LogKey.open(settings.log_key_file, settings.log_origin)
    except SocmonError as error:
        yield _fault("log key", str(error), "")
        return
    yield _ok("log key", f"Note this public key somewhere else: {key.vkey}")


def _sources(settings: Settings) -> Iterator[Finding]:
    if not settings.providers:
        mend = (
            "Add a table such as [providers.datadog] with enabled = true; docs/providers has a page for each."
        )
        yield _fault("sources", "No monitoring tool is connected.", mend)
    for name, own in settings.providers.items():
        troubles = all_providers()[name].findings(own)
        for trouble in troubles:
            yield _fault(f"source {name}", trouble, "")
        if not troubles:
            yield _ok(f"source {name}", "Its deliveries can be authenticated.")
    if gate := Secrets(settings.deployments_secret.get_secret_value()):
        for trouble in secret_findings("deployments", gate):
            yield _fault("deployments", trouble, "")


def _prerequisites(settings: Settings) -> list[Finding]:
    """The four that the control starts from, as the records tell of them; links are not followed.

    Most such pages stand behind a sign-in, so that one answers would not say that it is there.
    """
    today = SystemClock().now().date()
    fleets = _fleets(settings)
    try:
        with records_of(settings) as ask:
            found: list[Prerequisite] = ask(
                prerequisites,
                tools={name: all_providers()[name].title for name in fleets},
                has_teams=bool(settings.config.on_call.teams),
                written=settings.documents,
                time_to_live=settings.coverage_time_to_live,
            )
    except SocmonError as error:
        text = f"Inventory, rights and who is on call cannot be looked at: {error}"
        return [_hint("prerequisites", text, ""), *map(_prerequisite, documents(settings.documents, today))]
    return list(map(_prerequisite, found))


def _prerequisite(one: Prerequisite) -> Finding:
    return Finding(level=_LEVELS[one.standing], subject=one.needed.value, text=one.says, mend=one.mend)


def _fleets(settings: Settings) -> dict[str, Fleet]:
    asked = {name: all_providers()[name].fleet(own) for name, own in settings.providers.items()}
    return {name: fleet for name, fleet in asked.items() if fleet}


def _standard(settings: Settings) -> Iterator[Finding]:
    """Coverage goes by it, so somebody should have read and approved it."""
    try:
        standard = read_standard(settings.standard_file)
    except WrongSettings as error:
        yield Finding(level=Level.FAULT, subject="standard", text=str(error))
        return
    stands = _versions(settings, standard)
    for fault in stands.due:
        text, _, mend = fault.partition(". ")
        yield _hint("standard", f"{text}.", mend)
    if stands.review and not stands.due:
        yield _ok("standard", f"reviewed on {stands.review.on}, approved by {standard.approved_by}")


def _versions(settings: Settings, standard: Standard) -> StandardStanding:
    """With what was in force before, and its reviews, where records can be read."""
    try:
        with records_of(settings) as ask:
            stands: StandardStanding = ask(standing, standard)
    except SocmonError:
        now = SystemClock().now()
        return StandardStanding(versions=tuple(in_force((), standard, now)), now=now)
    return stands


async def _rosters(settings: Settings) -> list[Finding]:
    """Whether the tools tell who is on call."""
    found = []
    now = SystemClock().now()
    start, end = window(now)
    for provider, policies in settings.policies.items():
        known = all_providers()[provider]
        if known.oncall is None:
            continue
        source = known.oncall(settings.providers[provider])
        told = await asyncio.to_thread(source.read, policies, start=start, end=end, as_of=now)
        subject = f"on call {provider}"
        if told.complete:
            found.append(_ok(subject, f"{known.title} tells who is on call for {', '.join(policies)}."))
        else:
            found.append(_fault(subject, f"{known.title} does not tell who is on call.", told.reason))
    return found


async def _rights(settings: Settings) -> list[Finding]:
    """Whether the tools grant all that socmon reads with: each is asked, with the least request for each permission."""
    fleets, now = _fleets(settings), SystemClock().now()
    told = await asyncio.gather(*(asyncio.to_thread(fleet.check_rights, now) for fleet in fleets.values()))
    found = []
    for name, pulled in zip(fleets, told, strict=True):
        title, subject, granted = all_providers()[name].title, f"rights {name}", ", ".join(pulled.items)
        if pulled.complete:
            found.append(_ok(subject, f"{title} lets socmon read all it needs: {granted}."))
        else:
            text = f"{title} does not let socmon read all it needs (granted: {granted or 'nothing'})."
            found.append(_fault(subject, text, pulled.reason))
    return found


def _slack_settings(settings: Settings) -> Iterator[Finding]:
    slack = settings.slack
    if not slack.connected:
        mend = "Create the app from `socmon manifest`, install it, and set SLACK_BOT_TOKEN."
        yield _fault("slack", "SLACK_BOT_TOKEN is not set: nobody sees the alerts.", mend)
    has_app_token, has_secret = slack.app_token.get_secret_value(), slack.signing_secret.get_secret_value()
    if not has_app_token and not has_secret:
        mend = "Set SLACK_APP_TOKEN (Socket Mode) or SLACK_SIGNING_SECRET (HTTP)."
        yield _fault("slack", "Clicks cannot reach socmon.", mend)
    if has_secret and not has_app_token and not settings.public_url:
        mend = "Set SOCMON_PUBLIC_URL and paste `socmon manifest --http` into the app's settings."
        yield _fault("public address", "Over HTTP, Slack needs an address to send clicks to.", mend)
    if settings.public_url and urlsplit(settings.public_url).scheme != "https":
        yield _fault(
            "public address", f"{settings.public_url} is not https.", "Put a TLS proxy in front of socmon."
        )
    if slack.api_url != SLACK_API:
        yield _hint("slack", f"SLACK_API_URL is {slack.api_url}, not Slack's own.", "Unset it outside tests.")


async def _public_address(settings: Settings) -> list[Finding]:
    if not settings.public_url:
        return []
    try:
        answer = await AiohttpNetwork().get(f"{settings.public_url}/healthz", most_bytes=1024, seconds=5)
    except (OSError, TimeoutError, ValueError) as error:
        mend = "Start socmon, and check DNS, TLS and the proxy in front of it. Inside some networks this is normal."
        return [_hint("public address", f"{settings.public_url} does not answer from here: {error}.", mend)]
    if answer.status != 200:
        text = f"{settings.public_url}/healthz answers {answer.status}."
        return [_fault("public address", text, "Let the proxy pass every path on to socmon.")]
    return [_ok("public address", f"{settings.public_url} reaches a socmon.")]


def _queues(settings: Settings) -> Iterator[Finding]:
    for name, own in settings.providers.items():
        queue = all_providers()[name].queue(own, AiohttpNetwork())
        if queue is None:
            continue
        look = queue.look()
        for fault in look.faults:
            yield _fault(f"queue {queue.name}", fault, "")
        if look.says:
            level = Level.HINT if look.faults else Level.OK
            yield Finding(level=level, subject=f"queue {queue.name}", text=look.says)


def _scopes(headers: Any) -> Iterator[Finding]:
    text = next((value for name, value in headers.items() if name.lower() == "x-oauth-scopes"), None)
    if text is None:
        yield _hint("scopes", "Slack did not say which scopes the token has.", "")
        return
    granted = {scope.strip() for scope in text.split(",")}
    needed = frozenset().union(*METHOD_SCOPES.values(), {"commands"}) - HISTORY
    missing = sorted(needed - granted)
    if missing:
        mend = "Paste `socmon manifest` into the app's settings and reinstall it to the workspace."
        yield _fault("scopes", f"The token lacks {', '.join(missing)}.", mend)
    else:
        yield _ok("scopes", "The token has every scope it needs.")
    if HISTORY - granted:
        mend = "Grant channels:history and groups:history if you want that closed; socmon reads nothing else with them."
        yield _hint(
            "scopes",
            "Without a history scope, a lost answer of Slack can post an alert's parent twice.",
            mend,
        )


def _clock(headers: Any, before: float) -> Iterator[Finding]:
    text = next((value for name, value in headers.items() if name.lower() == "date"), None)
    if text is None:
        return
    try:
        skew = abs(parsedate_to_datetime(text).timestamp() - before)
    except ValueError:
        yield _hint(
            "clock", f"Slack's clock says {text!r}, which is no time.", "Look at the proxy in between."
        )
        return
    if skew > MOST_SKEW_SECONDS:
        mend = "Turn on NTP: Slack and the tools refuse signatures from a wrong clock, and evidence needs right times."
        yield _fault("clock", f"This machine's clock and Slack's are {skew:.0f} s apart.", mend)
    else:
        yield _ok("clock", "It agrees with Slack's.")


def _channels(settings: Settings) -> list[str]:
    table = settings.config.slack
    named = [table.alerts_channel, table.validation_channel, *(rule.channel for rule in table.routes)]
    return list(dict.fromkeys(channel for channel in named if channel))


async def _channel(client: Any, channel: str) -> Finding:
    try:
        info = (await client.conversations_info(channel=channel))["channel"]
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the finding
        mend = "Correct the id under [slack], or invite the app: /invite @socmon."
        return _fault(f"channel {channel}", f"Slack does not show it to us: {_reason(error)}.", mend)
    name = f"#{info.get('name', channel)}"
    if info.get("is_archived"):
        return _fault(
            f"channel {channel}", f"{name} is archived.", "Unarchive it, or name another one under [slack]."
        )
    if not info.get("is_member"):
        return _fault(f"channel {channel}", f"socmon is not in {name}.", f"In {name}, type /invite @socmon.")
    return _ok(f"channel {channel}", f"{name} is open to us.")


def _reason(error: Exception) -> str:
    return (
        str(error.response.get("error"))
        if isinstance(error, SlackApiError)
        else f"{type(error).__name__}: {error}"
    )


def _ok(subject: str, text: str) -> Finding:
    return Finding(level=Level.OK, subject=subject, text=text)


def _hint(subject: str, text: str, mend: str) -> Finding:
    return Finding(level=Level.HINT, subject=subject, text=text, mend=mend)


def _fault(subject: str, text: str, mend: str) -> Finding:
    return Finding(level=Level.FAULT, subject=subject, text=text, mend=mend)


def _line(finding: Finding) -> str:
    sign = {Level.OK: "✓", Level.HINT: "·", Level.FAULT: "✗"}[finding.level]
    return f"{sign} {finding.subject}: {finding.text}" + (f"\n    → {finding.mend}" if finding.mend else "")
