"""The profile against a plain recomputation from the full history, and against its own algebra."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from contract.scored import Decision
from contract.transaction import Location
from engine.exchange_rates import ExchangeRates
from engine.features.catalogue import compute_features
from engine.profile import to_bytes
from engine.profile.facts import MS_PER_DAY, MS_PER_HOUR, hour_of_week
from engine.profile.habit_amounts import HABIT_CAPACITY
from engine.profile.pending_payments import MAX_PENDING
from engine.profile.recent_payments import RING_CAPACITY
from engine.profile.seen_values import SeenKind
from tests.support.histories import DAY_S, HOUR_S, START, Event, facts_at, folded, histories, late_facts_at

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from engine.profile.facts import PaymentFacts

BASE_PER_UNIT = {"EUR": 1.0, "USD": 0.5}
RATES = ExchangeRates(BASE_PER_UNIT)
WINDOWS = (("1m", 60_000), ("10m", 600_000), ("1h", MS_PER_HOUR), ("24h", MS_PER_DAY))


def in_window(history: Sequence[Event], now: PaymentFacts, first_ms: int) -> list[Event]:
    """Earlier payments with clocks in (first_ms, now], from the full history."""
    return [event for event in history if first_ms < event.facts.clock_ms <= now.clock_ms]


def in_days(history: Sequence[Event], now: PaymentFacts, days: int) -> list[Event]:
    """Payments of whole UTC days up to today, by their clocks."""
    today = now.clock_ms // MS_PER_DAY
    return [event for event in history if today - days < event.facts.clock_ms // MS_PER_DAY <= today]


def base_amount(facts: PaymentFacts) -> float:
    return float(facts.transaction.amount) * BASE_PER_UNIT[facts.transaction.currency]


def total(history: Sequence[Event], now: PaymentFacts) -> float:
    return sum(base_amount(event.facts) for event in history) + base_amount(now)


def number_of(decision: Decision, history: Sequence[Event]) -> int:
    return sum(event.outcome.decision is decision for event in history)


def after(history: Sequence[Event], at_s: int) -> PaymentFacts:
    """A payment at ``at_s``, or after all times of the history where these are later."""
    latest_ms = max(max(facts.at_ms, facts.clock_ms) for facts, _ in history)
    return facts_at(max(at_s, latest_ms / 1000 - START.timestamp()), "now")


@given(
    histories(max_size=RING_CAPACITY - 1, span_s=40 * DAY_S),
    st.integers(0, 40 * DAY_S),
    st.sampled_from([0, HOUR_S, 90 * DAY_S]),
)
def test_windows_that_fit_the_ring_are_those_of_the_full_history_by_the_clock(
    history: list[Event], at_s: int, delay_s: int
) -> None:
    now = late_facts_at(at_s, delay_s, "now")

    features = compute_features(now, folded(history), RATES)[0]

    for name, length_ms in WINDOWS:
        window = in_window(history, now, now.clock_ms - length_ms)
        assert features[f"tx_count_{name}"] == len(window) + 1
        if name != "1m":
            assert abs(float(features[f"amount_sum_{name}_base"]) - total(window, now)) < 1e-3
    hour = in_window(history, now, now.clock_ms - MS_PER_HOUR)
    merchants = {event.facts.transaction.merchant_id for event in hour} | {now.transaction.merchant_id}
    assert features["merchant_count_1h"] == len(merchants - {None})
    day = in_window(history, now, now.clock_ms - MS_PER_DAY)
    assert features["review_count_24h"] == number_of(Decision.REVIEW, day)
    assert features["block_count_24h"] == number_of(Decision.BLOCK, day)


@given(histories(max_size=120, span_s=6 * HOUR_S))
def test_beyond_the_ring_a_count_is_a_lower_bound_that_misses_less_than_an_hour(history: list[Event]) -> None:
    now = facts_at(6 * HOUR_S, "now")

    features = compute_features(now, folded(history), RATES)[0]

    hour, day = now.clock_ms // MS_PER_HOUR, in_window(history, now, now.clock_ms - MS_PER_DAY)
    this_hour = [facts for facts, _ in history if facts.clock_ms // MS_PER_HOUR == hour]
    last_hour = in_window(history, now, now.clock_ms - MS_PER_HOUR)
    count_1h = int(features["tx_count_1h"]) - 1
    assert max(len(this_hour), min(len(last_hour), RING_CAPACITY)) <= count_1h <= len(last_hour)
    # All six hours are in the buckets of the last 24.
    assert features["tx_count_24h"] == len(day) + 1
    assert features["review_count_24h"] == number_of(Decision.REVIEW, day)
    assert features["block_count_24h"] == number_of(Decision.BLOCK, day)


@given(histories(max_size=80, span_s=45 * DAY_S), st.integers(30 * DAY_S, 45 * DAY_S))
def test_days_are_those_of_the_full_history_in_whole_utc_days(history: list[Event], at_s: int) -> None:
    now = after(history, at_s)

    features = compute_features(now, folded(history), RATES)[0]

    for name, days in (("7d", 7), ("30d", 30)):
        window = in_days(history, now, days)
        assert features[f"tx_count_{name}"] == len(window) + 1
        assert abs(float(features[f"amount_sum_{name}_base"]) - total(window, now)) < 1e-3
    month = in_days(history, now, 30)
    assert features["review_count_30d"] == number_of(Decision.REVIEW, month)
    assert features["block_count_30d"] == number_of(Decision.BLOCK, month)


@given(histories(max_size=80, span_s=45 * DAY_S), st.integers(30 * DAY_S, 45 * DAY_S))
def test_usual_amounts_are_those_of_the_approved_payments_by_their_time_for_habits(
    history: list[Event], at_s: int
) -> None:
    now = after(history, at_s)

    features = compute_features(now, folded(history), RATES)[0]

    usual = [facts for facts, outcome in history if outcome.decision is Decision.APPROVE]
    today = now.at_ms // MS_PER_DAY
    month = [base_amount(each) for each in usual if today - 30 < each.at_ms // MS_PER_DAY <= today]
    assert features["usual_tx_count"] == len(usual)
    assert features["profile_tx_count"] == len(history)
    if len(month) >= 5:
        mean = sum(month) / len(month)
        spread = (sum((amount - mean) ** 2 for amount in month) / len(month)) ** 0.5
        assert abs(float(features["amount_mean_30d_base"]) - mean) < 1e-3
        # The difference of two squares keeps about half the digits of the larger one.
        assert abs(float(features["amount_std_30d_base"]) - spread) < 1e-2
    # Those of one second are in the order of amount and currency, so that it is certain which ones are kept. Zeros are not.
    paid = [each for each in usual if each.amount_minor]
    ordered = sorted(paid, key=lambda each: (each.at_ms // 1000, each.amount_minor, each.currency))
    newest = sorted(map(base_amount, ordered[-HABIT_CAPACITY:]))
    assert abs(float(features["amount_max_recent_base"]) - max(newest, default=0.0)) < 1e-3


@given(histories(max_size=60, span_s=20 * DAY_S, mixed=False), st.randoms(use_true_random=False))
def test_order_of_arrival_does_not_matter_where_all_are_approved(
    history: list[Event], random: Random
) -> None:
    shuffled = list(history)
    random.shuffle(shuffled)

    one, other = folded(history), folded(shuffled)

    assert to_bytes(one) == to_bytes(other)


@given(histories(max_size=60, span_s=20 * DAY_S, max_reviews=MAX_PENDING), st.randoms(use_true_random=False))
def test_order_of_arrival_does_not_matter_with_mixed_decisions_until_one_is_released(
    history: list[Event], random: Random
) -> None:
    shuffled = list(history)
    random.shuffle(shuffled)

    one, other = folded(history), folded(shuffled)

    assert to_bytes(one) == to_bytes(other)


@given(histories(max_size=50, span_s=90 * DAY_S))
def test_times_place_and_hours_are_those_of_the_full_history(history: list[Event]) -> None:
    profile = folded(history)

    usual = [facts for facts, outcome in history if outcome.decision is Decision.APPROVE]
    assert (profile.tx_count, profile.habit_count) == (len(history), len(usual))
    assert profile.first_clock_ms == min(facts.clock_ms for facts, _ in history)
    assert profile.recent.clock_ms[-1] == max(facts.clock_ms for facts, _ in history)
    assert profile.newest_at_ms == max(facts.at_ms for facts, _ in history)
    assert profile.taught_at_ms == max((facts.at_ms for facts in usual), default=0)
    placed = [
        facts
        for facts in usual
        if isinstance(facts.transaction.location, Location)
        and facts.transaction.location.latitude is not None
    ]
    last = max((facts.at_ms for facts in placed), default=None)
    assert (profile.last_place.at_ms if profile.last_place else None) == last
    for slot in range(168):
        expected = sum(hour_of_week(facts.at_ms // MS_PER_HOUR) == slot for facts in usual)
        assert profile.hour_of_week[slot] == min(expected, 255)


@given(histories(max_size=50, span_s=90 * DAY_S))
def test_seen_values_are_those_of_the_approved_payments_with_their_numbers(history: list[Event]) -> None:
    profile = folded(history)

    of_devices: dict[int, list[int]] = {}
    for facts, outcome in history:
        device = facts.seen[SeenKind.DEVICE]
        if outcome.decision is Decision.APPROVE and device is not None:
            of_devices.setdefault(device, []).append(facts.at_ms // 1000)
    assert profile.seen.find(list(of_devices)) == [(min(times), len(times)) for times in of_devices.values()]
    devices = [value for value in profile.seen.value if value & 7 == SeenKind.DEVICE]
    assert sorted(of_devices) == devices
