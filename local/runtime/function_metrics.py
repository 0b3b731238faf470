"""Reads the metrics that functions print to their logs in CloudWatch's embedded metric format."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MARK: Final = b'"CloudWatchMetrics"'
"""In every line of embedded metrics and in few others, so that the other lines need not be decoded."""


class _Metric(msgspec.Struct):
    Name: str
    Unit: str = "None"


class _Directive(msgspec.Struct):
    Metrics: list[_Metric]
    Namespace: str = ""
    Dimensions: list[list[str]] = []


class _Metadata(msgspec.Struct):
    CloudWatchMetrics: list[_Directive]
    Timestamp: int = 0


class _Line(msgspec.Struct):
    aws: _Metadata = msgspec.field(name="_aws")


class EmbeddedMetric(NamedTuple):
    """A metric of one line, for one set of dimensions."""

    namespace: str
    name: str
    unit: str
    dimensions: tuple[tuple[str, str], ...]
    """Name and value each."""
    at_ms: int
    """When it was printed, ms since the epoch."""
    values: tuple[float, ...]


class _NewLines:
    """The lines of a growing log, each once.

    Parameters
    ----------
    file : Path
        The log; it need not exist yet.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._read_to = 0

    def read(self) -> list[bytes]:
        """Read what was appended since the last call, and may be embedded metrics."""
        try:
            with self._file.open("rb") as log:
                log.seek(self._read_to)
                data = log.read()
        except FileNotFoundError:
            return []
        whole = data.rfind(b"\n") + 1  # a line that is still being written is read at the next call
        self._read_to += whole
        return [line for line in data[:whole].splitlines() if MARK in line]


class MetricTail:
    """Gives the metrics of a growing log, each once.

    Parameters
    ----------
    file : Path
        The log; it need not exist yet.
    """

    def __init__(self, file: Path) -> None:
        self._lines = _NewLines(file)

    def read(self) -> list[EmbeddedMetric]:
        """Read what was appended since the last call."""
        return [metric for line in self._lines.read() for metric in _embedded(line)]


def _embedded(line: bytes) -> Iterator[EmbeddedMetric]:
    try:
        metadata = msgspec.json.decode(line, type=_Line).aws
        values: dict[str, Any] = msgspec.json.decode(line)
    except msgspec.MsgspecError:
        return  # another log line that contains the mark
    for directive in metadata.CloudWatchMetrics:
        for names in directive.Dimensions or [[]]:
            dimensions = tuple((name, str(values.get(name, ""))) for name in names)
            for metric in directive.Metrics:
                given = values.get(metric.Name, [])
                numbers = tuple(float(each) for each in (given if isinstance(given, list) else [given]))
                if numbers:
                    yield EmbeddedMetric(
                        directive.Namespace, metric.Name, metric.Unit, dimensions, metadata.Timestamp, numbers
                    )


class MetricSums:
    """Adds up the metrics of a growing log, each line once.

    Parameters
    ----------
    file : Path
        The log; it need not exist yet.
    """

    def __init__(self, file: Path) -> None:
        self._lines = _NewLines(file)
        self._sums: dict[str, float] = {}

    def update(self) -> dict[str, float]:
        """Read what was appended since the last call.

        Returns
        -------
        dict[str, float]
            Metric name to the sum of all its values so far, over all dimensions. Metrics without a value are left out.
        """
        for line in self._lines.read():
            self._add(line)
        return dict(self._sums)

    def _add(self, line: bytes) -> None:
        try:
            directives = msgspec.json.decode(line, type=_Line).aws.CloudWatchMetrics
            values: dict[str, Any] = msgspec.json.decode(line)
        except msgspec.MsgspecError:
            return  # another log line that contains the mark
        for name in {metric.Name for directive in directives for metric in directive.Metrics}:
            value = values.get(name, 0.0)
            total = sum(value) if isinstance(value, list) else value
            self._sums[name] = self._sums.get(name, 0.0) + float(total)


def sum_metrics(file: Path) -> dict[str, float]:
    """Sum every metric of a log: name to total; empty if there is no log."""
    return MetricSums(file).update()
