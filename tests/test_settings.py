"""What an operator writes is understood, or refused in words that say what to correct."""

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.domain.alert import NoAction, Severity
from bot.domain.attestation import Separation
from bot.domain.errors import WrongSettings
from bot.domain.escalation import UNACKNOWLEDGED, Policy, Step, Target
from bot.domain.person import Role
from bot.domain.slot import Rhythm, WeekTime
from bot.domain.storm import StormRule
from bot.providers import all_providers
from bot.settings import SLACK_API, Settings, load_settings
from tests.reports import report

SMALLEST = """\
[slack]
alerts_channel = "C0ALERTS"
validation_channel = "C0SOC2"

[roles]
responders = ["*"]
engineering_lead = ["U0LEAD"]
backup_lead = ["U0BACKUP"]
admins = ["U0ADMIN"]
auditors = ["U0AUDIT"]

[providers.datadog]
enabled = true
"""
Load = Callable[..., Settings]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def loaded(text: str | bytes | None = None, **environ: str) -> Settings:
        if text is not None:
            file = tmp_path / "socmon.toml"
            file.write_bytes(text if isinstance(text, bytes) else text.encode())
            environ["SOCMON_CONFIG"] = str(file)
        return load_settings({"SOCMON_DATA_DIR": str(tmp_path / "data")} | environ, all_providers())

    return loaded


def refusal(load: Load, text: str | bytes | None = None, **environ: str) -> str:
    with pytest.raises(WrongSettings) as caught:
        load(text, **environ)
    return str(caught.value)


def test_when_many_alerts_become_one_message(load: Load) -> None:
    """`[storms]`: above which number, in how many minutes, or never."""
    rule = load("[storms]\nthreshold = 20\nwindow_minutes = 2\n").storm_rule

    assert load().storm_rule == StormRule()
    assert rule == StormRule(threshold=20, window=timedelta(minutes=2))
    assert load("[storms]\nenabled = false\n").storm_rule is None
    assert 'Did you mean "threshold"' in refusal(load, "[storms]\ntreshold = 20\n")
    assert "storms.threshold" in refusal(load, "[storms]\nthreshold = 1\n")


def test_the_smallest_file_of_the_handbook_is_enough(load: Load, tmp_path: Path) -> None:
    """Everything else has a sensible default."""
    settings = load(SMALLEST)

    assert settings.config.slack.alerts_channel == "C0ALERTS"
    assert settings.config.roles.holders()[Role.LEAD] == ("U0LEAD",)
    assert list(settings.providers) == ["datadog"]
    assert settings.database_url == f"sqlite:///{tmp_path / 'data' / 'socmon.db'}"
    assert settings.sqlite_path == tmp_path / "data" / "socmon.db"
    assert settings.log_key_file == tmp_path / "data" / "log.key"
    assert (settings.log_origin, settings.log_origin_named) == ("localhost/socmon", False)
    assert (settings.slack.api_url, settings.slack.connected) == (SLACK_API, False)
    assert settings.config.timezone == "UTC"


def test_no_file_at_all_is_a_start(load: Load) -> None:
    """Before anything is configured, `socmon doctor` can say what is missing."""
    assert load().providers == {}


UNKNOWN_KEYS = {
    "a table": ("[slak]\nalerts_channel = 'C0'", "slak", 'Did you mean "slack"?'),
    "a key": ("[slack]\nalert_channel = 'C0'", "slack.alert_channel", 'Did you mean "alerts_channel"?'),
    "a role": ("[roles]\nresponder = ['*']", "roles.responder", 'Did you mean "responders"?'),
    "a key of a route": (
        "[[slack.routes]]\nchannel = 'C0X'\nseverty = 'SEV1'",
        "slack.routes.0.severty",
        'Did you mean "severity"?',
    ),
    "a key of the operators": ("[operators]\nemail = ['a@b.c']", "operators.email", 'Did you mean "emails"?'),
    "a key of the retention": (
        "[retention]\nbody_days = 3",
        "retention.body_days",
        'Did you mean "bodies_days"?',
    ),
    "a top-level word": ("timezon = 'UTC'", "timezon", 'Did you mean "timezone"?'),
    "a provider": ("[providers.datadoc]", "providers.datadoc", 'Did you mean "datadog"?'),
    "a provider nobody knows": ("[providers.zabbix]", "providers.zabbix", "Known here: alertmanager"),
    "a provider's key": (
        "[providers.generic]\nfeilds = {}",
        "providers.generic.feilds",
        'Did you mean "fields"?',
    ),
    "something far from all": ("[slack]\nzzzz = 1", "slack.zzzz", "Known here: alerts_channel"),
}


