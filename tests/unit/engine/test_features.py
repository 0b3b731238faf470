"""Features that a rule's author must be able to rely on, one sentence each."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.scored import FeatureValue, Position
from contract.transaction import Location, Transaction
from engine.exchange_rates import ExchangeRates
from engine.features.catalogue import CATALOGUE, FEATURE_NAMES, compute_features
from engine.geo import CITY_UNCERTAINTY_KM, Fix, distance_km, implied_speed_kmh
from engine.profile import Profile
from engine.profile.profile import PaymentFacts
from engine.profile.recent_payments import RING_CAPACITY
from tests.support.kafka_events import TOPIC
from tests.support.payments import BERLIN, NOW, make_grocery_payment

if TYPE_CHECKING:
    from collections.abc import Sequence

PARIS = Location(latitude=48.8566, longitude=2.3522, country="FR", city="Paris")
POTSDAM = Location(latitude=52.3906, longitude=13.0645, country="DE", city="Potsdam")
TYPES = {"double": float, "int": int, "bool": bool, "string": str}

RATES = ExchangeRates({"EUR": 1.0, "USD": 0.5, "GBP": 1.1742})


def features_of(now: Transaction, *earlier: Transaction) -> dict[str, FeatureValue]:
    profile = Profile()
    for offset, transaction in enumerate(earlier):
        profile.fold(PaymentFacts.of(transaction), Position(TOPIC, 0, offset))
    return compute_features(PaymentFacts.of(now), profile, RATES)


def before(minutes: float, **changes: object) -> Transaction:
    return make_grocery_payment(
        transaction_id=f"before-{minutes}", timestamp=NOW - timedelta(minutes=minutes), **changes
    )


def now(**changes: object) -> Transaction:
    return make_grocery_payment(transaction_id="now", timestamp=NOW, **changes)


def monthly(amounts: Sequence[int]) -> list[Transaction]:
    return [before(60 * 24 * (day + 1), amount=Decimal(amount)) for day, amount in enumerate(amounts)]


@pytest.mark.parametrize("earlier", [[], [before(5)], [before(m) for m in range(1, 60)]])
def test_every_feature_of_the_catalogue_is_given_in_its_order_and_type(earlier: list[Transaction]) -> None:
    features = features_of(now(), *earlier)

    assert tuple(features) == FEATURE_NAMES
    assert {name: type(value) for name, value in features.items()} == {
        feature.name: TYPES[feature.type] for feature in CATALOGUE
    }


def test_a_first_payment_has_no_past_and_nothing_in_it_is_new() -> None:
    features = features_of(now(payee_id="p"))

    assert features["profile_tx_count"] == 0
    assert features["tx_count_24h"] == 1
    assert features["amount_ratio_to_mean_30d"] == 1.0
    assert features["amount_percentile_recent"] == 0.5
    assert not any(value for name, value in features.items() if name.startswith("is_new_"))


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


@pytest.mark.parametrize(
    ("amount", "is_round", "is_just_below", "is_micro"),
    [
        ("100.00", True, False, False),
        ("99.99", False, False, False),
        ("0.00", False, False, True),
        ("2.00", False, False, True),
        ("950.00", False, True, False),
        ("949.99", False, False, False),
        ("1000.00", True, False, False),
        ("9999.99", False, True, False),
    ],
)
def test_the_amounts_own_looks(amount: str, is_round: bool, is_just_below: bool, is_micro: bool) -> None:
    features = features_of(now(amount=Decimal(amount)))

    assert features["is_round_amount"] is is_round
    assert features["is_just_below_threshold"] is is_just_below
    assert features["is_micro_amount"] is is_micro


def test_windows_end_at_this_payment_and_begin_exclusive() -> None:
    features = features_of(now(), before(60), before(59.99), before(10), before(9.99), before(1), before(0.5))

    assert features["tx_count_1m"] == 2
    assert features["tx_count_10m"] == 4
    assert features["tx_count_1h"] == 6


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


def test_a_place_is_not_compared_with_one_that_came_later() -> None:
    late = make_grocery_payment(transaction_id="late", timestamp=NOW - timedelta(hours=1), location=PARIS)

    assert features_of(late, before(0, location=BERLIN))["is_location_change"] is False


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


def test_a_run_of_micro_amounts_is_counted_with_its_merchants() -> None:
    run = [before(10 - n, amount=Decimal("1.00"), merchant_id=f"shop-{n}") for n in range(5)]

    features = features_of(now(amount=Decimal(400), merchant_id="tv"), *run)

    assert features["micro_amount_count_1h"] == 5
    assert features["merchant_count_1h"] == 6


def test_the_error_of_two_city_positions_explains_a_neighbouring_town() -> None:
    features = features_of(now(location=POTSDAM), before(1, location=BERLIN))

    assert features["distance_from_last_km"] == pytest.approx(27.0, abs=1.0)
    assert features["implied_speed_kmh"] == 0.0
    assert features["is_location_change"] is True


def test_another_country_within_the_hour_needs_an_aeroplanes_speed() -> None:
    features = features_of(now(location=PARIS), before(30, location=BERLIN))

    assert features["implied_speed_kmh"] == pytest.approx((877.5 - 2 * CITY_UNCERTAINTY_KM) * 2, rel=0.01)
    assert features["is_country_change"] is True
    assert features["is_new_country"] is True
    assert features["country_count_24h"] == 2


def test_a_speed_is_not_measured_where_a_place_is_unknown() -> None:
    features = features_of(now(location="Paris, FR"), before(30, location=BERLIN))

    assert features["is_location_known"] is False
    assert features["implied_speed_kmh"] == 0.0
    assert features["country"] == "FR"
    assert features["is_country_change"] is True


def test_the_same_minute_counts_as_a_minute() -> None:
    berlin, paris = Fix(52.52, 13.405, 0), Fix(48.8566, 2.3522, 1)

    speed = implied_speed_kmh(berlin, paris)

    assert speed == pytest.approx((distance_km(berlin, paris) - 50) * 60)


def test_antipodes_are_half_the_circumference_apart() -> None:
    assert distance_km(Fix(0, 0, 0), Fix(0, 180, 0)) == pytest.approx(20015.1, abs=0.1)


def test_what_was_seen_has_an_age_and_what_was_not_is_new() -> None:
    features = features_of(
        now(device_id="new", payee_id="known"), before(60 * 24 * 3, payee_id="known"), before(5)
    )

    assert features["is_new_device"] is True
    assert features["device_age_days"] == 0.0
    assert features["is_new_payee"] is False
    assert features["payee_age_days"] == pytest.approx(3.0)


def test_a_payment_without_a_device_is_not_from_a_new_one() -> None:
    assert features_of(now(device_id=None), before(5))["is_new_device"] is False


def test_habit_is_the_share_of_payments_around_this_hour_of_the_week() -> None:
    week = 7 * 24 * 60
    earlier = [before(week), before(2 * week - 60), before(3 * week + 60), before(week + 600)]

    assert features_of(now(), *earlier)["hour_of_week_share"] == 0.75


def test_a_sleeper_shows_by_the_days_since_the_last_payment() -> None:
    features = features_of(now(), before(90 * 24 * 60))

    assert features["days_since_last_tx"] == pytest.approx(90.0)
    assert features["account_age_days"] == pytest.approx(90.0)
    assert features["tx_rate_ratio_24h"] == 1.0
