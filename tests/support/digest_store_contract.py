"""What the digest stage relies on in its table: a sparse index of what is due, and writes over exactly one version.

A subclass gives the fixture ``table``.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from contract.alert import SuppressedPayments
from contract.alert_windows import DUE_SHARDS, UserWindows, claim_digest, due_shard, to_windows_item
from digest.store import Due, DueDigests
from tests.support.payments import NOW
from tests.support.tables import make_table

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime


class Table:
    """alert_windows, and what the alert stage writes into it."""

    def __init__(self, client: Any, name: Callable[[str], str] = str) -> None:
        self.client = client
        self.name = make_table(client, "alert_windows", name)
        self.store = DueDigests(client, self.name)

    def put(self, user_id: str, due_at: datetime | None) -> UserWindows:
        """A user with a suppressed payment, or without one."""
        suppressed = SuppressedPayments(
            0 if due_at is None else 1, f"count-of-{user_id}", {"USD": Decimal(5)}
        )
        windows = UserWindows(user_id=user_id, version=3, suppressed=suppressed, due_at=due_at)
        self.client.put_item(TableName=self.name, Item=to_windows_item(windows, NOW))
        return windows


class DueDigestsContract:
    """Tests of :class:`digest.store.DueDigests`."""

    def test_only_what_is_due_is_found_in_any_shard(self, table: Table) -> None:
        users = [f"user-{number}" for number in range(40)]
        for number, user in enumerate(users):
            table.put(user, NOW + timedelta(minutes=number - 20))
        table.put("user-without", None)

        found = set(table.store.due(NOW, 1_000))

        assert found == {
            Due(user, NOW + timedelta(minutes=number - 20)) for number, user in enumerate(users[:21])
        }
        assert len({due_shard(one.user_id) for one in found}) > 8

    def test_row_that_waits_for_nothing_is_not_in_the_index(self, table: Table) -> None:
        windows = table.put("user-1", NOW)

        table.store.replace(msgspec.structs.replace(windows, version=4, due_at=None), NOW)

        assert table.client.scan(TableName=table.name, IndexName="by_due")["Items"] == []
        assert "due_shard" not in table.client.scan(TableName=table.name)["Items"][0]

    def test_each_shard_gives_its_share_and_the_longest_waiting_first(self, table: Table) -> None:
        users = [user for number in range(200) if due_shard(user := f"user-{number}") == 3]
        for number, user in enumerate(users):
            table.put(user, NOW - timedelta(minutes=number))

        found = list(table.store.due(NOW, 2 * DUE_SHARDS))

        assert [one.user_id for one in found] == [users[-1], users[-2]]

    def test_row_is_read_back_as_it_was_written(self, table: Table) -> None:
        windows = table.put("user-1", NOW)
        claimed = claim_digest(windows, NOW)
        assert claimed is not None

        assert table.store.replace(claimed, NOW)

        assert table.store.windows_of("user-1") == claimed
        assert table.store.windows_of("user-2") == UserWindows(user_id="user-2")

    @pytest.mark.parametrize("version", [3, 5])
    def test_row_of_another_version_is_not_overwritten(self, table: Table, version: int) -> None:
        windows = table.put("user-1", NOW)

        written = table.store.replace(msgspec.structs.replace(windows, version=version, due_at=None), NOW)

        assert not written
        assert table.store.windows_of("user-1") == windows

    def test_row_that_expired_is_not_created_again(self, table: Table) -> None:
        assert not table.store.replace(UserWindows(user_id="user-1", version=2), NOW)
        assert table.client.scan(TableName=table.name)["Items"] == []
