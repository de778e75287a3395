"""What a provider folder may offer, and the few tools every webhook needs: secrets, careful JSON, careful values."""

import binascii
import hmac
import json
import re
from base64 import b64decode
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from enum import StrEnum
from hashlib import sha256
from typing import Any, Generic, NoReturn, Protocol, TypeVar

from bot.domain.alert import Reported, Severity
from bot.domain.comparison import OpenAlert
from bot.domain.component import Component, Kind, Measure
from bot.domain.dashboard import Captured, Dashboard
from bot.domain.errors import Refused, Unreadable, WrongSettings
from bot.domain.monitor import MetricReading, Monitor
from bot.domain.oncall import Roster
from bot.domain.paging import Service
from bot.domain.plan import Foreseen, Resource
from bot.domain.spending import Billed
from bot.domain.tool import Account, Author, ToolAct, VendorWrite
from bot.ports import Network

DEEPEST_JSON = 40
MOST_ALERTS = 5000
"""How many alerts of one delivery are read. The rest is a gap: a body of 1 MiB can hold 50 000 that say nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One inbound request. Header names are lower case; `body` are the raw bytes, at most 1 MiB."""

    headers: Mapping[str, str]
    body: bytes
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a genuine body says.

    `delivery_id` is the sender's own name for the delivery, the same on every re-send; "" when it gives none.
    `gap`, when set, is what the body left out or what could not be read beside its alerts: it is shown as an intake
    gap ("Alertmanager left out 12 alerts (max_alerts).").
    """

    delivery_id: str = ""
    alerts: tuple[Reported, ...]
    gap: str = ""


class Webhook(Protocol):
    """How one vendor's deliveries are checked and read."""

    def check_headers(self, headers: Mapping[str, str]) -> str:  # noqa: ARG002 - for those whose proof is there
        """Return how the headers alone prove the sender, "" when that takes the body; raises Refused.

        Asked before the body is read, so that a stranger's is never held.
        """
        return ""

    async def authenticate(self, request: Request) -> str:
        """Return how the sender proved itself ("hmac"); raises Refused.

        Only SNS does I/O here (its certificate), and raises TryAgain when nobody answers.
        """
        ...

    async def follow_up(self, request: Request) -> None:  # noqa: ARG002 - for those who ask for something
        """What a genuine delivery asks for before it is recorded (SNS: confirm the subscription); raises TryAgain.

        Most senders ask for nothing: a webhook that inherits from this class has that for free. A re-send comes
        here again, so it must be harmless to repeat.
        """
        return None  # noqa: RET501 - a body, so that this method is not abstract

    def read(self, request: Request) -> Reading:
        """Translate a genuine body into alerts. Pure: no look-ups, no guesses; raises Unreadable."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued:
    """A message that lies in a queue. `id` is the queue's name for it, the same each time; `receipt` removes it."""

    id: str
    receipt: str
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueLook:
    """What `socmon doctor` found out about a queue. Each fault is a sentence with its mend."""

    says: str
    faults: tuple[str, ...] = ()


class Queue(Protocol):
    """Where a tool's deliveries wait until socmon takes them, also while it is down.

    A message that is not removed comes again, and after some times goes where the queue keeps its dead letters. The
    methods block, so they are called in a thread; all raise TryAgain when the queue does not answer.
    """

    @property
    def name(self) -> str:
        """What operators know it by ("sqs:socmon-alarms")."""
        ...

    @property
    def webhook(self) -> Webhook:
        """How its messages are checked and read. They have no headers, and may be old."""
        ...

    def receive(self) -> list[Queued]:
        """The next messages; waits a few seconds for the first one."""
        ...

    def remove(self, messages: Sequence[Queued]) -> None:
        """They are on record. Harmless to repeat."""
        ...

    def look(self) -> QueueLook:
        """Whether it is there, may be used, and is set up well; never raises."""
        ...


Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulled(Generic[Item]):
    """What a tool answered when it was asked. An incomplete answer may add facts; it never proves absence.

    `calls` is how many requests it took, `billed` what the vendor bills for them, `reason` why it is not complete: what
    happened, and what to do.
    """

    items: tuple[Item, ...]
    complete: bool
    as_of: datetime
    calls: int = 1
    reason: str = ""
    billed: tuple[Billed, ...] = ()


