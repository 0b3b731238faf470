"""How the stage reads its queue: messages one by one, failures by message id.

Every message of a batch is tried, even after one has failed; those that failed are delivered again, the others are deleted. After as many
deliveries as ``function.yaml`` says, SQS moves a message to the stage's dead-letter queue.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.utilities.batch import EventType, process_partial_response

from common.errors import OutOfTimeError
from common.partial_batches import PartialBatches
from common.time_left import MIN_REMAINING_MS, TimeLeft

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
    from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

    from common.failures import FailureLog
    from common.time_left import TimedContext


class QueueReader:
    """Gives a stage the messages of its queue.

    Parameters
    ----------
    take : Callable
        Takes one record of the event. An exception fails this message alone.
    log : FailureLog
        Gets one line a failure, without personal values.
    """

    def __init__(self, take: Callable[[Mapping[str, Any]], None], log: FailureLog) -> None:
        self._take = take
        self._batches = PartialBatches(
            EventType.SQS, log, "A label failed and will be delivered again", _name_of
        )

    def read(self, event: dict[str, Any], context: TimedContext) -> PartialItemFailureResponse:
        """Handle every message of a batch.

        Parameters
        ----------
        event : dict
            As Lambda delivers it for an SQS queue.
        context : TimedContext
            Says how much time is left.

        Returns
        -------
        PartialItemFailureResponse
            Ids of the messages that must be delivered again.
        """
        time_left = TimeLeft(context)

        def handle_record(record: SQSRecord) -> None:
            if not time_left.is_enough():
                raise OutOfTimeError(MIN_REMAINING_MS)
            self._take(record.raw_event)

        return process_partial_response(event, handle_record, self._batches)


def _name_of(record: Mapping[str, Any]) -> dict[str, object]:
    return {"message_id": record["messageId"]}
