"""The tables of labels as the upkeep reads them, with moto."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from contract.clock import time_text
from contract.label_rows import DUE_SHARDS, PendingLabel, Unfinished, due_shard
from label_upkeep.store import UpkeepTables
from tests.support.label_world import Calls, DynamoBackend
from tests.support.labels import make_label, make_withdrawal
from tests.support.payments import NOW

if TYPE_CHECKING:
    from collections.abc import Callable

    from label.store import LabelStore

HOUR = timedelta(hours=1)
MERCHANTS = [f"m:{number:016}" for number in range(3)]


@pytest.fixture
def dynamo(aws: Callable[[str], Any]) -> DynamoBackend:
    return DynamoBackend(aws("dynamodb"))


@pytest.fixture
def tables(dynamo: DynamoBackend) -> UpkeepTables:
    return UpkeepTables(dynamo.client, "entity_risk", "pending_labels")


@pytest.fixture
def store(dynamo: DynamoBackend) -> LabelStore:
    store: LabelStore = dynamo.parts(Calls())[2]
    return store


def pending(pending_id: str, due_at: timedelta) -> PendingLabel:
    return PendingLabel(
        pending_id=pending_id,
        message="{}",
        reason=Unfinished.NO_PAYMENT,
        first_at=NOW,
        due_at=NOW + due_at,
        due_shard=due_shard(pending_id),
    )


def test_only_what_is_due_is_found_in_any_shard(tables: UpkeepTables, store: LabelStore) -> None:
    for number in range(20):
        store.wait(pending(f"p-{number}", (number - 10) * HOUR))

    found = set(tables.due(NOW, 1_000))

    assert found == {f"p-{number}" for number in range(11)}
    assert {due_shard(each) for each in found} == set(range(DUE_SHARDS))


def test_row_is_read_back_postponed_and_deleted(tables: UpkeepTables, store: LabelStore) -> None:
    row = pending("p-1", HOUR)
    store.wait(row)

    assert tables.pending("p-1") == row
    tables.postpone("p-1", NOW + 2 * HOUR)
    assert tables.pending("p-1") == pending("p-1", 2 * HOUR)
    tables.delete("p-1")
    assert tables.pending("p-1") is None


def test_label_that_was_finished_is_not_made_again(tables: UpkeepTables) -> None:
    tables.postpone("p-1", NOW)

    assert tables.pending("p-1") is None


def test_table_is_read_in_parts_that_name_each_partition(tables: UpkeepTables, store: LabelStore) -> None:
    for number, merchant in enumerate(MERCHANTS * 2):
        label = make_label(event_key=f"e-{number}", entity_ids=(merchant,))
        store.set_risk(label, label, may_have_counted=False)
    found, after, parts = [], None, 0

    while parts == 0 or after is not None:
        page = tables.page("entity_risk", "entity_id", after, 4)
        found += page.partitions
        after, parts = page.after, parts + 1

    assert set(found) == {*MERCHANTS, "day#2026-03-01"}
    assert parts >= 3


def test_parts_name_the_entities_of_withdrawals_alone(tables: UpkeepTables, store: LabelStore) -> None:
    fraud = make_label(entity_ids=(MERCHANTS[0],))
    touched = (MERCHANTS[1], MERCHANTS[2])
    store.insert(fraud)
    store.insert(make_withdrawal(fraud, event_key="e-1", entity_ids=touched))
    store.insert(make_withdrawal(fraud, event_key="e-2"))

    page = tables.page("labels", "user_id", None, 10)

    assert page.partitions == [fraud.user_id]
    assert tuple(page.entity_ids) == touched


@pytest.mark.parametrize("damaged", [{"S": MERCHANTS[0]}, {"SS": MERCHANTS}, {"L": [{"N": "1"}]}])
def test_a_withdrawal_whose_entities_cannot_be_read_keeps_no_part_from_being_read(
    tables: UpkeepTables, store: LabelStore, dynamo: DynamoBackend, damaged: dict[str, Any]
) -> None:
    fraud = make_label(entity_ids=(MERCHANTS[0],))
    store.insert(make_withdrawal(fraud, event_key="e-1", entity_ids=(MERCHANTS[1],)))
    (item,) = dynamo.client.scan(TableName="labels")["Items"]
    dynamo.client.put_item(
        TableName="labels", Item=item | {"label_key": {"S": "e-2#2"}, "entity_ids": damaged}
    )

    page = tables.page("labels", "user_id", None, 10)

    assert (page.partitions, list(page.entity_ids)) == ([fraud.user_id], [MERCHANTS[1]])


def test_frauds_from_a_time_on_are_counted_once_each(tables: UpkeepTables, store: LabelStore) -> None:
    for days in range(40):
        label = make_label(
            event_key=f"e-{days}", occurred_at=NOW - timedelta(days=days), entity_ids=tuple(MERCHANTS)
        )
        store.set_risk(label, label, may_have_counted=False)

    assert tables.frauds(NOW - timedelta(days=29.5), NOW) == 30
    assert tables.frauds(NOW - timedelta(days=10), NOW + timedelta(days=20)) == 11
    assert tables.frauds(NOW - timedelta(hours=1), NOW) == 1
    assert tables.frauds(NOW + timedelta(hours=1), NOW + timedelta(days=1)) == 0
    assert time_text(NOW) == "2026-03-01T12:00:00.000000Z"
