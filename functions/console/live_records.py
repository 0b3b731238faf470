"""The figures of the last hour, from CloudWatch: what stages counted, how long they took, and how far behind they are."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from collections.abc import Iterable

CLIENT_CONFIG: Final = Config(
    connect_timeout=1, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 2}
)

HOUR: Final = timedelta(hours=1)
"""How far back figures go."""

STEP: Final = timedelta(minutes=5)
"""Length of a figure's parts."""

COUNTED: Final = (
    ("score", "TransactionsScored"),
    ("score", "TransactionsApproved"),
    ("score", "TransactionsReviewed"),
    ("score", "TransactionsBlocked"),
    ("score", "RecordsQuarantined"),
    ("score", "TransactionsDegraded"),
    ("persist", "TransactionsFlagged"),
    ("alert", "AlertsSent"),
    ("alert", "AlertsSuppressed"),
    ("case", "CasesOpened"),
    ("case", "CasesClosed"),
    ("label", "LabelsStored"),
)
"""Stage and metric: summed."""

TIMED: Final = (
    ("score", "OldestRecordAge"),
    ("persist", "FlagLatencyMs"),
    ("alert", "AlertLatencyMs"),
    ("case", "CaseLatencyMs"),
    ("label", "LabelLatencyMs"),
)
"""Stage and metric, in ms: the median and the 99th percentile."""

PERCENTILES: Final = ("p50", "p99")

BEHIND: Final = (
    ("score", "OffsetLag"),
    ("persist", "IteratorAge"),
    ("alert", "IteratorAge"),
    ("case", "IteratorAge"),
)
"""Stage and Lambda's metric of its mapping: records of a topic, or ms of a stream; the largest."""

_LAMBDA: Final = "AWS/Lambda"
_WAITING: Final = ("AWS/SQS", "ApproximateNumberOfMessagesVisible")


class Point(msgspec.Struct, frozen=True):
    """A figure of a part of the hour."""

    at: datetime
    """When the part began, UTC."""
    value: float


class Live(msgspec.Struct, frozen=True):
    """The figures; a key without points had none."""

    counts: Mapping[tuple[str, str], tuple[Point, ...]] = {}
    """By stage and metric, oldest first."""
    times: Mapping[tuple[str, str, str], tuple[Point, ...]] = {}
    """By stage, metric and percentile; ms."""
    behind: Mapping[str, tuple[Point, ...]] = {}
    """By stage: records or ms, as :data:`BEHIND` says; of ``label``, messages."""
    is_known: bool = True
    """False where CloudWatch did not answer."""


class CloudWatch(Protocol):
    """The call that is made of CloudWatch."""

    def get_metric_data(self, **request: Any) -> Any:
        """Read points of metrics."""
        ...


class LiveRecords:
    """Metrics in CloudWatch.

    Parameters
    ----------
    client : CloudWatch
        A low-level client.
    namespace : str
        Of the stages' own metrics.
    functions : Mapping[str, str]
        Stage to its function's name or ARN.
    labels_queue_url : str
        Where labels wait.
    log
        Powertools' Logger.
    """

    def __init__(
        self,
        client: CloudWatch,
        namespace: str,
        functions: Mapping[str, str],
        labels_queue_url: str,
        log: Any,
    ) -> None:
        self._client = client
        self._log = log
        names = {stage: function_name(given) for stage, given in functions.items()}
        queue = labels_queue_url.rpartition("/")[2]
        stages = {stage: {"service": stage} for stage in names}
        lambdas = {stage: {"FunctionName": name} for stage, name in names.items()}
        asked: list[tuple[tuple[str, ...], str, str, Mapping[str, str], str]] = [
            *(((stage, name), namespace, name, stages[stage], "Sum") for stage, name in COUNTED),
            *(
                ((stage, name, each), namespace, name, stages[stage], each)
                for stage, name in TIMED
                for each in PERCENTILES
            ),
            *(((stage,), _LAMBDA, name, lambdas[stage], "Maximum") for stage, name in BEHIND),
            (("label",), *_WAITING, {"QueueName": queue}, "Maximum"),
        ]
        self._keys = [key for key, *_ in asked]
        self._queries = [_query(number, *each[1:]) for number, each in enumerate(asked)]

    def read(self, now: datetime) -> Live:
        """Read the last hour; unknown figures where CloudWatch did not answer: the rest of the page does not need it."""
        request: dict[str, Any] = {
            "StartTime": now - HOUR,
            "EndTime": now,
            "ScanBy": "TimestampAscending",
            "MetricDataQueries": self._queries,
        }
        found: dict[tuple[str, ...], tuple[Point, ...]] = {}
        try:
            answer = self._client.get_metric_data(**request)
        except (ClientError, BotoCoreError) as error:
            self._log.error("CloudWatch did not answer", extra={"error_type": type(error).__name__})
            return Live(is_known=False)
        for result in answer["MetricDataResults"]:
            key = self._keys[int(result["Id"][1:])]
            found[key] = _points(result["Timestamps"], result["Values"])
        return Live(
            counts={(key[0], key[1]): points for key, points in found.items() if len(key) == 2},
            times={(key[0], key[1], key[2]): points for key, points in found.items() if len(key) == 3},
            behind={key[0]: points for key, points in found.items() if len(key) == 1},
        )


def function_name(given: str) -> str:
    """Name of a function that is named, or that an ARN names.

    >>> function_name("score"), function_name("arn:aws:lambda:eu-west-1:1:function:fraud-dev-score:live")
    ('score', 'fraud-dev-score')
    """
    return given.split(":")[6] if given.startswith("arn:") else given


def _query(
    number: int, namespace: str, name: str, dimensions: Mapping[str, str], statistic: str
) -> dict[str, Any]:
    named = [{"Name": key, "Value": value} for key, value in dimensions.items()]
    metric = {"Namespace": namespace, "MetricName": name, "Dimensions": named}
    stat = {"Metric": metric, "Period": int(STEP.total_seconds()), "Stat": statistic}
    return {"Id": f"q{number}", "MetricStat": stat}


def _points(times: Iterable[datetime], values: Iterable[float]) -> tuple[Point, ...]:
    pairs = zip(times, values, strict=True)
    return tuple(sorted((Point(at.astimezone(UTC), value) for at, value in pairs), key=lambda each: each.at))
