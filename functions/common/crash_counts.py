"""How often a record has crashed its stage: counted in a table, because a process that dies remembers nothing.

Lambda retries a record of our mappings until it is too old, so that no outage uses up its retries. A record that kills the process
would hold its partition or shard as long. So a stage counts a try before it begins, and takes it back when it has answered. What
remains are crashes; after :attr:`CrashLimits.maximum` of them the stage dead-letters the record itself.

Only a record that is alone in its batch and older than :attr:`CrashLimits.after_seconds` is counted: Lambda halves a batch that
crashes until the record is alone, and by then it is old. So a usual batch costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Protocol

import msgspec
from botocore.exceptions import BotoCoreError, ClientError
from msgspec import Meta

from common.errors import REFUSED_RECORD, StageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from mypy_boto3_dynamodb import DynamoDBClient

RETENTION_SECONDS: Final = 8 * 24 * 3600
"""How long a count is kept: longer than Lambda retries any record."""


class CrashSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a stage's settings that says what is counted."""

    record_crashes_table: str
    max_crashes: Annotated[int, Meta(ge=1, le=1000)]
    """Crashes after which a record is dead-lettered."""
    count_crashes_after_seconds: Annotated[int, Meta(ge=1, le=3600)]
    """Age from which a record that is alone in its batch is counted, s."""

    @property
    def crash_limits(self) -> CrashLimits:
        """The two numbers alone."""
        return CrashLimits(self.max_crashes, self.count_crashes_after_seconds)


class CrashLimits(msgspec.Struct, frozen=True):
    """When a record is counted, and when it is dead-lettered."""

    maximum: int
    """Crashes after which a record is dead-lettered, >= 1."""
    after_seconds: float
    """Age from which a record that is alone in its batch is counted."""


class CrashCounts(Protocol):
    """The calls that a stage makes to the table."""

    def begin(self, record: str) -> int:
        """Count one more try; return how many have begun and not ended, 0 if that is unknown."""
        ...

    def end(self, record: str) -> None:
        """Take back one try: it has ended without a crash."""
        ...

    def forget(self, record: str) -> None:
        """Remove the count: the record is done."""
        ...


class CrashTable:
    """The table ``record_crashes``. It never fails a batch: a count that cannot be written is one crash too few.

    Parameters
    ----------
    client : DynamoDBClient
        A low-level client.
    name : str
        The table's name in this environment.
    stage : str
        The stage that counts; two stages may read the same record.
    clock : Callable
        The time, aware.
    """

    def __init__(self, client: DynamoDBClient, name: str, stage: str, clock: Callable[[], datetime]) -> None:
        self._client = client
        self._name = name
        self._stage = stage
        self._clock = clock
        self._owed: dict[str, int] = {}

    def begin(self, record: str) -> int:
        """Count one more try, less those that ended while the table was unavailable."""
        owed = self._owed.pop(record, 0)
        try:
            return self._add(record, 1 - owed)
        except (ClientError, BotoCoreError):
            self._owe(record, owed)
            return 0

    def end(self, record: str) -> None:
        """Take back one try; if the table is unavailable, with the next try."""
        try:
            self._add(record, -1)
        except (ClientError, BotoCoreError):
            self._owe(record, 1)

    def forget(self, record: str) -> None:
        """Remove the count; if the table is unavailable, take back this try."""
        try:
            self._client.delete_item(TableName=self._name, Key=self._key(record))
        except (ClientError, BotoCoreError):
            self._owe(record, 1)

    def _owe(self, record: str, tries: int) -> None:
        # Only for records that failed in this process, so few.
        if tries:
            self._owed[record] = self._owed.get(record, 0) + tries

    def _add(self, record: str, tries: int) -> int:
        expires_at = int(self._clock().timestamp()) + RETENTION_SECONDS
        answer = self._client.update_item(
            TableName=self._name,
            Key=self._key(record),
            UpdateExpression="SET expires_at = :expires_at ADD crashes :tries",
            ExpressionAttributeValues={":expires_at": {"N": str(expires_at)}, ":tries": {"N": str(tries)}},
            ReturnValues="ALL_NEW",
        )
        return int(answer["Attributes"]["crashes"]["N"])

    def _key(self, record: str) -> dict[str, dict[str, str]]:
        return {"record_key": {"S": f"{self._stage}#{record}"}}


def is_of_the_record(error: Exception) -> bool:
    """Whether an error is the record's own, so that every try fails alike, and not an outage.

    Examples
    --------
    >>> is_of_the_record(ZeroDivisionError())
    True
    >>> is_of_the_record(StageError())
    False
    """
    match error:
        case StageError():
            return error.is_of_the_record
        case ClientError():
            return error.response.get("Error", {}).get("Code") in REFUSED_RECORD
    return not isinstance(error, BotoCoreError)
