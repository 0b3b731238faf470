"""Keys that DynamoDB leaves unprocessed are asked for again, after waits, and not for ever. Rows are settled as the case stage says."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from case.fold import is_settled
from common.batch_requests import UnansweredError
from contract.alert import AlertClaim, Severity, SuppressedPayments
from contract.case import CaseKey, Judgement, owner_of
from contract.flagged import (
    CONFIRMED_FRAUD,
    FALSE_POSITIVE,
    IN_REVIEW,
    OPEN,
    FlaggedKey,
    to_flagged_item,
    to_flagged_key,
)
from reconcile.tables import MAX_ROUNDS, Tables
from tests.support.payments import make_flagged

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


class Stored:
    """DynamoDB that has these rows of payments, whatever attributes are asked for, and every case."""

    def __init__(self, *items: Mapping[str, Any]) -> None:
        self._items = items

    def batch_get_item(self, *, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803 - DynamoDB's name
        ((table, wanted),) = RequestItems.items()
        return {"Responses": {table: self._items if table == "flagged" else wanted["Keys"]}}


IDS = st.sampled_from([None, "alert-1", "digest-1"])
MARKED = st.fixed_dictionaries(
    {
        "status": st.sampled_from([OPEN, IN_REVIEW, CONFIRMED_FRAUD, FALSE_POSITIVE]),
        "case_judgement": st.sampled_from([None, *(each.value for each in Judgement)]),
        "alert_claim": st.sampled_from(
            [None, AlertClaim(Severity.HIGH, datetime(2026, 3, 1, tzinfo=UTC), SuppressedPayments())]
        ),
        "alert_id": IDS,
        "suppression_id": IDS,
        "case_alert_id": IDS,
    }
)


@given(MARKED)
def test_a_row_is_settled_where_the_case_stage_says_so(marks: dict[str, Any]) -> None:
    flagged = make_flagged(case_id=CaseKey(owner_of("user-1"), 1).case_id, **marks)
    client: Any = Stored(to_flagged_item(flagged))

    found = tables(client, []).unfinished([flagged.key])

    assert found.unsettled == ([] if is_settled(flagged) else [flagged.key])
    assert (found.unflagged, found.uncased) == ([], [])
