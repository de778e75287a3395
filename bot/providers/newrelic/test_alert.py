"""A test begins in New Relic as an event of its own kind, which a standing condition counts.

Sent: https://docs.newrelic.com/docs/data-apis/ingest-apis/event-api/introduction-event-api/ (200: it was taken)
Standing: https://docs.newrelic.com/docs/apis/nerdgraph/examples/nerdgraph-api-nrql-condition-alerts/
Tested on its own: https://docs.newrelic.com/docs/apis/nerdgraph/examples/nerdgraph-api-notifications-channels/ (Test a
channel); aiWorkflowsTestWorkflow needs a past issue that matches, so it proves less than an event does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.domain.errors import ToolRefused, ToolSilent
from bot.domain.monitor import Monitor, Target, TargetKind
from bot.domain.test_alert import Cause, Hop, Mode, Sent, Standing, TestAlert, TestPath
from bot.providers.asking import Declined, tell
from bot.providers.contract import Pulled, TestAlertSender, cause_of, line, marked, text, understood
from bot.providers.newrelic import monitors
from bot.providers.newrelic.monitors import CONDITIONS, POLICIES
from bot.providers.newrelic.nerdgraph import Data, Visit
from bot.providers.newrelic.routes import read_routes
from bot.providers.newrelic.settings import NewRelicSettings

EVENT = "SocmonTest"
OURS = "/webhooks/newrelic"
PRIORITIES = {Mode.QUIET: "WARNING", Mode.LIVE: "CRITICAL"}
WAKE_NOBODY = frozenset({TargetKind.EMAIL, TargetKind.SLACK})
MODIFY = "a role that may modify alert policies and conditions"
DESCRIPTION = "Nothing is wrong: socmon tests with it whether alerts arrive. Managed by socmon."

# The names of mutations, types and fields: newrelic-client-go, pkg/alerts and pkg/notifications.
MAKE_POLICY = """\
mutation ($account: Int!, $policy: AlertsPolicyInput!) {
  alertsPolicyCreate(accountId: $account, policy: $policy) { id }
}"""
MAKE_CONDITION = """\
mutation ($account: Int!, $policy: ID!, $condition: AlertsNrqlConditionStaticInput!) {
  alertsNrqlConditionStaticCreate(accountId: $account, policyId: $policy, condition: $condition) { id }
}"""
MEND_CONDITION = """\
mutation ($account: Int!, $id: ID!, $condition: AlertsNrqlConditionUpdateStaticInput!) {
  alertsNrqlConditionStaticUpdate(accountId: $account, id: $id, condition: $condition) { id }
}"""
TEST_CHANNEL = """\
mutation ($account: Int!, $channel: ID!) {
  aiNotificationsTestChannelById(accountId: $account, channelId: $channel) { result details error { details } }
}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRelicTestAlerts(TestAlertSender):
    """Quiet and live tests have a policy each, so that workflows can tell whom to page."""

    settings: NewRelicSettings

    def paths(self) -> tuple[TestPath, ...]:
        hops = (Hop.SENT, Hop.RECEIVED, Hop.SHOWN, Hop.TOLD, Hop.SEEN)
        path = TestPath(id="newrelic", provider="newrelic", title="New Relic → Slack", hops=hops)
        return (path,) if self.settings.test_key else ()

    def send(self, test: TestAlert, at: datetime) -> Sent:
        if test.mode is Mode.QUIET:
            self._refuse_to_wake(at)
        event = {
            "eventType": EVENT,
            "timestamp": int(at.timestamp()),
            "mode": test.mode.value,
            "component": test.component or "none",
            "run": test.nonce,
            "says": marked(test),
        }
        url = f"{self.settings.events_url}/v1/accounts/{self.settings.account}/events"
        try:
            tell(url, headers={"Api-Key": self.settings.test_key}, body=[event])
        except Declined as error:
            if error.status >= 500 or error.status == 429:
                raise ToolSilent(f"New Relic's Event API did not take the event: {error}.") from error
            raise ToolRefused(
                f"New Relic's Event API refuses the event with {error.status}. Set SOCMON_NEWRELIC_TEST_KEY to a"
                " license key of the account in NEW_RELIC_ACCOUNT_ID, and see NEW_RELIC_REGION."
            ) from error
        except ToolSilent as error:
            raise ToolSilent(f"New Relic's Event API did not take the event: {error}.") from error
        return Sent(reference=_policy(test.mode))

    def clean_up(self, test: TestAlert, at: datetime) -> str:  # noqa: ARG002 - an event cannot be taken back
        return "nothing to end: New Relic closes the issue two minutes after the event"

    def explain(self, test: TestAlert, hop: Hop, at: datetime) -> Cause | None:
        if hop is not Hop.RECEIVED:
            return None
        monitor = self._monitor(test.mode, at)
        if monitor is None:
            return Cause(
                says=f"New Relic took the event, but no condition counts those of {test.mode} tests.",
                mend="Make it: `socmon test-alert setup --apply`.",
            )
        return _why_untold(monitor, test.mode) or self._what_the_channel_says()

    def plan_setup(self, at: datetime) -> Pulled[Standing]:
        return understood("New Relic", lambda: self._plan(at), at)

    def set_up(self, standing: Standing, at: datetime) -> str:  # noqa: ARG002
        mode = next((one for one in Mode if standing.id == f"condition {one}"), None)
        if mode is None:
            raise ToolRefused(f"{standing.id} is made by hand. {standing.by_hand}")
        visit = Visit(self.settings)
        policies, known = visit.every(
            "which policies there are", monitors.NEEDED, POLICIES, "account.alerts.policiesSearch", "policies"
        )
        path, rows = "account.alerts.nrqlConditionsSearch", "nrqlConditions"
        conditions, also = visit.every("which conditions there are", monitors.NEEDED, CONDITIONS, path, rows)
        if not (known and also):
            raise ToolSilent(visit.reason)
        policy = _named(policies, _policy(mode))
        if policy is None:
            wanted = {"name": _policy(mode), "incidentPreference": "PER_CONDITION_AND_TARGET"}
            policy = visit.act("make the policy", MODIFY, MAKE_POLICY, "alertsPolicyCreate", policy=wanted)
        number = text(policy["id"], 40)
        of_policy = [one for one in conditions if text(one.get("policyId"), 40) == number]
        there = _named(of_policy, _policy(mode))
        condition = _condition(mode)
        if there is None:
            name = "alertsNrqlConditionStaticCreate"
            given = {"policy": number, "condition": condition}
            made = visit.act("make the condition", MODIFY, MAKE_CONDITION, name, **given)
            return f"made the condition {made['id']} in the policy “{_policy(mode)}”"
        name = "alertsNrqlConditionStaticUpdate"
        given = {"id": text(there["id"], 40), "condition": condition}
        visit.act("put the condition right", MODIFY, MEND_CONDITION, name, **given)
        return f"put the condition {there['id']} right"

    def _plan(self, at: datetime) -> Pulled[Standing]:
        pulled = monitors.list_monitors(self.settings, at)
        found: list[Standing] = [_key_stands(self.settings)]
        if pulled.complete:
            for mode in Mode:
                monitor = _watching(mode, pulled.items)
                found += (_condition_stands(mode, monitor), _workflow_stands(mode, monitor))
        return Pulled(
            items=tuple(found),
            complete=pulled.complete,
            as_of=at,
            calls=pulled.calls,
            reason=pulled.reason,
        )

    def _monitor(self, mode: Mode, at: datetime) -> Monitor | None:
        """The standing condition with the ways it takes. Raises ToolSilent."""
        pulled = understood("New Relic", lambda: monitors.list_monitors(self.settings, at), at)
        if not pulled.complete:
            raise ToolSilent(pulled.reason)
        return _watching(mode, pulled.items)

    def _refuse_to_wake(self, at: datetime) -> None:
        """Raises ToolRefused where somebody may be paged, and ToolSilent where nobody can tell."""
        monitor = self._monitor(Mode.QUIET, at)
        loud = [
            one.name
            for one in (monitor.targets if monitor else ())
            if not (one.dead or _is_ours(one) or one.kind in WAKE_NOBODY)
        ]
        if loud:
            raise ToolRefused(
                f"The policy “{_policy(Mode.QUIET)}” also tells {', '.join(loud)}, which may page people, so no quiet"
                " test was sent. Take the policy out of those workflows, or test live."
            )

    def _what_the_channel_says(self) -> Cause | None:
        """By a test notification of New Relic's own to socmon's webhook, which is filed as a test."""
        visit = Visit(self.settings)
        routes = read_routes(visit)
        channels = [
            one
            for one in routes.channels.values()
            if OURS
            in str((routes.destinations.get(text(one.get("destinationId"), 60)) or {}).get("properties"))
        ]
        for channel in channels[:1]:
            name = "aiNotificationsTestChannelById"
            try:
                said: Any = visit.act(
                    "test the channel", MODIFY, TEST_CHANNEL, name, channel=text(channel["id"], 60)
                )
            except ToolRefused:
                break  # it takes a right of its own; what is known already stays true
            if text(said.get("result")).upper() != "SUCCESS":
                details = line((said.get("error") or {}).get("details")) or line(said.get("details"))
                return Cause(
                    says=f"New Relic tells socmon of it, but a test of the channel {line(channel.get('name'))} fails:"
                    f" {details or 'without a reason'}",
                    mend="Correct the address and the authorization under Alerts → Destinations.",
                )
        return Cause(
            says="New Relic's condition and workflow are as they should be, and nothing arrived here.",
            mend="`SELECT * FROM NrIntegrationError, NrAiNotification SINCE 1 hour ago` tells what New Relic tried.",
        )


