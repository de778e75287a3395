"""Where alarms notify: the subscriptions of their SNS topics, and why some reach nobody.

https://docs.aws.amazon.com/sns/latest/api/API_ListSubscriptionsByTopic.html
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from bot.domain.monitor import Target, TargetKind
from bot.domain.paging import masked
from bot.providers.cloudwatch.aws import Missing, Place
from bot.providers.cloudwatch.settings import CloudWatchSettings

Data = Mapping[str, Any]

NO_ACTION = Target(
    kind=TargetKind.SNS,
    name="no action",
    recovery=False,
    dead="It has no alarm action, so nobody is told. Let it notify an SNS topic (AlarmActions).",
)

OURS = re.compile(r"/webhooks/cloudwatch/?")
# The address that PagerDuty shows for its CloudWatch integration; the key in it lets anybody page.
PAGERDUTY = re.compile(r"https://events\.(?:eu\.)?pagerduty\.com/integration/([A-Za-z0-9]+)/enqueue/?")
_KINDS = {
    "email": TargetKind.EMAIL,
    "email-json": TargetKind.EMAIL,
    "http": TargetKind.WEBHOOK,
    "https": TargetKind.WEBHOOK,
}
# They change capacity or machines; people are not told.
_TELL_NOBODY = re.compile(r"arn:aws[a-z-]*:(?:autoscaling:|automate:|swf:)")


class Routes:
    """The far ends of the topics in one account and region. Each topic is asked for once."""

    def __init__(self, place: Place, settings: CloudWatchSettings) -> None:
        self._place, self._settings = place, settings
        self._topics: dict[str, tuple[Target, ...]] = {}

    def targets(self, alarm: Data, actions: str = "AlarmActions") -> tuple[Target, ...]:
        """Whom an alarm tells that it is in alarm; those who are not told when it is OK again have no `recovery`.

        Another topic may tell the same end of that.
        """
        relieved = {
            _place(end)
            for action in alarm.get("OKActions") or ()
            for end in self._ends(action)
            if not end.dead
        }
        found = tuple(
            replace(target, recovery=_place(target) in relieved)
            for action in dict.fromkeys(alarm.get(actions) or ())
            for target in self._ends(action)
        )
        return tuple(dict.fromkeys(found)) or (NO_ACTION,)

    def _ends(self, action: str) -> tuple[Target, ...]:
        if ":sns:" not in action:
            dead = "This action tells nobody. Let the alarm notify an SNS topic as well."
            return (
                Target(kind=TargetKind.OTHER, name=action, dead=dead if _TELL_NOBODY.match(action) else ""),
            )
        if action not in self._topics:
            self._topics[action] = self._subscribers(action)
        return self._topics[action]

    def _subscribers(self, topic: str) -> tuple[Target, ...]:
        failures = len(self._place.aws.failures)
        try:
            listed = list(
                self._place.every("sns", "list_subscriptions_by_topic", "Subscriptions", TopicArn=topic)
            )
        except Missing:
            why = "This topic does not exist, so nobody is told. Make it again, or let the alarm notify another."
            return (Target(kind=TargetKind.SNS, name=topic, dead=why),)
        ends = tuple(self._end(one) for one in listed)
        if ends or len(self._place.aws.failures) > failures:
            return ends or (Target(kind=TargetKind.SNS, name=topic),)
        why = "Nobody has subscribed to this topic, so nobody is told. Subscribe those who should be."
        return (Target(kind=TargetKind.SNS, name=topic, dead=why),)

    def _end(self, subscription: Data) -> Target:
        """With its topic: who approves that, approves all its ends."""
        end = _far_end(subscription)
        end = replace(end, reaches=(*end.reaches, subscription["TopicArn"]))
        match subscription["SubscriptionArn"]:
            case "PendingConfirmation":
                why = (
                    "Its subscription was never confirmed, so SNS sends nothing. Confirm it with the link that SNS"
                    f" sent; subscribe again to {_name(subscription['TopicArn'])} when it is older than two days."
                )
            case "Deleted":
                why = f"Its subscription was deleted. Subscribe again to {_name(subscription['TopicArn'])}."
            case arn:
                why = self._why_raw(arn, subscription) or self._why_not_believed(subscription)
        return replace(end, dead=why)

    def _why_raw(self, arn: str, subscription: Data) -> str:
        """Raw delivery strips what SNS signs: socmon refuses it, and PagerDuty cannot read it."""
        ours = self._is_ours(subscription)
        if not (ours or PAGERDUTY.fullmatch(subscription["Endpoint"])):
            return ""
        try:
            told = list(self._place.pages("sns", "get_subscription_attributes", SubscriptionArn=arn))
        except Missing:
            return f"Its subscription was deleted. Subscribe again to {_name(subscription['TopicArn'])}."
        if not any(page["Attributes"].get("RawMessageDelivery") == "true" for page in told):
            return ""
        who = "socmon refuses what it sends" if ours else "PagerDuty does not read what it sends"
        return (
            f"Raw message delivery is on, so {who}. Turn it off: aws sns set-subscription-attributes"
            f" --subscription-arn {arn} --attribute-name RawMessageDelivery --attribute-value false"
        )

    def _why_not_believed(self, subscription: Data) -> str:
        topic = subscription["TopicArn"]
        if topic in self._settings.topics or not self._is_ours(subscription):
            return ""
        return f"socmon believes nothing from {topic}. Add it to topics under [providers.cloudwatch]."

    def _is_ours(self, subscription: Data) -> bool:
        endpoint = subscription["Endpoint"]
        if subscription["Protocol"] == "sqs":
            queue = self._settings.queue
            return queue is not None and endpoint == queue.arn
        return bool(OURS.fullmatch(urlsplit(endpoint).path))


def _place(end: Target) -> tuple[TargetKind, str, tuple[str, ...]]:
    """Where it is, by whichever topic."""
    return end.kind, end.name, end.reaches[:1]


def through(rule: str) -> frozenset[str]:
    """The alarms each of which alone puts a composite alarm with this rule in alarm: ALARM(…) OR ALARM(…).

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
    """
    rest = _IN_ALARM.sub("", rule)
    if re.fullmatch(r"[\s()]*(OR[\s()]*)*", rest):
        return frozenset(name.rpartition(":alarm:")[2] for name in _IN_ALARM.findall(rule))
    return frozenset()


_IN_ALARM = re.compile(r"""\bALARM\(\s*["']?([^"')]+?)["']?\s*\)""")


def _far_end(subscription: Data) -> Target:
    endpoint, protocol = subscription["Endpoint"], subscription["Protocol"]
    if found := PAGERDUTY.fullmatch(endpoint):
        return Target(kind=TargetKind.PAGERDUTY, name="pagerduty", reaches=(masked(found[1]),))
    kind = _KINDS.get(protocol, TargetKind.OTHER)
    if kind is TargetKind.WEBHOOK:
        # Secrets live in an address's query and before its host.
        parts = urlsplit(endpoint)
        endpoint = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    return Target(kind=kind, name=endpoint, reaches=(endpoint,))


def _name(topic: str) -> str:
    return topic.rpartition(":")[2]
