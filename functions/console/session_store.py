"""The table of sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from console.sessions import SESSIONS_TABLE, Session
from contract.clock import time_text
from contract.errors import InvalidRowError
from contract.items import from_item, to_item

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from common.failures import FailureLog

LISTED: Final = 200
"""Most sessions that a page lists."""


class SessionStore:
    """Sessions. Every call may raise ClientError and BotoCoreError.

    Parameters
    ----------
    client
        A boto3 DynamoDB client.
    table : str
        The table's name in this environment.
    log : FailureLog
        Gets a line for each row that cannot be read and is left out of the list.
    """

    def __init__(self, client: Any, table: str, log: FailureLog) -> None:
        self._client = client
        self._table = table
        self._log = log

    def insert(self, row: Session) -> None:
        """Insert a new row; its key is random."""
        self._client.put_item(
            TableName=self._table,
            Item=to_item(row),
            ConditionExpression="attribute_not_exists(session_key)",
        )

    def session(self, session_key: str) -> Session | None:
        """Read a session as it is now: a revoked one counts no longer from the next page on."""
        answer = self._client.get_item(TableName=self._table, Key=_key(session_key), ConsistentRead=True)
        item = answer.get("Item")
        return None if item is None else from_item(SESSIONS_TABLE, item, Session)

    def seen(self, session_key: str, now: datetime) -> None:
        """Say that a session was used; one that was revoked meanwhile stays as it is."""
        self._set(session_key, "seen_at", now, "attribute_exists(session_key)")

    def revoke(self, session_key: str, now: datetime) -> None:
        """End a session; one that is gone, or was ended before, stays as it is."""
        condition = "attribute_exists(session_key) AND attribute_not_exists(revoked_at)"
        self._set(session_key, "revoked_at", now, condition)

    def newest(self) -> list[Session]:
        """List sessions, the ones used last first, at most :data:`LISTED`."""
        sessions = sorted(self._all(), key=lambda session: session.seen_at, reverse=True)
        return sessions[:LISTED]

    def _all(self) -> Iterator[Session]:
        # A row for each person and working day, and only of people who have a group: a scan reads a few hundred.
        request: dict[str, Any] = {"TableName": self._table}
        while True:
            answer = self._client.scan(**request)
            for item in answer["Items"]:
                # Another version of the console may have written a row; it must not keep people from all the others.
                try:
                    yield from_item(SESSIONS_TABLE, item, Session)
                except InvalidRowError as error:
                    fields = {"table": error.table, "attribute": error.attribute}
                    self._log.error("A session cannot be read and is left out", extra=fields)
            if "LastEvaluatedKey" not in answer:
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def _set(self, session_key: str, attribute: str, at: datetime, condition: str) -> None:
        try:
            self._client.update_item(
                TableName=self._table,
                Key=_key(session_key),
                UpdateExpression=f"SET {attribute} = :at",
                ConditionExpression=condition,
                ExpressionAttributeValues={":at": {"S": time_text(at)}},
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return


def _key(session_key: str) -> dict[str, Any]:
    return {"session_key": {"S": session_key}}
