"""What profile, features and lists need of one payment, derived once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from contract.clock import EPOCH, MILLISECOND, TimeBasis, Times, event_key, times_on
from contract.errors import InvalidRowError
from contract.scored import HISTORY_TABLE
from contract.transaction import Location, Transaction
from engine.geo import Fix
from engine.profile.fingerprints import CURRENCY_NUMBERS, key_hash, old_value_hash, text_hash, value_hash
from engine.profile.named_fields import named_fields
from engine.profile.seen_values import SeenKind

if TYPE_CHECKING:
    from contract.scored import ScoredTransaction

HOURS_PER_WEEK: Final = 168
MS_PER_MINUTE: Final = 60_000
MS_PER_HOUR: Final = 3_600_000
MS_PER_DAY: Final = 86_400_000
MAX_ROW_AMOUNT: Final = 2**53
"""More major units than any payment has, of whatever currency: those of a stored row that was damaged are refused."""
_32_BITS: Final = 2**32 - 1
_THURSDAY_HOURS: Final = 72
"""The epoch began on a Thursday: three days into a week that begins on Monday."""


class PaymentFacts(msgspec.Struct, frozen=True):
    """One payment with its times and hashes. Hashes are those of :mod:`engine.profile.fingerprints`."""

    transaction: Transaction
    basis: TimeBasis
    clock_ms: int
    """The payment's clock: velocity and expiry go by it; ms since the epoch."""
    at_ms: int
    """For habits, travel and the row's key; ms since the epoch."""
    delay_ms: int
    """From the event time that the sender claims to the append time; 0 for a trusted feed."""
    event_key: str
    """Sort key of the payment's row."""
    key_hash: int
    """64 bits in place of it."""
    id_hash: int
    """32 bits in place of the transaction id."""
    amount_minor: int
    currency: int
    """Number of the currency."""
    country: str | None
    place_hash: int
    merchant_hash: int
    card_hash: int
    country_hash: int
    content_hash: int
    """64 bits in place of the transaction id and what is paid (:attr:`contract.transaction.Transaction.content_mark`); 0 for a stored
    payment whose row's key does not say it."""
    seen: tuple[int | None, ...]
    """By :class:`~engine.profile.seen_values.SeenKind`: the hash of the payment's value; None if it names none."""
    named: int
    """Which fields the payment names, and its channel (:mod:`engine.profile.named_fields`)."""

    @classmethod
    def of(cls, transaction: Transaction, times: Times, row_key: str | None = None) -> PaymentFacts:
        """Derive the facts of ``transaction``, whose times are ``times``; ``row_key`` is that of its row, if it has one."""
        country, merchant, payee = transaction.country, transaction.merchant_id, transaction.payee_id
        transaction_id, mark = transaction.transaction_id, transaction.content_mark
        channel = None if transaction.channel is None else transaction.channel_kind
        if row_key is None:
            row_key = event_key(times.at, mark, transaction_id)
        return cls(
            transaction,
            times.basis,
            times.clock_ms,
            times.at_ms,
            times.delay_ms,
            row_key,
            key_hash(row_key),
            key_hash(transaction_id) & _32_BITS,
            transaction.amount_minor,
            CURRENCY_NUMBERS[transaction.currency],
            country,
            text_hash(_place_text(transaction.location)),
            text_hash(merchant),
            text_hash(transaction.card_id),
            text_hash(country),
            key_hash(f"{mark}#{transaction_id}"),
            (
                value_hash(SeenKind.COUNTRY, country),
                value_hash(SeenKind.DEVICE, transaction.device_id),
                value_hash(SeenKind.MERCHANT, merchant),
                value_hash(SeenKind.PAYEE, payee),
                value_hash(SeenKind.CHANNEL, channel),
                value_hash(SeenKind.CURRENCY, transaction.currency),
            ),
            named_fields(transaction),
        )

    @property
    def fix(self) -> Fix | None:
        """Where and when the payment was made; None without coordinates."""
        place = self.transaction.location
        if not isinstance(place, Location) or place.latitude is None or place.longitude is None:
            return None
        return Fix(place.latitude, place.longitude, self.at_ms)

    @property
    def old_seen(self) -> tuple[int | None, ...]:
        """:attr:`seen` as format 1 hashed the names; None for the other kinds, whose hashes are the same."""
        transaction = self.transaction
        return (
            None,
            old_value_hash(SeenKind.DEVICE, transaction.device_id),
            old_value_hash(SeenKind.MERCHANT, transaction.merchant_id),
            old_value_hash(SeenKind.PAYEE, transaction.payee_id),
            None,
            None,
        )


def facts_of_row(row: ScoredTransaction, row_key: str | None = None) -> PaymentFacts:
    """Derive the facts of a stored row: those of its payment when it was decided; InvalidRowError where its money cannot be read.

    ``row_key`` is the row's key, where it is known.
    """
    check_money(row.transaction)
    appended_at_ms = (row.appended_at - EPOCH) // MILLISECOND
    times = times_on(row.basis, row.transaction.timestamp, appended_at_ms)
    facts = PaymentFacts.of(row.transaction, times, row_key or row.event_key)
    # As in a profile of format 1: this says that the row's key is one of before (:mod:`score.old_rows`).
    return facts if row.has_content_mark else msgspec.structs.replace(facts, content_hash=0)


def check_money(transaction: Transaction) -> None:
    """Raise InvalidRowError where a stored payment's money cannot be read."""
    amount, currency = transaction.amount, transaction.currency
    if currency not in CURRENCY_NUMBERS or not amount.is_finite() or not 0 <= amount <= MAX_ROW_AMOUNT:
        raise InvalidRowError(HISTORY_TABLE, "detail", "an amount or a currency that no payment has")


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
