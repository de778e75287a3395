"""Test alerts that begin in Datadog, CloudWatch and New Relic: delivered, and of broken paths the hop is named.

Neither tool can be run here. The fakes' evaluation of a metric and of an event is ours; the requests are those of
Datadog's own client, and NerdGraph's schema holds what New Relic's own client and documentation ask for.
"""

import json
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from bot.domain.test_alert import Hop, Mode, TestAlert, Verdict
from bot.playground.datadog import API_KEY, APP_KEY
from bot.providers.datadog import client as datadog_client
from tests.aws import Completed
from tests.fake_datadog import FakeDatadog, fake_datadog
from tests.fake_newrelic import ACCOUNT, FakeNewRelic, fake_newrelic
from tests.fake_pagerduty import WatchedPagerDuty, fake_pagerduty
from tests.handlers.conftest import browser
from tests.slack_server import SlackServer, slack_server
from tests.test_alert_rig import Ahead, Rig, rig, staff

SECRET = "the-secret-of-a-webhook-0123456789abcdef"
OURS = "https://socmon.example.com/webhooks/newrelic"


@pytest.fixture
def clock() -> Ahead:
    return Ahead()


@pytest.fixture
async def slack() -> AsyncIterator[SlackServer]:
    async with slack_server() as server:
        yield server


@pytest.fixture
def pagerduty(clock: Ahead, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WatchedPagerDuty]:
    with fake_pagerduty(clock.now, tmp_path, monkeypatch) as fake:
        staff(fake)
        yield fake


@pytest.fixture
def datadog(clock: Ahead, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeDatadog]:
    monkeypatch.setattr(datadog_client, "BACKOFF", 0)
    with fake_datadog(clock.now()) as fake:
        fake.webhooks["socmon"] = "https://socmon.example.com/webhooks/datadog"
        fake.channels["ops"] = ["alerts"]
        yield fake


@pytest.fixture
def newrelic(clock: Ahead) -> Iterator[FakeNewRelic]:
    with fake_newrelic(clock.now()) as fake:
        yield fake


@dataclass
class Tool:
    """A tool in the rig, and the deliveries it has for socmon."""

    there: Rig
    path: str
    fake: Any
    webhook: str = ""
    secret: str = SECRET
    statuses: list[int] = field(default_factory=list)

    @property
    def sender(self) -> Any:
        return self.there.socmon.test_senders[self.path.partition(":")[0]]

    def set_up(self) -> list[str]:
        """What `socmon test-alert setup --apply` does."""
        plan = self.sender.plan_setup(self.there.clock.now())
        assert plan.complete, plan.reason
        missing = [one for one in plan.items if not one.exists and not one.by_hand]
        return [self.sender.set_up(one, self.there.clock.now()) for one in missing]

    def waiting(self) -> list[Any]:
        if isinstance(self.fake, FakeDatadog):
            found, self.fake.told = self.fake.told, []
            return found
        return self.fake.issues() if self.webhook else []

    async def deliver(self) -> None:
        async with browser(self.there.socmon) as client:
            for body in self.waiting():
                headers = {"X-Socmon-Token": self.secret}
                answer = await client.post(
                    f"/webhooks/{self.webhook}", content=json.dumps(body), headers=headers
                )
                self.statuses.append(answer.status_code)

    async def follow_to_the_end(self, test: TestAlert) -> TestAlert:
        for pause in (0, 1, 1, 301):
            self.there.clock.move(seconds=pause)
            if (await self.there.follow(test)).is_over:
                break
            await self.deliver()
        return await self.there.follow(test)

    async def proves(self, mode: Mode = Mode.QUIET) -> TestAlert:
        """From the tool to Sam's click."""
        given = {"at_once": True, "reason": "A test of tests"} if mode is Mode.LIVE else {}
        test = await self.there.begin(self.path, component="prod-db-1", mode=mode, **given)
        for _ in range(2):
            await self.there.follow(test)
            await self.deliver()
        await self.there.follow(test)
        await self.there.sees(test)
        await self.there.follow(test)
        return await self.there.follow(test)


async def shown_broken(tool: Tool, hop: Hop, says: str) -> TestAlert:
    test = await tool.follow_to_the_end(await tool.there.begin(tool.path, component="prod-db-1"))
    assert (test.broken, test.verdict in {Verdict.FAILED, Verdict.TIMED_OUT}) == (hop, True), test.cause
    assert test.cause
    assert says in test.cause.says, test.cause
    assert test.cause.mend
    assert await tool.there.alerts() == []
    return test


# Datadog
DATADOG = """
[providers.datadog]
[providers.datadog.test_routes]
payments = ["@webhook-socmon", "@slack-ops-alerts", "@pagerduty-payments"]
"""


