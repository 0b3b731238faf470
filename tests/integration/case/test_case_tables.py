"""Cases on AWS's own DynamoDB Local and on MiniStack: the stage's transactions, and people who press "next", or decide, at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from case.stage import CaseStage
from common.cases import CaseContentionError, cases_backoff
from contract.flagged import to_flagged_item
from tests.support.case_desk_contract import CaseDeskContract, DeskTable
from tests.support.case_lookup_contract import CaseLookupContract, LookupTables
from tests.support.case_store_contract import LIMITS, CaseStoreContract, DynamoDbCaseTables, payment
from tests.support.case_verdict_contract import CaseVerdictContract
from tests.support.case_verdict_world import NAMES, VerdictTables
from tests.support.contest_contract import ContestContract
from tests.support.crashes import make_crashes
from tests.support.payments import NOW, Log, Metrics
from tests.support.second_look_contract import SecondLookContract
from tests.support.tables import make_table

if TYPE_CHECKING:
    from collections.abc import Callable

    from contract.flagged import FlaggedTransaction

WORKERS = 4


def make_tables(client: Any, unique_name: Callable[[str], str]) -> DynamoDbCaseTables:
    """The four tables under names of their own."""
    names = [
        make_table(client, name, unique_name)
        for name in ("flagged_transactions", "cases", "case_links", "case_decisions")
    ]
    return DynamoDbCaseTables(client, *names)


class ConcurrentContract(CaseStoreContract):
    """What only a server can show."""

    def test_workers_at_once_count_each_of_a_user_s_payments_once(self, tables: DynamoDbCaseTables) -> None:
        payments = [payment(f"tx-{number}") for number in range(12)]
        for flagged in payments:
            tables.put(flagged)
        stage = CaseStage(
            tables.store,
            LIMITS,
            Metrics(),
            Log(),
            make_crashes(),
            lambda: NOW,
            cases_backoff(lambda _: None, lambda: 0.5),
        )

        def take(flagged: FlaggedTransaction) -> None:
            while True:  # as often as Lambda delivers a record
                try:
                    return stage.take(to_flagged_item(flagged))
                except CaseContentionError:
                    continue

        with ThreadPoolExecutor(WORKERS) as workers:
            list(workers.map(take, payments * 2))

        (case,) = tables.cases()
        assert case.undecided.payments == len(payments) == case.version
        assert {row.case_id for row in tables.rows()} == {case.case_id}


class TestOnDynamoDbLocal(ConcurrentContract):
    @pytest.fixture
    def tables(self, dynamodb_local: Any, unique_name: Callable[[str], str]) -> DynamoDbCaseTables:
        return make_tables(dynamodb_local, unique_name)


class TestOnMiniStack(ConcurrentContract):
    @pytest.fixture
    def tables(
        self, aws_client: Callable[[str], Any], unique_name: Callable[[str], str]
    ) -> DynamoDbCaseTables:
        return make_tables(aws_client("dynamodb"), unique_name)


class TestDeskOnDynamoDbLocal(CaseDeskContract):
    @pytest.fixture
    def table(self, dynamodb_local: Any, unique_name: Callable[[str], str]) -> DeskTable:
        return DeskTable(dynamodb_local, make_table(dynamodb_local, "cases", unique_name))


class TestDeskOnMiniStack(CaseDeskContract):
    @pytest.fixture
    def table(self, aws_client: Callable[[str], Any], unique_name: Callable[[str], str]) -> DeskTable:
        client = aws_client("dynamodb")
        return DeskTable(client, make_table(client, "cases", unique_name))


class OnDynamoDbLocal:
    """The tables on which people decide, on DynamoDB Local."""

    @pytest.fixture
    def tables(self, dynamodb_local: Any, unique_name: Callable[[str], str]) -> VerdictTables:
        return VerdictTables(
            dynamodb_local, *(make_table(dynamodb_local, name, unique_name) for name in NAMES)
        )


class OnMiniStack:
    """The same on MiniStack."""

    @pytest.fixture
    def tables(self, aws_client: Callable[[str], Any], unique_name: Callable[[str], str]) -> VerdictTables:
        client = aws_client("dynamodb")
        return VerdictTables(client, *(make_table(client, name, unique_name) for name in NAMES))


class TestVerdictsOnDynamoDbLocal(OnDynamoDbLocal, CaseVerdictContract):
    """What people decide."""


class TestVerdictsOnMiniStack(OnMiniStack, CaseVerdictContract):
    """What people decide."""


class TestSecondLooksOnDynamoDbLocal(OnDynamoDbLocal, SecondLookContract):
    """What a second person looks at."""


class TestContestsOnDynamoDbLocal(OnDynamoDbLocal, ContestContract):
    """What is withdrawn beside the labels of others."""


class TestLookupsOnDynamoDbLocal(CaseLookupContract):
    @pytest.fixture
    def tables(self, dynamodb_local: Any, unique_name: Callable[[str], str]) -> LookupTables:
        names = [make_table(dynamodb_local, name, unique_name) for name in ("cases", "case_links")]
        return LookupTables(dynamodb_local, *names)
