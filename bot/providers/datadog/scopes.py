"""The filters in which Datadog says what a monitor, a downtime or a notification rule is about.

https://docs.datadoghq.com/metrics/advanced-filtering/ and https://docs.datadoghq.com/logs/explorer/search_syntax/
Read are: tags that all have to be there, single ones that must not, and lists of values of one tag. The rest (other
ORs, wildcards, template variables) is left unread, with a word of why.
"""

import re
from collections.abc import Iterator

from bot.domain.monitor import Watches

_TAG = r"[A-Za-z][\w./-]*"
_VALUE = r"[\w./@+-][\w./:@+-]*"
_TERM = re.compile(
    rf"""\s*(?:
        (?P<not>!|-|NOT\s+)?
        (?P<name>{_TAG})
        (?: \s*:\s*\(\s*(?P<any>{_VALUE}(?:\s+OR\s+{_VALUE})*)\s*\)     # env:(a OR b)
          | \s+(?P<out>NOT\s+)?IN\s*\(\s*(?P<in>{_VALUE}(?:\s*,\s*{_VALUE})*)\s*\)  # env IN (a,b)
          | :(?:"(?P<quoted>[^"*?]+)"|(?P<value>{_VALUE})) )?
        )\s*""",
    re.VERBOSE | re.IGNORECASE,
)
_JOIN = re.compile(r",|AND\b", re.IGNORECASE)
_WORDS = frozenset({"and", "or", "not", "in"})


def read_scope(written: str) -> Watches:
    """What the filter is about; `unreadable` when that cannot be said of it."""
    scope = written.strip()
    if scope in {"", "*"}:
        return Watches()
    tags: dict[str, str] = {}
    without: dict[str, list[str]] = {}
    terms = list(_terms(scope))
    if not terms:
        return Watches(unreadable=f"socmon cannot read the filter “{scope}”. Write it as tags with commas.")
    for name, values, refused in terms:
        if refused:
            without.setdefault(name, []).extend(values)
        elif tags.setdefault(name, ",".join(values)) != ",".join(values):
            return Watches(unreadable=f"The filter “{scope}” asks for two values of {name} at once.")
    return Watches(tags=tags, without={name: ",".join(values) for name, values in without.items()})


def covers(scope: Watches, watched: Watches) -> bool:
    """Whether everything that `watched` may be about is in `scope`, as far as their tags say."""
    return (
        not scope.unreadable
        and not scope.without
        and all(
            name in watched.tags and set(watched.tags[name].split(",")) <= set(value.split(","))
            for name, value in scope.tags.items()
        )
    )


def _terms(scope: str) -> Iterator[tuple[str, list[str], bool]]:
    """(tag, values, whether it must not be there) each; nothing at all when one of them cannot be read."""
    found: list[tuple[str, list[str], bool]] = []
    position = 0
    while position < len(scope):
        if found:
            join = _JOIN.match(scope, position)
            # Searches join by a mere space as well: https://docs.datadoghq.com/monitors/downtimes/
            if not join and scope[position - 1] != " ":
                return
            position = join.end() if join else position
        term = _TERM.match(scope, position)
        if not term or not term["name"] or term["name"].lower() in _WORDS or term.end() == position:
            return
        values = [term["quoted"] or term["value"] or ""]
        if term["any"]:
            values = re.split(r"\s+OR\s+", term["any"], flags=re.IGNORECASE)
        elif term["in"]:
            values = re.split(r"\s*,\s*", term["in"])
        found.append(
            (term["name"].lower(), [one.lower() for one in values], bool(term["not"] or term["out"]))
        )
        position = term.end()
    yield from found
