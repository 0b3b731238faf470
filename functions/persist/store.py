"""flagged_transactions in DynamoDB: one conditional put a payment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contract.flagged import FlaggedTransaction, to_flagged_item

if TYPE_CHECKING:
    from collections.abc import Mapping

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

    def insert(self, flagged: FlaggedTransaction) -> Mapping[str, Any] | None:
        """Insert a row; an existing row is never overwritten.

        Parameters
        ----------
        flagged : FlaggedTransaction
            The row.

        Returns
        -------
        Mapping | None
            None when inserted, else the row that exists under this key, in DynamoDB's wire form.

        Raises
        ------
        ClientError, BotoCoreError
            When DynamoDB did not answer or refused the request, after retries.
        """
        try:
            self._client.put_item(
                TableName=self._name,
                Item=to_flagged_item(flagged),
                ConditionExpression="attribute_not_exists(transaction_id)",
                # The refusal carries the existing row: no second read, and no moment between the two in which it could change.
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except self._client.exceptions.ConditionalCheckFailedException as error:
            response: Mapping[str, Any] = error.response
            existing: Mapping[str, Any] = response["Item"]
            return existing
        return None
