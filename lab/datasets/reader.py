"""A data set of one's own in the form in which the simulator makes them: records for the landing bucket, and the truth beside them.

No row is dropped. A row that is only partly mapped lands with what was mapped, and a line that cannot be read lands as it is:
the pipeline quarantines both, and every row of the file can be accounted for.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from decimal import Decimal, DecimalException
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from contract.currency import ASSUMED_CURRENCY
from contract.errors import InvalidTransactionError
from contract.mapping.document import ColumnMapping
from contract.mapping.kinds import REQUIRED
from contract.mapping.row import RowMapper, source_value, time_form
from contract.mapping.times import timestamp_in
from contract.mapping.values import spellings
from contract.truth import FRAUD_WORDS, HONEST_WORDS, Record, SentPayment, Truth
from lab.datasets.errors import DatasetError
from lab.datasets.files import Row, columns_of, find_files, read_rows
from lab.datasets.fit import fit_mapping, read_mapping
from lab.datasets.sorting import in_clock_order
from lab.seen_hashes import SeenHashes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


INCIDENT_GAP: Final = timedelta(hours=24)
"""Fraud on one user within this time of the last is one incident."""

_LETTERS: Final = str.maketrans("0123456789abcdef", "abcdefghijklmnop")


class Dataset(msgspec.Struct, frozen=True):
    """Files that have been found, and a mapping that fits them."""

    files: tuple[Path, ...]
    columns: tuple[str, ...]
    mapping: ColumnMapping
    rates: dict[str, float]
    """ISO 4217 code to base-currency units per major unit."""

    @property
    def is_labelled(self) -> bool:
        """Whether a column says which rows are fraud; without one, every scenario is None and means nothing."""
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
            If a file as a whole cannot be read.
        """
        yield from in_order(self.rows(limit))

    def rows(self, limit: int | None = None) -> Iterator[SentPayment]:
        """Read the rows in the order of the files, the first ``limit`` of them; fraud has no incident yet."""
        reader = _RowReader(self.mapping, self.rates)
        return islice(
            (reader.read(row, file.name) for file in self.files for row in read_rows(file, self.mapping)),
            limit,
        )


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
    for payment in in_clock_order(rows, _clock):
        yield incidents.named(payment)


def open_dataset(path: Path, rates: Mapping[str, float], mapping: Path | None = None) -> Dataset:
    """Find a data set's files and fit a mapping to them.

    Parameters
    ----------
    path : Path
        A file or a folder; see ``lab.datasets.files`` for the kinds.
    rates : Mapping[str, float]
        ISO 4217 code to base-currency units per major unit: what amounts are valued with, those of the ruleset.
    mapping : Path, optional
        A YAML mapping; without one, columns are known by their names.

    Returns
    -------
    Dataset
        Ready to be read; its columns are those of the first file that has rows.

    Raises
    ------
    DatasetError
        If there is nothing to read.
    MappingError
        If the mapping does not fit; lists the columns found.
    """
    files = find_files(path)
    columns = columns_of(*files, mapping=None if mapping is None else read_mapping(mapping))
    return Dataset(tuple(files), columns, fit_mapping(columns, mapping), dict(rates))


