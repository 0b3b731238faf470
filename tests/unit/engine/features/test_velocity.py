"""Velocity: payments and amounts in windows that end at this payment."""

from __future__ import annotations

from array import array
from datetime import timedelta
from decimal import Decimal

import pytest

from engine.features.windows import added_up
from engine.profile.recent_payments import RING_CAPACITY
from tests.support.feature_samples import before, features_of, now
from tests.support.payments import NOW, make_grocery_payment


def test_windows_end_at_this_payment_and_begin_exclusive() -> None:
    features = features_of(now(), before(60), before(59.99), before(10), before(9.99), before(1), before(0.5))

    assert features["tx_count_1m"] == 2
    assert features["tx_count_10m"] == 4
    assert features["tx_count_1h"] == 6


@pytest.mark.parametrize(
    ("cards", "count"),
    [
        (["card_****1111", "card_****1111"], 1),
        (["card_****1111", "card_****2222"], 2),
        (["card_****1111", "tok_000000001111"], 2),
        (["card_****1111", None], 1),
    ],
)
def test_masked_cards_are_as_many_as_their_last_four_digits(cards: list[str | None], count: int) -> None:
    """A lower bound: two cards may end alike."""
    first, second = cards

    assert features_of(now(card_id=first), before(5, card_id=second))["card_count_1h"] == count


def test_a_late_payment_is_not_measured_against_what_came_after_it() -> None:
    features = features_of(before(30), before(40), now(amount=Decimal(9999)))

    assert features["tx_count_1h"] == 2
    assert features["amount_max_recent_base"] == 25.0
    assert features["minutes_since_last_tx"] == pytest.approx(10.0)


def test_a_late_payment_is_not_measured_against_the_rest_of_its_day() -> None:
    later = [before(60 * 24 - 20 - n) for n in range(8)]  # yesterday, from 20 minutes after the late one on
    late = make_grocery_payment(transaction_id="late", timestamp=NOW - timedelta(days=1), amount=Decimal(7))

    features = features_of(late, before(60 * 24 + 5, amount=Decimal(30)), *later)

    assert (features["tx_count_1h"], features["tx_count_24h"]) == (2, 2)
    assert (features["tx_count_7d"], features["tx_count_30d"]) == (2, 2)
    assert features["amount_mean_30d_base"] == 30.0
    assert features["amount_sum_30d_base"] == 37.0


def test_of_later_payments_only_those_that_the_ring_forgot_count_for_a_late_one() -> None:
    day = 60 * 24
    later = [before(day - 20 - n / 10) for n in range(RING_CAPACITY + 8)]
    late = make_grocery_payment(transaction_id="late", timestamp=NOW - timedelta(days=1))

    features = features_of(late, *later)

    assert features["tx_count_1h"] == features["tx_count_24h"] == features["tx_count_7d"] == 1 + 8


def test_a_payment_from_a_day_ahead_does_not_hide_what_was_paid_before_it() -> None:
    burst = [before(minutes, amount=Decimal(7)) for minutes in range(RING_CAPACITY + 8, 0, -1)]

    features = features_of(now(amount=Decimal(7)), *burst, before(-24 * 60 + 1))

    in_the_ring = RING_CAPACITY - 1 + 1  # without the one from the future, with this one
    assert (features["tx_count_24h"], features["amount_sum_24h_base"]) == (in_the_ring, 7.0 * in_the_ring)


def test_a_run_of_micro_amounts_is_counted_with_its_merchants() -> None:
    run = [before(10 - n, amount=Decimal("1.00"), merchant_id=f"shop-{n}") for n in range(5)]

    features = features_of(now(amount=Decimal(400), merchant_id="tv"), *run)

    assert features["micro_amount_count_1h"] == 5
    assert features["merchant_count_1h"] == 6


def test_sums_of_amounts_do_not_depend_on_the_python_that_adds_them() -> None:
    """The built-in sum rounds at each step up to Python 3.11 and compensates later: 10 times 0.1 is 0.9999999999999999 or 1.0."""
    assert added_up([0.1] * 10) == 1.0
    assert added_up([1e16, 1.0, -1e16]) == 1.0
    assert added_up(array("q", [2**53, 1, 1])) == 2**53 + 2
