"""What the stage knows of a user with a long past: the same with the cache, without it, and after it was emptied."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Self

import pytest

from contract.clock import EPOCH, MILLISECOND
from contract.scored import Decision, Position
from contract.transaction import encode_transaction
from engine.features.catalogue import SHARED_FEATURES
from engine.features.stored import unpack
from engine.profile import Profile, from_bytes
from score.history_store import MAX_PAGES, REBUILD_ROWS
from score.stage import CHECKPOINT_EVERY, ScoreStage
from tests.support.customers import BERN, RULES, SAO_PAULO
from tests.support.kafka_events import TOPIC, event_of, make_event
from tests.support.oracle import behaviour
from tests.support.payments import NOW, make_transaction
from tests.support.score_stores import (
    MemoryCheckpointStore,
    MemoryHistoryStore,
    MemoryProfileStore,
    MemoryQuarantine,
)
from tests.support.stage_world import NoTelemetry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from contract.scored import FeatureValue, ScoredTransaction
    from contract.transaction import Transaction
    from score.checkpoint_items import KeptProfile
    from score.history_store import NewestRows
    from score.profile_store import ProfileWrite

DAYS = 200
A_DAY = 20
USER = "victim"
FIRST_DAY = NOW - timedelta(days=DAYS)
LAST = DAYS * A_DAY
THEFT_EVERY = 97
THEFT: dict[str, object] = {
    "amount": Decimal(900),
    "location": SAO_PAULO,
    "device_id": "thiefs-laptop",
    "merchant_id": "thiefs-shop",
    "channel": "online",
}


def features_of_the_user(row: ScoredTransaction) -> dict[str, FeatureValue]:
    """A row's features but those of entities: what other users did is not known without the cache."""
    features = unpack(row.features, row.feature_set)
    return {name: value for name, value in features.items() if name not in SHARED_FEATURES}


@dataclass
class System:
    """A stage with its stores, in which one user pays."""

    profiles: MemoryProfileStore = field(default_factory=MemoryProfileStore)
    checkpoints: MemoryCheckpointStore = field(default_factory=MemoryCheckpointStore)
    history: MemoryHistoryStore = field(default_factory=MemoryHistoryStore)

    def deliver(
        self,
        *payments: Transaction,
        first_offset: int,
        is_trusted: bool = False,
        failures: Sequence[int] = (),
    ) -> None:
        """Deliver one batch; ``failures`` are the offsets that must be asked for again."""
        event = event_of(*payments, first_offset=first_offset)
        if is_trusted:
            appended_at_ms = (NOW - EPOCH) // MILLISECOND
            event = make_event(
                [
                    (Position(TOPIC, 0, first_offset + place), encode_transaction(payment))
                    for place, payment in enumerate(payments)
                ],
                appended_at_ms=[appended_at_ms] * len(payments),
                is_trusted=[True] * len(payments),
            )
        stage = ScoreStage(
            self.profiles,
            self.profiles,
            self.checkpoints,
            self.history,
            MemoryQuarantine(),
            lambda: RULES,
            NoTelemetry(),
            lambda: NOW,
        )
        response = stage.handle(event, lambda: True)
        again = [failure["itemIdentifier"]["offset"] for failure in response["batchItemFailures"]]
        assert again == list(failures)

    def copy(self) -> Self:
        """A system that goes on from here by itself."""
        copy = type(self)()
        copy.profiles.values, copy.profiles.marks = dict(self.profiles.values), dict(self.profiles.marks)
        copy.checkpoints.values = dict(self.checkpoints.values)
        copy.checkpoints.marks = dict(self.checkpoints.marks)
        copy.history.rows = dict(self.history.rows)
        return copy

    def empty_cache(self) -> None:
        self.profiles.values.clear()
        self.profiles.marks.clear()

    @property
    def cached(self) -> Profile:
        return from_bytes(self.profiles.body(USER))

    @property
    def kept(self) -> Profile:
        return from_bytes(self.checkpoints.values[USER][1])

    def row(self, payment: Transaction) -> ScoredTransaction:
        return next(
            row for row in self.history.scored() if row.transaction.transaction_id == payment.transaction_id
        )