@pytest.mark.parametrize(("text", "where", "hint"), UNKNOWN_KEYS.values(), ids=UNKNOWN_KEYS.keys())
def test_an_unknown_key_names_the_nearest_known_one(load: Load, text: str, where: str, hint: str) -> None:
    """At every level of the file, with its whole name."""
    said = refusal(load, text)

    assert where in said
    assert hint in said


WRONG_VALUES = {
    "a number for a channel": ("[slack]\nalerts_channel = 5", "slack.alerts_channel"),
    "a name for a channel id": ("[slack]\nalerts_channel = '#alerts'", "slack.alerts_channel"),
    "a text for a list": ("[roles]\nresponders = '*'", "roles.responders"),
    "a name for a user id": ("[roles]\nadmins = ['sam']", "roles.admins.0"),
    "a severity that is none": (
        "[[slack.routes]]\nchannel = 'C0'\nseverity = 'P1'",
        "slack.routes.0.severity",
    ),
    "a route without a channel": ("[[slack.routes]]\nprovider = 'datadog'", "slack.routes.0.channel"),
    "no posts at all": ("[slack]\nposts_per_second = 0", "slack.posts_per_second"),
    "retention of no days": ("[retention]\nbodies_days = 0", "retention.bodies_days"),
    "an address that is none": ("[operators]\nemails = ['nobody']", "operators.emails.0"),
    "a table that is none": ("slack = 'C0'", "slack"),
    "a provider that is no table": ("[providers]\ndatadog = true", "providers.datadog"),
    "an enabled that is no boolean": ("[providers.datadog]\nenabled = 'no'", "providers.datadog.enabled"),
    "a time zone that is none": ("timezone = 'Europe/Berln'", "timezone"),
    "an empty time zone": ("timezone = ''", "timezone"),
    "a validation at no time": ("[validation]\nopens = 'Monday'", "validation.opens"),
    "a validation that is due before it opens": ("[validation]\ndue = 'Monday 08:00'", "validation"),
    "a policy that is none": ("[policy]\nseparation_of_duties = 'never'", "policy.separation_of_duties"),
}


@pytest.mark.parametrize(("text", "where"), WRONG_VALUES.values(), ids=WRONG_VALUES.keys())
def test_a_wrong_value_is_named(load: Load, text: str, where: str) -> None:
    """Which key, and what stands there."""
    said = refusal(load, text)

    assert said.startswith(where)
    assert "Correct" in said or "Did you mean" in said


def test_all_mistakes_are_told_at_once(load: Load) -> None:
    """Nobody starts a service five times for five typing errors."""
    said = refusal(load, "[slack]\nalerts_channel = 5\nfoo = 1\n[roles]\nadmins = ['x']")

    assert len(said.splitlines()) == 3


BROKEN = {
    "a syntax error": (b"[slack\nalerts_channel = 'C0'", "not valid TOML"),
    "a key twice": (b"[slack]\nalerts_channel = 'C0'\nalerts_channel = 'C1'", "not valid TOML"),
    "not UTF-8": (b"timezone = '\xff'", "UTF-8"),
    "a picture": (b"\x89PNG\r\n\x1a\n\x00", ""),
}


