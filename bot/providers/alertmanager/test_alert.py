"""A test begins in Alertmanager as an alert does that Prometheus pushes, and takes the route of its labels.

https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml (POST /alerts; an alert whose endsAt has passed
is resolved; GET /alerts says to which receivers an alert goes, and what silences or inhibits it)
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from bot.domain.errors import ToolRefused, ToolSilent
from bot.domain.test_alert import PATIENCE, Cause, Hop, Mode, Sent, Standing, TestAlert, TestPath
from bot.providers.alertmanager.settings import AlertmanagerSettings
from bot.providers.alertmanager.webhook import TEST_LABEL
from bot.providers.asking import Declined, ask, tell
from bot.providers.contract import Pulled, TestAlertSender, marked

NAME = "SocmonTest"
NONCE_LABEL = "socmon_test_run"
SEVERITIES = {Mode.QUIET: "info", Mode.LIVE: "critical"}


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertmanagerTestAlerts(TestAlertSender):
    settings: AlertmanagerSettings

    def paths(self) -> tuple[TestPath, ...]:
        hops = (Hop.SENT, Hop.RECEIVED, Hop.SHOWN, Hop.TOLD, Hop.SEEN)
        return (
            TestPath(id="alertmanager", provider="alertmanager", title="Alertmanager → Slack", hops=hops),
        )

    def send(self, test: TestAlert, at: datetime) -> Sent:
        """Also where nobody ends it, Alertmanager forgets it after a while."""
        self._push(test, starts=at, ends=at + 2 * PATIENCE)
        return Sent(reference=NAME)

    def clean_up(self, test: TestAlert, at: datetime) -> str:
        started = test.trying_at or test.asked_at
        self._push(test, starts=min(started, at - timedelta(seconds=1)), ends=at)
        return "resolved in Alertmanager"

    def explain(self, test: TestAlert, hop: Hop, at: datetime) -> Cause | None:  # noqa: ARG002
        if hop is not Hop.RECEIVED:
            return None
        query = urlencode({"filter": f'{NONCE_LABEL}="{test.nonce}"'})
        try:
            found = ask(f"{self.settings.url}/api/v2/alerts?{query}", headers=self._headers)
            alert = next((one for one in found if _labels(one).get(NONCE_LABEL) == test.nonce), None)
        except (AttributeError, TypeError) as error:
            raise ToolSilent("Alertmanager's answer has a form that socmon does not know.") from error
        if alert is None:
            return Cause(
                says="Alertmanager took the alert and does not have it any more.",
                mend="See whether it restarted, or another one answers at the url under [providers.alertmanager].",
            )
        return _why(alert, self.settings.receiver)

    def plan_setup(self, at: datetime) -> Pulled[Standing]:
        """Nothing has to stand there: a test is pushed as any alert is."""
        return Pulled(items=(), complete=True, as_of=at, calls=0)

    def set_up(self, standing: Standing, at: datetime) -> str:  # noqa: ARG002
        raise ToolRefused(f"Alertmanager needs no {standing.id}: a test is pushed as any alert is.")

    def _push(self, test: TestAlert, *, starts: datetime, ends: datetime) -> None:
        labels = {
            "alertname": NAME,
            "severity": SEVERITIES[test.mode],
            TEST_LABEL: "true",
            NONCE_LABEL: test.nonce,
        }
        if test.component:
            labels["component"] = test.component
        alert = {
            "labels": labels,
            "annotations": {"summary": marked(test)},
            "startsAt": starts.isoformat(),
            "endsAt": ends.isoformat(),
        }
        try:
            tell(f"{self.settings.url}/api/v2/alerts", headers=self._headers, body=[alert])
        except Declined as error:
            raise ToolRefused(
                f"Alertmanager at {self.settings.url} refuses the alert with {error.status}. See that the url under"
                " [providers.alertmanager] is its own, and that SOCMON_ALERTMANAGER_TOKEN is right where a proxy wants"
                " one."
            ) from error
        except ToolSilent as error:
            raise ToolSilent(
                f"Alertmanager at {self.settings.url} did not take the alert: {error}."
            ) from error

    @property
    def _headers(self) -> Mapping[str, str]:
        return {"Authorization": self.settings.authorization} if self.settings.authorization else {}


def _why(alert: Mapping[str, Any], receiver: str) -> Cause | None:
    status = alert.get("status") or {}
    receivers = [str(one.get("name")) for one in alert.get("receivers") or ()]
    if receiver not in receivers:
        return Cause(
            says=f"Alertmanager sends it to {' and '.join(receivers) or 'nobody'}, and not to {receiver}.",
            mend=f"Let the route that takes these labels notify the receiver {receiver}.",
        )
    if status.get("silencedBy"):
        return Cause(
            says=f"A silence in Alertmanager mutes it ({', '.join(map(str, status['silencedBy']))}).",
            mend="Narrow the silence, or end it.",
        )
    if status.get("inhibitedBy"):
        return Cause(
            says="Another alert in Alertmanager inhibits it.",
            mend="Narrow the inhibit rule, or see that what inhibits it is over.",
        )
    if status.get("state") == "suppressed":
        return Cause(
            says="A time interval in Alertmanager mutes it.", mend="See mute_time_intervals of its route."
        )
    return Cause(
        says=f"Alertmanager sends it to the receiver {receiver}, and nothing arrived here.",
        mend="See that receiver's address and Alertmanager's log: it may not reach socmon, or wait in a group"
        " (group_wait and group_interval have to be well under five minutes).",
    )


def _labels(alert: Mapping[str, Any]) -> Mapping[str, str]:
    labels: Mapping[str, str] = alert.get("labels") or {}
    return labels
