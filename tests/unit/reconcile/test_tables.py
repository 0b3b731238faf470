"""Keys that DynamoDB leaves unprocessed are asked for again, after waits, and not for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from common.batch_requests import UnansweredError
from contract.flagged import FlaggedKey, to_flagged_key
from reconcile.tables import MAX_ROUNDS, Tables

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

KEYS = [FlaggedKey("user-1", f"key-{number}") for number in range(3)]


class Throttled:
    """DynamoDB that processes so many keys of each request."""

    def __init__(self, processed: int) -> None:
        self.processed = processed
        self.requests: list[Sequence[Mapping[str, Any]]] = []

    def batch_get_item(self, *, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803 - DynamoDB's name
        ((table, wanted),) = RequestItems.items()
        self.requests.append(wanted["Keys"])
        now, later = wanted["Keys"][: self.processed], wanted["Keys"][self.processed :]
        unprocessed = {table: {**wanted, "Keys": later}} if later else {}
        return {"Responses": {table: now}, "UnprocessedKeys": unprocessed}


def tables(client: Any, pauses: list[int]) -> Tables:
    return Tables(client, "history", "flagged", "cases", pauses.append)


def test_unprocessed_keys_are_asked_for_again_after_a_wait_each() -> None:
    client, pauses = Throttled(1), list[int]()

    rows = tables(client, pauses).flagged_rows(KEYS)

    assert rows == [to_flagged_key(key) for key in KEYS]
    assert [len(request) for request in client.requests] == [3, 2, 1]
    assert pauses == [0, 1]


def test_table_that_never_answers_is_named() -> None:
    client, pauses = Throttled(0), list[int]()

    with pytest.raises(UnansweredError) as failure:
        tables(client, pauses).history_rows(KEYS)

    assert (failure.value.table, failure.value.requests) == ("history", MAX_ROUNDS)
    assert str(failure.value) == f"history: keys remain unprocessed after {MAX_ROUNDS} requests"
    assert len(client.requests) == MAX_ROUNDS


def test_nothing_is_asked_for_no_keys() -> None:
    client = Throttled(0)

    assert tables(client, []).flagged_rows([]) == []
    assert client.requests == []
