"""Moves dead letters of a queue back into it, each saying what it said when it was first sent.

SQS can move them itself, but as new messages: a label without ``known_at`` would then be known from the moment of its redrive, and be
stored twice if its stage had stored it before it failed. It would also outrank a correction that came meanwhile.
"""

from __future__ import annotations

from typing import Any

from contract.clock import EPOCH, MILLISECOND
from contract.errors import InvalidLabelError
from contract.label_message import decode_label_message, encode_label_message, identified

VISIBILITY_SECONDS = 60
"""How long a received message is hidden from others; each is sent and deleted within seconds."""


def move_messages(sqs: Any, from_url: str, to_url: str) -> int:
    """Move all messages of a queue to another one; returns how many. If it is interrupted, a message may be in both.

    Parameters
    ----------
    sqs
        SQS's client.
    from_url, to_url : str
        The dead-letter queue, and the one that its messages came from.
    """
    moved = 0
    while messages := sqs.receive_message(
        QueueUrl=from_url,
        MaxNumberOfMessages=10,
        VisibilityTimeout=VISIBILITY_SECONDS,
        WaitTimeSeconds=1,
        MessageAttributeNames=["All"],
        AttributeNames=["SentTimestamp"],  # a dead-letter queue keeps it
    ).get("Messages"):
        for message in messages:
            sqs.send_message(
                QueueUrl=to_url,
                MessageBody=as_first_sent(message["Body"], int(message["Attributes"]["SentTimestamp"])),
                MessageAttributes=message.get("MessageAttributes", {}),
            )
            sqs.delete_message(QueueUrl=from_url, ReceiptHandle=message["ReceiptHandle"])
            moved += 1
    return moved


def as_first_sent(body: str, sent_ms: int) -> str:
    """Write a label with the time and the id that its stage gave it; any other message as it is.

    Parameters
    ----------
    body : str
        Of the message.
    sent_ms : int
        When it was sent, ms since the epoch.
    """
    try:
        message = decode_label_message(body.encode(errors="surrogatepass"))
    except InvalidLabelError:
        return body
    if message.known_at is not None:
        return body
    return encode_label_message(identified(message, EPOCH + sent_ms * MILLISECOND)).decode()