class _RowReader:
    def __init__(self, mapping: ColumnMapping, rates: Mapping[str, float]) -> None:
        self._mapper = RowMapper(mapping)
        self._label, self._scenario, self._incident = mapping.label, mapping.scenario, mapping.incident
        self._appended_at = mapping.appended_at
        self._rates = rates
        self._seen = SeenHashes()
        self._repeats: Counter[bytes] = Counter()
        named = mapping.label.fraud_values if mapping.label else ()
        self._fraud_values = frozenset(text.lower() for text in named) or FRAUD_WORDS
        self._honest_values = HONEST_WORDS if not named else None

    def read(self, row: Row, file: str) -> SentPayment:
        place = f"{file}, line {row.line}"
        if row.fields is None:
            return SentPayment(record={}, raw=row.raw, place=place, problem=("$", row.problem or ""))
        record, _, problems = self._mapper.map_row(row.fields.items())
        for each in problems:
            _make_refused(record, each)
        own_id = record.pop("transaction_id", None)
        record = {"transaction_id": self._derived_id(row.raw) if own_id is None else own_id, **record}
        try:
            scenario = self._scenario_of(row.fields)
        except ValueError as error:
            raise DatasetError(f"{place}: {error}") from error
        try:
            appended_at = self._appended_at_of(row.fields)
        except InvalidTransactionError as error:
            raise DatasetError(f"{place}: appended_at: {error.problem}") from error
        truth = Truth(
            scenario=scenario,
            incident_id=None if scenario is None else self._incident_of(row.fields),
            amount_base=self._amount_base(record),
        )
        problem = (problems[0].field, problems[0].problem) if problems else None
        return SentPayment(record=record, truth=truth, place=place, problem=problem, appended_at=appended_at)

    def _derived_id(self, raw: bytes) -> str:
        # By content, and by number among equal rows: the same file gives the same ids, in any order of its rows.
        digest = blake2b(raw.strip(), digest_size=10).digest()
        if not self._seen.add(int.from_bytes(digest[:8], "little")):
            self._repeats[digest] += 1
        return f"row-{digest.hex().translate(_LETTERS)}-{1 + self._repeats[digest]}"

    def _scenario_of(self, fields: dict[str, object]) -> str | None:
        if self._label is None:
            return None
        words = [word.lower() for word in spellings(source_value(self._label, fields))]
        if self._fraud_values.isdisjoint(words):
            if self._honest_values is not None and self._honest_values.isdisjoint(words):
                fraud, honest = (
                    ", ".join(sorted(filter(None, names))) for names in (FRAUD_WORDS, HONEST_WORDS)
                )
                raise ValueError(
                    f"label: neither a word for fraud ({fraud}) nor for an honest payment ({honest}); "
                    "the mapping has to say fraud_values"
                )
            return None
        kind = None if self._scenario is None else source_value(self._scenario, fields)
        return "fraud" if kind is None else next(iter(spellings(kind)), "fraud")

    def _appended_at_of(self, fields: dict[str, object]) -> datetime | None:
        source = self._appended_at
        if source is None:
            return None
        return datetime.fromisoformat(timestamp_in(source_value(source, fields), time_form(source)))

    def _incident_of(self, fields: dict[str, object]) -> str | None:
        incident = None if self._incident is None else source_value(self._incident, fields)
        return None if incident is None else str(incident)

    def _amount_base(self, record: Record) -> float | None:
        rate = self._rates.get(str(record.get("currency", ASSUMED_CURRENCY)))
        try:
            amount = Decimal(str(record.get("amount")))
        except DecimalException:
            return None
        return float(amount) * rate if rate is not None and amount.is_finite() else None


def _make_refused(record: Record, problem: InvalidTransactionError) -> None:
    """Put a list in place of a value that the mapping cannot read; the contract refuses a list in every field.

    The value as it came could mean something else to the pipeline, which does not know the mapping: 1234.50 in a column of
    cents, a local time that does not exist, or no currency, which is USD.
    """
    field = problem.field.split(".")[0]
    if field not in record and field in ("transaction_id", *REQUIRED):
        return  # the contract says "missing"; the reader makes an id
    value = spellings(record[field])[:1] if field in record else ()
    record[field] = [problem.problem, *value]


class _Incidents:
    """Gives fraud that follows other fraud on the same user within a day the same incident, if the data set names none."""

    def __init__(self) -> None:
        self._last: dict[str, datetime] = {}
        self._count: Counter[str] = Counter()

    def named(self, payment: SentPayment) -> SentPayment:
        if not payment.truth.is_fraud or payment.truth.incident_id is not None:
            return payment
        at = _event_at(payment)
        user = payment.record.get("user_id")
        if at is None or not isinstance(user, str):
            return payment
        if user not in self._last or abs(at - self._last[user]) > INCIDENT_GAP:
            self._count[user] += 1
        self._last[user] = at
        truth = msgspec.structs.replace(payment.truth, incident_id=f"{user}#{self._count[user]}")
        return msgspec.structs.replace(payment, truth=truth)


def _clock(payment: SentPayment) -> datetime | None:
    return payment.appended_at or _event_at(payment)


def _event_at(payment: SentPayment) -> datetime | None:
    try:
        at = datetime.fromisoformat(str(payment.record.get("timestamp")))
    except ValueError:
        return None
    return at if at.tzinfo is not None else None
