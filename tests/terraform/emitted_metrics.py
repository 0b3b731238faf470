"""Every metric that the functions and the ingestion job emit, read from their code."""

from __future__ import annotations

import re
from typing import Final

from alert.metrics import Metric as AlertMetric
from digest.metrics import Metric as DigestMetric
from glue_scripts import progress
from persist.metrics import Metric as PersistMetric
from score.metrics import Metric as ScoreMetric

_OF_STAGES: Final = {
    (stage, metric.value)
    for stage, metrics in (
        ("score", ScoreMetric),
        ("persist", PersistMetric),
        ("alert", AlertMetric),
        ("digest", DigestMetric),
    )
    for metric in metrics
}


def emitted() -> set[tuple[str, str]]:
    """Service and name of every metric: the stages' own lists, and what the Glue job's line declares to CloudWatch."""
    line = progress.batch_line(0, progress.Counts(published=1, quarantined=1), duration_ms=1, at_ms=1)
    declared = re.findall(r'"Name": "(\w+)"', line)
    return _OF_STAGES | {("ingestion", name) for name in declared}
