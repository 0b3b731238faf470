"""What the label stage writes to DynamoDB: labels, the status of flagged rows, labelled payments by entity, unfinished labels."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from common.batch_requests import BatchWriter, UnansweredError
from contract.clock import time_text
from contract.flagged import (
    CONFIRMED_FRAUD,
    FALSE_POSITIVE,
    OPEN,
    FlaggedKey,
    FlaggedTransaction,
    from_flagged_item,
    status_shard,
    to_flagged_key,
)
from contract.items import from_item, to_item
from contract.label import LABELS_TABLE, Label
from engine.labels import risk_keys

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, timedelta

    from mypy_boto3_dynamodb import DynamoDBClient

    from contract.label_rows import PendingLabel

MAX_ROUNDS: Final = 8
"""How often a row is written again that DynamoDB left unprocessed, or that a transaction was writing."""


class Flagged(Enum):
    """What was found of a payment's flagged row."""

    SET = auto()
    """It has the status that the labels say."""
    MISSING = auto()
    """There is no row, or none any more."""


class Tables(NamedTuple):
    """Names of the tables in this environment."""

    labels: str
    flagged: str
    entity_risk: str
    pending: str


class LabelStore:
    """The tables, by the calls that this stage makes.

    Parameters
    ----------
    client : DynamoDBClient
        A low-level client.
    tables : Tables
        Their names.
    risk_retention : timedelta
        How long a labelled payment counts for its entities, from when its label became known.
    pause : Callable
        Waits before rows are written again; gets how often that was done before.
    """

    def __init__(
        self,
        client: DynamoDBClient,
        tables: Tables,
        risk_retention: timedelta,
        pause: Callable[[int], None],
    ) -> None:
        self._client = client
        self._tables = tables
        self._risk_retention = risk_retention
        self._pause = pause
        self._writer = BatchWriter(client, MAX_ROUNDS, pause)

    def insert(self, label: Label) -> Label:
        """Insert a label; a stored one is never overwritten.

        Returns
        -------
        Label
            The label as it is stored under this id: ``label`` itself where it was inserted, else what an earlier message said.

        Raises
        ------
        InvalidRowError
            Where the stored row cannot be read.
        ClientError, BotoCoreError
            When DynamoDB did not answer or refused the request, after retries.
        """
        key = {"user_id": {"S": label.user_id}, "label_key": {"S": f"{label.event_key}#{label.label_id}"}}
        try:
            self._client.put_item(
                TableName=self._tables.labels,
                Item=to_item(label) | key,
                ConditionExpression="attribute_not_exists(user_id)",
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            answer = self._client.get_item(TableName=self._tables.labels, Key=key, ConsistentRead=True)
            return from_item(LABELS_TABLE, answer.get("Item", {}), Label)
        return label

    def flagged(self, key: FlaggedKey) -> FlaggedTransaction | None:
        """Read a flagged row, consistently; None where there is none.

        Raises
        ------
        InvalidRowError
            Where the row cannot be read.
        ClientError, BotoCoreError
            When DynamoDB did not answer or refused the request, after retries.
        """
        answer = self._client.get_item(
            TableName=self._tables.flagged, Key=to_flagged_key(key), ConsistentRead=True
        )
        item = answer.get("Item")
        return None if item is None else from_flagged_item(item)

    def set_status(self, key: FlaggedKey, counting: Label | None) -> Flagged:
        """Set the status of a flagged row to what its payment's labels say.

        Parameters
        ----------
        key : FlaggedKey
            The row's.
        counting : Label | None
            The label that counts. Without one, a row that was decided is open again, and a row that an analyst looks at stays so.

        Raises
        ------
        ClientError, BotoCoreError, UnansweredError
            When DynamoDB did not answer or refused the request, after retries.
        """
        status = status_of(counting)
        values = {":status": {"S": status}, ":shard": {"S": status_shard(status, key)}}
        condition = "attribute_exists(user_id) AND #status <> :status"
        if counting is None:
            condition = "#status IN (:fraud, :honest)"
            values |= {":fraud": {"S": CONFIRMED_FRAUD}, ":honest": {"S": FALSE_POSITIVE}}
        request: dict[str, Any] = {
            "TableName": self._tables.flagged,
            "Key": to_flagged_key(key),
            "UpdateExpression": "SET #status = :status, status_shard = :shard",
            "ConditionExpression": condition,
            "ExpressionAttributeNames": {"#status": "status"},
            "ExpressionAttributeValues": values,
        }
        for tries in range(MAX_ROUNDS):
            if tries:
                self._pause(tries - 1)
            try:
                self._client.update_item(**request)
            except self._client.exceptions.ConditionalCheckFailedException:
                answer = self._client.get_item(
                    TableName=self._tables.flagged,
                    Key=to_flagged_key(key),
                    ConsistentRead=True,
                    ProjectionExpression="user_id",
                )
                return Flagged.SET if "Item" in answer else Flagged.MISSING
            except self._client.exceptions.TransactionConflictException:
                continue  # the alert stage or the case stage is marking the row
            return Flagged.SET
        raise UnansweredError(self._tables.flagged, MAX_ROUNDS)

    def set_risk(self, label: Label, counting: Label | None, *, may_have_counted: bool) -> None:
        """Set a payment's rows, one for each of its entities and one for its day, to what its labels say.

        Parameters
        ----------
        label : Label
            Any label of the payment.
        counting : Label | None
            The label that counts.
        may_have_counted : bool
            Whether other rows may exist: something else counted before, or a crash was between.

        Raises
        ------
        ClientError, BotoCoreError, UnansweredError
            When DynamoDB did not answer or refused the request, after retries.
        """
        writes: list[dict[str, Any]] = []
        for risk_key, is_wanted in risk_keys(label, counting).items():
            key = {name: {"S": value} for name, value in risk_key._asdict().items()}
            if counting is not None and is_wanted:
                writes.append({"PutRequest": {"Item": key | self._risk_attributes(counting)}})
            elif may_have_counted:
                writes.append({"DeleteRequest": {"Key": key}})
        self._writer.write(self._tables.entity_risk, writes)

    def wait(self, pending: PendingLabel) -> None:
        """Store a label whose work is not finished; of one that is stored, only the reason changes."""
        row = to_item(pending)
        pending_id = row.pop("pending_id")
        self._client.update_item(
            TableName=self._tables.pending,
            Key={"pending_id": pending_id},
            UpdateExpression=(
                "SET message = :message, reason = :reason, due_shard = :due_shard, "
                "first_at = if_not_exists(first_at, :first_at), due_at = if_not_exists(due_at, :due_at)"
            ),
            ExpressionAttributeValues={f":{name}": value for name, value in row.items()},
        )

    def finished(self, pending_id: str) -> None:
        """Delete a label that waited."""
        self._client.delete_item(TableName=self._tables.pending, Key={"pending_id": {"S": pending_id}})

    def _risk_attributes(self, counting: Label) -> dict[str, Any]:
        expires_at = expires_at_s(max(counting.known_at, counting.occurred_at), self._risk_retention)
        return {"known_at": {"S": time_text(counting.known_at)}, "expires_at": {"N": str(expires_at)}}


def status_of(counting: Label | None) -> str:
    """Status of a flagged row by the label that counts; without one, that of a row that nobody looks at."""
    if counting is None:
        return OPEN
    return CONFIRMED_FRAUD if counting.is_fraud else FALSE_POSITIVE


def expires_at_s(known_at: datetime, retention: timedelta) -> int:
    """When a row may be deleted, seconds since the epoch.

    Parameters
    ----------
    known_at : datetime
        When the label became known, but no earlier than its payment: a wrong date, years ago, must not delete the row at once.
    retention : timedelta
        How long it is stored from then on.
    """
    return int((known_at + retention).timestamp())
