"""Sends labels that are stored in ``pending_labels`` to the labels queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from common.errors import StageError
from contract.label_rows import PENDING_ATTRIBUTE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

MAX_BATCH: Final = 10
"""Messages of one request."""


class UnsentLabelsError(StageError):
    """Labels that SQS did not accept; they still wait in ``pending_labels``.

    Parameters
    ----------
    unsent : int
        How many.
    """

    def __init__(self, unsent: int) -> None:
        super().__init__(f"labels queue: {unsent} messages were not accepted")
        self.unsent = unsent


class LabelSender:
    """The labels queue.

    Parameters
    ----------
    sqs : SQSClient
        A low-level client.
    url : str
        The queue's URL in this environment.
    """

    def __init__(self, sqs: SQSClient, url: str) -> None:
        self._sqs = sqs
        self._url = url

    def send(self, messages: Sequence[bytes]) -> None:
        """Send labels. The label stage deletes each from ``pending_labels`` when it has finished it.

        Parameters
        ----------
        messages : Sequence[bytes]
            As :func:`contract.label_message.encode_label_message` writes them, and as they are stored.

        Raises
        ------
        UnsentLabelsError
            When SQS has refused some of them; the others are sent.
        ClientError, BotoCoreError
            When SQS did not answer, after retries.
        """
        unsent = 0
        for first in range(0, len(messages), MAX_BATCH):
            part = messages[first : first + MAX_BATCH]
            entries: list[SendMessageBatchRequestEntryTypeDef] = [
                {
                    "Id": str(number),
                    "MessageBody": message.decode(),
                    "MessageAttributes": {PENDING_ATTRIBUTE: {"DataType": "String", "StringValue": "1"}},
                }
                for number, message in enumerate(part)
            ]
            answer = self._sqs.send_message_batch(QueueUrl=self._url, Entries=entries)
            unsent += len(answer.get("Failed", []))
        if unsent:
            raise UnsentLabelsError(unsent)
