"""One line a batch, in JSON, for people and machines; CloudWatch makes metrics from the same line.

The line is in CloudWatch's embedded metric format: in a log group of Glue it becomes metrics without a call to CloudWatch, and
everywhere else it is a line of JSON.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DEFAULT_NAMESPACE: Final = "FraudDetection"
SERVICE: Final = "ingestion"
LABELS_SERVICE: Final = "label_files"

MAX_NAMED_COLUMNS: Final = 20
"""The most unknown columns that a line names; the others are one count. A file of invented names must not make a line of 1 MiB."""

MAX_NAME_CHARACTERS: Final = 64

OTHER_COLUMNS: Final = "..."
"""The name under which the other unknown columns are counted."""

_QUOTED_PACKAGES: Final = ("contract", "glue_scripts", "botocore")
_QUOTED_ERROR: Final = re.compile(
    rf"^.*?\b(?:{'|'.join(_QUOTED_PACKAGES)})\.[\w.]*?(\w+): (.*)$", re.MULTILINE
)
"""The last line of a traceback."""

_METRICS: Final = (
    ("published", "Count"),
    ("quarantined", "Count"),
    ("reserved_users", "Count"),
    ("dropped_values", "Count"),
    ("duration_ms", "Milliseconds"),
)
_LABEL_METRICS: Final = (("sent", "Count"), ("quarantined", "Count"), ("duration_ms", "Milliseconds"))
_FAILURE_METRICS: Final = (("failures", "Count"),)


@dataclass(frozen=True)
class Counts:
    """The results of a batch's rows, counted."""

    published: int
    quarantined: int
    dropped_columns: Mapping[str, int] = field(default_factory=dict)
    """Unknown column to how many rows had it; the most frequent, since a sender can invent a name for every row."""
    other_dropped_values: int = 0
    """Values of all unknown columns that ``dropped_columns`` does not name."""
    internal_errors: int = 0
    """How many of the quarantined rows our own code failed on; one or more is a bug to be fixed."""
    refunds: int = 0
    """Rows whose amount is below zero, and that are payments but for that."""
    files_without_payments: int = 0
    """Files with rows, none of which was published: a wrong mapping, or another kind of file."""
    canaries: int = 0
    """The canary's payments, which are published too and counted nowhere else."""
    reserved_users: int = 0
    """How many of the quarantined rows name a user of the canary's and are none of its own."""

    @property
    def rows(self) -> int:
        """Rows of the batch, without blank lines and headers."""
        return self.published + self.quarantined + self.refunds


def ready_line(
    landing_path: str, topic: str, mapped_prefixes: Iterable[str] = (), mappings_digest: str = ""
) -> str:
    """Write that the query runs, and with which mappings: ``{"event": "ready", ...}``.

    The digest is there to find the mappings of a batch that is not finished (:mod:`glue_scripts.pins`).
    """
    line = {
        "event": "ready",
        "landing_path": landing_path,
        "topic": topic,
        "mapped_prefixes": sorted(mapped_prefixes),
        "mappings_digest": mappings_digest,
    }
    return json.dumps(line)


def batch_line(
    batch_id: int,
    counts: Counts,
    duration_ms: int,
    at_ms: int,
    replaced: str = "",
    *,
    namespace: str = DEFAULT_NAMESPACE,
) -> str:
    """Write the results of a batch.

    Parameters
    ----------
    batch_id : int
        The query's number for it; a batch that is repeated after a crash has the same.
    counts : Counts
        The results of its rows.
    duration_ms : int
        How long reading, cleaning and writing took.
    at_ms : int
        The clock, milliseconds since the epoch.
    replaced : str
        Of a file that replaces another of the same name: its digest.
    namespace : str
        CloudWatch's; environments that share an account have one each.

    Returns
    -------
    str
        One line: ``event`` (``"batch"``), ``batch_id``, ``replaced`` where it is not empty, ``rows_in``, ``published``, ``quarantined``, ``reserved_users``,
        ``refunds``, ``files_without_payments``, ``internal_errors``, ``dropped_columns`` (name to rows), ``dropped_values``,
        ``duration_ms``, and what CloudWatch needs.
    """
    line: dict[str, Any] = {
        "event": "batch",
        "service": SERVICE,
        "batch_id": batch_id,
        **({"replaced": replaced} if replaced else {}),
        "rows_in": counts.rows,
        "published": counts.published,
        "quarantined": counts.quarantined,
        "reserved_users": counts.reserved_users,
        "refunds": counts.refunds,
        "files_without_payments": counts.files_without_payments,
        "internal_errors": counts.internal_errors,
        "dropped_columns": _shortened(counts),
        "dropped_values": sum(counts.dropped_columns.values()) + counts.other_dropped_values,
        "duration_ms": duration_ms,
        "_aws": _metrics(_METRICS, at_ms, namespace),
    }
    return json.dumps(line)


