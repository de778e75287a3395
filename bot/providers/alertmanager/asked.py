"""What Prometheus and Alertmanager are asked for, how many requests that took, and what was not answered.

https://prometheus.io/docs/prometheus/latest/querying/api/ and
https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import yaml

from bot.domain.errors import ToolSilent
from bot.providers.alertmanager.settings import AlertmanagerSettings
from bot.providers.asking import FORBIDDEN, UNAUTHORIZED, Declined, Questions, ask
from bot.providers.contract import line

PAUSES = (1.0, 4.0)  # seconds: Prometheus answers 503 while it starts

Data = Mapping[str, Any]


class Visit(Questions):
    """Asks Prometheus and Alertmanager."""

    def __init__(self, settings: AlertmanagerSettings) -> None:
        super().__init__()
        self.settings = settings

    def prometheus(self, about: str, path: str, **params: str) -> Any:
        """The `data` of its answer; raises ToolSilent. A warning says that it left something out, which is noted."""
        url = f"{self.settings.prometheus_url}/api/v1/{path}{f'?{urlencode(params)}' if params else ''}"
        answer = self._ask("Prometheus", about, url, self.settings.prometheus_authorization)
        if not isinstance(answer, dict) or answer.get("status") != "success" or answer.get("data") is None:
            said = line(answer.get("error"), 200) if isinstance(answer, dict) else ""
            raise ToolSilent(
                f"Prometheus did not say {about}: {said or 'its answer cannot be read'}. It is asked again."
            )
        if warnings := answer.get("warnings"):
            self.note(f"Prometheus did not say all of {about}: {line(warnings[0], 200)}. It is asked again.")
        return answer["data"]

    def alertmanager(self, about: str, path: str) -> Any:
        """Raises ToolSilent."""
        url = f"{self.settings.url}/api/v2/{path}"
        return self._ask("Alertmanager", about, url, self.settings.authorization)

    def _ask(self, who: str, about: str, url: str, authorization: str) -> Any:
        headers = {"Authorization": authorization} if authorization else {}
        try:
            return self.patiently(lambda: ask(url, headers=headers), PAUSES)
        except Declined as error:
            raise ToolSilent(f"{who} did not say {about}: {_why(who, error)}") from error
        except ToolSilent as error:
            where = line(url.partition("/api/")[0], 200)
            raise ToolSilent(
                f"{who} at {where} did not say {about}: {error}. Check its address and that it runs."
            ) from error


def read_yaml(who: str, written: object) -> Data:
    """Its configuration; raises ToolSilent."""
    try:
        found = yaml.load(written, _Loader) if isinstance(written, str) else None  # noqa: S506 - a safe one
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ToolSilent(f"{who}'s configuration cannot be read ({type(error).__name__}).") from error
    if not isinstance(found, dict):
        raise ToolSilent(f"{who} did not tell its configuration. It is asked again.")
    return found


_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _why(who: str, error: Declined) -> str:
    if error.status in {UNAUTHORIZED, FORBIDDEN}:
        name = f"SOCMON_{who.upper()}"
        return f"{error}. Set {name}_TOKEN or {name}_BASIC to what the proxy before it wants."
    return f"{error}. It is asked again at the next collection."
