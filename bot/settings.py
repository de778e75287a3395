"""What can be configured: a TOML file (SOCMON_CONFIG) and the environment, read once into frozen settings.

Unknown keys are an error that names the nearest known key. Secrets are in a type whose repr hides them.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
    field_validator,
)

from bot.domain.alert import Severity
from bot.domain.errors import WrongSettings
from bot.domain.person import Role
from bot.domain.storm import StormRule
from bot.domain.thread import SlackRoute, SlackRoutes

SLACK_API = "https://slack.com/api/"
SQLITE = "sqlite:///"

Channel = Annotated[str, StringConstraints(pattern=r"^[CGD][A-Z0-9]+$")]
UserOrGroup = Annotated[str, StringConstraints(pattern=r"^[UWS][A-Z0-9]+$")]
RoleHolder = Annotated[str, StringConstraints(pattern=r"^([UWS][A-Z0-9]+|[^@\s]+@[^@\s]+|\*)$")]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SlackRouteTable(_Table):
    """`[[slack.routes]]`: alerts that match go to another channel; what is left out matches everything."""

    channel: Channel
    provider: str = ""
    severity: Severity | None = None
    component: str = ""
    on_call: list[UserOrGroup] = []


class SlackTable(_Table):
    """`[slack]`."""

    alerts_channel: Channel = "C0ALERTS"
    validation_channel: Channel | None = None
    on_call: list[UserOrGroup] = []
    """Who is mentioned when an alert triggers: Slack users or user groups."""
    routes: list[SlackRouteTable] = []
    posts_per_second: float = Field(1.0, gt=0, le=1000)
    """Messages a second a channel. Slack allows about one; only a test workspace takes more."""
    updates_per_minute: int = Field(50, gt=0, le=100_000)


class StormsTable(_Table):
    """`[storms]`: when many alerts at once in a channel become one message."""

    enabled: bool = True
    threshold: int = Field(10, ge=2, le=1000)
    """More new alerts than this within the window begin a storm, fewer end it."""
    window_minutes: float = Field(5, gt=0, le=60)


class RolesTable(_Table):
    """`[roles]`: Slack user ids, user group ids (S…), e-mail addresses; "*" means every full member."""

    responders: list[RoleHolder] = []
    engineering_lead: list[RoleHolder] = []
    backup_lead: list[RoleHolder] = []
    admins: list[RoleHolder] = []
    auditors: list[RoleHolder] = []

    def holders(self) -> dict[Role, tuple[str, ...]]:
        return {role: tuple(getattr(self, role.value)) for role in Role}


class OperatorsTable(_Table):
    """`[operators]`: who is told about trouble when Slack cannot be used. PagerDuty's key stands in the environment."""

    emails: list[Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+$")]] = []
    email_from: str = "socmon@localhost"


class RetentionTable(_Table):
    """`[retention]`."""

    bodies_days: int = Field(400, ge=1)
    """How long whole deliveries are kept. The log itself is kept for good."""


class ConfigFile(_Table):
    """The whole file."""

    slack: SlackTable = SlackTable()
    storms: StormsTable = StormsTable()
    roles: RolesTable = RolesTable()
    operators: OperatorsTable = OperatorsTable()
    retention: RetentionTable = RetentionTable()
    providers: dict[str, dict[str, Any]] = {}
    timezone: str = "UTC"

    @field_validator("timezone")
    @classmethod
    def _exists(cls, name: str) -> str:
        if name not in available_timezones():
            near = get_close_matches(name, available_timezones(), n=1)
            raise ValueError(f"this is no time zone. Write one like {', '.join(near) or 'Europe/Berlin'}")
        return name


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
    pagerduty_events_url: str
    providers: Mapping[str, Any]
    """Each enabled provider's own settings object, by name."""

    @property
    def slack_routes(self) -> SlackRoutes:
        table = self.config.slack
        on_call = tuple(table.on_call)
        rules = [
            SlackRoute(
                channel=rule.channel,
                provider=rule.provider,
                severity=rule.severity,
                component=rule.component,
                on_call=tuple(rule.on_call) or on_call,
            )
            for rule in table.routes
        ]
        return SlackRoutes(default=SlackRoute(channel=table.alerts_channel, on_call=on_call), rules=rules)

    @property
    def storm_rule(self) -> StormRule | None:
        """When many alerts become one message; None when they never do."""
        table = self.config.storms
        if not table.enabled:
            return None
        return StormRule(threshold=table.threshold, window=timedelta(minutes=table.window_minutes))

    @property
    def sqlite_path(self) -> Path | None:
        return Path(self.database_url.removeprefix(SQLITE)) if self.database_url.startswith(SQLITE) else None


def load_settings(environ: Mapping[str, str], providers: Mapping[str, Any]) -> Settings:
    """Read the file that SOCMON_CONFIG names, and the environment. `providers` are all provider folders by name.

    Raises WrongSettings.
    """
    config = _parse(_read(environ.get("SOCMON_CONFIG", "")))
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
        pagerduty_events_url=environ.get("SOCMON_PAGERDUTY_EVENTS_URL", ""),
        providers=_providers(config.providers, environ, providers),
    )


def nearest(word: str, known: list[str]) -> str:
    """` Did you mean "x"?`, or nothing when no known word is near."""
    close = get_close_matches(word, known, n=1, cutoff=0.5)
    return f' Did you mean "{close[0]}"?' if close else f" Known here: {', '.join(sorted(known))}."


def _read(path: str) -> dict[str, Any]:
    if not path:
        return {}
    try:
        with Path(path).open("rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise WrongSettings(
            f"SOCMON_CONFIG names {path}, which cannot be read ({error.strerror}). Correct the path."
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
        raise WrongSettings("\n".join(_explain(one) for one in error.errors())) from error


def _explain(error: Any) -> str:
    where = ".".join(str(part) for part in error["loc"])
    if error["type"] != "extra_forbidden":
        message = error["msg"].removeprefix("Value error, ")
        return f"{where}: {message} (it is {error['input']!r}). Correct it in the configuration file."
    model: Any = ConfigFile
    for part in error["loc"][:-1]:
        if isinstance(part, str):
            inner = model.model_fields[part].annotation
            model = inner.__args__[0] if hasattr(inner, "__args__") else inner
    return f"{where} is not a known key.{nearest(str(error['loc'][-1]), list(model.model_fields))}"


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
