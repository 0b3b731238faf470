"""Features at the limits of their definitions: weekends, windows of one currency, rates and ratios of small figures."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from tests.support.feature_samples import features_of
from tests.support.payments import NOW, make_grocery_payment

if TYPE_CHECKING:
    from contract.transaction import Transaction


def before(days: float, amount: str = "25", currency: str = "EUR") -> Transaction:
    return make_grocery_payment(
        transaction_id=f"before-{days}",
        timestamp=NOW - timedelta(days=days),
        amount=Decimal(amount),
        currency=currency,
    )


@pytest.mark.parametrize(
    ("at", "is_weekend", "hour_of_day"),
    [
        (datetime(2026, 2, 27, 23, 59, 59, tzinfo=UTC), False, 23),
        (datetime(2026, 2, 28, 0, 0, tzinfo=UTC), True, 0),
        (datetime(2026, 3, 1, 0, 0, tzinfo=UTC), True, 0),
        (datetime(2026, 3, 1, 23, 59, 59, tzinfo=UTC), True, 23),
        (datetime(2026, 3, 2, 0, 0, tzinfo=UTC), False, 0),
    ],
)
def test_weekend_is_saturday_and_sunday_in_utc(at: datetime, is_weekend: bool, hour_of_day: int) -> None:
    features = features_of(make_grocery_payment(timestamp=at))

    assert (features["is_weekend"], features["hour_of_day"]) == (is_weekend, hour_of_day)


def test_sums_of_one_foreign_currency_are_in_the_base_currency() -> None:
    earlier = [before(days, "10", "USD") for days in (20, 3, 0.9, 0.5, 0.02)]

    features = features_of(before(0, "10", "USD"), *earlier)

    assert [features[f"amount_sum_{name}_base"] for name in ("10m", "1h", "24h", "7d", "30d")] == [
        *[5.0, 10.0, 20.0, 25.0, 30.0]
    ]


@pytest.mark.parametrize(
    ("first_day", "ratio"), [(0.5, 1.0), (1, 1.0), (2, 2.0), (10, 10.0), (30, 30.0), (45, 30.0)]
)
def test_rate_is_compared_with_that_of_the_days_since_the_first_payment_from_1_to_30(
    first_day: float, ratio: float
) -> None:
    """Two payments in 24 hours and two in 30 days, but for the first where it is older than a day."""
    features = features_of(before(0), before(first_day), before(0.25))

    payments_24h, payments_30d = features["tx_count_24h"], features["tx_count_30d"]
    assert isinstance(payments_24h, int)
    assert isinstance(payments_30d, int)
    assert features["tx_rate_ratio_24h"] == pytest.approx(payments_24h / ((payments_30d - 1) / ratio))


def test_ratio_to_a_mean_below_1_is_computed() -> None:
    earlier = [before(days, "0.5") for days in range(1, 7)]

    assert features_of(before(0, "2"), *earlier)["amount_ratio_to_mean_30d"] == 4.0
