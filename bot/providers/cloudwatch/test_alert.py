"""A test begins in CloudWatch as an alarm that is put in alarm by hand, or in SNS as a message to the topic.

Only alarms that exist for tests are touched, and no composite one, which would stay in alarm.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_SetAlarmState.html (runs the alarm's actions when
the state changes; the alarm soon goes back to what its metric says)
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.domain.errors import ToolRefused, ToolSilent
from bot.domain.monitor import Target, TargetKind
from bot.domain.test_alert import Cause, Hop, Mode, Sent, Standing, TestAlert, TestPath
from bot.providers.cloudwatch.alarm import TEST_NAME, TEST_REASON
from bot.providers.cloudwatch.aws import Aws, Missing, Place
from bot.providers.cloudwatch.monitors import muted, why_silent
from bot.providers.cloudwatch.routes import OURS, Routes
from bot.providers.cloudwatch.settings import CloudWatchSettings, TestedAlarms
from bot.providers.contract import Pulled, TestAlertSender, cause_of, marked

Data = Mapping[str, Any]

HOPS = (Hop.SENT, Hop.RECEIVED, Hop.SHOWN, Hop.TOLD, Hop.SEEN)
OWNER = {"Key": "managed-by", "Value": "socmon"}
SAYS = "[TEST] Nothing is wrong: socmon tests with this alarm whether alarms arrive. Managed by socmon."
READS = "cloudwatch:DescribeAlarms and sns:ListSubscriptionsByTopic"
WAKE_NOBODY = frozenset({TargetKind.EMAIL})


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """Where a test goes: through an alarm to topics, or without one to its topic at once."""

    topics: tuple[str, ...]
    alarm: str = ""

    @property
    def account(self) -> str:
        return self.topics[0].split(":")[4]

    @property
    def region(self) -> str:
        return self.topics[0].split(":")[3]


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudWatchTestAlerts(TestAlertSender):
    """Each way has two alarms: a quiet test's notifies those topics only that socmon listens to."""

    settings: CloudWatchSettings

    def paths(self) -> tuple[TestPath, ...]:
        alarms = ((_alarm_path(one.name), f"CloudWatch ({one.name})") for one in self.settings.test_alarms)
        topics = ((_topic_path(topic), f"SNS ({_name(topic)})") for topic in self.settings.test_topics)
        return tuple(
            TestPath(id=path, provider="cloudwatch", title=f"{title} → Slack", hops=HOPS)
            for path, title in (*alarms, *topics)
        )

    def send(self, test: TestAlert, at: datetime) -> Sent:  # noqa: ARG002 - AWS stamps its own time
        way = self._way(test)
        place = self._place(way)
        if test.mode is Mode.QUIET:
            self._refuse_to_wake(place, way)
        try:
            return Sent(reference=_begin(place, way, test))
        except Missing as error:
            raise ToolRefused(_gone(way)) from error

    def clean_up(self, test: TestAlert, at: datetime) -> str:  # noqa: ARG002
        way = self._way(test)
        if not way.alarm:
            return "a message in SNS leaves nothing behind"
        try:
            _set_state(self._place(way), way.alarm, "OK", test)
        except Missing:
            return f"the alarm {way.alarm} does not exist any more"
        return f"the alarm {way.alarm} is OK again"

    def explain(self, test: TestAlert, hop: Hop, at: datetime) -> Cause | None:
        if hop is not Hop.RECEIVED:
            return None
        try:
            way = self._way(test)
            place = self._place(way)
        except ToolRefused as error:
            return cause_of(str(error))
        alarm: Data = {"AlarmActions": way.topics, "OKActions": way.topics}
        if way.alarm:
            there = _described(place, way.alarm)
            if there is None:
                return cause_of(_gone(way))
            alarm = there
            if silent := why_silent(alarm, dict(muted(place))):
                return cause_of(f"The alarm {way.alarm} was put in alarm. {silent}")
        targets = Routes(place, self.settings).targets(alarm)
        if place.aws.failures:
            raise ToolSilent(place.aws.pulled((), at).reason)
        return self._why(way, targets)

    def plan_setup(self, at: datetime) -> Pulled[Standing]:
        aws = Aws(self.settings)
        found: list[Standing] = []
        reasons: list[str] = []
        for way in self._alarms():
            try:
                place = self._place(way, aws)
                found.append(_stands(way, place, _described(place, way.alarm)))
            except (ToolRefused, ToolSilent) as error:
                reasons.append(str(error))
        found += (_topic_stands(topic) for topic in self.settings.test_topics)
        return Pulled(
            items=tuple(found),
            complete=not reasons,
            as_of=at,
            calls=aws.calls,
            reason=" ".join(dict.fromkeys(reasons)),
        )

    def set_up(self, standing: Standing, at: datetime) -> str:  # noqa: ARG002
        way = next((one for one in self._alarms() if _arn(one) == standing.id), None)
        if way is None:
            raise ToolRefused(
                f"{standing.id} is no alarm of [providers.cloudwatch.test_alarms]. Add it there."
            )
        place = self._place(way)
        there = _described(place, way.alarm)
        if there is not None and there.get("AlarmDescription") != SAYS:
            raise ToolRefused(
                f"An alarm {way.alarm} exists that socmon did not make, so it was left alone. Rename it, or choose"
                " another name under [providers.cloudwatch.test_alarms]."
            )
        place.act("cloudwatch", "put_metric_alarm", **_wanted(way), **({} if there else {"Tags": [OWNER]}))
        return f"{'put right' if there else 'made'} the alarm {way.alarm}"

    def _way(self, test: TestAlert) -> Way:
        for topic in self.settings.test_topics:
            if test.path == _topic_path(topic):
                return Way(topics=(topic,))
        for one in self.settings.test_alarms:
            if test.path == _alarm_path(one.name):
                return _quiet(one) if test.mode is Mode.QUIET else _loud(one)
        raise ToolRefused(
            f"{test.path} is no way under [providers.cloudwatch] (any more). Add it to test_alarms or test_topics."
        )

    def _alarms(self) -> Iterator[Way]:
        for one in self.settings.test_alarms:
            yield from (_loud(one), _quiet(one))

    def _place(self, way: Way, aws: Aws | None = None) -> Place:
        return (aws or Aws(self.settings)).place(way.account, way.region)

    def _refuse_to_wake(self, place: Place, way: Way) -> None:
        """Raises ToolRefused where somebody may be paged, and ToolSilent where nobody can tell."""
        routes = Routes(place, self.settings)
        targets = routes.targets({"AlarmActions": way.topics})
        if place.aws.failures:
            raise ToolSilent(f"Whom a test would wake is not known: {place.aws.failures[0].message}")
        loud = [
            one.name for one in targets if not (one.dead or self._is_ours(one) or one.kind in WAKE_NOBODY)
        ]
        if loud:
            raise ToolRefused(
                f"{', '.join(map(_name, way.topics))} also tells {', '.join(loud)}, which may page people, so no quiet"
                " test was sent. Give those a topic of their own, or test live."
            )

    def _is_ours(self, target: Target) -> bool:
        queue = self.settings.queue
        if queue is not None and target.name == queue.arn:
            return True
        return target.kind is TargetKind.WEBHOOK and bool(OURS.search(target.name))

    def _why(self, way: Way, targets: tuple[Target, ...]) -> Cause:
        began = f"The alarm {way.alarm} was put in alarm" if way.alarm else "SNS took the message"
        ours = [one for one in targets if self._is_ours(one)]
        if alive := next((one for one in ours if not one.dead), None):
            return Cause(
                says=f"{began}, and SNS delivers it to {alive.name}, but nothing arrived here.",
                mend="See the dead letters of the subscription and its queue; `socmon doctor` tests the queue.",
            )
        lost = ours or [one for one in targets if one.kind is TargetKind.SNS]
        dead = next((one.dead for one in lost if one.dead), "")
        if dead:
            return cause_of(f"{began}. {dead}")
        return Cause(
            says=f"{began}, but no subscription of {', '.join(map(_name, way.topics))} leads to socmon.",
            mend="Subscribe socmon again: docs/providers/cloudwatch.md.",
        )


