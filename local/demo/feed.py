"""What the demo drops into the landing bucket: simulated transactions or your own, and the truth, which is not dropped."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import msgspec

from contract.truth import Truth
from lab.datasets import open_dataset
from simulator import SimulationConfig, simulate
from simulator.landing import LandingConfig, LandingFile, landing_files
from simulator.senders import PLAIN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from contract.truth import SentPayment

ROWS_PER_FILE: Final = 200


class Feed(msgspec.Struct, frozen=True):
    """Files to drop, in their order, and what is known of them."""

    source: str
    """Where the transactions come from, for people."""
    files: tuple[LandingFile, ...]
    rows_by_id: Counter[str]
    """Transaction id to how many rows have it; rows without an id are left out."""
    truths: dict[str, Truth]
    """By transaction id; empty if the truth is unknown. Nothing of it is dropped."""
    first_problem: str | None = None
    """The first row that its file's reader could not read, with its place; None where all could be read."""

    @property
    def transactions(self) -> int:
        """Rows that are transactions."""
        return sum(file.transactions for file in self.files)

    @property
    def rows_without_id(self) -> int:
        """Rows that are transactions, but have no id that can be read."""
        return self.transactions - self.rows_by_id.total()

    @property
    def bad_rows(self) -> int:
        """Rows made to be refused, in addition to the transactions."""
        return sum(len(file.bad_rows) for file in self.files)


def simulated(transactions: int, users: int, seed: int, now: datetime) -> Feed:
    """Simulate the 90 days up to now, with fraud, and with a few rows made to be refused.

    Parameters
    ----------
    transactions, users : int
        How many.
    seed : int
        The same seed and time give the same bytes.
    now : datetime
        The last event time, aware.
    """
    config = SimulationConfig(
        seed=seed, users=users, transactions=transactions, ends_at=now, span=timedelta(days=90)
    )
    landing = LandingConfig(run=f"demo-{now:%Y%m%dT%H%M%S}", rows_per_file=ROWS_PER_FILE, seed=seed)
    source = f"simulation of {users:,} users, seed {seed}"
    return _feed(source, list(simulate(config)), landing, is_truth_known=True)


def own(
    data: Path, map_file: Path | None, rates: Mapping[str, float], now: datetime, limit: int | None = None
) -> Feed:
    """Read a data set of your own.

    Parameters
    ----------
    data : Path
        A file or a folder.
    map_file : Path | None
        Which of its columns is which field; None if the columns have their usual names.
    rates : Mapping[str, float]
        The ruleset's: currency to base-currency units per major unit.
    now : datetime
        Part of the files' names, so that each run has its own.
    limit : int | None
        Use only this many rows, the first ones; None for all.

    Raises
    ------
    DatasetError, MappingError
        If the data or the mapping cannot be used; says what was found and what is missing.
    """
    dataset = open_dataset(data, rates, map_file)
    payments = list(dataset.transactions(limit))
    landing = LandingConfig(
        run=f"own-{now:%Y%m%dT%H%M%S}", rows_per_file=ROWS_PER_FILE, bad_rate=0, senders=(PLAIN,)
    )
    return _feed(str(data), payments, landing, is_truth_known=dataset.is_labelled)


def drop(
    feed: Feed,
    tps: float,
    put_object: Callable[[str, bytes], None],
    wait: Callable[[float], bool],
    monotonic: Callable[[], float],
) -> None:
    """Drop a feed's files at a steady rate.

    Parameters
    ----------
    feed : Feed
        What to drop.
    tps : float
        Transactions a second, over all files.
    put_object : Callable[[str, bytes], None]
        Drops one file: name and content.
    wait : Callable[[float], bool]
        Waits this many seconds; True stops the feed.
    monotonic : Callable[[], float]
        A clock in seconds that never runs backwards.
    """
    begun_at, dropped = monotonic(), 0
    for file in feed.files:
        ahead_s = begun_at + dropped / tps - monotonic()
        if ahead_s > 0 and wait(ahead_s):
            return
        put_object(file.name, file.data)
        dropped += file.transactions + len(file.bad_rows)


def _feed(
    source: str, payments: Sequence[SentPayment], landing: LandingConfig, *, is_truth_known: bool
) -> Feed:
    truths = {each.transaction_id: each.truth for each in payments if is_truth_known and each.transaction_id}
    ids = Counter(each.transaction_id for each in payments if each.transaction_id)
    problems = (f"{each.place}: {': '.join(each.problem)}" for each in payments if each.problem is not None)
    return Feed(source, tuple(landing_files(payments, landing)), ids, truths, next(problems, None))
