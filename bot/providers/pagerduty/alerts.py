"""PagerDuty's open incidents, and what it is told about them in a person's name.

https://developer.pagerduty.com/api-reference (incidents, users, on-calls)
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pagerduty import Error, RestApiV2Client, UrlError

from bot.domain.alert import Change, Reported
from bot.domain.comparison import OpenAlert
from bot.domain.errors import ToolRefused, ToolSilent
from bot.domain.tool import Account, Author, Done, ToolAct, VendorWrite
from bot.providers.contract import Alerts, Pulled, Teller, instant, key_of, line, text
from bot.providers.pagerduty.client import SECONDS, open_client
from bot.providers.pagerduty.incident import Data, component_of, details_of, severity_of_incident, url_of
from bot.providers.pagerduty.settings import PagerDutySettings

PAGE = 100
MOST_INCIDENTS = 10_000  # of classic paging
LONGEST_SNOOZE_SECONDS = 604_800
LONGEST_NOTE = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PagerDutyAlerts(Alerts, Teller):
    """An incident is an alert. Every call has a time-out; a write is tried once, since the sender tries again."""

    settings: PagerDutySettings

    @property
    def takes(self) -> frozenset[ToolAct]:
        return frozenset(ToolAct)

    def list_open(self, at: datetime) -> Pulled[OpenAlert]:
        wanted: dict[str, Any] = {
            "statuses[]": ["triggered", "acknowledged"],
            "date_range": "all",  # else only those of the last month
            "limit": PAGE,
        }
        found: list[OpenAlert] = []
        reason = ""
        try:
            with open_client(self.settings) as client:
                found.extend(
                    filter(None, (self._open(one, at) for one in client.iter_all("incidents", params=wanted)))
                )
        except (Error, UrlError) as error:
            reason = f"PagerDuty did not say which incidents are open: {_why(error)}."
        if not reason and len(found) >= MOST_INCIDENTS:
            reason = (
                f"PagerDuty has more than {MOST_INCIDENTS} open incidents, and shows no more. Resolve some."
            )
        return Pulled(
            items=tuple(found),
            complete=not reason,
            as_of=at,
            calls=len(found) // PAGE + 1,
            reason=reason,
        )

    def _open(self, incident: Data, at: datetime) -> OpenAlert | None:
        """What the webhook would have told of it."""
        number = text(incident.get("id"), 200)
        if not number:
            return None
        reported = Reported(
            change=Change.TRIGGERED,
            dedup_key=key_of(number),
            occurrence=key_of(number),
            occurred_at=instant(incident.get("created_at"), received_at=at),
            current=True,
            title=line(incident.get("title")) or f"PagerDuty incident {number}",
            component=component_of(incident),
            severity=severity_of_incident(incident),
            url=url_of(incident.get("html_url")),
            text=details_of(incident),
        )
        service = text((incident.get("service") or {}).get("id"), 200)
        # All are asked for: an incident that was moved to another service is not over.
        quiet = bool(self.settings.services) and service not in self.settings.services
        return OpenAlert(reported=reported, quiet=quiet, acknowledged=_acknowledged(incident, at))

    def recognise(self, author: Author) -> Account:
        """The linked account, else the one with the same e-mail, else the configured one that speaks for everybody."""
        with self._writing() as client:
            if author.account:
                user = _fetched(client.get(f"/users/{author.account}"))["user"]
                return Account(id=author.account, email=line(user.get("email")))
            if author.email and (found := _user_with(client, author.email)):
                return found
            if not self.settings.sender:
                raise ToolRefused(
                    f"PagerDuty knows nobody with {author.name}'s e-mail address. Link the account, or name a user"
                    " under [providers.pagerduty] from."
                )
            sender = _user_with(client, self.settings.sender)
        if sender is None:
            raise ToolRefused(
                f"PagerDuty knows neither {author.name} nor {self.settings.sender} of [providers.pagerduty] from."
                " Correct that address."
            )
        return Account(id=sender.id, email=sender.email, is_author=False)

    def tell(
        self, write: VendorWrite, *, account: Account, note: str, whom: Author | None, at: datetime
    ) -> str:
        to = self.recognise(whom) if whom and write.action is ToolAct.REASSIGN else None
        with self._writing() as client:
            incident = _Incident(client=client, id=write.target, sender=account.email)
            did = self._act(incident, write, note, to, at)
            if (
                write.action is not ToolAct.RESOLVE
                and write.action is not ToolAct.NOTE
                and not account.is_author
            ):
                incident.note(note)  # it was sent as somebody else
        return did if account.is_author else f"{did} as {account.email}"

    @staticmethod
    def _act(incident: "_Incident", write: VendorWrite, note: str, to: Account | None, at: datetime) -> str:
        """Asks first: to acknowledge a resolved incident would reopen it."""
        noted = incident.note(note) if write.action in {ToolAct.NOTE, ToolAct.RESOLVE} else ""
        if write.action is not ToolAct.NOTE and incident.status == "resolved":
            return "was resolved already"
        match write.action:
            case ToolAct.NOTE:
                did = noted
            case ToolAct.RESOLVE:
                did = incident.put({"status": "resolved", "resolution": note[:LONGEST_NOTE]}, "resolved")
            case ToolAct.ACKNOWLEDGE:
                did = incident.acknowledge()
            case ToolAct.SNOOZE:
                incident.acknowledge()
                did = incident.snooze(_seconds_until(write.text, at))
            case ToolAct.REASSIGN:
                if to is None or not to.is_author:
                    raise ToolRefused("PagerDuty does not know who gets it. Link their account.")
                assignee = {"assignee": {"id": to.id, "type": "user_reference"}}
                did = incident.put({"assignments": [assignee]}, f"reassigned to {to.email}")
            case _:
                level = int(write.text) if write.text.isdigit() else 0
                level = level or incident.next_level()
                did = incident.put({"escalation_level": level}, f"escalated to level {level}")
        return did

    @contextmanager
    def _writing(self) -> Iterator[RestApiV2Client]:
        """A client that gives up at once, and its errors in our words."""
        with open_client(self.settings) as client:
            client.retry = {429: 1}
            client.max_network_attempts = 0
            try:
                yield client
            except (Error, UrlError) as error:
                raise ToolSilent(_why(error)) from error
            except (KeyError, TypeError, ValueError) as error:
                raise ToolSilent(f"PagerDuty's answer cannot be read ({type(error).__name__})") from error


@dataclass(slots=True, kw_only=True)
class _Incident:
    """One incident, as somebody with the e-mail address `sender` handles it."""

    client: RestApiV2Client
    id: str
    sender: str
    _data: Data | None = None

    @property
    def data(self) -> Data:
        if self._data is None:
            self._data = _fetched(self.client.get(f"/incidents/{self.id}"))["incident"]
        return self._data

    @property
    def status(self) -> str:
        return text(self.data.get("status"), 40)

    def acknowledge(self) -> str:
        if self.status == "acknowledged":
            return "was acknowledged already"
        return self.put({"status": "acknowledged"}, "acknowledged")

    def put(self, changes: Data, did: str) -> str:
        body = {"incident": {"type": "incident_reference", **changes}}
        _fetched(self.client.put(f"/incidents/{self.id}", json=body, headers=self._named))
        self._data = None
        return did

    def snooze(self, seconds: int) -> str:
        if seconds < 1:
            return "the snooze is over"
        url = f"/incidents/{self.id}/snooze"
        _fetched(self.client.post(url, json={"duration": seconds}, headers=self._named))
        return "snoozed"

    def note(self, words: str) -> str:
        """Only once: the answer to an earlier try may have been lost."""
        content = words[:LONGEST_NOTE]
        url = f"/incidents/{self.id}/notes"
        known = _fetched(self.client.get(url)).get("notes") or []
        if any(text(one.get("content"), LONGEST_NOTE) == text(content, LONGEST_NOTE) for one in known):
            return "noted already"
        _fetched(self.client.post(url, json={"note": {"content": content}}, headers=self._named))
        return "noted"

    def next_level(self) -> int:
        """One above those who have it now; the last level stays the last."""
        policy = text((self.data.get("escalation_policy") or {}).get("id"), 40)
        assigned = {(one.get("assignee") or {}).get("id") for one in self.data.get("assignments") or []}
        wanted: dict[str, Any] = {"escalation_policy_ids[]": [policy], "limit": PAGE}
        on_call = _fetched(self.client.get("/oncalls", params=wanted)).get("oncalls") or []
        levels = {one.get("escalation_level", 1): one for one in on_call}
        here = [one["escalation_level"] for one in on_call if (one.get("user") or {}).get("id") in assigned]
        above = sorted(level for level in levels if level > max(here, default=0))
        return above[0] if above else max(levels, default=1)

    @property
    def _named(self) -> dict[str, str]:
        return {"From": self.sender}


def _acknowledged(incident: Data, at: datetime) -> Done | None:
    """The first person who did; PagerDuty also counts services and integrations."""
    if incident.get("status") != "acknowledged":
        return None
    for one in incident.get("acknowledgements") or []:
        who = one.get("acknowledger") or {}
        if text(who.get("type")).startswith("user") and who.get("id"):
            return Done(
                act=ToolAct.ACKNOWLEDGE,
                account=text(who["id"], 200),
                name=line(who.get("summary"), 200),
                at=instant(one.get("at"), received_at=at),
            )
    return None


def _user_with(client: RestApiV2Client, email: str) -> Account | None:
    """The query looks into names as well, so the address is compared."""
    users = _fetched(client.get("/users", params={"query": email, "limit": PAGE})).get("users") or []
    for user in users:
        if text(user.get("email")).casefold() == email.casefold():
            return Account(id=text(user["id"], 200), email=text(user["email"], 200))
    return None


def _fetched(response: Any) -> dict[str, Any]:
    """The JSON of a good answer. Raises ToolSilent where trying again may help, else ToolRefused."""
    status = response.status_code
    if response.is_success:
        body = response.json()
        if not isinstance(body, dict):
            raise ToolSilent("PagerDuty answered with something that is no object")
        return body
    try:
        said = (response.json().get("error") or {}) if response.content else {}
        words = "; ".join([line(said.get("message")), *map(line, said.get("errors") or [])])
    except (ValueError, AttributeError):
        words = ""
    why = f"it answered {status}{f' ({words})' if words else ''}"
    if status in {401, 403, 408, 429} or status >= 500:  # a key may be mended
        raise ToolSilent(why)
    raise ToolRefused(why)


def _why(error: Exception) -> str:
    """Without the library's address and advice, which may hold part of the key."""
    response = getattr(error, "response", None)
    if response is not None:
        return f"it answered {response.status_code}"
    cause = type(error.__cause__ or error).__name__
    return f"no answer within {SECONDS} s ({cause})"


def _seconds_until(until: str, at: datetime) -> int:
    try:
        seconds = (datetime.fromisoformat(until) - at).total_seconds()
    except (ValueError, TypeError):
        raise ToolRefused("The end of the snooze is not on record.") from None
    return min(int(seconds), LONGEST_SNOOZE_SECONDS)
