"""Distances and speeds on the sphere, at their limits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.geo import (
    CITY_UNCERTAINTY_KM,
    EARTH_RADIUS_KM,
    MIN_INTERVAL_S,
    Fix,
    distance_km,
    implied_speed_kmh,
)

HERE = Fix(0.0, 0.0, 0)
places = st.builds(Fix, st.floats(-90, 90), st.floats(-180, 180), st.integers(0, 10**12))


@pytest.mark.parametrize(
    ("one", "other", "km"),
    [
        (Fix(0, 0, 0), Fix(0, 0, 9), 0.0),
        (Fix(0, 0, 0), Fix(0, 1, 0), 111.195),
        (Fix(0, 0, 0), Fix(1, 0, 0), 111.195),
        (Fix(60, 0, 0), Fix(60, 1, 0), 55.597),
        (Fix(-33.87, 151.21, 0), Fix(51.5, -0.13, 0), 16_994.6),
        (Fix(0, 179.5, 0), Fix(0, -179.5, 0), 111.195),
        (Fix(90, 0, 0), Fix(-90, 0, 0), 20_015.1),
    ],
)
def test_distance_is_that_of_the_great_circle(one: Fix, other: Fix, km: float) -> None:
    assert distance_km(one, other) == pytest.approx(km, abs=0.05)


@given(places, places)
def test_distance_is_the_same_both_ways_and_at_most_half_the_circumference(one: Fix, other: Fix) -> None:
    assert distance_km(one, other) == pytest.approx(distance_km(other, one), abs=1e-6)
    assert 0 <= distance_km(one, other) <= 3.1415927 * EARTH_RADIUS_KM


@given(st.floats(-89, 89), st.floats(-179, 179), st.floats(-0.001, 0.001), st.floats(-0.001, 0.001))
def test_nearly_opposite_places_have_a_distance(north: float, east: float, up: float, right: float) -> None:
    opposite = Fix(-north + up, east - 180 + right if east > 0 else east + 180 + right, 0)

    assert distance_km(Fix(north, east, 0), opposite) == pytest.approx(20_015.1, abs=0.5)


def test_speed_is_the_certain_distance_over_the_time() -> None:
    hour_later = Fix(0.0, 1.0, 3_600_000)

    assert implied_speed_kmh(HERE, hour_later) == pytest.approx(111.195 - 2 * CITY_UNCERTAINTY_KM, abs=0.01)
    assert implied_speed_kmh(hour_later, HERE) == implied_speed_kmh(HERE, hour_later)


def test_each_place_has_its_own_uncertainty() -> None:
    exact, rough = Fix(0.0, 0.0, 0, uncertainty_km=0.0), Fix(0.0, 1.0, 3_600_000, uncertainty_km=11.0)

    assert implied_speed_kmh(exact, rough) == pytest.approx(100.195, abs=0.01)


def test_known_distance_is_used() -> None:
    assert implied_speed_kmh(HERE, Fix(0.0, 1.0, 3_600_000), 80.0) == pytest.approx(30.0)


@pytest.mark.parametrize(("apart_km", "speed"), [(49.0, 0.0), (50.0, 0.0), (50.5, 0.5), (0.0, 0.0)])
def test_distance_within_both_uncertainties_needs_no_speed(apart_km: float, speed: float) -> None:
    assert implied_speed_kmh(HERE, Fix(0.0, 1.0, 3_600_000), apart_km) == pytest.approx(speed)


@pytest.mark.parametrize(
    ("seconds", "speed"), [(0, 600.0), (59, 600.0), (60, 600.0), (61, 600.0 * 60 / 61), (-120, 300.0)]
)
def test_interval_is_at_least_a_minute(seconds: int, speed: float) -> None:
    assert MIN_INTERVAL_S == 60
    assert implied_speed_kmh(HERE, Fix(0.0, 1.0, seconds * 1000), 60.0) == pytest.approx(speed)
