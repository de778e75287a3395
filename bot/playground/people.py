"""Who and what is in the playground's workspace before anything happens."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from bot.playground.pagerduty import POLICY, TEST_KEY, FakePagerDuty
from bot.playground.pagerduty_shapes import method, policy, rule, service

TEAM = "T0PLAY"
TEAM_NAME = "Northwind"
TEAM_DOMAIN = "playground"
APP = "A0SOCMON"
BOT_USER = "U0SOCMON"
BOT = "B0SOCMON"
SLACKBOT = "USLACKBOT"
TOKEN = "xoxb-playground"  # noqa: S105 - the playground's own, worth nothing elsewhere
COMMAND = "/socmon"
PAGERDUTY_SENDER = "socmon@northwind.example"
"""Who speaks in PagerDuty for those whom it does not know."""
HANDOVERS = 104
FRIDAY, NINE = 4, 9

# What follows is what manifest.yml asks for, the optional scopes included; a test compares them.
COMMAND_HINT = (
    "log [open|mine|7d|A-12] · coverage [gaps|share|component] · scope [diff|review|history]"
    " · standard [review|history] · test [path] · validate [week] · dashboards · oncall [team] [when] · status · help"
)
COMMAND_HELP = "Alert log, coverage, scope, who is on call, status and help"
MESSAGES_TAB_READ_ONLY = True
SCOPES = (
    "chat:write",
    "commands",
    "users:read",
    "users:read.email",
    "usergroups:read",
    "files:write",
    "im:write",
    "channels:read",
    "groups:read",
    "channels:history",
    "groups:history",
)


@dataclass(slots=True, kw_only=True)
class User:
    """A member. `title` is what the profile says; `persona` whether a visitor may act as this person."""

    id: str
    name: str
    real_name: str
    title: str = ""
    email: str = ""
    color: str = "4f46e5"
    tz: str = "Etc/UTC"
    is_bot: bool = False
    is_admin: bool = False
    is_restricted: bool = False
    deleted: bool = False
    persona: bool = True


@dataclass(slots=True, kw_only=True)
class Channel:
    """A channel, or a direct message between the app and `user`."""

    id: str
    name: str
    topic: str = ""
    created: int = 0
    members: list[str] = field(default_factory=list)
    archived: bool = False
    user: str | None = None
    bookmarks: list[dict[str, str]] = field(default_factory=list)
    pins: list[str] = field(default_factory=list)

    @property
    def is_direct(self) -> bool:
        return self.user is not None


@dataclass(slots=True, kw_only=True)
class Group:
    """A user group."""

    id: str
    handle: str
    name: str
    users: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortcut:
    """A shortcut of the app, as its manifest names it."""

    callback_id: str
    name: str
    on_message: bool


SHORTCUTS = (Shortcut(callback_id="sc_add_note", name="Add to alert record", on_message=True),)

SMALL_TALK = (
    ("U0LEAD", "Morning all :wave: Reminder: the auditors are with us on Thursday. *CC7.1* is ours to show."),
    ("U0KIM", "I take the on-call from <@U0SAM> on Friday at 09:00. Anything I should know?"),
    ("U0SAM", "`prod-db-1` was a bit warm last night. Everything else is quiet. :white_check_mark:"),
)


def users() -> list[User]:
    def person(user: str, name: str, real_name: str, title: str, color: str, *, admin: bool = False) -> User:
        email = f"{name}@northwind.example"
        return User(
            id=user, name=name, real_name=real_name, title=title, email=email, color=color, is_admin=admin
        )

    return [
        person("U0SAM", "sam", "Sam Rivera", "On-call engineer", "0f766e"),
        person("U0KIM", "kim", "Kim Okafor", "On-call engineer", "b45309"),
        person("U0LEAD", "ana", "Ana Ruiz", "Engineering Lead", "7c3aed"),
        person("U0BACKUP", "robin", "Robin Vale", "Backup lead", "be185d"),
        person("U0ADMIN", "max", "Max Weber", "Workspace admin", "334155", admin=True),
        person("U0AUDIT", "avery", "Avery Quinn", "Auditor", "1d4ed8"),
        person("U0OUT", "olly", "Olly Park", "Product designer", "4d7c0f"),
        User(
            id=BOT_USER,
            name="socmon",
            real_name="socmon",
            title="App",
            color="111827",
            is_bot=True,
            persona=False,
        ),
        User(id=SLACKBOT, name="slackbot", real_name="Slackbot", color="64748b", is_bot=True, persona=False),
    ]


def channels(created: int) -> list[Channel]:
    everybody = ["U0SAM", "U0KIM", "U0LEAD", "U0BACKUP", "U0ADMIN", "U0AUDIT", "U0OUT"]
    return [
        Channel(
            id="C0ALERTS",
            name="alerts",
            topic="Every production alert, one thread each",
            created=created,
            members=[*everybody, BOT_USER],
        ),
        Channel(
            id="C0SOC2",
            name="soc2-monitoring",
            topic="Weekly validation of the monitoring control (CC7.1)",
            created=created,
            members=["U0SAM", "U0KIM", "U0LEAD", "U0BACKUP", "U0ADMIN", "U0AUDIT", BOT_USER],
        ),
        Channel(
            id="C0OPS",
            name="ops",
            topic="What can wait until the morning: batch machines and data services",
            created=created,
            members=["U0SAM", "U0KIM", "U0LEAD", "U0ADMIN"],
        ),
        Channel(
            id="C0GENERAL",
            name="general",
            topic="Company-wide announcements",
            created=created,
            members=everybody,
        ),
    ]


def groups() -> list[Group]:
    return [Group(id="S0ONCALL", handle="oncall", name="On-call engineers", users=["U0SAM", "U0KIM"])]


def staff_pagerduty(fake: FakePagerDuty, now: datetime) -> None:
    """Sam has just become on call, and hands over to Kim next Friday at nine, as #general says; they take turns.

    Behind them stands Pat, a contractor without a Slack account.
    """
    fake.policies[POLICY] = policy(POLICY, 5, 15, name="Platform")
    fake.services["PSVC001"] = service("PSVC001", "Production", POLICY, "0123456789abcdef0123456789abcdef")
    fake.services["PSVC002"] = service("PSVC002", "socmon test", POLICY, TEST_KEY, urgency="severity_based")
    for user, name in (("PSAM", "Sam Rivera"), ("PKIM", "Kim Okafor"), ("PPAT001", "Pat Example")):
        email = f"{name.split()[0].lower()}@northwind.example"
        mail = method(f"{user}2", "email", address=email, label="Work")
        fake.hire(user, name, email, method(f"{user}1", address=f"0170123{len(fake.users):04}"), mail)
        fake.rules[user].append(rule(f"{user}2", urgency="low", kind="email"))
    fake.hire("PBOT001", "socmon", PAGERDUTY_SENDER)
    today = now.astimezone(UTC).replace(hour=NINE, minute=0, second=0, microsecond=0)
    handover = today + timedelta(days=(FRIDAY - today.weekday()) % 7)
    if handover < now + timedelta(days=1):  # so that a visitor meets Sam, and then Kim
        handover += timedelta(days=7)
    fake.put_on_call("PSAM", 1, start=today - timedelta(days=7), end=handover)
    for week in range(HANDOVERS):
        start = handover + timedelta(weeks=week)
        fake.put_on_call(("PKIM", "PSAM")[week % 2], 1, start=start, end=start + timedelta(weeks=1))
    fake.put_on_call("PPAT001", 2)
