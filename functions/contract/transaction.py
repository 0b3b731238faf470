"""One payment as it is on the topic: its fields, and every rule that makes it acceptable.

msgspec decodes it and checks its types, in C; :func:`decode_transaction` then checks the rules that JSON types cannot express.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from contract.card_masks import masked_text
from contract.card_records import UNSEARCHED
from contract.currency import MINOR_UNIT_EXPONENT
from contract.errors import InvalidTransactionError

MAX_RECORD_BYTES: Final = 64 * 1024
"""The largest record on the topic that is read, in bytes of UTF-8."""

MAX_AMOUNT_MINOR: Final = 2**53
"""The largest amount, in minor units: the last integer that every JSON reader keeps exactly."""

MAX_AMOUNT_DIGITS: Final = 28
"""The most significant digits an amount may have; a float's decimal expansion has at most 17."""

MIN_COORDINATE: Final = 1e-9
"""Degrees, a tenth of a millimetre: a coordinate nearer to 0 is read as 0."""

MAX_CLOCK_LEAD: Final = timedelta(hours=24)
"""How far an event time may be ahead of the clock: as far as a wrong time zone, no further."""

EARLIEST_EVENT_AT: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""An event time before the Unix epoch is a mistake; a data set of one's own may be old, but not that old."""

Id = Annotated[str, Meta(min_length=1, max_length=128)]
"""An identifier: 1 to 128 printable characters."""

ShortText = Annotated[str, Meta(min_length=1, max_length=128)]
"""A name or code of a payment, such as its merchant: 1 to 128 printable characters."""

Place = Annotated[str, Meta(min_length=1, max_length=256)]
"""A place in words, such as ``Paris, FR``."""


