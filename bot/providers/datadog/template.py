"""The payload template that socmon asks Datadog to send, and how to read it when Datadog breaks its JSON.

Datadog puts the values of its $VARIABLES between the quotes of the template. A value with an unescaped quote, such as
a query that filters by {name:"a b"}, then makes a body that is no JSON. We know which keys stand around each value,
so the values can still be told apart, provided that no value contains such a key itself.
"""

import json
import re

# https://docs.datadoghq.com/integrations/webhooks/#variables
TEMPLATE = {
    "v": 1,
    "id": "$ID",
    "monitor_id": "$ALERT_ID",
    "cycle": "$ALERT_CYCLE_KEY",
    "aggreg": "$AGGREG_KEY",
    "transition": "$ALERT_TRANSITION",
    "type": "$ALERT_TYPE",
    "event_type": "$EVENT_TYPE",
    "priority": "$ALERT_PRIORITY",
    "status": "$ALERT_STATUS",
    "title": "$EVENT_TITLE",
    "scope": "$ALERT_SCOPE",
    "metric": "$ALERT_METRIC",
    "query": "$ALERT_QUERY",
    "host": "$HOSTNAME",
    "tags": "$TAGS",
    "text": "$TEXT_ONLY_MSG",
    "link": "$LINK",
    "snapshot": "$SNAPSHOT",
    "date": "$DATE",
    "last_updated": "$LAST_UPDATED",
    "org": "$ORG_ID",
}

_KEYS = [key for key in TEMPLATE if key != "v"]
_SPACE = "[ \t\r\n]*"
_OPENING = re.compile(
    rf'\A{_SPACE}{{{_SPACE}"v"{_SPACE}:{_SPACE}1{_SPACE},{_SPACE}"{_KEYS[0]}"{_SPACE}:{_SPACE}"'
)
_BETWEEN = [re.compile(rf'"{_SPACE},{_SPACE}"{key}"{_SPACE}:{_SPACE}"') for key in _KEYS[1:]]
_CLOSING = re.compile(rf'"{_SPACE}}}{_SPACE}\Z')
_LARGEST_BROKEN_BODY = 64 * 1024


def salvage(body: bytes) -> dict[str, str] | None:
    """The values of a broken body made from our whole template; None when they cannot be told apart for certain."""
    try:
        source = body.decode() if len(body) <= _LARGEST_BROKEN_BODY else ""
    except UnicodeDecodeError:
        return None
    values = []
    before = _OPENING.match(source)
    for boundary in [*_BETWEEN, _CLOSING]:
        found = list(boundary.finditer(source)) if before else []
        if before is None or len(found) != 1 or found[0].start() < before.end():
            return None
        values.append(_unescape(source[before.end() : found[0].start()]))
        before = found[0]
    return dict(zip(_KEYS, values, strict=True))


def _unescape(raw: str) -> str:
    """Read the value as JSON with its stray quotes escaped; as it stands when even that is not JSON."""
    try:
        return str(json.loads('"' + re.sub(r'(?<!\\)"', r"\"", raw) + '"', strict=False))
    except ValueError:
        return raw
