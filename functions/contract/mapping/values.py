"""Rewrites identifiers, degrees and other plain values of a file as the contract writes them."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from contract.errors import InvalidTransactionError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

NUMBER: Final = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?")

MAX_COUNT_DIGITS: Final = 24
"""A number of more digits before its point is no time in any unit: datetime ends with the year 9999."""

NULLS: Final = frozenset({"NULL", "null", r"\N", "N/A", "n/a", "#N/A", "NaN", "(null)", "<NA>"})
"""Texts that mean "no value" in columns of optional fields, as databases, spreadsheets and pandas write them, in this case only.

``NA`` is not among them: it is Namibia's code. ``None`` and ``Null`` are names of places and people."""

IDS: Final = frozenset({"transaction_id", "user_id", "card_id", "device_id", "merchant_id", "payee_id"})
"""Fields in which a number that a spreadsheet has shortened makes one thing of two."""

_SHORTENED: Final = re.compile(r"([0-9]+)(?:[.,]([0-9]+))?[eE](\+?)([0-9]{1,3})")
_MAX_INTEGER_BITS: Final = 424
"""128 decimal digits."""

_MAX_DEGREES: Final = 1000
"""A larger number is no coordinate at all; the contract checks the exact range."""

LOST_DIGITS: Final = (
    "a number whose last digits are lost, as spreadsheets write long ones; export the column as text"
)
_SHORTENED_DIGITS: Final = 11
_LOST_IN_JSON: Final = 5
"""A JSON number is written by a program, with all its digits: 4.11111111111003E15 is whole. So many zeros at the end are no chance."""


def text(value: object, field: str) -> object:
    """Write a number as text, as identifiers often are. Other values are returned as they are, for the contract to check.

    Raises
    ------
    InvalidTransactionError
        Naming ``field``, for a number that is no identifier, and in :data:`IDS` for one that has lost digits: ``3.51238E+15``.

    Examples
    --------
    >>> text(5411, "f"), text(Decimal("5411.0"), "f"), text(" a ", "f"), text(True, "f")
    ('5411', '5411', 'a', True)
    >>> text("3.512380000001E+12", "user_id")
    '3512380000001'
    """
    if isinstance(value, str):
        written = value.strip()
        is_number = field in IDS and ("E" in written or "e" in written) and written[:1].isdigit()
        return _unshortened(written, field) if is_number else written
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return integer_text(value, field)
    if isinstance(value, Decimal):
        if field in IDS and _has_lost_digits(value):
            raise InvalidTransactionError(field, LOST_DIGITS)
        return str(value) if (whole := whole_text(value)) is None else whole
    return value


def is_null(value: object, nulls: Collection[str] = NULLS) -> bool:
    """Whether text means "no value"; only for optional fields: a user can be called ``null``."""
    return isinstance(value, str) and value.strip() in nulls


def joined(values: Iterable[object], separator: str) -> str | None:
    """Join the values of several columns as text; None where all are blank, or one is a list or a dict.

    >>> joined(["2026", 1, None], "-"), joined([None, " "], "-")
    ('2026-1-', None)
    """
    texts = [next(iter(spellings(value)), None) for value in values]
    return None if None in texts or not any(texts) else separator.join(map(str, texts))


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


def degrees(value: object, field: str, decimal: str | None = None) -> float:
    """Read a latitude or longitude, whose decimals follow a dot, or ``decimal``; the contract checks its range.

    Raises
    ------
    InvalidTransactionError
        Naming ``field``, where it is not a finite number.
    """
    exact = finite_number(value, decimal)
    # Before it is a float: an integer of 400 digits cannot become one. Compared, not abs(): that rounds in the
    # decimal context, where 1e9999999 is an overflow.
    if exact is None or not -_MAX_DEGREES <= exact <= _MAX_DEGREES:
        raise InvalidTransactionError(field, "not a number of degrees")
    return float(exact)


def finite_number(value: object, decimal: str | None = None) -> Decimal | None:
    """Read a number whose decimals follow a dot, or ``decimal``; None where it is none, or not finite.

    >>> finite_number(" 0.5 "), finite_number("0,5", ","), finite_number("0,5"), finite_number(True)
    (Decimal('0.5'), Decimal('0.5'), None, None)
    """
    if isinstance(value, str):
        written = value.strip() if decimal != "," else value.strip().replace(".", "?").replace(",", ".")
        return Decimal(written) if NUMBER.fullmatch(written) else None
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        number = Decimal(value)
        return number if number.is_finite() else None
    return None


def _unshortened(written: str, field: str) -> str:
    match = _SHORTENED.fullmatch(written)
    if match is None or not (match[2] or match[3]):  # 12E5 can be an identifier
        return written
    digits = len(match[2] or "")
    if int(match[4]) > digits:
        raise InvalidTransactionError(field, LOST_DIGITS)
    # All its digits are there. A card's stay as they are written: its number is found by who replaces it.
    return match[1] + (match[2] or "") if int(match[4]) == digits and field != "card_id" else written


def _has_lost_digits(number: Decimal) -> bool:
    exponent = number.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= _LOST_IN_JSON and number.adjusted() >= _SHORTENED_DIGITS


def whole_text(number: Decimal) -> str | None:
    """Digits of a whole number; None where it is none, or a huge one."""
    # The exponent first: 1e400 as digits would be a text of 400.
    if number.is_finite() and number.adjusted() < 38 and number == number.to_integral_value():
        return format(number.to_integral_value(), "f")
    return None


def _number_text(number: Decimal) -> str:
    """Write a number without an exponent and without zeros at its end; a huge or tiny one as it is."""
    if not number:
        return "0"
    if (whole := whole_text(number)) is not None:
        return whole
    # Not normalize(): it rounds to the 28 digits of the decimal context.
    return format(number, "f").rstrip("0") if -38 < number.adjusted() < 38 else str(number)


def integer_text(number: int, field: str) -> str:
    """Write an integer; one of more than 128 digits is an error of ``field``."""
    # Python refuses to write integers of more than 4,300 digits, and no field has room for 130.
    if number.bit_length() > _MAX_INTEGER_BITS:
        raise InvalidTransactionError(field, "a number of more than 128 digits")
    return str(number)
