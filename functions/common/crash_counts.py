"""How often a record has crashed its stage: counted in a table, because a process that dies remembers nothing.

Lambda retries a record of our mappings until it is too old, so that no outage uses up its retries. A record that kills the process
would hold its partition or shard as long. So a stage counts a try before it begins, and takes it back when it has answered. What
remains are crashes; after :attr:`CrashLimits.maximum` of them the stage dead-letters the record itself.

Only a record that is alone in its batch and older than :attr:`CrashLimits.after_seconds` is counted: Lambda halves a batch that
crashes until the record is alone, and by then it is old. So a usual batch costs nothing.
"""

from __future__ import annotations

from contextlib import suppress
from functools import cached_property
from secrets import token_hex
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Protocol

import msgspec
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from msgspec import Meta

from common.errors import REFUSED_RECORD, REFUSED_WRITE, StageError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from datetime import datetime

    from mypy_boto3_dynamodb import DynamoDBClient

COUNT_CLIENT_CONFIG: Final = Config(
    connect_timeout=1, read_timeout=1, retries={"mode": "standard", "total_max_attempts": 2}
)
"""Counting takes no time from the record: with the stages' own time-outs it took 23 of the 30 s that they have, the stage was then
killed, and each slow answer looked like a crash."""

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

    Each try has an id, and a row is the set of those that have not ended. So a request that DynamoDB executes without an answer, and
    botocore sends again, counts a try once, and takes it back once.

    Parameters
    ----------
    connect : Callable
        Makes a low-level client, when the first record is counted: few processes ever need one. See :data:`COUNT_CLIENT_CONFIG`.
    name : str
        The table's name in this environment.
    stage : str
        The stage that counts; two stages may read the same record.
    clock : Callable
        The time, aware.
    """

    def __init__(
        self, connect: Callable[[], DynamoDBClient], name: str, stage: str, clock: Callable[[], datetime]
    ) -> None:
        self._connect = connect
        self._name = name
        self._stage = stage
        self._clock = clock
        self._begun: dict[str, str] = {}
        self._unanswered: dict[str, str] = {}
        """Tries that may be in the table or not. Few: of records that were counted while the table was unavailable."""

    def begin(self, record: str) -> int:
        """Count one more try, but for one of this process that the table may hold by mistake: it is counted in its place."""
        attempt = self._unanswered.pop(record, None) or token_hex(4)
        try:
            tries = self._change(record, "ADD", attempt)
        except (ClientError, BotoCoreError):
            self._unanswered[record] = attempt
            return 0
        self._begun[record] = attempt
        return len(tries)

    def end(self, record: str) -> None:
        """Take back this process's try; if the table is unavailable, the next one is counted in its place."""
        attempt = self._begun.pop(record, None) or self._unanswered.pop(record, None)
        if attempt is None:
            return
        try:
            self._change(record, "DELETE", attempt)
        except (ClientError, BotoCoreError):
            self._unanswered[record] = attempt

    def forget(self, record: str) -> None:
        """Remove the count; if the table is unavailable, it remains until it expires."""
        self._begun.pop(record, None)
        self._unanswered.pop(record, None)
        with suppress(ClientError, BotoCoreError):
            self._client.delete_item(TableName=self._name, Key=self._key(record))

    @cached_property
    def _client(self) -> DynamoDBClient:
        return self._connect()

    def _change(self, record: str, change: Literal["ADD", "DELETE"], attempt: str) -> Collection[str]:
        expires_at = int(self._clock().timestamp()) + RETENTION_SECONDS
        answer = self._client.update_item(
            TableName=self._name,
            Key=self._key(record),
            UpdateExpression=f"SET expires_at = :expires_at {change} tries :attempt",
            ExpressionAttributeValues={":expires_at": {"N": str(expires_at)}, ":attempt": {"SS": [attempt]}},
            ReturnValues="ALL_NEW",
        )
        return answer["Attributes"].get("tries", {}).get("SS", ())

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
            answer: Mapping[str, Any] = error.response
            reasons = {reason.get("Code") for reason in answer.get("CancellationReasons", ())}
            return answer.get("Error", {}).get("Code") in REFUSED_RECORD or bool(reasons & REFUSED_WRITE)
    return not isinstance(error, BotoCoreError)
