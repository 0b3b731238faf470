"""Finds the one payment that a label names, in ``transaction_history``."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from common.batch_requests import BatchReader
from contract.canary import is_canary
from contract.clock import parse_event_key, time_text
from contract.errors import InvalidLabelError
from contract.flagged import FlaggedKey, to_flagged_key
from contract.scored import ScoredTransaction, from_history_item

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from mypy_boto3_dynamodb import DynamoDBClient

    from contract.label import LabelMessage

MAX_CANDIDATES: Final = 25
"""Payments of one transaction id that are looked at. A sender with more uses the id for something else."""

MAX_PAGES: Final = 8
"""Pages of the index, or of a user's rows, that are read."""

MAX_ROUNDS: Final = 8
"""How often keys are asked for again that DynamoDB left unprocessed."""

SAME_TIME: Final = timedelta(seconds=1)
"""Two times that are nearer are the same: many systems keep no fractions of a second."""

NEAR_TIME: Final = timedelta(days=1)
"""A time that is farther off names another payment; a nearer one may have lost its zone, or its hours."""


class Payment(NamedTuple):
    """A payment that was found."""

    key: FlaggedKey
    """Of its row in the history, and of its flagged row if it has one."""
    row: ScoredTransaction


class PaymentFinder:
    """The history, by the calls that this stage makes.

    Parameters
    ----------
    client : DynamoDBClient
        A low-level client.
    table : str
        The table's name in this environment.
    index : str
        The name of the index by transaction id; empty where it is switched off.
    pause : Callable
        Waits before unprocessed keys are asked for again; gets how often that was done before.
    """

    def __init__(self, client: DynamoDBClient, table: str, index: str, pause: Callable[[int], None]) -> None:
        self._client = client
        self._table = table
        self._index = index
        self._reader = BatchReader(client, MAX_ROUNDS, pause)

    def find(self, message: LabelMessage) -> Payment | None:
        """Find the payment of a label.

        Parameters
        ----------
        message : LabelMessage
            Names it: by ``user_id`` and ``event_key``, or by ``transaction_id`` and what else is needed.

        Returns
        -------
        Payment | None
            None where no payment matches; it may still come. A row that repeats a payment is none of its own.

        Raises
        ------
        InvalidLabelError
            Where several payments match: names the field that would distinguish them. Also for a payment of the canary.
        InvalidRowError
            Where a row cannot be read.
        ClientError, BotoCoreError, UnansweredError
            When DynamoDB did not answer or refused the request, after retries.
        """
        if message.user_id is not None and is_canary(message.user_id):
            raise InvalidLabelError("user_id", "the canary's; nothing is learnt from its payments")
        payments = list(self._rows(self._keys(message)))
        payments = [payment for payment in payments if not payment.row.repeats] or payments
        if message.timestamp is not None:
            payments = _at_time(payments, message.timestamp)
        if len(payments) > 1:
            raise _ambiguous(payments, message)
        if payments and is_canary(payments[0].key.user_id):
            raise InvalidLabelError("transaction_id", "of the canary; nothing is learnt from its payments")
        return payments[0] if payments else None

    def _keys(self, message: LabelMessage) -> list[FlaggedKey]:
        user_id, at = message.user_id, message.timestamp
        if user_id is not None and message.event_key is not None:
            return [FlaggedKey(user_id, message.event_key)]
        if self._index:
            return self._by_index(message)
        if user_id is None:
            raise _required("user_id")
        if at is None:
            raise _required("timestamp")
        return self._by_time(user_id, at, message)

    def _by_index(self, message: LabelMessage) -> list[FlaggedKey]:
        filters, values = [], {":id": {"S": message.transaction_id}}
        for field in ("user_id", "event_key"):
            if (value := getattr(message, field)) is not None:
                filters.append(f"{field} = :{field}")
                values[f":{field}"] = {"S": value}
        request: dict[str, Any] = {
            "TableName": self._table,
            "IndexName": self._index,
            "KeyConditionExpression": "transaction_id = :id",
            "ExpressionAttributeValues": values,
        }
        if filters:
            request["FilterExpression"] = " AND ".join(filters)
        return self._few(request, message)

    def _by_time(self, user_id: str, at: datetime, message: LabelMessage) -> list[FlaggedKey]:
        # The key holds the time only where it was believed. Another payment is found by its event_key.
        request: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "user_id = :user AND event_key BETWEEN :first AND :last",
            "ExpressionAttributeValues": {
                ":user": {"S": user_id},
                ":first": {"S": time_text(_shifted(at, -SAME_TIME))},
                ":last": {"S": time_text(_shifted(at, SAME_TIME)) + "~"},
            },
            "ProjectionExpression": "user_id, event_key",
            "ConsistentRead": True,
        }
        return self._few(request, message)

    def _few(self, request: dict[str, Any], message: LabelMessage) -> list[FlaggedKey]:
        """Keys of rows with the message's transaction id, :data:`MAX_CANDIDATES` at most."""
        keys = []
        for key in self._query(request, message):
            if parse_event_key(key.event_key)[1] != message.transaction_id:
                continue
            keys.append(key)
            if len(keys) > MAX_CANDIDATES:
                raise _too_many(message)
        return keys

    def _query(self, request: dict[str, Any], message: LabelMessage) -> Iterator[FlaggedKey]:
        for _ in range(MAX_PAGES):
            answer = self._client.query(**request)
            for item in answer["Items"]:
                yield FlaggedKey(item["user_id"]["S"], item["event_key"]["S"])
            if "LastEvaluatedKey" not in answer:
                return
            request = request | {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
        raise _too_many(message)

    def _rows(self, keys: Sequence[FlaggedKey]) -> Iterator[Payment]:
        """Read rows whole, consistently; those that do not exist are left out."""
        for item in self._reader.rows(self._table, [to_flagged_key(key) for key in keys]):
            row = from_history_item(item)
            yield Payment(FlaggedKey(row.transaction.user_id, item["event_key"]["S"]), row)


def _at_time(payments: Sequence[Payment], at: datetime) -> list[Payment]:
    """Those at a time; where none is at the same second, those near it."""
    for distance in (SAME_TIME, NEAR_TIME):
        found = [
            payment
            for payment in payments
            if min(abs(payment.row.occurred_at - at), abs(payment.row.transaction.timestamp - at)) <= distance
        ]
        if found:
            return found
    return []


def _required(field: str) -> InvalidLabelError:
    return InvalidLabelError(
        field, "missing; it is required since the history has no index by transaction id"
    )


def _ambiguous(payments: Sequence[Payment], message: LabelMessage) -> InvalidLabelError:
    users = len({payment.key.user_id for payment in payments})
    count = f"{len(payments)} payments"
    if users > 1:
        return InvalidLabelError("user_id", f"missing; {count} of {users} users have this transaction_id")
    if message.timestamp is None:
        return InvalidLabelError(
            "timestamp", f"missing, and event_key too; {count} of one user have this transaction_id"
        )
    return InvalidLabelError(
        "event_key", f"missing; {count} of one user have this transaction_id at about this time"
    )


def _too_many(message: LabelMessage) -> InvalidLabelError:
    field = "user_id" if message.user_id is None else "event_key"
    return InvalidLabelError(field, f"missing; more than {MAX_CANDIDATES} payments have this transaction_id")


def _shifted(at: datetime, by: timedelta) -> datetime:
    try:
        return at + by
    except OverflowError:
        return at
