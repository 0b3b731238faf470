"""Powertools' processor of batches, as stages use it: a record that fails fails alone, and is reported without its values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType

from common.failures import describe_failure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from common.failures import FailureLog


class PartialBatches(BatchProcessor):
    """Answers a batch with the records that must be delivered again.

    Parameters
    ----------
    event_type : EventType
        Where the records come from.
    log : FailureLog
        Gets one line a failure, without personal values.
    problem : str
        What the line says.
    name_of : Callable
        Gives the fields that name a record of the event in the line.
    """

    def __init__(
        self,
        event_type: EventType,
        log: FailureLog,
        problem: str,
        name_of: Callable[[Mapping[str, Any]], Mapping[str, object]],
    ) -> None:
        # No exception when all fail: Lambda delivers them again either way, and the exception's text would hold values.
        super().__init__(event_type, raise_on_entire_batch_failure=False)
        self._log = log
        self._problem = problem
        self._name_of = name_of

    def failure_handler(self, record: Any, exception: Any) -> Any:
        """Report one failure, as Powertools calls for it."""
        extra = {**describe_failure(exception[1]), **self._name_of(record.raw_event)}
        self._log.error(self._problem, extra=extra)
        return super().failure_handler(record, exception)
