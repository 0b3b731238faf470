"""What the label stage relies on in its tables. A subclass gives the fixture ``dynamo``."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from contract.flagged import FlaggedKey
from contract.label import LabelVerdict, effective
from contract.label_rows import EntityMarks, PendingLabel, Unfinished, due_shard
from engine.labels import risk_keys
from label.store import Flagged
from tests.support.label_world import Calls, DynamoBackend, LabelWorld
from tests.support.labels import EVENT_KEY, KNOWN_AT, make_label, make_message
from tests.support.payments import NOW, make_scored

if TYPE_CHECKING:
    from common.label_tables import LabelTables
    from contract.label import Label
    from label.store import LabelStore

MERCHANT = "m:" + "0" * 16
HONEST = make_label(verdict=LabelVerdict.LEGITIMATE, entity_ids=(MERCHANT,))
FRAUD = make_label(entity_ids=(MERCHANT,))


class LabelStoreContract:
    """Tests of :class:`label.store.LabelStore` and :class:`common.label_tables.LabelTables`."""

    @pytest.fixture
    def store(self, dynamo: DynamoBackend) -> LabelStore:
        store: LabelStore = dynamo.parts(Calls())[2]
        return store

    @pytest.fixture
    def tables(self, dynamo: DynamoBackend) -> LabelTables:
        tables: LabelTables = dynamo.parts(Calls())[1]
        return tables

    def test_label_is_inserted_once_and_read_back(self, store: LabelStore, tables: LabelTables) -> None:
        first, second = make_label(), make_label(verdict=LabelVerdict.LEGITIMATE)

        assert store.insert(first) is first
        assert store.insert(second) == first

        assert tables.of_payment("user-1", EVENT_KEY) == tables.of_user("user-1") == [first]

    def test_labels_of_a_payment_whose_key_begins_alike_are_not_its_own(
        self, store: LabelStore, tables: LabelTables
    ) -> None:
        other = make_label(event_key=f"{EVENT_KEY}#x", transaction_id="t-1#x")
        store.insert(other)
        store.insert(make_label())

        assert tables.of_payment("user-1", EVENT_KEY) == [make_label()]
        assert tables.of_payment("user-1", f"{EVENT_KEY}#x") == [other]

    def test_of_a_user_with_many_labels_the_newest_payments_are_read_whole(
        self, store: LabelStore, tables: LabelTables
    ) -> None:
        def label(number: int, label_id: str) -> Label:
            return make_label(event_key=f"2026-03-{number:04}", label_id=label_id)

        for number in range(110):
            store.insert(label(number, "a"))
            store.insert(label(number, "b"))

        read = tables.of_user("user-1")

        assert {each.event_key for each in read} == {f"2026-03-{number:04}" for number in range(10, 110)}
        assert len(read) == 200

    def test_many_labels_of_one_payment_do_not_hide_the_verdict_on_it(
        self, store: LabelStore, tables: LabelTables
    ) -> None:
        fraud = make_label(label_id="z-fraud", known_at=KNOWN_AT + timedelta(hours=1))
        labels = [make_label(label_id=f"{number}", verdict=LabelVerdict.LEGITIMATE) for number in range(201)]
        for label in [*labels, fraud]:
            store.insert(label)

        assert effective(tables.of_user("user-1")) == fraud
        assert len(tables.of_user("user-1")) == 202

    def test_labelled_payment_with_a_date_of_years_ago_counts_as_long_as_others(
        self, dynamo: DynamoBackend, store: LabelStore
    ) -> None:
        label = make_label(known_at=NOW - timedelta(days=36_500), entity_ids=(MERCHANT,))

        store.set_risk(label, label, may_have_counted=False)

        for item in dynamo.client.scan(TableName="entity_risk")["Items"]:
            assert int(item["expires_at"]["N"]) == (label.occurred_at + timedelta(days=400)).timestamp()

    def test_status_follows_what_counts_and_is_open_again_without_it(
        self, dynamo: DynamoBackend, store: LabelStore
    ) -> None:
        key = FlaggedKey("user-1", make_scored().event_key)
        dynamo.pay(make_scored(), key, is_flagged=True)
        seen = []

        for counting in (None, FRAUD, FRAUD, HONEST, None):
            assert store.set_status(key, counting) is Flagged.SET
            seen.append(dynamo.state()[0][key.event_key])

        assert seen == ["open", "confirmed_fraud", "confirmed_fraud", "false_positive", "open"]

    @pytest.mark.parametrize("counting", [None, FRAUD])
    def test_flagged_row_that_does_not_exist_is_not_made(
        self, dynamo: DynamoBackend, store: LabelStore, counting: Label | None
    ) -> None:
        assert store.set_status(FlaggedKey("user-1", EVENT_KEY), counting) is Flagged.MISSING
        assert dynamo.state()[0] == {}

    def test_payment_has_one_row_at_each_entity_and_fraud_one_of_its_day(
        self, dynamo: DynamoBackend, store: LabelStore
    ) -> None:
        at, known = "2026-03-01T12:00:00.000000Z", "2026-03-08T09:00:00.000000Z"

        store.set_risk(FRAUD, FRAUD, may_have_counted=False)

        rows = dynamo.state()[1]
        assert {entity for entity, _, _ in rows} == {MERCHANT, "day#2026-03-01"}
        assert {(key[:29], known_at) for _, key, known_at in rows} == {(f"f#{at}", known)}
        store.set_risk(FRAUD, HONEST, may_have_counted=True)
        ((entity, key, _),) = dynamo.state()[1]
        assert (entity, key[:29]) == (MERCHANT, f"h#{at}")
        store.set_risk(FRAUD, None, may_have_counted=True)
        assert dynamo.state()[1] == set()
        assert len(risk_keys(FRAUD, None)) == 3

    def test_newest_frauds_and_the_newest_honest_payment_are_read_of_an_entity(
        self, store: LabelStore, tables: LabelTables
    ) -> None:
        minute = timedelta(minutes=1)
        for number in range(70):
            label = make_label(
                event_key=f"f-{number}",
                occurred_at=NOW + number * minute,
                known_at=KNOWN_AT + number * minute,
                entity_ids=(MERCHANT,),
            )
            store.set_risk(label, label, may_have_counted=False)
        for number in range(3):
            label = make_label(
                event_key=f"h-{number}",
                occurred_at=NOW + number * minute,
                verdict=LabelVerdict.LEGITIMATE,
                entity_ids=(MERCHANT,),
            )
            store.set_risk(label, label, may_have_counted=False)

        marks = tables.marks(MERCHANT)

        assert marks.frauds == tuple(NOW + number * minute for number in range(6, 70))
        assert (marks.honest, marks.known_at) == (NOW + 2 * minute, KNOWN_AT + 69 * minute)
        assert tables.marks("c:" + "0" * 16) == EntityMarks((), None, None)

    def test_label_that_waits_keeps_its_first_time_and_its_due_time(
        self, dynamo: DynamoBackend, store: LabelStore
    ) -> None:
        pending = PendingLabel(
            pending_id="p",
            message="{}",
            reason=Unfinished.NO_PAYMENT,
            first_at=NOW,
            due_at=NOW + timedelta(hours=1),
            due_shard=due_shard("p"),
        )
        later = PendingLabel(
            pending_id="p",
            message="{}",
            reason=Unfinished.NO_CACHE,
            first_at=NOW + timedelta(hours=2),
            due_at=NOW + timedelta(hours=3),
            due_shard=due_shard("p"),
        )

        store.wait(pending)
        store.wait(later)

        (item,) = dynamo.client.scan(TableName="pending_labels")["Items"]
        assert item["reason"] == {"S": "no_cache"}
        assert item["first_at"] == {"S": "2026-03-01T12:00:00.000000Z"}
        assert item["due_at"] == {"S": "2026-03-01T13:00:00.000000Z"}
        store.finished("p")
        store.finished("p")
        assert dynamo.client.scan(TableName="pending_labels")["Items"] == []

    def test_stage_does_with_the_tables_what_it_does_with_dictionaries(
        self, dynamo: DynamoBackend, memory_world: LabelWorld
    ) -> None:
        world = LabelWorld(dynamo)
        messages = [
            make_message(transaction_id="tx-1", label_id="a"),
            make_message(
                transaction_id="tx-1", label_id="b", verdict=LabelVerdict.LEGITIMATE, confidence=0.9
            ),
            make_message(transaction_id="tx-1", label_id="c", verdict=LabelVerdict.WITHDRAWN, withdraws="a"),
        ]
        for each in (world, memory_world):
            each.pay(make_scored())

        for message in messages:
            assert world.send(message) == memory_world.send(message) == []
            assert world.state() == memory_world.state()
