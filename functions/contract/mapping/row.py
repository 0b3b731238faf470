"""Maps one row of a file to a record of the contract: which columns are which fields, and their values rewritten.

The record is not checked here: ``decode_transaction`` decides what is acceptable. What this module cannot read of the identity, the
amount, its currency and the time it reports, and leaves in the record as it is. A caller has to refuse such a row: without the
mapping, the value could be read as something else. Any other field that it cannot read it leaves out and names, as the contract does.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from contract.currency import ASSUMED_CURRENCY
from contract.errors import InvalidTransactionError
from contract.mapping import amounts, times, values
from contract.mapping.columns import LOCATION_PARTS, known_column
from contract.mapping.document import zone
from contract.mapping.form import UNSAID
from contract.places import country_of_place
from contract.required_fields import RequiredFields
from contract.text import canonical_text
from contract.transaction import SENT_FIELDS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from contract.mapping.columns import Column
    from contract.mapping.document import ColumnMapping, Source

NO_DECIMAL: Final = "a number with an exponent of more than 18 digits"
"""What is wrong with a number that ends Python's Decimal; JSON has no such limit."""

_NEEDED: Final = RequiredFields.__struct_fields__
"""Fields that the contract requires of every record."""

_OPTIONAL: Final = frozenset((*SENT_FIELDS, *LOCATION_PARTS)) - set(_NEEDED)
"""Fields in which a text such as ``NULL`` is no value."""

_TEXTS: Final = frozenset(SENT_FIELDS) - {"amount", "timestamp", "location"}
"""Fields whose value is text."""

_DECODER: Final = msgspec.json.Decoder(float_hook=Decimal)


class MappedRow(NamedTuple):
    """A row as the contract's fields."""

    record: dict[str, object]
    """Field to value, without blanks, as the contract's JSON has them."""
    unused_columns: list[str]
    """Columns that no field was taken from, as the row names them."""
    problems: list[InvalidTransactionError]
    """What could not be read of the fields that a payment needs, in the order of the row; those values are in the record as they came.
    What could not be read of the others is left out, and named in the record's ``invalid_fields``."""