@pytest.fixture
async def dd(
    datadog: FakeDatadog, tmp_path: Path, slack: SlackServer, pagerduty: WatchedPagerDuty, clock: Ahead
) -> AsyncIterator[Tool]:
    environ = {
        "DD_API_KEY": API_KEY,
        "DD_APP_KEY": APP_KEY,
        "SOCMON_DATADOG_URL": datadog.url,
        "SOCMON_WEBHOOK_SECRET_DATADOG": SECRET,
    }
    async with rig(tmp_path, slack, pagerduty, clock, tables=DATADOG, **environ) as there:
        tool = Tool(there, "datadog:payments", datadog, "datadog")
        assert len(tool.set_up()) == 1
        yield tool


async def test_datadogs_monitor_tells_of_a_test(dd: Tool) -> None:
    """Quiet tests name no pager; the metric goes back to 0 for longer than the monitor looks; nothing is an alert."""
    quiet = await dd.proves()
    live = await dd.proves(Mode.LIVE)

    assert [quiet.verdict, live.verdict] == [Verdict.DELIVERED] * 2
    [monitor] = dd.fake.monitors
    assert "{{#is_alert}}@pagerduty-payments{{/is_alert}}" in monitor["message"]
    assert monitor["message"].splitlines()[1] == "@webhook-socmon @slack-ops-alerts"
    groups = monitor["state"]["groups"].values()
    assert [one["status"] for one in groups] == ["OK", "OK"]
    assert set(dd.statuses) == {202}
    assert quiet.cleaned_at
    assert await dd.there.alerts() == []


async def test_what_stands_in_datadog_is_put_right_and_made_once(dd: Tool) -> None:
    """Somebody took the handle out of the monitor: the plan says so, and applying it mends that one."""
    assert dd.set_up() == []
    dd.fake.monitors[0]["message"] = "[TEST]"
    [standing] = dd.sender.plan_setup(dd.there.clock.now()).items
    assert "was changed" in standing.says

    assert dd.set_up() == [f"put the monitor {dd.fake.monitors[0]['id']} right"]
    assert dd.set_up() == []
    assert len(dd.fake.monitors) == 1


async def test_a_quiet_test_in_datadog_wakes_nobody(dd: Tool) -> None:
    """Somebody's notification rule pages for every monitor: then it is not sent, and says why."""
    dd.fake.services.add("payments")
    dd.fake.rule("managed_by:socmon", recipients=["pagerduty-payments"])

    await shown_broken(dd, Hop.SENT, "also tells @pagerduty-payments, which may page people")
    assert dd.fake.told == []


@dataclass(frozen=True)
class Broken:
    """A way to break the path, the hop that then does not come, and words of the cause that has to be named."""

    name: str
    breaks: Callable[[Tool], object]
    hop: Hop
    says: str


def _refuse_channel(tool: Tool) -> None:
    tool.there.slack.refuses = lambda asked, given: (
        "is_archived" if asked == "chat.postMessage" and given.get("channel") == "C0ALERTS" else ""
    )


def _wrong_secret(tool: Tool) -> None:
    tool.secret = "another-secret-than-socmon-has-0123456789"


DATADOG_BROKEN = [
    Broken("no monitor", lambda tool: tool.fake.monitors.clear(), Hop.RECEIVED, "no monitor stands there"),
    Broken(
        "muted",
        lambda tool: tool.fake.downtime("*", monitor_id=tool.fake.monitors[0]["id"]),
        Hop.RECEIVED,
        "in a downtime for *",
    ),
    Broken(
        "no handle",
        lambda tool: tool.fake.monitors[0].update(message="Look at it. @slack-ops-alerts"),
        Hop.RECEIVED,
        "does not name @webhook-socmon",
    ),
    Broken("no webhook", lambda tool: tool.fake.webhooks.clear(), Hop.RECEIVED, "Datadog has no webhook"),
    Broken("wrong key", lambda tool: setattr(tool.fake, "refuses", True), Hop.SENT, "it refused (403)"),
    Broken("wrong secret", _wrong_secret, Hop.RECEIVED, "was refused: bad secret"),
    Broken("archived channel", _refuse_channel, Hop.SHOWN, "is_archived"),
]


@pytest.mark.nightly
@pytest.mark.parametrize("broken", DATADOG_BROKEN, ids=lambda one: one.name)
async def test_where_datadogs_path_is_broken(dd: Tool, broken: Broken) -> None:
    broken.breaks(dd)
    await shown_broken(dd, broken.hop, broken.says)


