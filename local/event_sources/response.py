"""Reads from a function's answer which records failed: Lambda's partial batch responses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from local.event_sources.records import Batch, DeliveryResult, QueueKey
from local.runtime.invocation import FunctionError

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.runtime.invocation import InvocationResult

BAD_IDENTIFIER: Final = "InvalidItemIdentifier"


def read_delivery_result(
    result: InvocationResult,
    batch: Batch,
    *,
    report_batch_item_failures: bool,
    locate: Callable[[object, Batch], tuple[QueueKey, int] | None],
) -> DeliveryResult:
    """Find out which records of a batch failed.

    Parameters
    ----------
    result : InvocationResult
        The invocation's result.
    batch : Batch
        What was delivered.
    report_batch_item_failures : bool
        Whether the mapping reads the answer at all.
    locate : Callable[[object, Batch], tuple[QueueKey, int] | None]
        Finds the record that an ``itemIdentifier`` names; returns None if it names none.

    Returns
    -------
    DeliveryResult
        The lowest failed position of each queue. The whole batch fails if the invocation failed, or if the answer has an
        empty, null or unknown identifier. No answer, no list, and an empty list mean success.
    """
    if result.error is not None:
        return DeliveryResult(error=result.error)
    if not report_batch_item_failures:
        return DeliveryResult()
    try:
        answer = msgspec.json.decode(result.payload) if result.payload else None
    except msgspec.DecodeError:
        return _bad("the answer is not JSON")
    if not isinstance(answer, dict):
        return DeliveryResult() if answer is None else _bad("the answer is not an object")
    failures = answer.get("batchItemFailures")
    if failures is None:
        return DeliveryResult()
    if not isinstance(failures, list):
        return _bad("batchItemFailures is not a list")
    lowest: dict[QueueKey, int] = {}
    for failure in failures:
        found = locate(failure.get("itemIdentifier"), batch) if isinstance(failure, dict) else None
        if found is None:
            return _bad("an itemIdentifier names no record of the batch")
        queue, position = found
        lowest[queue] = min(position, lowest.get(queue, position))
    return DeliveryResult(failed=lowest)


def _bad(problem: str) -> DeliveryResult:
    return DeliveryResult(error=FunctionError(BAD_IDENTIFIER, f"partial batch response: {problem}"))
