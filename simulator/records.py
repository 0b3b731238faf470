"""The parts of a record as they are written on the wire: times, amounts and places."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from contract.currency import MINOR_UNIT_EXPONENT
from simulator.world import USD_RATES

if TYPE_CHECKING:
    from simulator.world import City

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def to_us(at: datetime) -> int:
    """Microseconds since the epoch, exactly."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def at_of(at_us: int) -> datetime:
    """UTC time of microseconds since the epoch."""
    return _EPOCH + timedelta(microseconds=at_us)


def timestamp_text(at_us: int) -> str:
    """Write microseconds since the epoch as RFC 3339 in UTC, always 27 characters."""
    return at_of(at_us).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def money(usd: float, currency: str) -> tuple[str, float]:
    """Convert dollars into an amount of a currency, at least one minor unit.

    Returns
    -------
    tuple[str, float]
        The amount as on the wire, and its value in dollars, to the cent.
    """
    exponent = MINOR_UNIT_EXPONENT[currency]
    rate = USD_RATES[currency]
    minor = max(1, round(usd * rate * 10**exponent))
    text = f"{minor // 10**exponent}.{minor % 10**exponent:0{exponent}d}" if exponent else str(minor)
    return text, round(minor / 10**exponent / rate, 2)


def place(city: City, latitude_shift: float, longitude_shift: float) -> dict[str, object]:
    """Make the wire's location object for a place in a city; the shifts are degrees from its centre."""
    return {
        "latitude": round(city.latitude + latitude_shift, 4),
        "longitude": round(city.longitude + longitude_shift, 4),
        "country": city.country,
        "city": city.name,
    }