def payment(number: int, **changes: object) -> Transaction:
    """The user's payment of that number: 20 a day in seven shops; now and then one is a thief's."""
    random = Random(number)
    day, of_day = divmod(number, A_DAY)
    usual: dict[str, object] = {
        "transaction_id": f"t-{number}",
        "user_id": USER,
        "amount": Decimal(random.randint(300, 6_000)) / 100,
        "currency": "USD",
        "timestamp": FIRST_DAY + timedelta(days=day, minutes=30 * of_day, seconds=random.randint(0, 600)),
        "location": BERN,
        "merchant_id": f"shop-{random.randint(1, 7)}",
        "device_id": "own-phone",
        "channel": "pos",
        "card_id": "tok_000000004711",
        "ip_address": None,
    }
    is_theft = number % THEFT_EVERY == THEFT_EVERY // 2
    return make_transaction(**usual | (THEFT if is_theft else {}) | changes)


@pytest.fixture(scope="module")
def long_past() -> System:
    """After 4,000 payments in 200 days."""
    system = System()
    for first in range(0, LAST, 50):
        system.deliver(*(payment(number) for number in range(first, first + 50)), first_offset=first)
    return system


@pytest.mark.parametrize("changes", [{}, THEFT], ids=["usual", "theft"])
def test_a_user_with_a_long_past_is_judged_the_same_by_a_cached_and_by_a_rebuilt_profile(
    long_past: System, changes: dict[str, object]
) -> None:
    next_one = payment(LAST, **changes)
    with_cache, emptied, without_cache = long_past.copy(), long_past.copy(), long_past.copy()
    emptied.empty_cache()
    without_cache.profiles.is_down = True

    for system in (with_cache, emptied, without_cache):
        system.deliver(next_one, first_offset=LAST)

    wanted = with_cache.row(next_one)
    assert (wanted.decision is Decision.APPROVE) is (changes == {})
    assert wanted.profile_version == LAST
    for system, is_degraded in ((emptied, False), (without_cache, True)):
        row = system.row(next_one)
        assert row.degraded is is_degraded
        assert features_of_the_user(row) == features_of_the_user(wanted)
        assert (row.decision, row.risk_score, row.reasons) == (
            wanted.decision,
            wanted.risk_score,
            wanted.reasons,
        )
    assert behaviour(emptied.cached) == behaviour(with_cache.cached)
    assert behaviour(without_cache.kept) == behaviour(with_cache.cached)


def test_a_rebuild_of_a_user_with_a_long_past_reads_the_rows_of_about_two_days(long_past: System) -> None:
    emptied = long_past.copy()
    emptied.empty_cache()
    asked: list[int] = []
    newest = emptied.history.newest

    def counted(after_ms: Mapping[str, int | None], has_time: Callable[[], bool]) -> Iterator[NewestRows]:
        for found in newest(after_ms, has_time):
            asked.append(len(found.rows))
            yield found

    emptied.history.newest = counted  # type: ignore[method-assign]
    emptied.deliver(payment(LAST), first_offset=LAST)

    [rows] = asked
    assert A_DAY <= rows <= 2 * A_DAY + CHECKPOINT_EVERY


def test_profiles_are_kept_once_in_checkpoint_every_payments(long_past: System) -> None:
    system = long_past.copy()
    before = system.kept.tx_count

    for number in range(LAST, LAST + CHECKPOINT_EVERY):
        system.deliver(payment(number), first_offset=number)

    assert system.kept.tx_count - before == CHECKPOINT_EVERY
    assert system.cached.tx_count - system.kept.tx_count < CHECKPOINT_EVERY


