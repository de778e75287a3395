"""What can be configured: a TOML file (SOCMON_CONFIG) and the environment, read once into frozen settings.

Unknown keys are an error that names the nearest known key. Secrets are in a type whose repr hides them.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Self, get_args
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)

from bot.domain.alert import NoAction, Severity
from bot.domain.attestation import Separation
from bot.domain.dashboard import MOST_CHOSEN, PAGE, Dashboard, Rules
from bot.domain.errors import WrongSettings
from bot.domain.escalation import NOTE_MISSING, UNACKNOWLEDGED, Policy, Step, Target
from bot.domain.person import Role
from bot.domain.prerequisite import Document
from bot.domain.rota import Rotation, StandIn, Turn
from bot.domain.slot import Rhythm, WeekTime
from bot.domain.storm import StormRule
from bot.domain.thread import SlackRoute, SlackRoutes

SLACK_API = "https://slack.com/api/"
SQLITE = "sqlite:///"

_TIME = r"([01]\d|2[0-3]):[0-5]\d"
Channel = Annotated[str, StringConstraints(pattern=r"^[CGD][A-Z0-9]+$")]
User = Annotated[str, StringConstraints(pattern=r"^[UW][A-Z0-9]+$")]
UserOrGroup = Annotated[str, StringConstraints(pattern=r"^[UWS][A-Z0-9]+$")]
RoleHolder = Annotated[str, StringConstraints(pattern=r"^([UWS][A-Z0-9]+|[^@\s]+@[^@\s]+|\*)$")]


_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_HANDOVER = re.compile(rf"(({'|'.join(_WEEKDAYS)}) )?([01]\d|2[0-3]):[0-5]\d")


class Table(BaseModel):
    """A table of a file: an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SlackRouteTable(Table):
    """`[[slack.routes]]`: alerts that match go to another channel; what is left out matches everything."""

    channel: Channel
    provider: str = ""
    severity: Severity | None = None
    component: str = ""
    on_call: list[UserOrGroup] = []
    team: str = ""
    """Whose on-call people these alerts call: a name under `[[on_call.teams]]`."""


class SlackTable(Table):
    """`[slack]`."""

    alerts_channel: Channel = "C0ALERTS"
    validation_channel: Channel | None = None
    on_call: list[UserOrGroup] = []
    """Who is mentioned when an alert triggers and no team's roster names anybody: Slack users or user groups."""
    team: str = ""
    """Whose on-call people are mentioned. With one team under `[on_call]`, it is that one."""
    routes: list[SlackRouteTable] = []
    posts_per_second: float = Field(1.0, gt=0, le=1000)
    """Messages a second a channel. Slack allows about one; only a test workspace takes more."""
    updates_per_minute: int = Field(50, gt=0, le=100_000)


class StormsTable(Table):
    """`[storms]`: when many alerts at once in a channel become one message."""

    enabled: bool = True
    threshold: int = Field(10, ge=2, le=1000)
    """More new alerts than this within the window begin a storm, fewer end it."""
    window_minutes: float = Field(5, gt=0, le=60)


class RolesTable(Table):
    """`[roles]`: Slack user ids, user group ids (S…), e-mail addresses; "*" means every full member."""

    responders: list[RoleHolder] = []
    engineering_lead: list[RoleHolder] = []
    backup_lead: list[RoleHolder] = []
    admins: list[RoleHolder] = []
    auditors: list[RoleHolder] = []

    def holders(self) -> dict[Role, tuple[str, ...]]:
        return {role: tuple(getattr(self, role.value)) for role in Role}


