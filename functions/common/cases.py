"""Rows of ``cases`` as their writers use them: read consistently, and written over exactly one version.

The stage `case` and the console change the same rows. Each reads a case, makes the next version, and writes that unless the other was
faster; then it reads again.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING, Any, Final, TypeVar

from common.backoff import Backoff
from common.errors import StageError
from contract.case import Case, CaseKey, from_case_item, to_case_item, to_case_key
from contract.errors import InvalidRowError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import ConditionCheckTypeDef, PutTypeDef

    from common.failures import FailureLog

_Row = TypeVar("_Row")

MAX_ATTEMPTS: Final = 8
"""How often a case is read again because another worker has changed it meanwhile."""

FIRST_BACKOFF_SECONDS: Final = 0.02
LONGEST_BACKOFF_SECONDS: Final = 0.5

TAKEN: Final = frozenset(
    {"ConditionalCheckFailed", "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}
)
"""Reasons of a cancelled transaction after which another try may succeed."""


class Write(Enum):
    """The result of writing a case."""

    WRITTEN = auto()
    CHANGED = auto()
    """Another worker has written the case, or is writing it."""
    SUPERSEDED = auto()
    """A case that is to be open again has a newer one after it."""


class CaseContentionError(StageError):
    """A case that others kept changing; whoever wanted to change it tries again later.

    Parameters
    ----------
    attempts : int
        How often it was tried.
    """

    def __init__(self, attempts: int) -> None:
        super().__init__(f"cases: changed by others during each of {attempts} attempts")
        self.attempts = attempts


def cases_backoff(wait: Callable[[float], None], draw: Callable[[], float]) -> Backoff:
    """Make the waits between attempts; ``wait`` and ``draw`` as for :class:`common.backoff.Backoff`."""
    return Backoff(FIRST_BACKOFF_SECONDS, LONGEST_BACKOFF_SECONDS, wait, draw)


def read_case(client: DynamoDBClient, table: str, key: CaseKey) -> Case | None:
    """Read a case, consistently; None where there is no row."""
    answer = client.get_item(TableName=table, Key=to_case_key(key), ConsistentRead=True)
    item = answer.get("Item")
    return None if item is None else from_case_item(item)


def read_newest(client: DynamoDBClient, table: str, case_owner: str) -> Case | None:
    """Read a user's newest case, consistently; None where there is none."""
    answer = client.query(
        TableName=table,
        KeyConditionExpression="case_owner = :owner",
        ExpressionAttributeValues={":owner": {"S": case_owner}},
        ScanIndexForward=False,
        Limit=1,
        ConsistentRead=True,
    )
    items = answer["Items"]
    return from_case_item(items[0]) if items else None


def readable(
    items: Iterable[Mapping[str, Any]], read: Callable[[Mapping[str, Any]], _Row], log: FailureLog
) -> Iterator[_Row]:
    """Read the entries of a list that people share. One that cannot be read is left out and reported: it must not keep them from the others."""
    for item in items:
        try:
            yield read(item)
        except InvalidRowError as error:
            report_unreadable(error, log)


def report_unreadable(error: InvalidRowError, log: FailureLog) -> None:
    """Report a case that is left out of a list."""
    fields = {"table": error.table, "attribute": error.attribute}
    log.error("A case cannot be read and is left out", extra=fields)


def case_put(table: str, case: Case) -> PutTypeDef:
    """Make the write of a case, which DynamoDB refuses unless the row is the version that it was made from.

    Parameters
    ----------
    table : str
        The table's name in this environment.
    case : Case
        Made from version ``case.version - 1``; version 0 is no row.
    """
    put: PutTypeDef = {
        "TableName": table,
        "Item": to_case_item(case),
        "ConditionExpression": "attribute_not_exists(case_owner)",
    }
    if case.version > 1:
        put["ConditionExpression"] = "version = :seen"
        put["ExpressionAttributeValues"] = {":seen": {"N": str(case.version - 1)}}
    return put


def unchanged_check(table: str, case: Case) -> ConditionCheckTypeDef:
    """Make the condition that a case has still this version."""
    return {
        "TableName": table,
        "Key": to_case_key(case.key),
        "ConditionExpression": "version = :seen",
        "ExpressionAttributeValues": {":seen": {"N": str(case.version)}},
    }


def newest_check(table: str, case: Case) -> ConditionCheckTypeDef:
    """Make the condition that a case is still its user's newest: only that one may be open."""
    return {
        "TableName": table,
        "Key": to_case_key(CaseKey(case.case_owner, case.case_number + 1)),
        "ConditionExpression": "attribute_not_exists(case_owner)",
    }
