"""The flow is what CloudWatch has of the last hour: rates, decisions, latencies, backlogs; where it does not answer, the page says so."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import EndpointConnectionError

from console.live_records import HOUR, STEP, Live, LiveRecords, Point
from console.live_views import BacklogRow, DecisionRow, TimeRow, live_view, rate
from console.rights import Group
from tests.support.console_world import NOW, SETTINGS, ConsoleWorld
from tests.support.payments import Log

if TYPE_CHECKING:
    from collections.abc import Mapping

PART = NOW - STEP
"""When the part of the hour began that is over at :data:`NOW`; it ended a moment ago, so the one before it is taken."""


class CloudWatch:
    """Answers with values of the last part but one, by metric, dimension and statistic."""

    def __init__(self, values: Mapping[tuple[str, str, str], float]) -> None:
        self._values = values
        self.asked: list[dict[str, Any]] = []

    def get_metric_data(self, **request: Any) -> dict[str, Any]:
        self.asked.append(request)
        results = []
        for query in request["MetricDataQueries"]:
            metric = query["MetricStat"]["Metric"]
            (dimension,) = metric["Dimensions"]
            key = (metric["MetricName"], dimension["Value"], query["MetricStat"]["Stat"])
            values = [self._values[key]] if key in self._values else []
            results.append({"Id": query["Id"], "Timestamps": [PART - STEP] * len(values), "Values": values})
        return {"MetricDataResults": results}


def records(client: Any, log: Log | None = None) -> LiveRecords:
    functions = SETTINGS.stages | {"score": "arn:aws:lambda:eu-west-1:1:function:fraud-dev-score:live"}
    return LiveRecords(client, "FraudDetection", functions, "https://sqs.example/1/labels", log or Log())


def test_figures_are_asked_for_at_once_by_the_names_that_stages_and_aws_give_them() -> None:
    client = CloudWatch(
        {
            ("TransactionsScored", "score", "Sum"): 600.0,
            ("AlertLatencyMs", "alert", "p99"): 900.0,
            ("OffsetLag", "fraud-dev-score", "Maximum"): 12.0,
            ("ApproximateNumberOfMessagesVisible", "labels", "Maximum"): 3.0,
        }
    )

    live = records(client).read(NOW)

    assert len(client.asked) == 1
    assert client.asked[0]["StartTime"] == NOW - HOUR
    assert live.counts["score", "TransactionsScored"] == (Point(PART - STEP, 600.0),)
    assert live.times["alert", "AlertLatencyMs", "p99"] == (Point(PART - STEP, 900.0),)
    assert live.behind["score"] == (Point(PART - STEP, 12.0),)
    assert live.behind["label"] == (Point(PART - STEP, 3.0),)
    assert live.counts["case", "CasesOpened"] == ()


def test_every_metric_that_is_asked_for_is_one_that_its_stage_emits() -> None:
    import importlib

    from console.live_records import COUNTED, TIMED

    for stage, name in (*COUNTED, *TIMED):
        module = importlib.import_module(f"{stage}.metrics")
        (metrics,) = (
            each
            for each in vars(module).values()
            if isinstance(each, type) and each.__module__ == module.__name__
        )
        assert name in {metric.value for metric in metrics}  # type: ignore[attr-defined]


def test_cloudwatch_that_does_not_answer_leaves_the_rest_of_the_page(world: ConsoleWorld) -> None:
    class Down:
        def get_metric_data(self, **_: Any) -> Any:
            raise EndpointConnectionError(endpoint_url="https://monitoring.example")

    log = Log()
    world.flow.live = records(Down(), log).read(NOW)
    world.sign_in(Group.ANALYST)

    body = world.get("/watch").body

    assert "CloudWatch did not answer" in body
    assert "The queue by severity" in body
    assert [line["message"] for line in log.lines] == ["CloudWatch did not answer"]


def test_a_rate_is_of_the_last_five_minutes_that_are_over() -> None:
    points = (Point(PART - STEP, 600.0), Point(PART, 3_000.0), Point(NOW, 1.0))

    assert rate(points, NOW) == 2.0
    assert rate(points, NOW + timedelta(minutes=1)) == 10.0
    assert rate(points, NOW + timedelta(minutes=30)) == 0.0


def live(at: datetime = PART - STEP) -> Live:
    return Live(
        counts={
            ("score", "TransactionsScored"): (Point(at - STEP, 400.0), Point(at, 600.0)),
            ("score", "TransactionsApproved"): (Point(at, 975.0),),
            ("score", "TransactionsReviewed"): (Point(at, 20.0),),
            ("score", "TransactionsBlocked"): (Point(at, 5.0),),
        },
        times={
            ("alert", "AlertLatencyMs", "p50"): (Point(at, 340.4),),
            ("alert", "AlertLatencyMs", "p99"): (Point(at, 2_600.0),),
        },
        behind={"score": (Point(at - STEP, 1_200.0), Point(at, 3.0)), "alert": (Point(at, 65_000.0),)},
    )


def test_the_flow_has_rates_shares_latencies_and_backlogs_with_their_units() -> None:
    view = live_view(live(), NOW)

    assert (view.flow[0].name, view.flow[0].per_second, view.flow[0].hour) == (
        "Payments decided",
        "2.0",
        "1,000",
    )
    assert view.decisions == (
        DecisionRow("Approved", "975", "97.50%"),
        DecisionRow("Reviewed", "20", "2.00%"),
        DecisionRow("Blocked", "5", "0.50%"),
    )
    assert TimeRow("To the alert", "340 ms", "3 s") in view.times
    assert BacklogRow("Payments before the decision", "3", "1,200") in view.backlogs
    assert BacklogRow("Flagged rows before the alert", "65 s", "65 s") in view.backlogs
    assert BacklogRow("Labels before their effects", "not known", "") in view.backlogs


def test_an_hour_without_a_payment_is_said_to_be_one(world: ConsoleWorld) -> None:
    world.sign_in(Group.ANALYST)

    assert "Nothing was counted in the last hour" in world.get("/watch").body


@pytest.mark.parametrize("group", [Group.ANALYST, Group.AUTHOR, Group.LEAD])
def test_the_page_shows_the_flow(world: ConsoleWorld, group: Group) -> None:
    world.sign_in(group)
    world.flow.live = live()

    body = world.get("/watch").body

    assert '<th scope="row">Payments decided</th><td class="figure">2.0</td>' in body
    assert (
        '<th scope="row">To the alert</th><td class="figure">340 ms</td><td class="figure">3 s</td>' in body
    )
