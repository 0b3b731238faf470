"""The case stage's tables: the contract on moto and on the dicts that other tests use, and DynamoDB's refusals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from case.fold import UserCases, settle
from case.store import CaseTables, Tables
from tests.support.case_store_contract import LIMITS, CaseStoreContract, DynamoDbCaseTables, payment
from tests.support.payments import NOW
from tests.support.tables import make_table
from tests.unit.case.world import DictCaseTables

if TYPE_CHECKING:
    from collections.abc import Callable


class TestOnMoto(CaseStoreContract):
    @pytest.fixture
    def tables(self, aws: Callable[[str], Any]) -> DynamoDbCaseTables:
        client = aws("dynamodb")
        names = [
            make_table(client, name)
            for name in ("flagged_transactions", "cases", "case_links", "case_decisions")
        ]
        return DynamoDbCaseTables(client, *names)


class TestOnDicts(CaseStoreContract):
    @pytest.fixture
    def tables(self) -> DictCaseTables:
        return DictCaseTables()


class Cancelling:
    """A client whose transactions are cancelled for the reasons given."""

    class exceptions:  # noqa: N801
        class TransactionCanceledException(ClientError):  # noqa: N818
            pass

    def __init__(self, *reasons: str) -> None:
        self._reasons = reasons

    def transact_write_items(self, TransactItems: Any) -> None:  # noqa: N803
        raise self.exceptions.TransactionCanceledException(
            {
                "Error": {"Code": "TransactionCanceledException", "Message": "cancelled"},
                "CancellationReasons": [{"Code": reason} for reason in self._reasons],
            },
            "TransactWriteItems",
        )


@pytest.mark.parametrize(
    "reasons",
    [
        ("ConditionalCheckFailed", "None"),
        ("None", "TransactionConflict"),
        ("None", "ThrottlingError"),
        ("ProvisionedThroughputExceeded", "ConditionalCheckFailed"),
    ],
)
def test_a_change_that_another_worker_prevented_is_to_be_made_again(reasons: tuple[str, ...]) -> None:
    client: Any = Cancelling(*reasons)
    change = settle(payment(), UserCases(None, None), LIMITS, NOW)

    assert not CaseTables(client, Tables("f", "c", "l", "d")).write(payment().key, change)


def test_a_change_that_can_never_be_written_is_an_error() -> None:
    client: Any = Cancelling("ConditionalCheckFailed", "ValidationError")
    change = settle(payment(), UserCases(None, None), LIMITS, NOW)

    with pytest.raises(ClientError):
        CaseTables(client, Tables("f", "c", "l", "d")).write(payment().key, change)
