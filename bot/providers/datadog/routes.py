"""Where a monitor's notifications go: the @handles in its messages, the notification rules, and what is wrong there.

https://docs.datadoghq.com/monitors/notify/ and https://docs.datadoghq.com/monitors/notify/variables/
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any
from urllib.parse import urlsplit

from datadog_api_client.v1.api.pager_duty_integration_api import PagerDutyIntegrationApi
from datadog_api_client.v1.api.slack_integration_api import SlackIntegrationApi
from datadog_api_client.v1.api.webhooks_integration_api import WebhooksIntegrationApi
from datadog_api_client.v2.api.monitors_api import MonitorsApi
from datadog_api_client.v2.api.users_api import UsersApi

from bot.domain.errors import ToolSilent
from bot.domain.monitor import Target, TargetKind
from bot.providers.contract import line, text
from bot.providers.datadog.client import Data, Visit
from bot.providers.datadog.scopes import read_scope
from bot.providers.datadog.settings import DatadogSettings

PAGE = 100
KINDS = {
    "slack": TargetKind.SLACK,
    "pagerduty": TargetKind.PAGERDUTY,
    "webhook": TargetKind.WEBHOOK,
    "sns": TargetKind.SNS,
}


class Told(Enum):
    """Whether a handle is told of something."""

    YES = "yes"
    NO = "no"
    PERHAPS = "perhaps"  # it depends on the component's tags


STATES = frozenset(
    {
        *(
            "is_alert",
            "is_warning",
            "is_no_data",
            "is_unknown",
            "is_recovery",
            "is_renotify",
            "is_alert_recovery",
        ),
        *("is_warning_recovery", "is_no_data_recovery", "is_unknown_recovery", "is_alert_to_warning"),
        *("is_warning_to_alert", "is_no_data_to_alert", "is_unknown_to_alert"),
    }
)
States = tuple[frozenset[str], frozenset[str]]
"""(those in which something is told, those in which it is told to be over)."""
ALERT: States = frozenset({"is_alert"}), frozenset({"is_recovery", "is_alert_recovery"})
NO_DATA: States = frozenset({"is_no_data"}), frozenset({"is_recovery", "is_no_data_recovery"})

_COMMENT = re.compile(r"\{\{!--.*?--\}\}|\{\{![^}]*\}\}", re.DOTALL)
_PIECE = re.compile(
    r"""\{\{\s*(?P<open>[#^])\s*(?P<block>\w+)[^}]*\}\} | \{\{\s*/\s*(?P<close>\w+)\s*\}\}
        | (?P<else>\{\{\s*else\s*\}\})
        | (?<![\w.@])@(?P<handle>[\w.+-]+@[\w-]+(?:\.[\w-]+)+ | (?:[\w./-] | \{\{(?!\s*else\s*\})[^{}\#^/!]+\}\})+)""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Handle:
    """Who is told, as Datadog writes it without the @, and of what."""

    name: str
    alert: Told
    recovery: Told


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A notification rule. `cases` are (condition, recipients); without any it is `recipients` who are told."""

    name: str
    filter: str
    recipients: tuple[str, ...] = ()
    cases: tuple[tuple[str, tuple[str, ...]], ...] = ()
    fallback: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Routes:
    """What is known of the ends. `dead` says why a handle reaches nobody; `known` is False when the rules are not.

    `urls` are where webhooks lead, by handle.
    """

    rules: tuple[Rule, ...] = ()
    dead: Mapping[str, str] = field(default_factory=dict)
    urls: Mapping[str, str] = field(default_factory=dict)
    accounts: tuple[str, ...] = ()
    known: bool = True

    def of(self, monitor: Data, states: States = ALERT) -> tuple[Target, ...]:
        told: dict[str, Handle] = {}
        for handle in handles(monitor, self.rules, states):
            before = told.get(handle.name, handle)
            told[handle.name] = Handle(
                handle.name, _best(before.alert, handle.alert), _best(before.recovery, handle.recovery)
            )
        return tuple(self._target(handle, states) for handle in told.values())

    def _target(self, handle: Handle, states: States) -> Target:
        service, _, rest = handle.name.partition("-")
        kind = KINDS.get(service, TargetKind.OTHER)
        reaches: tuple[str, ...] = (rest,) if rest and kind is not TargetKind.OTHER else ()
        if "@" in handle.name:
            kind, reaches = TargetKind.EMAIL, (handle.name,)
        elif kind is TargetKind.SLACK:
            reaches = (_channel(rest, self.accounts),)
        elif url := self.urls.get(handle.name):
            reaches = (rest, url)
        dead = self.dead.get(handle.name, "")
        if "{{" in handle.name:
            dead = "its name is made of a variable: socmon cannot say where it ends. Write the name out."
        elif handle.alert is Told.NO:
            what = "missing data" if states is NO_DATA else "an alert"
            dead = dead or f"it is told, but never of {what}. Move it out of its {{{{#is_…}}}} block."
        elif handle.alert is Told.PERHAPS:
            dead = dead or (
                "it depends on the component's tags whether it is told, and socmon cannot weigh that."
                " Name a handle outside of {{#is_match}} and rules that choose by tags of groups."
            )
        return Target(
            kind=kind, name=handle.name, reaches=reaches, recovery=handle.recovery is Told.YES, dead=dead
        )


def handles(monitor: Data, rules: Iterable[Rule], states: States = ALERT) -> Iterator[Handle]:
    """Everybody whom this monitor names, and whom the rules name for it."""
    options = monitor.get("options") or {}
    yield from _in_message(text(monitor.get("message"), 20_000), states)
    if options.get("renotify_interval"):
        # A renotification tells nobody of the recovery.
        for handle in _in_message(text(options.get("escalation_message"), 20_000), states):
            yield replace(handle, recovery=Told.NO)
    tags = frozenset(str(tag).lower() for tag in monitor.get("tags") or ())
    if priority := monitor.get("priority"):
        tags |= {f"priority:p{priority}"}
    for rule in rules:
        applies = _matches(rule.filter, tags)
        if applies is not Told.NO:
            for name, alert, recovery in _recipients(rule, tags, states):
                yield Handle(name, _worst(applies, alert), _worst(applies, recovery))


def read_routes(visit: Visit, settings: DatadogSettings, monitors: Iterable[Data]) -> Routes:
    """The rules, and which of the handles that are in use are dead. What could not be asked is noted."""
    rules, known = _rules(visit)
    names = {handle.name for monitor in monitors for handle in handles(monitor, rules)}
    dead = {**_dead_people(visit, names), **_dead_channels(visit, names, settings.slack_accounts)}
    urls: dict[str, str] = {}
    pagerduty: Any = PagerDutyIntegrationApi(visit.client)  # type: ignore[no-untyped-call]
    webhooks: Any = WebhooksIntegrationApi(visit.client)  # type: ignore[no-untyped-call]
    for name in sorted(names):
        service, _, rest = name.partition("-")
        if not rest or "{{" in name:
            continue
        if service == "pagerduty":
            method = pagerduty.get_pager_duty_integration_service
            dead[name], _ = _look_up(visit, f"PagerDuty service {rest}", method, service_name=rest)
        elif service == "webhook":
            method = webhooks.get_webhooks_integration
            dead[name], found = _look_up(visit, f"webhook {rest}", method, webhook_name=rest)
            urls[name] = _address(found)
    return Routes(rules=tuple(rules), dead=dead, urls=urls, accounts=settings.slack_accounts, known=known)


def _rules(visit: Visit) -> tuple[list[Rule], bool]:
    """All rules: https://docs.datadoghq.com/api/latest/monitors/ (Get all monitor notification rules)."""
    api: Any = MonitorsApi(visit.client)  # type: ignore[no-untyped-call]
    about, permission = "which notification rules there are", "monitors_read"

    def page(number: int) -> object:
        answer = visit.ask(
            about,
            permission,
            api.get_monitor_notification_rules,
            per_page=PAGE,
            **({"page": number} if number else {}),
        )
        return (answer or {}).get("data")

    rows, whole = visit.every(about, page, size=PAGE)
    return [_rule(row.get("attributes") or {}) for row in rows], whole


def _rule(facts: Data) -> Rule:
    chosen = facts.get("filter") or {}
    conditional = facts.get("conditional_recipients") or {}
    return Rule(
        name=line(facts.get("name")),
        filter=text(chosen.get("scope"), 3000) or ",".join(str(tag) for tag in chosen.get("tags") or ()),
        recipients=_names(facts.get("recipients")),
        cases=tuple(
            (text(one.get("scope"), 3000), _names(one.get("recipients")))
            for one in conditional.get("conditions") or ()
        ),
        fallback=_names(conditional.get("fallback_recipients")),
    )


def _recipients(rule: Rule, tags: frozenset[str], states: States) -> Iterator[tuple[str, Told, Told]]:
    """(handle, told of alerts, told of recoveries); the fallback is told where no condition holds."""
    yield from ((name, Told.YES, Told.YES) for name in rule.recipients)
    alert = recovery = Told.NO
    for condition, names in rule.cases:
        of_alert, of_recovery = (_holds(condition, tags, state) for state in states)
        alert, recovery = _best(alert, of_alert), _best(recovery, of_recovery)
        yield from ((name, of_alert, of_recovery) for name in names)
    yield from ((name, _other(alert), _other(recovery)) for name in rule.fallback)


def _holds(condition: str, tags: frozenset[str], state: frozenset[str]) -> Told:
    name, _, value = condition.strip().lower().partition(":")
    if name == "transition_type":
        word = value if value.startswith("is_") else f"is_{value}"
        return Told.YES if word in state else Told.NO
    return _matches(condition, tags)


def _matches(filter_: str, tags: frozenset[str]) -> Told:
    """Whether a rule takes a monitor with these tags. Tags of its groups count too, and these are not known here."""
    scope = read_scope(filter_)
    if scope.unreadable or scope.without:
        return Told.PERHAPS
    answer = Told.YES
    for name, values in scope.tags.items():
        wanted = {f"{name}:{value}" if value else name for value in values.split(",")}
        if not wanted & tags:
            own = any(tag.partition(":")[0] == name for tag in tags)
            answer = _worst(answer, Told.NO if own else Told.PERHAPS)
    return answer


def _in_message(message: str, states: States) -> Iterator[Handle]:
    """The handles of a message, with the conditional blocks that they stand in."""
    blocks: list[tuple[str, bool]] = []
    for piece in _PIECE.finditer(_COMMENT.sub(" ", message)):
        if piece["open"]:
            blocks.append((piece["block"], piece["open"] == "#"))
        elif piece["close"]:
            names = [name for name, _ in blocks]
            if piece["close"] in names:
                del blocks[len(names) - 1 - names[::-1].index(piece["close"]) :]
        elif piece["else"] and blocks:
            blocks[-1] = (blocks[-1][0], not blocks[-1][1])
        elif piece["handle"] and (name := piece["handle"].rstrip(".,;:-/")):
            alert, recovery = (_shown(blocks, state) for state in states)
            yield Handle(name, alert, recovery)


def _shown(blocks: Iterable[tuple[str, bool]], state: frozenset[str]) -> Told:
    """Whether text in these blocks is shown when a monitor has just reached this state."""
    answer = Told.YES
    for name, wanted in blocks:
        if name not in STATES:
            answer = _worst(answer, Told.PERHAPS)
        elif (name in state) != wanted:
            return Told.NO
    return answer


def _dead_people(visit: Visit, names: Iterable[str]) -> dict[str, str]:
    """Who is pending or disabled gets no e-mail (https://docs.datadoghq.com/monitors/notify/, Email)."""
    addresses = {name.lower(): name for name in names if "@" in name}
    if not addresses:
        return {}
    api: Any = UsersApi(visit.client)  # type: ignore[no-untyped-call]
    about, permission = "whose account is disabled", "user_access_read"

    def page(number: int) -> object:
        answer = visit.ask(
            about,
            permission,
            api.list_users,
            filter_status="Pending,Disabled",
            page_size=PAGE,
            page_number=number,
        )
        return (answer or {}).get("data")

    before = len(visit.reasons)
    rows, whole = visit.every(about, page, size=PAGE)
    found = {} if whole else dict.fromkeys(addresses.values(), _unchecked(visit.reasons[before:]))
    for row in rows:
        facts = row.get("attributes") or {}
        status = "Disabled" if facts.get("disabled") else line(facts.get("status"))
        for address in {text(facts.get("email")).lower(), text(facts.get("handle")).lower()}:
            if address in addresses and status != "Active":
                found[addresses[address]] = (
                    f"the Datadog account of {address} is {status.lower()}, so Datadog sends it nothing."
                    " Name somebody who is active."
                )
    return found


def _dead_channels(visit: Visit, names: Iterable[str], accounts: tuple[str, ...]) -> dict[str, str]:
    """Channels that Datadog's Slack integration does not have; only asked where the accounts' names are known."""
    used = [name for name in names if name.startswith("slack-") and "{{" not in name]
    if not (used and accounts):
        return {}
    api: Any = SlackIntegrationApi(visit.client)  # type: ignore[no-untyped-call]
    about, known = "which Slack channels it has", set[str]()
    for account in accounts:
        try:
            rows = visit.ask(
                about, "integrations_read", api.get_slack_integration_channels, account_name=account
            )
        except ToolSilent as error:
            visit.note(str(error))
            return dict.fromkeys(used, _unchecked([str(error)]))
        for row in rows or ():
            channel = line(row.get("name")).removeprefix("#").lower()
            known |= {channel, f"{account}-{channel}".lower()}
    return {
        name: f"Datadog's Slack integration has no channel {_channel(name.removeprefix('slack-'), accounts)}."
        " Add it there, or correct the handle."
        for name in used
        if name.removeprefix("slack-").lower() not in known
    }


def _look_up(visit: Visit, what: str, method: Callable[..., Any], **arguments: str) -> tuple[str, Data]:
    """(why nobody gets what is sent there, "" when it exists; what Datadog says of it)."""
    try:
        answer = visit.ask(f"whether the {what} exists", "integrations_read", method, **arguments)
    except ToolSilent as error:
        visit.note(str(error))
        return _unchecked([str(error)]), {}
    if answer is None:
        return f"Datadog has no {what}. Add it there, or correct the handle.", {}
    return "", answer if isinstance(answer, dict) else {}


def _address(webhook: Data) -> str:
    """Where it leads, without what may be secret: what stands before the host or in the query."""
    try:
        parts = urlsplit(text(webhook.get("url"), 1000))
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}" if parts.scheme else ""


def _unchecked(reasons: Iterable[str]) -> str:
    return f"socmon could not check it: {' '.join(reasons)}"


def _channel(rest: str, accounts: Iterable[str]) -> str:
    """The channel behind @slack-…: with several accounts the account's name stands before it."""
    account = next((one for one in accounts if rest.lower().startswith(f"{one.lower()}-")), "")
    return rest[len(account) + 1 :] if account else rest


def _names(given: object) -> tuple[str, ...]:
    return tuple(str(name).removeprefix("@") for name in given) if isinstance(given, list) else ()


def _best(one: Told, other: Told) -> Told:
    return max(one, other, key=_ORDER.index)


def _worst(one: Told, other: Told) -> Told:
    return min(one, other, key=_ORDER.index)


def _other(told: Told) -> Told:
    return {Told.YES: Told.NO, Told.NO: Told.YES, Told.PERHAPS: Told.PERHAPS}[told]


_ORDER = (Told.NO, Told.PERHAPS, Told.YES)
