"""How the history store finds rows and reads each user's newest ones: requests, pages and retries, without a server."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import BotoCoreError

from contract.clock import EPOCH, MILLISECOND, time_text
from contract.errors import InvalidRowError
from contract.scored import Position, ScoredTransaction, to_history_item
from score.dynamo_calls import MAX_KEYS
from score.errors import HistoryUnavailableError
from score.history_store import MAX_PAGES, QUERIES_AHEAD, REBUILD_ROWS
from tests.support.payments import NOW, make_scored, make_transaction
from tests.support.score_stores import past_row
from tests.unit.score.history_bench import BROKEN, DENIED, THROTTLED, Bench, Dynamo, bench
from tests.unit.score.time_left import always, never

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["bench"]


# Looking up positions


def found(client: Dynamo, request: Any) -> dict[str, Any]:
    """Every requested row."""
    names = [item["event_key"]["S"].partition("#")[2] for item in request["RequestItems"]["history"]["Keys"]]
    return {"Responses": {"history": [to_history_item(row_named(name), 0) for name in names]}}


def row_named(name: str) -> ScoredTransaction:
    """The row of a payment, stored from an offset that its name says."""
    payment = make_transaction(transaction_id=name)
    return make_scored(payment, position=Position("transaction_stream", 1, int(name)))


def keys(count: int) -> list[tuple[str, str]]:
    return [("user-1", row_named(str(number)).event_key) for number in range(count)]


def test_rows_are_looked_up_100_a_request_and_each_once(bench: Callable[..., Bench]) -> None:
    one = bench(found)

    rows = one.store.find([*keys(201), *keys(3)], always)

    assert MAX_KEYS == 100
    assert rows == {("user-1", row.event_key): row for row in (row_named(str(n)) for n in range(201))}
    assert [len(request["RequestItems"]["history"]["Keys"]) for request in one.client.requests] == [
        100,
        100,
        1,
    ]


def test_lookup_is_consistent(bench: Callable[..., Bench]) -> None:
    one = bench(found)

    one.store.find(keys(1), always)

    assert one.client.requests == [
        {
            "RequestItems": {
                "history": {
                    "Keys": [{"user_id": {"S": "user-1"}, "event_key": {"S": keys(1)[0][1]}}],
                    "ConsistentRead": True,
                }
            }
        }
    ]


def test_keys_that_were_not_processed_are_asked_for_again(bench: Callable[..., Bench]) -> None:
    keys_left = [{"user_id": {"S": "user-1"}, "event_key": {"S": keys(2)[1][1]}}]
    rest = {"history": {"Keys": keys_left, "ConsistentRead": True}}

    def first_of_two(client: Dynamo, request: Any) -> dict[str, Any]:
        answer = found(client, request)
        return {"Responses": {"history": answer["Responses"]["history"][:1]}, "UnprocessedKeys": rest}

    one = bench(first_of_two, found)

    assert one.store.find(keys(2), always).keys() == set(keys(2))

    assert one.client.requests[1] == {"RequestItems": rest}
    assert one.waits == [0.05]


def test_keys_that_remain_unprocessed_make_the_history_unavailable(bench: Callable[..., Bench]) -> None:
    one = bench({"Responses": {}, "UnprocessedKeys": {"history": {"Keys": [{}]}}})

    with pytest.raises(HistoryUnavailableError, match=r"^BatchGetItem: keys remain unprocessed$"):
        one.store.find(keys(1), always)

    assert len(one.client.requests) == 6


# Reading the newest rows


def page(client: Dynamo, request: Any) -> dict[str, Any]:
    """Three rows of the user, newest first."""
    user_id = request["ExpressionAttributeValues"][":user"]["S"]
    items = [
        to_history_item(make_scored(make_transaction(transaction_id=name, user_id=user_id)), 0)
        for name in "cba"
    ]
    return {"Items": items}


def test_newest_rows_of_each_user_are_given_oldest_first(bench: Callable[..., Bench]) -> None:
    one = bench(page)

    newest = list(one.store.newest({"user-2": None, "user-1": None}, always))

    assert [of_user.user_id for of_user in newest] == ["user-2", "user-1"]
    assert [[row.scored().transaction.transaction_id for row in of_user.rows] for of_user in newest] == [
        ["a", "b", "c"]
    ] * 2
    assert {row.scored().transaction.user_id for row in newest[0].rows} == {"user-2"}


def test_past_row_has_the_key_and_position_of_its_row() -> None:
    scored = make_scored(position=Position("stream", 3, 9))

    row = past_row(to_history_item(scored, 0))

    assert (row.event_key, row.position, row.scored()) == (scored.event_key, scored.position, scored)


@pytest.mark.parametrize("attribute", ["event_key", "position"])
@pytest.mark.parametrize("value", [None, {"N": "1"}])
def test_past_row_without_key_or_position_is_an_error(attribute: str, value: Any) -> None:
    item: dict[str, Any] = {**to_history_item(make_scored(), 0), attribute: value}

    with pytest.raises(InvalidRowError, match="event_key, position"):
        past_row(item)


def test_rows_behind_a_checkpoint_are_read_from_the_millisecond_after_it_page_by_page(
    bench: Callable[..., Bench],
) -> None:
    key = {"user_id": {"S": "user-1"}, "event_key": {"S": "x"}}

    def first_page(client: Dynamo, request: Any) -> dict[str, Any]:
        return page(client, request) | {"LastEvaluatedKey": key}

    one = bench(first_page, page)

    [newest] = one.store.newest({"user-1": 1_700_000_000_123}, always)

    assert len(newest.rows) == 6
    first, second = one.client.requests
    assert first["KeyConditionExpression"] == "user_id = :user AND event_key >= :first"
    assert first["ExpressionAttributeValues"][":first"] == {"S": "2023-11-14T22:13:20.124000Z"}
    assert second == first | {"ExclusiveStartKey": key}


def test_of_more_rows_behind_a_checkpoint_than_four_pages_the_newest_are_read(
    bench: Callable[..., Bench],
) -> None:
    key = {"user_id": {"S": "user-1"}, "event_key": {"S": "x"}}
    one = bench(lambda client, request: page(client, request) | {"LastEvaluatedKey": key})

    [newest] = one.store.newest({"user-1": 0}, always)

    assert (MAX_PAGES, len(one.client.requests), len(newest.rows)) == (4, 4, 12)


def test_query_is_consistent_bounded_and_newest_first(bench: Callable[..., Bench]) -> None:
    one = bench(page)

    list(one.store.newest({"user-1": None}, always))

    assert REBUILD_ROWS == 500
    assert one.client.requests == [
        {
            "TableName": "history",
            "KeyConditionExpression": "user_id = :user",
            "ExpressionAttributeValues": {":user": {"S": "user-1"}},
            "ConsistentRead": True,
            "ScanIndexForward": False,
            "Limit": 500,
        }
    ]


def test_rows_after_a_time_are_asked_for_by_their_keys(bench: Callable[..., Bench]) -> None:
    one = bench(page)

    list(one.store.newest({"user-1": (NOW - EPOCH) // MILLISECOND}, always))

    [request] = one.client.requests
    assert request["KeyConditionExpression"] == "user_id = :user AND event_key >= :first"
    after = time_text(NOW + timedelta(milliseconds=1))
    assert request["ExpressionAttributeValues"] == {":user": {"S": "user-1"}, ":first": {"S": after}}


MORE: Any = {"user_id": {"S": "user-1"}, "event_key": {"S": "k"}}


def with_more(client: Dynamo, request: Any) -> dict[str, Any]:
    """A page behind which there is another."""
    return page(client, request) | {"LastEvaluatedKey": MORE}


def test_all_rows_after_a_time_are_read_page_by_page(bench: Callable[..., Bench]) -> None:
    one = bench(with_more, with_more, page)

    [newest] = one.store.newest({"user-1": 0}, always)

    assert len(newest.rows) == 9
    starts = [request.get("ExclusiveStartKey") for request in one.client.requests]
    assert starts == [None, MORE, MORE]


@pytest.mark.parametrize(("after_ms", "pages"), [(0, MAX_PAGES), (None, 1)])
def test_no_more_than_some_pages_are_read(
    bench: Callable[..., Bench], after_ms: int | None, pages: int
) -> None:
    one = bench(with_more)

    [newest] = one.store.newest({"user-1": after_ms}, always)

    assert len(newest.rows) == 3 * pages
    assert len(one.client.requests) == pages


def test_no_more_than_some_users_are_read_at_the_same_time(bench: Callable[..., Bench]) -> None:
    one = bench(page)
    users = [f"user-{number:02d}" for number in range(40)]

    newest = one.store.newest(dict.fromkeys(users), always)
    first, *_ = [next(newest) for _ in range(QUERIES_AHEAD)]

    assert QUERIES_AHEAD == 8
    assert first.user_id == "user-00"
    assert len(one.client.requests) == 8
    assert [of_user.user_id for of_user in newest] == users[8:]


# Retrying reads
READS: Any = [
    ("Query", lambda store, has_time: list(store.newest({"user-1": None}, has_time)), page),
    ("BatchGetItem", lambda store, has_time: store.find(keys(1), has_time), found),
]


@pytest.mark.parametrize(("operation", "read", "answer"), READS)
@pytest.mark.parametrize("error", [THROTTLED, BROKEN, BotoCoreError()])
def test_read_that_fails_for_a_while_is_tried_again(
    bench: Callable[..., Bench], operation: str, read: Any, answer: Any, error: Exception
) -> None:
    one = bench(error, error, answer)

    assert len(read(one.store, always)) == 1

    assert len(one.client.requests) == 3
    assert one.waits == [0.05, 0.1]


@pytest.mark.parametrize(("operation", "read", "answer"), READS)
def test_read_that_fails_six_times_makes_the_history_unavailable(
    bench: Callable[..., Bench], operation: str, read: Any, answer: Any
) -> None:
    one = bench(BROKEN)

    with pytest.raises(HistoryUnavailableError, match=rf"^{operation}: InternalServerError$") as failure:
        read(one.store, always)

    assert failure.value.__cause__ is not None
    assert failure.value.__cause__.__cause__ is BROKEN
    assert len(one.client.requests) == 6


@pytest.mark.parametrize(("operation", "read", "answer"), READS)
@pytest.mark.parametrize(("error", "has_time"), [(DENIED, always), (THROTTLED, never)])
def test_read_that_is_refused_permanently_or_has_no_time_is_not_tried_again(
    bench: Callable[..., Bench],
    operation: str,
    read: Any,
    answer: Any,
    error: Exception,
    has_time: Callable[[], bool],
) -> None:
    one = bench(error)

    with pytest.raises(HistoryUnavailableError, match=operation):
        read(one.store, has_time)

    assert (len(one.client.requests), one.waits) == (1, [])
