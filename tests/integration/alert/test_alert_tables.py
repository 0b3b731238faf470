"""The alert stage's tables on AWS's own DynamoDB Local and on MiniStack: conditions, cancellations, both or neither."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from alert.store import Claim
from contract.alert import AlertState
from tests.support.alert_store_contract import AlertStoreContract, DynamoDbTables, decided, payment
from tests.support.payments import NOW
from tests.support.tables import make_table

if TYPE_CHECKING:
    from collections.abc import Callable

WORKERS = 8


def make_tables(client: Any, unique_name: Callable[[str], str]) -> DynamoDbTables:
    """Both tables under names of their own."""
    return DynamoDbTables(
        client,
        make_table(client, "flagged_transactions", unique_name),
        make_table(client, "alert_windows", unique_name),
    )


class ConcurrentContract(AlertStoreContract):
    """What only a server can show."""

    def test_of_workers_at_once_with_one_user_s_payments_one_claims(self, tables: DynamoDbTables) -> None:
        payments = [payment(f"tx-{number}") for number in range(WORKERS)]
        for flagged in payments:
            tables.insert(flagged)
        decisions = [decided(tables, flagged) for flagged in payments]

        with ThreadPoolExecutor(WORKERS) as workers:
            claims = list(
                workers.map(
                    lambda flagged, decision: tables.store.claim(flagged.key, decision, NOW),
                    payments,
                    decisions,
                )
            )

        rows = [tables.store.flagged(flagged.key) for flagged in payments]
        assert sorted(claim.name for claim in claims) == ["WINDOWS_CHANGED"] * (WORKERS - 1) + ["WRITTEN"]
        assert [row is not None and row.alert_state is AlertState.CLAIMED for row in rows] == [
            claim is Claim.WRITTEN for claim in claims
        ]


class TestOnDynamoDbLocal(ConcurrentContract):
    @pytest.fixture
    def tables(self, dynamodb_local: Any, unique_name: Callable[[str], str]) -> DynamoDbTables:
        return make_tables(dynamodb_local, unique_name)


class TestOnMiniStack(ConcurrentContract):
    @pytest.fixture
    def tables(self, aws_client: Callable[[str], Any], unique_name: Callable[[str], str]) -> DynamoDbTables:
        return make_tables(aws_client("dynamodb"), unique_name)