def test_a_trusted_payment_that_is_older_than_what_a_rebuild_reads_is_kept_at_once(
    long_past: System,
) -> None:
    newest_at = EPOCH + timedelta(milliseconds=long_past.kept.kept_at_ms)
    late = payment(LAST, transaction_id="late", timestamp=newest_at - timedelta(days=3))
    system = long_past.copy()

    system.deliver(late, first_offset=LAST, is_trusted=True)

    assert behaviour(system.kept) == behaviour(system.cached)
    assert system.kept.tx_count == LAST + 1
    rebuilt = system.copy()
    rebuilt.empty_cache()
    for each in (system, rebuilt):
        each.deliver(payment(LAST + 1), first_offset=LAST + 1)
    assert behaviour(rebuilt.cached) == behaviour(system.cached)


def late_payment(system: System) -> Transaction:
    """A payment that is older than what a rebuild reads."""
    newest_at = EPOCH + timedelta(milliseconds=system.kept.kept_at_ms)
    return payment(LAST, transaction_id="late", timestamp=newest_at - timedelta(days=3))


def test_a_late_payment_that_cannot_be_kept_is_delivered_again_until_it_is(long_past: System) -> None:
    late = late_payment(long_past)
    system = long_past.copy()
    before = system.checkpoints.values[USER]
    system.checkpoints.is_down = True

    for _ in range(3):
        system.deliver(late, first_offset=LAST, is_trusted=True, failures=[LAST])

    assert system.checkpoints.values[USER] == before
    assert not system.row(late).degraded
    system.checkpoints.is_down = False
    system.deliver(late, first_offset=LAST, is_trusted=True)
    assert system.kept.tx_count == system.cached.tx_count == LAST + 1


def test_a_checkpoint_that_is_due_is_kept_before_the_cache_is_found_unavailable(long_past: System) -> None:
    system = long_past.copy()
    keep, due = system.checkpoints.keep, [payment(LAST + number) for number in range(CHECKPOINT_EVERY)]

    def keep_and_stop(profiles: Sequence[KeptProfile], has_time: Callable[[], bool]) -> set[str]:
        system.profiles.is_down = True
        return keep(profiles, has_time)

    system.checkpoints.keep = keep_and_stop  # type: ignore[method-assign]
    system.deliver(*due, first_offset=LAST)

    assert system.kept.tx_count == LAST + CHECKPOINT_EVERY
    assert system.cached.tx_count == LAST


def test_a_late_payment_that_could_not_be_kept_is_not_forgotten_with_the_cache(long_past: System) -> None:
    late = late_payment(long_past)
    system, undisturbed = long_past.copy(), long_past.copy()
    system.checkpoints.is_down = True
    system.deliver(late, first_offset=LAST, is_trusted=True, failures=[LAST])
    system.checkpoints.is_down = False
    system.empty_cache()

    for each in (system, undisturbed):
        each.deliver(late, first_offset=LAST, is_trusted=True)
        each.deliver(payment(LAST + 1), first_offset=LAST + 1)

    assert behaviour(system.cached) == behaviour(undisturbed.cached)
    assert system.cached.tx_count == LAST + 2


def test_a_usual_payment_is_not_delivered_again_because_its_checkpoint_is_throttled(
    long_past: System,
) -> None:
    system = long_past.copy()
    system.checkpoints.is_down = True

    for number in range(LAST, LAST + 2 * CHECKPOINT_EVERY):
        system.deliver(payment(number), first_offset=number)

    assert system.cached.tx_count == LAST + 2 * CHECKPOINT_EVERY
    assert system.kept.tx_count <= LAST


