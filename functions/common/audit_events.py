"""Reads the table of audit events: single rows, and the ends of chains."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contract.audit import from_audit_item

if TYPE_CHECKING:
    from contract.audit import AuditEvent


class AuditEvents:
    """Audit events, read consistently.

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

    def at(self, day_shard: str, sequence: int) -> AuditEvent | None:
        """Read the row at a place; None where it is free. Raises ClientError, BotoCoreError, InvalidRowError."""
        condition = "day_shard = :partition AND #sequence = :sequence"
        return self._one(
            KeyConditionExpression=condition,
            ExpressionAttributeNames={"#sequence": "sequence"},
            ExpressionAttributeValues={":partition": {"S": day_shard}, ":sequence": {"N": str(sequence)}},
        )

    def last(self, day_shard: str) -> AuditEvent | None:
        """Read the last row of a partition; None for an empty one. Raises as :meth:`at`."""
        return self._one(
            KeyConditionExpression="day_shard = :partition",
            ExpressionAttributeValues={":partition": {"S": day_shard}},
            ScanIndexForward=False,
        )

    def newest(self, day_shard: str, limit: int, before: int | None = None) -> list[AuditEvent]:
        """Read the last rows of a partition, newest first; with ``before``, the last ones below that sequence number. Raises as :meth:`at`."""
        condition, values = "day_shard = :partition", {":partition": {"S": day_shard}}
        names: dict[str, Any] = {}
        if before is not None:
            condition += " AND #sequence < :before"
            values[":before"] = {"N": str(before)}
            names = {"ExpressionAttributeNames": {"#sequence": "sequence"}}
        answer = self._client.query(
            TableName=self._table,
            KeyConditionExpression=condition,
            ExpressionAttributeValues=values,
            **names,
            ScanIndexForward=False,
            ConsistentRead=True,
            Limit=limit,
        )
        return [from_audit_item(item) for item in answer["Items"]]

    def _one(self, **query: Any) -> AuditEvent | None:
        answer = self._client.query(TableName=self._table, ConsistentRead=True, Limit=1, **query)
        return from_audit_item(answer["Items"][0]) if answer["Items"] else None
