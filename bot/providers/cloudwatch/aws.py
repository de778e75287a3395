"""Asks AWS in its accounts and regions, counts the requests, and keeps what could not be asked."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from boto3.session import Session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from bot.domain.errors import ToolRefused, ToolSilent
from bot.domain.spending import Billed
from bot.providers.cloudwatch.settings import CloudWatchSettings
from bot.providers.contract import Pulled, line

CONNECT_SECONDS = 5
READ_SECONDS = 20
MOST_ATTEMPTS = 4
USD_A_THOUSAND = Decimal("0.01")  # metrics asked for, or requests

_DENIED = {
    "AccessDenied",
    "AccessDeniedException",
    "AuthorizationError",
    "AuthorizationErrorException",
    "UnauthorizedOperation",
}
_UNKNOWN_THERE = {
    "AuthFailure",
    "ExpiredToken",
    "InvalidClientTokenId",
    "OptInRequired",
    "UnrecognizedClientException",
}
_MISSING = {"NotFound", "NotFoundException", "ResourceNotFound", "ResourceNotFoundException"}
# The client's name of a service, where IAM has another.
_IAM_NAMES = {"elbv2": "elasticloadbalancing", "resourcegroupstaggingapi": "tag"}

OWN = ""  # no role: the account of the credentials themselves

Item = TypeVar("Item")


class Missing(Exception):
    """What was asked about does not exist."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A request that was refused, or got no answer. `action` is the permission it takes."""

    where: str
    action: str
    code: str
    message: str