class OperatorsTable(Table):
    """`[operators]`: who is told about trouble when Slack cannot be used. PagerDuty's key stands in the environment."""

    emails: list[Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+$")]] = []
    email_from: str = "socmon@localhost"


class StandInTable(Table):
    """`overrides`: these people in place of whoever would be on call. Times without an offset are the level's."""

    people: list[User] = Field(min_length=1)
    start: datetime
    end: datetime

    @model_validator(mode="after")
    def _ends_later(self) -> Self:
        if (self.start.tzinfo is None) != (self.end.tzinfo is None):
            raise ValueError("start and end must both have an offset, or neither")
        if self.start >= self.end:
            raise ValueError("its end must be after its start")
        return self


class RotaLevelTable(Table):
    """`[[on_call.teams.levels]]`: people who take turns, the first one from `start` on."""

    people: list[User] = Field(min_length=1)
    delay_minutes: int = Field(10, ge=1, le=1440)
    """How long the next level waits for an acknowledgement."""
    rotation: Rotation = Rotation.WEEKLY
    handover: str = "Mon 09:00"
    """A weekday and a time, or for daily turns a time."""
    timezone: str = ""
    start: date = date(2026, 1, 5)
    overrides: list[StandInTable] = []

    @field_validator("handover")
    @classmethod
    def _is_time(cls, text: str) -> str:
        if not _HANDOVER.fullmatch(text):
            raise ValueError("write a weekday and a time like “Mon 09:00”, or for daily turns “09:00”")
        return text

    @field_validator("timezone")
    @classmethod
    def _exists(cls, name: str) -> str:
        return _timezone(name) if name else name

    @model_validator(mode="after")
    def _names_a_day(self) -> Self:
        if self.rotation is Rotation.WEEKLY and " " not in self.handover:
            raise ValueError("weekly turns hand over on a weekday: write it like “Mon 09:00”")
        return self

    def turn(self, timezone: str) -> Turn:
        zone = ZoneInfo(self.timezone or timezone)
        day, _, clock = self.handover.rpartition(" ")
        return Turn(
            people=tuple(self.people),
            delay_minutes=self.delay_minutes,
            rotation=self.rotation,
            weekday=_WEEKDAYS.index(day) if day else 0,
            handover=datetime.strptime(clock, "%H:%M").time(),  # noqa: DTZ007 - a time of day
            timezone=zone,
            start=self.start,
            stand_ins=tuple(
                StandIn(people=tuple(each.people), start=_there(each.start, zone), end=_there(each.end, zone))
                for each in self.overrides
            ),
        )


class TeamTable(Table):
    """`[[on_call.teams]]`: a team whose people are on call by a PagerDuty escalation policy, or by a rota."""

    name: str = Field(min_length=1, max_length=60)
    pagerduty_policy: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]*$")] = ""
    levels: list[RotaLevelTable] = []

    @model_validator(mode="after")
    def _has_one_source(self) -> Self:
        if bool(self.pagerduty_policy) == bool(self.levels):
            raise ValueError("a team has either a pagerduty_policy or levels")
        return self

    @property
    def policies(self) -> dict[str, str]:
        """Provider → its escalation policy; empty for a rota."""
        return {"pagerduty": self.pagerduty_policy} if self.pagerduty_policy else {}


class OnCallTable(Table):
    """`[on_call]`."""

    teams: list[TeamTable] = []

    @model_validator(mode="after")
    def _has_each_once(self) -> Self:
        names = [team.name.casefold() for team in self.teams]
        if doubled := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"the team {doubled[0]} stands there twice")
        return self


class StepTable(Table):
    """One call: `{ minutes = 5, target = "owner" }`, or `{ mornings = 1, target = "lead" }` (business mornings)."""

    target: Target
    minutes: int | None = Field(None, ge=1, le=31 * 24 * 60)
    mornings: int | None = Field(None, ge=1, le=10)

    @model_validator(mode="after")
    def _has_one_time(self) -> "StepTable":
        if (self.minutes is None) == (self.mornings is None):
            raise ValueError("a step has either `minutes` or `mornings`")
        return self

    @property
    def step(self) -> Step:
        after = None if self.minutes is None else timedelta(minutes=self.minutes)
        return Step(target=self.target, after=after, mornings=self.mornings or 0)