class Location(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where the payment was made, to the precision of a city.

    ``latitude`` and ``longitude`` are WGS 84 degrees; a location has both or neither. ``country`` is an ISO 3166-1 alpha-2
    code where the sender knows it.
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
    """Event time; any zone on the wire, UTC after decoding."""
    currency: str = "USD"
    """ISO 4217 alphabetic code."""
    location: Place | Location | None = None
    merchant_id: ShortText | None = None
    merchant_category: ShortText | None = None
    channel: ShortText | None = None
    card_id: ShortText | None = None
    device_id: ShortText | None = None
    ip_address: ShortText | None = None
    payee_id: ShortText | None = None
    invalid_fields: tuple[str, ...] = ()
    """Fields that are not as they were sent, sorted, parts of the location dotted: card numbers in them are masked."""

    @cached_property
    def amount_minor(self) -> int:
        """Amount in minor units of ``currency``, rounded half to even."""
        return round(self.amount.scaleb(MINOR_UNIT_EXPONENT[self.currency]))

    @cached_property
    def timestamp_text(self) -> str:
        """Event time in UTC, RFC 3339, always 27 characters, so that text order is time order."""
        return self.timestamp.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"

    @cached_property
    def event_key(self) -> str:
        """Sort key in ``transaction_history``: ``<timestamp>#<transaction_id>``."""
        return f"{self.timestamp_text}#{self.transaction_id}"

    @cached_property
    def country(self) -> str | None:
        """Country of the payment: the object's field, or the part after the last comma of ``"City, CC"``."""
        if isinstance(self.location, Location):
            return self.location.country
        if self.location is None:
            return None
        last = self.location.rsplit(",", 1)[-1].strip()
        return last if len(last) == 2 and last.isalpha() and last.isupper() else None


_DECODER = msgspec.json.Decoder(Transaction)
_ENCODER = msgspec.json.Encoder(decimal_format="string")
_TEXT_FIELDS = tuple(
    name
    for name in Transaction.__struct_fields__
    if name not in {"amount", "timestamp", "location", "invalid_fields"}
)
_SEARCHED_FIELDS = tuple(name for name in _TEXT_FIELDS if name not in UNSEARCHED)
"""Texts in which card numbers are masked."""


def decode_transaction(data: bytes, now: datetime) -> Transaction:
    """Read and check one record of the topic.

    Parameters
    ----------
    data : bytes
        The record's value: a JSON object in UTF-8.
    now : datetime
        The clock, aware; ``timestamp`` may be up to 24 h ahead of it.

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
    except msgspec.ValidationError as error:
        raise _from_msgspec(error) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidTransactionError("$", f"not JSON in UTF-8 ({_without_values(error)})") from error
    except RecursionError as error:
        raise InvalidTransactionError("$", "nested too deeply") from error
    return checked(transaction, now)


def checked(transaction: Transaction, now: datetime) -> Transaction:
    """Check a decoded transaction against the rules that its types cannot express.

    Parameters
    ----------
    transaction : Transaction
        Of the right types, whatever its values.
    now : datetime
        The clock, aware.

    Returns
    -------
    Transaction
        The same payment, its ``timestamp`` in UTC.

    Raises
    ------
    InvalidTransactionError
        Naming the field at fault and what is wrong with it.
    """
    for field in _TEXT_FIELDS:
        text = getattr(transaction, field)
        if text is not None and not text.isprintable():
            raise InvalidTransactionError(field, "control or unprintable characters")
    _check_amount(transaction)
    _check_location(transaction.location)
    return _in_utc(_with_storable_location(without_card_numbers(transaction)), now)


def encode_transaction(transaction: Transaction) -> bytes:
    """Write a transaction as it is on the topic: JSON in UTF-8, amounts as strings, no nulls."""
    return _ENCODER.encode(transaction)


def without_card_numbers(transaction: Transaction) -> Transaction:
    """Mask the card numbers in every field but ids, and name those fields."""
    changes: dict[str, object] = {}
    for field in _SEARCHED_FIELDS:
        text = getattr(transaction, field)
        # Most texts are words: no call for them.
        if text is not None and not text.isalpha() and (masked := masked_text(field, text)) is not text:
            changes[field] = masked
    fields = list(changes)
    place = transaction.location
    if isinstance(place, Location):
        parts: dict[str, str] = {}
        for part, text in (("country", place.country), ("city", place.city)):
            if text is not None and not text.isalpha():
                masked = masked_text(f"location.{part}", text)
                if masked is not text:
                    parts[part] = masked
        if parts:
            changes["location"] = msgspec.structs.replace(place, **parts)
            fields += [f"location.{part}" for part in parts]
    elif place is not None and (masked := masked_text("location", place)) is not place:
        changes["location"] = masked
        fields.append("location")
    if not fields:
        return transaction
    invalid = tuple(sorted({*transaction.invalid_fields, *fields}))
    return msgspec.structs.replace(transaction, invalid_fields=invalid, **changes)


def _check_amount(transaction: Transaction) -> None:
    exponent = MINOR_UNIT_EXPONENT.get(transaction.currency)
    if exponent is None:
        raise InvalidTransactionError("currency", "not an active ISO 4217 code")
    amount = transaction.amount
    if not amount.is_finite():
        raise InvalidTransactionError("amount", "not a finite number")
    if amount.is_signed():  # -0, too
        raise InvalidTransactionError("amount", "negative; at least 0")
    # The exponent first: 1e400 has one digit, and scaling it would build an integer of 400.
    if amount.adjusted() + exponent > 15 or amount.scaleb(exponent) > MAX_AMOUNT_MINOR:
        raise InvalidTransactionError("amount", "more than 2^53 minor units")
    if len(amount.as_tuple().digits) > MAX_AMOUNT_DIGITS or amount.adjusted() < -MAX_AMOUNT_DIGITS:
        raise InvalidTransactionError("amount", f"more than {MAX_AMOUNT_DIGITS} digits")


def _check_location(location: str | Location | None) -> None:
    if location is None:
        return
    if isinstance(location, str):
        if not location.isprintable():
            raise InvalidTransactionError("location", "control or unprintable characters")
        return
    if (location.latitude is None) != (location.longitude is None):
        raise InvalidTransactionError("location", "latitude without longitude, or longitude without latitude")
    for field in ("country", "city"):
        text = getattr(location, field)
        if text is not None and not text.isprintable():
            raise InvalidTransactionError(f"location.{field}", "control or unprintable characters")


def _with_storable_location(transaction: Transaction) -> Transaction:
    """Replace a coordinate next to 0 by 0: DynamoDB has no numbers between 0 and 1e-130."""
    place = transaction.location
    if not isinstance(place, Location) or place.latitude is None or place.longitude is None:
        return transaction
    latitude, longitude = place.latitude, place.longitude
    if abs(latitude) >= MIN_COORDINATE <= abs(longitude):
        return transaction
    place = msgspec.structs.replace(
        place,
        latitude=latitude if abs(latitude) >= MIN_COORDINATE else 0.0,
        longitude=longitude if abs(longitude) >= MIN_COORDINATE else 0.0,
    )
    return msgspec.structs.replace(transaction, location=place)


def _in_utc(transaction: Transaction, now: datetime) -> Transaction:
    at = transaction.timestamp
    if at > now + MAX_CLOCK_LEAD:
        raise InvalidTransactionError("timestamp", "more than 24 h ahead of the clock")
    if at < EARLIEST_EVENT_AT:
        raise InvalidTransactionError("timestamp", "before 1970-01-01")
    if at.tzinfo is UTC:
        return transaction
    return msgspec.structs.replace(transaction, timestamp=at.astimezone(UTC))


def _from_msgspec(error: msgspec.ValidationError) -> InvalidTransactionError:
    problem, _, path = str(error).partition(" - at `$.")
    field = path.rstrip("`") if path else "$"
    if problem.startswith("Object missing required field"):
        return InvalidTransactionError(problem.split("`")[1], "missing")
    return InvalidTransactionError(field, problem[:1].lower() + problem[1:])


def _without_values(error: Exception) -> str:
    return error.reason if isinstance(error, UnicodeDecodeError) else str(error)
