"""Builders for the score stage's unit tests: payments, Kafka events, and stores in memory that can fail on purpose."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
import pytest

from contract.scored import Position, ScoredTransaction, from_history_item, to_history_item
from contract.transaction import Location, Transaction, encode_transaction
from score.delivery import KafkaEvent, Rejected, Span
from score.errors import CacheUnavailableError, HistoryUnavailableError
from score.history_store import Insert, RowKey
from score.profile_store import CachedProfile, ProfileWrite, Progress, Reading
from score.ruleset import Ruleset, parse_ruleset

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

TOPIC = "transaction_stream"
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
BERLIN = Location(latitude=52.52, longitude=13.405, country="DE", city="Berlin")


def make_transaction(**changes: object) -> Transaction:
    """A valid payment; each field may be changed."""
    fields: dict[str, object] = {
        "transaction_id": "t-1",
        "user_id": "user-1",
        "amount": Decimal("25.00"),
        "currency": "EUR",
        "timestamp": NOW - timedelta(minutes=1),
        "location": BERLIN,
        "merchant_id": "m-1",
        "merchant_category": "grocery",
        "channel": "card_present",
        "card_id": "card-1",
        "device_id": "device-1",
    }
    return Transaction(**(fields | changes))  # type: ignore[arg-type]


def make_event(records: Sequence[tuple[Position, bytes | None]], key: bytes | None = None) -> KafkaEvent:
    """The event of an event source mapping for these records, key: the user's or ``key``."""
    event: KafkaEvent = {"eventSource": "aws:kafka", "records": {}}
    for position, value in records:
        event["records"].setdefault(f"{position.topic}-{position.partition}", []).append(
            {
                "topic": position.topic,
                "partition": position.partition,
                "offset": position.offset,
                "timestamp": round(NOW.timestamp() * 1000) - 500,
                "timestampType": "CREATE_TIME",
                "key": None if key is None else b64encode(key).decode(),
                "value": None if value is None else b64encode(value).decode(),
                "headers": [],
            }
        )
    return event


def event_of(*transactions: Transaction, partition: int = 0, first_offset: int = 0) -> KafkaEvent:
    """An event with these payments one behind the other on one partition."""
    return make_event(
        [
            (Position(TOPIC, partition, first_offset + place), encode_transaction(transaction))
            for place, transaction in enumerate(transactions)
        ]
    )


class MemoryProfileStore:
    """Keeps profiles and progress by the rules of the Redis store; fails or loses when told to."""

    def __init__(self) -> None:
        self.values: dict[str, tuple[bytes, bytes]] = {}
        self.marks: dict[tuple[str, int], tuple[int, int]] = {}
        self.is_down = False
        self.before_write: Callable[[], None] | None = None
        self.reads = self.writes = 0
        self._revision = 0

    def read(self, user_ids: Sequence[str], spans: Sequence[Span]) -> Reading:
        self.reads += 1
        if self.is_down:
            raise CacheUnavailableError("down")
        profiles = {}
        for user_id in user_ids:
            revision, body = self.values.get(user_id, (b"", b""))
            profiles[user_id] = CachedProfile(body or None, revision)
        progress = []
        for span in spans:
            folded_to, fresh_from = self.marks.get((span.topic, span.partition), (-2, 0))
            read_folded_to = max(folded_to, -1)
            if span.first > folded_to + 1:
                folded_to, fresh_from = span.first - 1, span.first
            progress.append(Progress(span.topic, span.partition, folded_to, fresh_from, read_folded_to))
        return Reading(profiles, progress)

    def write(self, writes: Sequence[ProfileWrite], progress: Sequence[Progress]) -> list[str]:
        self.writes += 1
        if self.before_write is not None:
            interruption, self.before_write = self.before_write, None
            interruption()
        if self.is_down:
            raise CacheUnavailableError("down")
        lost = []
        standing = [self.marks.get((mark.topic, mark.partition), (-1, 0))[0] for mark in progress]
        if any(stands < mark.read_folded_to for stands, mark in zip(standing, progress, strict=True)):
            raise CacheUnavailableError("WentBack")
        is_behind = any(stands > mark.folded_to for stands, mark in zip(standing, progress, strict=True))
        for write in writes:
            if self.values.get(write.user_id, (b"", b""))[0] != write.expected_revision:
                lost.append(write.user_id)
                continue
            if is_behind and not write.expected_revision:
                continue
            self._revision += 1
            self.values[write.user_id] = (
                self._revision.to_bytes(8, "little"),
                write.profile.to_bytes(),
            )
        if not lost:
            for mark in progress:
                folded_to, fresh_from = self.marks.get((mark.topic, mark.partition), (-1, 0))
                self.marks[mark.topic, mark.partition] = (
                    max(folded_to, mark.folded_to),
                    max(fresh_from, mark.fresh_from),
                )
        return lost

    def body(self, user_id: str) -> bytes:
        return self.values[user_id][1]