class EscalationTable(Table):
    """`[escalation]`: whom the clock calls for an alert that waits. Times of day are in `timezone`."""

    business_morning: str = "09:00"
    """When a business day (Monday to Friday) begins."""
    quiet_hours: str = "22:00-08:00"
    """When nobody is called for SEV3 and SEV4; empty for never."""
    unacknowledged: dict[Severity, list[StepTable]] = {}
    """Per severity; a severity that is left out keeps its default steps, an empty list means that nobody is called."""
    note_missing: list[StepTable] | None = None

    @field_validator("business_morning")
    @classmethod
    def _is_a_time(cls, text: str) -> str:
        if not re.fullmatch(_TIME, text):
            raise ValueError("write a time of day like 09:00")
        return text

    @field_validator("quiet_hours")
    @classmethod
    def _are_two_times(cls, text: str) -> str:
        if text and not re.fullmatch(f"{_TIME}-{_TIME}", text):
            raise ValueError("write two times of day like 22:00-08:00, or leave it empty")
        return text

    def policy(self, zone: ZoneInfo) -> Policy:
        start, _, end = self.quiet_hours.partition("-")
        return Policy(
            zone=zone,
            morning=time.fromisoformat(self.business_morning),
            quiet=(time.fromisoformat(start), time.fromisoformat(end)) if end else None,
            unacknowledged=UNACKNOWLEDGED
            | {severity: [one.step for one in steps] for severity, steps in self.unacknowledged.items()},
            note_missing=NOTE_MISSING
            if self.note_missing is None
            else [one.step for one in self.note_missing],
        )


class NoActionTable(Table):
    """`no_action`: when “recovered by itself, no action” will do as a resolution note. No severity means never."""

    severities: list[Severity] = [Severity.SEV3, Severity.SEV4]
    longest_minutes: int = Field(5, ge=1, le=24 * 60)


class PolicyTable(Table):
    """`[policy]`."""

    no_action: NoActionTable = NoActionTable()
    separation_of_duties: Separation = Separation.WARN
    """Of an attester who had a hand in what they attest: "warn" lists it and asks for a second signature, "enforce"
    refuses."""


class ValidationTable(Table):
    """`[validation]`: when the weekly validation opens and is due, in the week after the one it is about."""

    opens: str = "Monday 09:00"
    due: str = "Friday 17:00"
    timezone: str = ""
    """Where the lead is; without it, the file's own."""

    @field_validator("opens", "due")
    @classmethod
    def _is_a_time(cls, text: str) -> str:
        return str(WeekTime.read(text))

    @field_validator("timezone")
    @classmethod
    def _exists(cls, name: str) -> str:
        return _timezone(name) if name else name

    @model_validator(mode="after")
    def _opens_first(self) -> Self:
        self.rhythm("UTC")
        return self

    def rhythm(self, timezone: str) -> Rhythm:
        """Raises ValueError when it would be due before it opens."""
        opens, due = WeekTime.read(self.opens), WeekTime.read(self.due)
        return Rhythm(opens=opens, due=due, zone=self.timezone or timezone)


class RetentionTable(Table):
    """`[retention]`."""

    bodies_days: int = Field(400, ge=1)
    """How long whole deliveries are kept. The log itself is kept for good."""


class CoverageTable(Table):
    """`[coverage]`."""

    standard: str = ""
    """The file of the written standard: an absolute path, or one beside the configuration file."""
    time_to_live_minutes: int = Field(45, ge=20, le=24 * 60)
    """How long a tool's last good answer stands. The tools are asked every 15 minutes."""
    most_usd_per_month: Decimal = Field(Decimal(100), ge=0)
    """What a vendor may bill for being asked, at list prices, before operators are told."""


class NotificationsTable(Table):
    """`[notifications]`: where alerts may go, and whom PagerDuty's services call."""

    approved_channels: list[Annotated[str, StringConstraints(min_length=1)]] = []
    """Slack channels by name, e-mail addresses, SNS topics by ARN. A route that ends elsewhere is a gap."""
    services: dict[str, str] = {}
    """PagerDuty's services, by name, id or integration key → the team under `[on_call]` that they call."""


