"""What a paging tool's services are: each calls the people of its escalation policy, unless it is off."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from hashlib import sha256

KEY = "key:"
ORCHESTRATED = f"{KEY}r:"
"""Before the digest of a key in the form of an event orchestration's, which belongs to no service."""
_INTEGRATION_KEY = re.compile(r"[0-9a-f]{32}|r[0-9a-z]{31}")
_ROUTING_KEY = re.compile(r"r[0-9a-z]{31}")
_SIGNS = re.compile(r"[\W_]+")


class ServiceState(StrEnum):
    """Whether a service calls anybody."""

    ACTIVE = "active"
    DISABLED = "disabled"
    MAINTENANCE = "maintenance"


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service of a paging tool. `id` is the tool's own, `policy` the id of its escalation policy.

    `ends` are the digests of its integration keys and addresses (`digest_of`), for whoever knows one may page; the keys
    themselves are never kept. `hides_keys` says that it has integrations whose key the tool did not show. `rings` is
    False where all its incidents are of low urgency, for which nobody has to be rung.
    """

    id: str
    name: str
    state: ServiceState
    policy: str
    policy_name: str = ""
    ends: frozenset[str] = frozenset()
    hides_keys: bool = False
    rings: bool = True

    @property
    def dead(self) -> str:
        """Why nobody is called, "" when somebody is."""
        match self.state:
            case ServiceState.DISABLED:
                return f"the service {self.name} is disabled there, so it calls nobody. Enable it."
            case ServiceState.MAINTENANCE:
                return (
                    f"the service {self.name} is in a maintenance window, so it calls nobody until that ends."
                )
            case ServiceState.ACTIVE if not self.rings:
                return (
                    f"all incidents of the service {self.name} are of low urgency, so nobody has to be rung. Make them"
                    " high, at least by severity."
                )
            case ServiceState.ACTIVE:
                return ""


@dataclass(frozen=True, kw_only=True)
class Services:
    """All services that are known. `unsure` says why these may not be all, "" when they are."""

    every: Collection[Service] = field(default_factory=tuple)
    unsure: str = ""

    def paged_by(self, ends: Iterable[str]) -> Service | None:
        """The service of an integration key or address."""
        for end in ends:
            folded = end.strip().casefold()
            if found := self._by_end.get(masked(folded)) or self._by_end.get(digest_of(folded)):
                return found
        return None

    def named(self, ends: Iterable[str]) -> Service | None:
        """By id, or by a name that is only one's; other tools write it without its signs."""
        for end in ends:
            folded = end.strip().casefold()
            if (
                found := self._by_id.get(folded)
                or self._by_name.get(folded)
                or self._by_letters.get(_letters(folded))
            ):
                return found
        return None

    def lacks(self, ends: Iterable[str]) -> bool:
        """Whether it is certain that these page no service: none hides a key, and it is no orchestration's."""
        hidden = any(one.hides_keys for one in self.every)
        return not (self.unsure or hidden or any(masked(one).startswith(ORCHESTRATED) for one in ends))

    @cached_property
    def _by_end(self) -> Mapping[str, Service]:
        return {end: one for one in self.every for end in one.ends}

    @cached_property
    def _by_id(self) -> Mapping[str, Service]:
        return {one.id.casefold(): one for one in self.every}

    @cached_property
    def _by_name(self) -> Mapping[str, Service | None]:
        return _unique((one.name.casefold(), one) for one in self.every)

    @cached_property
    def _by_letters(self) -> Mapping[str, Service | None]:
        return _unique((_letters(one.name), one) for one in self.every)


def digest_of(end: str) -> str:
    """An integration key or address, so that it can be compared and not be used."""
    folded = end.strip().casefold()
    kind = ORCHESTRATED if _ROUTING_KEY.fullmatch(folded) else KEY
    return f"{kind}{sha256(folded.encode()).hexdigest()[:40]}"


def masked(end: str) -> str:
    """The digest of what has the form of an integration key; anything else as it is.

    https://developer.pagerduty.com/docs/send-alert-event (routing_key: 32 letters and digits)
    """
    return digest_of(end) if _INTEGRATION_KEY.fullmatch(end.strip().casefold()) else end


def _letters(name: str) -> str:
    return _SIGNS.sub("", name.casefold())


def _unique(named: Iterable[tuple[str, Service]]) -> Mapping[str, Service | None]:
    found: dict[str, Service | None] = {}
    for name, one in named:
        found[name] = None if name in found else one
    return found