# New Relic
@pytest.fixture
async def nr(
    newrelic: FakeNewRelic, tmp_path: Path, slack: SlackServer, pagerduty: WatchedPagerDuty, clock: Ahead
) -> AsyncIterator[Tool]:
    environ = {
        "NEW_RELIC_API_KEY": "a user key",
        "NEW_RELIC_ACCOUNT_ID": str(ACCOUNT),
        "SOCMON_NEWRELIC_URL": newrelic.url,
        "SOCMON_NEWRELIC_EVENTS_URL": newrelic.url,
        "SOCMON_NEWRELIC_TEST_KEY": newrelic.license,
        "SOCMON_WEBHOOK_SECRET_NEWRELIC": SECRET,
    }
    async with rig(tmp_path, slack, pagerduty, clock, tables="\n[providers.newrelic]\n", **environ) as there:
        tool = Tool(there, "newrelic", newrelic, "newrelic")
        assert len(tool.set_up()) == 2
        newrelic.route("WEBHOOK", url=OURS)
        yield tool


async def test_new_relics_condition_tells_of_a_test(nr: Tool) -> None:
    """Each mode has a policy of its own, made once; what stands is known as such."""
    test = await nr.proves()

    assert test.verdict is Verdict.DELIVERED
    assert [one["name"] for one in nr.fake.policies] == ["[TEST] socmon quiet", "[TEST] socmon live"]
    assert [one["terms"][0]["priority"] for one in nr.fake.conditions] == ["WARNING", "CRITICAL"]
    assert nr.set_up() == []
    assert all(one.exists for one in nr.sender.plan_setup(nr.there.clock.now()).items)
    assert await nr.there.alerts() == []


async def test_a_quiet_test_in_new_relic_wakes_nobody(nr: Tool) -> None:
    """A workflow for all policies pages people: then it is not sent, and says why."""
    nr.fake.route("PAGERDUTY_SERVICE_INTEGRATION", service="payments")

    await shown_broken(nr, Hop.SENT, "which may page people, so no quiet test was sent")
    assert nr.fake.events == []


def _unheard(tool: Tool, **facts: Any) -> None:
    """New Relic delivers nothing."""
    tool.webhook = ""
    for name, value in facts.items():
        setattr(tool.fake, name, value)


NEWRELIC_BROKEN = [
    Broken(
        "no condition",
        lambda tool: tool.fake.conditions.clear(),
        Hop.RECEIVED,
        "no condition counts those of quiet tests",
    ),
    Broken(
        "muted",
        lambda tool: tool.fake.mute(("policyName", "EQUALS", "[TEST] socmon quiet")),
        Hop.RECEIVED,
        "muted by the rule “Maintenance”",
    ),
    Broken(
        "no workflow", lambda tool: _unheard(tool, workflows=[]), Hop.RECEIVED, "No workflow with socmon's"
    ),
    Broken(
        "destination off",
        lambda tool: _unheard(tool, destinations=[tool.fake.destinations[0] | {"active": False}]),
        Hop.RECEIVED,
        "is off",
    ),
    Broken(
        "destination unreachable",
        lambda tool: _unheard(tool, tested={"result": "FAIL", "details": "HTTP 404", "error": None}),
        Hop.RECEIVED,
        "a test of the channel channel 0 fails: HTTP 404",
    ),
    Broken(
        "wrong key", lambda tool: setattr(tool.fake, "license", "x"), Hop.SENT, "refuses the event with 403"
    ),
    Broken("wrong secret", _wrong_secret, Hop.RECEIVED, "was refused: bad secret"),
]


@pytest.mark.nightly
@pytest.mark.parametrize("broken", NEWRELIC_BROKEN, ids=lambda one: one.name)
async def test_where_new_relics_path_is_broken(nr: Tool, broken: Broken) -> None:
    broken.breaks(nr)
    await shown_broken(nr, broken.hop, broken.says)


# CloudWatch
REGION = "us-east-1"
TOPIC = f"arn:aws:sns:{REGION}:{Completed.ACCOUNT}:prod-alarms"
CLOUDWATCH = f"""
[providers.cloudwatch]
topics = ["{TOPIC}"]
test_topics = ["{TOPIC}"]
[providers.cloudwatch.test_alarms]
payments = ["{TOPIC}"]
"""
ENDPOINT = "https://socmon.example.com/webhooks/cloudwatch"


