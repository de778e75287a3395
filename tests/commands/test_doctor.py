"""`socmon doctor`: what is wrong with an installation, and how to mend it."""

import asyncio
import json
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.evidence.keys import LogKey
from bot.cli import main
from bot.commands.doctor import Finding, Level, local_findings, remote_findings
from bot.domain.errors import WrongSettings
from bot.playground.pagerduty import KEY
from bot.playground.pagerduty_shapes import policy
from bot.procedures.check_on_call import review_contacts, take_roster
from bot.providers import all_providers
from bot.settings import Settings, load_settings
from tests.fake_datadog import fake_datadog
from tests.fake_pagerduty import fake_pagerduty
from tests.reports import LEAD
from tests.rosters import person, roster
from tests.slack_server import BROKEN, CUT, NO_JSON, SlackServer, says, slack_server
from tests.world import ORIGIN, Ledger

CONFIG = """\
[slack]
alerts_channel = "C0ALERTS"
on_call = ["U0SAM"]
[roles]
responders = ["*"]
engineering_lead = ["U0LEAD"]
admins = ["U0ADMIN"]
[providers.generic]
"""
SECRET = "0123456789abcdef0123456789abcdef"
ENVIRON = {
    "SLACK_BOT_TOKEN": "xoxb-canary",
    "SLACK_APP_TOKEN": "xapp-canary",
    "SOCMON_WEBHOOK_SECRET_GENERIC": SECRET,
    "SOCMON_LOG_ORIGIN": ORIGIN,
}
SCOPES = ",".join(
    [
        *(
            "chat:write",
            "channels:read",
            "groups:read",
            "im:write",
            "files:write",
            "usergroups:read",
            "users:read",
        ),
        *("users:read.email", "commands", "channels:history", "groups:history"),
    ]
)
STANDARD = ["standard"] * 3
"""No owner, no approval, no review."""
TODAY = datetime.now(UTC).date()
Load = Callable[..., Settings]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """The settings of an installation in good order, but for what the test changes."""

    def loaded(config: str = CONFIG, *, lived_in: bool = True, **environ: str) -> Settings:
        file = tmp_path / "socmon.toml"
        file.write_text(config)
        data = tmp_path / "data"
        if lived_in and not data.exists():
            data.mkdir(mode=0o700)
            Ledger(f"sqlite:///{data / 'socmon.db'}").database.close()
            LogKey.open(data / "log.key", ORIGIN)
        given = {"SOCMON_CONFIG": str(file), "SOCMON_DATA_DIR": str(data)}
        return load_settings(given | ENVIRON | environ, all_providers())

    return loaded


def faults(findings: list[Finding], level: Level = Level.FAULT) -> list[tuple[str, str]]:
    return [(finding.subject, finding.text) for finding in findings if finding.level is level]


def test_an_installation_in_good_order_has_no_faults(load: Load) -> None:
    """Every check has a finding; the public key is told, so that it can be noted elsewhere."""
    settings = load()
    findings = local_findings(settings)

    assert faults(findings) == []
    assert [subject for subject, _ in faults(findings, Level.HINT)] == [
        "inventory",
        "rights",
        "on call",
        "documents",
        "documents",
        *STANDARD,
    ], "nobody has put anything in scope here, and no team has a roster"
    told = " ".join(text for _, text in faults(findings, Level.OK))
    assert LogKey.open(settings.log_key_file, ORIGIN, create=False).vkey in told
    assert "journal_mode" in told


def test_files_that_others_can_read_are_named(load: Load) -> None:
    """The folder and the database, each with the command that closes it."""
    settings = load()
    settings.data_dir.chmod(0o755)
    (settings.data_dir / "socmon.db").chmod(0o644)

    found = [one for one in local_findings(settings) if one.subject == "file modes"]

    assert [(one.level, one.mend) for one in found] == [
        (Level.HINT, f"Close it: chmod 0700 {settings.data_dir}"),
        (Level.HINT, f"Close it: chmod 0600 {settings.data_dir / 'socmon.db'}"),
    ]