@pytest.mark.parametrize(("text", "words"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_file_is_named(load: Load, tmp_path: Path, text: bytes, words: str) -> None:
    """With the line where there is one."""
    said = refusal(load, text)

    assert str(tmp_path / "socmon.toml") in said
    assert words in said


def test_a_missing_file_is_named(load: Load, tmp_path: Path) -> None:
    """SOCMON_CONFIG leads nowhere, or to a folder."""
    for path in (tmp_path / "nowhere.toml", tmp_path):
        said = refusal(load, None, SOCMON_CONFIG=str(path))
        assert str(path) in said
        assert "SOCMON_CONFIG" in said


POSTGRES = "postgresql+psycopg://socmon:hunter2@db.example.com/socmon"


def test_postgresql_needs_the_key_that_all_replicas_sign_with(load: Load) -> None:
    """Else each replica would make one of its own."""
    said = refusal(load, SMALLEST, SOCMON_DATABASE_URL=POSTGRES)

    assert "SOCMON_LOG_KEY_FILE" in said
    assert "hunter2" not in said
    settings = load(SMALLEST, SOCMON_DATABASE_URL=POSTGRES, SOCMON_LOG_KEY_FILE="/run/secrets/log.key")
    assert (settings.sqlite_path, settings.log_key_file) == (None, Path("/run/secrets/log.key"))


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("sqlite:////tmp/socmon.db?timeout=5", "question mark"),
        ("sqlite:///", "must name a file"),
        ("sqlite:///:memory:", "must name a file"),
    ],
)
def test_sqlite_is_a_file_and_nothing_else(load: Load, url: str, said: str) -> None:
    """With parameters the file would have two names, and two processes one file."""
    assert said in refusal(load, SMALLEST, SOCMON_DATABASE_URL=url)


@pytest.mark.parametrize("url", ["postgresql://x/y", "mysql://x/y", "sqlite://", "socmon.db"])
def test_another_database_is_refused(load: Load, url: str) -> None:
    """The message shows the form that works."""
    assert "postgresql+psycopg://" in refusal(load, SMALLEST, SOCMON_DATABASE_URL=url)


def test_secrets_never_show(load: Load) -> None:
    """Whoever prints or logs the settings learns no token, key or password."""
    secrets = {
        "SLACK_BOT_TOKEN": "xoxb-canary-1",
        "SLACK_APP_TOKEN": "xapp-canary-2",
        "SLACK_SIGNING_SECRET": "canary-3",
        "SOCMON_SMTP_URL": "smtps://user:canary-4@smtp.example.com",
        "SOCMON_OPERATORS_PAGERDUTY_KEY": "canary-5",
        "SOCMON_DATABASE_URL": "postgresql+psycopg://socmon:canary-6@db/socmon",
        "SOCMON_LOG_KEY_FILE": "/run/secrets/log.key",
    }
    for name in all_providers():
        secrets[f"SOCMON_WEBHOOK_SECRET_{name.upper()}"] = f"canary-{name}-0123456789abcdef0123456789"
    samples = {name: provider.samples() for name, provider in all_providers().items()}
    tables = "".join(
        f"[providers.{name}]\n" + "".join(f"{key} = {value!r}\n" for key, value in one.table.items())
        for name, one in samples.items()
    )

    settings = load(tables, **secrets)

    assert len(settings.providers) == len(all_providers())
    for shown in (repr(settings), str(settings), f"{settings}"):
        assert "canary" not in shown


def test_a_provider_is_switched_off_without_losing_its_table(load: Load) -> None:
    """`enabled = false` keeps what was written; without the word it is on."""
    settings = load("[providers.datadog]\nenabled = false\n[providers.generic]\n")

    assert list(settings.providers) == ["generic"]


def test_the_logs_name_follows_the_public_address_unless_it_is_chosen(load: Load) -> None:
    """Two installations never share a name by accident."""
    followed = load(SMALLEST, SOCMON_PUBLIC_URL="https://soc.example.com/")
    chosen = load(SMALLEST, SOCMON_PUBLIC_URL="https://soc.example.com", SOCMON_LOG_ORIGIN="example.com/prod")

    assert (followed.log_origin, followed.log_origin_named) == ("soc.example.com/socmon", False)
    assert (chosen.log_origin, chosen.log_origin_named) == ("example.com/prod", True)
    assert followed.public_url == "https://soc.example.com"


