"""`transaction_history`: inserts that never overwrite, 25 a request, and a user's newest rows by one Query.

An insert by PartiQL costs the write units of a plain put, and answers ``DuplicateItem`` where the row exists. `BatchWriteItem`
takes no condition, and `TransactWriteItems` costs twice the units.
"""

from __future__ import annotations

import random
from datetime import timedelta
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec

from common.backoff import Backoff
from contract.clock import EPOCH, time_text
from contract.errors import InvalidRowError
from contract.scored import (
    FLAGGED_HISTORY_ATTRIBUTES,
    HISTORY_ATTRIBUTES,
    HISTORY_TABLE,
    Position,
    ScoredTransaction,
    from_history_item,
    to_history_item,
)
from score.dynamo_calls import (
    CALL_ERRORS,
    MAX_STATEMENTS,
    GetAnswer,
    NoAnswerError,
    Statement,
    attempts,
    chunks,
)
from score.errors import HistoryUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from score.dynamo_calls import DynamoCalls

MAX_ATTEMPTS: Final = 6
"""Tries of one request, as long as there is time."""
FIRST_BACKOFF_SECONDS: Final = 0.1
LONGEST_BACKOFF_SECONDS: Final = 1.0

QUERIES_AHEAD: Final = 8
"""Users whose rows are read at the same time: as many as the client has connections."""

MAX_PAGES: Final = 4
"""Pages of that many rows behind a checkpoint: 2,000 payments of a user within the day that a rebuild reads. A busier user's
checkpoint has folded the older ones, but for a payment that came late."""

REBUILD_ROWS: Final = 500
"""Rows that a profile is rebuilt from, the newest: about 5 a day over the longest window, and one page of a Query."""

_SECONDS_PER_DAY: Final = 86_400
_DUPLICATE: Final = "DuplicateItem"

RowKey = tuple[str, str]
"""``user_id`` and ``event_key``."""


class InsertResult(Enum):
    """The result of inserting one row."""

    STORED = auto()
    EXISTS = auto()
    """A row of this key existed already."""
    FAILED = auto()
    """Not stored in the time available; to be delivered again."""


class PastRow(msgspec.Struct, frozen=True):
    """A stored row of which only key and position were read: a checkpoint has folded most rows that a rebuild finds behind it."""

    event_key: str
    position: Position
    item: msgspec.Raw
    """The row in DynamoDB's wire form, JSON."""

    @classmethod
    def of(cls, item: msgspec.Raw) -> PastRow:
        """Read key and position of a row in DynamoDB's wire form; InvalidRowError where it has none."""
        try:
            place = _PLACES.decode(item)
            return cls(place.event_key.S, Position.parse(place.position.S), item)
        except (msgspec.DecodeError, ValueError) as error:
            raise InvalidRowError(
                HISTORY_TABLE, "event_key, position", "missing, or cannot be read"
            ) from error

    def scored(self) -> ScoredTransaction:
        """The whole row; InvalidRowError where it cannot be read."""
        return from_history_item(_ITEMS.decode(self.item))


class UnreadableRow(msgspec.Struct, frozen=True):
    """A stored row that nobody can read: damaged by a repair, say. A rebuild goes on without it."""

    event_key: str
    attribute: str
    """What is missing or cannot be read,"""
    problem: str
    """and what is wrong with it; never its value."""

    @classmethod
    def of(cls, event_key: str, error: InvalidRowError) -> UnreadableRow:
        """Say what ``error`` says of the row."""
        return cls(event_key, error.attribute, error.problem)


class NewestRows(msgspec.Struct, frozen=True):
    """The newest rows of a user."""

    user_id: str
    rows: list[PastRow]
    """Oldest first."""
    unreadable: list[UnreadableRow] = []
    """Those of which not even key and position can be read."""

    @classmethod
    def of(cls, user_id: str, items: Iterable[msgspec.Raw]) -> NewestRows:
        """Read the keys and positions of rows in DynamoDB's wire form, oldest first."""
        rows: list[PastRow] = []
        unreadable: list[UnreadableRow] = []
        for item in items:
            try:
                rows.append(PastRow.of(item))
            except InvalidRowError as error:
                event_key = _ITEMS.decode(item).get("event_key", {}).get("S", "")
                unreadable.append(UnreadableRow.of(event_key, error))
        return cls(user_id, rows, unreadable)


