"""flagged_transactions in DynamoDB: one conditional put a payment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from botocore.config import Config

from contract.flagged import FlaggedTransaction, to_flagged_item

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_dynamodb import DynamoDBClient

CLIENT_CONFIG: Final = Config(
    connect_timeout=1,
    read_timeout=3,
    retries={"mode": "standard", "total_max_attempts": 4},
    tcp_keepalive=True,
)
"""Four tries with jitter, at most about 7 s between them; then the record fails and its batch is delivered again."""


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
        """Insert a row; a row that stands is never overwritten.

        Parameters
        ----------
        flagged : FlaggedTransaction
            The row.

        Returns
        -------
        Mapping | None
            None when inserted, else the row that stands under this key, in DynamoDB's wire form.

        Raises
        ------
        ClientError, BotoCoreError
            When DynamoDB could not be asked, after retries.
        """
        try:
            self._client.put_item(
                TableName=self._name,
                Item=to_flagged_item(flagged),
                ConditionExpression="attribute_not_exists(transaction_id)",
                # The row that stands comes with the refusal: no second read, and none between which it could change.
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except self._client.exceptions.ConditionalCheckFailedException as error:
            response: Mapping[str, Any] = error.response
            standing: Mapping[str, Any] = response["Item"]
            return standing
        return None
