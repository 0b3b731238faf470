"""Maps one row of a file of labels to a message of the labels queue: which columns are which fields, and their values rewritten.

The message is not checked here: its decoder decides what is acceptable. What this module cannot read it reports, and a caller has to
refuse such a row: a label says little, and each part of it changes what is learnt.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Final

from contract.errors import InvalidTransactionError
from contract.mapping import times, values
from contract.mapping.columns import known_label_column
from contract.mapping.form import UNSAID
from contract.mapping.kinds import LABELS
from contract.mapping.row import MappedRow, known_fields, place_of, source_value, time_form

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from contract.mapping.document import ColumnMapping

NO_LABEL: Final = "none"
"""Verdict of a row that says nothing of fraud, such as a dispute about a late delivery."""

_NEEDED: Final = frozenset(LABELS.needed)
_OPTIONAL: Final = frozenset(LABELS.fields) - _NEEDED
_WORDS: Final = frozenset({"verdict", "source", "fraud_type"})
"""Fields whose values are words of the contract."""

_REFERENCES: Final = frozenset({"label_id", "withdraws"})
"""Ids of labels: a number that a spreadsheet has shortened makes one of two, as of payments."""

_BETWEEN_WORDS: Final = re.compile(r"[\s_-]+")


class LabelMapper:
    """Maps rows of labels, one at a time; it has no state but its mapping.

    Parameters
    ----------
    mapping : ColumnMapping, optional
        What each column is. Without one, or in one without fields, columns are known by their names, row by row.
    """

    def __init__(self, mapping: ColumnMapping | None = None) -> None:
        form = UNSAID if mapping is None else mapping.form
        self._nulls = form.null_texts
        self._decimal = form.decimal
        self._sources = {} if mapping is None else mapping.fields
        self._used = {column for source in self._sources.values() for column in source.named}
        self._times: dict[str, Callable[[object], str]] = dict.fromkeys(LABELS.times, times.timestamp)
        for field in LABELS.times:
            if field in self._sources:
                self._times[field] = partial(times.timestamp_in, form=time_form(self._sources[field]))

    def map_row(self, row: Iterable[tuple[str, object]]) -> MappedRow:
        """Map one row.

        Parameters
        ----------
        row : Iterable[tuple[str, object]]
            Column and value: text, int, Decimal, bool, None, a list or a dict.

        Returns
        -------
        MappedRow
            The message's fields, the columns that are not used, and what could not be read; never an exception for what a row holds.
        """
        problems: list[InvalidTransactionError] = []
        if self._sources:
            fields, unused = self._mapped_fields(dict(row), problems)
        else:
            fields, unused = known_fields(row, self._nulls, known_label_column, _OPTIONAL)
        record: dict[str, object] = {}
        for field, value in fields.items():
            try:
                record[field] = self._read(field, value)
            except InvalidTransactionError as error:
                # The readers of times do not know which one they read.
                problems.append(InvalidTransactionError(field, error.problem))
                record[field] = value
        return MappedRow(record, unused, problems)

    def _read(self, field: str, value: object) -> object:
        if field in _WORDS:
            text = values.text(value, field)
            return _BETWEEN_WORDS.sub("_", text.strip().lower()) if isinstance(text, str) else text
        if field in self._times:
            return self._times[field](value)
        if field == "confidence":
            return _confidence(value, self._decimal)
        return values.text(value, "transaction_id" if field in _REFERENCES else field)

    def _mapped_fields(
        self, row: dict[str, object], problems: list[InvalidTransactionError]
    ) -> tuple[dict[str, object], list[str]]:
        fields = {}
        for field, source in self._sources.items():
            value = source_value(source, row, is_time=field in LABELS.times)
            if field in _OPTIONAL and values.is_null(value, self._nulls):
                value = None
            if value is not None:
                fields[field] = value
            elif field in _NEEDED:
                problems.append(InvalidTransactionError(field, f"missing; {place_of(source)}"))
        return fields, [name for name in row if name not in self._used]


def _confidence(value: object, decimal: str | None) -> float:
    exact = values.finite_number(value, decimal)
    # Compared before it is a float: an integer of 400 digits cannot become one.
    if exact is None or not 0 <= exact <= 1:
        raise InvalidTransactionError("confidence", "not a number from 0 to 1")
    return float(exact)
