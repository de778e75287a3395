"""The SQS queue where alarms wait that SNS delivers there: nothing is lost while socmon is down, no public port needed.

https://docs.aws.amazon.com/sns/latest/dg/sns-sqs-as-subscriber.html
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any, NoReturn

from bot.domain.errors import TryAgain
from bot.ports import Network
from bot.providers.cloudwatch.settings import CloudWatchSettings, QueueAddress
from bot.providers.cloudwatch.webhook import CloudWatchWebhook
from bot.providers.contract import Queued, QueueLook, line

MOST_MESSAGES = 10  # SQS gives no more at once
# Short, so that a stop need not wait for it; a message ends the wait at once.
WAIT_SECONDS = 3
CONNECT_SECONDS = 3
FEWEST_RECEIVES = 3

_DENIED = {"AccessDenied", "AccessDeniedException", "AWS.SimpleQueueService.AccessDenied"}
_MISSING = {"QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue"}


def open_queue(settings: CloudWatchSettings, network: Network) -> "SqsQueue | None":
    return SqsQueue(settings, settings.queue, network) if settings.queue else None


class SqsQueue:
    """Fills `Queue` of the contract."""

    def __init__(self, settings: CloudWatchSettings, address: QueueAddress, network: Network) -> None:
        self._settings, self._address = settings, address
        self.name = f"sqs:{address.name}"
        self.webhook = CloudWatchWebhook(settings, network, waited=True)

    def receive(self) -> list[Queued]:
        found = self._ask("receive_message", MaxNumberOfMessages=MOST_MESSAGES, WaitTimeSeconds=WAIT_SECONDS)
        return [
            Queued(
                id=message["MessageId"],
                receipt=message["ReceiptHandle"],
                body=message["Body"].encode("utf-8", "backslashreplace"),
            )
            for message in found.get("Messages", [])
        ]

    def remove(self, messages: Sequence[Queued]) -> None:
        entries = [
            {"Id": str(number), "ReceiptHandle": message.receipt} for number, message in enumerate(messages)
        ]
        failed = self._ask("delete_message_batch", Entries=entries).get("Failed", [])
        if failed:
            raise TryAgain(
                f"{len(failed)} messages that are on record could not be removed from the queue {self._address.name}"
                f" ({line(failed[0].get('Code'))}: {line(failed[0].get('Message'))}). They come again as duplicates,"
                f" and then go to the dead letters. {_MAY_NOT}"
            )

    def look(self) -> QueueLook:
        try:
            found: Mapping[str, str] = self._ask("get_queue_attributes", AttributeNames=["All"])["Attributes"]
        except TryAgain as error:
            return QueueLook(says="", faults=(str(error),))
        senders = list(_senders(found.get("Policy", "")))
        waiting = found.get("ApproximateNumberOfMessages", "an unknown number of")
        return QueueLook(
            says=f"It is there; {waiting} messages wait in it. Topics that may send to it: "
            + (", ".join(sorted({one for one in senders if one != ANYBODY})) or "none"),
            faults=(
                *self._what_is_not_permitted(),
                *self._about_dead_letters(found.get("RedrivePolicy", "")),
                *self._about_senders(senders),
            ),
        )

    def _what_is_not_permitted(self) -> Iterator[str]:
        """Tries what the policy must allow. What is received is visible again at once; it costs one of its receives."""
        try:
            self._ask("receive_message", MaxNumberOfMessages=1, WaitTimeSeconds=0, VisibilityTimeout=0)
        except TryAgain as error:
            yield str(error)
        try:
            self._ask("delete_message", ReceiptHandle="socmon doctor asks whether it may")
        except TryAgain as error:
            # A receipt that is none is refused too, but only after the permission.
            if _code(error) in _DENIED:
                yield str(error)

    def _about_dead_letters(self, policy: str) -> Iterator[str]:
        name = self._address.name
        rules = _object(policy)
        if "deadLetterTargetArn" not in rules:
            yield (
                f"{name} has no redrive policy, so a message that cannot be believed or read comes again until it"
                " expires. Make a queue for dead letters, and name it in RedrivePolicy (docs/providers/cloudwatch.md)."
            )
        elif int(rules.get("maxReceiveCount", 0)) < FEWEST_RECEIVES:
            yield (
                f"{name} gives a message up after {rules.get('maxReceiveCount')} receives, so a restart of socmon can"
                " send an alarm to the dead letters. Set maxReceiveCount to 5 in its RedrivePolicy."
            )

    def _about_senders(self, senders: Sequence[str]) -> Iterator[str]:
        name, topics = self._address.name, self._settings.topics
        if ANYBODY in senders:
            yield (
                f"The policy of {name} lets others than your topics send to it, and what they send is a gap each time."
                " Allow sqs:SendMessage to sns.amazonaws.com with the condition ArnEquals aws:SourceArn only."
            )
        else:
            for topic in sorted(topics):
                if not any(fnmatchcase(topic, sender) for sender in senders):
                    yield (
                        f"{topic} may not send to {name}. Allow it sqs:SendMessage in the queue's policy"
                        " (docs/providers/cloudwatch.md), or no alarm arrives."
                    )
        for sender in sorted(set(senders) - {ANYBODY}):
            if not any(fnmatchcase(topic, sender) for topic in topics):
                yield (
                    f"{line(sender)} may send to {name}, but is not in providers.cloudwatch.topics, so its alarms are"
                    " not believed. Add it there, or take it out of the queue's policy."
                )

    def _ask(self, operation: str, **given: Any) -> dict[str, Any]:
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - as in subscription.py

        try:
            answer: dict[str, Any] = getattr(self._client, operation)(QueueUrl=self._address.url, **given)
        except ClientError as error:
            self._explain(error, str(error.response.get("Error", {}).get("Code", "")))
        except (BotoCoreError, OSError, ValueError) as error:
            self._explain(error, "")
        return answer

    def _explain(self, error: Exception, code: str) -> NoReturn:
        if code in _MISSING:
            mend = "Correct [providers.cloudwatch] queue, or make the queue again."
        elif code in _DENIED:
            mend = _MAY_NOT
        else:
            mend = "Check socmon's AWS credentials, and that it reaches SQS; it tries again, and messages wait there."
        raise TryAgain(f"The queue {self._address.name} cannot be used: {line(str(error))} {mend}") from error

    @cached_property
    def _client(self) -> Any:
        from boto3.session import Session  # noqa: PLC0415 - as in subscription.py
        from botocore.config import Config  # noqa: PLC0415

        return Session().client(
            "sqs",
            region_name=self._address.region,
            verify=self._settings.ca_file or None,
            config=Config(
                connect_timeout=CONNECT_SECONDS,
                read_timeout=WAIT_SECONDS + 5,
                retries={"mode": "standard", "total_max_attempts": 2},
            ),
        )


ANYBODY = "*"
_MAY_NOT = (
    "Allow socmon's AWS role sqs:ReceiveMessage, sqs:DeleteMessage and sqs:GetQueueAttributes on it"
    " (docs/providers/cloudwatch.md has the policy)."
)
_SENDING = {"*", "sqs:*", "sqs:send*", "sqs:sendmessage"}


def _code(error: TryAgain) -> str:
    cause: Any = error.__cause__
    return str(getattr(cause, "response", {}).get("Error", {}).get("Code", ""))


def _senders(policy: str) -> Iterator[str]:
    """The topics that a queue's policy lets send, as it writes them (with `*`); ANYBODY for whom no topic is named."""
    for statement in _list(_object(policy).get("Statement")):
        actions = {str(action).lower() for action in _list(statement.get("Action"))}
        if statement.get("Effect") == "Allow" and actions & _SENDING:
            yield from _sources(statement.get("Condition")) or [ANYBODY]


def _sources(condition: object) -> list[str]:
    tests = condition.values() if isinstance(condition, dict) else []
    return [
        str(value)
        for test in tests
        for key, values in (test.items() if isinstance(test, dict) else ())
        if key.lower() == "aws:sourcearn"
        for value in _list(values)
    ]


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _list(value: Any) -> list[Any]:
    """IAM writes one as itself and several as a list."""
    return value if isinstance(value, list) else [] if value is None else [value]
