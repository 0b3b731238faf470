"""Landing files as real senders drop them: each in its own format, and with a few bad rows.

Bad rows are added to the transactions and counted, so that every row of every file can be accounted for.
"""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Annotated, Final
from zlib import crc32

import msgspec
from msgspec import Meta

from simulator.draws import Draws
from simulator.senders import SENDERS, Sender, csv_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from contract.truth import Record, SentPayment


BACKFILL_FOLDER: Final = "backfill"
"""Folder of the landing bucket for files of the past: its feed is declared trusted, so that their event times are believed."""


class LandingConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How payments are written into files."""

    run: str
    """Part of every file's name and of the bad rows' ids. Two runs into one bucket need different ones."""
    rows_per_file: Annotated[int, Meta(ge=1)] = 400
    """A sender's file is closed when it has this many rows."""
    bad_rate: Annotated[float, Meta(ge=0, le=1)] = 0.003
    """Bad rows per transaction, added to the transactions."""
    seed: int = 0
    """Determines where the bad rows are, and what is wrong with them."""
    senders: tuple[Sender, ...] = SENDERS


class BadRow(msgspec.Struct, frozen=True):
    """A row made to be refused."""

    transaction_id: str | None
    """Its id; None where it has none that can be read."""
    problem: str


class LandingFile(msgspec.Struct, frozen=True):
    """One file, ready to be dropped."""

    name: str
    data: bytes
    transactions: int
    """Rows that are transactions."""
    bad_rows: tuple[BadRow, ...]
    """The rows made to be refused, in their order in the file."""


_SPOILED: Final[dict[str, tuple[str, object]]] = {
    "missing user": ("user_id", None),
    "amount of two signs": ("amount", "+-12.50"),
    "amount in words": ("amount", "twelve"),
    "no timestamp": ("timestamp", "yesterday"),
    "timestamp without a zone": ("timestamp", "2026-01-05T12:30:00"),
    "timestamp on 30 February": ("timestamp", "2026-02-30T12:00:00.000000Z"),
    "unknown currency": ("currency", "XQZ"),
    "invisible character in the user": ("user_id", "user-\u200b7"),
}
"""Problem to the field that is changed and its new value; None removes the field."""

_UNREADABLE: Final = ("cut off", "not a row")
"""Problems of rows that cannot be read as a record."""

PROBLEMS: Final = (*_SPOILED, *_UNREADABLE)
"""Every problem that a bad row can have."""


def landing_files(payments: Iterable[SentPayment], config: LandingConfig) -> Iterator[LandingFile]:
    """Write payments into files.

    Parameters
    ----------
    payments : Iterable[SentPayment]
        Read lazily; their order is kept within each file. A payment that has only its source's line (``raw``) is written
        as it is. It counts as a transaction, not as a bad row: it is in the data, and was not made here to be refused.
    config : LandingConfig
        The senders, sizes and bad rows.

    Yields
    ------
    LandingFile
        Each as soon as it is full, the rest at the end. The same arguments give the same bytes.
    """
    bad_rows = _BadRows(config)
    files = [_OpenFile(sender) for sender in config.senders]
    number = 0
    for payment in payments:
        file = files[crc32(str(payment.record.get("user_id", "")).encode()) % len(files)]
        file.add(payment)
        if bad_rows.is_due():
            file.add_bad(*bad_rows.spoil(payment.record, file.sender))
        if file.rows >= config.rows_per_file:
            yield file.close(config.run, number)
            number += 1
    for file in files:
        if file.rows:
            yield file.close(config.run, number)
            number += 1


class _OpenFile:
    """A sender's file while it is being written."""

    def __init__(self, sender: Sender) -> None:
        self.sender = sender
        self._begin()

    @property
    def rows(self) -> int:
        return self._transactions + len(self._bad_rows)

    def add(self, payment: SentPayment) -> None:
        self._transactions += 1
        if payment.raw is None:
            self._lines.append(self.sender.line(payment.record).encode())
        else:
            self._lines.append(payment.raw.rstrip(b"\r\n") + b"\n")

    def add_bad(self, line: str, bad_row: BadRow) -> None:
        self._bad_rows.append(bad_row)
        self._lines.append(line.encode())

    def close(self, run: str, number: int) -> LandingFile:
        data = b"".join(self._lines)
        if self.sender.is_compressed:
            data = gzip.compress(data, mtime=0)
        name = f"{self.sender.name}-{run}-{number:06d}{self.sender.suffix}"
        closed = LandingFile(name, data, self._transactions, tuple(self._bad_rows))
        self._begin()
        return closed

    def _begin(self) -> None:
        self._lines = [self.sender.header().encode()]
        self._transactions = 0
        self._bad_rows: list[BadRow] = []


class _BadRows:
    """Makes bad rows from copies of payments, at a random rate."""

    def __init__(self, config: LandingConfig) -> None:
        self._draws = Draws("bad rows", config.seed, config.run)
        self._rate = config.bad_rate
        self._run = config.run
        self._number = 0

    def is_due(self) -> bool:
        return self._rate > 0 and self._draws.chance(self._rate)

    def spoil(self, record: Record, sender: Sender) -> tuple[str, BadRow]:
        self._number += 1
        problem = PROBLEMS[self._number % len(PROBLEMS)] if self._number > 1 else self._draws.choice(PROBLEMS)
        copy = record | {"transaction_id": f"bad-{self._run}-{self._number:05d}"}
        if problem in _SPOILED:
            field, value = _SPOILED[problem]
            copy = {name: old for name, old in copy.items() if name != field}
            if value is not None:
                copy[field] = value
            return sender.line(copy), BadRow(str(copy["transaction_id"]), problem)
        if problem == "cut off":
            line = sender.line(copy).rstrip("\n")
            # CSV: only the first two columns are left.
            cut = line[: len(line) // 2] if sender.form == "jsonl" else ",".join(line.split(",")[:2])
            return cut + "\n", BadRow(None, problem)
        text = f"-- end of batch {self._number}"
        return (csv_line([text]) if sender.form == "csv" else text + "\n"), BadRow(None, problem)
