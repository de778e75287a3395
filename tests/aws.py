"""moto's AWS: as processes of their own, and in this one with what it lacks."""

import json
import logging
import socket
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partialmethod
from pathlib import Path
from threading import RLock
from typing import Any

import moto.moto_proxy
import pytest
from moto.cloudwatch.models import cloudwatch_backends
from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, BaseResponse
from moto.elbv2.models import elbv2_backends
from moto.moto_api._internal.models import moto_api_backend
from moto.server import ThreadedMotoServer
from moto.sns.models import sns_backends

from bot.playground.graphs import draw_graph, wave

CA_FILE = str(Path(moto.moto_proxy.__file__).parent / "ca.crt")
STARTUP_SECONDS = 30


def start(module: str) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", module, "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            wait_for(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def wait_for(port: int) -> None:
    for _ in range(STARTUP_SECONDS * 10):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    pytest.fail(f"moto did not start within {STARTUP_SECONDS} s")


@contextmanager
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator["Completed"]:
    """moto's AWS over HTTP, empty at first, with what it lacks; boto3 finds it, in whatever process it runs."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    server.start()
    try:
        host, port = server.get_host_and_port()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "made-up")
        moto_api_backend.reset()
        yield Completed(monkeypatch)
    finally:
        server.stop()


class Completed:
    """moto's AWS in this process, with what it lacks, in the shapes of AWS's own service model.

    It pages alarms and keeps to AlarmTypes, knows what is recently active, lists mute rules, and may refuse a region.
    Composite alarms and unconfirmed subscriptions are put into its backends, which its own calls cannot do.
    """

    ACCOUNT = "123456789012"

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.most_alarms = 100
        """Of one page."""
        self.refused: dict[str, frozenset[str]] = {}
        """Region → services that refuse there; without any, all do."""
        self.mutes: dict[str, list[str]] = {}
        """Active mute rule → alarms."""
        self.unanswered: set[str] = set()
        """Metrics that GetMetricData has an internal error for."""
        self.images: list[bytes | str] = []
        """With which GetMetricWidgetImage answers first: pictures, or codes of errors."""
        self.widgets: list[dict[str, Any]] = []
        """What it was asked to draw."""
        self.requests: list[str] = []
        self._one_at_a_time = RLock()  # metrics and alarms are asked for in threads of their own
        self._moto: dict[str, Any] = {
            "list_metrics": CloudWatchResponse.list_metrics,
            "describe_alarms": CloudWatchResponse.describe_alarms,
            "get_metric_data": CloudWatchResponse.get_metric_data,
            "call_action": BaseResponse.call_action,
        }
        for owner, name, method in (
            (CloudWatchResponse, "list_metrics", self._list_metrics),
            (CloudWatchResponse, "get_metric_data", self._get_metric_data),
            (CloudWatchResponse, "describe_alarms", self._describe_alarms),
            (CloudWatchResponse, "list_alarm_mute_rules", self._list_alarm_mute_rules),
            (CloudWatchResponse, "get_alarm_mute_rule", self._get_alarm_mute_rule),
            (CloudWatchResponse, "get_metric_widget_image", self._get_metric_widget_image),
            (BaseResponse, "call_action", self._call_action),
        ):
            monkeypatch.setattr(owner, name, partialmethod(_turned, method), raising=False)

    def _list_metrics(self, response: Any) -> Any:
        backend = response.cloudwatch_backend
        every = backend.metric_data
        if _given(response, "RecentlyActive"):
            since = datetime.now(UTC) - timedelta(hours=3)
            backend.metric_data = [one for one in every if _aware(one.timestamp) > since]
        try:
            return self._moto["list_metrics"](response)
        finally:
            backend.metric_data = every

    def _get_metric_data(self, response: Any) -> Any:
        asked = {
            one["Id"]: one["MetricStat"]["Metric"]["MetricName"]
            for one in _given(response, "MetricDataQueries")
        }
        result = self._moto["get_metric_data"](response).result
        for one in result["MetricDataResults"]:
            if asked[one["id"]] in self.unanswered:
                one |= {"timestamps": [], "values": [], "status_code": "InternalError"}
        return ActionResult(result)

    def _describe_alarms(self, response: Any) -> Any:
        result = self._moto["describe_alarms"](response).result
        types = _given(response, "AlarmTypes") or ["MetricAlarm"]
        every = [
            (kind, alarm)
            for kind in ("MetricAlarms", "CompositeAlarms")
            if kind.removesuffix("s") in types
            for alarm in result[kind]
        ]
        first = int(_given(response, "NextToken") or 0)
        after = first + min(int(_given(response, "MaxRecords") or 50), self.most_alarms)
        page: dict[str, Any] = {"MetricAlarms": [], "CompositeAlarms": []}
        for kind, alarm in every[first:after]:
            page[kind].append(alarm)
        return ActionResult(page | ({"NextToken": str(after)} if after < len(every) else {}))

    def _list_alarm_mute_rules(self, response: Any) -> Any:
        arn = f"arn:aws:cloudwatch:{response.region}:{self.ACCOUNT}:alarm-mute-rule:"
        listed = [
            {"AlarmMuteRuleArn": arn + name, "Status": "ACTIVE", "MuteType": "RECURRING"}
            for name in self.mutes
        ]
        return ActionResult({"AlarmMuteRuleSummaries": listed})

    def _get_alarm_mute_rule(self, response: Any) -> Any:
        name = _given(response, "AlarmMuteRuleName")
        if name not in self.mutes:
            return _error(response, "ResourceNotFoundException", f"Alarm mute rule {name} does not exist")
        targets = {"AlarmNames": self.mutes[name]}
        return ActionResult({"Name": name, "MuteTargets": targets, "Status": "ACTIVE"})

    def _get_metric_widget_image(self, response: Any) -> Any:
        """What moto lacks: the widget drawn, as base64 in XML or as bytes in CBOR, as AWS's model says."""
        widget = json.loads(_given(response, "MetricWidget"))
        self.widgets.append(widget)
        return ActionResult({"MetricWidgetImage": self.images.pop(0) if self.images else _drawn(widget)})

    def _call_action(self, response: Any) -> Any:
        with self._one_at_a_time:
            return self._answer(response)

    def _answer(self, response: Any) -> Any:
        self.requests.append(f"{response.service_name}.{response._get_action()}")  # noqa: SLF001 - moto's own way
        services = self.refused.get(response.region)
        action = response._get_action()  # noqa: SLF001 - as above
        if action == "GetMetricWidgetImage" and self.images and isinstance(self.images[0], str):
            self.widgets.append(json.loads(_given(response, "MetricWidget")))
            return _error(response, str(self.images.pop(0)), "The widget cannot be drawn")
        refuses = services is not None and (not services or response.service_name in services)
        # Who somebody is takes no permission.
        return (
            _refusal(response)
            if refuses and response.service_name != "sts"
            else self._moto["call_action"](response)
        )

    def leave_pending(self, topic: str, endpoint: str) -> None:
        region = topic.split(":")[3]
        for one in sns_backends[self.ACCOUNT][region].subscriptions.values():
            if one.topic.arn == topic and one.endpoint == endpoint:
                one.arn = "PendingConfirmation"

    def of_connections(self, balancer: str) -> str:
        """moto names network load balancers as if they were application ones. Returns what AWS would call it."""
        known = elbv2_backends[self.ACCOUNT][balancer.split(":")[3]].load_balancers
        known[balancer].arn = named = balancer.replace(":loadbalancer/app/", ":loadbalancer/net/")
        known[named] = known.pop(balancer)
        return named

    def composite(self, name: str, rule: str, *, actions: list[str], region: str) -> None:
        cloudwatch_backends[self.ACCOUNT][region].put_metric_alarm(
            name=name,
            namespace="",
            metric_name="",
            comparison_operator="",
            evaluation_periods=0,
            period=0,
            threshold=0,
            statistic="",
            description="",
            dimensions=[],
            alarm_actions=actions,
            rule=rule,
        )


def _turned(response: Any, method: Callable[[Any], Any]) -> Any:
    return method(response)


def _given(response: Any, name: str) -> Any:
    return response._get_param(name)  # noqa: SLF001 - as moto's own responses do


def _refusal(response: Any) -> Any:
    code = "UnauthorizedOperation" if response.service_name == "ec2" else "AccessDenied"
    return _error(response, code, "You are not authorized to do this")


def _error(response: Any, code: str, says: str) -> Any:
    # moto finds the service by the module of its exceptions.
    home = {"__module__": f"moto.{response.boto3_service_name}.exceptions"}
    refusal = type("Refusal", (ServiceException,), home)(code, says)
    with warnings.catch_warnings():
        # The services' models leave out the errors that are common to all.
        warnings.simplefilter("ignore", UserWarning)
        return response.serialized(ActionResult(refusal))


def _aware(at: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _drawn(widget: dict[str, Any]) -> bytes:
    """A line for each of its metrics, over the time that it names."""
    start, end = (int(datetime.fromisoformat(widget[name]).timestamp()) for name in ("start", "end"))
    names = ["/".join(str(part) for part in one if isinstance(part, str)) for one in widget["metrics"]]
    lines = {name: [[at * 1000, wave(name, "", at)] for at in range(start, end, 60)] for name in names}
    size = widget["width"], widget["height"]
    return draw_graph(widget["title"], lines, (start * 1000, end * 1000), size=size)
