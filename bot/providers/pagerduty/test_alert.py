"""PagerDuty raises a test as an incident of a test service, and says of any test how far it came there.

Sent: https://developer.pagerduty.com/docs/send-alert-event (202 says that it was taken, not that there is an incident)
Seen: https://developer.pagerduty.com/api-reference/ → List incidents, List log entries for an incident (each
notification is a notify_log_entry), List webhook subscriptions
"""

import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.domain.errors import SocmonError, ToolRefused, ToolSilent
from bot.domain.paging import Service, digest_of
from bot.domain.test_alert import Cause, Hop, Mode, Sent, Standing, TestAlert, TestPath, Witnessed
from bot.providers.contract import Pulled, TestAlertSender, Witness, instant, line, marked, text, understood
from bot.providers.pagerduty.client import SECONDS, PagerDutyApi
from bot.providers.pagerduty.services import PagerDutyServices
from bot.providers.pagerduty.settings import PagerDutySettings

Data = Mapping[str, Any]

EVENT_RETRIES = {429: 2, 500: 2, 502: 2, 503: 2, 504: 2}
SEVERITIES = {Mode.QUIET: "info", Mode.LIVE: "critical"}
MARGIN = timedelta(minutes=1)
"""How far PagerDuty's clock may be behind ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PagerDutyWitness(Witness):
    """Asks the REST API. `pause` is how long the first retry waits, in seconds."""

    settings: PagerDutySettings
    pause: float = 1.5

    def look(self, test: TestAlert, at: datetime) -> Pulled[Witnessed]:
        return understood("PagerDuty", lambda: self._look(test, at), at)

    def explain(self, test: TestAlert, hop: Hop, at: datetime) -> Cause | None:
        explaining = {Hop.INCIDENT: self._no_incident, Hop.NOTIFIED: self._nobody_notified}
        if hop not in explaining:
            return None
        try:
            return explaining[hop](test, at)
        except SocmonError as error:
            raise ToolSilent(str(error)) from error

    def _look(self, test: TestAlert, at: datetime) -> Pulled[Witnessed]:
        with PagerDutyApi(self.settings, pause=self.pause) as api:
            try:
                seen = tuple(self._seen(api, test, at))
            except SocmonError as error:
                return Pulled(items=(), complete=False, as_of=at, calls=api.calls, reason=str(error))
            return Pulled(items=seen, complete=True, as_of=at, calls=api.calls)

    def _seen(self, api: PagerDutyApi, test: TestAlert, at: datetime) -> Iterator[Witnessed]:
        incident = _incident(api, test, at)
        if incident is None:
            return
        created = instant(incident.get("created_at"), received_at=at)
        yield Witnessed(hop=Hop.INCIDENT, at=created or at)
        entries, _ = api.get_all(f"/incidents/{_id(incident)}/log_entries", "log_entries", {})
        told = [one for one in entries if one.get("type") == "notify_log_entry"]
        times = [instant(one.get("created_at"), received_at=at) or at for one in told]
        if told:
            means = dict.fromkeys(map(_means, told))
            yield Witnessed(hop=Hop.NOTIFIED, at=min(times), means=tuple(means))

    def _no_incident(self, _test: TestAlert, _at: datetime) -> Cause | None:
        """For a test from elsewhere nobody knows by which key it was to come."""
        return None

    def _nobody_notified(self, test: TestAlert, at: datetime) -> Cause | None:
        with PagerDutyApi(self.settings, pause=self.pause) as api:
            incident = _incident(api, test, at)
            if incident is None:
                return None
            policy = _reference(incident, "escalation_policy")
            shifts, _ = api.get_all("/oncalls", "oncalls", {"escalation_policy_ids[]": [policy["id"]]})
            if not shifts:
                return Cause(
                    says=f"PagerDuty has an incident, and by the policy {policy['name']} nobody is on call.",
                    mend="Fill the shift in PagerDuty.",
                )
            urgency = text(incident.get("urgency"), 10) or "high"
            first = min(int(one.get("escalation_level") or 1) for one in shifts)
            for shift in shifts:
                if int(shift.get("escalation_level") or 1) != first:
                    continue
                user = _reference(shift, "user")
                path = f"/users/{user['id']}/notification_rules"
                rules = api.get(path, {"urgency": urgency}).get("notification_rules")
                if not rules:
                    return Cause(
                        says=f"{user['name']} has no notification rule in PagerDuty for {urgency} urgency.",
                        mend="Let them add one in their profile there.",
                    )
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class PagerDutyTestAlerts(PagerDutyWitness, TestAlertSender):
    """By the integration key of a test service; without a REST key nobody sees more than that it was taken."""

    def paths(self) -> tuple[TestPath, ...]:
        made, notified = ((Hop.INCIDENT,), (Hop.NOTIFIED,)) if self.settings.key else ((), ())
        heard = (Hop.RECEIVED,) if self.settings.secrets else ()
        hops = (Hop.SENT, *made, *heard, *notified, Hop.SHOWN, Hop.TOLD, Hop.SEEN)
        path = TestPath(id="pagerduty", provider="pagerduty", title="PagerDuty → phone and Slack", hops=hops)
        return (path,) if self.settings.test_key else ()

    def send(self, test: TestAlert, at: datetime) -> Sent:
        payload = {
            "summary": marked(test),
            "source": "socmon",
            "severity": SEVERITIES[test.mode],
            "component": test.component or "socmon",
            "timestamp": at.isoformat(),
        }
        self._enqueue("trigger", test, payload=payload)
        return Sent(reference=test.nonce)

    def clean_up(self, test: TestAlert, at: datetime) -> str:  # noqa: ARG002 - the Events API takes no time for it
        self._enqueue("resolve", test)
        return "resolved in PagerDuty"

    def explain(self, test: TestAlert, hop: Hop, at: datetime) -> Cause | None:
        if hop is Hop.RECEIVED and self.settings.key:
            return self._not_received(test, at)
        return PagerDutyWitness.explain(self, test, hop, at) if self.settings.key else None

    def plan_setup(self, at: datetime) -> Pulled[Standing]:
        service = Standing(
            id="socmon test",
            says="A service “socmon test” with the escalation policy to prove, dynamic urgency by the severity of the"
            " alert, and an Events API v2 integration",
            permission="a manager of PagerDuty",
            needs="the integration key alone",
            exists=bool(self.settings.test_key),
            by_hand="Make it in PagerDuty (Services → New service; Assign notifications: Dynamic, by alert severity),"
            " and set SOCMON_PAGERDUTY_TEST_KEY to its integration key: it is a secret, so socmon does not handle it.",
        )
        return Pulled(items=(service,), complete=True, as_of=at, calls=0)

    def set_up(self, standing: Standing, at: datetime) -> str:  # noqa: ARG002 - nothing is made
        raise ToolRefused(standing.by_hand)

    def _enqueue(self, action: str, test: TestAlert, **event: Any) -> None:
        from pagerduty import Error, EventsApiV2Client, HttpError  # noqa: PLC0415 - only when it is needed

        with EventsApiV2Client(
            self.settings.test_key,
            base_url=self.settings.events_url.rstrip("/") or None,
            verify=ssl.create_default_context(),  # the library's own one knows no SSL_CERT_FILE
        ) as client:
            client.retry = dict(EVENT_RETRIES)
            client.timeout = SECONDS
            client.sleep_timer = self.pause
            try:
                client.send_event(action, dedup_key=test.nonce, **event)
            except HttpError as error:
                status = error.response.status_code if error.response else 0
                if 400 <= status < 500 and status != 429:
                    raise ToolRefused(
                        f"PagerDuty refuses the event with {status}: the key in SOCMON_PAGERDUTY_TEST_KEY belongs to no"
                        " integration (any more). Set it to the key of the test service's Events API v2 integration."
                    ) from error
                raise ToolSilent(f"PagerDuty's Events API answers {status}.") from error
            except (Error, OSError, ValueError) as error:
                raise ToolSilent(
                    f"PagerDuty's Events API did not answer ({type(error).__name__})."
                ) from error

    def _no_incident(self, test: TestAlert, at: datetime) -> Cause | None:
        """It was taken, and nothing came of it."""
        pulled = PagerDutyServices(settings=self.settings, pause=self.pause).list_services(at)
        if not pulled.complete:
            raise ToolSilent(pulled.reason)
        service = _service_of(self.settings.test_key, pulled.items)
        if service is None and not any(one.hides_keys for one in pulled.items):
            return Cause(
                says="PagerDuty took the event, but its key belongs to no service (any more).",
                mend="Set SOCMON_PAGERDUTY_TEST_KEY to the key of the test service's Events API v2 integration.",
            )
        if service and service.dead and (service.rings or test.mode is Mode.LIVE):
            # The sentence says what is wrong and its mend; for a quiet test low urgency is as it should be.
            says, _, mend = service.dead.rpartition(". ")
            return Cause(
                says=f"PagerDuty made no incident: {says or service.dead}.".replace("..", "."),
                mend=mend or f"Mend the service {service.name} in PagerDuty.",
            )
        return None

    def _not_received(self, test: TestAlert, at: datetime) -> Cause | None:
        try:
            with PagerDutyApi(self.settings, pause=self.pause) as api:
                if _incident(api, test, at) is None:
                    return self._no_incident(test, at)
                subscriptions, _ = api.get_all("/webhook_subscriptions", "webhook_subscriptions", {})
        except ToolSilent:
            raise
        except SocmonError as error:
            raise ToolSilent(str(error)) from error
        own = [one for one in subscriptions if _address(one).rstrip("/").endswith("/webhooks/pagerduty")]
        if not own:
            return Cause(
                says="PagerDuty has an incident, but no webhook subscription that leads to socmon.",
                mend="Add one (Integrations → Generic Webhooks v3) with socmon's address …/webhooks/pagerduty.",
            )
        if not any(_is_active(one) for one in own):
            return Cause(
                says="PagerDuty has an incident, but the webhook subscription that leads to socmon is disabled.",
                mend="Enable it under Integrations → Generic Webhooks (v3). PagerDuty disables what fails often.",
            )
        return None


def _incident(api: PagerDutyApi, test: TestAlert, at: datetime) -> Data | None:
    """By its key where the test began here, else by the nonce in its title."""
    if test.provider == "pagerduty":
        found = api.get("/incidents", {"incident_key": test.nonce, "limit": 1}).get("incidents")
    else:
        since, until = (test.trying_at or test.asked_at) - MARGIN, at + MARGIN
        asked = {"since": since.isoformat(), "until": until.isoformat()}
        found, _ = api.get_all("/incidents", "incidents", asked)
    named = [one for one in found or () if isinstance(one, dict) and _names(one, test.nonce)]
    return named[0] if named else None


def _names(incident: Data, nonce: str) -> bool:
    return any(
        nonce in text(incident.get(field)) for field in ("incident_key", "title", "summary", "description")
    )


def _means(entry: Data) -> str:
    channel = entry.get("channel") if isinstance(entry.get("channel"), dict) else {}
    notification = channel.get("notification") if isinstance(channel, dict) else None
    kind = notification.get("type") if isinstance(notification, dict) else ""
    return line(kind, 40).removesuffix("_notification") or "notified"


def _reference(holder: Data, name: str) -> dict[str, str]:
    found = holder.get(name) or {}
    return {
        "id": line(found.get("id"), 60),
        "name": line(found.get("summary"), 200) or line(found.get("id"), 60),
    }


def _id(incident: Data) -> str:
    return line(incident["id"], 60)


def _address(subscription: Data) -> str:
    method = subscription.get("delivery_method")
    return text(method.get("url"), 500) if isinstance(method, dict) else ""


def _is_active(subscription: Data) -> bool:
    method = subscription.get("delivery_method") or {}
    return subscription.get("active") is not False and method.get("temporarily_disabled") is not True


def _service_of(key: str, services: tuple[Service, ...]) -> Service | None:
    return next((one for one in services if digest_of(key) in one.ends), None)
