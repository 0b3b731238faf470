"""Where the payment is made, and whether one person can have been there."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from engine.features.catalogue import compute_features
from engine.geo import CITY_UNCERTAINTY_KM, Fix, distance_km, implied_speed_kmh
from tests.support.feature_samples import PARIS, POTSDAM, RATES, before, features_of, now
from tests.support.histories import Event, folded
from tests.support.payments import (
    APPROVED,
    BERLIN,
    BLOCKED,
    NOW,
    REVIEWED,
    arrived_facts,
    make_grocery_payment,
)

if TYPE_CHECKING:
    from datetime import datetime

    from contract.scored import FeatureValue


def test_a_place_is_not_compared_with_one_that_came_later() -> None:
    late = make_grocery_payment(transaction_id="late", timestamp=NOW - timedelta(hours=1), location=PARIS)

    assert features_of(late, before(0, location=BERLIN))["is_location_change"] is False


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


def test_a_payment_without_a_place_does_not_make_the_last_place_younger() -> None:
    features = features_of(now(location=PARIS), before(300, location=BERLIN), before(30, location=None))

    assert features["minutes_since_last_place"] == 300.0
    assert features["minutes_since_last_tx"] == 30.0
    assert features_of(now(location=PARIS), before(30, location=None))["minutes_since_last_place"] == 0.0


def test_payment_that_was_stopped_moves_nobody() -> None:
    for outcome in (BLOCKED, REVIEWED):
        features = features_of(now(location=BERLIN), before(30, location=PARIS), outcome=outcome)

        assert features["distance_from_last_km"] == features["implied_speed_kmh"] == 0.0
        assert features["is_location_change"] is features["is_country_change"] is False
        assert features["country_count_24h"] == 2  # velocity counts it


def test_travel_goes_by_the_event_time_where_it_is_believed_and_else_by_the_arrival() -> None:
    profile = folded([Event(arrived_facts(now(location=BERLIN), NOW), APPROVED)])
    arrival = NOW + timedelta(hours=3)

    def speed(event_at: datetime) -> FeatureValue:
        payment = make_grocery_payment(timestamp=event_at, location=PARIS)
        return compute_features(arrived_facts(payment, arrival), profile, RATES)["implied_speed_kmh"]

    apart_km = 877.5 - 2 * CITY_UNCERTAINTY_KM
    assert speed(NOW + timedelta(hours=1)) == pytest.approx(apart_km, rel=0.01)
    assert speed(NOW + timedelta(days=300)) == pytest.approx(apart_km / 3, rel=0.01)
    assert speed(NOW - timedelta(days=300)) == pytest.approx(apart_km / 3, rel=0.01)


@pytest.mark.parametrize(
    ("dated", "by_event_hours", "by_arrival_hours"),
    [
        (timedelta(0), 3, 3),
        (timedelta(hours=2), 1, 3),
        (timedelta(hours=10), 7, 3),
        (timedelta(hours=23), 20, 3),
    ],
)
def test_payment_that_is_dated_back_has_a_speed_by_its_event_time_and_one_by_its_arrival(
    dated: timedelta, by_event_hours: float, by_arrival_hours: float
) -> None:
    profile = folded([Event(arrived_facts(now(location=BERLIN), NOW), APPROVED)])
    arrival = NOW + timedelta(hours=3)
    payment = make_grocery_payment(timestamp=arrival - dated, location=PARIS)

    features = compute_features(arrived_facts(payment, arrival), profile, RATES)

    apart_km = 877.5 - 2 * CITY_UNCERTAINTY_KM
    assert features["implied_speed_kmh"] == pytest.approx(apart_km / by_event_hours, rel=0.01)
    assert features["implied_speed_by_arrival_kmh"] == pytest.approx(apart_km / by_arrival_hours, rel=0.01)


@pytest.mark.parametrize(
    ("channel", "is_change"),
    [("pos", False), ("atm", False), ("online", True), ("transfer", True), (None, True)],
)
def test_payment_dated_before_the_last_place_has_changed_it_unless_it_was_made_in_person(
    channel: str | None, is_change: bool
) -> None:
    profile = folded([Event(arrived_facts(now(location=BERLIN), NOW), APPROVED)])
    payment = make_grocery_payment(timestamp=NOW - timedelta(hours=5), location=PARIS, channel=channel)

    features = compute_features(arrived_facts(payment, NOW + timedelta(hours=1)), profile, RATES)

    assert features["is_location_change"] is features["is_country_change"] is is_change


def test_the_same_minute_counts_as_a_minute() -> None:
    berlin, paris = Fix(52.52, 13.405, 0), Fix(48.8566, 2.3522, 1)

    speed = implied_speed_kmh(berlin, paris)

    assert speed == pytest.approx((distance_km(berlin, paris) - 50) * 60)


def test_antipodes_are_half_the_circumference_apart() -> None:
    assert distance_km(Fix(0, 0, 0), Fix(0, 180, 0)) == pytest.approx(20015.1, abs=0.1)
