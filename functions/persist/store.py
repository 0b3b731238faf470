"""flagged_transactions in DynamoDB: one conditional put a payment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contract.flagged import FlaggedTransaction, to_flagged_item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class FlaggedTable:
    """The table, by the calls that this stage makes.

    Parameters
    ----------
    client : DynamoDBClient
        A low-level client.
    name : str
        The table's name in this environment.
    """

    def __init__(self, client: DynamoDBClient, name: str) -> None:
        self._client = client
        self._name = name

    def insert(self, flagged: FlaggedTransaction) -> bool:
        """Insert a row; an existing row is never overwritten.

        Parameters
        ----------
        flagged : FlaggedTransaction
            The row.

        Returns
        -------
        bool
            False where a row exists under this key: that of the same payment, from an earlier delivery.

        Raises
        ------
        ClientError, BotoCoreError
            When DynamoDB did not answer or refused the request, after retries.
        """
        try:
            self._client.put_item(
                TableName=self._name,
                Item=to_flagged_item(flagged),
                ConditionExpression="attribute_not_exists(user_id)",
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True
