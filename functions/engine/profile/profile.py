"""The profile of one user: what is folded, in which order it may arrive, and how it is stored.

A fold takes one transaction and its position in Kafka. As long as no part is full, the state does not depend on the order of
the transactions: the ring keeps the latest by event time, buckets count each payment in its own hour and day, first and last
times are minima and maxima, and all sums are integers. Beyond the capacities, the oldest is forgotten first.

How windows compare with the full history (a property test checks this):

- Up to 24 h: exact while the ring covers the window, that is with fewer than 32 payments since it began. Otherwise whole UTC
  hours, up to the payment's own, from at most 25 (hour, currency) pairs; never less than what the ring holds.
- 7 and 30 days: whole UTC days, up to the payment's own, from at most 34 (day, currency) pairs.
- Late payments: whole hours and days also include later payments of the last hour or day that the ring has forgotten.
"""

from __future__ import annotations

import struct
import sys
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import msgspec

from contract.transaction import Location, Transaction
from engine.geo import Fix
from engine.profile.amount_buckets import AmountBuckets
from engine.profile.fingerprints import CURRENCY_NUMBERS, key_hash, text_hash, value_hash
from engine.profile.packed_columns import empty, read_columns
from engine.profile.recent_payments import RecentPayments
from engine.profile.seen_values import SeenKind, SeenValues

if TYPE_CHECKING:
    from array import array

    from contract.scored import Position

FORMAT: Final = 1
"""Version of the stored form. A profile of another format counts as missing and is rebuilt from history."""

MAX_PARTITIONS: Final = 8
"""For how many partitions a profile keeps an offset. A user's key puts all its payments on one."""

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND: Final = timedelta(milliseconds=1)
HOURS_PER_WEEK: Final = 168
MS_PER_HOUR: Final = 3_600_000
MS_PER_DAY: Final = 86_400_000
_HOURS_KEPT: Final = 24
_DAYS_KEPT: Final = 31
_MAX_DAY_ROWS: Final = 34
_MAX_HOUR_ROWS: Final = 25
_THURSDAY_HOURS: Final = 72
"""The epoch began on a Thursday: three days into a week that begins on Monday."""

_PARTITION_TYPECODES: Final = "Iq"
_HEADER = struct.Struct("<BBBBBxxxQqqQddqIi")
if sys.byteorder != "little":
    raise ImportError("profiles are stored little-endian, as both of Lambda's architectures are")


class ProfileFormatError(Exception):
    """Bytes that are not a profile of this format."""


class PaymentFacts(msgspec.Struct, frozen=True):
    """What profile and features need of one transaction, derived once. Hashes are those of :mod:`engine.profile.fingerprints`."""

    transaction: Transaction
    key_hash: int
    at_ms: int
    """Event time, whole ms since the epoch, rounded down: 23:59:59.9996 is not the next day."""
    amount_minor: int
    currency: int
    """Number of the currency."""
    country: str | None
    place_hash: int
    merchant_hash: int
    card_hash: int
    country_hash: int
    seen: tuple[int | None, ...]
    """By :class:`~engine.profile.seen_values.SeenKind`: the hash of the payment's value; None if it names none."""

    @classmethod
    def of(cls, transaction: Transaction) -> PaymentFacts:
        """Derive the facts of ``transaction``."""
        country, merchant = transaction.country, transaction.merchant_id
        return cls(
            transaction,
            key_hash(transaction.event_key),
            (transaction.timestamp - EPOCH) // MILLISECOND,
            transaction.amount_minor,
            CURRENCY_NUMBERS[transaction.currency],
            country,
            text_hash(_place_text(transaction.location)),
            text_hash(merchant),
            text_hash(transaction.card_id),
            text_hash(country),
            (
                value_hash(SeenKind.COUNTRY, country),
                value_hash(SeenKind.DEVICE, transaction.device_id),
                value_hash(SeenKind.MERCHANT, merchant),
                value_hash(SeenKind.PAYEE, transaction.payee_id),
                value_hash(SeenKind.CHANNEL, transaction.channel),
                value_hash(SeenKind.CURRENCY, transaction.currency),
            ),
        )


