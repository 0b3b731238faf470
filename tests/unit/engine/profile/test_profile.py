"""The profile against a plain recomputation from the full history, and against its own algebra."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.scored import Position
from contract.transaction import Location
from engine.exchange_rates import ExchangeRates
from engine.features.catalogue import compute_features
from engine.profile import Profile, ProfileFormatError, from_bytes, to_bytes
from engine.profile.profile import (
    FORMAT,
    MAX_PARTITIONS,
    MS_PER_DAY,
    MS_PER_HOUR,
    PaymentFacts,
    hour_of_week,
)
from engine.profile.recent_payments import RING_CAPACITY
from tests.support.kafka_events import TOPIC
from tests.support.payments import BERLIN, make_grocery_payment, trusted_facts

if TYPE_CHECKING:
    from collections.abc import Sequence

START = datetime(2026, 9, 1, tzinfo=UTC)
MAX_PROFILE_BYTES = 4096

BASE_PER_UNIT = {"EUR": 1.0, "USD": 0.5}
RATES = ExchangeRates(BASE_PER_UNIT)


def facts_at(seconds: float, name: str, **changes: object) -> PaymentFacts:
    return trusted_facts(
        make_grocery_payment(transaction_id=name, timestamp=START + timedelta(seconds=seconds), **changes)
    )


def folded(payments: Sequence[PaymentFacts]) -> Profile:
    profile = Profile()
    for offset, facts in enumerate(payments):
        profile.fold(facts, Position(TOPIC, 0, offset))
    return profile


@st.composite
def histories(draw: st.DrawFn, max_size: int, span_s: int) -> list[PaymentFacts]:
    """Payments in random order of arrival: bursts and lulls, late ones, two currencies, a few places and names."""
    count = draw(st.integers(1, max_size))
    return [
        facts_at(
            draw(st.integers(0, span_s)),
            f"t-{number}",
            amount=Decimal(draw(st.integers(0, 500_000))) / 100,
            currency=draw(st.sampled_from(["EUR", "USD"])),
            merchant_id=draw(st.sampled_from([None, "m-1", "m-2", "m-3"])),
            device_id=draw(st.sampled_from([None, "d-1", "d-2"])),
            location=draw(
                st.sampled_from(
                    [
                        None,
                        "Lyon, FR",
                        Location(latitude=1.0, longitude=2.0, country="DE"),
                        Location(latitude=3.0, longitude=2.0, country="US", city="X"),
                    ]
                )
            ),
        )
        for number in range(count)
    ]


def oracle_window(payments: Sequence[PaymentFacts], now: PaymentFacts, first_ms: int) -> list[PaymentFacts]:
    """Earlier payments with event times in (first_ms, now], from the full history."""
    return [facts for facts in payments if first_ms < facts.at_ms <= now.at_ms]


def base_amount(facts: PaymentFacts) -> float:
    return float(facts.transaction.amount) * BASE_PER_UNIT[facts.transaction.currency]


@given(histories(max_size=RING_CAPACITY - 1, span_s=40 * 86_400), st.integers(0, 40 * 86_400))
def test_windows_that_fit_the_ring_are_those_of_the_full_history(
    payments: list[PaymentFacts], at_s: int
) -> None:
    now = facts_at(at_s, "now")

    features = compute_features(now, folded(payments), RATES)

    for name, length_ms in (
        ("1m", 60_000),
        ("10m", 600_000),
        ("1h", MS_PER_HOUR),
        ("24h", MS_PER_DAY),
    ):
        window = oracle_window(payments, now, now.at_ms - length_ms)
        assert features[f"tx_count_{name}"] == len(window) + 1
        if name != "1m":
            expected = sum(map(base_amount, window)) + base_amount(now)
            assert abs(float(features[f"amount_sum_{name}_base"]) - expected) < 1e-3
    hour = oracle_window(payments, now, now.at_ms - MS_PER_HOUR)
    assert features["merchant_count_1h"] == len(
        {facts.transaction.merchant_id for facts in [*hour, now]} - {None}
    )


@given(histories(max_size=120, span_s=6 * 3600))
def test_beyond_the_ring_a_count_is_a_lower_bound_that_misses_less_than_an_hour(
    payments: list[PaymentFacts],
) -> None:
    now = facts_at(6 * 3600, "now")

    features = compute_features(now, folded(payments), RATES)

    hour, day = now.at_ms // MS_PER_HOUR, oracle_window(payments, now, now.at_ms - MS_PER_DAY)
    this_hour = [facts for facts in payments if facts.at_ms // MS_PER_HOUR == hour]
    last_hour = oracle_window(payments, now, now.at_ms - MS_PER_HOUR)
    count_1h = int(features["tx_count_1h"]) - 1
    assert max(len(this_hour), min(len(last_hour), RING_CAPACITY)) <= count_1h <= len(last_hour)
    assert features["tx_count_24h"] == len(day) + 1  # all six hours lie in the buckets of the last 24


@given(histories(max_size=80, span_s=45 * 86_400), st.integers(30 * 86_400, 45 * 86_400))
def test_days_are_those_of_the_full_history_in_whole_utc_days(
    payments: list[PaymentFacts], at_s: int
) -> None:
    latest = max(payments, key=lambda facts: facts.at_ms)
    now = facts_at(max(at_s, (latest.at_ms - round(START.timestamp() * 1000)) / 1000), "now")

    features = compute_features(now, folded(payments), RATES)

    today = now.at_ms // MS_PER_DAY
    for name, days in (("7d", 7), ("30d", 30)):
        window = [facts for facts in payments if today - days < facts.at_ms // MS_PER_DAY <= today]
        amounts = [base_amount(facts) for facts in window]
        assert features[f"tx_count_{name}"] == len(window) + 1
        assert abs(float(features[f"amount_sum_{name}_base"]) - sum(amounts) - base_amount(now)) < 1e-3
        if name == "30d" and len(window) >= 5:
            mean = sum(amounts) / len(amounts)
            spread = (sum((amount - mean) ** 2 for amount in amounts) / len(amounts)) ** 0.5
            assert abs(float(features["amount_mean_30d_base"]) - mean) < 1e-3
            # The difference of two squares keeps about half the digits of the larger one.
            assert abs(float(features["amount_std_30d_base"]) - spread) < 1e-2


@given(histories(max_size=60, span_s=20 * 86_400), st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(payments: list[PaymentFacts], random: Random) -> None:
    shuffled = list(payments)
    random.shuffle(shuffled)

    one, other = folded(payments), folded(shuffled)

    assert to_bytes(one) == to_bytes(other)


@given(histories(max_size=50, span_s=90 * 86_400))
def test_first_and_last_seen_habit_and_place_are_those_of_the_full_history(
    payments: list[PaymentFacts],
) -> None:
    profile = folded(payments)

    assert profile.tx_count == len(payments)
    assert profile.first_at_ms == min(facts.at_ms for facts in payments)
    assert profile.last_at_ms == max(facts.at_ms for facts in payments)
    placed = [
        facts
        for facts in payments
        if isinstance(facts.transaction.location, Location)
        and facts.transaction.location.latitude is not None
    ]
    last = max((facts.at_ms for facts in placed), default=None)
    assert (profile.last_place.at_ms if profile.last_place else None) == last
    for slot in range(168):
        expected = sum(hour_of_week(facts.at_ms // MS_PER_HOUR) == slot for facts in payments)
        assert profile.hour_of_week[slot] == min(expected, 255)


@given(histories(max_size=40, span_s=90 * 86_400))
def test_what_is_stored_is_read_back_to_the_byte(payments: list[PaymentFacts]) -> None:
    stored = to_bytes(folded(payments))

    assert to_bytes(from_bytes(stored)) == stored


@settings(max_examples=3)
@given(st.integers(0, 2**32))
def test_a_profile_stays_under_4_kib_whatever_the_history(seed: int) -> None:
    draw = Random(seed)
    currencies = ["EUR", "USD", "JPY", "KWD", "GBP", "CHF", "SEK", "NOK", "DKK"]
    profile = Profile()
    for number in range(1500):
        facts = facts_at(
            draw.uniform(0, 60 * 86_400),
            f"t-{number}",
            amount=Decimal(draw.choice([1, 2**53 // 1000])),
            currency=draw.choice(currencies),
            merchant_id=f"m-{draw.random()}",
            device_id=f"d-{draw.random()}",
            payee_id=f"p-{draw.random()}",
            channel=f"c-{draw.random()}",
            card_id=f"k-{draw.random()}",
            location=Location(latitude=draw.uniform(-90, 90), longitude=0.0, country=f"L{draw.random()}"),
        )
        profile.fold(facts, Position(TOPIC, draw.randrange(100), number))

    assert len(to_bytes(profile)) <= MAX_PROFILE_BYTES


def test_late_payment_counts_in_its_own_hour_and_day() -> None:
    late = facts_at(10 * 86_400, "late", amount=Decimal(7))
    profile = folded([facts_at(20 * 86_400, "new"), late])

    row = list(profile.days.bucket).index(late.at_ms // MS_PER_DAY)

    assert (profile.days.count[row], profile.days.sum_minor[row]) == (1, 700)


def test_sums_saturate_instead_of_overflowing() -> None:
    largest = Decimal(2**53) / 100
    profile = Profile()
    for number in range(1100):
        profile.fold(facts_at(number, f"t-{number}", amount=largest), Position(TOPIC, 0, number))

    assert profile.days.sum_minor[0] == 2**63 - 1
    assert profile.days.count[0] == 1100
    assert from_bytes(to_bytes(profile)).to_bytes() == to_bytes(profile)


def test_seen_values_forget_the_one_not_seen_for_longest() -> None:
    payments = [facts_at(number * 60, f"t-{number}", device_id=f"d-{number}") for number in range(9)]
    profile = folded(payments)

    features = {
        name: compute_features(facts_at(3600, "now", device_id=name), profile, RATES)["is_new_device"]
        for name in ("d-0", "d-1", "d-8", "d-9")
    }

    assert features == {"d-0": True, "d-1": False, "d-8": False, "d-9": True}


def test_stored_form_is_that_of_format_1() -> None:
    """Later versions read what is stored: if this fails, :data:`FORMAT` must change, and the digest with it."""
    paris = Location(latitude=48.8566, longitude=2.3522, country="FR", city="Paris")
    profile = folded(
        [
            facts_at(0, "t-1", payee_id="p-1"),
            facts_at(7_200, "t-2", amount=Decimal(2**53) / 100, currency="USD"),
            facts_at(90_000, "t-3", location=paris, device_id=None),
            facts_at(3_600.9996, "late", location="Lyon, FR"),
        ]
    )

    assert FORMAT == to_bytes(profile)[0] == 1
    assert len(to_bytes(profile)) == 629
    assert (
        sha256(to_bytes(profile)).hexdigest()
        == "85b66214e8dc81501bcd05a3789e31330c29a9841634fff3965a14ccd636d077"
    )


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
    profile = folded(payments)  # at offsets 0 to 32; the first is no longer in the ring
    forgotten, oldest, newest = payments[0], payments[1], payments[-1]

    def has_folded(facts: PaymentFacts, offset: int, key_hash: int | None = None) -> bool:
        return profile.has_folded(key_hash or facts.key_hash, facts.at_ms, Position(TOPIC, 0, offset))

    assert has_folded(newest, 99)
    assert not has_folded(newest, 0, key_hash=7)
    assert has_folded(oldest, 99)
    assert has_folded(oldest, RING_CAPACITY, key_hash=7)
    assert has_folded(forgotten, RING_CAPACITY)
    assert not has_folded(forgotten, RING_CAPACITY + 1)


def test_without_a_full_ring_offsets_decide_nothing() -> None:
    profile = folded([facts_at(number, f"t-{number}") for number in range(RING_CAPACITY - 1)])

    assert not profile.has_folded(7, -1, Position(TOPIC, 0, 0))


def test_hour_of_the_week_begins_on_monday_and_its_count_ends_at_255() -> None:
    monday = datetime(2026, 9, 7, tzinfo=UTC)
    profile = folded([facts_at((monday - START).total_seconds(), f"t-{number}") for number in range(300)])

    assert profile.hour_of_week[0] == 255
    assert sum(profile.hour_of_week) == 255
    assert [hour_of_week(hour) for hour in (0, 95, 96, 96 + 168)] == [72, 167, 0, 0]


def test_of_payments_at_one_moment_the_last_is_the_same_in_any_order() -> None:
    payments = [facts_at(0, f"t-{number}", location=f"Town {number}, DE") for number in range(6)]
    last = max(payments, key=lambda facts: facts.key_hash)

    for order in (payments, payments[::-1]):
        assert folded(order).last_place_hash == last.place_hash


def test_earlier_payment_moves_neither_the_last_time_nor_the_last_place() -> None:
    profile = folded(
        [facts_at(10, "t-1"), facts_at(5, "t-2", location=Location(latitude=1.0, longitude=2.0))]
    )

    assert (profile.first_at_ms, profile.last_at_ms) == (
        facts_at(5, "t").at_ms,
        facts_at(10, "t").at_ms,
    )
    assert profile.last_place_hash == facts_at(10, "t-1").place_hash
    assert profile.last_place is not None
    assert profile.last_place.latitude == BERLIN.latitude


def test_bytes_of_another_format_are_refused_and_cut_ones_too() -> None:
    stored = folded([facts_at(0, "t")]).to_bytes()
    size = len(stored)
    for bad, message in (
        (b"", "format none; this is 1"),
        (b"\x63" + stored[1:], "format 99; this is 1"),
        (stored[:71], "format 1; this is 1"),
        (stored[:72], "72 bytes do not hold what the header says"),
        (stored[:-1], f"{size - 1} bytes do not hold what the header says"),
        (stored + b"\0", f"{size + 1} bytes do not hold what the header says"),
    ):
        with pytest.raises(ProfileFormatError, match=f"^{message}$"):
            from_bytes(bad)
