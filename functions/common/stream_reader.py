"""How a stage reads the stream of a table: inserted rows one by one, failures by sequence number.

Every record of a batch is tried, even after one has failed. Lambda delivers again from the lowest sequence number that failed,
so later records are delivered twice. The stages are idempotent, so a bad row delays no good one of its batch. How often Lambda
retries, how it bisects a batch and where it puts dead letters are set in each stage's ``function.yaml``; a record that fails at every
try is dead-lettered by the stage itself (:mod:`common.stream_crashes`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from aws_lambda_powertools.utilities.batch import EventType, process_partial_response

from common.errors import OutOfTimeError
from common.failures import describe_failure
from common.partial_batches import PartialBatches
from common.time_left import MIN_REMAINING_MS, TimedContext, TimeLeft
from contract.errors import InvalidRowError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
    from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord

    from common.failures import FailureLog
    from common.stream_crashes import StreamCrashes


class InvocationContext(TimedContext, Protocol):
    """The part of Lambda's context that a stream batch needs."""

    @property
    def invoked_function_arn(self) -> str:
        """The function as it was invoked, with its alias."""
        ...


class StreamReader:
    """Gives a stage the rows that were inserted into one table.

    Parameters
    ----------
    table : str
        The table's interface name, for errors.
    handle_item : Callable
        Takes a row in DynamoDB's wire form. An exception fails this record alone.
    log : FailureLog
        Gets one line a failure, without personal values.
    crashes : StreamCrashes
        Dead-letters a record that crashes the stage.
    """

    def __init__(
        self,
        table: str,
        handle_item: Callable[[Mapping[str, Any]], None],
        log: FailureLog,
        crashes: StreamCrashes,
    ) -> None:
        self._table = table
        self._handle_item = handle_item
        self._log = log
        self._crashes = crashes
        self._batches = PartialBatches(
            EventType.DynamoDBStreams, log, "A stream record failed and will be delivered again", _name_of
        )

    def read(self, event: dict[str, Any], context: InvocationContext) -> PartialItemFailureResponse:
        """Handle every inserted row of a batch.

        Parameters
        ----------
        event : dict
            As Lambda delivers it for a DynamoDB stream.
        context : InvocationContext
            Says how much time is left.

        Returns
        -------
        PartialItemFailureResponse
            Sequence numbers of the records that must be delivered again.
        """
        time_left = TimeLeft(context)
        function_arn = context.invoked_function_arn

        def handle_record(record: DynamoDBRecord) -> None:
            if not time_left.is_enough():
                raise OutOfTimeError(MIN_REMAINING_MS)
            item = inserted_item(self._table, record.raw_event)
            if item is not None:
                self._handle_item(item)

        def handle_or_dead_letter(record: DynamoDBRecord) -> None:
            try:
                handle_record(record)
            except Exception as error:
                if not self._crashes.failed(record.raw_event, error, function_arn):
                    raise
                self._log_dead_letter(record.raw_event, describe_failure(error))
            else:
                self._crashes.done(record.raw_event)

        if not self._crashes.begin(event["Records"], function_arn):
            self._log_dead_letter(event["Records"][0], {"error": "the function crashes"})
            return {"batchItemFailures": []}
        return process_partial_response(event, handle_or_dead_letter, self._batches)

    def _log_dead_letter(self, record: Mapping[str, Any], cause: Mapping[str, object]) -> None:
        self._log.error("A stream record was dead-lettered", extra={**cause, **_name_of(record)})


def inserted_item(table: str, record: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Take the new row out of a stream record.

    Parameters
    ----------
    table : str
        The table's interface name, for the error.
    record : Mapping
        One entry of the event's ``Records``.

    Returns
    -------
    Mapping | None
        The row in DynamoDB's wire form; None for a record that is not an INSERT. The event source mapping filters those
        out. If it lacks its filter, a changed row must not cause a second alert.

    Raises
    ------
    InvalidRowError
        For an INSERT without the row: a stream view other than NEW_IMAGE.
    """
    if record.get("eventName") != "INSERT":
        return None
    item = record.get("dynamodb", {}).get("NewImage")
    if not item:
        raise InvalidRowError(table, "$", "no NewImage in the stream record")
    image: Mapping[str, Any] = item
    return image


def _name_of(record: Mapping[str, Any]) -> dict[str, object]:
    return {"sequence_number": record["dynamodb"]["SequenceNumber"]}
