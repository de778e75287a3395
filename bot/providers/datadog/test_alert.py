"""A test begins in Datadog as a value of a test metric, of which a standing monitor tells whom production's tell.

Sent: https://docs.datadoghq.com/api/latest/metrics/#submit-metrics (202 says that it was taken; times may be up to ten
minutes ahead). Standing: https://docs.datadoghq.com/api/latest/monitors/#create-a-monitor
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from datadog_api_client.v1.api.monitors_api import MonitorsApi
from datadog_api_client.v2.api.metrics_api import MetricsApi

from bot.domain.errors import ToolRefused, ToolSilent
from bot.domain.monitor import Monitor, Target, TargetKind
from bot.domain.test_alert import Cause, Hop, Mode, Sent, Standing, TestAlert, TestPath
from bot.providers.contract import Pulled, TestAlertSender, cause_of, text, understood
from bot.providers.datadog.client import Data, Visit
from bot.providers.datadog.monitors import read_downtimes, read_monitor
from bot.providers.datadog.routes import read_routes
from bot.providers.datadog.settings import DatadogSettings, TestedRoute

METRIC = "socmon.test.signal"
GAUGE = 3
OWNER = "managed_by:socmon"
LEVELS = {Mode.QUIET: 1, Mode.LIVE: 2}
"""A quiet test goes over the warning threshold of 0 only, a live one over the critical threshold of 1."""
WINDOW = timedelta(minutes=5)
"""So long that a value counts however late it arrives."""
AFTERWARDS = [timedelta(minutes=minute) for minute in range(int(WINDOW / timedelta(minutes=1)) + 2)]
"""When the metric is 0 after a test: also once the window has left the test behind, or nothing would recover."""
ENDS = {Hop.RECEIVED: TargetKind.WEBHOOK, Hop.INCIDENT: TargetKind.PAGERDUTY}
WAKE_NOBODY = frozenset({TargetKind.EMAIL, TargetKind.SLACK})
WRITE = "monitors_write"
NO_KEY = "DD_API_KEY is no API key of this site (any more). Correct it, or DD_SITE."


@dataclass(frozen=True, slots=True, kw_only=True)
class DatadogTestAlerts(TestAlertSender):
    """A path for each of the settings' test routes, with a monitor of its own."""

    settings: DatadogSettings

    def paths(self) -> tuple[TestPath, ...]:
        return tuple(self._path(route) for route in self.settings.test_routes)

    def send(self, test: TestAlert, at: datetime) -> Sent:
        if test.mode is Mode.QUIET:
            self._refuse_to_wake(_route(test))
        self._submit(test, [(at, LEVELS[test.mode])])
        return Sent(reference=METRIC)

    def clean_up(self, test: TestAlert, at: datetime) -> str:
        self._submit(test, [(at + later, 0) for later in AFTERWARDS])
        return "the test metric is 0 again: Datadog's monitor recovers within six minutes"

    def explain(self, test: TestAlert, hop: Hop, at: datetime) -> Cause | None:
        if hop not in ENDS:
            return None
        route = _route(test)
        with Visit(self.settings) as visit:
            found = _standing(visit, route)
            if found is None:
                return Cause(
                    says=f"Datadog took the value of {METRIC}, but no monitor stands there for the route {route}.",
                    mend="Make it: `socmon test-alert setup --apply`.",
                )
            downtimes, silence_known = read_downtimes(visit)
            routes = read_routes(visit, self.settings, [found])
            if not (silence_known and routes.known):
                raise ToolSilent(visit.reason)
            monitor = read_monitor(found, downtimes, routes, self.settings, at)
            return self._why(test, ENDS[hop], found, monitor)

    def plan_setup(self, at: datetime) -> Pulled[Standing]:
        return understood("Datadog", lambda: self._plan(at), at)

    def set_up(self, standing: Standing, at: datetime) -> str:  # noqa: ARG002 - Datadog's own clock counts
        route = next((one for one in self.settings.test_routes if _standing_id(one) == standing.id), None)
        if route is None:
            raise ToolRefused(f"{standing.id} is none of [providers.datadog.test_routes]. Add it there.")
        wanted = _wanted(route)
        mend = (
            f"Give the application key and its owner the permission {WRITE} for as long as the setup takes."
        )
        with Visit(self.settings) as visit:
            api: Any = MonitorsApi(visit.client)  # type: ignore[no-untyped-call]
            found = _standing(visit, route.name)
            if found is None:
                made = visit.act("make the test monitor", mend, api.create_monitor, body=wanted)
                return f"made the monitor {made['id']}"
            number = found["id"]
            visit.act("put the test monitor right", mend, api.update_monitor, monitor_id=number, body=wanted)
            return f"put the monitor {number} right"

    def _path(self, route: TestedRoute) -> TestPath:
        heard = (Hop.RECEIVED,) if route.own in route.handles else ()
        paged = (Hop.INCIDENT, Hop.NOTIFIED) if route.pages else ()
        through = " → PagerDuty" if route.pages else ""
        return TestPath(
            id=f"datadog:{route.name}",
            provider="datadog",
            title=f"Datadog ({route.name}){through} → Slack",
            hops=(Hop.SENT, *heard, *paged, Hop.SHOWN, Hop.TOLD, Hop.SEEN),
        )

    def _refuse_to_wake(self, name: str) -> None:
        """Raises ToolRefused where somebody may be paged, and ToolSilent where nobody can tell.

        The monitor may have been changed, and Datadog's notification rules add recipients of their own.
        """
        route = next((one for one in self.settings.test_routes if one.name == name), None)
        if route is None:
            raise ToolRefused(f"{name} is none of [providers.datadog.test_routes] (any more). Add it there.")
        with Visit(self.settings) as visit:
            found = _standing(visit, name)
            if found is None:
                return
            message = text(found.get("message"))
            for block in _blocks(route):
                message = message.replace(block, "")
            told = {**found, "message": message}
            routes = read_routes(visit, self.settings, [told])
            if not routes.known:
                raise ToolSilent(visit.reason)
            quiet = {one.removeprefix("@") for one in (*route.always, route.pager)}
            loud = [
                f"@{one.name}"
                for one in routes.of(told)
                if not one.dead and one.kind not in WAKE_NOBODY and one.name not in quiet
            ]
        if loud:
            raise ToolRefused(
                f"Datadog's test monitor also tells {', '.join(loud)}, which may page people, so no quiet test was"
                " sent. Take them out of its message, and it out of the notification rules."
            )

    def _submit(self, test: TestAlert, values: Sequence[tuple[datetime, int]]) -> None:
        series = {
            "metric": METRIC,
            "type": GAUGE,
            "points": [{"timestamp": int(when.timestamp()), "value": float(value)} for when, value in values],
            "tags": [f"route:{_route(test)}", f"component:{test.component or 'none'}", f"run:{test.nonce}"],
        }
        with Visit(self.settings) as visit:
            api: Any = MetricsApi(visit.client)  # type: ignore[no-untyped-call]
            visit.act("take the test metric", NO_KEY, api.submit_metrics, body={"series": [series]})

    def _plan(self, at: datetime) -> Pulled[Standing]:
        found: list[Standing] = []
        with Visit(self.settings) as visit:
            for route in self.settings.test_routes:
                try:
                    monitor = _standing(visit, route.name)
                except ToolSilent as error:
                    visit.note(str(error))
                    break
                found.append(_stands(route, monitor))
            return Pulled(
                items=tuple(found),
                complete=not visit.reasons,
                as_of=at,
                calls=visit.calls,
                reason=visit.reason,
            )

    def _why(self, test: TestAlert, kind: TargetKind, found: Data, monitor: Monitor) -> Cause:
        """What keeps the monitor from telling whoever is looked for; else what happened as far as Datadog knows."""
        if not monitor.enabled:
            return cause_of("Datadog's test monitor is a draft, so it tells nobody. Publish it in Datadog.")
        if why := monitor.silenced or next((mute.why for mute in monitor.mutes), ""):
            return cause_of(f"Datadog's test monitor is {why}")
        ends = [one for one in monitor.targets if one.kind is kind and self._is_looked_for(one)]
        if not ends:
            wanted = "@pagerduty-…" if kind is TargetKind.PAGERDUTY else f"@webhook-{self.settings.webhook}"
            return Cause(
                says=f"Datadog's test monitor does not name {wanted}.",
                mend="Put it right with `socmon test-alert setup --apply`, and see that production's monitors name it.",
            )
        if all(one.dead for one in ends):
            return cause_of(f"Datadog's test monitor notifies @{ends[0].name}, but {ends[0].dead}")
        if not _went_off(found, test.nonce):
            return Cause(
                says=f"Datadog took the value of {METRIC}, but its test monitor did not go off.",
                mend="Put it right with `socmon test-alert setup --apply`; Metrics → Explorer shows whether it came.",
            )
        return Cause(
            says=f"Datadog's test monitor went off and notifies @{ends[0].name}, and nothing came of it.",
            mend="See the address and the header of the webhook under Integrations → Webhooks, and Datadog's events.",
        )

    def _is_looked_for(self, target: Target) -> bool:
        own = self.settings.webhook
        return target.kind is not TargetKind.WEBHOOK or own == "*" or target.name == f"webhook-{own}"


