"""What a tool says is open when socmon asks it, and what had to be mended here or there."""

from dataclasses import dataclass, field
from datetime import timedelta

from bot.domain.alert import Reported
from bot.domain.tool import Done

MARGIN = timedelta(minutes=2)
"""What moved so shortly before the tool was asked is left alone: its own message may still be under way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAlert:
    """A problem that lasts, says the tool. `reported` is what its message would have said.

    `aliases` are other keys under which its messages may name the same problem. `quiet` is one that the tool tells
    nobody about (silenced, or routed elsewhere): it lasts, and opens nothing here. `acknowledged` is who did so there.
    `begins`, up to a first "|", is how all keys of the problem begin, where the tool cannot tell the rest of them.
    """

    reported: Reported
    aliases: tuple[str, ...] = ()
    begins: str = ""
    quiet: bool = False
    acknowledged: Done | None = None

    @property
    def keys(self) -> tuple[str, ...]:
        return (self.reported.dedup_key, *self.aliases)


@dataclass(frozen=True, slots=True, kw_only=True)
class Repairs:
    """What was mended: kind → how often.

    `opened`, `recovered` and `acknowledged` here, `retold` there; `still_open` is what a person resolved while the tool
    goes on with it.
    """

    counts: dict[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        return ", ".join(f"{number} {kind}" for kind, number in self.counts.items()) or "in agreement"
