"""Distance and speed on the sphere, for positions that are only known to the city."""

from __future__ import annotations

from math import asin, cos, radians, sin, sqrt
from typing import Final

import msgspec

EARTH_RADIUS_KM: Final = 6371.0088
"""Mean radius (IUGG)."""

CITY_UNCERTAINTY_KM: Final = 25.0
"""Uncertainty of a payment's position, as a radius: merchants and IP addresses are placed at their city's centre."""

MIN_INTERVAL_S: Final = 60.0
"""Senders' clocks differ by up to this much; over a shorter interval a speed would measure that difference."""


class Fix(msgspec.Struct, frozen=True):
    """Where and when a payment was made."""

    latitude: float
    """Degrees, WGS 84."""
    longitude: float
    at_ms: int
    """Event time, ms since the epoch."""
    uncertainty_km: float = CITY_UNCERTAINTY_KM


def distance_km(one: Fix, other: Fix) -> float:
    """Great-circle distance in km, >= 0.

    Haversine: R. W. Sinnott, "Virtues of the Haversine", Sky & Telescope 68(2), 1984.

    >>> round(distance_km(Fix(52.52, 13.405, 0), Fix(48.8566, 2.3522, 0)))
    877
    """
    latitude_1, latitude_2 = radians(one.latitude), radians(other.latitude)
    half_latitude = sin((latitude_2 - latitude_1) / 2)
    half_longitude = sin(radians(other.longitude - one.longitude) / 2)
    haversine = half_latitude**2 + cos(latitude_1) * cos(latitude_2) * half_longitude**2
    # For antipodes, rounding can give slightly more than 1, where asin is not defined.
    return 2 * EARTH_RADIUS_KM * asin(sqrt(min(1.0, haversine)))


def implied_speed_kmh(one: Fix, other: Fix, apart_km: float | None = None) -> float:
    """Lowest speed at which one person could have made both payments.

    Parameters
    ----------
    one, other : Fix
        In any order of time.
    apart_km : float | None
        Their distance, if it is already known.

    Returns
    -------
    float
        km/h, >= 0: the distance less both uncertainties, divided by the time between them, which counts as at least one minute.
        0 means that the uncertainty explains both places.

    >>> berlin, paris = Fix(52.52, 13.405, 0), Fix(48.8566, 2.3522, 3_600_000)
    >>> round(implied_speed_kmh(berlin, paris))
    827
    >>> implied_speed_kmh(berlin, Fix(52.4, 13.06, 1000))
    0.0
    """
    if apart_km is None:
        apart_km = distance_km(one, other)
    certain_km = apart_km - one.uncertainty_km - other.uncertainty_km
    if certain_km <= 0:
        return 0.0
    hours = max(abs(other.at_ms - one.at_ms) / 1000, MIN_INTERVAL_S) / 3600
    return certain_km / hours
