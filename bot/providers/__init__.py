"""One folder per vendor, all we know about it. The folder's name is the URL segment and the stored provider name."""

import pkgutil
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from importlib import import_module
from typing import Any

from bot.domain.errors import Unreadable
from bot.domain.monitor import Monitor
from bot.domain.plan import Foreseen, Resource
from bot.procedures.check_deployment import Tool
from bot.providers.contract import Provider


@cache
def all_providers() -> dict[str, Provider]:
    """Every provider by name, discovered by folder."""
    names = (module.name for module in pkgutil.iter_modules(__path__) if module.ispkg)
    return {name: import_module(f"{__name__}.{name}").PROVIDER for name in names}


def own_ends(connected: Mapping[str, Any], public_url: str) -> tuple[str, ...]:
    """Where routes end at socmon itself: at its public address (or ""), and where a tool hands over otherwise."""
    known = all_providers()
    ends = [end for name, own in connected.items() for end in known[name].own_ends(own)]
    return (*((public_url,) if public_url else ()), *ends)


def tools_at_the_gate(connected: Mapping[str, Any]) -> dict[str, Tool]:
    """Those of the connected tools, by name with their settings, that are asked what they watch."""
    known = all_providers()
    return {
        name: Tool(foresee=_Foresight(known[name], own), collects=known[name].collects)
        for name, own in connected.items()
        if known[name].fleet(own)
    }


class _Foresight:
    """One tool's reading of plans: attributes that are not as its Terraform provider has them make one unreadable."""

    def __init__(self, provider: Provider, settings: Any) -> None:
        self._provider, self._settings = provider, settings

    def __call__(self, resources: Sequence[Resource], known: Mapping[str, Monitor], at: datetime) -> Foreseen:
        """Raises Unreadable, whose words hold no value of the plan."""
        try:
            return self._provider.foresee(self._settings, resources, known, at)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            what = f"The plan's resources of {self._provider.title} do not have the documented form"
            raise Unreadable(
                f"{what} ({type(error).__name__}). If Terraform itself wrote it, please report this."
            ) from error
