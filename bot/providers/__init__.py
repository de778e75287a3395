"""One folder per vendor, all we know about it. The folder's name is the URL segment and the stored provider name."""

import pkgutil
from functools import cache
from importlib import import_module

from bot.providers.contract import Provider


@cache
def all_providers() -> dict[str, Provider]:
    """Every provider by name, discovered by folder."""
    names = (module.name for module in pkgutil.iter_modules(__path__) if module.ispkg)
    return {name: import_module(f"{__name__}.{name}").PROVIDER for name in names}