def _quiet(one: TestedAlarms) -> Way:
    return Way(topics=one.believed, alarm=f"{TEST_NAME}-{one.name}-quiet")


def _loud(one: TestedAlarms) -> Way:
    return Way(topics=one.topics, alarm=f"{TEST_NAME}-{one.name}")


def _alarm_path(name: str) -> str:
    return f"cloudwatch:{name}"


def _topic_path(topic: str) -> str:
    return f"cloudwatch:sns:{topic.split(':')[3]}:{_name(topic)}"


def _name(topic: str) -> str:
    return topic.rpartition(":")[2]


def _arn(way: Way) -> str:
    partition = way.topics[0].split(":")[1]
    return f"arn:{partition}:cloudwatch:{way.region}:{way.account}:alarm:{way.alarm}"


def _begin(place: Place, way: Way, test: TestAlert) -> str:
    """What AWS calls it. Raises Missing, ToolRefused and ToolSilent."""
    if not way.alarm:
        told = place.act("sns", "publish", TopicArn=way.topics[0], Message=marked(test))
        return str(told["MessageId"])
    alarm = _described(place, way.alarm)
    if alarm is None:
        raise Missing
    if alarm["StateValue"] == "ALARM":
        _set_state(place, way.alarm, "OK", test)  # only a change is told
    _set_state(place, way.alarm, "ALARM", test)
    return way.alarm


