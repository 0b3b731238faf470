"""Rows of ``ruleset_changes`` as all their writers use them: read, listed, and the row that says which ruleset is active."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from contract.active_ruleset import ACTIVE, ActiveRuleset
from contract.errors import InvalidRowError
from contract.items import from_item, to_item
from contract.ruleset_change import OPEN, OPEN_INDEX, RULESET_CHANGES_TABLE, RulesetChange, keys_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from mypy_boto3_dynamodb import DynamoDBClient

    from common.failures import FailureLog

_CONDITION_FAILED: Final = "ConditionalCheckFailedException"

FIRST_MONTH: Final = "2026-01"
"""No row is older than this month: the table is younger."""

ACTIVE_KEY: Final[dict[str, Any]] = {"changed_in": {"S": ACTIVE}, "change_key": {"S": ACTIVE}}
"""Key of the row that says which ruleset is active."""


HISTORY_MONTHS: Final = 24
"""How many months the history has, this one among them."""


class ChangeHistory:
    """The table, by the calls that list what was changed.

    A row that cannot be read is left out and reported: one row must not keep everybody from all the others. Every method raises ClientError or
    BotoCoreError when DynamoDB did not answer.

    Parameters
    ----------
    client : DynamoDBClient
        A low-level client.
    table : str
        Its name in this environment.
    log : FailureLog
        Gets a line for each row that is left out.
    count : Callable[[], None] | None
        Called for each row that is left out; None where nobody counts them.
    """

    def __init__(
        self, client: DynamoDBClient, table: str, log: FailureLog, count: Callable[[], None] | None = None
    ) -> None:
        self._client = client
        self._table = table
        self._log = log
        self._count = count

    def of_month(
        self, month: str, *, newest_first: bool = False, is_consistent: bool = False
    ) -> Iterator[RulesetChange]:
        """The changes that were proposed or made in a month, such as ``2026-12``."""
        return self._query(
            KeyConditionExpression="changed_in = :month",
            ExpressionAttributeValues={":month": {"S": month}},
            ScanIndexForward=not newest_first,
            ConsistentRead=is_consistent,
        )

    def lately(self, now: datetime) -> list[RulesetChange]:
        """The changes of this month and the one before, the oldest first, read consistently."""
        last = now.replace(day=1) - timedelta(days=1)
        months = (f"{last:%Y-%m}", f"{now:%Y-%m}")
        return [each for month in months for each in self.of_month(month, is_consistent=True)]

    def history(self, now: datetime, months: int = HISTORY_MONTHS) -> Iterator[RulesetChange]:
        """The changes of this month and those before it, so many in all, the newest first. Rows are read as they are needed."""
        month = now.replace(day=1)
        for _ in range(months):
            yield from self.of_month(f"{month:%Y-%m}", newest_first=True)
            month = (month - timedelta(days=1)).replace(day=1)

    def before(self, changed_in: str, change_key: str) -> Iterator[RulesetChange]:
        """All changes before a place, the newest first, down to the table's first month. Rows are read as they are needed.

        Parameters
        ----------
        changed_in, change_key : str
            The place, as :func:`contract.ruleset_change.change_keys` gives it; its own row is not given.
        """
        yield from self._query(
            KeyConditionExpression="changed_in = :month AND change_key < :key",
            ExpressionAttributeValues={":month": {"S": changed_in}, ":key": {"S": change_key}},
            ScanIndexForward=False,
        )
        while changed_in > FIRST_MONTH:
            month = date.fromisoformat(f"{changed_in}-01") - timedelta(days=1)
            changed_in = f"{month:%Y-%m}"
            yield from self.of_month(changed_in, newest_first=True)

    def _query(self, **request: Any) -> Iterator[RulesetChange]:
        for page in self._client.get_paginator("query").paginate(TableName=self._table, **request):
            for item in page["Items"]:
                try:
                    yield _change(item)
                except InvalidRowError as error:
                    self._leave_out(item, error)

    def _leave_out(self, item: Any, error: InvalidRowError) -> None:
        place = [item.get(name, {}).get("S") for name in ("changed_in", "change_key")]
        fields = {"table": error.table, "attribute": error.attribute, "row": place}
        self._log.error("A change of the ruleset cannot be read and is left out", extra=fields)
        if self._count is not None:
            self._count()


class MadeChanges(ChangeHistory):
    """The table, also by the calls that write what was done already. Raises as its base."""

    def put(self, change: RulesetChange) -> None:
        """Insert a row; one that exists stays as it is."""
        item: Any = to_item(change)
        self._put_if(item, "attribute_not_exists(change_key)", {})

    def put_ended(self, begun: RulesetChange, ended: RulesetChange) -> None:
        """Write a row anew that was begun; one that is not in that state any more stays as it is."""
        item: Any = to_item(ended)
        self._put_if(
            item,
            "#state = :begun",
            {
                "ExpressionAttributeNames": {"#state": "state"},
                "ExpressionAttributeValues": {":begun": {"S": begun.state.value}},
            },
        )

    def made(self, change_id: str) -> RulesetChange | None:
        """Read the row that an id names, consistently; None where there is none that can be read."""
        keys = keys_of(change_id)
        if keys is None:
            return None
        found = self._query(
            KeyConditionExpression="changed_in = :month AND change_key = :key",
            ExpressionAttributeValues={":month": {"S": keys[0]}, ":key": {"S": keys[1]}},
            ConsistentRead=True,
        )
        return next(found, None)

    def put_active(self, active: ActiveRuleset) -> None:
        """Write which ruleset is active, unless somebody has seen something newer."""
        item: Any = to_item(active)
        condition = "attribute_not_exists(change_key) OR #position < :position"
        names, values = {"#position": "position"}, {":position": {"N": str(active.position)}}
        if active.appconfig is not None:
            # AppConfig was created anew: its numbers begin again.
            condition += " OR (attribute_exists(appconfig) AND appconfig <> :appconfig)"
            values[":appconfig"] = {"S": active.appconfig}
        self._put_if(
            item, condition, {"ExpressionAttributeNames": names, "ExpressionAttributeValues": values}
        )

    def _put_if(self, item: Any, condition: str, names: dict[str, Any]) -> None:
        try:
            self._client.put_item(TableName=self._table, Item=item, ConditionExpression=condition, **names)
        except ClientError as error:
            if not is_refused(error):
                raise


class ChangeRows(MadeChanges):
    """The table, also by the calls that read one row, or what waits for somebody. Raises as its base, and InvalidRowError where one row cannot be read."""

    def active(self) -> ActiveRuleset | None:
        """Read which ruleset is active, consistently; None where nobody has written it yet."""
        item = self._get(ACTIVE_KEY)
        return None if item is None else from_item(RULESET_CHANGES_TABLE, item, ActiveRuleset)

    def change(self, changed_in: str, change_key: str) -> RulesetChange | None:
        """Read a row, consistently; None where there is none."""
        item = self._get({"changed_in": {"S": changed_in}, "change_key": {"S": change_key}})
        return None if item is None else _change(item)

    def open_changes(self) -> Iterator[RulesetChange]:
        """Changes at which something is still to be done, the oldest first, as the index has them: perhaps a second old."""
        return self._query(
            IndexName=OPEN_INDEX,
            KeyConditionExpression="open_in = :open",
            ExpressionAttributeValues={":open": {"S": OPEN}},
        )

    def _get(self, key: dict[str, Any]) -> dict[str, Any] | None:
        return self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")


def is_refused(error: ClientError) -> bool:
    """Whether a write was refused by its condition."""
    return error.response.get("Error", {}).get("Code") == _CONDITION_FAILED


def _change(item: Any) -> RulesetChange:
    return from_item(RULESET_CHANGES_TABLE, item, RulesetChange)
