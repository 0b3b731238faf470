"""The table of audit events: rows are inserted and read. The role has no right to change or delete one, nor to write over one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from contract.audit import from_audit_item, to_audit_item

if TYPE_CHECKING:
    from contract.audit import AuditEvent


_TAKEN: Final = frozenset({"DuplicateItemException", "DuplicateItem"})
"""What AWS answers, and what its DynamoDB Local does, where there is a row with the key."""


class AuditStore:
    """Reads and inserts audit events.

    Parameters
    ----------
    client
        A boto3 DynamoDB client.
    table : str
        The table's name in this environment.
    """

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def insert(self, event: AuditEvent) -> bool:
        """Insert a row; False where its place is taken. Raises ClientError, BotoCoreError."""
        item = to_audit_item(event)
        # PutItem writes over a row where its condition is left out; PartiQL's INSERT never does, and is a right of its own.
        places = ", ".join(f"'{name}': ?" for name in item)
        statement = f'INSERT INTO "{self._table}" VALUE {{{places}}}'
        try:
            self._client.execute_statement(Statement=statement, Parameters=list(item.values()))
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in _TAKEN:
                return False
            raise
        return True

    def at(self, day_shard: str, sequence: int) -> AuditEvent | None:
        """Read the row at a place; None where it is free."""
        condition = "day_shard = :partition AND #sequence = :sequence"
        return self._one(
            KeyConditionExpression=condition,
            ExpressionAttributeNames={"#sequence": "sequence"},
            ExpressionAttributeValues={":partition": {"S": day_shard}, ":sequence": {"N": str(sequence)}},
        )

    def last(self, day_shard: str) -> AuditEvent | None:
        """Read the last row of a partition; None for an empty one."""
        return self._one(
            KeyConditionExpression="day_shard = :partition",
            ExpressionAttributeValues={":partition": {"S": day_shard}},
            ScanIndexForward=False,
        )

    def newest(self, day_shard: str, limit: int) -> list[AuditEvent]:
        """Read the last rows of a partition, newest first."""
        answer = self._client.query(
            TableName=self._table,
            KeyConditionExpression="day_shard = :partition",
            ExpressionAttributeValues={":partition": {"S": day_shard}},
            ScanIndexForward=False,
            ConsistentRead=True,
            Limit=limit,
        )
        return [from_audit_item(item) for item in answer["Items"]]

    def _one(self, **query: Any) -> AuditEvent | None:
        answer = self._client.query(TableName=self._table, ConsistentRead=True, Limit=1, **query)
        return from_audit_item(answer["Items"][0]) if answer["Items"] else None
