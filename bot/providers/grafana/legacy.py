"""What the dashboard alerts of Grafana before version 9 said: one rule and its state.

They have no start, no fingerprint and no episode.
https://grafana.com/docs/grafana/v8.5/alerting/old-alerting/notifications/#webhook
"""

from collections.abc import Mapping
from typing import Any

from bot.domain.alert import Change, Reported
from bot.domain.delivery import TEST_NOTIFICATION
from bot.domain.errors import Unreadable
from bot.providers.contract import key_of, line, text, web_address

_CHANGES = {
    "alerting": Change.TRIGGERED,
    "ok": Change.RECOVERED,
    "no_data": Change.NO_DATA,
    "paused": Change.UPDATED,
    "pending": Change.UPDATED,
}
_COMPONENT_TAGS = ("host", "hostname", "instance", "server", "node")


def read_legacy(body: Mapping[str, Any]) -> Reported:
    """Translate one state of one rule; raises Unreadable."""
    state = text(body.get("state"), 40)
    change = _CHANGES.get(state)
    rule = text(body.get("ruleId"), 40)
    if change is None or not rule:
        raise Unreadable(
            f"A rule of an old Grafana has the id “{line(rule, 40)}” and the state “{line(state, 40)}”."
        )
    name = line(body.get("ruleName"))
    return Reported(
        change=change,
        dedup_key=key_of("rule", rule, text(body.get("orgId"), 40), _site(body.get("ruleUrl"))),
        title=line(body.get("title")) or name or f"Grafana rule {rule}",
        component=_component(body),
        condition=name,
        value=_value(body),
        url=web_address(body.get("ruleUrl")),
        text=text(body.get("message")),
        said=f"{state} in Grafana" if change is Change.UPDATED else "",
        # The “Test” button of a notification channel sends the rule 0.
        ignored=TEST_NOTIFICATION if rule == "0" or name == "Test notification" else "",
    )


def _site(url: object) -> str:
    """Which Grafana it is, since each counts its rules from 1."""
    return "/".join(web_address(url).split("/")[:3])


def _component(body: Mapping[str, Any]) -> str:
    tags = [_tags(match) for match in _matches(body)]
    named = {next((found[tag] for tag in _COMPONENT_TAGS if found.get(tag)), "") for found in tags}
    return named.pop() if len(named) == 1 else ""


def _value(body: Mapping[str, Any]) -> str:
    shown = [
        f"{line(match.get('metric'), 60)} = {line(match.get('value'), 40)}" for match in _matches(body)[:5]
    ]
    return line(", ".join(shown), 200)


def _matches(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    matches = body.get("evalMatches")
    return [match for match in matches if isinstance(match, dict)] if isinstance(matches, list) else []


def _tags(match: Mapping[str, Any]) -> dict[str, str]:
    tags = match.get("tags")
    return (
        {text(name, 100): line(value, 200) for name, value in tags.items()} if isinstance(tags, dict) else {}
    )