def _described(place: Place, alarm: str) -> Data | None:
    """The metric alarm of this name. Raises ToolRefused and ToolSilent."""
    with suppress(Missing):
        told = place.act("cloudwatch", "describe_alarms", AlarmNames=[alarm], AlarmTypes=["MetricAlarm"])
        return next(iter(told.get("MetricAlarms") or ()), None)
    return None


def _set_state(place: Place, alarm: str, state: str, test: TestAlert) -> None:
    reason = f"{TEST_REASON}: {marked(test)}"
    place.act("cloudwatch", "set_alarm_state", AlarmName=alarm, StateValue=state, StateReason=reason)


def _gone(way: Way) -> str:
    if way.alarm:
        return f"There is no metric alarm {way.alarm} in {way.region}. Make it: `socmon test-alert setup --apply`."
    return f"The topic {way.topics[0]} does not exist. Make it again, or take it out of test_topics."


def _wanted(way: Way) -> dict[str, Any]:
    """An alarm on a metric that nobody sends, which is OK as long as nobody says otherwise."""
    return {
        "AlarmName": way.alarm,
        "AlarmDescription": SAYS,
        "ActionsEnabled": True,
        "AlarmActions": list(way.topics),
        "OKActions": list(way.topics),
        "Namespace": "socmon",
        "MetricName": "TestSignal",
        "Statistic": "Maximum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 0.0,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
    }


def _stands(way: Way, place: Place, alarm: Data | None) -> Standing:
    wanted = _wanted(way)
    kept = (
        "AlarmDescription",
        "ActionsEnabled",
        "AlarmActions",
        "OKActions",
        "MetricName",
        "TreatMissingData",
    )
    same = alarm is not None and all(alarm.get(name) == wanted[name] for name in kept)
    changed = " (it stands, but was changed: it is put right)" if alarm is not None and not same else ""
    names = ", ".join(map(_name, way.topics))
    arn = _arn(way)
    return Standing(
        id=arn,
        says=f"The alarm {way.alarm} in {place.where}, which notifies {names}{changed}",
        permission=f"cloudwatch:PutMetricAlarm and cloudwatch:TagResource on {arn}",
        needs=f"cloudwatch:SetAlarmState on {arn}; {READS}",
        exists=same,
    )


def _topic_stands(topic: str) -> Standing:
    """A topic that socmon believes stands already; whether it still does, the test says."""
    return Standing(
        id=topic,
        says=f"The topic {topic}, to which socmon is subscribed",
        permission="none: it is the topic of your alarms",
        needs=f"sns:Publish on {topic}; sns:ListSubscriptionsByTopic",
        exists=True,
    )
