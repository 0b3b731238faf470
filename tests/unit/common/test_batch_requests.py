"""Rows that DynamoDB leaves unprocessed are asked for again, after waits, and not for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from common.batch_requests import BatchReader, BatchWriter, UnansweredError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

KEYS = [{"user_id": {"S": f"user-{number}"}} for number in range(3)]
WRITES = [{"DeleteRequest": {"Key": key}} for key in KEYS]
MAX_REQUESTS = 4


class Throttled:
    """DynamoDB that processes so many rows of each request."""

    def __init__(self, processed: int) -> None:
        self.processed = processed
        self.requests: list[Sequence[Mapping[str, Any]]] = []

    def batch_get_item(self, *, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803 - DynamoDB's name
        ((table, wanted),) = RequestItems.items()
        assert wanted["ConsistentRead"]
        now, later = self._divided(wanted["Keys"])
        unprocessed = {table: {**wanted, "Keys": later}} if later else {}
        return {"Responses": {table: now}, "UnprocessedKeys": unprocessed}

    def batch_write_item(self, *, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803 - DynamoDB's name
        ((table, writes),) = RequestItems.items()
        _, later = self._divided(writes)
        return {"UnprocessedItems": {table: later} if later else {}}

    def _divided(self, rows: Sequence[Any]) -> tuple[Sequence[Any], Sequence[Any]]:
        self.requests.append(rows)
        return rows[: self.processed], rows[self.processed :]


def reader(client: Any, pauses: list[int]) -> BatchReader:
    return BatchReader(client, MAX_REQUESTS, pauses.append)


def writer(client: Any, pauses: list[int]) -> BatchWriter:
    return BatchWriter(client, MAX_REQUESTS, pauses.append)


def test_unprocessed_keys_are_asked_for_again_after_a_wait_each() -> None:
    client, pauses = Throttled(1), list[int]()

    rows = list(reader(client, pauses).rows("history", KEYS))

    assert rows == KEYS
    assert client.requests == [KEYS, KEYS[1:], KEYS[2:]]
    assert pauses == [0, 1]


def test_unprocessed_writes_are_sent_again_after_a_wait_each() -> None:
    client, pauses = Throttled(2), list[int]()

    writer(client, pauses).write("entity_risk", WRITES)

    assert client.requests == [WRITES, WRITES[2:]]
    assert pauses == [0]


def test_table_that_never_answers_is_named() -> None:
    client, pauses = Throttled(0), list[int]()

    with pytest.raises(UnansweredError) as read:
        list(reader(client, pauses).rows("history", KEYS))
    with pytest.raises(UnansweredError) as written:
        writer(client, pauses).write("entity_risk", WRITES)

    assert (read.value.table, read.value.requests) == ("history", MAX_REQUESTS)
    assert (written.value.table, written.value.requests) == ("entity_risk", MAX_REQUESTS)
    assert len(client.requests) == 2 * MAX_REQUESTS
    assert pauses == [0, 1, 2] * 2


def test_nothing_is_asked_for_no_rows() -> None:
    client = Throttled(0)

    assert list(reader(client, []).rows("history", [])) == []
    writer(client, []).write("entity_risk", [])

    assert client.requests == []
