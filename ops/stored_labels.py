"""Send stored labels to their queue again: ``make relabel``, after `entity_risk`, `flagged_transactions` or `labels` was restored.

The label stage stores none of them twice. For each payment it sets the flagged row's status, the risk of its entities and the cache's copies
to what the payment's labels say, so one label of each payment is enough.

A table of labels that was restored to an earlier time may have no label of a payment any more whose status, risk and copies it has set. Such payments are
found in `flagged_transactions`, and in a copy of the table of before, where there is one. Of each a withdrawal is sent: a label that says nothing by itself, and by which the stage sets
all of it to what no label says.
"""

from __future__ import annotations

from itertools import chain, groupby, islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from contract.clock import parse_event_key
from contract.errors import InvalidRowError
from contract.flagged import CONFIRMED_FRAUD, FALSE_POSITIVE, FlaggedKey
from contract.items import from_item
from contract.label import LABELS_TABLE, Label, LabelMessage, LabelSource, LabelVerdict
from contract.label_message import encode_label_message
from engine.profile.fingerprints import key_hash
from ops.errors import OpsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

MESSAGES_A_CALL: Final = 10
"""The most that SQS takes at once."""
MAX_TRIES: Final = 5
"""Calls for one message."""


WITHDRAWAL_ID: Final = "none-left"
"""Id of the withdrawal of a payment that has no label any more; the same each time, so it is stored once."""
LOST_ID: Final = "lost-by-a-restore"
"""The label that it names. No source has such an id."""


class Tables(NamedTuple):
    """Names of tables in an environment."""

    labels: str
    flagged: str
    before: str = ""
    """A copy of the table of labels of before it was restored; empty without one."""


class Sent(NamedTuple):
    """What was sent."""

    payments: int
    """Messages, one a payment that has labels."""
    without: int
    """Withdrawals, of payments that have no label any more."""
    unreadable: list[str]
    """Key of each row that cannot be read, with what is wrong. The other labels of its payment are sent."""

    def __str__(self) -> str:
        """In a sentence, and a line for each label that cannot be read."""
        lines = [f"The labels of {self.payments:,} payments are sent again."]
        if self.without:
            lines.append(
                f"{self.without:,} payments have lost all their labels: a withdrawal of each is sent."
            )
        if self.unreadable:
            lines.append(f"{len(self.unreadable):,} rows cannot be read and are left out:")
        return "\n".join([*lines, *self.unreadable])


def send_again(dynamodb: Any, sqs: Any, tables: Tables, url: str, sleep: Callable[[float], None]) -> Sent:
    """Send one stored label of each payment, and a withdrawal of each that was decided by labels and has none. A label that cannot be read is left out.

    Parameters
    ----------
    dynamodb, sqs
        Clients.
    tables : Tables
        Where labels are, and where payments that have lost theirs.
    url : str
        The labels queue.
    sleep : Callable
        Waits so many seconds before messages are sent again that the queue has refused.

    Raises
    ------
    OpsError
        Where the queue refuses a message at every try. The command can be repeated.
    """
    unreadable: list[str] = []
    labelled: set[int] = set()
    stored = (
        message_of(label) for label in _one_of_each_payment(dynamodb, tables.labels, labelled, unreadable)
    )
    payments = _send_all(sqs, url, stored, sleep)
    # A payment that is labelled meanwhile loses nothing: the withdrawal names none of its labels.
    lost = _withdrawals(_without_labels(dynamodb, tables, labelled), unreadable)
    return Sent(payments, _send_all(sqs, url, lost, sleep), unreadable)


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


def _withdrawals(keys: Iterable[FlaggedKey], unreadable: list[str]) -> Iterator[LabelMessage]:
    for key in keys:
        try:
            _, transaction_id = parse_event_key(key.event_key)
        except ValueError:
            unreadable.append(f"{key.event_key}: not the key of a payment")
            continue
        yield LabelMessage(
            transaction_id=transaction_id,
            verdict=LabelVerdict.WITHDRAWN,
            source=LabelSource.ANALYST,
            user_id=key.user_id,
            event_key=key.event_key,
            label_id=WITHDRAWAL_ID,
            withdraws=LOST_ID,
        )


def _one_of_each_payment(
    dynamodb: Any, table: str, labelled: set[int], unreadable: list[str]
) -> Iterator[Label]:
    labels = _readable(dynamodb, table, labelled, unreadable)
    # A user's rows are read in the order of their keys, so those of one payment come together.
    for _, of_payment in groupby(labels, key=lambda label: (label.user_id, label.event_key)):
        yield next(of_payment)


def _readable(dynamodb: Any, table: str, labelled: set[int], unreadable: list[str]) -> Iterator[Label]:
    for page in dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
        for item in page["Items"]:
            labelled.add(_hash(_payment_of(item)))
            try:
                label = from_item(LABELS_TABLE, item, Label)
            except InvalidRowError as error:
                unreadable.append(f"{item['label_key']['S']}: {error}")
            else:
                yield label


def _without_labels(dynamodb: Any, tables: Tables, labelled: set[int]) -> Iterator[FlaggedKey]:
    """Payments that labels may have set something of and that have none, each once."""
    found = set(labelled)
    decided = dynamodb.get_paginator("scan").paginate(
        TableName=tables.flagged,
        FilterExpression="#status IN (:fraud, :honest)",
        ProjectionExpression="user_id, event_key",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={":fraud": {"S": CONFIRMED_FRAUD}, ":honest": {"S": FALSE_POSITIVE}},
    )
    keys = [
        (
            FlaggedKey(item["user_id"]["S"], item["event_key"]["S"])
            for page in decided
            for item in page["Items"]
        )
    ]
    if tables.before:
        before = dynamodb.get_paginator("scan").paginate(
            TableName=tables.before, ProjectionExpression="user_id, label_key"
        )
        keys.append(_payment_of(item) for page in before for item in page["Items"])
    for key in chain(*keys):
        if _hash(key) not in found:
            found.add(_hash(key))
            yield key


def _payment_of(item: Any) -> FlaggedKey:
    """Whose label a row is, by its key alone: an id of a label has no ``#``."""
    return FlaggedKey(item["user_id"]["S"], item["label_key"]["S"].rpartition("#")[0])


def _hash(key: FlaggedKey) -> int:
    """64 bits in place of a payment: there may be millions."""
    return key_hash("\n".join(key))


def _send_all(sqs: Any, url: str, messages: Iterator[LabelMessage], sleep: Callable[[float], None]) -> int:
    count = 0
    while part := list(islice(messages, MESSAGES_A_CALL)):
        _send(sqs, url, [encode_label_message(message).decode() for message in part], sleep)
        count += len(part)
    return count


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
