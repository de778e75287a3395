"""`socmon manifest`: what to paste into Slack's app settings."""

import sys
from pathlib import Path

from bot.adapters.slack.manifest import http_form
from bot.domain.errors import WrongSettings
from bot.settings import read_environment

MANIFEST = Path(__file__).parents[2] / "manifest.yml"


def print_manifest(*, http: bool) -> int:
    text = MANIFEST.read_text()
    if http:
        url = read_environment().get("SOCMON_PUBLIC_URL", "")
        if not url:
            raise WrongSettings(
                "SOCMON_PUBLIC_URL is not set. Set it to the address under which Slack reaches socmon"
                " (https://socmon.example.com), then run this again."
            )
        text = http_form(text, url)
    sys.stdout.write(text)
    return 0
