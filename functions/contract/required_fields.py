"""What every payment has: its identity, an amount in a currency, a time. Without one of them it cannot be scored."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

from contract.currency import MINOR_UNIT_EXPONENT
from contract.errors import InvalidTransactionError
from contract.fields import InvalidFieldError, text_of
from contract.json_object import JsonNumber
from contract.text import canonical_text, is_acceptable_id

if TYPE_CHECKING:
    from collections.abc import Mapping

Id = Annotated[str, Meta(min_length=1, max_length=128)]
"""An identifier: 1 to 128 printable characters, not all of them blank."""


class RequiredFields(msgspec.Struct, frozen=True):
    """Fields without which there is no payment."""

    transaction_id: Id
    user_id: Id
    amount: Decimal
    timestamp: Annotated[datetime, Meta(tz=True)]


def required_of(record: Mapping[str, object]) -> RequiredFields:
    """Read the required fields of a record.

    Parameters
    ----------
    record : Mapping[str, object]
        As :func:`contract.json_object.read_object` gives it.

    Returns
    -------
    RequiredFields
        Of the right types; whether the amount is one that is accepted is checked elsewhere.

    Raises
    ------
    InvalidTransactionError
        Naming the field that is missing or cannot be used.
    """
    values = {field: record[field] for field in RequiredFields.__struct_fields__ if field in record}
    for field, value in values.items():
        if isinstance(value, JsonNumber):
            values[field] = _number(field, value)
        elif isinstance(value, str) and not _is_unicode(value):
            raise InvalidTransactionError(field, "half of a surrogate pair")
    try:
        required = msgspec.convert(values, RequiredFields)
    except msgspec.ValidationError as error:
        raise _from_msgspec(error) from error
    for field in ("transaction_id", "user_id"):
        if not is_acceptable_id(getattr(required, field)):
            raise InvalidTransactionError(field, "blank, or with control or unprintable characters")
    return required


def currency_of(value: object) -> str:
    """Read a currency, in any case.

    Parameters
    ----------
    value : object
        As :func:`contract.json_object.read_object` gives it; None for none.

    Returns
    -------
    str
        ISO 4217 code, active or withdrawn; empty where the sender names none.

    Raises
    ------
    InvalidTransactionError
        For a code that ISO 4217 never had.
    """
    try:
        text = canonical_text(text_of(value) or "").upper()
    except InvalidFieldError as error:
        raise InvalidTransactionError("currency", "not text") from error
    if text and text not in MINOR_UNIT_EXPONENT:
        raise InvalidTransactionError("currency", "not a code of ISO 4217")
    return text


def _is_unicode(text: str) -> bool:
    r"""Whether a text can be written in UTF-8: JSON's escapes can name half of a surrogate pair, such as ``\ud800``."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _number(field: str, value: JsonNumber) -> object:
    """A number as its field reads it: an id as its digits, where all of them are there; a time as none."""
    if field == "amount":
        try:
            return Decimal(value) if value != "-0" else Decimal(0)
        except ArithmeticError as error:
            raise InvalidTransactionError(field, "not a decimal number") from error
    return str(value) if field != "timestamp" and value.isdigit() else 0


def _from_msgspec(error: msgspec.ValidationError) -> InvalidTransactionError:
    problem, _, path = str(error).partition(" - at `$.")
    field = path.rstrip("`") if path else "$"
    if problem.startswith("Object missing required field"):
        return InvalidTransactionError(problem.split("`")[1], "missing")
    return InvalidTransactionError(field, problem[:1].lower() + problem[1:])
