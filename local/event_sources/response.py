"""What a function's answer says about its batch: Lambda's partial batch responses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from local.event_sources.records import Batch, LaneKey, Outcome
from local.runtime.invocation import FunctionError

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.runtime.invocation import InvocationResult

Locate = "Callable[[object, Batch], tuple[LaneKey, int] | None]"
"""Finds the record of a batch that an ``itemIdentifier`` names; None where it names none."""

BAD_IDENTIFIER: Final = "InvalidItemIdentifier"


def read_outcome(
    result: InvocationResult,
    batch: Batch,
    *,
    report_batch_item_failures: bool,
    locate: Callable[[object, Batch], tuple[LaneKey, int] | None],
) -> Outcome:
    """Say which records of a batch failed.

    Parameters
    ----------
    result : InvocationResult
        What the invocation came to.
    batch : Batch
        What was delivered.
    report_batch_item_failures : bool
        Whether the mapping looks at the answer at all.
    locate : Callable[[object, Batch], tuple[LaneKey, int] | None]
        Finds the record that an ``itemIdentifier`` names.

    Returns
    -------
    Outcome
        The lowest failed position of each lane. A failed invocation, and an answer with an empty, null or unknown
        identifier, fail the whole batch; no answer, and no list or an empty one in it, are a success.
    """
    if result.error is not None:
        return Outcome(error=result.error)
    if not report_batch_item_failures:
        return Outcome()
    try:
        answer = msgspec.json.decode(result.payload) if result.payload else None
    except msgspec.DecodeError:
        return _bad("the answer is not JSON")
    if not isinstance(answer, dict):
        return Outcome() if answer is None else _bad("the answer is not an object")
    failures = answer.get("batchItemFailures")
    if failures is None:
        return Outcome()
    if not isinstance(failures, list):
        return _bad("batchItemFailures is not a list")
    lowest: dict[LaneKey, int] = {}
    for failure in failures:
        found = locate(failure.get("itemIdentifier"), batch) if isinstance(failure, dict) else None
        if found is None:
            return _bad("an itemIdentifier names no record of the batch")
        lane, position = found
        lowest[lane] = min(position, lowest.get(lane, position))
    return Outcome(failed=lowest)


def _bad(problem: str) -> Outcome:
    return Outcome(error=FunctionError(BAD_IDENTIFIER, f"partial batch response: {problem}"))