class Profile:
    """One user's behaviour, in at most 4 KiB.

    Attributes
    ----------
    tx_count : int
        Transactions folded so far.
    first_at_ms, last_at_ms : int
        Event times of the earliest and the latest of them, ms since the epoch; 0 for none.
    recent, hours, days, seen
        The ring, the buckets, the values seen.
    hour_of_week : bytearray
        168 counts from Monday 00:00 UTC, each at most 255.
    last_place : Fix | None
        Where the latest payment with coordinates was made.
    last_place_hash : int
        Hash of the latest payment's place as text; 0 if it named none.
    """

    __slots__ = (
        "_last_key_hash",
        "days",
        "first_at_ms",
        "hour_of_week",
        "hours",
        "last_at_ms",
        "last_place",
        "last_place_hash",
        "offsets",
        "partitions",
        "recent",
        "seen",
        "tx_count",
    )

    def __init__(self) -> None:
        self.tx_count = 0
        self.first_at_ms = 0
        self.last_at_ms = 0
        self._last_key_hash = 0
        self.last_place: Fix | None = None
        self.last_place_hash = 0
        self.recent = RecentPayments()
        self.hours = AmountBuckets(_HOURS_KEPT, _MAX_HOUR_ROWS, keep_squares=False)
        self.days = AmountBuckets(_DAYS_KEPT, _MAX_DAY_ROWS, keep_squares=True)
        self.seen = SeenValues()
        self.hour_of_week = bytearray(HOURS_PER_WEEK)
        self.partitions, self.offsets = empty(_PARTITION_TYPECODES)

    # What has been folded

    def folded_offset(self, topic: str, partition: int) -> int:
        """The highest offset of a partition that was folded, or marked complete; -1 for none."""
        try:
            return self.offsets[self.partitions.index(_partition_hash(topic, partition))]
        except ValueError:
            return -1

    def holds(self, key_hash: int) -> bool:
        """Whether the payment is in the ring. True is certain; False says nothing about payments older than the ring."""
        return key_hash in self.recent.key_hash

    def has_folded(self, key_hash: int, at_ms: int, position: Position) -> bool:
        """Whether a payment whose row was stored from ``position`` was folded.

        The ring decides for every payment that it cannot have forgotten; the offsets decide only for older ones. If a user's
        payments come on several partitions, a rebuilt profile may include a later payment of a partition, and lack an earlier one
        whose row was not stored yet.
        """
        recent = self.recent
        if not recent.is_full or at_ms > recent.at_ms[0]:
            return self.holds(key_hash)
        return position.offset <= self.folded_offset(position.topic, position.partition) or self.holds(
            key_hash
        )

    def mark_complete_to(self, topic: str, partition: int, offset: int) -> None:
        """Record that all of this user's payments up to ``offset`` on a partition are folded."""
        partition_hash = _partition_hash(topic, partition)
        if (
            self.partitions and self.partitions[-1] == partition_hash
        ):  # the usual case: a user's key puts all on one
            self.offsets[-1] = max(offset, self.offsets[-1])
            return
        if partition_hash in self.partitions:
            row = self.partitions.index(partition_hash)
            self.partitions.pop(row)
            offset = max(offset, self.offsets.pop(row))
        elif len(self.partitions) >= MAX_PARTITIONS:
            del self.partitions[0], self.offsets[0]  # the one that was marked longest ago
        self.partitions.append(partition_hash)
        self.offsets.append(offset)

    def fold(self, facts: PaymentFacts, position: Position) -> None:
        """Add one transaction.

        The caller is responsible for folding each transaction once.

        Parameters
        ----------
        facts : PaymentFacts
            The transaction.
        position : Position
            Its position in Kafka.
        """
        transaction, at_ms, currency = facts.transaction, facts.at_ms, facts.currency
        self.first_at_ms = min(self.first_at_ms, at_ms) if self.tx_count else at_ms
        is_latest = self.tx_count == 0 or (at_ms, facts.key_hash) > (self.last_at_ms, self._last_key_hash)
        if is_latest:
            self.last_at_ms, self._last_key_hash = at_ms, facts.key_hash
            self.last_place_hash = facts.place_hash
        location = transaction.location
        if (
            isinstance(location, Location)
            and location.latitude is not None
            and location.longitude is not None
        ):
            place = Fix(location.latitude, location.longitude, at_ms)
            if self.last_place is None or _later(place, self.last_place):
                self.last_place = place
        self.recent.add(
            (
                at_ms,
                facts.key_hash,
                facts.amount_minor,
                currency,
                facts.merchant_hash,
                facts.card_hash,
                facts.country_hash,
            )
        )
        hour = at_ms // MS_PER_HOUR
        self.hours.add(hour, currency, facts.amount_minor)
        self.days.add(at_ms // MS_PER_DAY, currency, facts.amount_minor)
        at_s = at_ms // 1000
        for value in facts.seen:
            if value is not None:
                self.seen.add(value, at_s)
        slot = hour_of_week(hour)
        self.hour_of_week[slot] = min(self.hour_of_week[slot] + 1, 255)
        self.tx_count += 1
        self.mark_complete_to(position.topic, position.partition, position.offset)

    # How it is stored

    def to_bytes(self) -> bytes:
        """The stored form: a header with the lengths, then the columns, little-endian."""
        place = self.last_place
        header = _HEADER.pack(
            FORMAT,
            len(self.recent),
            len(self.hours),
            len(self.days),
            len(self.seen),
            self.tx_count,
            self.first_at_ms,
            self.last_at_ms,
            self._last_key_hash,
            place.latitude if place else 0.0,
            place.longitude if place else 0.0,
            place.at_ms if place else 0,
            self.last_place_hash,
            -len(self.partitions) - 1 if place else len(self.partitions),
        )
        return b"".join((header, self.hour_of_week, *self._columns()))

    @classmethod
    def from_bytes(cls, data: bytes) -> Profile:
        """Read a stored profile.

        Raises
        ------
        ProfileFormatError
            If the bytes are of another format, or truncated.
        """
        if len(data) < _HEADER.size or data[0] != FORMAT:
            raise ProfileFormatError(f"format {data[0] if data else 'none'}; this is {FORMAT}")
        (
            _,
            recent,
            hours,
            days,
            seen,
            tx_count,
            first_at_ms,
            last_at_ms,
            last_key_hash,
            latitude,
            longitude,
            place_at_ms,
            last_place_hash,
            partitions,
        ) = _HEADER.unpack_from(data)
        has_place = partitions < 0
        layout = (
            (RecentPayments.TYPECODES, recent),
            (AmountBuckets.TYPECODES, hours),
            (AmountBuckets.TYPECODES_WITH_SQUARES, days),
            (SeenValues.TYPECODES, seen),
            (_PARTITION_TYPECODES, -partitions - 1 if has_place else partitions),
        )
        start = _HEADER.size + HOURS_PER_WEEK
        try:
            columns = read_columns(data, start, layout)
        except ValueError as error:
            raise ProfileFormatError(f"{len(data)} bytes do not hold what the header says") from error
        profile = cls.__new__(cls)
        profile.tx_count = tx_count
        profile.first_at_ms = first_at_ms
        profile.last_at_ms = last_at_ms
        profile._last_key_hash = last_key_hash
        profile.last_place = Fix(latitude, longitude, place_at_ms) if has_place else None
        profile.last_place_hash = last_place_hash
        profile.hour_of_week = bytearray(data[_HEADER.size : start])
        profile.recent = RecentPayments(*columns[:7])
        profile.hours = AmountBuckets(_HOURS_KEPT, _MAX_HOUR_ROWS, *columns[7:11], keep_squares=False)
        profile.days = AmountBuckets(_DAYS_KEPT, _MAX_DAY_ROWS, *columns[11:17], keep_squares=True)
        profile.seen = SeenValues(*columns[17:20])
        profile.partitions, profile.offsets = columns[20:]
        return profile

    def _columns(self) -> tuple[array[int], ...]:
        return (
            *self.recent.columns(),
            *self.hours.columns(),
            *self.days.columns(),
            *self.seen.columns(),
            self.partitions,
            self.offsets,
        )


def hour_of_week(hour_since_epoch: int) -> int:
    """Hour of the week in UTC, 0 for Monday 00:00, of an hour since the epoch."""
    return (hour_since_epoch + _THURSDAY_HOURS) % HOURS_PER_WEEK


def _place_text(location: str | Location | None) -> str | None:
    if not isinstance(location, Location):
        return location
    if location.city is not None or location.country is not None:
        return f"{location.city}\x1f{location.country}"
    # Two decimals are about a kilometre: the same shop, however the sender rounds beyond that.
    return None if location.latitude is None else f"{location.latitude:.2f}\x1f{location.longitude:.2f}"


def _later(place: Fix, than: Fix) -> bool:
    return (place.at_ms, place.latitude, place.longitude) > (than.at_ms, than.latitude, than.longitude)


@lru_cache(maxsize=1024)
def _partition_hash(topic: str, partition: int) -> int:
    return text_hash(f"{topic}/{partition}")
