"""A user's row of ``alert_windows`` as its two writers use it: read consistently, and written over exactly one version.

The alert stage and the digest stage change the same row. Each reads it, makes the next version, and writes that unless the other was
faster; then it reads again. How often and how patiently is the same for both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from common.backoff import Backoff
from common.errors import StageError
from contract.alert_windows import UserWindows, from_windows_item, to_windows_item

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import PutTypeDef

MAX_ATTEMPTS: Final = 8
"""How often a user's windows are read again because another worker changed them meanwhile."""

FIRST_BACKOFF_SECONDS: Final = 0.02
LONGEST_BACKOFF_SECONDS: Final = 0.5


class ContentionError(StageError):
    """A user's alert windows that other workers kept changing; whoever wanted to change them tries again later.

    Parameters
    ----------
    attempts : int
        How often it was tried.
    """

    def __init__(self, attempts: int) -> None:
        super().__init__(f"alert_windows: changed by other workers during each of {attempts} attempts")
        self.attempts = attempts


def windows_backoff(wait: Callable[[float], None], draw: Callable[[], float]) -> Backoff:
    """Make the waits between attempts; ``wait`` and ``draw`` as for :class:`common.backoff.Backoff`."""
    return Backoff(FIRST_BACKOFF_SECONDS, LONGEST_BACKOFF_SECONDS, wait, draw)


def read_windows(client: DynamoDBClient, table: str, user_id: str) -> UserWindows:
    """Read a user's windows, consistently; empty ones of version 0 where there is no row."""
    answer = client.get_item(TableName=table, Key={"user_id": {"S": user_id}}, ConsistentRead=True)
    item = answer.get("Item")
    return UserWindows(user_id=user_id) if item is None else from_windows_item(item)


def windows_put(table: str, windows: UserWindows, now: datetime) -> PutTypeDef:
    """Make the write of a user's windows, which DynamoDB refuses unless the row is the version that they were made from.

    Parameters
    ----------
    table : str
        The table's name in this environment.
    windows : UserWindows
        Made from version ``windows.version - 1``; version 0 is no row.
    now : datetime
        The clock, aware; for the row's expiry.
    """
    put: PutTypeDef = {
        "TableName": table,
        "Item": to_windows_item(windows, now),
        "ConditionExpression": "attribute_not_exists(user_id)",
    }
    if windows.version > 1:
        put["ConditionExpression"] = "version = :seen"
        put["ExpressionAttributeValues"] = {":seen": {"N": str(windows.version - 1)}}
    return put