LOCAL: dict[str, tuple[str, str, dict[str, str]]] = {
    "nobody responds": ("roles", CONFIG.replace('responders = ["*"]', ""), {}),
    "nobody leads": ("roles", CONFIG.replace('engineering_lead = ["U0LEAD"]', ""), {}),
    "nobody administrates": ("roles", CONFIG.replace('admins = ["U0ADMIN"]', ""), {}),
    "no source": ("sources", CONFIG.replace("[providers.generic]", ""), {}),
    "a source without a secret": ("source generic", CONFIG, {"SOCMON_WEBHOOK_SECRET_GENERIC": ""}),
    "a weak secret": ("source generic", CONFIG, {"SOCMON_WEBHOOK_SECRET_GENERIC": "hunter2"}),
    "a weak secret of pipelines": (
        "deployments",
        CONFIG,
        {"SOCMON_WEBHOOK_SECRET_DEPLOYMENTS": "hunter2"},
    ),
    "no token": ("slack", CONFIG, {"SLACK_BOT_TOKEN": ""}),
    "no way for clicks": ("slack", CONFIG, {"SLACK_APP_TOKEN": ""}),
    "clicks over HTTP without an address": (
        "public address",
        CONFIG,
        {"SLACK_APP_TOKEN": "", "SLACK_SIGNING_SECRET": "s"},
    ),
    "a public address without TLS": (
        "public address",
        CONFIG,
        {"SOCMON_PUBLIC_URL": "http://soc.example.com"},
    ),
    "a database out of reach": (
        "database",
        CONFIG,
        {
            "SOCMON_DATABASE_URL": "postgresql+psycopg://s:canary@127.0.0.1:9/s",
            "SOCMON_LOG_KEY_FILE": "/nowhere/key",
        },
    ),
}


@pytest.mark.parametrize(("subject", "config", "environ"), LOCAL.values(), ids=LOCAL.keys())
def test_what_is_wrong_is_one_fault_with_its_mend(
    load: Load, subject: str, config: str, environ: dict[str, str]
) -> None:
    """And nothing else is blamed; no secret is shown."""
    findings = local_findings(load(config, **environ))

    wrong = [finding for finding in findings if finding.level is Level.FAULT]
    assert [finding.subject for finding in wrong] == [subject]
    assert wrong[0].mend or " Set " in wrong[0].text or " Replace " in wrong[0].text
    assert "canary" not in repr(findings)
    assert "hunter2" not in repr(findings)


def test_before_the_first_start_there_are_hints_and_no_faults(load: Load) -> None:
    """Database and key are made at the first start; looking makes neither."""
    settings = load(lived_in=False)

    findings = local_findings(settings)

    assert faults(findings) == []
    assert [subject for subject, _ in faults(findings, Level.HINT)] == [
        "database",
        "log key",
        "prerequisites",
        "documents",
        "documents",
        *STANDARD,
    ]
    assert not settings.data_dir.exists()


def test_a_key_that_others_can_read_is_a_fault(load: Load) -> None:
    """Whoever can read it can sign."""
    settings = load()
    settings.log_key_file.chmod(0o644)

    assert [subject for subject, _ in faults(local_findings(settings))] == ["log key"]


@pytest.mark.parametrize(
    ("revision", "said"), [("0001", "socmon db upgrade"), ("9999", "Start the newer version")]
)
def test_a_database_of_another_version_is_a_fault(load: Load, revision: str, said: str) -> None:
    """Older: with the command to run. Newer: no command of this version helps."""
    settings = load()
    with sqlite3.connect(settings.sqlite_path or "") as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", [revision])
    connection.close()

    [wrong] = [finding for finding in local_findings(settings) if finding.level is Level.FAULT]
    assert (wrong.subject, said in f"{wrong.text} {wrong.mend}") == ("database", True)


# What Slack says


@pytest.fixture
def slack_says(load: Load) -> Callable[..., list[Finding]]:
    """The findings about a Slack that a test has prepared."""

    def asked(prepare: Callable[[SlackServer], None], config: str = CONFIG, **environ: str) -> list[Finding]:
        async def ask() -> list[Finding]:
            async with slack_server() as slack:
                slack.scopes = SCOPES
                slack.channels = {"C0ALERTS": {"name": "alerts", "is_member": True, "is_archived": False}}
                prepare(slack)
                return await remote_findings(load(config, SLACK_API_URL=slack.url, **environ))

        return asyncio.run(ask())

    return asked


Ask = Callable[..., list[Finding]]


def test_a_slack_in_good_order_has_no_faults(slack_says: Ask) -> None:
    """Token, scopes, clock and channel are each told."""
    findings = slack_says(lambda _: None)

    assert {finding.level for finding in findings} == {Level.OK}
    assert [finding.subject for finding in findings] == ["slack token", "scopes", "clock", "channel C0ALERTS"]


def _is(name: str, value: Any) -> Callable[[SlackServer], None]:
    return lambda slack: setattr(slack, name, value)


def _channel(**facts: Any) -> Callable[[SlackServer], None]:
    return lambda slack: slack.channels["C0ALERTS"].update(facts)


def _always(method: str, fault: Any) -> Callable[[SlackServer], None]:
    return lambda slack: slack.always.update({method: fault})


