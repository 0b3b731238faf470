"""Rows of trials in ``rollout_counts``, as the console starts and shows them and the replay function writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from common.ruleset_changes import is_refused
from contract.items import from_item, to_item
from contract.rollout_rows import ROLLOUT_COUNTS_TABLE
from contract.trial_row import PLACES, TrialPlace, from_trial_item, place_for, to_place_key, to_trial_key

if TYPE_CHECKING:
    from datetime import datetime

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
        is_put = self._put(row, before, ("job_id", "changed_at"))
        # The client asks again where an answer is lost: then it is our own write that refuses the second one.
        return is_put or self.row(row.request.trial_id) == row

    def take_place(self, row: TrialRow, now: datetime) -> bool:
        """Take one of the places for jobs that run at once.

        Parameters
        ----------
        row : TrialRow
            The job's, which is written already: else somebody would find the place free.
        now : datetime
            UTC.

        Returns
        -------
        bool
            False where a job works in each.
        """
        for number in range(PLACES):
            before = self._place(number)
            if before is not None and before.is_taken(self.row(before.trial_id), now):
                continue
            place = place_for(row, number)
            if self._put(place, before, ("job_id",)) or self._place(number) == place:
                return True
        return False

    def _place(self, number: int) -> TrialPlace | None:
        answer = self._client.get_item(TableName=self._table, Key=to_place_key(number), ConsistentRead=True)
        item = answer.get("Item")
        return None if item is None else from_item(ROLLOUT_COUNTS_TABLE, item, TrialPlace)

    def _put(
        self, row: TrialRow | TrialPlace, before: TrialRow | TrialPlace | None, same: tuple[str, ...]
    ) -> bool:
        """Write a row where it is still as it was read in some attributes; False where it is not."""
        item: Any = to_item(row)
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(digest)"}
        if before is not None:
            old = to_item(before)
            condition = {
                "ConditionExpression": " AND ".join(f"{name} = :{name}" for name in same),
                "ExpressionAttributeValues": {f":{name}": old[name] for name in same},
            }
        try:
            self._client.put_item(TableName=self._table, Item=item, **condition)
        except ClientError as error:
            if not is_refused(error):
                raise
            return False
        return True