class Aws:
    """One collection: not shared between threads. Its requests are counted as they are sent, repeats too.

    CloudWatch bills its own requests, and GetMetricData by the metrics that are asked for, which no free tier covers:
    https://aws.amazon.com/cloudwatch/pricing/ (list prices of us-east-1, read 2026-11).
    """

    def __init__(self, settings: CloudWatchSettings) -> None:
        self._settings = settings
        self.calls = 0
        self.metrics_asked = 0
        self._requests_billed = 0
        self.failures: list[Failure] = []
        # A session of its own: boto3's default one is not safe to share between threads.
        self._session = Session()
        self._session.events.register("request-created", self._count)

    def places(self) -> list["Place"]:
        """Every account in every region. One that does not let socmon in is a failure."""
        entrances = self._settings.roles or (OWN,)
        return [
            Place(
                aws=self,
                where=f"account {account.id} in {region}",
                partition=account.partition,
                account=account.id,
                region=region,
                keys=account.keys,
            )
            for account in map(self._enter, entrances)
            if account
            for region in self._settings.regions
        ]

    def place(self, account: str, region: str) -> "Place":
        """That account in that region. Raises ToolRefused and ToolSilent."""
        role = next((one for one in self._settings.roles if one.split(":")[4] == account), OWN)
        gate = Place(aws=self, where=f"account {account} in {region}", region=region)
        entered = _entered(gate, role) if role else _own(gate)
        if entered is None:
            raise _error(self.failures)
        if entered.id != account:
            raise ToolRefused(
                f"socmon has credentials for the account {entered.id} only, and not for {account}. Add a role in that"
                " account to [providers.cloudwatch] roles."
            )
        return replace(gate, partition=entered.partition, account=account, keys=entered.keys)

    def _enter(self, role: str) -> "_Account | None":
        """By the first region that answers: one that is switched off must not hide the others."""
        for region in self._settings.regions:
            where = f"the role {role}" if role else "socmon's own AWS account"
            place = Place(aws=self, where=where, region=region)
            if account := _entered(place, role) if role else _own(place):
                return account
        return None

    def pulled(self, items: Iterable[Item], at: datetime) -> Pulled[Item]:
        """The answer: whole only when nothing failed."""
        return Pulled(
            items=tuple(items),
            complete=not self.failures,
            as_of=at,
            calls=self.calls,
            reason=" ".join(_explained(self.failures)),
            billed=self._billed,
        )

    def client(self, service: str, region: str, keys: Mapping[str, str]) -> Any:
        return self._session.client(
            service,
            region_name=region,
            verify=self._settings.ca_file or None,
            config=Config(
                connect_timeout=CONNECT_SECONDS,
                read_timeout=READ_SECONDS,
                retries={"mode": "standard", "total_max_attempts": MOST_ATTEMPTS},
            ),
            **keys,
        )

    @property
    def _billed(self) -> tuple[Billed, ...]:
        counts = {"metrics asked for": self.metrics_asked, "CloudWatch requests": self._requests_billed}
        return tuple(
            Billed(of=of, units=units, price=USD_A_THOUSAND) for of, units in counts.items() if units
        )

    def _count(self, event_name: str, **_event: Any) -> None:
        """`event_name` is like request-created.cloudwatch.ListMetrics."""
        self.calls += 1
        _, service, operation = event_name.split(".")
        self._requests_billed += service == "cloudwatch" and operation != "GetMetricData"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An account in a region."""

    aws: Aws
    where: str
    region: str
    partition: str = "aws"
    account: str = ""
    keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    _clients: dict[str, Any] = field(default_factory=dict, init=False, repr=False)

    def pages(
        self, service: str, operation: str, *, size: int | None = None, **given: Any
    ) -> Iterator[Mapping[str, Any]]:
        """The answer page by page, to the last; raises Missing.

        Other trouble ends it early and is a failure of the whole collection: what came before it still counts.
        """
        client = self._client(service)
        try:
            if client.can_paginate(operation):
                paging = {"PageSize": size} if size else {}
                yield from client.get_paginator(operation).paginate(**given, PaginationConfig=paging)
            else:
                yield getattr(client, operation)(**given)
        except ClientError as error:
            told = error.response.get("Error", {})
            code = str(told.get("Code", ""))
            if code in _MISSING:
                raise Missing from error
            self._failed(service, operation, code, line(told.get("Message")))
        except (BotoCoreError, OSError, ValueError) as error:
            self._failed(service, operation, "", line(str(error)))

    def every(
        self, service: str, operation: str, key: str, *, size: int | None = None, **given: Any
    ) -> Iterator[Any]:
        """What the pages list under `key`."""
        for page in self.pages(service, operation, size=size, **given):
            yield from page.get(key) or ()

    def act(self, service: str, operation: str, **given: Any) -> Mapping[str, Any]:
        """The answer to one request that changes something. Raises Missing, ToolRefused and ToolSilent."""
        before = len(self.aws.failures)
        answers = list(self.pages(service, operation, **given))
        if failed := self.aws.failures[before:]:
            raise _error(failed)
        return answers[0]

    def incomplete(self, action: str, message: str) -> None:
        """The answer came, and says itself that it is not whole."""
        self.aws.failures.append(Failure(where=self.where, action=action, code="", message=message))

    def _client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = self.aws.client(service, self.region, self.keys)
        return self._clients[service]

    def action(self, service: str, operation: str) -> str:
        """The permission that it takes, as IAM writes it."""
        name = self._client(service).meta.method_to_api_mapping[operation]
        return f"{_IAM_NAMES.get(service, service)}:{name}"

    def _failed(self, service: str, operation: str, code: str, message: str) -> None:
        action = self.action(service, operation)
        self.aws.failures.append(Failure(where=self.where, action=action, code=code, message=message))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Account:
    id: str
    partition: str
    keys: Mapping[str, str] = field(default_factory=dict, repr=False)


def _own(place: Place) -> _Account | None:
    for told in place.pages("sts", "get_caller_identity"):
        return _Account(id=told["Account"], partition=told["Arn"].split(":")[1])
    return None


def _entered(place: Place, role: str) -> _Account | None:
    """The account of a role, with the keys that it gives for an hour."""
    _, partition, _, _, account, *_ = role.split(":")
    for told in place.pages("sts", "assume_role", RoleArn=role, RoleSessionName="socmon"):
        given = told["Credentials"]
        keys = {
            "aws_access_key_id": given["AccessKeyId"],
            "aws_secret_access_key": given["SecretAccessKey"],
            "aws_session_token": given["SessionToken"],
        }
        return _Account(id=account, partition=partition, keys=keys)
    return None


def _error(failures: Sequence[Failure]) -> ToolRefused | ToolSilent:
    """What is denied now is denied the next time too."""
    kind = ToolRefused if any(one.code in _DENIED | _UNKNOWN_THERE for one in failures) else ToolSilent
    return kind(" ".join(_explained(failures)))


def _explained(failures: Iterable[Failure]) -> Iterator[str]:
    """One sentence a place and cause, however many services failed there."""
    alike: dict[tuple[str, str], list[Failure]] = {}
    for failure in failures:
        cause = next((name for name, codes in _CAUSES.items() if failure.code in codes), failure.message)
        alike.setdefault((failure.where, cause), []).append(failure)
    for (where, cause), same in alike.items():
        code = f" ({same[0].code})" if same[0].code else ""
        actions = ", ".join(sorted({failure.action for failure in same}))
        match cause:
            case "denied":
                yield (
                    f"{_start(where)} refused{code}: allow socmon's role {actions} there"
                    " (docs/providers/cloudwatch.md has the policy)."
                )
            case "unknown there":
                yield (
                    f"{_start(where)} does not know socmon's credentials{code}: check them, and that the region is"
                    " enabled in that account, or take it out of [providers.cloudwatch] regions."
                )
            case _:
                yield (
                    f"{_start(where)} did not answer {actions}{code}: {cause.rstrip('.')}. Check that socmon reaches"
                    " AWS there; it asks again at the next collection."
                )


def _start(where: str) -> str:
    return where[:1].upper() + where[1:]


_CAUSES = {"denied": _DENIED, "unknown there": _UNKNOWN_THERE}
