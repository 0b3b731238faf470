"""How the history store inserts rows: requests, retries and waits, without a server."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import BotoCoreError

from contract.scored import (
    FLAGGED_HISTORY_ATTRIBUTES,
    HISTORY_ATTRIBUTES,
    Decision,
    Position,
    ScoredTransaction,
    to_history_item,
)
from score.dynamo_calls import MAX_STATEMENTS
from score.history_store import MAX_ATTEMPTS, InsertResult
from tests.support.payments import NOW, make_scored, make_transaction
from tests.unit.score.history_bench import DENIED, THROTTLED, Bench, Dynamo, bench
from tests.unit.score.time_left import always, never, times

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["bench"]

STORED, EXISTS, FAILED = InsertResult.STORED, InsertResult.EXISTS, InsertResult.FAILED


def results(*codes: str | None) -> dict[str, Any]:
    """The answer to an insert, by the error of each row."""
    return {"Responses": [{} if code is None else {"Error": {"Code": code}} for code in codes]}


def all_stored(client: Dynamo, _: Any) -> dict[str, Any]:
    return results(*[None] * len(client.requests[-1]["Statements"]))


def rows(count: int) -> list[ScoredTransaction]:
    return [
        make_scored(
            make_transaction(transaction_id=f"t-{number:03d}"),
            position=Position("transaction_stream", 1, number),
        )
        for number in range(count)
    ]


def ids(body: Any) -> list[str]:
    """Transactions of an insert's body."""
    place = list(HISTORY_ATTRIBUTES).index("event_key")
    return [one["Parameters"][place]["S"].partition("#")[2] for one in body["Statements"]]


def test_rows_are_inserted_25_a_request(bench: Callable[..., Bench]) -> None:
    one = bench(all_stored)

    assert one.store.insert(rows(51), always) == [STORED] * 51

    assert MAX_STATEMENTS == 25
    assert [ids(body) for body in one.client.requests] == [
        [f"t-{number:03d}" for number in range(start, stop)] for start, stop in ((0, 25), (25, 50), (50, 51))
    ]
    assert one.waits == []


def test_statement_inserts_every_attribute_as_a_parameter_and_expires_after_the_retention(
    bench: Callable[..., Bench],
) -> None:
    one = bench(all_stored)
    scored = make_scored(scored_at=NOW - timedelta(milliseconds=1))

    one.store.insert([scored], always)

    [statement] = one.client.requests[0]["Statements"]
    expires_at = int(NOW.timestamp()) - 1 + 400 * 86_400
    assert statement["Parameters"] == list(to_history_item(scored, expires_at).values())
    fields = ", ".join(f"'{name}': ?" for name in FLAGGED_HISTORY_ATTRIBUTES)
    assert statement["Statement"] == f'INSERT INTO "history" VALUE {{{fields}}}'


def test_an_approved_payment_s_statement_has_no_hour_so_that_it_is_in_no_index(
    bench: Callable[..., Bench],
) -> None:
    one = bench(all_stored)
    scored = make_scored(decision=Decision.APPROVE, risk_score=0, scored_at=NOW)

    one.store.insert([scored], always)

    [statement] = one.client.requests[0]["Statements"]
    assert "flag_hour" not in statement["Statement"]
    assert len(statement["Parameters"]) == len(HISTORY_ATTRIBUTES)


def test_existing_row_is_said_to_exist_and_is_not_tried_again(bench: Callable[..., Bench]) -> None:
    one = bench(results(None, "DuplicateItem", None))

    assert one.store.insert(rows(3), always) == [STORED, EXISTS, STORED]

    assert len(one.client.requests) == 1


def test_only_rows_that_failed_are_tried_again(bench: Callable[..., Bench]) -> None:
    one = bench(
        results(None, "ThrottlingError", "DuplicateItem", "InternalServerError"),
        results("Other", None),
        all_stored,
    )

    assert one.store.insert(rows(4), always) == [STORED, STORED, EXISTS, STORED]

    assert [ids(body) for body in one.client.requests] == [
        ["t-000", "t-001", "t-002", "t-003"],
        ["t-001", "t-003"],
        ["t-001"],
    ]
    assert one.waits == [0.05, 0.1]


@pytest.mark.parametrize("error", [THROTTLED, DENIED, BotoCoreError()])
def test_rows_of_a_request_without_an_answer_are_tried_six_times_and_fail(
    bench: Callable[..., Bench], error: Exception
) -> None:
    one = bench(error)

    assert one.store.insert(rows(2), always) == [FAILED] * 2

    assert len(one.client.requests) == MAX_ATTEMPTS == 6
    assert one.waits == [0.05, 0.1, 0.2, 0.4, 0.5]


@pytest.mark.parametrize(("has_time", "tries"), [(never, 1), (times(1), 2), (times(3), 4)])
def test_rows_are_tried_once_and_then_as_long_as_there_is_time(
    bench: Callable[..., Bench], has_time: Callable[[], bool], tries: int
) -> None:
    one = bench(THROTTLED)

    assert one.store.insert(rows(1), has_time) == [FAILED]

    assert (len(one.client.requests), len(one.waits)) == (tries, tries - 1)
