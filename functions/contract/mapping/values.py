"""Rewrites one value of a file as the contract writes it. Amounts stay decimal text: no float is used on the way."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

import msgspec

from contract.currency import MINOR_UNIT_EXPONENT
from contract.errors import InvalidTransactionError

if TYPE_CHECKING:
    from datetime import tzinfo

SECONDS_RANGE: Final = (Decimal(10**8), Decimal(10**11))
"""Numbers that are read as seconds since the epoch, 1973 to 5138. A lower number is a date without separators (20260105)."""

MILLISECONDS_RANGE: Final = (Decimal(10**11), Decimal(10**14))
"""Numbers that are read as milliseconds since the epoch, of the same years."""

_CURRENCY_OF_SYMBOL: Final[dict[str, str | None]] = {"$": None, "¥": None, "€": "EUR", "£": "GBP", "₹": "INR"}
"""Symbol to its currency; None where several currencies have it, as dollars do, and yen and yuan."""

_AMOUNT: Final = re.compile(
    r"(?P<sign>[-+]?)\s*(?P<symbol>[$€£¥₹]?)\s*(?P<sign2>[-+]?)"
    r"(?P<whole>[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+|(?=\.[0-9]))(?P<rest>(?:\.[0-9]*)?(?:[eE][-+]?[0-9]{1,4})?)"
    r"\s*(?P<symbol2>[$€£¥₹]?)"
)
_NUMBER: Final = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?")
_MAX_INTEGER_BITS: Final = 424
"""128 decimal digits."""

_MAX_DEGREES: Final = 1000
"""A larger number is no coordinate at all; the contract checks the exact range."""

_MAX_COUNT_DIGITS: Final = 24
"""A number of more digits before its point is no time in any unit: datetime ends with the year 9999."""

_ZONELESS: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?")
_LOCAL: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[ T]([0-9]{2}:[0-9]{2})(:[0-9]{2}(?:\.[0-9]+)?)?")
_EPOCH: Final = re.compile(r"[0-9]{9,14}(?:\.[0-9]{1,9})?")
_Instant = Annotated[datetime, msgspec.Meta(tz=True)]
_EPOCH_AT: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Amount(NamedTuple):
    """An amount as a file wrote it."""

    text: str
    """Decimal text, every digit kept."""
    currency: str | None
    """The currency of its symbol; None without a symbol, or with one of several currencies."""


class TimeForm(NamedTuple):
    """How a mapping says that times are written."""

    zone: tzinfo
    """Of times that name none."""
    format: str | None = None
    """As for ``strptime``; None for RFC 3339, for local time as ``YYYY-MM-DD hh:mm:ss``, or for a number since the epoch."""
    unit_us: int | None = None
    """Microseconds of one unit: times are numbers since ``origin``; None where they are not."""
    origin: datetime = _EPOCH_AT


def amount(value: object) -> Amount:
    """Read an amount: a number, or text such as ``1,234.50``, ``$12.00`` or ``12.00 €``.

    Parameters
    ----------
    value : object
        Text, int or Decimal, of any sign and size.

    Raises
    ------
    InvalidTransactionError
        Where it is none of these. A comma that does not separate thousands is an error, not a guess.

    Examples
    --------
    >>> amount("1,234.50"), amount("€ 7"), amount(Decimal("0.10"))
    (Amount(text='1234.50', currency=None), Amount(text='7', currency='EUR'), Amount(text='0.10', currency=None))
    """
    if isinstance(value, str):
        match = _AMOUNT.fullmatch(value.strip())
        if match is None or (match["sign"] and match["sign2"]) or (match["symbol"] and match["symbol2"]):
            raise InvalidTransactionError("amount", "not a decimal number")
        text = match["sign"] + match["sign2"] + match["whole"].replace(",", "") + match["rest"]
        return Amount(text, _CURRENCY_OF_SYMBOL.get(match["symbol"] or match["symbol2"]))
    if isinstance(value, Decimal):
        return Amount(str(value), None)
    if isinstance(value, int) and not isinstance(value, bool):
        return Amount(_integer_text(value, "amount"), None)
    raise InvalidTransactionError("amount", "not a decimal number")


def minor_amount(value: object) -> Amount:
    """Read an amount of minor units (cents): what :func:`amount` reads, but only whole numbers without a symbol.

    A symbol or a fraction says that the amount is already in major units: a hundredth of it would be wrong.

    Parameters
    ----------
    value : object
        Text, int or Decimal, of any sign and size.

    Returns
    -------
    Amount
        In minor units, without a fraction and without a currency.

    Raises
    ------
    InvalidTransactionError
        Where it is no amount, or not a whole number of minor units.

    Examples
    --------
    >>> minor_amount("123,450"), minor_amount(Decimal("123450.0"))
    (Amount(text='123450', currency=None), Amount(text='123450', currency=None))
    """
    number = Decimal(amount(value).text)
    has_symbol = isinstance(value, str) and not _CURRENCY_OF_SYMBOL.keys().isdisjoint(value)
    if has_symbol or not number.is_finite() or number != number.to_integral_value():
        raise InvalidTransactionError("amount", "not a whole number of minor units")
    return Amount(_whole_text(number) or str(number.to_integral_value()), None)


def minor_units(amount: str, currency: str) -> str:
    """Write a whole number of minor units (cents) in major units, exactly.

    >>> minor_units("123450", "EUR"), minor_units("7", "JPY"), minor_units("1500", "KWD")
    ('1234.50', '7', '1.500')
    """
    sign, digits, exponent = Decimal(amount).as_tuple()
    # Not scaleb(): it rounds to the 28 digits of the decimal context.
    major = Decimal((sign, digits, int(exponent) - MINOR_UNIT_EXPONENT.get(currency, 2)))
    # 1e9999 as digits would be a text of 10,000; the contract refuses it either way.
    return format(major, "f") if major.adjusted() < _MAX_COUNT_DIGITS * 2 else str(major)


def timestamp(value: object) -> str:
    """Write an event time as RFC 3339, where its form has only one meaning.

    RFC 3339 is returned as it is, for the contract to check. ``2026-01-05 12:30:00``, as databases write it, is read as
    UTC. The same with a ``T`` is not: it is RFC 3339 without its zone, which could be any zone.

    Parameters
    ----------
    value : object
        Text; or seconds or milliseconds since the epoch, as a number or as text.

    Raises
    ------
    InvalidTransactionError
        For a number of another range and for other types.

    Examples
    --------
    >>> timestamp("2026-01-05 12:30:00"), timestamp(1767616200), timestamp("1767616200123")
    ('2026-01-05 12:30:00Z', '2026-01-05T12:30:00+00:00', '2026-01-05T12:30:00.123000+00:00')
    """
    if isinstance(value, str):
        text = value.strip()
        if _ZONELESS.fullmatch(text):
            return text + "Z"
        if not _EPOCH.fullmatch(text):
            return text
        return _from_epoch(Decimal(text))
    if isinstance(value, Decimal) or (isinstance(value, int) and not isinstance(value, bool)):
        return _from_epoch(Decimal(value))
    raise InvalidTransactionError("timestamp", "neither text nor a number")


def timestamp_in(value: object, form: TimeForm) -> str:
    """Write an event time as RFC 3339 in UTC, where its form is known from a mapping.

    Without a format or a unit, this reads what :func:`timestamp` and the contract read, and in addition a local time in
    ``form.zone``: ``YYYY-MM-DD hh:mm``, with a space or a ``T``, with or without seconds. Every other form is refused: a date
    alone, for example, could be any hour.

    Where clocks are put back, an hour occurs twice; such a local time is read as the first. Where they are put forward, an hour
    does not exist; a local time in it is refused.

    Parameters
    ----------
    value : object
        Text, int or Decimal.
    form : TimeForm
        How it is written.

    Returns
    -------
    str
        27 characters, with microseconds.

    Raises
    ------
    InvalidTransactionError
        Where it is not written so.

    Examples
    --------
    >>> timestamp_in("05/01/2026 12:30", TimeForm(UTC, "%d/%m/%Y %H:%M")), timestamp_in("1.5", TimeForm(UTC, None, 1_000_000))
    ('2026-01-05T12:30:00.000000Z', '1970-01-01T00:00:01.500000Z')
    """
    if not isinstance(value, str | int | Decimal) or isinstance(value, bool):
        raise InvalidTransactionError("timestamp", "neither text nor a number")
    try:
        at = _read_time(value, form)
        if at.tzinfo is None:
            at = _in_zone(at, form.zone)
        return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    except (ValueError, OverflowError) as error:
        raise InvalidTransactionError("timestamp", "not a time as the mapping says it is written") from error
    except msgspec.ValidationError as error:
        problem = "neither RFC 3339 nor YYYY-MM-DD hh:mm:ss; the mapping needs a format"
        raise InvalidTransactionError("timestamp", problem) from error


def text(value: object, field: str) -> object:
    """Write a number as text, as identifiers often are. Other values are returned as they are, for the contract to check.

    Raises
    ------
    InvalidTransactionError
        Naming ``field``, for a number that is no identifier.

    Examples
    --------
    >>> text(5411, "f"), text(Decimal("5411.0"), "f"), text(" a ", "f"), text(True, "f")
    ('5411', '5411', 'a', True)
    """
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return _integer_text(value, field)
    if isinstance(value, Decimal):
        return str(value) if (whole := _whole_text(value)) is None else whole
    return value


def spellings(value: object) -> tuple[str, ...]:
    """List the texts by which a mapping can name a value, the usual one first; none for a list, a dict or a huge number.

    A number's usual text has no exponent and no zeros after its last decimal: JSON's ``1``, ``1.0`` and ``1e0`` are one
    number. As it is written it is found too.

    Examples
    --------
    >>> spellings(" CP "), spellings(True), spellings(None), spellings(1), spellings(Decimal("1.0"))
    (('CP',), ('true',), ('',), ('1',), ('1', '1.0'))
    """
    if value is None:
        return ("",)
    if isinstance(value, str):
        return (value.strip(),)
    if isinstance(value, bool):
        return ("true" if value else "false",)
    if isinstance(value, int):
        return (str(value),) if value.bit_length() <= _MAX_INTEGER_BITS else ()
    if isinstance(value, Decimal):
        return _number_text(value), str(value)
    return ()


def degrees(value: object, field: str) -> float:
    """Read a latitude or longitude; the contract checks its range.

    Raises
    ------
    InvalidTransactionError
        Naming ``field``, where it is not a finite number.
    """
    number = value
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        number = Decimal(value.strip())
    if isinstance(number, int | Decimal) and not isinstance(number, bool):
        # Before it is a float: an integer of 400 digits cannot become one. Compared, not abs(): that rounds in the
        # decimal context, where 1e9999999 is an overflow.
        exact = Decimal(number)
        if exact.is_finite() and -_MAX_DEGREES <= exact <= _MAX_DEGREES:
            return float(exact)
    raise InvalidTransactionError(field, "not a number of degrees")


def _read_time(value: str | int | Decimal, form: TimeForm) -> datetime:
    """Read a time; it has no zone where none was written."""
    if form.unit_us is not None:
        if isinstance(value, str) and not _NUMBER.fullmatch(value.strip()):
            raise ValueError("not a number")
        number = Decimal(value)
        # The exponent first: 1e999999999 as an integer would fill the memory.
        if not number.is_finite() or number.adjusted() > _MAX_COUNT_DIGITS:
            raise ValueError("not a time in any unit")
        return form.origin + timedelta(microseconds=int(number * form.unit_us))
    if form.format is not None:
        written = next(iter(spellings(value)), "")
        return datetime.strptime(written, form.format)  # noqa: DTZ007 - the caller adds the zone, where there is none
    if isinstance(value, str) and (local := _LOCAL.fullmatch(value.strip())) is not None:
        date, minute, second = local.groups(":00")
        return msgspec.convert(f"{date}T{minute}{second}", datetime)
    return msgspec.convert(timestamp(value), _Instant)


def _in_zone(at: datetime, zone: tzinfo) -> datetime:
    local = at.replace(tzinfo=zone)  # its fold is 0: the first of two
    if local.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != at:
        raise InvalidTransactionError(
            "timestamp", "a local time that does not exist: clocks were put forward"
        )
    return local


def _whole_text(number: Decimal) -> str | None:
    """Digits of a whole number; None where it is none, or a huge one."""
    # The exponent first: 1e400 as digits would be a text of 400.
    if number.is_finite() and number.adjusted() < 38 and number == number.to_integral_value():
        return format(number.to_integral_value(), "f")
    return None


def _number_text(number: Decimal) -> str:
    """Write a number without an exponent and without zeros at its end; a huge or tiny one as it is."""
    if not number:
        return "0"
    if (whole := _whole_text(number)) is not None:
        return whole
    # Not normalize(): it rounds to the 28 digits of the decimal context.
    return format(number, "f").rstrip("0") if -38 < number.adjusted() < 38 else str(number)


def _integer_text(number: int, field: str) -> str:
    # Python refuses to write integers of more than 4,300 digits, and no field has room for 130.
    if number.bit_length() > _MAX_INTEGER_BITS:
        raise InvalidTransactionError(field, "a number of more than 128 digits")
    return str(number)


def _from_epoch(number: Decimal) -> str:
    if not number.is_finite():
        raise InvalidTransactionError("timestamp", "not a finite number")
    if SECONDS_RANGE[0] <= number < SECONDS_RANGE[1]:
        microseconds = int(number * 1_000_000)
    elif MILLISECONDS_RANGE[0] <= number < MILLISECONDS_RANGE[1]:
        microseconds = int(number * 1000)
    else:
        raise InvalidTransactionError(
            "timestamp", "a number that is neither seconds nor milliseconds since 1970"
        )
    return (_EPOCH_AT + timedelta(microseconds=microseconds)).isoformat()