def understood(title: str, ask: Callable[[], Pulled[Item]], at: datetime) -> Pulled[Item]:
    """What was pulled. An answer of another form than the documented one is no answer, wherever it is noticed."""
    try:
        return ask()
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        why = f"{title}'s answer has a form that socmon does not know ({type(error).__name__}: {error})."
        return Pulled(items=(), complete=False, as_of=at, reason=f"{why} Report this as a fault of socmon.")


class OnCallSource(Protocol):
    """A tool that knows who is on call. Synchronous: it is asked in a worker thread."""

    def read(
        self, policies: Mapping[str, str], *, start: datetime, end: datetime, as_of: datetime
    ) -> Pulled[Roster]:
        """The teams (name → escalation policy), with everybody who is on call from `start` to `end`.

        At most one roster, whose people have no Slack accounts yet. Trouble is an incomplete answer: it never raises
        for the tool's sake.
        """
        ...


class Paging(Protocol):
    """A tool that pages people for services. Synchronous: it is asked in a worker thread."""

    def list_services(self, at: datetime) -> Pulled[Service]:
        """All services. Trouble is an incomplete answer: it never raises for the tool's sake."""
        ...


class SampleKind(StrEnum):
    """What a sample delivery tells. GARBAGE is genuine (signed) and unreadable.

    A tool that knows no such state tells NO_DATA as the ordinary alert it sends when a signal is lost. A TEST has
    no effect: all its reports are `ignored`, or it has none.
    """

    TRIGGERED = "triggered"
    REPEATED = "repeated"
    RECOVERED = "recovered"
    NO_DATA = "no_data"
    TEST = "test"
    GARBAGE = "garbage"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A ready request for `POST /webhooks/{provider}`, signed as its sender would."""

    headers: dict[str, str]
    body: bytes


class Samples(Protocol):
    """Signed example deliveries, for tests and for the playground.

    No vendor traffic is copied: they are written after the vendor's documentation.
    """

    @property
    def environ(self) -> Mapping[str, str]:
        """The environment variables that make the provider accept these samples (its webhook secret)."""
        ...

    @property
    def table(self) -> Mapping[str, Any]:
        """The `[providers.<name>]` table that makes the provider accept these samples."""
        ...

    @property
    def pages(self) -> Mapping[str, bytes]:
        """URL → body of what the provider fetches while it checks a sample (SNS: the signing certificate)."""
        ...

    def sample(self, kind: SampleKind, *, problem: int, episode: int, at: datetime) -> Sample:
        """A delivery about problem number `problem` in its episode number `episode`, as sent at `at`.

        Equal arguments give an equal delivery (a re-send); REPEATED is the same episode told again later.
        """
        ...


class Alerts(Protocol):
    """A tool's open alerts. Synchronous, with time-outs: jobs use a thread."""

    def list_open(self, at: datetime) -> Pulled[OpenAlert]:
        """Everything that is open. Raises nothing: what could not be asked makes the answer incomplete."""
        ...

    def covers(self, key: str) -> bool:  # noqa: ARG002 - for those that ask for a part only
        """Whether a problem with this key would have been in the answer."""
        return True


class Teller(Protocol):
    """What a tool can be told of people's acts. Synchronous, with time-outs: jobs use a thread."""

    @property
    def takes(self) -> frozenset[ToolAct]: ...

    def recognise(self, author: Author) -> Account:
        """As whom to write what this person did. Raises ToolSilent, or ToolRefused when it can be written as nobody."""
        ...

    def tell(
        self, write: VendorWrite, *, account: Account, note: str, whom: Author | None, at: datetime
    ) -> str:
        """Make it so, and return what was done; harmless to repeat. Raises ToolSilent or ToolRefused.

        `note` are the signed words for a note, `whom` is who gets the alert.
        """
        ...