class RowMapper:
    """Maps rows, one at a time; it has no state but its mapping.

    Parameters
    ----------
    mapping : ColumnMapping, optional
        What each column is. Without one, or in one without fields, columns are known by their names, row by row: where two have the
        same field, the more specific name counts, and a blank value leaves its place to the other.
    """

    def __init__(self, mapping: ColumnMapping | None = None) -> None:
        form = UNSAID if mapping is None else mapping.form
        number_form = amounts.NumberForm(form.decimal, form.thousands)
        # A document may say only how files are written: then their columns are known by their names.
        mapping = mapping if mapping is not None and mapping.fields else None
        self._mapping = mapping
        self._is_minor = False
        self._nulls = form.null_texts
        self._decimal = form.decimal
        self._amount: Callable[[object], amounts.Amount] = partial(amounts.amount, form=number_form)
        self._timestamp: Callable[[object], str] = times.timestamp
        self._guesses = mapping is None or mapping.is_guess
        if mapping is not None:
            self._used = {column for source in mapping.fields.values() for column in source.named}
            # The column alone where its values stay as they are: most fields.
            self._sources = [
                (field, source, None if source.values else source.column)
                for field, source in mapping.fields.items()
            ]
            # A blank currency would be USD. A mapping that names a column for it means that it is there.
            self._needed = _NEEDED if mapping.is_guess else (*_NEEDED, "currency")
            self._is_minor = "amount" in mapping.fields and mapping.fields["amount"].unit == "minor"
            if self._is_minor:
                self._amount = partial(amounts.minor_amount, form=number_form)
            if "timestamp" in mapping.fields:
                self._timestamp = partial(times.timestamp_in, form=time_form(mapping.fields["timestamp"]))

    def map_row(self, row: Iterable[tuple[str, object]]) -> MappedRow:
        """Map one row.

        Parameters
        ----------
        row : Iterable[tuple[str, object]]
            Column and value: text, int, Decimal, bool, None, a list or a dict.

        Returns
        -------
        MappedRow
            Never an exception for what a row holds.
        """
        problems: list[InvalidTransactionError] = []
        if self._mapping is None:
            fields, unused = known_fields(row, self._nulls, known_column, _OPTIONAL)
        else:
            fields, unused = self._mapped_fields(dict(row), problems)
        record: dict[str, object] = {}
        parts: dict[str, object] = {}
        invalid: set[str] = set()
        amount: amounts.Amount | None = None
        for field, value in fields.items():
            try:
                if field in _TEXTS:  # first: most fields are
                    record[field] = values.text(value, field)
                elif field == "amount":
                    amount = self._amount(value)
                    record[field] = amount.text
                elif field == "timestamp":
                    record[field] = self._timestamp(value)
                elif field == "location":
                    record[field] = _location(value, unused, self._nulls, decodes_text=self._guesses)
                else:
                    parts[field] = _location_part(field, value, self._decimal)
            except InvalidTransactionError as error:
                # An id that lost digits is another one's: the payment is not scored as that other one's.
                if field in _NEEDED or field == "currency" or error.problem == values.LOST_DIGITS:
                    problems.append(error)
                    record[field] = value
                else:
                    invalid.add(error.field)
        if "currency" in record or (amount is not None and (amount.currency or amount.one_of)):
            _settle_currency(record, amount, fields, problems)
        if amount is not None and amount.doubt:
            doubt = amounts.doubt_of(
                amount, str(record.get("currency", ASSUMED_CURRENCY)), is_minor=self._is_minor
            )
            if doubt is not None:
                problems.append(doubt)
                record["amount"] = fields["amount"]
                amount = None
        # Without its currency, an amount of minor units has no value: it stays as it is.
        if self._is_minor and amount is not None and all(problem.field != "currency" for problem in problems):
            currency = record.get("currency", ASSUMED_CURRENCY)
            record["amount"] = amounts.minor_units(amount.text, currency if isinstance(currency, str) else "")
        if parts:
            record["location"] = _joined_location(record.get("location"), parts, record.get("currency"))
        if invalid:
            record["invalid_fields"] = sorted(invalid)
        return MappedRow(record, unused, problems)

    def _mapped_fields(
        self, row: dict[str, object], problems: list[InvalidTransactionError]
    ) -> tuple[dict[str, object], list[str]]:
        """Field to value, without blanks, and the columns that the mapping does not use."""
        fields = {}
        for field, source, column in self._sources:
            value = (
                row.get(column)
                if column is not None
                else source_value(source, row, is_time=field == "timestamp")
            )
            if isinstance(value, str):
                written = value.strip()
                if not written or (written in self._nulls and field in _OPTIONAL):
                    value = None
            if value is not None:
                fields[field] = value
            elif field in self._needed:
                problems.append(InvalidTransactionError(field, f"missing; {place_of(source)}"))
        return fields, [name for name in row if name not in self._used]


def source_value(source: Source, row: Mapping[str, object], *, is_time: bool = False) -> object:
    """Take a field's value from a row by its source.

    Parameters
    ----------
    source : Source
        Of the field.
    row : Mapping[str, object]
        Column to value.
    is_time : bool
        Whether several columns are parts of a time: all of them are needed.

    Returns
    -------
    object
        Text, as the source translates it; a value that it does not translate is returned as it is, whatever its type: numbers
        stay numbers. None where there is none, or only blanks.
    """
    value = row.get(source.column) if source.column is not None else source.value
    if source.columns:
        value = _joined(source, row, is_time=is_time)
    if source.values:
        found = next((text for text in values.spellings(value) if text in source.values), None)
        value = value if found is None else source.values[found]
    return None if isinstance(value, str) and not value.strip() else value


def _joined(source: Source, row: Mapping[str, object], *, is_time: bool) -> str | None:
    parts = [row.get(column) for column in source.columns]
    if not is_time:
        return values.joined(parts, "-")
    # A time without one of its parts is none; without this, "2026 1 12:30" could be read as another.
    return None if any(values.joined([part], "") is None for part in parts) else values.joined(parts, " ")


def place_of(source: Source) -> str:
    """Name the columns of a source, for messages."""
    if source.columns:
        return f"its columns are {', '.join(map(repr, source.columns))}"
    return f"its column is {source.column!r}"