@pytest.fixture
async def cw(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    slack: SlackServer,
    pagerduty: WatchedPagerDuty,
    clock: Ahead,
) -> AsyncIterator[Tool]:
    """moto's SetAlarmState notifies nobody, so here every path is broken at the end; another test has the whole one."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        aws = Completed(monkeypatch)
        sns = boto3.client("sns", region_name=REGION)
        sns.create_topic(Name="prod-alarms")
        sns.subscribe(TopicArn=TOPIC, Protocol="https", Endpoint=ENDPOINT)
        async with rig(tmp_path, slack, pagerduty, clock, tables=CLOUDWATCH) as there:
            tool = Tool(there, "cloudwatch:payments", aws)
            assert len(tool.set_up()) == 2
            assert tool.set_up() == []
            yield tool


def _cloudwatch() -> Any:
    return boto3.client("cloudwatch", region_name=REGION)


def _unsubscribe(_tool: Tool) -> None:
    sns = boto3.client("sns", region_name=REGION)
    for one in sns.list_subscriptions()["Subscriptions"]:
        sns.unsubscribe(SubscriptionArn=one["SubscriptionArn"])


def _refuse(tool: Tool) -> None:
    tool.fake.refused[REGION] = frozenset({"cloudwatch"})


QUIET = "socmon-test-payments-quiet"
CLOUDWATCH_BROKEN = [
    Broken("pending", lambda tool: tool.fake.leave_pending(TOPIC, ENDPOINT), Hop.RECEIVED, "never confirmed"),
    Broken("no subscription", _unsubscribe, Hop.RECEIVED, "Nobody has subscribed to this topic"),
    Broken(
        "topic deleted",
        lambda _tool: boto3.client("sns", region_name=REGION).delete_topic(TopicArn=TOPIC),
        Hop.RECEIVED,
        "This topic does not exist",
    ),
    Broken(
        "no alarm",
        lambda _tool: _cloudwatch().delete_alarms(AlarmNames=[QUIET]),
        Hop.SENT,
        f"no metric alarm {QUIET}",
    ),
    Broken(
        "actions off",
        lambda _tool: _cloudwatch().disable_alarm_actions(AlarmNames=[QUIET]),
        Hop.RECEIVED,
        "Its actions are switched off",
    ),
    Broken(
        "muted",
        lambda tool: tool.fake.mutes.update(weekend=[QUIET]),
        Hop.RECEIVED,
        "mute rule weekend mutes it",
    ),
    Broken("denied", _refuse, Hop.SENT, "refused (AccessDenied)"),
    Broken("unreachable", lambda _tool: None, Hop.RECEIVED, f"SNS delivers it to {ENDPOINT}"),
]


@pytest.mark.nightly
@pytest.mark.parametrize("broken", CLOUDWATCH_BROKEN, ids=lambda one: one.name)
async def test_where_cloudwatchs_path_is_broken(cw: Tool, broken: Broken) -> None:
    broken.breaks(cw)
    test = await shown_broken(cw, broken.hop, broken.says)
    cw.fake.refused.clear()
    states = [one["StateValue"] for one in _cloudwatch().describe_alarms()["MetricAlarms"]]
    assert "ALARM" not in states
    assert test.cleaned_at or broken.name == "denied"


async def test_a_message_in_sns_is_a_path_of_its_own(cw: Tool) -> None:
    """The same ends, and one more fault: the topic itself takes no message."""
    cw.path = f"cloudwatch:sns:{REGION}:prod-alarms"
    _unsubscribe(cw)
    await shown_broken(cw, Hop.RECEIVED, "SNS took the message. Nobody has subscribed")
    boto3.client("sns", region_name=REGION).delete_topic(TopicArn=TOPIC)
    await shown_broken(cw, Hop.SENT, "does not exist")


async def test_a_quiet_test_in_cloudwatch_wakes_nobody(cw: Tool) -> None:
    """Somebody's phone is at the topic: then it is not sent, and a live test is."""
    pager = "https://events.pagerduty.com/integration/0123456789abcdef0123456789abcdef/enqueue"
    boto3.client("sns", region_name=REGION).subscribe(TopicArn=TOPIC, Protocol="https", Endpoint=pager)

    await shown_broken(cw, Hop.SENT, "also tells pagerduty, which may page people")
    live = await cw.there.begin(cw.path, mode=Mode.LIVE, at_once=True, reason="A test of tests")
    assert (await cw.there.follow(live)).reference == "socmon-test-payments"


async def test_an_alarm_that_socmon_did_not_make_is_left_alone(cw: Tool) -> None:
    cloudwatch = _cloudwatch()
    given = cloudwatch.describe_alarms(AlarmNames=[QUIET])["MetricAlarms"][0]
    names = ("AlarmName", "MetricName", "Namespace", "Period", "EvaluationPeriods", "Threshold", "Statistic")
    kept = {name: given[name] for name in (*names, "ComparisonOperator")}
    cloudwatch.put_metric_alarm(**kept, AlarmDescription="Somebody's own")

    with pytest.raises(Exception, match="that socmon did not make, so it was left alone"):
        cw.set_up()
