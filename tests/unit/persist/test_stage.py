"""Each payment that was not approved is stored once, whoever else uses its transaction id and however often it is delivered."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
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
    FlaggedKey,
    FlaggedTransaction,
    from_flagged_item,
    to_flagged_item,
)
from contract.scored import Decision, to_history_item
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
        self.items: dict[FlaggedKey, Mapping[str, Any]] = {}
        self.failing: set[str] = set()

    def insert(self, flagged: FlaggedTransaction) -> bool:
        if flagged.transaction_id in self.failing:
            raise ClientError({"Error": {"Code": "ThrottlingException"}}, "PutItem")
        if flagged.key in self.items:
            return False
        self.items[flagged.key] = to_flagged_item(flagged)
        return True

    @property
    def ids(self) -> set[str]:
        """Transaction ids of the rows."""
        return {item["transaction_id"]["S"] for item in self.items.values()}


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


@pytest.mark.parametrize(
    "changes",
    [
        {"user_id": "user-2"},
        {"amount": Decimal(9900)},
        {"payee_id": "payee-2"},
        {"timestamp": NOW - timedelta(minutes=2)},
    ],
    ids=["of another user", "another amount", "another payee", "another time"],
)
def test_reused_transaction_id_does_not_hide_the_second_payment(
    flagged_table: FlaggedTable, aws: Callable[[str], Any], changes: dict[str, Any]
) -> None:
    stage = Stage(flagged_table)
    both = make_scored(make_transaction()), make_scored(make_transaction(**changes))

    assert stage.deliver(*both, *both) == []

    items = aws("dynamodb").scan(TableName="flagged_transactions")["Items"]
    rows = [from_flagged_item(item) for item in items]
    assert {row.key for row in rows} == {(one.transaction.user_id, one.event_key) for one in both}
    assert [row.transaction_id for row in rows] == ["tx-1", "tx-1"]
    assert stage.metrics.total(Metric.TRANSACTIONS_FLAGGED) == 2
    assert stage.metrics.total(Metric.TRANSACTIONS_REDELIVERED) == 2


def test_row_says_what_the_payment_is_worth() -> None:
    stage = Stage()
    scored = payment("user-1", amount_base=Decimal("1375.20"), base_currency="CHF")

    stage.deliver(scored)

    (item,) = stage.rows.items.values()
    assert (item["amount_base"], item["base_currency"]) == ({"N": "1375.20"}, {"S": "CHF"})


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
    assert stage.rows.ids == {"tx-1", "tx-3"}
    assert stage.metrics.total(Metric.RECORDS_FAILED) == 1
    assert stage.log.lines[0]["error"] == "PutItem: ThrottlingException"


def test_row_that_cannot_be_read_fails_its_record_and_no_other() -> None:
    stage = Stage()
    good = to_history_item(payment("user-1"), 0)
    bad = good | {"detail": {"S": '{"t": "203.0.113.7"}'}}

    answer = stage.stage.handle(stream_event([bad, good]), Context())

    assert answer == {"batchItemFailures": [{"itemIdentifier": "100"}]}
    assert stage.log.lines[0]["error"] == "InvalidRowError: transaction_history.detail: cannot be read"
    assert stage.rows.ids == {"tx-1"}


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
