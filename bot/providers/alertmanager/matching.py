"""Label matchers, as rules, routes and silences write them; each value is matched as a whole.

https://prometheus.io/docs/prometheus/latest/querying/basics/#time-series-selectors and
https://prometheus.io/docs/alerting/latest/configuration/#matcher
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

LONGEST = 1000

# What RE2 and Python read alike, and what cannot run away: nothing is repeated that repeats something itself.
_ATOM = r"(?:\\[\W_dDwWsS]|\[\^?[^\]\\\[]+\]|[^\\\[\]()*+?{}|^$])"
_READABLE = re.compile(rf"(?:{_ATOM}[*+?]?|\((?:\?:)?|\)\??|\||\^|\$)*")
_WRITTEN = re.compile(
    r'\s*(?:"(?P<quoted>[^"]+)"|(?P<name>[^"!=~\s]+))\s*(?P<sign>=~|!~|!=|=)\s*(?P<value>"(?:[^"\\]|\\.)*"|[^"]*?)\s*',
    re.DOTALL,
)


class Sign(StrEnum):
    EQUAL = "="
    NOT_EQUAL = "!="
    MATCHES = "=~"
    MATCHES_NOT = "!~"


class Unreadable(Exception):
    """What is written cannot be read; the message says what, for people."""


@dataclass(frozen=True, slots=True)
class Matcher:
    """A label that a series or an alert does not have counts as ""."""

    name: str
    sign: Sign
    value: str

    def __str__(self) -> str:
        return f"{self.name}{self.sign}“{self.value}”"

    @property
    def positive(self) -> bool:
        return self.sign in {Sign.EQUAL, Sign.MATCHES}

    def takes(self, value: str) -> bool:
        """Raises Unreadable."""
        if self.sign in {Sign.EQUAL, Sign.NOT_EQUAL}:
            return (value == self.value) == self.positive
        return bool(_pattern(self.value).fullmatch(value)) == self.positive


class Holds(StrEnum):
    """Whether matchers take an alert of which not every label is known."""

    YES = "yes"
    NO = "no"
    PERHAPS = "perhaps"


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """What is known of an alert's labels before it fires.

    `fixed` are known; `open` are those with several possible values, None for one whose values nobody knows. What
    stands in neither is not there, unless the labels are not `complete`.
    """

    fixed: Mapping[str, str]
    open: Mapping[str, frozenset[str] | None]
    complete: bool = True

    def holds(self, matchers: Iterable[Matcher]) -> Holds:
        """Raises Unreadable."""
        answer = Holds.YES
        for matcher in matchers:
            match self._holds(matcher):
                case Holds.NO:
                    return Holds.NO
                case Holds.PERHAPS:
                    answer = Holds.PERHAPS
                case Holds.YES:
                    pass
        return answer

    def _holds(self, matcher: Matcher) -> Holds:
        known = matcher.name in self.fixed
        if known or (matcher.name not in self.open and self.complete):
            return Holds.YES if matcher.takes(self.fixed.get(matcher.name, "")) else Holds.NO
        values = self.open.get(matcher.name)
        if values is None:
            return Holds.PERHAPS
        found = {matcher.takes(value) for value in values}
        return Holds.PERHAPS if len(found) > 1 else Holds.YES if True in found else Holds.NO


def read_matcher(written: str) -> Matcher:
    """From `severity="critical"`, as routes and inhibitions write it. Raises Unreadable."""
    found = _WRITTEN.fullmatch(written)
    if not found:
        raise Unreadable(f"socmon cannot read the matcher “{written}”.")
    value = found["value"]
    if value.startswith('"'):
        value = re.sub(r"\\(.)", lambda one: "\n" if one[1] == "n" else one[1], value[1:-1])
    return Matcher(found["quoted"] or found["name"], Sign(found["sign"]), value)


@cache
def _pattern(written: str) -> re.Pattern[str]:
    if len(written) > LONGEST or not _READABLE.fullmatch(written):
        raise Unreadable(f"socmon cannot read the regular expression “{written[:100]}”.")
    try:
        return re.compile(f"(?:{written})", re.DOTALL | re.ASCII)
    except re.error as error:
        raise Unreadable(f"socmon cannot read the regular expression “{written[:100]}”.") from error
