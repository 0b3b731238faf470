"""One line of a landed file to one record of the topic, or to the reason why it cannot be one.

What makes a record acceptable is the contract's to say: a row is normalised, and then read by the very function that
reads the topic. So nothing that this job publishes is refused downstream.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from contract.errors import InvalidTransactionError
from contract.mapping import values
from contract.mapping.columns import LOCATION_PARTS, known_column
from contract.transaction import MAX_RECORD_BYTES, decode_transaction, encode_transaction
from glue_scripts.card_numbers import may_hold_card_number, unescaped

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from glue_scripts.card_numbers import CardTokens

DELIMITERS: Final = ",;\t|"
"""What may part the columns of a CSV file; its header shows which does."""

INTERNAL: Final = "internal: "
"""How the reason of a row begins that our own code failed on; the exception's name follows, never its text."""

_DECODER: Final = msgspec.json.Decoder(float_hook=Decimal)
_ENCODER: Final = msgspec.json.Encoder(decimal_format="string")

# Decimal ends at exponents of 18 digits; JSON does not, and a number of any field, known or not, is read.
_NO_DECIMAL: Final = "a number with an exponent of more than 18 digits"

_BOM: Final = b"\xef\xbb\xbf"

_PLACE_WITH_COUNTRY: Final = re.compile(r"(.+?),\s*([A-Z]{2})")


class Published(msgspec.Struct, frozen=True):
    """A row that goes to the topic."""

    user_id: str
    """The record's key."""
    record: bytes
    """The record's value: the contract's JSON."""
    dropped: tuple[str, ...]
    """Columns that the contract does not know, as the row names them."""


class Refused(msgspec.Struct, frozen=True):
    """A row that goes to quarantine."""

    field: str
    reason: str
    raw: str
    """The row as it came, but for its card numbers."""


Outcome = Published | Refused

T = TypeVar("T")

Replacement = Callable[[str], str]
"""Text to the same text without card numbers."""


class Header:
    """The columns of one CSV file, from its first line.

    Parameters
    ----------
    line : bytes
        The first line.

    Raises
    ------
    InvalidTransactionError
        Where it names no column that the contract knows: then it is no header, but a row like the others.
    """

    def __init__(self, line: bytes) -> None:
        text = _utf8(line)
        self.delimiter = max(DELIMITERS, key=text.count)
        self.names = _csv_fields(text, self.delimiter)
        if not any(known_column(name) for name in self.names):
            raise InvalidTransactionError("$", "first line of a CSV file, and no column name in it is known")


class RowCleaner:
    """Cleans rows, one at a time; it has no state but its key.

    Parameters
    ----------
    tokens : CardTokens
        What card numbers are replaced with.
    """

    def __init__(self, tokens: CardTokens) -> None:
        self._tokens = tokens

    def clean_json(self, line: bytes, now: datetime) -> Outcome:
        """Clean one line of a JSON lines file.

        Parameters
        ----------
        line : bytes
            Without its line break; anything at all.
        now : datetime
            The clock, aware.

        Returns
        -------
        Outcome
            Never an exception, but for MemoryError: a bad row is a value, and so is a row that our own code fails on.
        """
        return self._guarded(line, lambda: self._clean(line, _json_object(line).items(), now))

    def clean_csv(self, line: bytes, header: Header, now: datetime) -> Outcome:
        """Clean one line of a CSV file, by the file's own header; otherwise as :meth:`clean_json`."""
        return self._guarded(line, lambda: self._clean(line, _csv_row(line, header), now))

    def read_header(self, line: bytes) -> Header | Refused:
        """Read the first line of a CSV file, or refuse it as a row."""
        return self._guarded(line, lambda: Header(line))

    def refuse(self, line: bytes, error: InvalidTransactionError) -> Refused:
        r"""Keep a line whole with what is wrong with it. Bytes that are no UTF-8 are written as ``\xff``.

        Escapes of digits and of what stands between them are written out: they would hide a card number.
        """
        text = line.decode("utf-8", "backslashreplace")
        return Refused(error.field, error.problem, self._tokens.replace(unescaped(text)))

    def _replacement_for(self, line: bytes) -> Replacement:
        # Most rows hold nothing that could be a card number: one look at the line saves one at each of its values.
        if may_hold_card_number(line) or b"\\u" in line:
            return self._tokens.replace
        return _unchanged

    def _guarded(self, line: bytes, work: Callable[[], T]) -> T | Refused:
        try:
            return work()
        except InvalidTransactionError as error:
            return self.refuse(line, error)
        except MemoryError:
            raise  # the machine's, not the row's: another try of the task can go well
        except Exception as error:  # noqa: BLE001 - one row must not stop all others: the batch would fail at every try
            return self.refuse(line, InvalidTransactionError("$", f"{INTERNAL}{type(error).__name__}"))

    def _clean(self, line: bytes, row: Iterable[tuple[str, object]], now: datetime) -> Published:
        replace = self._replacement_for(line)
        fields, dropped = _known_fields(row)
        record = _normalised(fields, dropped, replace)
        transaction = decode_transaction(_encoded(record), now)
        # A CSV file's names come from its header, which the look at this line does not see.
        names = tuple(map(self._tokens.replace, dropped))
        return Published(transaction.user_id, encode_transaction(transaction), names)


