"""Sends what the functions of the stack print as embedded metrics to its CloudWatch, and how far their mappings are behind.

In AWS, CloudWatch takes the metrics from the functions' logs, and Lambda and SQS emit their own.
``python -m local.metric_forwarder --aws-endpoint URL --run-dir DIR --log-dir DIR --functions score,alert`` runs until it is ended.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections import Counter, defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from local.components.aws_api import make_client
from local.event_sources.config import MappingConfigError, read_config, read_status, status_file
from local.runtime.function_metrics import MetricTail
from ops.manifests import KafkaTrigger, QueueTrigger, StreamTrigger, read_functions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from local.runtime.function_metrics import EmbeddedMetric
    from ops.manifests import FunctionSpec

INTERVAL_SECONDS: Final = 5.0
"""From one sending to the next."""

MAX_DATA: Final = 500
"""Of one request; CloudWatch takes 1,000."""

MAX_VALUES: Final = 150
"""Different values of one datum, as CloudWatch takes them."""

_MINUTE_MS: Final = 60_000

Datum = dict[str, Any]
"""As PutMetricData takes it."""


class Backlogs:
    """How far mappings are behind, as Lambda's and SQS's metrics say it.

    Parameters
    ----------
    specs : Mapping[str, FunctionSpec]
        The functions that run.
    run_dir : Path
        Where their mappings write what they report.
    """

    def __init__(self, specs: Mapping[str, FunctionSpec], run_dir: Path) -> None:
        self._specs = specs
        self._run_dir = run_dir
        self._caught_up: dict[str, float] = {}

    def data(self, now: float) -> list[tuple[str, Datum]]:
        """Namespace and datum of each function whose mapping knows its backlog; ``now`` in seconds since the epoch."""
        found = []
        for name, spec in self._specs.items():
            backlog = self._backlog(name)
            if backlog is None:
                continue
            if not backlog:
                self._caught_up[name] = now
            if isinstance(spec.trigger, KafkaTrigger):
                found.append(("AWS/Lambda", _datum("OffsetLag", {"FunctionName": name}, backlog, now)))
            elif isinstance(spec.trigger, StreamTrigger):
                # Of a stream the mapping counts records; the oldest is no older than since when there are any.
                age_ms = 1000 * (now - self._caught_up.setdefault(name, now))
                found.append(("AWS/Lambda", _datum("IteratorAge", {"FunctionName": name}, age_ms, now)))
            elif isinstance(spec.trigger, QueueTrigger):
                queue = {"QueueName": self._queue_name(name)}
                waiting = _datum("ApproximateNumberOfMessagesVisible", queue, backlog, now)
                found.append(("AWS/SQS", waiting))
        return found

    def _backlog(self, name: str) -> int | None:
        try:
            status = read_status(status_file(self._run_dir / f"{name}.json", name))
        except MappingConfigError:
            return None  # it is being written; the next one is read
        return None if status is None else status.backlog

    def _queue_name(self, name: str) -> str:
        return read_config(self._run_dir / f"{name}.json").source_queue_url.rpartition("/")[2]


class Forwarder:
    """Sends metrics to CloudWatch.

    Parameters
    ----------
    client
        boto3's client of CloudWatch.
    tails : Iterable[MetricTail]
        The functions' logs.
    backlogs : Backlogs
        Of their mappings.
    """

    def __init__(self, client: Any, tails: Iterable[MetricTail], backlogs: Backlogs) -> None:
        self._client = client
        self._tails = list(tails)
        self._backlogs = backlogs

    def forward(self, now: float) -> int:
        """Send what is new; return how many data. ``now`` in seconds since the epoch.

        Raises
        ------
        ClientError, BotoCoreError
            Where CloudWatch did not take them; those are lost.
        """
        data = [
            *embedded_data(each for tail in self._tails for each in tail.read()),
            *self._backlogs.data(now),
        ]
        by_namespace: defaultdict[str, list[Datum]] = defaultdict(list)
        for namespace, datum in data:
            by_namespace[namespace].append(datum)
        for namespace, group in by_namespace.items():
            for start in range(0, len(group), MAX_DATA):
                self._client.put_metric_data(Namespace=namespace, MetricData=group[start : start + MAX_DATA])
        return len(data)


def embedded_data(metrics: Iterable[EmbeddedMetric]) -> list[tuple[str, Datum]]:
    """Make data of embedded metrics: equal values of a minute are one, with their number. Namespace and datum each."""
    counted: defaultdict[tuple[Any, ...], Counter[float]] = defaultdict(Counter)
    for each in metrics:
        minute = each.at_ms // _MINUTE_MS
        counted[each.namespace, each.name, each.unit, each.dimensions, minute].update(each.values)
    data = []
    for (namespace, name, unit, dimensions, minute), values in counted.items():
        pairs = sorted(values.items())
        for start in range(0, len(pairs), MAX_VALUES):
            part = pairs[start : start + MAX_VALUES]
            datum: Datum = {
                "MetricName": name,
                "Unit": unit,
                "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions],
                "Timestamp": datetime.fromtimestamp(minute * _MINUTE_MS / 1000, UTC),
                "Values": [value for value, _ in part],
                "Counts": [float(count) for _, count in part],
            }
            data.append((namespace, datum))
    return data


def main(arguments: Sequence[str] | None = None) -> int:
    """Send until a signal ends it."""
    parser = argparse.ArgumentParser(prog="python -m local.metric_forwarder", description=__doc__)
    parser.add_argument("--aws-endpoint", required=True)
    parser.add_argument("--run-dir", type=Path, required=True)
    parser.add_argument("--log-dir", type=Path, required=True)
    parser.add_argument("--functions", required=True, help="comma-separated")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    names = options.functions.split(",")
    specs = {name: spec for name, spec in read_functions().items() if name in names}
    forwarder = Forwarder(
        make_client("cloudwatch", options.aws_endpoint),
        [MetricTail(options.log_dir / f"{name}.log") for name in specs],
        Backlogs(specs, options.run_dir),
    )
    while True:
        try:
            forwarder.forward(time.time())
        except (ClientError, BotoCoreError) as error:
            print(f"metrics were not sent: {error}", file=sys.stderr, flush=True)
        time.sleep(INTERVAL_SECONDS)


def _datum(name: str, dimensions: Mapping[str, str], value: float, now: float) -> Datum:
    return {
        "MetricName": name,
        "Dimensions": [{"Name": key, "Value": each} for key, each in dimensions.items()],
        "Timestamp": datetime.fromtimestamp(now, UTC),
        "Value": float(value),
    }


if __name__ == "__main__":
    sys.exit(main())
