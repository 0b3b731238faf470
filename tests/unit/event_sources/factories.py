"""Records, policies and results for tests; valid by default."""

from __future__ import annotations

from typing import Any

from local.event_sources.records import Policy, QueueKey, SourceRecord
from local.runtime.invocation import FunctionError, InvocationResult

NOW_S = 1_000_000.0
"""The tests' clock at their start, seconds since the epoch."""

QUEUE = QueueKey("topic-0")


def record(
    position: int, queue: QueueKey = QUEUE, *, arrived_at_s: float = NOW_S, size: int = 10
) -> SourceRecord:
    """A record of ``size`` bytes."""
    return SourceRecord(queue, position, str(position), arrived_at_s, b"x" * size)


def records(first: int, last: int, queue: QueueKey = QUEUE) -> list[SourceRecord]:
    """Records from ``first`` to ``last``, both included."""
    return [record(position, queue) for position in range(first, last + 1)]


def policy(**changes: Any) -> Policy:
    """Batches of ten without a window, two retries after 1 s and 2 s, no bisecting."""
    settings: dict[str, Any] = {
        "batch_size": 10,
        "batch_window_seconds": 0.0,
        "report_batch_item_failures": True,
        "bisect_on_error": False,
        "maximum_retries": 2,
        "maximum_record_age_seconds": 86_400.0,
        "retry_base_seconds": 1.0,
        "retry_maximum_seconds": 60.0,
    }
    return Policy(**{**settings, **changes})


def result(payload: bytes = b"null", error: FunctionError | None = None) -> InvocationResult:
    """An invocation's result: an answer, or an error."""
    return InvocationResult(request_id="r", payload=payload, error=error, duration_ms=1.0)
