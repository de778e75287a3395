"""POST /deployments: a pipeline learns whether what it deploys would be watched, and the log keeps what it was told."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.app import Socmon
from bot.domain.answers import Age, Known, Subject
from bot.domain.packed_answers import pack_monitors
from bot.domain.scope import Heard
from handlers.deployments import LARGEST_BODY
from tests.handlers.conftest import Build, browser
from tests.plans import TOPIC, alarm, change, function, plan, server
from tests.world import MovableClock

NEW, OLD = "n" * 32, "o" * 32
BEARER = {"authorization": f"Bearer {NEW}"}
TABLES = "[providers.cloudwatch]\nregions = ['eu-west-1']\n"
LIST = b"components:\n  - {name: web-2, kind: host}\n"


@pytest.fixture
def socmon(build: Build) -> Socmon:
    return build(tables=TABLES, SOCMON_WEBHOOK_SECRET_DEPLOYMENTS=f"{NEW},{OLD}")


async def post(socmon: Socmon, body: bytes, /, headers: Any = BEARER, **asked: str) -> httpx.Response:
    async with browser(socmon) as client:
        return await client.post("/deployments", params=asked, content=body, headers=headers)


def leaves(socmon: Socmon) -> list[dict[str, Any]]:
    with socmon.records.reading.connect() as connection:
        rows = connection.exec_driver_sql("SELECT leaf FROM leaf ORDER BY seq").scalars()
        return [leaf for leaf in map(json.loads, rows) if leaf["type"].startswith("deployment.")]


async def test_a_question_is_answered_and_on_record(socmon: Socmon) -> None:
    """200 whatever the verdict; who was asked what stands in the log by digest, names and kinds."""
    body = plan(function())

    asked = await post(
        socmon, body, commit="ABCDEF0123", environment="prod", url="https://ci.example.com/run/1"
    )

    said = asked.json()
    assert (asked.status_code, said["passed"], said["phase"]) == (200, False, "planned")
    [component] = said["components"]
    assert component["component"] == "aws_lambda_function.pay"
    assert {each["measure"]: each["state"] for each in component["measures"]}["errors"] == "unknown"
    assert said["says"][-1].startswith("not passed: 1 components, 1 of them would be unmonitored")
    [entry] = leaves(socmon)
    assert entry["type"] == "deployment.checked"
    assert entry["subject"] == {"deployment": said["digest"]}
    facts = entry["facts"]
    assert (facts["commit"], facts["environment"], facts["url"]) == (
        "abcdef0123",
        "prod",
        "https://ci.example.com/run/1",
    )
    assert (facts["passed"], facts["components"], facts["unmonitored"]) == (False, 1, 1)
    assert facts["verdicts"][0]["component"] == "aws_lambda_function.pay"


async def test_a_deployment_is_recorded_and_the_tools_are_asked_anew(
    socmon: Socmon, clock: MovableClock
) -> None:
    """Otherwise what is new would wait for up to an hour to be seen."""
    whole = Heard(source="cloudwatch", asked_at=clock.now(), complete_at=clock.now())
    await socmon.records.write(lambda records: records.save_heard(whole))

    checked = await post(socmon, LIST, BEARER | {"content-type": "text/yaml; charset=utf-8"}, phase="planned")
    [before] = await socmon.records.read(lambda records: records.heard())
    deployed = await post(socmon, LIST, BEARER | {"content-type": "application/yaml"}, phase="deployed")
    [after] = await socmon.records.read(lambda records: records.heard())

    assert [each.status_code for each in (checked, deployed)] == [200, 200]
    assert checked.json()["components"][0]["change"] == "listed"
    assert [each["type"] for each in leaves(socmon)] == ["deployment.checked", "deployment.recorded"]
    assert len({each["subject"]["deployment"] for each in leaves(socmon)}) == 1
    assert before.asked_at == clock.now()
    assert (clock.now() - after.asked_at).total_seconds() >= 58 * 60
    assert after.complete_at == clock.now()


async def test_nothing_to_watch_passes(socmon: Socmon) -> None:
    said = (await post(socmon, plan(change("aws_vpc.main", "create", after={})))).json()

    assert (said["passed"], said["skipped"]) == (True, 1)


async def test_only_a_pipeline_that_shows_the_secret_is_heard(socmon: Socmon) -> None:
    """The new one or the old one; before the body is read, and whatever it is."""
    answers = [
        (await post(socmon, plan(), headers)).status_code
        for headers in (
            {},
            {"authorization": "Bearer wrong"},
            BEARER | {"content-encoding": "gzip"},
            {"authorization": f"Bearer {OLD}"},
            {"x-socmon-token": NEW},
        )
    ]

    assert answers == [401, 401, 415, 200, 200]
    assert len(leaves(socmon)) == 2


async def test_without_a_secret_nobody_is(build: Build) -> None:
    answer = await post(build(tables=TABLES), plan())

    assert answer.status_code == 403
    assert "SOCMON_WEBHOOK_SECRET_DEPLOYMENTS is not set" in answer.json()["error"]


WRONG: list[tuple[dict[str, str], str]] = [
    ({"phase": "done"}, "“planned” nor “deployed”"),
    ({"commit": "main"}, "hexadecimal"),
    ({"environment": "a b"}, "environment"),
    ({"url": "javascript:alert(1)"}, "http(s)"),
    ({"url": "https://kim:secret@ci.example.com"}, "http(s)"),
    ({"pahse": "planned"}, "“pahse” is not known here"),
]


async def test_what_cannot_be_taken_is_refused_with_the_mend(socmon: Socmon) -> None:
    for asked, word in WRONG:
        answer = await post(socmon, plan(), **asked)

        assert answer.status_code == 400
        assert word in answer.json()["error"]
    unread = await post(socmon, b"PK\x03\x04")
    assert unread.status_code == 400
    assert "terraform show -json" in unread.json()["error"]
    assert unread.json()["error"].endswith("Nothing was checked.")
    assert leaves(socmon) == []


async def test_attributes_of_another_form_are_refused(socmon: Socmon) -> None:
    """They pass the reader, who does not know what an alarm is made of."""
    strange = change("aws_cloudwatch_metric_alarm.a", "create", after={"alarm_name": "a", "metric_query": 7})

    answer = await post(socmon, plan(strange))

    assert answer.status_code == 400
    assert "CloudWatch do not have the documented form" in answer.json()["error"]


async def test_a_body_that_is_too_large(socmon: Socmon) -> None:
    answer = await post(socmon, b" " * (LARGEST_BODY + 1))

    assert (answer.status_code, leaves(socmon)) == (413, [])


async def test_a_socmon_that_stops_says_come_again(socmon: Socmon) -> None:
    socmon.draining = True

    answer = await post(socmon, plan())

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


SECRETS = ("hunter2-user-data", "hunter2-tag", "hunter2-variable", "hunter2-env", "hunter2-path")


async def test_no_value_of_a_plan_gets_anywhere(
    socmon: Socmon, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Not into the log, the database or the answer, whether it is marked as sensitive or merely not asked for."""
    caplog.set_level("DEBUG")
    at = socmon.clock.now()
    nothing: Known[Any] = Known()
    told = pack_monitors(nothing.take((), complete=True, as_of=at))
    age = Age(provider="cloudwatch", subject=Subject.MONITORS, asked_at=at, whole_at=at)
    await socmon.records.write(lambda records: records.save_answer(age, told))
    secret = server(user_data="hunter2-user-data", tags={"env": "prod", "owner": "hunter2-tag"}, tags_all=...)
    secret["change"]["after_sensitive"] = {"tags": {"owner": True}}
    hidden = function()
    hidden["change"]["after"]["environment"] = [{"variables": {"KEY": "hunter2-env"}}]
    hook = {"protocol": "https", "endpoint": "https://hooks.example.com/hunter2-path", "topic_arn": TOPIC}
    body = plan(
        secret,
        hidden,
        change("aws_sns_topic_subscription.hook", "create", after=hook),
        alarm("aws_cloudwatch_metric_alarm.a", "AWS/Lambda Errors", {"FunctionName": "pay"}),
        variables={"password": {"value": "hunter2-variable"}},
    )

    answers = [await post(socmon, body, phase=phase) for phase in ("planned", "deployed")]
    broken = await post(socmon, body[:-2])

    assert [each.status_code for each in answers] == [200, 200]
    assert broken.status_code == 400
    assert "webhook https://hooks.example.com is not an approved channel" in answers[0].text
    written = b"".join(_files(tmp_path))
    for word in SECRETS:
        assert not any(word in each.text for each in [*answers, broken])
        assert word not in caplog.text
        assert word.encode() not in written


def _files(folder: Path) -> Iterator[bytes]:
    for path in folder.rglob("*"):
        if path.is_file():
            yield path.read_bytes()