class Fleet(Protocol):
    """What a tool knows of a company's infrastructure. Synchronous, with time-outs: jobs use a thread.

    Nothing raises for the tool's sake: what could not be asked, or not to the last page, makes the answer incomplete,
    with a reason that says what to mend (the missing permission by its name).
    """

    def list_components(self, at: datetime) -> Pulled[Component]:
        """Everything that exists there now."""
        ...

    def read_metrics(self, components: Sequence[Component], at: datetime) -> Pulled[MetricReading]:
        """The newest value of each measure that counts for these components, where the tool keeps it.

        In few calls: one query a metric for all components, or large batches.
        """
        ...

    def list_monitors(self, at: datetime) -> Pulled[Monitor]:
        """All alert rules with their targets, and what the tool knows of where these end."""
        ...

    def check_rights(self, at: datetime) -> Pulled[str]:
        """The permissions that were granted, each by its name; the least request for each.

        For a tool whose rights are all or nothing it is enough that it lists its monitors.
        """
        pulled = self.list_monitors(at)
        granted = ("monitors",) if pulled.complete else ()
        return Pulled(
            items=granted, complete=pulled.complete, as_of=at, calls=pulled.calls, reason=pulled.reason
        )


class Dashboards(Protocol):
    """A tool's dashboards, and pictures of them. Synchronous, with time-outs: jobs use a thread."""

    def list(self, at: datetime) -> Pulled[Dashboard]:
        """All that people made there. Trouble is an incomplete answer: it never raises for the tool's sake."""
        ...

    def capture(self, dashboard: Dashboard, *, start: datetime, end: datetime) -> Captured:
        """As the tool draws it now for this time, with what its API says of the same data. Raises Uncaptured."""
        ...


def _foresees_nothing(
    _settings: Any, _resources: Sequence[Resource], _known: Mapping[str, Monitor], _at: datetime
) -> Foreseen:
    return Foreseen()


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """One vendor. `webhook` builds its webhook from the provider's own settings object (what `settings` returned).

    `settings(table, environ)` reads the `[providers.<name>]` table (without `enabled`) and the environment; raises
    WrongSettings for unknown keys (naming the nearest known one) and unusable values. `samples()` gives a fresh
    source of samples. `keys` are the table's known keys.
    """

    name: str
    title: str
    settings: Callable[[Mapping[str, Any], Mapping[str, str]], Any]
    webhook: Callable[[Any, Network], Webhook]
    samples: Callable[[], Samples]
    findings: Callable[[Any], list[str]]
    """What `socmon doctor` says about these settings: a sentence per problem, with its mend; empty when all is well."""
    queue: Callable[[Any, Network], Queue | None] = lambda _settings, _network: None
    """Opens the queue that the settings name, where the tool can deliver to one."""
    oncall: Callable[[Any], OnCallSource] | None = None
    """Builds the reader of rosters from the settings, where the tool knows who is on call."""
    alerts: Callable[[Any], Alerts | None] = lambda _settings: None
    """The tool's open alerts, by its settings; None where these do not say how to ask."""
    teller: Callable[[Any], Teller | None] = lambda _settings: None
    """The way to tell the tool what people did; None where there is none."""
    fleet: Callable[[Any], Fleet | None] = lambda _settings: None
    """What the tool knows of the infrastructure, by its settings; None where these do not say how to ask."""
    paging: Callable[[Any], Paging | None] = lambda _settings: None
    """The tool's services and whom they call; None where there are none, or the settings do not say how to ask."""
    dashboards: Callable[[Any], Dashboards | None] = lambda _settings: None
    """The tool's dashboards; None where there are none, or the settings do not say how to ask."""
    own_ends: Callable[[Any], tuple[str, ...]] = lambda _settings: ()
    """Ends of routes at which socmon itself listens, beside its public address: a queue, a hidden webhook."""
    foresee: Callable[[Any, Sequence[Resource], Mapping[str, Monitor], datetime], Foreseen] = (
        _foresees_nothing
    )
    """What a plan of Terraform does to the tool's monitors, of which those by id are on record. Pure; asks nobody."""
    collects: Callable[[Kind, Measure], bool] = lambda _kind, _measure: False
    """Whether it has a measure of such components from the start, without an agent or an add-on."""


