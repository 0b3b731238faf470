"""The amount against the user's own norm."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.feature_samples import before, features_of, monthly, now
from tests.support.payments import NOW, make_grocery_payment

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
