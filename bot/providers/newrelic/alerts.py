"""New Relic's issues that are not closed, asked over NerdGraph.

https://docs.newrelic.com/docs/apis/nerdgraph/examples/nerdgraph-issues-api-via-github/
There is no public schema to check the query against; the tests hold it to answers written after that page.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bot.domain.alert import Change
from bot.domain.comparison import OpenAlert
from bot.domain.errors import ToolSilent, Unreadable
from bot.providers.asking import ask
from bot.providers.contract import Alerts, Pulled, text
from bot.providers.newrelic.settings import NewRelicSettings
from bot.providers.newrelic.webhook import reported_issue

MOST_PAGES = 50
OPEN = frozenset({"CREATED", "ACTIVATED"})
QUERY = """\
query ($account: Int!, $cursor: String) {
  actor { account(id: $account) { aiIssues {
    issues(cursor: $cursor, filter: {states: [CREATED, ACTIVATED]}) {
      issues {
        issueId state priority title conditionName policyName entityNames
        createdAt activatedAt updatedAt acknowledgedAt acknowledgedBy mutingState deepLinkUrl
      }
      nextCursor
    }
  } } }
}"""

Data = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRelicAlerts(Alerts):
    settings: NewRelicSettings

    def list_open(self, at: datetime) -> Pulled[OpenAlert]:
        found: list[OpenAlert] = []
        cursor, calls, reason = None, 0, ""
        try:
            while calls == 0 or (cursor and calls < MOST_PAGES):
                page = self._page(cursor)
                calls += 1
                issues = [one for one in page["issues"] if str(one.get("state")).upper() in OPEN]
                found += [_open(issue, at) for issue in issues]
                cursor = page.get("nextCursor")
            if cursor:
                reason = (
                    f"New Relic has more than {MOST_PAGES} pages of open issues, and no more were asked for."
                )
        except (ToolSilent, Unreadable) as error:
            reason = f"New Relic did not say which issues are open: {error}."
        return Pulled(items=tuple(found), complete=not reason, as_of=at, calls=max(calls, 1), reason=reason)

    def _page(self, cursor: str | None) -> Data:
        answer = ask(
            self.settings.api_url,
            headers={"API-Key": self.settings.api_key},
            body={"query": QUERY, "variables": {"account": self.settings.account, "cursor": cursor}},
        )
        page: Any = answer
        for name in ("data", "actor", "account", "aiIssues", "issues"):
            page = page.get(name) if isinstance(page, dict) else None
        if not isinstance(page, dict) or not isinstance(page.get("issues"), list) or answer.get("errors"):
            raise ToolSilent(f"NerdGraph answered {_said(answer)}")
        return page


def _open(issue: Data, at: datetime) -> OpenAlert:
    """Read as its message would be. One that is only created has told nobody yet."""
    report = reported_issue(
        {
            "issueId": issue.get("issueId"),
            "state": "ACTIVATED",
            "priority": issue.get("priority"),
            "title": issue.get("title"),
            "conditionName": issue.get("conditionName"),
            "policyName": issue.get("policyName"),
            "entities": issue.get("entityNames"),
            "url": issue.get("deepLinkUrl"),
            "createdAt": issue.get("activatedAt") or issue.get("createdAt"),
        },
        at,
    )
    muted = text(issue.get("mutingState")).upper() == "FULLY_MUTED"
    told = text(issue.get("state")).upper() == "ACTIVATED" and not muted
    return OpenAlert(reported=replace(report, change=Change.TRIGGERED, current=True), quiet=not told)


def _said(answer: object) -> str:
    errors = answer.get("errors") if isinstance(answer, dict) else None
    first = (
        errors[0].get("message")
        if isinstance(errors, list) and errors and isinstance(errors[0], dict)
        else ""
    )
    return text(first, 200) or "something that cannot be read"