def _clock(minutes: int) -> Callable[[SlackServer], None]:
    def prepare(server: SlackServer) -> None:  # not before: the tests may have run for minutes
        skewed = format_datetime(datetime.now(UTC) + timedelta(minutes=minutes), usegmt=True)
        _is("headers", {"Date": skewed})(server)

    return prepare


REMOTE: dict[str, tuple[Callable[[SlackServer], None], Level, str, str]] = {
    "the token is bad": (
        _always("auth.test", says("invalid_auth")),
        Level.FAULT,
        "slack token",
        "invalid_auth",
    ),
    "Slack is down": (_always("auth.test", BROKEN), Level.FAULT, "slack token", ""),
    "scopes are missing": (
        _is("scopes", SCOPES.replace("chat:write,", "").replace("users:read.email,", "")),
        Level.FAULT,
        "scopes",
        "chat:write, users:read.email",
    ),
    "the history scope is missing": (
        _is("scopes", SCOPES.replace(",groups:history", "")),
        Level.HINT,
        "scopes",
        "twice",
    ),
    "the channel is archived": (
        _channel(is_archived=True),
        Level.FAULT,
        "channel C0ALERTS",
        "#alerts is archived",
    ),
    "the bot is not a member": (_channel(is_member=False), Level.FAULT, "channel C0ALERTS", "not in #alerts"),
    "there is no such channel": (_is("channels", {}), Level.FAULT, "channel C0ALERTS", "channel_not_found"),
    "the channel cannot be asked about": (
        _always("conversations.info", BROKEN),
        Level.FAULT,
        "channel C0ALERTS",
        "",
    ),
    "the clock is ahead": (_clock(-5), Level.FAULT, "clock", "s apart"),
    "the clock is behind": (_clock(5), Level.FAULT, "clock", "s apart"),
}


@pytest.mark.parametrize(("prepare", "level", "subject", "words"), REMOTE.values(), ids=REMOTE.keys())
def test_what_slack_tells_of_is_one_finding(
    slack_says: Ask, prepare: Callable[[SlackServer], None], level: Level, subject: str, words: str
) -> None:
    """Named, with its mend, and nothing else is blamed."""
    findings = slack_says(prepare)

    [wrong] = [finding for finding in findings if finding.level is not Level.OK]
    assert (wrong.level, wrong.subject) == (level, subject)
    assert words in wrong.text
    assert wrong.mend


@pytest.mark.parametrize("fault", ["hang up", "garbage", "a date that is none"])
def test_a_slack_that_makes_no_sense_is_a_finding_too(slack_says: Ask, fault: str) -> None:
    """The doctor never falls ill itself."""

    prepare = {
        "hang up": _always("conversations.info", CUT),
        "garbage": _always("conversations.info", NO_JSON),
        "a date that is none": _is("headers", {"Date": "yesterday"}),
    }[fault]

    assert len(slack_says(prepare)) >= 3


def test_every_channel_that_is_named_is_looked_at(slack_says: Ask) -> None:
    """Alerts, validation and routes; each once."""
    config = CONFIG.replace(
        "[roles]", 'validation_channel = "C0SOC2"\n[[slack.routes]]\nchannel = "C0ALERTS"\n[roles]'
    )
    findings = slack_says(lambda _: None, config)

    channels = [
        (finding.subject, finding.level) for finding in findings if finding.subject.startswith("channel")
    ]
    assert channels == [("channel C0ALERTS", Level.OK), ("channel C0SOC2", Level.FAULT)]


def test_without_a_token_slack_is_not_asked(slack_says: Ask) -> None:
    """The missing token is a local finding."""
    asked: list[SlackServer] = []

    assert slack_says(asked.append, SLACK_BOT_TOKEN="") == []
    assert asked[0].calls == []


def test_a_public_address_that_does_not_answer_is_a_hint(slack_says: Ask) -> None:
    """From inside some networks that is normal."""
    findings = slack_says(lambda _: None, SOCMON_PUBLIC_URL="http://127.0.0.1:9", SLACK_BOT_TOKEN="")

    assert [(finding.subject, finding.level) for finding in findings] == [("public address", Level.HINT)]


# The command