class Secrets:
    """The webhook secrets of one provider: one, or two during rotation ("new,old"). Never shown."""

    __slots__ = ("_secrets",)

    def __init__(self, text: str = "") -> None:
        self._secrets = tuple(part.strip().encode() for part in text.split(",") if part.strip())

    def __bool__(self) -> bool:
        return bool(self._secrets)

    def __repr__(self) -> str:
        return f"Secrets({len(self._secrets)} hidden)"

    @property
    def weakest(self) -> int:
        """The length of the shortest secret in bytes; 0 without any."""
        return min(map(len, self._secrets), default=0)

    def require(self, provider: str) -> None:
        """Refuse when there is none: a source without a secret is closed, not open."""
        if not self._secrets:
            raise Refused(
                "no secret configured",
                f"{provider} deliveries are refused: SOCMON_WEBHOOK_SECRET_{provider.upper()} is not set."
                " Set it and restart socmon.",
                status=403,
            )

    def match(self, candidate: str) -> bool:
        """Whether `candidate` is one of the secrets, in constant time."""
        # backslashreplace: what a header holds may be no valid Unicode, and must be refused rather than crash.
        given = candidate.encode("utf-8", "backslashreplace")
        return any([hmac.compare_digest(secret, given) for secret in self._secrets])  # noqa: C419 - all, in any case

    def signed(self, message: bytes, candidates: list[str]) -> bool:
        """Whether one of `candidates` is the hex HMAC-SHA256 of `message` under one of the secrets."""
        expected = [hmac.new(secret, message, sha256).hexdigest().encode() for secret in self._secrets]
        given = [candidate.strip().lower().encode("utf-8", "backslashreplace") for candidate in candidates]
        return any([hmac.compare_digest(e, g) for e in expected for g in given])  # noqa: C419 - all, in any case


def webhook_secrets(provider: str, environ: Mapping[str, str]) -> Secrets:
    """The secrets in SOCMON_WEBHOOK_SECRET_<PROVIDER>; none when it is not set."""
    return Secrets(environ.get(f"SOCMON_WEBHOOK_SECRET_{provider.upper()}", ""))


def secret_findings(provider: str, secrets: Secrets) -> list[str]:
    """What `socmon doctor` says about the webhook secrets of a provider."""
    name = f"SOCMON_WEBHOOK_SECRET_{provider.upper()}"
    if not secrets:
        return [
            f"{name} is not set, so every delivery is refused. Set it to the output of `openssl rand -hex 32`."
        ]
    if secrets.weakest < SHORTEST_SECRET:
        weak = f"{name} has only {secrets.weakest} bytes, so it could be guessed."
        return [
            f"{weak} Replace it with the output of `openssl rand -hex 32`; “new,old” accepts both meanwhile."
        ]
    return []


class Way(StrEnum):
    """How a sender that signs nothing shows the shared secret; the value is what the record says about it."""

    TOKEN = "secret header"  # noqa: S105 - X-Socmon-Token: <secret>
    BEARER = "bearer token"  # Authorization: Bearer <secret>
    BASIC = "basic auth"  # Authorization: Basic base64(<any user>:<secret>)


