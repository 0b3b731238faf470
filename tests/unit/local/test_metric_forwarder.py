"""What functions print as metrics, and how far their mappings are behind, becomes data of CloudWatch, each once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from local.event_sources.config import MappingCounters, MappingStatus, status_file, write_status
from local.metric_forwarder import MAX_VALUES, Backlogs, Forwarder, embedded_data
from local.runtime.function_metrics import EmbeddedMetric, MetricTail
from ops.manifests import read_functions

if TYPE_CHECKING:
    from pathlib import Path

AT_MS = 1_772_366_400_000


class CloudWatch:
    """Keeps what it gets."""

    def __init__(self) -> None:
        self.data: list[tuple[str, dict[str, Any]]] = []

    def put_metric_data(self, *, Namespace: str, MetricData: list[dict[str, Any]]) -> None:  # noqa: N803
        self.data += [(Namespace, datum) for datum in MetricData]

    def values(self, name: str) -> list[Any]:
        return [
            datum.get("Values", datum.get("Value")) for _, datum in self.data if datum["MetricName"] == name
        ]


def line_of(at_ms: int, **values: Any) -> str:
    metrics = [{"Name": name, "Unit": "Count"} for name in values]
    directive = {"Namespace": "FraudDetection", "Dimensions": [["service"]], "Metrics": metrics}
    metadata = {"Timestamp": at_ms, "CloudWatchMetrics": [directive]}
    return json.dumps({"_aws": metadata, "service": "score", **values}) + "\n"


def report(folder: Path, function: str, backlog: int | None) -> None:
    write_status(
        status_file(folder / f"{function}.json", function),
        MappingStatus(
            function=function,
            pid=1,
            state="running",
            at_ms=AT_MS,
            backlog=backlog,
            idle=not backlog,
            idle_since_ms=None,
            workers=1,
            counters=MappingCounters(),
        ),
    )


def forwarder(folder: Path, *names: str) -> tuple[Forwarder, CloudWatch]:
    client = CloudWatch()
    specs = {name: read_functions()[name] for name in names}
    tails = [MetricTail(folder / f"{name}.log") for name in names]
    return Forwarder(client, tails, Backlogs(specs, folder)), client


def test_each_line_is_sent_once_with_its_unit_dimensions_and_minute(tmp_path: Path) -> None:
    sender, client = forwarder(tmp_path, "score")
    log = tmp_path / "score.log"
    log.write_text("START\n" + line_of(AT_MS + 1, Scored=[4.0, 4.0, 1.0]) + line_of(AT_MS + 2, Scored=4))

    sender.forward(0.0)
    with log.open("a") as more:
        more.write(line_of(AT_MS + 60_000, Scored=7))
    sender.forward(5.0)
    sender.forward(10.0)

    assert [(datum["Values"], datum["Counts"]) for _, datum in client.data] == [
        ([1.0, 4.0], [1.0, 3.0]),
        ([7.0], [1.0]),
    ]
    namespace, first = client.data[0]
    assert (namespace, first["Unit"]) == ("FraudDetection", "Count")
    assert first["Dimensions"] == [{"Name": "service", "Value": "score"}]
    assert first["Timestamp"].timestamp() * 1000 == AT_MS


def test_a_line_that_is_being_written_is_sent_once_it_is_whole(tmp_path: Path) -> None:
    sender, client = forwarder(tmp_path, "score")
    log, line = tmp_path / "score.log", line_of(AT_MS, Scored=1)
    log.write_text(line[:30])
    sender.forward(0.0)
    log.write_text(line)
    sender.forward(5.0)

    assert client.values("Scored") == [[1.0]]


def test_many_values_are_parted_as_cloudwatch_takes_them() -> None:
    values = tuple(float(number) for number in range(MAX_VALUES + 1))
    metric = EmbeddedMetric("N", "M", "Milliseconds", (), AT_MS, values)

    assert [len(datum["Values"]) for _, datum in embedded_data([metric])] == [MAX_VALUES, 1]


def test_backlogs_have_the_names_that_lambda_and_sqs_give_them(tmp_path: Path) -> None:
    sender, client = forwarder(tmp_path, "score", "alert", "canary")
    for name, backlog in (("score", 12), ("alert", 0), ("canary", 0)):
        report(tmp_path, name, backlog)
    sender.forward(100.0)
    report(tmp_path, "alert", 5)
    sender.forward(107.0)

    assert client.values("OffsetLag") == [12.0, 12.0]
    assert client.values("IteratorAge") == [0.0, 7000.0]
    assert {namespace for namespace, _ in client.data} == {"AWS/Lambda"}
    assert client.data[0][1]["Dimensions"] == [{"Name": "FunctionName", "Value": "score"}]


@pytest.mark.parametrize("backlog", [None])
def test_a_backlog_that_is_not_known_is_not_sent(tmp_path: Path, backlog: int | None) -> None:
    sender, client = forwarder(tmp_path, "score", "alert")
    report(tmp_path, "score", backlog)

    assert sender.forward(0.0) == 0
    assert client.data == []


def test_messages_of_a_queue_are_counted_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = msgspec.defstruct("Config", ["source_queue_url"])("http://127.0.0.1:1/000000000000/labels")
    monkeypatch.setattr("local.metric_forwarder.read_config", lambda _: config)
    sender, client = forwarder(tmp_path, "label")
    report(tmp_path, "label", 3)

    sender.forward(0.0)

    ((namespace, datum),) = client.data
    assert (namespace, datum["MetricName"]) == ("AWS/SQS", "ApproximateNumberOfMessagesVisible")
    assert (datum["Dimensions"], datum["Value"]) == ([{"Name": "QueueName", "Value": "labels"}], 3.0)