def time_form(source: Source) -> times.TimeForm:
    """How the times of a source are written."""
    return times.TimeForm(
        zone=zone(source.timezone),
        format=source.format,
        unit_us=None if source.unit is None else times.UNITS_US[source.unit],
        origin=datetime.fromisoformat(source.origin),
        year=source.year,
    )


def known_fields(
    row: Iterable[tuple[str, object]],
    nulls: Collection[str],
    known: Callable[[str], Column | None],
    optional: Collection[str],
) -> tuple[dict[str, object], list[str]]:
    """Take fields from a row by the names of its columns.

    Parameters
    ----------
    row : Iterable[tuple[str, object]]
        Column and value.
    nulls : Collection[str]
        Texts that mean "no value", in the fields of ``optional``.
    known : Callable[[str], Column | None]
        Finds the field of a column.
    optional : Collection[str]
        Fields that a record need not have.

    Returns
    -------
    tuple[dict[str, object], list[str]]
        Field to value, without blanks, and the names that no field was taken from.
    """
    fields: dict[str, object] = {}
    taken: dict[str, tuple[int, str]] = {}
    unused: list[str] = []
    for name, value in row:
        column = known(name)
        if column is None:
            unused.append(name)
        elif _is_blank(value) or (column.field in optional and values.is_null(value, nulls)):
            continue
        elif column.field not in taken:
            fields[column.field] = value
            taken[column.field] = (column.rank, name)
        elif column.rank < taken[column.field][0]:
            unused.append(taken[column.field][1])
            fields[column.field] = value
            taken[column.field] = (column.rank, name)
        else:
            unused.append(name)
    return fields, unused


def _is_blank(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _location(value: object, unused: list[str], nulls: Collection[str], *, decodes_text: bool) -> object:
    if decodes_text and isinstance(value, str) and value.lstrip().startswith("{"):
        # A cell of a CSV file can hold the object as text; text that only begins like one stays a place's name.
        # Not where a mapping says that the column holds a place: a sender's free text could then set the coordinates.
        try:
            value = _DECODER.decode(value)
        except (msgspec.DecodeError, ValueError, RecursionError):
            return values.text(value, "location")
        except ArithmeticError as error:
            raise InvalidTransactionError("location", NO_DECIMAL) from error
    if not isinstance(value, dict):
        return values.text(value, "location")
    fields, unknown = known_fields(value.items(), nulls, known_column, _OPTIONAL)
    unused += [f"location.{name}" for name in unknown]
    unused += [f"location.{field}" for field in fields if field not in LOCATION_PARTS]
    return {field: _location_part(field, part) for field, part in fields.items() if field in LOCATION_PARTS}


def _location_part(field: str, value: object, decimal: str | None = None) -> object:
    if field in ("latitude", "longitude"):
        return values.degrees(value, f"location.{field}", decimal)
    return values.text(value, f"location.{field}")


def _settle_currency(
    record: dict[str, object],
    amount: amounts.Amount | None,
    fields: dict[str, object],
    problems: list[InvalidTransactionError],
) -> None:
    """Write the currency in capitals, and take it from the amount's symbol where no column names it."""
    stated = record.get("currency")
    currency = stated.upper() if isinstance(stated, str) else stated
    if amount is not None and amount.currency is not None:
        if currency not in (None, amount.currency):
            problems.append(InvalidTransactionError("amount", "its symbol is not that of the currency"))
            record["amount"] = fields["amount"]
        currency = currency or amount.currency
    elif amount is not None and amount.one_of and (currency or ASSUMED_CURRENCY) not in amount.one_of:
        problem = "its symbol is not that of the currency"
        if currency is None:
            problem = "its symbol is that of several currencies; the mapping has to say which"
        problems.append(InvalidTransactionError("amount", problem))
        record["amount"] = fields["amount"]
    if currency is not None:
        record["currency"] = currency


def _joined_location(stated: object, parts: dict[str, object], currency: object) -> dict[str, object]:
    """Add columns of their own to what the location holds; the columns count more. A state's letters are no country."""
    if isinstance(stated, dict):
        return {**stated, **parts}
    if not isinstance(stated, str):
        return parts
    place = canonical_text(stated)
    city, comma, _ = place.rpartition(",")
    country = country_of_place(place, currency if isinstance(currency, str) else None) if comma else None
    named: dict[str, object] = {"city": place} if country is None else {"city": city, "country": country}
    return {**named, **parts}