def test_an_empty_variable_is_as_good_as_none(load: Load) -> None:
    """Containers like to set them so."""
    settings = load(
        SMALLEST, SOCMON_DATABASE_URL="", SOCMON_LOG_ORIGIN="", SLACK_API_URL="", SOCMON_LOG_KEY_FILE=""
    )

    assert settings.sqlite_path is not None
    assert settings.slack.api_url == SLACK_API


def test_routes_send_alerts_to_channels_and_people(load: Load) -> None:
    """The first rule that matches; whoever it names is on call, else the default people."""
    settings = load(
        """
        [slack]
        alerts_channel = "C0ALL"
        on_call = ["U0SAM"]
        [[slack.routes]]
        channel = "C0DB"
        component = "prod-db-*"
        on_call = ["S0DBA"]
        [[slack.routes]]
        channel = "C0BAD"
        provider = "datadog"
        severity = "SEV1"
        """
    )

    def routed(provider: str, **facts: object) -> tuple[str, tuple[str, ...]]:
        route = settings.slack_routes.of(provider, report(**facts))  # type: ignore[arg-type]
        return route.channel, route.on_call

    assert routed("datadog", component="prod-db-7", severity=Severity.SEV1) == ("C0DB", ("S0DBA",))
    assert routed("datadog", component="web", severity=Severity.SEV1) == ("C0BAD", ("U0SAM",))
    assert routed("grafana", component="web", severity=Severity.SEV1) == ("C0ALL", ("U0SAM",))


def test_the_address_of_slack_can_be_another_one(load: Load) -> None:
    """For the playground and for tests; the slash at its end is added."""
    assert load(SMALLEST, SLACK_API_URL="http://127.0.0.1:1/api").slack.api_url == "http://127.0.0.1:1/api/"


ROTA = """\
timezone = "Europe/Berlin"
[on_call]
[[on_call.teams]]
name = "data"
[[on_call.teams.levels]]
people = ["U1SAM", "U2KIM"]
delay_minutes = 5
handover = "Tue 10:30"
start = 2026-11-02
overrides = [{ people = ["U3ANA"], start = 2026-12-24T09:00:00, end = 2026-12-24T18:00:00Z }]
"""


def test_a_rota_is_read(load: Load) -> None:
    """Times without an offset are the level's own, which is the installation's unless it names another."""
    with pytest.raises(WrongSettings, match="must both have an offset, or neither"):
        load(ROTA)
    settings = load(ROTA.replace("18:00:00Z", "18:00:00"))

    [turn] = settings.turns["data"]
    assert (turn.people, turn.weekday, f"{turn.handover:%H:%M}") == (("U1SAM", "U2KIM"), 1, "10:30")
    assert f"{turn.timezone}" == "Europe/Berlin"
    assert turn.stand_ins[0].start == datetime(2026, 12, 24, 8, tzinfo=UTC)
    assert settings.slack_routes.default.team == "data", "with one team there is no choice"
    assert settings.policies == {}


PAGED = """\
[slack]
team = "platform"
[[slack.routes]]
channel = "C0DATA"
component = "etl-*"
team = "data"
[[slack.routes]]
channel = "C0OTHER"
on_call = ["U9MAX"]
[[on_call.teams]]
name = "platform"
pagerduty_policy = "PT20YPA"
[[on_call.teams]]
name = "data"
pagerduty_policy = "PT20YPB"
[providers.pagerduty]
"""


def test_teams_of_pagerduty_and_their_routes_are_read(load: Load) -> None:
    """People who are named for a route are meant, and not a team."""
    settings = load(PAGED)

    assert settings.policies == {"pagerduty": {"platform": "PT20YPA", "data": "PT20YPB"}}
    routes = settings.slack_routes
    assert [routes.default.team, *(rule.team for rule in routes.rules)] == ["platform", "data", ""]


