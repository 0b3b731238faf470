"""Payments in the order of their clock, in bounded memory, however many there are: an external merge sort.

Runs of :data:`RUN_ROWS` payments are sorted in memory and written to unnamed temporary files, then merged. A data set that is one
run is never written. ``TMPDIR`` names the folder; it needs about as much space as the data set has as JSON lines.
"""

from __future__ import annotations

import heapq
import tempfile
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from itertools import islice
from operator import itemgetter
from typing import IO, TYPE_CHECKING, Final

import msgspec

from contract.truth import SentPayment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

RUN_ROWS: Final = 100_000
"""Payments of a run: about 50 MB."""

MAX_RUNS: Final = 64
"""Files open at once; as many are merged into one before another is written."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_LAST: Final = 1 << 62
"""Sorts behind every time: a payment without one."""

_DECODER: Final = msgspec.json.Decoder(SentPayment)

_Keyed = tuple[int, bytes]
"""A payment as JSON, which has no line break, behind its clock in µs."""


def in_clock_order(
    payments: Iterable[SentPayment],
    clock: Callable[[SentPayment], datetime | None],
    run_rows: int = RUN_ROWS,
    max_runs: int = MAX_RUNS,
) -> Iterator[SentPayment]:
    """Sort payments by their clock.

    Parameters
    ----------
    payments : Iterable[SentPayment]
        In any order; all are read before the first is given.
    clock : Callable[[SentPayment], datetime | None]
        A payment's time, aware; None for one without.
    run_rows : int
        Payments in memory at once, >= 1.
    max_runs : int
        Temporary files open at once, >= 2.

    Yields
    ------
    SentPayment
        By clock, those of the same time in the order in which they came. Payments without a time come last.
    """
    with ExitStack() as files:
        runs: list[IO[bytes]] = []
        keyed = _sorted_run(iterator := iter(payments), clock, run_rows)
        while len(keyed) == run_rows and (following := _sorted_run(iterator, clock, run_rows)):
            if len(runs) == max_runs - 1:
                merged = heapq.merge(*map(_read, runs), key=itemgetter(0))
                runs = [_write(merged, files.enter_context(tempfile.TemporaryFile()))]
            runs.append(_write(keyed, files.enter_context(tempfile.TemporaryFile())))
            keyed = following
        # heapq.merge gives equal keys in the order of its arguments, and earlier payments are in earlier runs.
        for _, line in heapq.merge(*map(_read, runs), keyed, key=itemgetter(0)) if runs else keyed:
            yield _DECODER.decode(line)


def _sorted_run(
    payments: Iterator[SentPayment], clock: Callable[[SentPayment], datetime | None], rows: int
) -> list[_Keyed]:
    # Encoded, a payment takes a quarter of the memory.
    run = [(_key(clock(payment)), msgspec.json.encode(payment)) for payment in islice(payments, rows)]
    run.sort(key=itemgetter(0))
    return run


def _key(at: datetime | None) -> int:
    return _LAST if at is None else (at - _EPOCH) // _MICROSECOND


def _write(run: Iterable[_Keyed], file: IO[bytes]) -> IO[bytes]:
    for key, line in run:
        file.write(b"%d\t%b\n" % (key, line))
    file.seek(0)
    return file


def _read(file: IO[bytes]) -> Iterator[_Keyed]:
    for line in file:
        key, _, payment = line[:-1].partition(b"\t")
        yield int(key), payment
    file.close()  # before the stack does, so that a merged file's space is free at once
