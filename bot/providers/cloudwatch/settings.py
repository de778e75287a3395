"""Which SNS topics may bring CloudWatch alarms, which queue they may wait in, and where AWS is asked what it runs."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bot.domain.errors import WrongSettings
from bot.providers.contract import nearest, read_table

NAME = "cloudwatch"
EXAMPLE_TOPIC = "arn:aws:sns:eu-west-1:111122223333:socmon-alarms"
EXAMPLE_QUEUE = "https://sqs.eu-west-1.amazonaws.com/111122223333/socmon-alarms"
EXAMPLE_REGION = "eu-west-1"
EXAMPLE_ROLE = "arn:aws:iam::111122223333:role/socmon"

_KEYS = (
    "topics",
    "signature_version_1",
    "queue",
    "compare",
    "regions",
    "roles",
    "test_alarms",
    "test_topics",
)
_TEST = re.compile(r"(?![a-z0-9-]{0,40}-quiet$)[a-z][a-z0-9-]{0,40}")
_REGION = re.compile(r"[a-z]{2,4}(-[a-z]{2,15}){1,3}-[0-9]{1,2}")
_ROLE = re.compile(r"arn:aws(-[a-z]{2,10}){0,2}:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]{1,576}")
_TOPIC = re.compile(r"arn:aws(-[a-z]{2,10}){0,2}:sns:[a-z0-9-]{3,30}:[0-9]{12}:[A-Za-z0-9_-]{1,256}")
_AWS_HOST = re.compile(
    r"https://sqs(?:-fips)?\.(?P<region>[a-z0-9-]{3,30})\.(?:amazonaws\.com(?:\.cn)?|api\.aws)"
)
_QUEUE = re.compile(
    r"(?P<host>https?://[^/\s?#@]+)/(?P<account>[0-9]{12})/(?P<name>[A-Za-z0-9_-]{1,80}(?P<fifo>\.fifo)?)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueAddress:
    """An SQS queue."""

    url: str
    name: str
    region: str
    account: str

    @property
    def arn(self) -> str:
        """What SNS calls it: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html."""
        partition = next(
            (name for start, name in _PARTITIONS.items() if self.region.startswith(start)), "aws"
        )
        return f"arn:{partition}:sqs:{self.region}:{self.account}:{self.name}"


_PARTITIONS = {"cn-": "aws-cn", "us-gov-": "aws-us-gov", "us-iso-": "aws-iso", "us-isob-": "aws-iso-b"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TestedAlarms:
    """A way that alarms take: the topics that those of production notify, all of one account and region.

    `believed` are those of them that socmon is subscribed to. A quiet test has an alarm that notifies these alone.
    """

    name: str
    topics: tuple[str, ...]
    believed: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudWatchSettings:
    """`topics` is the allow-list that takes the place of a secret: SNS signs for every customer with the same key.

    `ca_file` is for the AWS client, which knows AWS_CA_BUNDLE but not SSL_CERT_FILE. `compare` lets socmon ask which
    alarms are in alarm; that needs AWS credentials. `regions` are asked what runs there, in the account of each of
    `roles`; without any, in the account that the credentials are of. Tests begin with `test_alarms` and `test_topics`.
    """

    topics: frozenset[str] = frozenset()
    signature_version_1: bool = False
    ca_file: str = ""
    queue: QueueAddress | None = None
    compare: bool = False
    regions: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    test_alarms: tuple[TestedAlarms, ...] = ()
    test_topics: tuple[str, ...] = ()


def read_settings(table: Mapping[str, Any], environ: Mapping[str, str]) -> CloudWatchSettings:
    """Read `[providers.cloudwatch]`; raises WrongSettings."""
    read_table(NAME, table, _KEYS)
    for name in ("signature_version_1", "compare"):
        if not isinstance(table.get(name, False), bool):
            raise WrongSettings(f"providers.cloudwatch.{name} must be true or false, without quotes.")
    topics = _topics(table.get("topics", []))
    if "queue" in table and not topics:
        raise WrongSettings(
            "providers.cloudwatch.queue needs topics: without any no message in it is believed, and every alarm ends in"
            f' the dead letters. List the topics your alarms notify: topics = ["{EXAMPLE_TOPIC}"].'
        )
    regions = _listed(table, "regions", _REGION, "the name of an AWS region", EXAMPLE_REGION)
    roles = _roles(table)
    if roles and not regions:
        raise WrongSettings(
            "providers.cloudwatch.roles needs regions: without any, nothing is asked. List those that you use:"
            f' regions = ["{EXAMPLE_REGION}"].'
        )
    return CloudWatchSettings(
        topics=topics,
        signature_version_1=table.get("signature_version_1", False),
        compare=table.get("compare", False),
        ca_file=environ.get("AWS_CA_BUNDLE") or environ.get("SSL_CERT_FILE") or "",
        queue=_queue(table["queue"], environ) if "queue" in table else None,
        regions=regions,
        roles=roles,
        test_alarms=tuple(_test_alarms(table.get("test_alarms", {}), topics)),
        test_topics=_test_topics(table, topics),
    )


def findings(settings: CloudWatchSettings) -> list[str]:
    """What `socmon doctor` says about these settings."""
    found = []
    if not settings.topics:
        found.append(
            "providers.cloudwatch.topics is empty, so every CloudWatch delivery is refused."
            f' List the topics your alarms notify: topics = ["{EXAMPLE_TOPIC}"].'
        )
    if settings.signature_version_1:
        found.append(
            "providers.cloudwatch.signature_version_1 accepts SHA-1 signatures. Set SignatureVersion=2 on each topic,"
            " then remove it."
        )
    return [*found, *_unknown_regions(settings)]


def _unknown_regions(settings: CloudWatchSettings) -> Iterator[str]:
    """Regions that the AWS client has not heard of: a slip of the pen, or newer than the client."""
    if not settings.regions:
        return
    from boto3.session import Session  # noqa: PLC0415 - as in subscription.py

    session = Session()
    partitions = session.get_available_partitions()
    known = {one for part in partitions for one in session.get_available_regions("cloudwatch", part)}
    for region in settings.regions:
        if region not in known:
            yield (
                f"providers.cloudwatch.regions: the AWS client knows no region {region}.{nearest(region, known)}"
                " A region that is newer than the client works all the same."
            )


def _topics(value: object) -> frozenset[str]:
    if not isinstance(value, list):
        raise WrongSettings(
            f'providers.cloudwatch.topics must be a list of topic ARNs, such as ["{EXAMPLE_TOPIC}"].'
        )
    for topic in value:
        if not isinstance(topic, str) or not _TOPIC.fullmatch(topic):
            raise WrongSettings(
                f"providers.cloudwatch.topics: {topic!r} is not the ARN of an SNS topic. It looks like {EXAMPLE_TOPIC};"
                " `aws sns list-topics` shows yours."
            )
    return frozenset(value)


def _test_alarms(value: object, believed: frozenset[str]) -> Iterator[TestedAlarms]:
    if not isinstance(value, dict):
        raise WrongSettings(
            f"providers.cloudwatch.test_alarms is {value!r}. Write a name and the topics of each way, as in"
            f' payments = ["{EXAMPLE_TOPIC}"].'
        )
    for name in value:
        if not _TEST.fullmatch(name):
            raise WrongSettings(
                f"providers.cloudwatch.test_alarms: {name!r} is no name. Use small letters, digits and hyphens, and no"
                " “-quiet” at the end."
            )
        topics = _listed(value, name, _TOPIC, "the ARN of an SNS topic", EXAMPLE_TOPIC)
        if len({tuple(topic.split(":")[3:5]) for topic in topics}) != 1:
            raise WrongSettings(
                f"providers.cloudwatch.test_alarms.{name}: an alarm notifies topics of its own account and region only."
                " Write one entry for each."
            )
        heard = tuple(topic for topic in topics if topic in believed)
        if not heard:
            raise WrongSettings(
                f"providers.cloudwatch.test_alarms.{name} names no topic of [providers.cloudwatch] topics, so socmon"
                " could not hear of a test. Add the one that it is subscribed to."
            )
        yield TestedAlarms(name=name, topics=topics, believed=heard)


def _test_topics(table: Mapping[str, Any], believed: frozenset[str]) -> tuple[str, ...]:
    topics = _listed(table, "test_topics", _TOPIC, "the ARN of an SNS topic", EXAMPLE_TOPIC)
    if strange := [one for one in topics if one not in believed]:
        raise WrongSettings(
            f"providers.cloudwatch.test_topics: socmon believes nothing from {strange[0]}, so it could not hear of a"
            " test. Add it to topics as well."
        )
    return topics


def _listed(
    table: Mapping[str, Any], key: str, pattern: re.Pattern[str], what: str, example: str
) -> tuple[str, ...]:
    """A list of strings that fit, each once, in order."""
    value = table.get(key, [])
    if not isinstance(value, list):
        raise WrongSettings(f'providers.cloudwatch.{key} must be a list, such as ["{example}"].')
    for one in value:
        if not isinstance(one, str) or not pattern.fullmatch(one):
            raise WrongSettings(
                f"providers.cloudwatch.{key}: {one!r} is not {what}. It looks like {example}."
            )
    return tuple(sorted(set(value)))


def _roles(table: Mapping[str, Any]) -> tuple[str, ...]:
    """One an account: with two, everything in it would be there twice."""
    roles = _listed(table, "roles", _ROLE, "the ARN of an IAM role", EXAMPLE_ROLE)
    seen: dict[str, str] = {}
    for role in roles:
        account = role.split(":")[4]
        if account in seen:
            raise WrongSettings(
                f"providers.cloudwatch.roles: {seen[account]} and {role} are roles of the same account. Keep one."
            )
        seen[account] = role
    return roles


def _queue(value: object, environ: Mapping[str, str]) -> QueueAddress:
    """Only AWS's own hosts, unless AWS_ENDPOINT_URL says that another one stands in for them."""
    found = _QUEUE.fullmatch(value) if isinstance(value, str) else None
    aws = _AWS_HOST.fullmatch(found["host"]) if found else None
    stands_in = environ.get("AWS_ENDPOINT_URL_SQS") or environ.get("AWS_ENDPOINT_URL")
    if not found or not (aws or stands_in):
        raise WrongSettings(
            f"providers.cloudwatch.queue: {value!r} is not the URL of an SQS queue. It looks like {EXAMPLE_QUEUE};"
            " `aws sqs get-queue-url --queue-name socmon-alarms` shows yours."
        )
    if found["fifo"]:
        raise WrongSettings(
            f"providers.cloudwatch.queue: {found['name']} is a FIFO queue, and alarms reach none: CloudWatch notifies"
            " standard topics only. Name a standard queue."
        )
    region = aws["region"] if aws else environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION")
    if not region:
        raise WrongSettings(
            f"providers.cloudwatch.queue: {found[0]} does not say in which region it is. Set AWS_REGION."
        )
    return QueueAddress(url=found[0], name=found["name"], region=region, account=found["account"])