def check_shared_secret(
    provider: str, secrets: Secrets, headers: Mapping[str, str], ways: Collection[Way]
) -> str:
    """Return the way in which the sender showed the secret; raises Refused."""
    secrets.require(provider)
    shown = [(way, secret) for way, secret in _shown_secrets(headers) if way in ways]
    if not shown:
        wanted = " or ".join(_WAYS[way] for way in Way if way in ways)
        raise Refused("missing secret", f"This request shows no secret. Let {provider} send it as {wanted}.")
    proven = [way for way, secret in shown if secrets.match(secret)]
    if not proven:
        name = f"SOCMON_WEBHOOK_SECRET_{provider.upper()}"
        raise Refused("bad secret", f"This is not the secret in {name}. Correct it at the sender.")
    return proven[0]


def read_table(provider: str, table: Mapping[str, Any], known: Collection[str]) -> Mapping[str, Any]:
    """Return `[providers.<provider>]`; raises WrongSettings for an unknown key, naming the nearest known one."""
    for key in table:
        if key not in known:
            raise WrongSettings(
                f"providers.{provider}.{key} is not a known key.{nearest(key, {*known, 'enabled'})}"
            )
    return table


def nearest(word: str, known: Collection[str]) -> str:
    """` Did you mean "x"?`, or what is known when nothing is near."""
    close = get_close_matches(word, sorted(known), n=1, cutoff=0.5)
    return f' Did you mean "{close[0]}"?' if close else f" Known here: {', '.join(sorted(known))}."


def parse_object(body: bytes) -> dict[str, Any]:
    """The JSON object in `body`; raises Unreadable for anything else, doubled keys, NaN, and nesting over 40 levels."""
    if _depth(body) > DEEPEST_JSON:
        raise Unreadable(f"The body is nested more than {DEEPEST_JSON} levels deep.")
    try:
        value = json.loads(body, object_pairs_hook=_distinct, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"The body is not JSON: {error}.") from error
    if not isinstance(value, dict):
        raise Unreadable(f"The body is JSON, but a {type(value).__name__} where an object was expected.")
    return value


def answered(body: bytes) -> Any:
    """The JSON of a tool's answer; raises ValueError. Half a pair of surrogates is no text that could be kept."""
    found = json.loads(body)
    return _whole_text(found) if _SURROGATE.search(body) else found


def _whole_text(value: Any) -> Any:
    match value:
        case str():
            return _HALF.sub("\ufffd", value)
        case list():
            return [_whole_text(one) for one in value]
        case dict():
            return {_whole_text(name): _whole_text(one) for name, one in value.items()}
        case _:
            return value


def _depth(body: bytes) -> int:
    """An upper bound of the nesting, brackets inside strings included; cheap enough for every body."""
    if body.count(b"{") + body.count(b"[") <= DEEPEST_JSON:
        return 0
    depth = deepest = 0
    in_string = escaped = False
    for byte in body:
        if escaped:
            escaped = False
        elif byte == _BACKSLASH:
            escaped = in_string
        elif byte == _QUOTE:
            in_string = not in_string
        elif not in_string:
            if byte in b"{[":
                depth += 1
                deepest = max(deepest, depth)
            elif byte in b"}]":
                depth -= 1
    return deepest


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def text(value: object, most: int = 4000) -> str:
    """A JSON scalar as text without control characters (line breaks stay), cut to `most`; "" for anything else."""
    if isinstance(value, str):
        cut = value[: 4 * most]
        # The first question spares most values the slow search.
        clean = (cut if cut.isprintable() else _UNPRINTABLE.sub("", cut)).strip()
        return clean if len(clean) <= most else f"{clean[: most - 1]}…"
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)[:most] if isinstance(value, int | float) else ""


def line(value: object, most: int = 300) -> str:
    """The first line of a JSON scalar that says anything."""
    return next(iter(text(value, most).splitlines()), "").strip()


def web_address(value: object) -> str:
    """The value if it is an http(s) address that is safe to show as a link, else ""."""
    return value if isinstance(value, str) and _WEB_ADDRESS.fullmatch(value) else ""


