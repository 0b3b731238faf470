"""Each payment that was not approved is stored once, whoever else uses its transaction id and however often it is delivered."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from common.metrics import MILLISECONDS
from contract.canary import canary_payment
from contract.flagged import (
    CANARY,
    CANARY_RETENTION,
    OPEN,
    FlaggedTransaction,
    from_flagged_item,
    to_flagged_item,
)
from contract.scored import Decision, to_history_item
from persist.errors import KeyTakenError
from persist.metrics import Metric
from persist.stage import PersistStage
from persist.store import FlaggedTable
from tests.support.crashes import make_crashes
from tests.support.payments import (
    NOW,
    RETENTION,
    Context,
    Log,
    Metrics,
    history_event,
    make_scored,
    make_transaction,
    stream_event,
)
from tests.support.tables import make_table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from contract.scored import ScoredTransaction


class Rows:
    """The table in a dict."""

    def __init__(self) -> None:
        self.items: dict[str, Mapping[str, Any]] = {}
        self.failing: set[str] = set()

    def insert(self, flagged: FlaggedTransaction) -> Mapping[str, Any] | None:
        if flagged.reported_transaction_id in self.failing:
            raise ClientError({"Error": {"Code": "ThrottlingException"}}, "PutItem")
        existing = self.items.get(flagged.transaction_id)
        if existing is None:
            self.items[flagged.transaction_id] = to_flagged_item(flagged)
        return existing


class Stage:
    """A stage with its surroundings."""

    def __init__(self, rows: Any = None) -> None:
        self.rows = Rows() if rows is None else rows
        self.metrics = Metrics()
        self.log = Log()
        self.stage = PersistStage(
            self.rows, RETENTION, self.metrics, self.log, make_crashes(), clock=lambda: NOW
        )

    def deliver(self, *scored: ScoredTransaction) -> list[str]:
        answer = self.stage.handle(history_event(*scored), Context())
        return [str(failure["itemIdentifier"]) for failure in answer["batchItemFailures"]]


def payment(user_id: str, transaction_id: str = "tx-1", **changes: Any) -> ScoredTransaction:
    return make_scored(make_transaction(user_id=user_id, transaction_id=transaction_id), **changes)


@pytest.fixture
def flagged_table(aws: Callable[[str], Any]) -> FlaggedTable:
    return FlaggedTable(aws("dynamodb"), make_table(aws("dynamodb"), "flagged_transactions"))


def test_suspicious_payment_is_stored_with_its_decision(
    flagged_table: FlaggedTable, aws: Callable[[str], Any]
) -> None:
    stage = Stage(flagged_table)

    assert stage.deliver(payment("user-1")) == []

    (item,) = aws("dynamodb").scan(TableName="flagged_transactions")["Items"]
    row = from_flagged_item(item)
    assert (row.transaction_id, row.status, row.flagged_at) == ("tx-1", "open", NOW)
    assert row.reasons == make_scored().reasons
    assert stage.metrics.total(Metric.TRANSACTIONS_FLAGGED) == 1
    assert stage.metrics.values[Metric.FLAG_LATENCY_MS] == [30_000]


def test_payment_that_is_redelivered_changes_nothing(
    flagged_table: FlaggedTable, aws: Callable[[str], Any]
) -> None:
    stage = Stage(flagged_table)
    stage.deliver(payment("user-1"))
    before = aws("dynamodb").scan(TableName="flagged_transactions")["Items"]

    assert stage.deliver(payment("user-1", risk_score=99), payment("user-1")) == []

    assert aws("dynamodb").scan(TableName="flagged_transactions")["Items"] == before
    assert stage.metrics.total(Metric.TRANSACTIONS_FLAGGED) == 1
    assert stage.metrics.total(Metric.TRANSACTIONS_REDELIVERED) == 2
    assert stage.metrics.total(Metric.TRANSACTION_ID_CONFLICT) == 0


def test_reused_transaction_id_does_not_hide_the_second_payment(
    flagged_table: FlaggedTable, aws: Callable[[str], Any]
) -> None:
    stage = Stage(flagged_table)
    both = payment("user-1"), payment("user-2")

    assert stage.deliver(*both, *both) == []

    items = aws("dynamodb").scan(TableName="flagged_transactions")["Items"]
    first, second = sorted((from_flagged_item(item) for item in items), key=lambda row: row.user_id)
    assert (first.transaction_id, first.transaction_id_conflict) == ("tx-1", False)
    assert second.transaction_id.startswith("tx-1~")
    assert len(second.transaction_id) == len("tx-1~") + 8
    assert second.transaction_id_conflict
    assert stage.metrics.total(Metric.TRANSACTION_ID_CONFLICT) == 1


def test_key_that_a_sender_guessed_is_replaced_by_the_full_digest() -> None:
    stage = Stage()
    stage.deliver(payment("user-1"), payment("user-2"))
    (guessed,) = (key for key in stage.rows.items if "~" in key)
    thief = Stage()

    assert thief.deliver(payment("thief", guessed), payment("user-1"), payment("user-2")) == []

    assert len(thief.rows.items) == 3
    assert {len(key) for key in thief.rows.items} == {len("tx-1"), len(guessed), len("tx-1~") + 64}


def test_payment_whose_every_key_is_taken_fails_and_is_named_by_its_position() -> None:
    class Full(Rows):
        def insert(self, flagged: FlaggedTransaction) -> Mapping[str, Any] | None:
            return {"user_id": {"S": "another"}}

    stage = Stage(Full())

    with pytest.raises(KeyTakenError) as failure:
        stage.stage.flag_row(to_history_item(payment("user-1"), 0))

    assert failure.value.position == "transaction_stream/3/42"
    assert str(failure.value) == (
        "flagged_transactions.transaction_id: every key of transaction_stream/3/42 holds another payment"
    )


@pytest.mark.parametrize("decision", [Decision.REVIEW, Decision.BLOCK])
def test_every_decision_but_approve_is_stored(decision: Decision) -> None:
    stage = Stage()

    stage.deliver(payment("user-1", decision=decision))

    assert len(stage.rows.items) == 1


def test_approved_payment_is_skipped_even_without_the_filter() -> None:
    stage = Stage()

    assert stage.deliver(payment("user-1", decision=Decision.APPROVE)) == []

    assert stage.rows.items == {}
    assert stage.metrics.total(Metric.RECORDS_RECEIVED) == 1


def test_payment_that_dynamodb_refuses_fails_alone() -> None:
    stage = Stage()
    stage.rows.failing = {"tx-2"}

    failed = stage.deliver(payment("a", "tx-1"), payment("a", "tx-2"), payment("a", "tx-3"))

    assert failed == ["101"]
    assert set(stage.rows.items) == {"tx-1", "tx-3"}
    assert stage.metrics.total(Metric.RECORDS_FAILED) == 1
    assert stage.log.lines[0]["error"] == "PutItem: ThrottlingException"


def test_row_that_cannot_be_read_fails_its_record_and_no_other() -> None:
    stage = Stage()
    good = to_history_item(payment("user-1"), 0)
    bad = good | {"detail": {"S": '{"t": "203.0.113.7"}'}}

    answer = stage.stage.handle(stream_event([bad, good]), Context())

    assert answer == {"batchItemFailures": [{"itemIdentifier": "100"}]}
    assert stage.log.lines[0]["error"] == "InvalidRowError: transaction_history.detail: cannot be read"
    assert set(stage.rows.items) == {"tx-1"}


def test_log_of_a_failure_holds_nothing_of_the_payment() -> None:
    stage = Stage()
    stage.rows.failing = {"tx-1"}

    stage.deliver(payment("user-1"))

    logged = str(stage.log.lines)
    assert all(secret not in logged for secret in ("user-1", "203.0.113.7", "tok_", "Paris", "1250"))


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["x", "y"]), st.integers(0, 2)), min_size=1)
)
def test_any_sequence_of_payments_gives_one_row_for_each(payments: list[tuple[str, str, int]]) -> None:
    stage = Stage()
    scored = [
        make_scored(
            make_transaction(
                user_id=user, transaction_id=transaction, timestamp=NOW - timedelta(seconds=seconds)
            )
        )
        for user, transaction, seconds in payments
    ]

    stage.deliver(*scored)
    stage.deliver(*reversed(scored))

    rows = [from_flagged_item(item) for item in stage.rows.items.values()]
    stored = sorted((row.user_id, row.event_key) for row in rows)
    assert stored == sorted({(one.transaction.user_id, one.event_key) for one in scored})
    assert stage.metrics.total(Metric.TRANSACTIONS_FLAGGED) == len(rows)


def test_only_latency_is_measured_in_milliseconds() -> None:
    assert [metric for metric in Metric if metric.unit is MILLISECONDS] == [Metric.FLAG_LATENCY_MS]


@pytest.mark.parametrize("changes", [{"user_id": "user-2"}, {"timestamp": NOW - timedelta(minutes=2)}])
def test_same_payment_means_same_user_and_same_event_key(changes: dict[str, Any]) -> None:
    stage = Stage()

    stage.deliver(payment("user-1"), make_scored(make_transaction(**changes)), payment("user-1"))

    assert len(stage.rows.items) == 2
    assert stage.metrics.values == {
        Metric.TRANSACTIONS_FLAGGED: [1, 1],
        Metric.TRANSACTION_ID_CONFLICT: [1],
        Metric.TRANSACTIONS_REDELIVERED: [1],
        Metric.FLAG_LATENCY_MS: [30_000, 30_000],
        Metric.RECORDS_RECEIVED: [3],
        Metric.RECORDS_FAILED: [0],
    }


def test_retention_counts_from_when_the_row_is_made() -> None:
    stage = Stage()

    stage.deliver(payment("user-1"))

    [item] = stage.rows.items.values()
    assert from_flagged_item(item).expires_at == int((NOW + RETENTION).timestamp())


def test_canary_is_stored_outside_the_review_queue_for_a_day_and_not_counted() -> None:
    stage = Stage()
    canary = make_scored(canary_payment("canary-flagged-1", NOW), decision=Decision.REVIEW)

    failed = stage.deliver(canary, payment("user-1", decision=Decision.REVIEW))

    rows = [from_flagged_item(item) for item in stage.rows.items.values()]
    assert failed == []
    assert {row.user_id: row.status for row in rows} == {"canary-flagged-1": CANARY, "user-1": OPEN}
    assert rows[0].expires_at == int((NOW + CANARY_RETENTION).timestamp())
    assert stage.metrics.values[Metric.TRANSACTIONS_FLAGGED] == [1]
    assert len(stage.metrics.values[Metric.FLAG_LATENCY_MS]) == 1
