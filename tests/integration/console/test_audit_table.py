"""Audit events on AWS's own DynamoDB Local and on MiniStack: no row is written over, and people at once leave whole chains."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from console.audit_store import AuditStore
from console.audit_trail import AuditTrail, Deed
from contract.audit import DAYS, SYSTEM, chains_of
from ops.audit_verify import AuditTable
from tests.support.tables import make_table

if TYPE_CHECKING:
    from collections.abc import Callable

MORNING = datetime(2026, 3, 1, 8, tzinfo=UTC)
WORKERS = 4
EVENTS = 15
"""Of each worker on each day."""


class AuditTableContract:
    """What holds of any DynamoDB; a subclass has the fixture ``client``."""

    @pytest.fixture
    def table(self, client: Any, unique_name: Callable[[str], str]) -> str:
        return make_table(client, "audit_events", unique_name)

    def test_a_row_is_never_written_over(self, client: Any, table: str) -> None:
        store = AuditStore(client, table)
        event = AuditTrail(store, lambda: MORNING, lambda: "event-1").write(Deed(actor="p", action="a"))

        is_inserted = store.insert(msgspec.structs.replace(event, subject="other"))

        assert not is_inserted
        assert store.at(event.day_shard, event.sequence) == event == store.last(event.day_shard)
        assert store.newest(event.day_shard, 5) == [event]

    def test_a_chain_is_read_from_its_end_in_parts(self, client: Any, table: str) -> None:
        store = AuditStore(client, table)
        trail = AuditTrail(store, lambda: MORNING, lambda: "event-1")
        written = [trail.write(Deed(actor="p", action="a", subject=str(number))) for number in range(5)]
        (chain,) = {event.day_shard for event in written}

        parts = [store.newest(chain, 2)]
        while parts[-1]:
            parts.append(store.newest(chain, 2, before=parts[-1][-1].sequence))

        assert [event for part in parts for event in part] == written[::-1]
        assert [len(part) for part in parts] == [2, 2, 1, 0]

    def test_people_at_once_leave_whole_chains_and_no_event_is_lost(self, client: Any, table: str) -> None:
        ids = count()

        def work(worker: int) -> None:
            now = MORNING
            trail = AuditTrail(AuditStore(client, table), lambda: now, lambda: f"event-{next(ids)}")
            for number in range(2 * EVENTS):
                # Each worker's next day begins at another moment.
                now = MORNING + timedelta(days=number >= EVENTS + worker - WORKERS // 2)
                trail.write(
                    Deed(actor=f"person-{number % 3}", action="case_viewed", subject=f"{worker}/{number}")
                )

        with ThreadPoolExecutor(WORKERS) as workers:
            list(workers.map(work, range(WORKERS)))

        verified = AuditTable(client, table).verify()
        newest = partial(AuditStore(client, table).newest, limit=1000)
        opened = newest(DAYS)
        events = [event for opening in opened for chain in chains_of(opening.day) for event in newest(chain)]
        assert verified.problems == ()
        assert verified.days == 2
        assert sorted(event.subject for event in events if event.actor != SYSTEM) == sorted(
            f"{worker}/{number}" for worker in range(WORKERS) for number in range(2 * EVENTS)
        )


class TestOnDynamoDbLocal(AuditTableContract):
    """AWS's own."""

    @pytest.fixture
    def client(self, dynamodb_local: Any) -> Any:
        return dynamodb_local


class TestOnMiniStack(AuditTableContract):
    """The local stack's."""

    @pytest.fixture
    def client(self, aws_client: Callable[[str], Any]) -> Any:
        return aws_client("dynamodb")
