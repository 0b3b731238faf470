"""One payment as it is on the topic: its fields, and every rule that makes it acceptable.

A payment is scored unless it has no identity, no amount in a currency, or no time. Any other field that is not what it should be is
left out and named in ``invalid_fields``. Texts are in their canonical form (:mod:`contract.text`), and so is what lists hold.

msgspec decodes a usual record and checks its types, in C. A record that is not canonical already is read again, field by field.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property
from hashlib import blake2b
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from contract.addresses import canonical_address
from contract.card_masks import masked_text
from contract.card_records import UNSEARCHED
from contract.channels import Channel, channel_of
from contract.countries import COUNTRY_CODES, country_code
from contract.currency import ASSUMED_CURRENCY, MINOR_UNIT_EXPONENT, is_withdrawn
from contract.errors import InvalidTransactionError
from contract.fields import (
    MIN_COORDINATE,
    OPTIONAL_TEXTS,
    InvalidFieldError,
    location_parts,
    place_text,
)
from contract.json_object import DUPLICATE_KEYS, JsonNumber, has_unique_keys, read_object
from contract.places import country_of_place
from contract.required_fields import Id, currency_of, required_of
from contract.text import canonical_text

MAX_RECORD_BYTES: Final = 64 * 1024
"""The largest record on the topic that is read, in bytes of UTF-8."""

MAX_AMOUNT_MINOR: Final = 2**53
"""The largest amount, in minor units: the last integer that every JSON reader keeps exactly."""

MAX_AMOUNT_DIGITS: Final = 28
"""The most significant digits an amount may have; a float's decimal expansion has at most 17."""

_FIRST_DAY: Final = datetime.min.replace(tzinfo=UTC)
_LAST_DAY: Final = datetime.max.replace(tzinfo=UTC)

_HUNDREDTH: Final = Decimal("0.01")
_SURELY_SMALL: Final = 10
"""Digits before the point: with four decimals, no such amount has 2^53 minor units."""

ShortText = Annotated[str, Meta(min_length=1, max_length=128)]
"""A name or code of a payment, such as its merchant: 1 to 128 printable characters."""

Place = Annotated[str, Meta(min_length=1, max_length=256)]
"""A place in words, such as ``Paris, FR``."""