class HistoryStore(Protocol):
    """The calls that the stage makes."""

    def insert(self, rows: Sequence[ScoredTransaction], has_time: Callable[[], bool]) -> list[InsertResult]:
        """Insert all rows, overwrite none; as long as ``rows``, in their order."""
        ...

    def find(self, keys: Sequence[RowKey], has_time: Callable[[], bool]) -> dict[RowKey, ScoredTransaction]:
        """The rows of these keys; those that do not exist are left out."""
        ...

    def newest(
        self, after_ms: Mapping[str, int | None], has_time: Callable[[], bool]
    ) -> Iterator[NewestRows]:
        """For each user the newest rows: :data:`REBUILD_ROWS` at most, or all whose keys' times are later than the one given."""
        ...


class _Page(msgspec.Struct):
    """The answer to a `Query`. Its rows are not decoded: most are not needed."""

    Items: list[msgspec.Raw] = []
    LastEvaluatedKey: dict[str, Any] | None = None


class _Text(msgspec.Struct):
    S: str


class _Place(msgspec.Struct):
    """The attributes of a row that say which payment it is."""

    event_key: _Text
    position: _Text


_PAGES: Final = msgspec.json.Decoder(_Page)
_PLACES: Final = msgspec.json.Decoder(_Place)
_ITEMS: Final = msgspec.json.Decoder(dict[str, dict[str, Any]])
_GET_ANSWERS: Final = msgspec.json.Decoder(GetAnswer[dict[str, dict[str, Any]]])