def instant(value: object, *, received_at: datetime) -> datetime | None:
    """The time a tool claims, in UTC: RFC 3339 text with an offset, Unix seconds or milliseconds. None when it is none.

    A time from the future would make every later word of the tool old news, and one before 2000 is a placeholder
    (Go's zero time is the year 1): both count as not given.
    """
    found = _from_number(value) if _is_number(value) else _from_text(value)
    return found if found and EARLIEST <= found <= received_at + CLOCK_SLACK else None


def severity_of(word: str) -> Severity | None:
    """The severity that a word of the trade means; None for an unknown word, which nobody should guess."""
    return _SEVERITIES.get(word.strip().casefold())


def key_of(*parts: str) -> str:
    """A key made of parts. A long one ends in its hash, since a mere cut would make two problems one."""
    key = "|".join(parts)
    return (
        key
        if len(key) <= LONGEST_KEY
        else f"{key[:100]}…{sha256(key.encode('utf-8', 'backslashreplace')).hexdigest()}"
    )


SHORTEST_SECRET = 32
LONGEST_KEY = 240
LONGEST_TIME = 40
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
CLOCK_SLACK = timedelta(minutes=15)

_BACKSLASH, _QUOTE = b'\\"'
_WAYS = {
    Way.TOKEN: "the header X-Socmon-Token",
    Way.BEARER: "“Authorization: Bearer …”",
    Way.BASIC: "the password of basic authentication",
}
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]|\xed[\xa0-\xbf]")  # escaped, or as bytes that json lets pass
_HALF = re.compile("[\ud800-\udfff]")
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_WEB_ADDRESS = re.compile(
    "(?i:https?)://[^\\s\x00-\x1f\x7f-\x9f\ud800-\udfff/][^\\s\x00-\x1f\x7f-\x9f\ud800-\udfff]{0,2000}"
)
_NUMBER = re.compile(r"[0-9]{9,14}(\.[0-9]{1,9})?")
_SEVERITIES = {
    word: severity
    for severity, words in {
        Severity.SEV1: ("critical", "page", "emergency", "fatal", "disaster", "p1", "sev1"),
        Severity.SEV2: ("error", "high", "major", "p2", "sev2"),
        Severity.SEV3: ("warning", "warn", "medium", "moderate", "minor", "average", "p3", "sev3"),
        Severity.SEV4: ("info", "informational", "information", "notice", "low", "none", "p4", "p5", "sev4"),
    }.items()
    for word in words
}


def _shown_secrets(headers: Mapping[str, str]) -> Iterator[tuple[Way, str]]:
    if (token := headers.get("x-socmon-token")) is not None:
        yield Way.TOKEN, token.strip()
    scheme, _, rest = (headers.get("authorization") or "").strip().partition(" ")
    match scheme.lower():
        case "bearer":
            yield Way.BEARER, rest.strip()
        case "basic":
            yield Way.BASIC, _password(rest.strip())
        case _:
            pass


def _password(credentials: str) -> str:
    """The password in `base64(user:password)`; "" when it is not that."""
    try:
        decoded = b64decode(credentials, validate=True)
    except (binascii.Error, ValueError):
        return ""
    return decoded.partition(b":")[2].decode("utf-8", "backslashreplace")


def _is_number(value: object) -> bool:
    if isinstance(value, str):
        return bool(_NUMBER.fullmatch(value.strip()[:LONGEST_TIME]))
    return isinstance(value, int | float) and not isinstance(value, bool)


def _from_number(value: Any) -> datetime | None:
    """Seconds reach 10^11 in the year 5138 and milliseconds in 1973, so the size tells which of the two it is."""
    number = float(value) if isinstance(value, str) else value
    if not 0 < number < 10**14:
        return None
    return datetime.fromtimestamp(number / 1000 if number >= 10**11 else number, UTC)


def _from_text(value: object) -> datetime | None:
    if not isinstance(value, str) or len(value) > LONGEST_TIME:
        return None
    try:
        found = datetime.fromisoformat(value.strip())
        return found.astimezone(UTC) if found.tzinfo else None
    except (ValueError, OverflowError):
        return None
