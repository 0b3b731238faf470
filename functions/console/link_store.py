"""Finds the case that an alert is in."""

from __future__ import annotations

from typing import Any

from contract.case import alert_link


class LinkStore:
    """The table of links to cases. Raises ClientError and BotoCoreError.

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

    def case_of_alert(self, alert_id: str) -> str | None:
        """Id of the newest case that an alert is in; None where it is in none, or not yet."""
        answer = self._client.query(
            TableName=self._table,
            KeyConditionExpression="entity_id = :alert",
            ExpressionAttributeValues={":alert": {"S": alert_link(alert_id)}},
            ScanIndexForward=False,
            Limit=1,
        )
        items = answer["Items"]
        return items[0]["case_id"]["S"] if items else None