def _normalised(fields: dict[str, object], dropped: list[str], replace: Replacement) -> dict[str, object]:
    record: dict[str, object] = {}
    parts: dict[str, object] = {}
    amount: values.Amount | None = None
    for field, value in fields.items():
        if field == "amount":
            amount = values.amount(value)
            record[field] = amount.text
        elif field == "timestamp":
            record[field] = values.timestamp(value)
        elif field == "location":
            record[field] = _location(value, dropped, replace)
        elif field in LOCATION_PARTS:
            parts[field] = _location_part(field, value, replace)
        else:
            record[field] = _text(value, field, replace)
    if "currency" in record or (amount is not None and amount.currency is not None):
        record["currency"] = _currency(record.get("currency"), amount)
    if parts:
        record["location"] = _joined_location(record.get("location"), parts)
    return record


def _text(value: object, field: str, replace: Replacement) -> object:
    text = values.text(value, field)
    return replace(text) if isinstance(text, str) else text


def _location(value: object, dropped: list[str], replace: Replacement) -> object:
    if isinstance(value, str) and value.lstrip().startswith("{"):
        # A cell of a CSV file can hold the object as text; text that only begins like one stays a place's name.
        try:
            value = _DECODER.decode(value)
        except (msgspec.DecodeError, ValueError, RecursionError):
            return _text(value, "location", replace)
        except ArithmeticError as error:
            raise InvalidTransactionError("location", _NO_DECIMAL) from error
    if not isinstance(value, dict):
        return _text(value, "location", replace)
    fields, unknown = _known_fields(value.items())
    dropped += [f"location.{name}" for name in unknown]
    dropped += [f"location.{field}" for field in fields if field not in LOCATION_PARTS]
    return {
        field: _location_part(field, part, replace)
        for field, part in fields.items()
        if field in LOCATION_PARTS
    }


def _location_part(field: str, value: object, replace: Replacement) -> object:
    if field in ("latitude", "longitude"):
        return values.degrees(value, f"location.{field}")
    return _text(value, f"location.{field}", replace)


def _unchanged(text: str) -> str:
    return text


def _known_fields(row: Iterable[tuple[str, object]]) -> tuple[dict[str, object], list[str]]:
    """Field to value, without blanks, and the names that no field was taken from."""
    fields: dict[str, object] = {}
    taken: dict[str, tuple[int, str]] = {}
    dropped: list[str] = []
    for name, value in row:
        column = known_column(name)
        if column is None:
            dropped.append(name)
        elif value is None or (isinstance(value, str) and not value.strip()):
            continue
        elif column.field not in taken:
            fields[column.field] = value
            taken[column.field] = (column.rank, name)
        elif column.rank < taken[column.field][0]:
            dropped.append(taken[column.field][1])
            fields[column.field] = value
            taken[column.field] = (column.rank, name)
        else:
            dropped.append(name)
    return fields, dropped


def _currency(stated: object, amount: values.Amount | None) -> object:
    currency = stated.upper() if isinstance(stated, str) else stated
    if amount is None or amount.currency is None:
        return currency
    if currency not in (None, amount.currency):
        raise InvalidTransactionError("amount", "its symbol is not that of the currency")
    return amount.currency


def _joined_location(stated: object, parts: dict[str, object]) -> dict[str, object]:
    """Columns of their own count more than what the location says itself."""
    if isinstance(stated, dict):
        return {**stated, **parts}
    if not isinstance(stated, str):
        return parts
    match = _PLACE_WITH_COUNTRY.fullmatch(stated)
    named: dict[str, object] = {"city": match[1], "country": match[2]} if match else {"city": stated}
    return {**named, **parts}


def _check_size(line: bytes) -> None:
    if len(line) > MAX_RECORD_BYTES:
        raise InvalidTransactionError("$", f"row of {len(line)} bytes; at most {MAX_RECORD_BYTES}")


def _json_object(line: bytes) -> dict[str, object]:
    _check_size(line)
    try:
        row = _DECODER.decode(line.removeprefix(_BOM))
    except UnicodeDecodeError as error:
        raise InvalidTransactionError("$", f"not UTF-8 ({error.reason})") from error
    except (msgspec.DecodeError, ValueError) as error:
        raise InvalidTransactionError("$", f"not JSON ({error})") from error
    except RecursionError as error:
        raise InvalidTransactionError("$", "nested too deeply") from error
    except ArithmeticError as error:
        raise InvalidTransactionError("$", _NO_DECIMAL) from error
    if not isinstance(row, dict):
        raise InvalidTransactionError("$", "JSON, but not an object")
    return row


def _csv_row(line: bytes, header: Header) -> Iterable[tuple[str, object]]:
    _check_size(line)
    fields = _csv_fields(_utf8(line), header.delimiter)
    if len(fields) != len(header.names):
        raise InvalidTransactionError("$", f"{len(fields)} values for {len(header.names)} columns")
    return zip(header.names, fields, strict=True)


def _encoded(record: dict[str, object]) -> bytes:
    try:
        return _ENCODER.encode(record)
    except (RecursionError, ValueError, OverflowError) as error:
        raise InvalidTransactionError("$", "a value that is nested too deeply or too large") from error


def _utf8(line: bytes) -> str:
    try:
        return line.removeprefix(_BOM).decode()
    except UnicodeDecodeError as error:
        raise InvalidTransactionError("$", f"not UTF-8 ({error.reason})") from error


def _csv_fields(text: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([text], delimiter=delimiter, strict=True), [])
    except csv.Error as error:
        raise InvalidTransactionError("$", f"not CSV ({error})") from error
