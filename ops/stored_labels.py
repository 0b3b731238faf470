"""Send stored labels to their queue again: ``make relabel``, after `entity_risk`, `flagged_transactions` or `labels` was restored.

The label stage stores none of them twice. For each payment it sets the flagged row's status, the risk of its entities and the cache's copies
to what the payment's labels say, so one label of each payment is enough.
"""

from __future__ import annotations

from itertools import groupby, islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from contract.errors import InvalidRowError
from contract.items import from_item
from contract.label import LABELS_TABLE, Label, LabelMessage
from contract.label_message import encode_label_message
from ops.errors import OpsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

MESSAGES_A_CALL: Final = 10
"""The most that SQS takes at once."""
MAX_TRIES: Final = 5
"""Calls for one message."""


class Sent(NamedTuple):
    """What was sent."""

    payments: int
    """Messages, one a payment."""
    unreadable: list[str]
    """Key of each label that cannot be read, with what is wrong. The other labels of its payment are sent."""

    def __str__(self) -> str:
        """In a sentence, and a line for each label that cannot be read."""
        lines = [f"The labels of {self.payments:,} payments are sent again."]
        if self.unreadable:
            lines.append(f"{len(self.unreadable):,} labels cannot be read and are left out:")
        return "\n".join([*lines, *self.unreadable])


def send_again(dynamodb: Any, sqs: Any, table: str, url: str, sleep: Callable[[float], None]) -> Sent:
    """Send one stored label of each payment. A label that cannot be read is left out.

    Parameters
    ----------
    dynamodb, sqs
        Clients.
    table : str
        The name of `labels`.
    url : str
        The labels queue.
    sleep : Callable
        Waits so many seconds before messages are sent again that the queue has refused.

    Raises
    ------
    OpsError
        Where the queue refuses a message at every try. The command can be repeated.
    """
    count, unreadable = 0, list[str]()
    labels = _one_of_each_payment(dynamodb, table, unreadable)
    while part := list(islice(labels, MESSAGES_A_CALL)):
        _send(sqs, url, [encode_label_message(message_of(label)).decode() for label in part], sleep)
        count += len(part)
    return Sent(count, unreadable)


def message_of(label: Label) -> LabelMessage:
    """Write a stored label as the message that it came in, with all that the message may have left out."""
    return LabelMessage(
        transaction_id=label.transaction_id,
        verdict=label.verdict,
        source=label.source,
        fraud_type=label.fraud_type,
        confidence=label.confidence,
        known_at=label.known_at,
        user_id=label.user_id,
        event_key=label.event_key,
        label_id=label.label_id,
        withdraws=label.withdraws,
    )


def _one_of_each_payment(dynamodb: Any, table: str, unreadable: list[str]) -> Iterator[Label]:
    labels = _readable(dynamodb, table, unreadable)
    # A user's rows are read in the order of their keys, so those of one payment come together.
    for _, of_payment in groupby(labels, key=lambda label: (label.user_id, label.event_key)):
        yield next(of_payment)


def _readable(dynamodb: Any, table: str, unreadable: list[str]) -> Iterator[Label]:
    for page in dynamodb.get_paginator("scan").paginate(TableName=table):
        for item in page["Items"]:
            try:
                label = from_item(LABELS_TABLE, item, Label)
            except InvalidRowError as error:
                unreadable.append(f"{item['label_key']['S']}: {error}")
            else:
                yield label


def _send(sqs: Any, url: str, bodies: Iterable[str], sleep: Callable[[float], None]) -> None:
    left = {str(number): body for number, body in enumerate(bodies)}
    for number_of_try in range(MAX_TRIES):
        if number_of_try:
            sleep(float(number_of_try))
        entries = [{"Id": number, "MessageBody": body} for number, body in left.items()]
        for taken in sqs.send_message_batch(QueueUrl=url, Entries=entries).get("Successful", ()):
            del left[taken["Id"]]
        if not left:
            return
    raise OpsError(f"The labels queue refused {len(left)} messages {MAX_TRIES} times; repeat the command.")
