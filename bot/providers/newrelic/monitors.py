"""New Relic's NRQL conditions in the words of all tools, and what mutes them.

https://docs.newrelic.com/docs/alerts/create-alert/create-alert-condition/create-nrql-alert-conditions/ and
https://docs.newrelic.com/docs/alerts/get-notified/muting-rules-suppress-notifications/
No field says when a condition was changed: whoever keeps them sees it by comparing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation

from bot.domain.alert import Severity
from bot.domain.component import Kind, Measure
from bot.domain.errors import ToolSilent
from bot.domain.monitor import Comparator, Monitor, Mute, Watches
from bot.providers.contract import Pulled, line, text
from bot.providers.newrelic.metrics import BY_NAME, Metric
from bot.providers.newrelic.nerdgraph import Data, Visit
from bot.providers.newrelic.nrql import GUIDS, HOST_NAMES, Nrql, read_nrql, watches_of
from bot.providers.newrelic.routes import Holds, Routes, compare, read_routes
from bot.providers.newrelic.settings import NewRelicSettings

NEEDED = "a role that may view alert policies, conditions and muting rules"
POLICIES = """\
query ($account: Int!, $cursor: String) {
  actor { account(id: $account) { alerts { policiesSearch(cursor: $cursor) {
    policies { id name incidentPreference }
    nextCursor totalCount
  } } } }
}"""
CONDITIONS = """\
query ($account: Int!, $cursor: String) {
  actor { account(id: $account) { alerts { nrqlConditionsSearch(cursor: $cursor) {
    nextCursor totalCount
    nrqlConditions {
      id name enabled policyId type
      nrql { query }
      terms { operator priority threshold thresholdDuration thresholdOccurrences }
      expiration { openViolationOnExpiration expirationDuration }
    }
  } } } }
}"""
MUTING_RULES = """\
query ($account: Int!) {
  actor { account(id: $account) { alerts { mutingRules {
    id name enabled status
    condition { operator conditions { attribute operator values } }
  } } } }
}"""
OPERATORS = {
    "ABOVE": Comparator.ABOVE,
    "ABOVE_OR_EQUALS": Comparator.AT_LEAST,
    "BELOW": Comparator.BELOW,
    "BELOW_OR_EQUALS": Comparator.AT_MOST,
}
TURNED = {
    Comparator.ABOVE: Comparator.BELOW,
    Comparator.AT_LEAST: Comparator.AT_MOST,
    Comparator.BELOW: Comparator.ABOVE,
    Comparator.AT_MOST: Comparator.AT_LEAST,
}
# They come as long as their component lives: their loss is what tells that it is down.
SIGNS_OF_LIFE = {"SystemSample": Kind.HOST, "K8sContainerSample": Kind.SERVICE}
FILE_SYSTEMS = frozenset({"mountpoint", "device", "entityandmountpoint"})
FUNCTIONS = frozenset({"average", "max", "min", "latest", "percentile", "median"})
PRIORITIES = {"CRITICAL": Severity.SEV1, "WARNING": Severity.SEV3}


def list_monitors(settings: NewRelicSettings, at: datetime) -> Pulled[Monitor]:
    """Without the muting rules, policies and routes nothing is known for certain, so nothing is said then."""
    visit = Visit(settings)
    path = "account.alerts"
    conditions, whole = visit.every(
        "which conditions there are", NEEDED, CONDITIONS, f"{path}.nrqlConditionsSearch", "nrqlConditions"
    )
    policies, all_policies = visit.every(
        "which policies there are", NEEDED, POLICIES, f"{path}.policiesSearch", "policies"
    )
    rules, all_rules = _muting_rules(visit)
    routes = read_routes(visit)
    known = all_policies and all_rules and routes.known
    names = {text(one.get("id"), 40): line(one.get("name")) for one in policies}
    items = [read_condition(one, names, rules, routes, settings) for one in conditions] if known else []
    return Pulled(
        items=tuple(items), complete=whole and known, as_of=at, calls=visit.calls, reason=visit.reason
    )


def _muting_rules(visit: Visit) -> tuple[list[Data], bool]:
    about = "which muting rules are active"
    try:
        found = visit.ask(about, NEEDED, MUTING_RULES, "account.alerts.mutingRules")
    except ToolSilent as error:
        visit.note(str(error))
        return [], False
    if not isinstance(found, list):
        visit.note(f"New Relic did not say {about}: its answer cannot be read. It is asked again.")
        return [], False
    return [one for one in found if one.get("enabled") and one.get("status") in (None, "ACTIVE")], True


def read_condition(
    condition: Data,
    policies: Mapping[str, str],
    rules: Iterable[Data],
    routes: Routes,
    settings: NewRelicSettings,
) -> Monitor:
    number, name = text(condition.get("id"), 40), line(condition.get("name"))
    policy = text(condition.get("policyId"), 40)
    nrql = read_nrql(text((condition.get("nrql") or {}).get("query")))
    term = _term(condition)
    lost = _lost_after(condition)
    seen = _condition(condition, nrql, term)
    facts = {
        "conditionId": number,
        "conditionName": name,
        "policyId": policy,
        "policyName": policies.get(policy, ""),
        "nrqlEventType": nrql.event,
        "nrqlQuery": text((condition.get("nrql") or {}).get("query")),
        "accountId": str(settings.account),
        "accumulations.conditionName": name,
        "accumulations.conditionFamilyId": number,
        "accumulations.policyName": policies.get(policy, ""),
        "labels.policyIds": policy,
        "priority": text(term.get("priority"), 20).upper(),
        "source": "newrelic",
    }
    muted, mutes = _silence(rules, facts)
    targets = routes.of(facts, muted)
    return Monitor(
        provider="newrelic",
        id=number,
        name=name,
        url="",
        metric=f"{nrql.event}.{nrql.attribute}" if nrql.attribute else nrql.event,
        measure=seen.measure,
        watches=seen.watches,
        comparator=seen.comparator,
        threshold=seen.threshold,
        window=seen.window,
        severity=PRIORITIES.get(text(term.get("priority"), 20).upper()),
        enabled=condition.get("enabled") is True,
        # A workflow may notify of muted issues all the same: then only its neighbours are silent.
        silenced="" if any(not one.dead for one in targets) else muted,
        mutes=mutes,
        alerts_on_no_data=lost is not None,
        no_data_window=lost,
        targets=targets,
        modified_at=None,
        modified_by_tool=False,
        query=facts["nrqlQuery"],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Condition:
    measure: Measure | None
    watches: Watches
    comparator: Comparator = Comparator.OTHER
    threshold: Decimal | None = None
    window: timedelta = timedelta()


def _term(condition: Data) -> Data:
    """The critical one; a condition has at most one of each priority."""
    terms: Sequence[Data] = condition.get("terms") or ()
    critical = [one for one in terms if text(one.get("priority")).upper() == "CRITICAL"]
    return next(iter([*critical, *terms]), {})


def _condition(condition: Data, nrql: Nrql, term: Data) -> _Condition:
    metric = BY_NAME.get((nrql.event, nrql.attribute))
    window = timedelta(seconds=_number(term.get("thresholdDuration")) or 0)
    if nrql.function == "count" and nrql.event in SIGNS_OF_LIFE:
        lost = _lost_after(condition)
        return _Condition(
            measure=Measure.UPTIME,
            watches=_told_apart(nrql, SIGNS_OF_LIFE[nrql.event], extreme=False),
            comparator=Comparator.OTHER if lost is None else Comparator.ABSENT,
            window=window if lost is None else lost,
        )
    if not nrql.attribute and not nrql.watches.unreadable:
        nrql = replace(
            nrql, watches=Watches(unreadable="socmon reads queries of one function of one attribute only.")
        )
    if metric is None:
        return _Condition(measure=None, watches=nrql.watches, window=window)
    comparator = OPERATORS.get(text(term.get("operator")).upper(), Comparator.OTHER)
    below = comparator in {Comparator.BELOW, Comparator.AT_MOST}
    extreme = nrql.function == ("min" if below else "max")
    watches = _told_apart(nrql, metric.kind, extreme=extreme)
    if metric.measure is Measure.DISK:
        watches = _each_file_system(nrql, watches, extreme=extreme)
    threshold = _number(term.get("threshold"))
    if (
        text(condition.get("type")).upper() != "STATIC"
        or nrql.function not in FUNCTIONS
        or comparator is Comparator.OTHER
        or threshold is None
        or metric.scale is None
    ):
        return _Condition(measure=metric.measure, watches=watches, window=window)
    return _measured(metric, watches, comparator, Decimal(str(threshold)), window)


def _lost_after(condition: Data) -> timedelta | None:
    """How long a signal has to be lost until an incident opens; None when none does."""
    expiration = condition.get("expiration") or {}
    if expiration.get("openViolationOnExpiration") is not True:
        return None
    return timedelta(seconds=_number(expiration.get("expirationDuration")) or 0)


def _measured(
    metric: Metric, watches: Watches, comparator: Comparator, threshold: Decimal, window: timedelta
) -> _Condition:
    scale = metric.scale or Decimal(1)
    return _Condition(
        measure=metric.measure,
        watches=watches,
        comparator=TURNED[comparator] if scale < 0 else comparator,
        threshold=metric.offset + scale * threshold,
        window=window,
    )


def _told_apart(nrql: Nrql, kind: Kind, *, extreme: bool) -> Watches:
    """One number for many components hides the one that is ill: only a query that tells them apart watches them."""
    watches = nrql.watches
    needed = HOST_NAMES | GUIDS if kind is Kind.HOST else frozenset({"deploymentname", "podname"})
    if watches.unreadable or extreme or nrql.facets & needed or len(watches.identities) == 1:
        return watches
    by = "entityGuid" if kind is Kind.HOST else "deploymentName"
    return replace(
        watches,
        unreadable=f"It makes one number of all components: nothing says which is ill. Add FACET {by}.",
    )


def _each_file_system(nrql: Nrql, watches: Watches, *, extreme: bool) -> Watches:
    """SystemSample adds up all file systems of a host, and an average hides the one that is full."""
    if watches.unreadable or (nrql.event != "SystemSample" and (extreme or nrql.facets & FILE_SYSTEMS)):
        return watches
    return replace(
        watches,
        unreadable="It makes one number of all file systems: nothing says which is full. Watch StorageSample, with"
        " mountPoint in its FACET.",
    )


def _silence(rules: Iterable[Data], facts: Mapping[str, str]) -> tuple[str, tuple[Mute, ...]]:
    """Why a condition is muted as a whole, else for which components."""
    mutes: list[Mute] = []
    for rule in rules:
        why = f"muted by the rule “{line(rule.get('name'))}”. End it under Alerts → Muting rules."
        group = rule.get("condition") or {}
        parts = [(one, _holds(one, facts)) for one in group.get("conditions") or ()]
        either = text(group.get("operator")).upper() == "OR"
        answers = [answer for _, answer in parts]
        open_ = [one for one, answer in parts if answer is Holds.PERHAPS]
        if (either and Holds.YES in answers) or (not either and set(answers) <= {Holds.YES}):
            return why, ()
        if (not either and Holds.NO in answers) or not open_:
            continue
        scopes = [_scope([one]) for one in open_] if either else [_scope(open_)]
        if any(one.unreadable for one in scopes):
            return f"perhaps {why} socmon cannot read all of the rule.", ()
        mutes += (Mute(watches=one, why=why) for one in scopes)
    return "", tuple(mutes)


def _holds(part: Data, facts: Mapping[str, str]) -> Holds:
    attribute = text(part.get("attribute"), 200)
    values = [text(value, 4000) for value in part.get("values") or ()]
    if attribute not in facts:
        return Holds.PERHAPS
    return compare(text(part.get("operator"), 60), values, facts[attribute])


def _scope(parts: Iterable[Data]) -> Watches:
    terms: list[tuple[str, list[str], bool]] = []
    for part in parts:
        attribute, operator = text(part.get("attribute"), 200), text(part.get("operator"), 60)
        about = attribute.lower() in HOST_NAMES | GUIDS or attribute.startswith("tags.")
        if not about or operator not in {"EQUALS", "IN", "NOT_EQUALS", "NOT_IN"}:
            return Watches(unreadable=f"{attribute} {operator}")
        terms.append((attribute, [text(one, 500) for one in part.get("values") or ()], "NOT" in operator))
    return watches_of(terms)


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return None
    return float(found) if found.is_finite() else None
