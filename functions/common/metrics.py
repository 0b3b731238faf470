"""How a stage emits metrics. Each stage lists its own in its ``metrics.py``: name, unit and meaning, once.

Dashboard and alarms are tested against these lists.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, Protocol, Self

from aws_lambda_powertools.metrics import MetricUnit

COUNT: Final = MetricUnit.Count
MILLISECONDS: Final = MetricUnit.Milliseconds


class StageMetric(StrEnum):
    """Base of a stage's list. Members: ``RECORDS_FAILED = "RecordsFailed", COUNT, "Records that failed."``.

    Attributes
    ----------
    unit : MetricUnit
        Its unit in CloudWatch.
    meaning : str
        What it counts or measures, in one sentence.
    """

    _value_: str
    unit: MetricUnit
    meaning: str

    def __new__(cls, name: str, unit: MetricUnit, meaning: str) -> Self:
        """Make a member: a string, its name in CloudWatch."""
        member = str.__new__(cls, name)
        member._value_ = name
        member.unit = unit
        member.meaning = meaning
        return member


class MetricSink(Protocol):
    """Where metrics go; Powertools' Metrics."""

    def add_metric(self, name: str, unit: MetricUnit, value: float) -> None:
        """Add one value."""
        ...


def emit(sink: MetricSink, metric: StageMetric, value: float = 1) -> None:
    """Add a value of a metric."""
    sink.add_metric(name=metric.value, unit=metric.unit, value=value)
