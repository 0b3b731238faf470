"""Sums the metrics that functions print to their logs in CloudWatch's embedded metric format."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    from pathlib import Path

MARK: Final = b'"CloudWatchMetrics"'
"""In every line of embedded metrics and in few others, so that the other lines need not be decoded."""


class _Metric(msgspec.Struct):
    Name: str


class _Directive(msgspec.Struct):
    Metrics: list[_Metric]


class _Metadata(msgspec.Struct):
    CloudWatchMetrics: list[_Directive]


class _Line(msgspec.Struct):
    aws: _Metadata = msgspec.field(name="_aws")


class MetricSums:
    """Adds up the metrics of a growing log, each line once.

    Parameters
    ----------
    file : Path
        The log; it need not exist yet.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._read_to = 0
        self._sums: dict[str, float] = {}

    def update(self) -> dict[str, float]:
        """Read what was appended since the last call.

        Returns
        -------
        dict[str, float]
            Metric name to the sum of all its values so far, over all dimensions. Metrics without a value are left out.
        """
        try:
            with self._file.open("rb") as log:
                log.seek(self._read_to)
                data = log.read()
        except FileNotFoundError:
            return {}
        whole = data.rfind(b"\n") + 1  # a line that is still being written is read at the next call
        self._read_to += whole
        for line in data[:whole].splitlines():
            if MARK in line:
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
