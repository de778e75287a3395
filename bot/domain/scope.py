"""What scope is: the components that are monitored on purpose, reviewed by a person; and what is left out, and why."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.domain.component import Component


class Criticality(StrEnum):
    """How much it matters when it fails; with the kind it decides an alert's severity."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusion:
    """A component that is left out on purpose, and until when. Whoever asks for it does not approve it."""

    reason: str
    requested_by: str
    approved_by: str
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class InScope:
    """A component of the approved inventory. `owner` is a team or a person, as people write it."""

    component: Component
    owner: str = ""
    criticality: Criticality = Criticality.MEDIUM
    exclusion: Exclusion | None = None

    def counts(self, at: datetime) -> bool:
        """Whether it has to be covered now: an exclusion that has expired excludes nothing."""
        return self.exclusion is None or at >= self.exclusion.until
