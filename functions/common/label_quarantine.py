"""Labels that cannot be used, quarantined whole but for card numbers, with the reason."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from contract.card_masks import masked_record

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

MAX_BODY_BYTES: Final = 128 * 1024
"""What is kept of a message, bytes: SQS takes larger ones than a label's, and in base64 it must fit into one message again."""


class QuarantinedLabel(msgspec.Struct, frozen=True, omit_defaults=True):
    """The body of a quarantine message, as JSON."""

    queue: str
    """Interface name of the queue that the message was in."""
    message_id: str
    """As SQS numbered it."""
    field: str
    """The field at fault; ``$`` for the message as a whole."""
    problem: str
    size_bytes: int
    """Of the message as it was sent."""
    value_base64: str
    """The message, card numbers masked."""
    is_cut: bool = False
    """Only the first :data:`MAX_BODY_BYTES` are kept."""


class LabelQuarantine(Protocol):
    """The call that is made."""

    def put(self, message_id: str, body: bytes, field: str, problem: str) -> None:
        """Quarantine one message."""
        ...


class SqsLabelQuarantine:
    """The quarantine queue. A message that is delivered again may be quarantined again; its id shows that it is the same one.

    Parameters
    ----------
    sqs : SQSClient
        A low-level client.
    queue_url : str
        The quarantine queue.
    """

    def __init__(self, sqs: SQSClient, queue_url: str) -> None:
        self._sqs = sqs
        self._queue_url = queue_url

    def put(self, message_id: str, body: bytes, field: str, problem: str) -> None:
        """Quarantine one message.

        Parameters
        ----------
        message_id : str
            As SQS numbered it.
        body : bytes
            As it was sent.
        field, problem : str
            What is wrong; never a value.

        Raises
        ------
        ClientError, BotoCoreError
            When SQS did not accept it, after retries. The message is then delivered again.
        """
        kept = masked_record(body[:MAX_BODY_BYTES])
        quarantined = QuarantinedLabel(
            queue="labels",
            message_id=message_id,
            field=field,
            problem=problem,
            size_bytes=len(body),
            value_base64=b64encode(kept).decode(),
            is_cut=len(body) > MAX_BODY_BYTES,
        )
        self._sqs.send_message(
            QueueUrl=self._queue_url, MessageBody=msgspec.json.encode(quarantined).decode()
        )
