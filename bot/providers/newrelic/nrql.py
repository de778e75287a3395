"""What a condition's NRQL query says: which attribute of which event, of whom, and told apart by what.

https://docs.newrelic.com/docs/nrql/nrql-syntax-clauses-functions/
Read are one function of one attribute, and a WHERE of equalities and lists joined by AND. The rest is left unread,
with a word of why.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from bot.domain.component import Identity
from bot.domain.monitor import Watches

HOST_NAMES = frozenset(
    {"hostname", "fullhostname", "host.hostname", "entityname", "entity.name", "targetname"}
)
GUIDS = frozenset({"entityguid", "entity.guid"})
RENAMED = {
    "clustername": "k8s.clusterName",
    "namespacename": "k8s.namespaceName",
    "deploymentname": "k8s.deploymentName",
}

_CLAUSE = re.compile(
    r"\b(FROM|SELECT|WHERE|FACET|SINCE|UNTIL|LIMIT|TIMESERIES|WITH|SLIDE\s+BY|EXTRAPOLATE)\b", re.IGNORECASE
)
_STRING = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"")
_FUNCTION = re.compile(
    r"\s*(?P<function>\w+)\s*\(\s*`?(?P<attribute>[\w.*]+)`?\s*(?:,\s*[\d.]+\s*)?\)\s*(?:AS\s+.*)?",
    re.IGNORECASE,
)
_NAME = r"`?(?P<name>[A-Za-z][\w./:-]*)`?"
_EQUALS = re.compile(rf"\s*{_NAME}\s*(?P<sign>!=|=)\s*(?P<value>\0\d+\0|[\w.-]+)\s*")
_IN = re.compile(rf"\s*{_NAME}\s+(?P<out>NOT\s+)?IN\s*\((?P<values>[^()]*)\)\s*", re.IGNORECASE)
_HELD = re.compile(r"\0(\d+)\0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Nrql:
    """`function` and `attribute` are "" where the query is more than one function of one attribute."""

    event: str = ""
    function: str = ""
    attribute: str = ""
    watches: Watches = field(default_factory=Watches)
    facets: frozenset[str] = frozenset()


def read_nrql(query: str) -> Nrql:
    # Strings may hold any word of the language: they are put aside while its clauses are told apart.
    held: list[str] = []

    def hold(found: re.Match[str]) -> str:
        held.append(found[0][1:-1])
        return f"\0{len(held) - 1}\0"

    parts = _CLAUSE.split(_STRING.sub(hold, query))
    clauses: dict[str, str] = {}
    for word, text in zip(parts[1::2], parts[2::2], strict=True):
        if word.upper() in clauses:
            return Nrql(watches=Watches(unreadable="socmon cannot read a query inside a query."))
        clauses[word.upper()] = text.strip()
    function = _FUNCTION.fullmatch(clauses.get("SELECT", ""))
    facets = (one.strip().strip("`").lower() for one in clauses.get("FACET", "").split(","))
    return Nrql(
        event=clauses.get("FROM", "").strip("` "),
        function=function["function"].lower() if function else "",
        attribute=function["attribute"] if function else "",
        watches=_where(clauses.get("WHERE", ""), held),
        facets=frozenset(facet for facet in facets if facet),
    )


def watches_of(terms: Iterable[tuple[str, Iterable[str], bool]]) -> Watches:
    """From (attribute, values, whether it must not have them) each, all of which have to hold."""
    identities: frozenset[Identity] | None = None
    tags: dict[str, str] = {}
    without: dict[str, list[str]] = {}
    for attribute, given, refused in terms:
        values, name = list(given), attribute.lower()
        space = "host" if name in HOST_NAMES else "guid" if name in GUIDS else ""
        tag = RENAMED.get(name) or re.sub(r"^(tags|label)\.", "", attribute)
        if any("," in value for value in values):
            return Watches(
                unreadable=f"socmon cannot read a filter for {attribute} with a comma in its value."
            )
        if space and refused:
            return Watches(
                unreadable=f"socmon cannot read a filter that leaves single ones out by {attribute}."
            )
        if space:
            named = frozenset(Identity(space, one.lower() if space == "host" else one) for one in values)
            if identities is not None:
                return Watches(unreadable="socmon cannot read a filter that names components twice.")
            identities = named
        elif refused:
            without.setdefault(tag, []).extend(values)
        elif tags.setdefault(tag, ",".join(values)) != ",".join(values):
            return Watches(unreadable=f"The filter asks for two values of {tag} at once.")
    return Watches(
        identities=identities or frozenset(),
        tags=tags,
        without={name: ",".join(values) for name, values in without.items()},
    )


def _where(written: str, held: list[str]) -> Watches:
    if not written:
        return Watches()
    terms: list[tuple[str, list[str], bool]] = []
    for part in re.split(r"\bAND\b", written, flags=re.IGNORECASE):
        if found := _EQUALS.fullmatch(part):
            terms.append((found["name"], [_value(found["value"], held)], found["sign"] == "!="))
        elif found := _IN.fullmatch(part):
            values = [_value(one.strip(), held) for one in found["values"].split(",")]
            terms.append((found["name"], values, bool(found["out"])))
        else:
            shown = _HELD.sub(lambda one: f"'{held[int(one[1])]}'", part).strip()
            return Watches(
                unreadable=f"socmon cannot read the filter “{shown}”. Write it with =, !=, IN and AND."
            )
    return watches_of(terms)


def _value(written: str, held: list[str]) -> str:
    found = _HELD.fullmatch(written)
    return held[int(found[1])] if found else written