def _why_untold(monitor: Monitor, mode: Mode) -> Cause | None:
    named = f"New Relic's condition “{monitor.name}”"
    if not monitor.enabled:
        return Cause(says=f"{named} is switched off.", mend="Switch it on under Alerts → Alert conditions.")
    if monitor.silenced:
        return cause_of(f"{named} is {monitor.silenced}")
    ours = [one for one in monitor.targets if _is_ours(one)]
    if not ours:
        return Cause(
            says=f"No workflow with socmon's webhook takes the policy “{_policy(mode)}”.",
            mend="Add the policy to the filter of socmon's workflow under Alerts → Workflows.",
        )
    if all(one.dead for one in ours):
        return cause_of(f"New Relic does not tell socmon of it: {ours[0].dead}")
    return None


def _is_ours(target: Target) -> bool:
    return target.kind is TargetKind.WEBHOOK and any(end.rstrip("/").endswith(OURS) for end in target.reaches)


def _policy(mode: Mode) -> str:
    """The name of the policy, and of its condition."""
    return f"[TEST] socmon {mode}"


def _query(mode: Mode) -> str:
    return f"SELECT count(*) FROM {EVENT} WHERE mode = '{mode}' FACET component, run"  # noqa: S608 - NRQL, of our own words


def _watching(mode: Mode, found: tuple[Monitor, ...]) -> Monitor | None:
    return next((one for one in found if one.query == _query(mode)), None)