class DocumentTable(Table):
    """Written expectations: where they lie, who keeps them, and when somebody last reviewed them."""

    url: Annotated[str, StringConstraints(pattern=r"^https?://[^\s/]+\S*$")]
    owner: str = ""
    reviewed: date | None = None

    def document(self, title: str, key: str) -> Document:
        return Document(title=title, key=key, url=self.url, owner=self.owner, reviewed=self.reviewed)


class DocumentsTable(Table):
    """`[documents]`: what is expected of alerting and of incident response."""

    alerting: DocumentTable | None = None
    incident_response: DocumentTable | None = None


class PageTable(Table):
    """`[[dashboards.pages]]`: a dashboard that is looked at in a browser, since no tool's API has it."""

    title: str = Field(min_length=1, max_length=120)
    url: Annotated[str, StringConstraints(pattern=r"^https?://[^\s/]+\S*$")]
    account: str = ""
    """Words that stand on the page when it is the right account's."""


class DashboardsTable(Table):
    """`[dashboards]`: when a picture is believed, and pages beside those that the tools have."""

    name_like: str = "prod"
    """What a production dashboard's title matches: a regular expression, whatever its case."""
    stale_minutes: int = Field(15, ge=1, le=24 * 60)
    """How old the newest value on a dashboard may be."""
    hours: int = Field(3, ge=1, le=7 * 24)
    """How much time a picture shows."""
    chromium: str = ""
    """The path of a Chromium, for `pages`."""
    pages: list[PageTable] = Field(default=[], max_length=MOST_CHOSEN)

    @field_validator("name_like")
    @classmethod
    def _is_an_expression(cls, text: str) -> str:
        try:
            re.compile(text)
        except re.error as error:
            raise ValueError(f"this is no regular expression: {error}") from error
        return text

    @property
    def rules(self) -> Rules:
        return Rules(
            name_like=self.name_like,
            stale_after=timedelta(minutes=self.stale_minutes),
            window=timedelta(hours=self.hours),
        )

    @property
    def page_dashboards(self) -> tuple[Dashboard, ...]:
        return tuple(
            Dashboard(provider=PAGE, id=page.url, title=page.title, url=page.url, account=page.account)
            for page in self.pages
        )


class ArtifactsTable(Table):
    """`[artifacts]`: the S3 bucket for what is kept as evidence; without one it lies in SOCMON_DATA_DIR."""

    bucket: str = ""
    prefix: str = ""


