"""CloudWatch's dashboards: asked of moto's AWS, whose missing GetMetricWidgetImage is added in AWS's own shape."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from bot.adapters.web.pixels import look
from bot.domain.dashboard import Captured, Dashboard, Trouble, Uncaptured
from bot.providers.cloudwatch.dashboards import CloudWatchDashboards, _metrics
from bot.providers.cloudwatch.settings import CloudWatchSettings
from tests.aws import Completed

REGION = "us-east-1"
NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Completed]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        yield Completed(monkeypatch)


def make(*widgets: dict[str, Any], name: str = "prod-overview") -> None:
    body = json.dumps({"widgets": list(widgets)})
    boto3.client("cloudwatch", region_name=REGION).put_dashboard(DashboardName=name, DashboardBody=body)


def cpu(*machines: str, **properties: Any) -> dict[str, Any]:
    metrics = [["AWS/EC2", "CPUUtilization", "InstanceId", machine] for machine in machines]
    return {
        "type": "metric",
        "properties": {"title": "CPU", "region": REGION, "metrics": metrics, **properties},
    }


def put(machine: str, *, minutes_old: int) -> None:
    data = {
        "MetricName": "CPUUtilization",
        "Dimensions": [{"Name": "InstanceId", "Value": machine}],
        "Timestamp": NOW - timedelta(minutes=minutes_old),
        "Value": 40.0,
    }
    boto3.client("cloudwatch", region_name=REGION).put_metric_data(Namespace="AWS/EC2", MetricData=[data])


def tool() -> CloudWatchDashboards:
    return CloudWatchDashboards(settings=CloudWatchSettings(regions=(REGION, "eu-west-1")))


def capture(one: Dashboard) -> Captured:
    return tool().capture(one, start=NOW - timedelta(hours=3), end=NOW)


def only() -> Dashboard:
    [one] = tool().list(NOW).items
    return one


def test_a_dashboard_with_all_kinds_of_widgets(aws: Completed) -> None:
    """Metrics as AWS draws them, alarms and texts by socmon; listed once, though it is seen from every region."""
    boto3.client("cloudwatch", region_name=REGION).put_metric_alarm(
        AlarmName="cpu-high",
        Namespace="AWS/EC2",
        MetricName="CPUUtilization",
        ComparisonOperator="GreaterThanThreshold",
        EvaluationPeriods=5,
        Period=60,
        Threshold=85,
        Statistic="Average",
    )
    put("i-0abc", minutes_old=3)
    arn = f"arn:aws:cloudwatch:{REGION}:{aws.ACCOUNT}:alarm:cpu-high"
    make(
        cpu("i-0abc", view="gauge"),
        {"type": "alarm", "properties": {"title": "Alarms", "alarms": [arn]}},
        {"type": "text", "properties": {"markdown": "# Call\nthe platform team"}},
        {"type": "log", "properties": {"title": "Errors", "query": "fields @message"}},
    )
    aws.images = ["InvalidParameterValue"]  # it draws no gauge without its range

    one = only()
    got = capture(one)

    assert (one.id, one.account) == (f"{aws.ACCOUNT}/prod-overview", aws.ACCOUNT)
    assert one.modified_at is not None
    assert [panel.title for panel in got.panels] == ["CPU", "Alarms", "text", "Errors"]
    look(got.panels[0].picture)
    assert [widget["view"] for widget in aws.widgets] == ["gauge", "timeSeries"]
    assert aws.widgets[1]["start"] == f"{NOW - timedelta(hours=3):%Y-%m-%dT%H:%M:%SZ}"
    assert got.panels[1].lines[0].split()[1] == "cpu-high"
    assert got.panels[2].lines == ("# Call", "the platform team")
    assert "(log)" in got.panels[3].lines[0]
    assert got.newest_at is not None
    assert NOW - got.newest_at < timedelta(minutes=10)
    assert got.shows == {"i-0abc"}


@pytest.mark.usefixtures("aws")
def test_what_has_no_values_tells_so() -> None:
    put("i-0abc", minutes_old=50)
    make(cpu("i-0abc"), cpu("i-gone", title="Gone"))
    got = capture(only())
    assert got.newest_at is not None
    assert NOW - got.newest_at > timedelta(minutes=45)
    assert got.warnings == ("“Gone” has no value in this time.",)


def test_what_cannot_be_captured(aws: Completed) -> None:
    make(cpu("i-0abc"))
    one = only()
    with pytest.raises(Uncaptured, match="no dashboard gone any more") as gone:
        capture(replace(one, id=f"{aws.ACCOUNT}/gone"))
    with pytest.raises(Uncaptured, match="in account 999988887777") as elsewhere:
        capture(replace(one, id="999988887777/prod-overview"))
    aws.images = ["AccessDenied"]
    with pytest.raises(Uncaptured, match="cloudwatch:GetMetricWidgetImage") as refused:
        capture(one)
    aws.refused = {REGION: frozenset({"cloudwatch"})}
    listed = tool().list(NOW)
    assert [why.value.trouble for why in (gone, elsewhere, refused)] == [
        Trouble.MISSING,
        Trouble.WRONG_ACCOUNT,
        Trouble.SILENT,
    ]
    assert not listed.complete
    assert "cloudwatch:ListDashboards" in listed.reason


def test_the_short_forms_of_metrics_are_written_out() -> None:
    """The example of AWS's documentation, and options of one's own."""
    rows = [
        ["AWS/EC2", "NetworkIn", "InstanceId", "i-1", "Side", "a", {"stat": "Sum", "period": 60}],
        [".", "NetworkOut", ".", "i-2", ".", "."],
        ["...", "b"],
        ["..."],
        [{"expression": "m1+m2", "id": "e1"}],
    ]
    found = _metrics({"metrics": rows, "period": 300})
    assert [(one["MetricName"], one["Dimensions"], one["Period"]) for one in found] == [
        ("NetworkIn", {"InstanceId": "i-1", "Side": "a"}, 60),
        ("NetworkOut", {"InstanceId": "i-2", "Side": "a"}, 300),
        ("NetworkOut", {"InstanceId": "i-2", "Side": "b"}, 300),
        ("NetworkOut", {"InstanceId": "i-2", "Side": "b"}, 300),
    ]
    assert [one["Stat"] for one in found] == ["Sum", "Average", "Average", "Average"]
