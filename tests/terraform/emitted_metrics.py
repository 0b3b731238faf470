"""Every metric that the functions and the ingestion job emit, read from their code."""

from __future__ import annotations

import importlib
import json
import re
from typing import Final

from glue_scripts import progress
from ops.manifests import FUNCTIONS_DIR, read_functions

_OF_STAGES: Final = {
    (function, metric.value)
    for function in read_functions()
    if (FUNCTIONS_DIR / function / "metrics.py").is_file()
    for metric in importlib.import_module(f"{function}.metrics").Metric
}


def emitted() -> set[tuple[str, str]]:
    """Service and name of every metric: the stages' own lists, and what the Glue job's lines declare to CloudWatch."""
    counts = progress.Counts(published=1, quarantined=1)
    lines = (
        progress.batch_line(0, counts, duration_ms=1, at_ms=1),
        progress.labels_line(0, counts, duration_ms=1, at_ms=1),
        progress.labels_failed_line(RuntimeError(), retry_seconds=1, at_ms=1),
    )
    said = {
        (json.loads(line)["service"], name) for line in lines for name in re.findall(r'"Name": "(\w+)"', line)
    }
    return _OF_STAGES | said