class Location(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where the payment was made, to the precision of a city.

    ``latitude`` and ``longitude`` are WGS 84 degrees; a location has both or neither. ``country`` is an ISO 3166-1 code or an
    English name where the sender knows it; after decoding it is the alpha-2 code.
    """

    latitude: Annotated[float, Meta(ge=-90, le=90)] | None = None
    longitude: Annotated[float, Meta(ge=-180, le=180)] | None = None
    country: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    city: ShortText | None = None


class Transaction(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, dict=True):
    """One payment, valid by construction when it comes from :func:`decode_transaction`.

    What is derived from its fields is derived once: on the way into the history, keys are used half a dozen times.
    """

    transaction_id: Id
    """Unique per payment."""
    user_id: Id
    """Whose behaviour it belongs to; the topic's key."""
    amount: Decimal
    """Major units of ``currency``; >= 0, at most 2^53 minor units."""
    timestamp: Annotated[datetime, Meta(tz=True)]
    """Event time as the sender claims it; any zone on the wire, UTC after decoding. :mod:`contract.clock` says when it is believed."""
    currency: str = ""
    """ISO 4217 alphabetic code, active or withdrawn. A record without one is in :data:`~contract.currency.ASSUMED_CURRENCY`."""
    location: Place | Location | None = None
    merchant_id: ShortText | None = None
    merchant_category: ShortText | None = None
    channel: ShortText | None = None
    """The sender's own word; rules use :attr:`channel_kind`."""
    card_id: ShortText | None = None
    device_id: ShortText | None = None
    ip_address: ShortText | None = None
    """The payer's IP address, in its canonical form after decoding."""
    payee_id: ShortText | None = None
    is_currency_assumed: bool = False
    """The sender named no currency."""
    invalid_fields: tuple[str, ...] = ()
    """Fields that are not as they were sent, sorted, parts of the location dotted. Values that could not be used are left out, all but
    a currency that was withdrawn before the payment; card numbers are masked."""

    @cached_property
    def amount_minor(self) -> int:
        """Amount in minor units of ``currency``, rounded half to even."""
        return round(self.amount.scaleb(MINOR_UNIT_EXPONENT[self.currency]))

    @cached_property
    def content_mark(self) -> str:
        """11 characters that represent what is paid: amount, currency, payee, merchant and card.

        The hash is cryptographic: nobody can give a payment the mark of another one that is known.
        """
        amount = str(self.amount.normalize())
        paid = (amount, self.currency, self.payee_id, self.merchant_id, self.card_id)
        digest = blake2b(_MARK_ENCODER.encode(paid), digest_size=8).digest()
        return urlsafe_b64encode(digest)[:11].decode()

    @cached_property
    def country(self) -> str | None:
        """Country of the payment, ISO 3166 alpha-2: the object's field, or what a place in words says (:mod:`contract.places`)."""
        place = self.location
        if isinstance(place, Location):
            return place.country and country_code(place.country)
        if place is None:
            return None
        return country_of_place(place, None if self.is_currency_assumed else self.currency)

    @cached_property
    def channel_kind(self) -> Channel:
        """What the sender's word for the channel means."""
        return channel_of(self.channel)


SENT_FIELDS: Final = tuple(
    name for name in Transaction.__struct_fields__ if name not in {"is_currency_assumed", "invalid_fields"}
)
"""Fields of a payment that a sender gives; the others say what was wrong with these."""

_DECODER = msgspec.json.Decoder(Transaction)
_ENCODER = msgspec.json.Encoder(decimal_format="string")
_MARK_ENCODER: Final = msgspec.json.Encoder()
_PRINTABLE: Final = bytes(code for code in range(0x20, 0x7F) if code != ord("\\"))
"""ASCII without control characters and escapes."""

_NAMES: Final = frozenset(
    {*OPTIONAL_TEXTS, "currency", "location", *(f"location.{part}" for part in Location.__struct_fields__)}
)
"""What ``invalid_fields`` may name."""
_SEARCHED_TEXTS: Final = tuple(name for name in OPTIONAL_TEXTS if name not in {"ip_address", *UNSEARCHED})
"""Texts in which card numbers are masked, beside the place. A canonical address or country is no card number."""

_REQUIRED_KEYS: Final = 5
"""The identity, the time, the amount and its currency: a record without a currency is read field by field."""


def decode_transaction(data: bytes) -> Transaction:
    """Read and check one record of the topic.

    Parameters
    ----------
    data : bytes
        The record's value: a JSON object in UTF-8.

    Returns
    -------
    Transaction
        Valid, its ``timestamp`` in UTC. Fields that the contract does not know are dropped.

    Raises
    ------
    InvalidTransactionError
        Naming the field at fault and what is wrong with it.
    """
    if len(data) > MAX_RECORD_BYTES:
        raise InvalidTransactionError("$", f"record of {len(data)} bytes; at most {MAX_RECORD_BYTES}")
    try:
        transaction = _DECODER.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _checked(_read(data))  # which says what is wrong, or leaves it out
    is_ascii, has_spaces = not data.translate(None, _PRINTABLE), b" " in data
    is_countable = is_ascii and not (has_spaces and b'" ' in data)
    if not (is_countable and data.count(b'":') == _keys_of(transaction)) and not has_unique_keys(data):
        raise InvalidTransactionError("$", DUPLICATE_KEYS)
    is_plain = is_countable and not (has_spaces and (b' "' in data or b"  " in data))
    if not _is_canonical(transaction, is_plain=is_plain):
        transaction = _read(data)
    return _checked(transaction)


def encode_transaction(transaction: Transaction) -> bytes:
    """Write a transaction as it is on the topic: JSON in UTF-8, amounts as strings, no nulls, no currency that was assumed."""
    if transaction.is_currency_assumed and transaction.currency == ASSUMED_CURRENCY:
        transaction = msgspec.structs.replace(transaction, currency="", is_currency_assumed=False)
    return _ENCODER.encode(transaction)


def without_card_numbers(transaction: Transaction) -> Transaction:
    """Mask the card numbers of a decoded payment in every field but ids, and name those fields."""
    changes: dict[str, object] = {}
    for field in _SEARCHED_TEXTS:
        text = getattr(transaction, field)
        # Most texts are words: no call for them.
        if text is not None and not text.isalpha() and (masked := masked_text(field, text)) is not text:
            changes[field] = masked
    fields = list(changes)
    place = transaction.location
    name, text = ("location.city", place.city) if isinstance(place, Location) else ("location", place)
    if text is not None and not text.isalpha() and (masked := masked_text(name, text)) is not text:
        changes["location"] = (
            msgspec.structs.replace(place, city=masked) if isinstance(place, Location) else masked
        )
        fields.append(name)
    if not fields:
        return transaction
    invalid = tuple(sorted({*transaction.invalid_fields, *fields}))
    return msgspec.structs.replace(transaction, invalid_fields=invalid, **changes)


def _checked(transaction: Transaction) -> Transaction:
    """Check a transaction of the right types and in canonical form against the rules that types cannot express; its time is then in UTC."""
    _check_amount(transaction)
    if is_withdrawn(transaction.currency, transaction.timestamp):
        invalid = tuple(sorted({*transaction.invalid_fields, "currency"}))
        transaction = msgspec.structs.replace(transaction, invalid_fields=invalid)
    return _in_utc(without_card_numbers(transaction))


def _check_amount(transaction: Transaction) -> None:
    exponent = MINOR_UNIT_EXPONENT.get(transaction.currency)
    if exponent is None:
        raise InvalidTransactionError("currency", "not a code of ISO 4217")
    amount = transaction.amount
    if amount.same_quantum(_HUNDREDTH) and not amount.is_signed() and amount.adjusted() < _SURELY_SMALL:
        return  # as nearly all are
    if not amount.is_finite():
        raise InvalidTransactionError("amount", "not a finite number")
    if amount.is_signed():  # -0, too
        raise InvalidTransactionError("amount", "negative; at least 0")
    # The exponent first: 1e400 has one digit, and scaling it would build an integer of 400.
    if amount.adjusted() + exponent > 15 or amount.scaleb(exponent) > MAX_AMOUNT_MINOR:
        raise InvalidTransactionError("amount", "more than 2^53 minor units")
    if len(amount.as_tuple().digits) > MAX_AMOUNT_DIGITS or amount.adjusted() < -MAX_AMOUNT_DIGITS:
        raise InvalidTransactionError("amount", f"more than {MAX_AMOUNT_DIGITS} digits")


def _keys_of(transaction: Transaction) -> int:
    """How many keys were read from a record: those of its fields and of its location's.

    A record of printable ASCII without escapes has no key twice if it has no more. Each of its keys ends in ``":``, if no string ends
    in a space; a string that begins with a colon looks the same, but the count is never too low.
    """
    place = transaction.location
    optional = (
        place,
        transaction.merchant_id,
        transaction.merchant_category,
        transaction.channel,
        transaction.card_id,
        transaction.device_id,
        transaction.ip_address,
        transaction.payee_id,
    )
    keys = _REQUIRED_KEYS + len(optional) - optional.count(None)
    if isinstance(place, Location):
        keys += (place.latitude is not None) + (place.longitude is not None)
        keys += (place.country is not None) + (place.city is not None)
    return keys


def _is_canonical(transaction: Transaction, *, is_plain: bool) -> bool:
    """Whether a record that was decoded needs no reading field by field: all of its values are canonical already.

    ``is_plain`` says that all of its texts are printable ASCII, with single spaces inside, which no text's canonical form would change.
    """
    if transaction.invalid_fields or transaction.currency not in MINOR_UNIT_EXPONENT:
        return False
    address, place = transaction.ip_address, transaction.location
    if address is not None and canonical_address(address) != address:
        return False
    if not is_plain and not _are_canonical(transaction):
        return False
    if place is None or isinstance(place, str):
        return True
    latitude, longitude = place.latitude, place.longitude
    if latitude is None or longitude is None:
        return latitude is longitude and (place.country is None or place.country in COUNTRY_CODES)
    if abs(latitude) < MIN_COORDINATE or abs(longitude) < MIN_COORDINATE:
        return False
    return place.country is None or place.country in COUNTRY_CODES


def _are_canonical(transaction: Transaction) -> bool:
    """Whether all texts are canonical, by one look at all of them; ids that only a text's form would change are not distinguished."""
    place = transaction.location
    words = "|".join(
        (
            transaction.transaction_id,
            transaction.user_id,
            transaction.merchant_id or "",
            transaction.merchant_category or "",
            transaction.channel or "",
            transaction.card_id or "",
            transaction.device_id or "",
            transaction.payee_id or "",
            (place if isinstance(place, str) else place and place.city) or "",
        )
    )
    return words.isprintable() and "| " not in words and " |" not in words and canonical_text(words) == words


def _read(data: bytes) -> Transaction:
    """Read a record field by field: what cannot be used is left out, where the payment can be scored without it."""
    record = read_object(data)
    invalid = {name for name in _listed(record.get("invalid_fields")) if name in _NAMES}
    texts: dict[str, Any] = {}
    for field, read in OPTIONAL_TEXTS.items():
        try:
            texts[field] = read(record.get(field))
        except InvalidFieldError:
            invalid.add(field)
    location, invalid_parts = _location(record.get("location"))
    currency = currency_of(record.get("currency"))
    required = required_of(record)
    return Transaction(
        transaction_id=required.transaction_id,
        user_id=required.user_id,
        amount=required.amount,
        timestamp=required.timestamp,
        currency=currency or ASSUMED_CURRENCY,
        location=location,
        **texts,
        is_currency_assumed=not currency or record.get("is_currency_assumed") is True,
        invalid_fields=tuple(sorted(invalid.union(invalid_parts))),
    )


def _location(value: object) -> tuple[str | Location | None, tuple[str, ...]]:
    if isinstance(value, dict):
        latitude, longitude, country, city, invalid = location_parts(value)
        location = Location(latitude, longitude, country, city)
        return None if location == Location() else location, invalid
    try:
        return (None, ("location",)) if isinstance(value, JsonNumber) else (place_text(value), ())
    except InvalidFieldError:
        return None, ("location",)


def _listed(value: object) -> list[str]:
    return [name for name in value if isinstance(name, str)] if isinstance(value, list) else []


def _in_utc(transaction: Transaction) -> Transaction:
    at = transaction.timestamp
    if at.tzinfo is UTC:
        return transaction
    try:
        at = at.astimezone(UTC)
    except OverflowError:  # a time in the first or last hours of the calendar; nobody believes it
        at = _FIRST_DAY if at.year == 1 else _LAST_DAY
    return msgspec.structs.replace(transaction, timestamp=at)
