"""Rows of trials in ``rollout_counts``, as the console starts and shows them and the replay function writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from common.ruleset_changes import is_refused
from contract.items import to_item
from contract.trial_row import from_trial_item, to_trial_key

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from contract.trial_row import TrialRow


class TrialRows:
    """The table, by the calls that trials need.

    Every method raises InvalidRowError where a row cannot be read, and ClientError or BotoCoreError when DynamoDB did not answer.

    Parameters
    ----------
    client : DynamoDBClient
        A low-level client.
    table : str
        Its name in this environment.
    """

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def row(self, trial_id: str) -> TrialRow | None:
        """Read a comparison's row, consistently; None where there is none."""
        answer = self._client.get_item(TableName=self._table, Key=to_trial_key(trial_id), ConsistentRead=True)
        item = answer.get("Item")
        return None if item is None else from_trial_item(item)

    def replace(self, row: TrialRow, before: TrialRow | None) -> bool:
        """Write a row where it is still the one that was read before.

        Parameters
        ----------
        row : TrialRow
            As it is to be.
        before : TrialRow | None
            As it was read or written last; None where there was none.

        Returns
        -------
        bool
            False where somebody else has written it meanwhile.
        """
        item: Any = to_item(row)
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(digest)"}
        if before is not None:
            old = to_item(before)
            condition = {
                "ConditionExpression": "job_id = :job AND changed_at = :changed",
                "ExpressionAttributeValues": {":job": old["job_id"], ":changed": old["changed_at"]},
            }
        try:
            self._client.put_item(TableName=self._table, Item=item, **condition)
        except ClientError as error:
            if not is_refused(error):
                raise
            # The client asks again where an answer is lost: then it is our own write that refuses the second one.
            return self.row(row.request.trial_id) == row
        return True
