"""The label stage's tables, as moto keeps them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from common.batch_requests import UnansweredError
from contract.flagged import FlaggedKey
from label.store import MAX_ROUNDS, Flagged, LabelStore, Tables
from tests.support.label_store_contract import LabelStoreContract
from tests.support.label_world import LabelWorld, MemoryBackend


@pytest.fixture
def memory_world() -> LabelWorld:
    return LabelWorld(MemoryBackend())


class TestLabelStore(LabelStoreContract):
    """With moto."""


class Conflicting:
    """A client whose updates are refused some times because a transaction is writing the row."""

    class exceptions:  # noqa: N801
        class ConditionalCheckFailedException(ClientError):  # noqa: N818
            pass

        class TransactionConflictException(ClientError):  # noqa: N818
            pass

    def __init__(self, conflicts: int) -> None:
        self.conflicts = conflicts

    def update_item(self, **_: object) -> None:
        self.conflicts -= 1
        if self.conflicts >= 0:
            raise self.exceptions.TransactionConflictException({}, "UpdateItem")


@pytest.mark.parametrize("conflicts", [0, 1, MAX_ROUNDS - 1])
def test_a_row_that_a_transaction_is_writing_gets_its_status_afterwards(conflicts: int) -> None:
    client: Any = Conflicting(conflicts)
    waits: list[int] = []
    store = LabelStore(client, Tables("l", "f", "r", "p"), timedelta(days=1), waits.append)

    assert store.set_status(FlaggedKey("user-1", "key"), None) is Flagged.SET

    assert waits == list(range(conflicts))


def test_a_row_that_transactions_keep_writing_is_tried_again_with_the_message() -> None:
    client: Any = Conflicting(MAX_ROUNDS)
    store = LabelStore(client, Tables("l", "f", "r", "p"), timedelta(days=1), lambda _: None)

    with pytest.raises(UnansweredError) as refusal:
        store.set_status(FlaggedKey("user-1", "key"), None)

    assert refusal.value.table == "f"