class MemoryHistoryStore:
    """Rows in wire form by key; inserts fail or crash when told to."""

    def __init__(self) -> None:
        self.rows: dict[RowKey, dict[str, dict[str, str]]] = {}
        self.fail: Callable[[ScoredTransaction], bool] = lambda _: False
        self.is_down = False
        self.lookups = self.queries = 0

    def insert(self, rows: Sequence[ScoredTransaction], has_time: Callable[[], bool]) -> list[Insert]:
        keys = {(row.transaction.user_id, row.transaction.event_key) for row in rows}
        assert len(keys) == len(rows), "DynamoDB refuses a request with two statements on one key"
        return [self._insert(row) for row in rows]

    def _insert(self, row: ScoredTransaction) -> Insert:
        if self.fail(row):
            return Insert.FAILED
        key = (row.transaction.user_id, row.transaction.event_key)
        if key in self.rows:
            return Insert.STANDS
        self.rows[key] = to_history_item(row, 0)
        return Insert.STORED

    def positions(self, keys: Sequence[RowKey], has_time: Callable[[], bool]) -> dict[RowKey, Position]:
        self.lookups += 1
        return {key: from_history_item(self.rows[key]).position for key in keys if key in self.rows}

    def newest(
        self, user_ids: Sequence[str], has_time: Callable[[], bool]
    ) -> Iterator[tuple[str, list[ScoredTransaction]]]:
        self.queries += len(user_ids)
        if self.is_down:
            raise HistoryUnavailableError("down")
        rows = {key: from_history_item(row) for key, row in sorted(self.rows.items())}
        for user in user_ids:
            yield user, [row for key, row in rows.items() if key[0] == user]

    def scored(self) -> list[ScoredTransaction]:
        return [from_history_item(row) for _, row in sorted(self.rows.items())]


class MemoryQuarantine:
    """Keeps what is put aside; refuses positions when told to."""

    def __init__(self) -> None:
        self.kept: list[Rejected] = []
        self.refused: set[Position] = set()

    def put(self, rejected: Sequence[Rejected]) -> set[Position]:
        self.kept += [record for record in rejected if record.position not in self.refused]
        return {record.position for record in rejected if record.position in self.refused}


RULES = """
version: test-1
base_currency: EUR
exchange_rates: {USD: 0.9}
thresholds: {review: 40, block: 80}
rules:
  - id: large_amount
    when: amount_base > 1000.0
    points: 50
    reason: "Paid {amount_base:.2f} {base_currency}."
  - id: burst
    when: tx_count_10m > 3
    points: 40
    reason: "{tx_count_10m} payments in 10 minutes."
"""


@pytest.fixture(scope="session")
def ruleset() -> Ruleset:
    return parse_ruleset(RULES)


def with_offset(event: KafkaEvent, offset: int) -> KafkaEvent:
    """The same single record at another offset."""
    copy: KafkaEvent = msgspec.json.decode(msgspec.json.encode(event), type=KafkaEvent)
    for records in copy["records"].values():
        for place, record in enumerate(records):
            record["offset"] = offset + place
    return copy