@pytest.mark.parametrize(
    ("config", "says"),
    [
        (PAGED.replace('team = "data"', 'team = "dato"'), 'slack.routes.0.team .* Did you mean "data"'),
        (PAGED.replace("[providers.pagerduty]", ""), r"Add \[providers.pagerduty\] with enabled"),
        (PAGED + "enabled = false", r"is not connected"),
        (
            PAGED.replace('"data"\npager', '"Platform"\npager').replace('team = "data"', ""),
            "stands there twice",
        ),
        (PAGED.replace('pagerduty_policy = "PT20YPB"', ""), "either a pagerduty_policy or levels"),
        (ROTA.replace("Tue 10:30", "Tuesday"), "weekday and a time"),
        (ROTA.replace("Tue 10:30", "10:30").replace("18:00:00Z", "18:00:00"), "hand over on a weekday"),
        (ROTA.replace("18:00:00Z", "08:00:00"), "must be after its start"),
        (ROTA.replace('"U1SAM", "U2KIM"', ""), "people"),
        (ROTA.replace('"U1SAM"', '"S1GROUP"'), "people"),
        (ROTA + 'timezone = "Europe/Berlim"', "no time zone. Write one like Europe/Berlin"),
        (ROTA + "delay = 5", 'Did you mean "delay_minutes"'),
    ],
)
def test_a_team_that_would_call_nobody_is_an_error(load: Load, config: str, says: str) -> None:
    with pytest.raises(WrongSettings, match=says):
        load(config)


def test_the_escalation_policy_is_the_operators(load: Load) -> None:
    """What is left out keeps its default, per severity; times are in the configured zone."""
    settings = load(
        """
        timezone = "Europe/Berlin"
        [escalation]
        business_morning = "08:30"
        quiet_hours = ""
        note_missing = []
        [escalation.unacknowledged]
        SEV1 = [{ minutes = 3, target = "next_level" }, { mornings = 2, target = "lead" }]
        [policy]
        no_action = { severities = ["SEV4"], longest_minutes = 2 }
        """
    )

    policy = settings.escalation
    assert list(policy.unacknowledged[Severity.SEV1]) == [
        Step(target=Target.NEXT_LEVEL, after=timedelta(minutes=3)),
        Step(target=Target.LEAD, mornings=2),
    ]
    assert policy.unacknowledged[Severity.SEV2] == UNACKNOWLEDGED[Severity.SEV2]
    assert (policy.zone, policy.morning, policy.quiet, policy.note_missing) == (
        ZoneInfo("Europe/Berlin"),
        time(8, 30),
        None,
        [],
    )
    assert settings.no_action == NoAction(severities=frozenset({Severity.SEV4}), longest=timedelta(minutes=2))


def test_without_a_word_the_default_policy_holds(load: Load) -> None:
    settings = load(SMALLEST)

    assert settings.escalation == Policy(zone=ZoneInfo("UTC"))
    assert settings.no_action == NoAction()
    assert settings.config.policy.separation_of_duties is Separation.WARN
    assert settings.rhythm == Rhythm()


def test_validations_open_where_the_lead_is(load: Load) -> None:
    zone = 'timezone = "Europe/Berlin"\n'

    assert load(zone).rhythm == Rhythm(zone="Europe/Berlin")
    assert load(f'{zone}[validation]\ntimezone = "Asia/Tokyo"\nopens = "tuesday 10:30"').rhythm == Rhythm(
        zone="Asia/Tokyo", opens=WeekTime(1, time(10, 30))
    )


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ('note_missing = [{ minutes = 3, mornings = 1, target = "lead" }]', "either `minutes` or `mornings`"),
        ('note_missing = [{ target = "lead" }]', "either `minutes` or `mornings`"),
        ('note_missing = [{ minuts = 3, target = "lead" }]', 'Did you mean "minutes"?'),
        ('unacknowledged.SEV1 = [{ minuts = 3, target = "lead" }]', 'Did you mean "minutes"?'),
        ('unacknowledged.SEV1 = [{ minutes = 3, target = "boss" }]', "'owner', 'next_level' or 'lead'"),
        ("unacknowledged.SEV9 = []", "SEV9"),
        ('quiet_hours = "22-8"', "22:00-08:00"),
        ('business_morning = "9"', "09:00"),
        ('quiet = "22:00-08:00"', 'Did you mean "quiet_hours"?'),
    ],
)
def test_a_wrong_escalation_policy_is_refused(load: Load, table: str, words: str) -> None:
    assert words in refusal(load, f"[escalation]\n{table}\n")