def _named(rows: list[Data], name: str) -> Data | None:
    return next((one for one in rows if one.get("name") == name), None)


def _condition(mode: Mode) -> Mapping[str, Any]:
    """Goes off at the first event, and is over once there were none for two minutes. The title carries the nonce."""
    return {
        "name": _policy(mode),
        "description": DESCRIPTION,
        "titleTemplate": "[TEST] socmon: nothing is wrong ({{tags.component}}, {{tags.run}})",
        "enabled": True,
        "nrql": {"query": _query(mode)},
        "terms": [
            {
                "operator": "ABOVE",
                "priority": PRIORITIES[mode],
                "threshold": 0,
                "thresholdDuration": 60,
                "thresholdOccurrences": "AT_LEAST_ONCE",
            }
        ],
        # One lone event moves no flow on: by the timer its minute ends all the same.
        "signal": {"aggregationWindow": 60, "aggregationMethod": "EVENT_TIMER", "aggregationTimer": 5},
        "expiration": {
            "expirationDuration": 120,
            "closeViolationsOnExpiration": True,
            "openViolationOnExpiration": False,
        },
        "violationTimeLimitSeconds": 3600,
    }


def _key_stands(settings: NewRelicSettings) -> Standing:
    return Standing(
        id="license key",
        says="A license key that sends the events of tests (SOCMON_NEWRELIC_TEST_KEY)",
        permission="an administrator of New Relic",
        needs="the license key alone",
        exists=bool(settings.test_key),
        by_hand="Make one of its own under API keys → Create a key → Ingest - License, and set"
        " SOCMON_NEWRELIC_TEST_KEY to it: it is a secret, so socmon does not handle it.",
    )


def _condition_stands(mode: Mode, monitor: Monitor | None) -> Standing:
    return Standing(
        id=f"condition {mode}",
        says=f"The policy and condition “{_policy(mode)}”, which {mode} tests set off",
        permission=MODIFY,
        needs="a license key (and the rights of coverage to say what is broken)",
        exists=monitor is not None and monitor.enabled,
    )


def _workflow_stands(mode: Mode, monitor: Monitor | None) -> Standing:
    targets = monitor.targets if monitor else ()
    whom = "socmon's workflow alone" if mode is Mode.QUIET else "socmon's workflow and those that page people"
    return Standing(
        id=f"workflow {mode}",
        says=f"The policy “{_policy(mode)}” in the filter of {whom}",
        permission="a role that may modify workflows",
        needs="nothing",
        exists=any(_is_ours(one) and not one.dead for one in targets),
        by_hand=f"Under Alerts → Workflows add the policy “{_policy(mode)}” to the filter of {whom}.",
    )
