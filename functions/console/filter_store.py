"""The table of saved filters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contract.items import from_item, to_item
from contract.saved_filter import MAX_FILTERS, SAVED_FILTERS_TABLE, SavedFilter

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class FilterStore:
    """Saved filters of people. Every call may raise ClientError, BotoCoreError and InvalidRowError.

    Parameters
    ----------
    client : DynamoDBClient
        A low-level client.
    table : str
        The table's name in this environment.
    """

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def of(self, person: str) -> list[SavedFilter]:
        """Read somebody's filters, by name."""
        answer = self._client.query(
            TableName=self._table,
            KeyConditionExpression="person = :person",
            ExpressionAttributeValues={":person": {"S": person}},
            ConsistentRead=True,
            Limit=2 * MAX_FILTERS,
        )
        rows = [from_item(SAVED_FILTERS_TABLE, item, SavedFilter) for item in answer["Items"]]
        return sorted(rows, key=lambda each: each.name.casefold())

    def insert(self, saved: SavedFilter) -> None:
        """Store a new one; its key is random."""
        item: Any = to_item(saved)
        self._client.put_item(
            TableName=self._table, Item=item, ConditionExpression="attribute_not_exists(filter_id)"
        )

    def rename(self, person: str, filter_id: str, name: str) -> bool:
        """Give one another name; False where it is gone."""
        try:
            self._client.update_item(
                TableName=self._table,
                Key=_key(person, filter_id),
                UpdateExpression="SET #name = :name",
                ConditionExpression="attribute_exists(filter_id)",
                ExpressionAttributeNames={"#name": "name"},
                ExpressionAttributeValues={":name": {"S": name}},
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def delete(self, person: str, filter_id: str) -> None:
        """Delete one; one that is gone stays so."""
        self._client.delete_item(TableName=self._table, Key=_key(person, filter_id))


def _key(person: str, filter_id: str) -> Any:
    return {"person": {"S": person}, "filter_id": {"S": filter_id}}