class DynamoHistoryStore:
    """The history in DynamoDB.

    Parameters
    ----------
    calls : DynamoCalls
        To DynamoDB. They are not repeated there: this store retries single rows, and knows how much time is left.
    table : str
        Name of the table.
    retention_days : int
        How long a row is stored, from when it was scored.
    wait : Callable[[float], None]
        Waits the given seconds between tries; ``time.sleep``.
    draw : Callable[[], float]
        Gives a number in [0, 1).
    """

    def __init__(
        self,
        calls: DynamoCalls,
        table: str,
        retention_days: int,
        wait: Callable[[float], None],
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._calls = calls
        self._table = table
        self._retention_s = retention_days * _SECONDS_PER_DAY
        self._backoff = Backoff(FIRST_BACKOFF_SECONDS, LONGEST_BACKOFF_SECONDS, wait, draw)
        # Two texts for all rows: values are parameters, so no value of a payment is ever part of a statement.
        self._insert_statements = {
            len(names): _insert_statement(table, names)
            for names in (HISTORY_ATTRIBUTES, FLAGGED_HISTORY_ATTRIBUTES)
        }

    def insert(self, rows: Sequence[ScoredTransaction], has_time: Callable[[], bool]) -> list[InsertResult]:
        """Insert rows, 25 a request; retry rows that failed, with jitter.

        Parameters
        ----------
        rows : Sequence[ScoredTransaction]
            No two of the same key.
        has_time : Callable[[], bool]
            Whether another try still fits into the invocation.

        Returns
        -------
        list[InsertResult]
            As long as ``rows``, in their order.
        """
        results = [InsertResult.FAILED] * len(rows)
        statements = [self._statement(row) for row in rows]
        waiting = list(range(len(rows)))
        for _ in self._attempts(has_time):
            parts = list(chunks(waiting, MAX_STATEMENTS))
            answers = self._calls.execute([[statements[index] for index in part] for part in parts])
            for part, answer in zip(parts, answers, strict=True):
                if isinstance(answer, CALL_ERRORS):
                    # This may be a time-out after the rows were written: the next try then finds that they exist.
                    continue
                for index, code in zip(part, answer, strict=True):
                    results[index] = _result(code)
            waiting = [index for index in waiting if results[index] is InsertResult.FAILED]
            if not waiting:
                break
        return results

    def find(self, keys: Sequence[RowKey], has_time: Callable[[], bool]) -> dict[RowKey, ScoredTransaction]:
        """Look rows up by key, consistently.

        Raises
        ------
        HistoryUnavailableError
            Where DynamoDB does not answer in the time available.
        """
        wanted = [
            {"user_id": {"S": user_id}, "event_key": {"S": key}} for user_id, key in dict.fromkeys(keys)
        ]
        try:
            items = self._calls.get(self._table, wanted, _GET_ANSWERS, self._attempts(has_time))
        except NoAnswerError as error:
            raise HistoryUnavailableError(str(error)) from error
        return {(item["user_id"]["S"], item["event_key"]["S"]): from_history_item(item) for item in items}

    def newest(
        self, after_ms: Mapping[str, int | None], has_time: Callable[[], bool]
    ) -> Iterator[NewestRows]:
        """Read the newest rows of users, by one Query each, :data:`QUERIES_AHEAD` at the same time.

        Parameters
        ----------
        after_ms : Mapping[str, int | None]
            User to the time that the rows' keys must be later than, ms since the epoch; None for all rows.
        has_time : Callable[[], bool]
            Whether another try still fits into the invocation.

        Yields
        ------
        NewestRows
            One a user, in their order.

        Raises
        ------
        HistoryUnavailableError
            Where DynamoDB does not answer in the time available.
        """
        # Some at a time: 500 rows of every user of a batch at once would be more than the function's memory holds.
        for some in chunks(list(after_ms.items()), QUERIES_AHEAD):
            yield from self._newest(dict(some), has_time)

    def _statement(self, row: ScoredTransaction) -> Statement:
        scored_at_s = int(row.scored_at.timestamp())
        item = to_history_item(row, scored_at_s + self._retention_s)
        return {"Statement": self._insert_statements[len(item)], "Parameters": list(item.values())}

    def _newest(
        self, after_ms: Mapping[str, int | None], has_time: Callable[[], bool]
    ) -> Iterator[NewestRows]:
        """Read page after page, each of all users at once that have another one."""
        requests = {user_id: self._query_request(user_id, after) for user_id, after in after_ms.items()}
        items: dict[str, list[msgspec.Raw]] = {user_id: [] for user_id in after_ms}
        for _ in range(MAX_PAGES):
            try:
                pages = self._calls.query(list(requests.values()), _PAGES, self._attempts(has_time))
            except NoAnswerError as error:
                raise HistoryUnavailableError(str(error)) from error
            following = {}
            for (user_id, request), page in zip(requests.items(), pages, strict=True):
                items[user_id] += page.Items
                if page.LastEvaluatedKey is not None and after_ms[user_id] is not None:
                    following[user_id] = {**request, "ExclusiveStartKey": page.LastEvaluatedKey}
            requests = following
            if not requests:
                break
        for user_id, of_user in items.items():
            yield NewestRows.of(user_id, reversed(of_user))

    def _query_request(self, user_id: str, after_ms: int | None) -> dict[str, Any]:
        condition, values = "user_id = :user", {":user": {"S": user_id}}
        if after_ms is not None:
            condition += " AND event_key >= :first"
            values[":first"] = {"S": time_text(EPOCH + timedelta(milliseconds=after_ms + 1))}
        return {
            "TableName": self._table,
            "KeyConditionExpression": condition,
            "ExpressionAttributeValues": values,
            "ConsistentRead": True,
            "ScanIndexForward": False,
            "Limit": REBUILD_ROWS,
        }

    def _attempts(self, has_time: Callable[[], bool]) -> Iterator[int]:
        return attempts(MAX_ATTEMPTS, self._backoff, has_time)


def _insert_statement(table: str, names: Sequence[str]) -> str:
    fields = ", ".join(f"'{name}': ?" for name in names)
    return f'INSERT INTO "{table}" VALUE {{{fields}}}'


def _result(code: str | None) -> InsertResult:
    if code is None:
        return InsertResult.STORED
    return InsertResult.EXISTS if code == _DUPLICATE else InsertResult.FAILED