def _route(test: TestAlert) -> str:
    return test.path.partition(":")[2]


def _standing_id(route: TestedRoute) -> str:
    return f"monitor {route.name}"


def _tags(route: str) -> set[str]:
    return {OWNER, f"socmon_test:{route}"}


def _standing(visit: Visit, route: str) -> Data | None:
    """The test monitor of a route, by its tags. Raises ToolSilent."""
    api: Any = MonitorsApi(visit.client)  # type: ignore[no-untyped-call]
    rows = visit.ask(
        "which test monitors there are",
        "monitors_read",
        api.list_monitors,
        monitor_tags=",".join(sorted(_tags(route))),
        group_states="all",
        with_downtimes=True,
        page=0,
        page_size=100,
    )
    return next((one for one in rows or () if _tags(route) <= set(one.get("tags") or ())), None)


def _blocks(route: TestedRoute) -> list[str]:
    """Whom a test pages stands in blocks by how loud the test is; all others are told of every test."""
    tell = {
        "is_alert": route.live,
        "is_alert_recovery": route.live,
        "is_warning": route.quiet,
        "is_warning_recovery": route.quiet,
    }
    return [f"{{{{#{name}}}}}{' '.join(who)}{{{{/{name}}}}}" for name, who in tell.items() if who]


def _wanted(route: TestedRoute) -> dict[str, Any]:
    says = "[TEST] Nothing is wrong: socmon tests whether alerts arrive ({{component.name}}, {{run.name}})."
    return {
        "name": f"[TEST] socmon test alert: {route.name}",
        "type": "query alert",
        "query": f"max(last_{int(WINDOW / timedelta(minutes=1))}m):max:{METRIC}{{route:{route.name}}}"
        " by {component,run} > 1",
        "message": "\n".join([says, " ".join(route.always), *_blocks(route)]),
        "tags": sorted(_tags(route.name)),
        "options": {
            "thresholds": {"critical": 1.0, "warning": 0.0},
            "include_tags": True,
            "new_group_delay": 0,  # each test is a group that nobody has seen before
            "notify_no_data": False,
            "require_full_window": False,
        },
    }


def _stands(route: TestedRoute, monitor: Data | None) -> Standing:
    wanted = _wanted(route)
    same = monitor is not None and all(
        text(monitor.get(name)) == text(wanted[name]) for name in ("query", "message")
    )
    changed = " (it stands, but was changed: it is put right)" if monitor and not same else ""
    return Standing(
        id=_standing_id(route),
        says=f"The monitor “{wanted['name']}” of {METRIC}, which notifies {' '.join(route.handles)}"
        f"{f' and in quiet tests {route.pager}' if route.quiet else ''}{changed}",
        permission=WRITE,
        needs="an API key, and monitors_read and monitors_downtime to see whom it tells and what is broken",
        exists=same,
    )


def _went_off(monitor: Data, nonce: str) -> bool:
    groups = (monitor.get("state") or {}).get("groups") or {}
    return any(
        nonce in text(one.get("name") or name)
        and (one.get("last_triggered_ts") or text(one.get("status")) in {"Alert", "Warn"})
        for name, one in groups.items()
    )
