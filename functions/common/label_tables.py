"""The tables `labels` and `entity_risk` in DynamoDB, as the label stage and its upkeep read them."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from contract.items import from_item
from contract.label import LABELS_TABLE, Label
from contract.label_rows import FRAUD, HONEST, EntityMarks, marks_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mypy_boto3_dynamodb import DynamoDBClient

MAX_FRAUDS: Final = 64
"""Payments called fraud that are read of an entity, the newest: as many as a copy holds (:data:`engine.entities.risk.MAX_PAYMENTS`)."""

MAX_USER_LABELS: Final = 200
"""Labels that are read of a user: those of the newest payments."""


class LabelTables:
    """Both tables; every read is consistent.

    Parameters
    ----------
    client : DynamoDBClient
        A low-level client.
    labels, entity_risk : str
        Their names in this environment.
    """

    def __init__(self, client: DynamoDBClient, labels: str, entity_risk: str) -> None:
        self._client = client
        self._labels = labels
        self._entity_risk = entity_risk

    def of_payment(self, user_id: str, event_key: str) -> list[Label]:
        """Read all labels of a payment.

        Raises
        ------
        InvalidRowError
            Where a row cannot be read.
        ClientError, BotoCoreError
            When DynamoDB did not answer or refused the request, after retries.
        """
        rows = self._query(self._labels, "user_id", user_id, "label_key", f"{event_key}#")
        labels = [from_item(LABELS_TABLE, row, Label) for row in rows]
        # An id may hold what separates it from the label's: then the key of another payment may begin alike.
        return [label for label in labels if label.event_key == event_key]

    def of_user(self, user_id: str) -> list[Label]:
        """Read the labels of a user's newest payments, :data:`MAX_USER_LABELS` at most or all of one payment; errors as for :meth:`of_payment`."""
        rows = islice(
            self._query(self._labels, "user_id", user_id, newest=MAX_USER_LABELS + 1), MAX_USER_LABELS + 1
        )
        labels = [from_item(LABELS_TABLE, row, Label) for row in rows]
        if len(labels) > MAX_USER_LABELS:
            # Of the last payment some labels may be missing, and then others would count.
            last = labels[-1].event_key
            whole = [label for label in labels if label.event_key != last]
            # Whoever sends very many labels of one payment must not hide the verdict on it.
            labels = whole or self.of_payment(user_id, last)
        return labels

    def marks(self, entity_id: str) -> EntityMarks:
        """Read what counts of an entity's labelled payments: the newest frauds, and the newest honest one; errors as above."""
        frauds = self._query(
            self._entity_risk, "entity_id", entity_id, "payment_key", f"{FRAUD}#", MAX_FRAUDS
        )
        honest = self._query(self._entity_risk, "entity_id", entity_id, "payment_key", f"{HONEST}#", 1)
        return marks_of([*islice(frauds, MAX_FRAUDS), *islice(honest, 1)])

    def _query(
        self, table: str, partition: str, value: str, sort: str = "", prefix: str = "", newest: int = 0
    ) -> Iterator[Mapping[str, Any]]:
        """Read a partition's rows whose sort key begins with a prefix: all in order, or from the newest, that many a page."""
        condition = f"{partition} = :value" + (f" AND begins_with({sort}, :prefix)" if prefix else "")
        request: dict[str, Any] = {
            "TableName": table,
            "KeyConditionExpression": condition,
            "ExpressionAttributeValues": {":value": {"S": value}}
            | ({":prefix": {"S": prefix}} if prefix else {}),
            "ConsistentRead": True,
        }
        if newest:
            request |= {"ScanIndexForward": False, "Limit": newest}
        while True:
            answer = self._client.query(**request)
            yield from answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