def test_a_late_payment_that_is_folded_into_another_writers_profile_is_delivered_again_until_it_is_kept(
    long_past: System,
) -> None:
    late, system = late_payment(long_past), long_past.copy()
    body, kept = system.profiles.body(USER), system.checkpoints.values[USER]

    def overtaken() -> None:
        system.profiles.values[USER] = (b"other", body)
        system.checkpoints.values[USER] = kept

    system.profiles.before_write = overtaken

    system.deliver(late, first_offset=LAST, is_trusted=True, failures=[LAST])
    system.deliver(late, first_offset=LAST, is_trusted=True)

    assert system.kept.tx_count == system.cached.tx_count == LAST + 1


def test_an_old_payment_is_not_lost_where_a_late_writer_keeps_its_profile_while_the_cache_is_unavailable(
    long_past: System,
) -> None:
    old = payment(LAST, transaction_id="old", timestamp=FIRST_DAY + timedelta(days=DAYS - 20))
    system, undisturbed = long_past.copy(), long_past.copy()
    _, body, version, _ = system.checkpoints.values[USER]
    write_one = system.checkpoints.write_one

    def overtaken(write: ProfileWrite) -> bool:
        system.checkpoints.write_one = write_one  # type: ignore[method-assign]
        system.checkpoints.values[USER] = (b"late", body, version, True)
        return write_one(write)

    system.checkpoints.write_one = overtaken  # type: ignore[method-assign]
    for each in (system, undisturbed):
        each.profiles.is_down = True

    system.deliver(old, first_offset=LAST, is_trusted=True, failures=[LAST])
    system.deliver(old, first_offset=LAST, is_trusted=True)
    undisturbed.deliver(old, first_offset=LAST, is_trusted=True)

    assert behaviour(system.kept) == behaviour(undisturbed.kept)
    assert system.kept.tx_count == LAST + 1
    assert len(system.history.rows) == LAST + 1


def test_a_user_of_more_payments_a_day_than_a_rebuild_reads_keeps_the_past_before_that_day() -> None:
    usual, busy, a_batch = 200, REBUILD_ROWS * MAX_PAGES + 200, 100
    system = System()
    for first in range(0, usual, a_batch):
        system.deliver(*map(payment, range(first, first + a_batch)), first_offset=first)
    busy_from = payment(usual).timestamp

    def often(number: int) -> Transaction:
        return payment(number, timestamp=busy_from + timedelta(seconds=35 * (number - usual)))

    for first in range(usual, usual + busy, a_batch):
        system.deliver(*map(often, range(first, first + a_batch)), first_offset=first)
    emptied = system.copy()
    emptied.empty_cache()
    next_one = often(usual + busy)

    for each in (system, emptied):
        each.deliver(next_one, first_offset=usual + busy)

    assert behaviour(emptied.cached) == behaviour(system.cached)
    assert emptied.row(next_one).profile_version == usual + busy


@pytest.mark.parametrize("fails_at", ["the profiles", "the entities"])
def test_an_old_payment_that_neither_the_table_nor_the_cache_took_is_delivered_again(
    long_past: System, fails_at: str
) -> None:
    old = payment(LAST, transaction_id="old", timestamp=FIRST_DAY + timedelta(days=DAYS - 20))
    system, undisturbed = long_past.copy(), long_past.copy()

    def fail() -> None:
        system.profiles.is_down = True

    def keep(profiles: Sequence[KeptProfile], has_time: Callable[[], bool]) -> set[str]:
        system.profiles.is_down = fails_at == "the entities"
        return set()

    system.checkpoints.keep = keep  # type: ignore[method-assign]
    system.profiles.before_write = fail
    system.deliver(old, first_offset=LAST, is_trusted=True, failures=[LAST])
    system.profiles.before_write = None
    del system.checkpoints.keep
    system.profiles.is_down = False
    for each in (system, undisturbed):
        each.deliver(old, first_offset=LAST, is_trusted=True)
        each.deliver(payment(LAST + 1), first_offset=LAST + 1)

    assert behaviour(system.cached) == behaviour(undisturbed.cached)
    assert system.cached.tx_count == LAST + 2