def labels_ready_line(landing_path: str, mapped_prefixes: Iterable[str], mappings_digest: str) -> str:
    """Write that the query of the labels runs, and with which mappings: ``{"event": "labels_ready", ...}``."""
    line = {
        "event": "labels_ready",
        "landing_path": landing_path,
        "mapped_prefixes": sorted(mapped_prefixes),
        "mappings_digest": mappings_digest,
    }
    return json.dumps(line)


def labels_line(
    batch_id: int,
    counts: Counts,
    duration_ms: int,
    at_ms: int,
    replaced: str = "",
    *,
    namespace: str = DEFAULT_NAMESPACE,
) -> str:
    """Write the results of a batch of labels; the parameters are those of :func:`batch_line`.

    Returns
    -------
    str
        One line: ``event`` (``"labels_batch"``), ``batch_id``, ``replaced`` where it is not empty, ``rows_in``, ``sent``, ``quarantined``, ``no_label`` (rows that say nothing
        of fraud), ``files_without_labels``, ``internal_errors``, ``dropped_columns`` (name to rows), ``duration_ms``, and what CloudWatch
        needs.
    """
    line: dict[str, Any] = {
        "event": "labels_batch",
        "service": LABELS_SERVICE,
        "batch_id": batch_id,
        **({"replaced": replaced} if replaced else {}),
        "rows_in": counts.rows,
        "sent": counts.published,
        "quarantined": counts.quarantined,
        "no_label": counts.refunds,
        "files_without_labels": counts.files_without_payments,
        "internal_errors": counts.internal_errors,
        "dropped_columns": _shortened(counts),
        "duration_ms": duration_ms,
        "_aws": _metrics(_LABEL_METRICS, at_ms, namespace),
    }
    return json.dumps(line)


def labels_failed_line(
    error: Exception, retry_seconds: float, at_ms: int, namespace: str = DEFAULT_NAMESPACE
) -> str:
    """Write that the query of the labels failed, and when it is started again: ``{"event": "labels_failed", ...}``.

    The line quotes our own errors and those of AWS, also where Spark reports them from a worker. Of others it has the type alone: their
    text may hold a row. The job's error log has all of it.
    """
    if type(error).__module__.partition(".")[0] in _QUOTED_PACKAGES:
        name, problem = type(error).__name__, str(error)
    elif found := _QUOTED_ERROR.findall(str(error)):
        name, problem = found[-1]
    else:
        name, problem = type(error).__name__, ""
    line: dict[str, Any] = {
        "event": "labels_failed",
        "service": LABELS_SERVICE,
        "error": name,
        "problem": problem,
        "retry_seconds": retry_seconds,
        "failures": 1,
        "_aws": _metrics(_FAILURE_METRICS, at_ms, namespace),
    }
    return json.dumps(line)


def _metrics(metrics: Iterable[tuple[str, str]], at_ms: int, namespace: str) -> dict[str, object]:
    return {
        "Timestamp": at_ms,
        "CloudWatchMetrics": [
            {
                "Namespace": namespace,
                "Dimensions": [["service"]],
                "Metrics": [{"Name": name, "Unit": unit} for name, unit in metrics],
            }
        ],
    }


def _shortened(counts: Counts) -> dict[str, int]:
    named: dict[str, int] = {}
    for position, (name, rows) in enumerate(counts.dropped_columns.items()):
        short = name[:MAX_NAME_CHARACTERS] if position < MAX_NAMED_COLUMNS else OTHER_COLUMNS
        named[short] = named.get(short, 0) + rows
    if counts.other_dropped_values:
        named[OTHER_COLUMNS] = named.get(OTHER_COLUMNS, 0) + counts.other_dropped_values
    return named
