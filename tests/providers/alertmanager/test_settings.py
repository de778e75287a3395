"""How Alertmanager and Prometheus are reached, and what is said of settings that cannot be meant."""

from typing import Any

import pytest

from bot.domain.errors import WrongSettings
from bot.providers.alertmanager import PROVIDER

URL = {"url": "http://alertmanager:9093"}
BOTH = {**URL, "prometheus_url": "https://prometheus.example.com/prefix/"}


@pytest.mark.parametrize(
    ("table", "environ", "message"),
    [
        ({"prometheus_url": "http://prometheus:9090"}, {}, "prometheus_url needs url as well"),
        ({**URL, "prometheus_url": "prometheus:9090"}, {}, "Write an address like"),
        (BOTH, {"SOCMON_PROMETHEUS_BASIC": "secret"}, "SOCMON_PROMETHEUS_BASIC holds no colon"),
        (
            URL,
            {"SOCMON_ALERTMANAGER_BASIC": "a:b", "SOCMON_ALERTMANAGER_TOKEN": "c"},
            "SOCMON_ALERTMANAGER_TOKEN and SOCMON_ALERTMANAGER_BASIC are both set",
        ),
    ],
)
def test_settings_that_cannot_be_meant(table: dict[str, Any], environ: dict[str, str], message: str) -> None:
    with pytest.raises(WrongSettings, match=message) as error:
        PROVIDER.settings(table, environ)

    assert "secret" not in str(error.value)


def test_prometheus_is_asked_only_where_it_is_named() -> None:
    found = PROVIDER.settings(BOTH, {"SOCMON_PROMETHEUS_TOKEN": "a-secret"})

    assert found.prometheus_url == "https://prometheus.example.com/prefix"
    assert found.prometheus_authorization == "Bearer a-secret"
    assert "a-secret" not in repr(found)
    assert PROVIDER.fleet(PROVIDER.settings(URL, {})) is None
    assert PROVIDER.fleet(found) is not None
