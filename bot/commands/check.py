"""`socmon check`: whether what is to be deployed would be watched; exit code 1 when something would not be."""

import json
from pathlib import Path

from bot.adapters.inventory import read_deployment, read_file
from bot.adapters.system import SystemClock
from bot.commands.records import records_of
from bot.procedures import assess_coverage, check_deployment
from bot.procedures.assess_coverage import OnRecord
from bot.providers import own_ends, tools_at_the_gate
from bot.settings import Settings
from bot.standard import read_standard


def check(settings: Settings, path: Path, *, as_json: bool) -> int:
    """Only looks: what a pipeline has to leave on record goes to POST /deployments."""
    deployment = read_deployment(path, read_file(path, mend="Plan fewer resources at a time."))
    with records_of(settings) as ask:
        before: OnRecord = ask(assess_coverage.on_record)
    now = SystemClock().now()
    verdict = check_deployment.judge(
        deployment,
        before,
        tools_at_the_gate(settings.providers),
        standard=read_standard(settings.standard_file),
        routes=assess_coverage.routes(
            before.roster,
            now,
            own=own_ends(settings.providers, settings.public_url),
            **settings.notification_rules,
        ),
        now=now,
        time_to_live=settings.coverage_time_to_live,
    )
    if as_json:
        print(json.dumps(verdict.document(), ensure_ascii=False, indent=2))
    else:
        print("\n".join(verdict.says()))
    return 0 if verdict.passed else 1