def test_the_command_prints_findings_and_says_whether_one_is_a_fault(
    load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 0 or 1, for people and for machines; a configuration that cannot be read is a finding, too."""
    load()
    for name, value in ENVIRON.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SOCMON_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("SOCMON_CONFIG", str(tmp_path / "socmon.toml"))

    healthy = main(["doctor", "--offline"])
    text = capsys.readouterr().out
    monkeypatch.setenv("SLACK_BOT_TOKEN", "")
    ill = main(["doctor", "--offline", "--json"])
    told = json.loads(capsys.readouterr().out)
    (tmp_path / "socmon.toml").write_text("[slak]")
    broken = main(["doctor"])

    assert (healthy, ill, broken) == (0, 1, 1)
    assert "✓ database" in text
    assert {"level": "fault", "subject": "slack"}.items() <= next(
        f for f in told if f["level"] == "fault"
    ).items()
    assert 'Did you mean "slack"?' in capsys.readouterr().out


TEAM = """\
[[on_call.teams]]
name = "platform"
pagerduty_policy = "PT20YPA"
[providers.pagerduty]
"""
PAGERDUTY = {"SOCMON_WEBHOOK_SECRET_PAGERDUTY": SECRET}


def on_call_findings(settings: Settings) -> list[tuple[Level, str]]:
    return [(each.level, each.text) for each in local_findings(settings) if each.subject == "on call"]


def test_who_is_on_call_is_checked(load: Load) -> None:
    """The roster in force: its faults, its age, and whether anybody has reviewed it."""
    settings = load(CONFIG + TEAM, **PAGERDUTY)
    before = on_call_findings(settings)
    now = datetime.now(UTC)
    ledger = Ledger(settings.database_url)
    ledger.clock.at = then = now - timedelta(minutes=1)
    ledger.write(take_roster, roster(), complete=True)
    well = on_call_findings(settings)
    ledger.write(review_contacts, 1, made_at=now, by=LEAD)
    reviewed = on_call_findings(settings)
    ledger.clock.at = now - timedelta(hours=4, minutes=30)
    ledger.write(take_roster, roster(people=(person(methods=()), person("PKIM"))), complete=True)
    faulty = on_call_findings(settings)
    ledger.database.close()

    assert [level for level, _ in before] == [Level.HINT]
    assert well == [
        (Level.OK, "1 teams, 2 people, all reachable."),
        (Level.HINT, "The escalation contact list was last reviewed: never."),
    ]
    assert reviewed == [well[0], (Level.OK, f"The escalation contact list was reviewed on {then:%Y-%m-%d}.")]
    assert faulty[:2] == [
        (Level.FAULT, "Who is on call was last known 4 h ago."),
        (Level.FAULT, "Sam has no contact method, so nothing rings."),
    ]


def test_links_to_what_is_expected_are_checked(load: Load) -> None:
    """What is configured, with its review; what is not, with the line to write."""
    linked = (
        f'[documents]\nalerting = {{ url = "https://w.example.com/a", owner = "Kim", reviewed = {TODAY} }}\n'
    )
    found = [each for each in local_findings(load(CONFIG + linked)) if each.subject == "documents"]

    assert [each.level for each in found] == [Level.OK, Level.HINT]
    assert "reviewed on" in found[0].text
    assert "incident_response = { url" in found[1].mend
    with pytest.raises(WrongSettings, match=r"documents\.alerting\.url"):
        load(CONFIG + linked.replace("https://", "file:///"))


async def test_a_tool_that_does_not_grant_a_right_is_a_fault(load: Load) -> None:
    """It names the permission; the tool that grants all of them is named as well."""
    with fake_datadog(datetime.now(UTC)) as datadog:
        keys = {
            "DD_API_KEY": "k",
            "DD_APP_KEY": "k",
            "SOCMON_DATADOG_URL": datadog.url,
            "SLACK_BOT_TOKEN": "",
        }
        settings = load(CONFIG + "[providers.datadog]\n", SOCMON_WEBHOOK_SECRET_DATADOG=SECRET, **keys)
        [well] = await remote_findings(settings)
        datadog.faults["/api/v1/hosts"] = [403]
        [ill] = await remote_findings(settings)

    assert (well.level, ill.level, ill.subject) == (Level.OK, Level.FAULT, "rights datadog")
    assert "the permission hosts_read" in ill.mend


async def test_a_tool_that_does_not_tell_who_is_on_call_is_a_fault(
    load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a key, with a wrong one, and well."""
    with fake_pagerduty(lambda: datetime.now(UTC), tmp_path, monkeypatch) as pagerduty:
        pagerduty.policies["PT20YPA"] = policy()
        found = []
        for key in ("", "wrong-wrong-wrong", KEY):
            environ = {"PAGERDUTY_API_KEY": key, "SOCMON_PAGERDUTY_URL": pagerduty.url, "SLACK_BOT_TOKEN": ""}
            settings = load(CONFIG + TEAM, **PAGERDUTY, **environ)
            [finding] = [each for each in await remote_findings(settings) if "on call" in each.subject]
            found.append((finding.level, finding.text + finding.mend))

    assert [level for level, _ in found] == [Level.FAULT, Level.FAULT, Level.OK]
    assert "PAGERDUTY_API_KEY is not set" in found[0][1]
    assert "make a new one" in found[1][1]
