"""What the simulator makes: transactions as they stand on the wire, and beside them, never in them, the truth."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
from msgspec import Meta

from contract.currency import MINOR_UNIT_EXPONENT
from simulator.world import USD_RATES

if TYPE_CHECKING:
    from simulator.world import City

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

Record = dict[str, object]
"""A transaction as on the wire: the fields of ``contract.transaction``, amount as text, no nulls."""


class SimulationConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What to simulate. The same values give the same records, byte for byte."""

    seed: int
    """Whose world it is: another seed has other people, with other ids."""
    users: Annotated[int, Meta(ge=1)] = 300
    transactions: Annotated[int, Meta(ge=0)] = 12_000
    """How many there will be, fraud included; exactly."""
    ends_at: datetime
    """No event time is later; aware."""
    span: timedelta = timedelta(days=90)
    """How long before ``ends_at`` the first event may be."""
    fraud_rate: Annotated[float, Meta(ge=0, le=1)] = 0.01
    """Share of the transactions that are fraud."""
    first_user: Annotated[int, Meta(ge=0)] = 0
    """Number of the first user, so that two simulations of one seed can have different people."""
    settled: bool = False
    """True where the people's changes (a new phone, a move) lie before the span: it continues an earlier one."""
    episode: str = ""
    """Tells apart what happens to the same people in two simulations of one seed."""


class LabelledTransaction(msgspec.Struct, frozen=True, kw_only=True):
    """One transaction and the truth about it."""

    record: Record
    """As on the wire; no label is in it."""
    scenario: str | None = None
    """The kind of fraud; None for a legitimate payment."""
    incident_id: str | None = None
    """The episode of fraud that it belongs to: one user, one attack."""
    amount_base: float | None = None
    """Amount in US dollars; None where it is not known."""
    raw: bytes | None = None
    """The source's own line, where nothing could be read from it: it lands as it is, and is quarantined."""

    @property
    def transaction_id(self) -> str:
        """The record's id; empty where it has none."""
        return str(self.record.get("transaction_id", ""))


def to_us(at: datetime) -> int:
    """Microseconds since the epoch, exactly."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def timestamp_text(at_us: int) -> str:
    """Write microseconds since the epoch as RFC 3339 in UTC, 27 characters."""
    return (_EPOCH + timedelta(microseconds=at_us)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def money(usd: float, currency: str) -> tuple[str, float]:
    """Turn dollars into an amount of a currency, at least one minor unit.

    Returns
    -------
    tuple[str, float]
        The amount as on the wire, and what it is in dollars, to the cent.
    """
    exponent = MINOR_UNIT_EXPONENT[currency]
    rate = USD_RATES[currency]
    minor = max(1, round(usd * rate * 10**exponent))
    text = f"{minor // 10**exponent}.{minor % 10**exponent:0{exponent}d}" if exponent else str(minor)
    return text, round(minor / 10**exponent / rate, 2)


def place(city: City, latitude_shift: float, longitude_shift: float) -> dict[str, object]:
    """Locate a payment in a city, so many degrees from its centre, as the wire's location object."""
    return {
        "latitude": round(city.latitude + latitude_shift, 4),
        "longitude": round(city.longitude + longitude_shift, 4),
        "country": city.country,
        "city": city.name,
    }