class ConfigFile(Table):
    """The whole file."""

    slack: SlackTable = SlackTable()
    storms: StormsTable = StormsTable()
    roles: RolesTable = RolesTable()
    operators: OperatorsTable = OperatorsTable()
    on_call: OnCallTable = OnCallTable()
    escalation: EscalationTable = EscalationTable()
    policy: PolicyTable = PolicyTable()
    validation: ValidationTable = ValidationTable()
    retention: RetentionTable = RetentionTable()
    coverage: CoverageTable = CoverageTable()
    notifications: NotificationsTable = NotificationsTable()
    documents: DocumentsTable = DocumentsTable()
    artifacts: ArtifactsTable = ArtifactsTable()
    dashboards: DashboardsTable = DashboardsTable()
    providers: dict[str, dict[str, Any]] = {}
    timezone: str = "UTC"

    @field_validator("timezone")
    @classmethod
    def _exists(cls, name: str) -> str:
        return _timezone(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackAccess:
    """How to reach Slack. With an app token Socket Mode is used, with a signing secret HTTP; both may be set."""

    bot_token: SecretStr
    app_token: SecretStr
    signing_secret: SecretStr
    api_url: str

    @property
    def connected(self) -> bool:
        return bool(self.bot_token.get_secret_value())


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything socmon was told. `environ` is kept for the providers' own settings; it is never shown."""

    config: ConfigFile
    slack: SlackAccess
    data_dir: Path
    database_url: str = field(repr=False)  # may hold a password
    log_origin: str
    log_origin_named: bool
    """Whether an operator chose the origin; else it follows the public URL, and a stored one wins."""
    log_key_file: Path
    public_url: str
    smtp_url: SecretStr
    operators_pagerduty_key: SecretStr
    deployments_secret: SecretStr
    """What pipelines show at POST /deployments: one, or "new,old"; without any they are refused."""
    pagerduty_events_url: str
    providers: Mapping[str, Any]
    """Each enabled provider's own settings object, by name."""
    config_file: Path | None = None

    @property
    def slack_routes(self) -> SlackRoutes:
        table, teams = self.config.slack, self.config.on_call.teams
        on_call = tuple(table.on_call)
        team = table.team or (teams[0].name if len(teams) == 1 else "")
        rules = [
            SlackRoute(
                channel=rule.channel,
                provider=rule.provider,
                severity=rule.severity,
                component=rule.component,
                on_call=tuple(rule.on_call) or on_call,
                # People who are named for a route are meant to be called, unless it names a team as well.
                team=rule.team or ("" if rule.on_call else team),
            )
            for rule in table.routes
        ]
        default = SlackRoute(channel=table.alerts_channel, on_call=on_call, team=team)
        return SlackRoutes(default=default, rules=rules)

    @property
    def turns(self) -> dict[str, list[Turn]]:
        """Each team that has a rota, with its levels."""
        return {
            team.name: [level.turn(self.config.timezone) for level in team.levels]
            for team in self.config.on_call.teams
            if team.levels
        }

    @property
    def policies(self) -> dict[str, dict[str, str]]:
        """Provider → team → its escalation policy there."""
        found: dict[str, dict[str, str]] = {}
        for team in self.config.on_call.teams:
            for provider, policy in team.policies.items():
                found.setdefault(provider, {})[team.name] = policy
        return found

    @property
    def escalation(self) -> Policy:
        return self.config.escalation.policy(ZoneInfo(self.config.timezone))

    @property
    def no_action(self) -> NoAction:
        table = self.config.policy.no_action
        longest = timedelta(minutes=table.longest_minutes)
        return NoAction(severities=frozenset(table.severities), longest=longest)

    @property
    def rhythm(self) -> Rhythm:
        """When validations open and are due."""
        return self.config.validation.rhythm(self.config.timezone)

    @property
    def storm_rule(self) -> StormRule | None:
        """When many alerts become one message; None when they never do."""
        table = self.config.storms
        if not table.enabled:
            return None
        return StormRule(threshold=table.threshold, window=timedelta(minutes=table.window_minutes))

    @property
    def standard_file(self) -> Path | None:
        """The company's own standard; None for the one that ships."""
        name = self.config.coverage.standard
        return (self.config_file or Path()).parent / name if name else None

    @property
    def notification_rules(self) -> dict[str, Any]:
        """What decides, beside the roster, whether a monitor's target reaches somebody."""
        table = self.config.notifications
        return {
            "approved": table.approved_channels,
            "services": table.services,
            "team": self.slack_routes.default.team,
        }

    @property
    def documents(self) -> tuple[Document, ...]:
        """Those that the control starts from, also where none is configured."""
        table = self.config.documents
        found = {
            "alerting": ("document on alerting", table.alerting),
            "incident_response": ("document on incident response", table.incident_response),
        }
        return tuple(
            one.document(title, f"documents.{name}")
            if one
            else Document(title=title, key=f"documents.{name}")
            for name, (title, one) in found.items()
        )

    @property
    def coverage_time_to_live(self) -> timedelta:
        return timedelta(minutes=self.config.coverage.time_to_live_minutes)

    @property
    def sqlite_path(self) -> Path | None:
        return Path(self.database_url.removeprefix(SQLITE)) if self.database_url.startswith(SQLITE) else None


def load_settings(environ: Mapping[str, str], providers: Mapping[str, Any]) -> Settings:
    """Read the file that SOCMON_CONFIG names, and the environment. `providers` are all provider folders by name.

    Raises WrongSettings.
    """
    config_file = Path(environ["SOCMON_CONFIG"]) if environ.get("SOCMON_CONFIG") else None
    config = _parse(read_toml(config_file, "SOCMON_CONFIG") if config_file else {})
    _check_teams(config)
    data_dir = Path(environ.get("SOCMON_DATA_DIR") or "data").absolute()
    database_url = environ.get("SOCMON_DATABASE_URL") or f"sqlite:///{data_dir / 'socmon.db'}"
    key_file = environ.get("SOCMON_LOG_KEY_FILE", "")
    if database_url.startswith(SQLITE):
        _check_sqlite(database_url)
    else:
        _check_shared_database(database_url, key_file)
    return Settings(
        config=config,
        slack=_slack_access(environ),
        data_dir=data_dir,
        database_url=database_url,
        log_origin=environ.get("SOCMON_LOG_ORIGIN") or _origin(environ.get("SOCMON_PUBLIC_URL", "")),
        log_origin_named=bool(environ.get("SOCMON_LOG_ORIGIN")),
        log_key_file=Path(key_file) if key_file else data_dir / "log.key",
        public_url=environ.get("SOCMON_PUBLIC_URL", "").rstrip("/"),
        smtp_url=SecretStr(environ.get("SOCMON_SMTP_URL", "")),
        operators_pagerduty_key=SecretStr(environ.get("SOCMON_OPERATORS_PAGERDUTY_KEY", "")),
        deployments_secret=SecretStr(environ.get("SOCMON_WEBHOOK_SECRET_DEPLOYMENTS", "")),
        pagerduty_events_url=environ.get("SOCMON_PAGERDUTY_EVENTS_URL", ""),
        providers=_providers(config.providers, environ, providers),
        config_file=config_file,
    )


def nearest(word: str, known: list[str]) -> str:
    """` Did you mean "x"?`, or nothing when no known word is near."""
    close = get_close_matches(word, known, n=1, cutoff=0.5)
    return f' Did you mean "{close[0]}"?' if close else f" Known here: {', '.join(sorted(known))}."


def read_toml(path: Path, named_by: str) -> dict[str, Any]:
    """Raises WrongSettings; `named_by` is where the path stands."""
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise WrongSettings(
            f"{named_by} names {path}, which cannot be read ({error.strerror}). Correct the path."
        ) from error
    except UnicodeDecodeError as error:
        raise WrongSettings(
            f"{path} is not UTF-8 text (see byte {error.start}). Save it as UTF-8."
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise WrongSettings(f"{path} is not valid TOML: {error}. Correct that line.") from error


def _parse(table: dict[str, Any]) -> ConfigFile:
    try:
        return ConfigFile.model_validate(table)
    except ValidationError as error:
        raise WrongSettings(
            "\n".join(explain(one, ConfigFile, "the configuration file") for one in error.errors())
        ) from error


def explain(error: Any, root: Any, file: str) -> str:
    """What is wrong with a file and how to correct it, of one of pydantic's errors; `root` is the file's model."""
    where = ".".join(str(part) for part in error["loc"])
    if error["type"] != "extra_forbidden":
        message = error["msg"].removeprefix("Value error, ")
        return f"{where}: {message} (it is {error['input']!r}). Correct it in {file}."
    model: Any = root
    for part in error["loc"][:-1]:
        if part in model.model_fields:
            model = _table_in(model.model_fields[part].annotation)
    return f"{where} is not a known key.{nearest(str(error['loc'][-1]), list(model.model_fields))}"


def _check_teams(config: ConfigFile) -> None:
    """A name that leads nowhere would call nobody."""
    teams = [team.name for team in config.on_call.teams]
    named = {"slack.team": config.slack.team} | {
        f"slack.routes.{at}.team": rule.team for at, rule in enumerate(config.slack.routes)
    }
    for key, name in named.items():
        if name and name not in teams:
            raise WrongSettings(
                f"{key} names the team {name!r}, which [on_call] lacks.{nearest(name, teams)}"
            )
    for service, name in config.notifications.services.items():
        if name not in teams:
            raise WrongSettings(
                f"notifications.services says that {service!r} calls the team {name!r}, which [on_call] lacks."
                f"{nearest(name, teams)}"
            )
    for team in config.on_call.teams:
        for provider in team.policies:
            if config.providers.get(provider, {"enabled": False}).get("enabled", True) is False:
                raise WrongSettings(
                    f"The on-call team {team.name!r} is one of {provider}, which is not connected."
                    f" Add [providers.{provider}] with enabled = true."
                )


def _timezone(name: str) -> str:
    if name not in available_timezones():
        near = get_close_matches(name, available_timezones(), n=1)
        raise ValueError(f"this is no time zone. Write one like {', '.join(near) or 'Europe/Berlin'}")
    return name


def _there(at: datetime, zone: ZoneInfo) -> datetime:
    return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)


def _table_in(annotation: Any) -> Any:
    """The table that a key holds: itself, or in a list or by name."""
    if hasattr(annotation, "model_fields"):
        return annotation
    return next(filter(None, map(_table_in, get_args(annotation))), None)


def _slack_access(environ: Mapping[str, str]) -> SlackAccess:
    api_url = environ.get("SLACK_API_URL") or SLACK_API
    return SlackAccess(
        bot_token=SecretStr(environ.get("SLACK_BOT_TOKEN", "")),
        app_token=SecretStr(environ.get("SLACK_APP_TOKEN", "")),
        signing_secret=SecretStr(environ.get("SLACK_SIGNING_SECRET", "")),
        api_url=api_url if api_url.endswith("/") else f"{api_url}/",
    )


def _check_sqlite(url: str) -> None:
    path, question, _ = url.removeprefix(SQLITE).partition("?")
    if question or path in {"", ":memory:"}:
        raise WrongSettings(
            "SOCMON_DATABASE_URL must name a file and nothing else, as in sqlite:////var/lib/socmon/socmon.db: socmon"
            " chooses the settings of its connections itself. Take off what follows the question mark."
            if question
            else "SOCMON_DATABASE_URL must name a file, as in sqlite:////var/lib/socmon/socmon.db: what lies in memory"
            " is lost at every stop. Or leave it out, for SQLite in SOCMON_DATA_DIR."
        )


def _check_shared_database(url: str, key_file: str) -> None:
    if not url.startswith("postgresql+psycopg://"):
        raise WrongSettings(
            "SOCMON_DATABASE_URL must start with postgresql+psycopg:// (or be left out for SQLite in SOCMON_DATA_DIR)."
        )
    if not key_file:
        raise WrongSettings(
            "With PostgreSQL every replica signs with the same key: set SOCMON_LOG_KEY_FILE to a file all of them have."
            " `socmon doctor` says how to make one."
        )


def _origin(public_url: str) -> str:
    """The log's name: the public host, so that two installations never share one."""
    return f"{urlsplit(public_url).hostname or 'localhost'}/socmon"


def _providers(
    tables: Mapping[str, dict[str, Any]], environ: Mapping[str, str], known: Mapping[str, Any]
) -> dict[str, Any]:
    found = {}
    for name, table in tables.items():
        if name not in known:
            raise WrongSettings(f"providers.{name} is not a provider.{nearest(name, list(known))}")
        rest = {key: value for key, value in table.items() if key != "enabled"}
        enabled = table.get("enabled", True)
        if not isinstance(enabled, bool):
            raise WrongSettings(
                f"providers.{name}.enabled is {enabled!r}. Correct it to true or false, without quotes."
            )
        if enabled:
            found[name] = known[name].settings(rest, environ)
    return found


def read_environment() -> Mapping[str, str]:
    """The process environment: the one place that reads it."""
    return dict(os.environ)


def trust(authority: Path) -> None:
    """From now on trust this authority (PEM) and no other, and reach loopback without a proxy."""
    os.environ |= {"SSL_CERT_FILE": str(authority), "NO_PROXY": "127.0.0.1"}
