"""A data set of one's own, as the simulator would have made it: records for the landing bucket, and the truth beside them.

No row is dropped. What cannot be mapped lands as far as it goes, and what cannot be read lands as its own line: the
pipeline quarantines both, and every row of the file can be accounted for.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal, DecimalException
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from contract.currency import MINOR_UNIT_EXPONENT
from contract.errors import InvalidTransactionError
from contract.truth import Record, SentPayment, Truth
from glue_scripts import values
from glue_scripts.columns import LOCATION_PARTS
from lab.datasets.files import Row, columns_of, find_files, read_rows
from lab.datasets.mapping import (
    FRAUD_VALUES,
    Mapping,
    Source,
    guess_mapping,
    read_mapping,
    zone,
)
from lab.datasets.sorting import in_clock_order
from lab.seen_hashes import SeenHashes
from simulator.world import USD_RATES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

INCIDENT_GAP: Final = timedelta(hours=24)
"""Fraud on one user within this time of the last is one incident."""

_LETTERS: Final = str.maketrans("0123456789abcdef", "abcdefghijklmnop")
_UNITS: Final = {"s": 1_000_000, "ms": 1_000, "us": 1}


class Dataset(msgspec.Struct, frozen=True):
    """Files that have been found, and a mapping that fits them."""

    files: tuple[Path, ...]
    columns: tuple[str, ...]
    mapping: Mapping

    @property
    def is_labelled(self) -> bool:
        """Whether a column says what is fraud; without one, every scenario is None and means nothing."""
        return self.mapping.label is not None

    def transactions(self, limit: int | None = None) -> Iterator[SentPayment]:
        """Read the rows, in the order of their clock. All are read before the first is given; the memory is bounded.

        Parameters
        ----------
        limit : int | None
            Read only this many rows, the first ones of the files; None for all.

        Yields
        ------
        SentPayment
            One for each row that is not blank, by event time; rows without one come last.

        Raises
        ------
        DatasetError
            Where a file as a whole cannot be read.
        """
        yield from in_order(self.rows(limit))

    def rows(self, limit: int | None = None) -> Iterator[SentPayment]:
        """Read the rows in the order of the files, the first ``limit`` of them; fraud has no incident yet."""
        reader = _RowReader(self.mapping)
        return islice((reader.read(row) for file in self.files for row in read_rows(file)), limit)


def in_order(rows: Iterable[SentPayment]) -> Iterator[SentPayment]:
    """Sort a data set's rows by their clock, and name the incidents of fraud that has none.

    Parameters
    ----------
    rows : Iterable[SentPayment]
        As :meth:`Dataset.rows` gives them.

    Yields
    ------
    SentPayment
        By event time; rows without one come last.
    """
    incidents = _Incidents()
    for payment in in_clock_order(rows, _event_at):
        yield incidents.named(payment)


def open_dataset(path: Path, mapping: Path | None = None) -> Dataset:
    """Find a data set's files and fit a mapping to them.

    Parameters
    ----------
    path : Path
        A file or a folder; see ``lab.datasets.files`` for the kinds.
    mapping : Path, optional
        A YAML mapping; without one, columns are known by their names.

    Returns
    -------
    Dataset
        Ready to be read; its columns are those of the first file.

    Raises
    ------
    DatasetError
        Where there is nothing to read.
    MappingError
        Where the mapping does not fit; lists the columns found.
    """
    files = find_files(path)
    columns = columns_of(files[0])
    fitted = guess_mapping(columns) if mapping is None else read_mapping(mapping, columns)
    return Dataset(tuple(files), columns, fitted)


class _RowReader:
    def __init__(self, mapping: Mapping) -> None:
        self._mapping = mapping
        self._seen = SeenHashes()
        self._repeats: Counter[bytes] = Counter()
        stamp = mapping.fields["timestamp"]
        self._zone = zone(stamp.timezone)
        self._origin = datetime.fromisoformat(stamp.origin)
        label = mapping.label
        self._fraud_values = {text.lower() for text in (label.fraud_values if label else ())} or set(
            FRAUD_VALUES
        )

    def read(self, row: Row) -> SentPayment:
        if row.fields is None:
            return SentPayment(record={}, raw=row.raw)
        record: Record = {}
        location: dict[str, object] = {}
        for field, source in self._mapping.fields.items():
            value = _value(source, row.fields)
            if value is None:
                continue
            if field in LOCATION_PARTS:
                location[field] = _location_part(field, value)
            elif field == "location" and isinstance(value, dict):
                parts = {part: value[part] for part in LOCATION_PARTS if value.get(part) is not None}
                location = {part: _location_part(part, held) for part, held in parts.items()} | location
            else:
                record[field] = self._field(field, value, row.fields)
        if location:
            record["location"] = location
        own_id = record.pop("transaction_id", None)
        record = {"transaction_id": self._derived_id(row.raw) if own_id is None else own_id, **record}
        truth = Truth(scenario=self._scenario(row.fields), amount_base=_amount_base(record))
        return SentPayment(record=record, truth=truth)

    def _field(self, field: str, value: object, fields: dict[str, object]) -> object:
        # What is no text by now is a list or an object: it lands as it is, for the pipeline to refuse.
        if isinstance(value, str) and field == "amount":
            source = self._mapping.fields.get("currency")
            currency = None if source is None else _value(source, fields)
            return self._amount(value, str(currency or "USD"))
        if isinstance(value, str) and field == "timestamp":
            return self._timestamp(value)
        return value

    def _derived_id(self, raw: bytes) -> str:
        # By content, and by number among equal rows: the same file gives the same ids, whatever the order of its rows.
        digest = blake2b(raw.strip(), digest_size=10).digest()
        if not self._seen.add(int.from_bytes(digest[:8], "little")):
            self._repeats[digest] += 1
        return f"row-{digest.hex().translate(_LETTERS)}-{1 + self._repeats[digest]}"

    def _amount(self, text: str, currency: str) -> str:
        try:
            amount = values.amount(text).text
            if self._mapping.fields["amount"].unit != "minor":
                return amount
            return format(Decimal(amount).scaleb(-MINOR_UNIT_EXPONENT.get(currency, 2)), "f")
        except (InvalidTransactionError, DecimalException):
            return text

    def _timestamp(self, text: str) -> str:
        source = self._mapping.fields["timestamp"]
        try:
            if source.unit is not None:
                at = self._origin + timedelta(microseconds=int(Decimal(text) * _UNITS[source.unit]))
            elif source.format is not None:
                at = datetime.strptime(text, source.format)  # noqa: DTZ007 - the zone follows, where it has none
            else:
                at = datetime.fromisoformat(
                    values.timestamp(text) if text.replace(".", "").isdigit() else text
                )
            if at.tzinfo is None:
                at = at.replace(tzinfo=self._zone)
            return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        except (InvalidTransactionError, ValueError, OverflowError, DecimalException):
            return text

    def _scenario(self, fields: dict[str, object]) -> str | None:
        label, scenario = self._mapping.label, self._mapping.scenario
        if label is None or str(_value(label, fields)).lower() not in self._fraud_values:
            return None
        kind = None if scenario is None else _value(scenario, fields)
        return "fraud" if kind is None else str(kind)


class _Incidents:
    """Gives fraud that follows upon fraud on the same user one incident, where the data set names none."""

    def __init__(self) -> None:
        self._last: dict[str, datetime] = {}
        self._count: Counter[str] = Counter()

    def named(self, labelled: SentPayment) -> SentPayment:
        if not labelled.truth.is_fraud or labelled.truth.incident_id is not None:
            return labelled
        at = _event_at(labelled)
        user = labelled.record.get("user_id")
        if at is None or not isinstance(user, str):
            return labelled
        if user not in self._last or abs(at - self._last[user]) > INCIDENT_GAP:
            self._count[user] += 1
        self._last[user] = at
        truth = msgspec.structs.replace(labelled.truth, incident_id=f"{user}#{self._count[user]}")
        return msgspec.structs.replace(labelled, truth=truth)


def _value(source: Source, fields: dict[str, object]) -> object:
    """Text of a field, without blanks around it; None where there is none; lists and objects as they are."""
    value = source.value if source.column is None else fields.get(source.column)
    if value is None or isinstance(value, list | dict):
        return value
    text = ("true" if value else "false") if isinstance(value, bool) else str(value).strip()
    return source.values.get(text, text) or None


def _location_part(field: str, value: object) -> object:
    if field in ("latitude", "longitude") and isinstance(value, str | int):
        try:
            return values.degrees(value, field)
        except InvalidTransactionError:
            return value
    return value


def _amount_base(record: Record) -> float | None:
    rate = USD_RATES.get(str(record.get("currency", "USD")))
    try:
        amount = Decimal(str(record.get("amount")))
    except DecimalException:
        return None
    return float(amount) / rate if rate is not None and amount.is_finite() else None


def _event_at(labelled: SentPayment) -> datetime | None:
    try:
        at = datetime.fromisoformat(str(labelled.record.get("timestamp")))
    except ValueError:
        return None
    return at if at.tzinfo is not None else None
