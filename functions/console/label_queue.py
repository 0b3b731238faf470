"""Sends labels to their queue. A verdict is lost nowhere: whatever SQS did not take is sent again, else the page says that it failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from common.errors import StageError
from contract.label_message import encode_label_message

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contract.label import LabelMessage

BATCH: Final = 10
"""Messages of one request: SQS takes no more."""

MAX_TRIES: Final = 4
"""How often messages are sent that SQS did not take."""


class LabelsNotSentError(StageError):
    """SQS has not taken all labels of a decision; sending the form again sends the same labels."""

    def __init__(self, unsent: int) -> None:
        super().__init__(f"labels: {unsent} were not taken in {MAX_TRIES} tries")
        self.unsent = unsent


class LabelQueue:
    """The labels queue.

    Parameters
    ----------
    client
        A boto3 SQS client.
    url : str
        The queue's.
    """

    def __init__(self, client: Any, url: str) -> None:
        self._client = client
        self._url = url

    def send(self, messages: Sequence[LabelMessage]) -> None:
        """Send labels.

        Raises
        ------
        LabelsNotSentError
            Naming how many SQS did not take. Some may have been taken; the same ids again are the same labels.
        ClientError, BotoCoreError
            When SQS did not answer.
        """
        for start in range(0, len(messages), BATCH):
            self._send_batch(messages[start : start + BATCH])

    def _send_batch(self, messages: Sequence[LabelMessage]) -> None:
        left = {
            str(number): encode_label_message(message).decode() for number, message in enumerate(messages)
        }
        for _ in range(MAX_TRIES):
            entries = [{"Id": number, "MessageBody": body} for number, body in left.items()]
            answer = self._client.send_message_batch(QueueUrl=self._url, Entries=entries)
            for taken in answer.get("Successful", []):
                del left[taken["Id"]]
            if not left:
                return
        raise LabelsNotSentError(len(left))
