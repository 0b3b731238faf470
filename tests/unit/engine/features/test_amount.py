"""The amount against the user's own norm."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.feature_samples import before, features_of, monthly, now
from tests.support.payments import BLOCKED, NOW, REVIEWED, make_grocery_payment

if TYPE_CHECKING:
    from contract.transaction import Transaction


def test_amount_is_measured_against_the_users_own_norm() -> None:
    features = features_of(now(amount=Decimal(100)), *monthly([10, 20, 30, 20, 20]))

    assert features["amount_mean_30d_base"] == 20.0
    assert features["amount_std_30d_base"] == pytest.approx(40**0.5, abs=1e-4)
    assert features["amount_ratio_to_mean_30d"] == 5.0
    assert features["amount_zscore_30d"] == pytest.approx(80 / 40**0.5, abs=1e-4)
    assert features["amount_percentile_recent"] == 1.0
    assert features["amount_max_recent_base"] == 30.0


def test_amounts_of_all_currencies_are_compared_in_the_base_currency() -> None:
    features = features_of(
        now(amount=Decimal(10)), before(30, amount=Decimal(40), currency="USD"), before(20, amount=Decimal(5))
    )

    assert features["amount_sum_1h_base"] == 35.0
    assert features["amount_max_recent_base"] == 20.0
    assert features["is_new_currency"] is False


def test_a_constant_amount_has_a_spread_of_a_tenth_of_its_mean_at_least() -> None:
    features = features_of(now(amount=Decimal(11)), *monthly([10] * 8))

    assert features["amount_zscore_30d"] == pytest.approx(1.0)


def test_an_amount_without_a_rate_is_no_micro_amount_and_says_nothing_of_what_is_usual() -> None:
    unknown = [before(10 + n, amount=Decimal(4_000), currency="PKR") for n in range(6)]

    features = features_of(now(amount=Decimal(55)), *unknown, before(50, amount=Decimal(50)))

    assert features["micro_amount_count_1h"] == 0
    assert features["tx_count_1h"] == 8
    assert features["amount_mean_30d_base"] == 50.0
    assert features["amount_percentile_recent"] == 1.0
    assert features["amount_sum_1h_base"] == 105.0
    assert features_of(now(amount=Decimal(4_000), currency="PKR"))["is_micro_amount"] is False


@pytest.mark.parametrize("others", [[], [before(90, amount=Decimal(3), currency="USD")]])
@given(cents=st.integers(1, 20_000))
def test_the_same_amount_again_is_neither_above_nor_below(others: list[Transaction], cents: int) -> None:
    amount = Decimal(cents) / 100

    features = features_of(
        now(amount=amount, currency="GBP"), before(5, amount=amount, currency="GBP"), *others
    )

    cheaper = sum(other.amount * Decimal("0.5") < amount * Decimal("1.1742") for other in others)
    assert features["amount_percentile_recent"] == cheaper / (1 + len(others))
    assert features["amount_base"] == features["amount_max_recent_base"] or cheaper < len(others)


def test_what_came_after_a_late_payment_leaves_no_spread_behind() -> None:
    earlier = [before(60 * 24 * 3 + n, amount=Decimal("0.01")) for n in range(6)]
    later = [before(60 * 24 - 20 - n, amount=Decimal("0.03")) for n in range(6)]
    late = make_grocery_payment(
        transaction_id="late", timestamp=NOW - timedelta(days=1), amount=Decimal("0.01")
    )

    features = features_of(late, *earlier, *later)

    assert features["amount_mean_30d_base"] == 0.01
    assert features["amount_std_30d_base"] == 0.0


def test_amount_is_compared_with_robust_measures_of_the_newest_usual_amounts() -> None:
    usual = monthly([10, 20, 30, 40, 50, 60, 70, 80, 90, 1000])

    features = features_of(now(amount=Decimal(110)), *usual)

    assert features["amount_ratio_to_median_recent"] == 2.0
    assert features["amount_ratio_to_trimmed_mean_recent"] == 2.0  # without 10 and 1000
    assert features["amount_ratio_to_p90_recent"] == pytest.approx(110 / 90, abs=1e-4)


@pytest.mark.parametrize(
    ("amounts", "median", "trimmed", "p90"),
    [
        ([10], 10.0, 10.0, 10.0),
        ([10, 40], 25.0, 25.0, 40.0),
        ([40, 10, 20], 20.0, 70 / 3, 40.0),
        ([10] * 9 + [500], 10.0, 10.0, 10.0),
        ([10] * 18 + [500] * 2, 10.0, 10.0, 10.0),
        ([10] * 17 + [500] * 3, 10.0, (15 * 10 + 500) / 16, 500.0),
        ([10] * 31 + [500], 10.0, 10.0, 10.0),
    ],
)
def test_robust_measures_are_those_of_the_textbook(
    amounts: list[int], median: float, trimmed: float, p90: float
) -> None:
    """The trimmed mean leaves out a tenth at each end, rounded down; the percentile is of the nearest rank."""
    days = [before(60 * 20 * (number + 1), amount=Decimal(amount)) for number, amount in enumerate(amounts)]

    features = features_of(now(amount=Decimal(1000)), *days)

    assert features["amount_ratio_to_median_recent"] == pytest.approx(1000 / median, abs=1e-4)
    assert features["amount_ratio_to_trimmed_mean_recent"] == pytest.approx(1000 / trimmed, abs=1e-4)
    assert features["amount_ratio_to_p90_recent"] == pytest.approx(1000 / p90, abs=1e-4)


@pytest.mark.parametrize("earlier", [[], [before(5, amount=Decimal(0))], [before(5, currency="PKR")]])
def test_without_a_usual_amount_above_0_ratios_are_1_and_no_amount_is_high(
    earlier: list[Transaction],
) -> None:
    features = features_of(now(amount=Decimal(5_000)), *earlier)

    for name in ("median", "trimmed_mean", "p90"):
        assert features[f"amount_ratio_to_{name}_recent"] == 1.0
    assert features["high_amount_count_7d"] == features["high_amount_count_14d"] == 0


def test_amounts_above_three_medians_are_counted_in_7_and_14_days_this_one_included() -> None:
    usual = [before(60 * 24 * 20 + number, amount=Decimal(10)) for number in range(9)]
    high = [before(60 * 24 * day, amount=Decimal("30.01")) for day in (1, 6.9, 7, 13.9, 14)]
    at_the_limit = before(60, amount=Decimal(30))

    features = features_of(now(amount=Decimal(31)), *usual, *high, at_the_limit)
    small = features_of(now(amount=Decimal(30)), *usual, *high, at_the_limit)

    assert (features["high_amount_count_7d"], features["high_amount_count_14d"]) == (3, 5)
    assert (small["high_amount_count_7d"], small["high_amount_count_14d"]) == (2, 4)


def test_stopped_payments_make_no_amount_usual() -> None:
    for outcome in (BLOCKED, REVIEWED):
        features = features_of(now(amount=Decimal(500)), *monthly([500] * 9), outcome=outcome)

        assert features["amount_max_recent_base"] == features["amount_mean_30d_base"] == 0.0
        assert features["amount_percentile_recent"] == 0.5
        assert features["usual_tx_count"] == 0
        assert features["profile_tx_count"] == 9


def test_what_came_after_a_late_payment_is_not_usual_for_it_in_any_currency() -> None:
    day = 60 * 24
    earlier = [before(day * 3, amount=Decimal(10)), before(day * 2, amount=Decimal(40), currency="USD")]
    later = [
        before(day - 20, amount=Decimal(900)),
        before(day - 30, amount=Decimal(700), currency="USD"),
        before(day - 40, amount=Decimal(700), currency="PKR"),
        before(60, amount=Decimal(5_000)),
    ]
    late = make_grocery_payment(transaction_id="late", timestamp=NOW - timedelta(days=1), amount=Decimal(30))

    features, without = features_of(late, *earlier, *later), features_of(late, *earlier)

    names = [name for name in without if name.startswith(("amount_", "high_amount_", "tx_"))]
    assert len(names) > 20
    assert {name: features[name] for name in names} == {name: without[name] for name in names}
