"""What folding keeps of single payments, and which payments and offsets count as folded."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
import pytest

from contract.scored import Position
from contract.transaction import Location
from engine.exchange_rates import ExchangeRates
from engine.features.catalogue import compute_features
from engine.profile import Profile, from_bytes, to_bytes
from engine.profile.facts import MS_PER_DAY, PaymentFacts, hour_of_week
from engine.profile.profile import MAX_PARTITIONS
from engine.profile.recent_payments import RING_CAPACITY
from tests.support.histories import START, Event, approved, facts_at, folded
from tests.support.kafka_events import TOPIC
from tests.support.payments import BERLIN, BLOCKED, REVIEWED

if TYPE_CHECKING:
    from engine.profile.outcome import Outcome

RATES = ExchangeRates({"EUR": 1.0})


def test_late_payment_counts_in_its_own_hour_and_day() -> None:
    late = facts_at(10 * 86_400, "late", amount=Decimal(7))
    profile = folded(approved(facts_at(20 * 86_400, "new"), late))

    day = late.clock_ms // MS_PER_DAY
    velocity, habits = profile.days.bucket.index(day), profile.habit_days.bucket.index(day)

    assert (profile.days.count[velocity], profile.days.sum_minor[velocity]) == (1, 700)
    assert (profile.habit_days.count[habits], profile.habit_days.sum_minor[habits]) == (1, 700)


def test_sums_saturate_instead_of_overflowing() -> None:
    largest = Decimal(2**53) / 100
    profile = folded(approved(*(facts_at(number, f"t-{number}", amount=largest) for number in range(1100))))

    assert profile.days.sum_minor[0] == profile.habit_days.sum_minor[0] == 2**63 - 1
    assert profile.days.count[0] == profile.habit_days.count[0] == 1100
    assert to_bytes(from_bytes(to_bytes(profile))) == to_bytes(profile)


def test_seen_values_forget_the_one_not_seen_for_longest() -> None:
    payments = [facts_at(number * 60, f"t-{number}", device_id=f"d-{number}") for number in range(9)]
    profile = folded(approved(*payments))

    features = {
        name: compute_features(facts_at(3600, "now", device_id=name), profile, RATES)[0]["is_new_device"]
        for name in ("d-0", "d-1", "d-8", "d-9")
    }

    assert features == {"d-0": True, "d-1": False, "d-8": False, "d-9": True}


def test_offsets_are_remembered_by_partition_and_never_go_back() -> None:
    profile = Profile()
    profile.mark_complete_to(TOPIC, 1, 20)
    profile.mark_complete_to(TOPIC, 2, 5)
    profile.mark_complete_to(TOPIC, 1, 10)

    assert [profile.folded_offset(TOPIC, partition) for partition in (1, 2, 3)] == [20, 5, -1]


def test_beyond_the_most_partitions_the_one_marked_longest_ago_is_forgotten() -> None:
    profile = Profile()
    for partition in range(MAX_PARTITIONS):
        profile.mark_complete_to(TOPIC, partition, 100 + partition)
    profile.mark_complete_to(TOPIC, 0, 200)
    assert profile.folded_offset(TOPIC, 1) == 101

    profile.mark_complete_to(TOPIC, MAX_PARTITIONS, 300)

    offsets = [profile.folded_offset(TOPIC, partition) for partition in range(MAX_PARTITIONS + 1)]
    assert offsets == [200, -1, 102, 103, 104, 105, 106, 107, 300]


def test_offset_of_the_latest_partition_never_goes_back() -> None:
    profile = Profile()
    for offset in (5, 3, 4):
        profile.mark_complete_to(TOPIC, 1, offset)
    assert profile.folded_offset(TOPIC, 1) == 5

    profile.mark_complete_to(TOPIC, 1, 6)

    assert profile.folded_offset(TOPIC, 1) == 6


def test_partitions_of_two_topics_are_two() -> None:
    profile = Profile()
    profile.mark_complete_to(TOPIC, 1, 5)

    assert profile.folded_offset("other", 1) == -1
    assert profile.folded_offset(TOPIC, 11) == -1


def test_whether_a_payment_was_folded_is_decided_by_the_ring_and_by_offsets_only_for_older_ones() -> None:
    payments = [facts_at(number, f"t-{number}") for number in range(RING_CAPACITY + 1)]
    profile = folded(approved(*payments))  # at offsets 0 to 32; the first is no longer in the ring
    forgotten, oldest, newest = payments[0], payments[1], payments[-1]

    def has_folded(facts: PaymentFacts, offset: int, key_hash: int | None = None) -> bool:
        known = msgspec.structs.replace(facts, key_hash=key_hash or facts.key_hash)
        return profile.has_folded(known, Position(TOPIC, 0, offset))

    assert has_folded(newest, 99)
    assert not has_folded(newest, 0, key_hash=7)
    assert has_folded(oldest, 99)
    assert has_folded(oldest, RING_CAPACITY, key_hash=7)
    assert has_folded(forgotten, RING_CAPACITY)
    assert not has_folded(forgotten, RING_CAPACITY + 1)


def test_without_a_full_ring_offsets_decide_nothing() -> None:
    profile = folded(approved(*(facts_at(number, f"t-{number}") for number in range(RING_CAPACITY - 1))))

    assert not profile.has_folded(facts_at(-1, "other"), Position(TOPIC, 0, 0))


@pytest.mark.parametrize("outcome", [BLOCKED, REVIEWED])
def test_payment_that_was_not_approved_is_known_as_folded_too(outcome: Outcome) -> None:
    facts = facts_at(5, "stopped")
    profile = folded([*approved(facts_at(0, "t")), Event(facts, outcome)])

    assert profile.holds(facts.key_hash)
    assert profile.has_folded(facts, Position(TOPIC, 0, 1))
    assert profile.folded_offset(TOPIC, 0) == 1


def test_hour_of_the_week_begins_on_monday_and_its_count_ends_at_255() -> None:
    monday = datetime(2026, 9, 7, tzinfo=UTC)
    at_s = (monday - START).total_seconds()
    profile = folded(approved(*(facts_at(at_s, f"t-{number}") for number in range(300))))

    assert profile.hour_of_week[0] == 255
    assert sum(profile.hour_of_week) == 255
    assert [hour_of_week(hour) for hour in (0, 95, 96, 96 + 168)] == [72, 167, 0, 0]


def test_of_payments_at_one_moment_the_last_is_the_same_in_any_order() -> None:
    payments = [facts_at(0, f"t-{number}", location=f"Town {number}, DE") for number in range(6)]
    last = max(payments, key=lambda facts: facts.key_hash)

    for order in (payments, payments[::-1]):
        assert folded(approved(*order)).last_place_hash == last.place_hash


def test_earlier_payment_moves_neither_the_last_time_nor_the_last_place() -> None:
    early = facts_at(5, "t-2", location=Location(latitude=1.0, longitude=2.0, country="IS"))
    late = facts_at(10, "t-1")

    profile = folded(approved(late, early))

    assert (profile.first_clock_ms, profile.recent.clock_ms[-1]) == (early.clock_ms, late.clock_ms)
    assert (profile.taught_at_ms, profile.newest_at_ms) == (late.at_ms, late.at_ms)
    assert profile.last_place_hash == late.place_hash
    assert profile.last_country_hash == late.country_hash
    assert profile.last_place is not None
    assert profile.last_place.latitude == BERLIN.latitude
