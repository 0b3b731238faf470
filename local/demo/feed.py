"""What the demo drops into the landing bucket: simulated transactions, or a data set of one's own, with the truth aside."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import msgspec

from lab.datasets import open_dataset
from lab.detection import Label
from simulator import SimulationConfig, simulate
from simulator.landing import LandingConfig, LandingFile, landing_files
from simulator.senders import PLAIN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from simulator import LabelledTransaction

ROWS_PER_FILE: Final = 200


class Feed(msgspec.Struct, frozen=True):
    """Files to be dropped, in their order, and what is known of them."""

    source: str
    """Where the transactions come from, for people."""
    files: tuple[LandingFile, ...]
    rows_by_id: Counter[str]
    """Transaction id to how many rows have it; rows without one are left out."""
    labels: dict[str, Label]
    """Transaction id to the truth; empty where nobody knows it. It never travels with the transactions."""

    @property
    def transactions(self) -> int:
        """Rows that are transactions."""
        return sum(file.transactions for file in self.files)

    @property
    def rows_without_id(self) -> int:
        """Rows that are transactions and have no id that can be read."""
        return self.transactions - self.rows_by_id.total()

    @property
    def bad_rows(self) -> int:
        """Rows that were made to be refused, on top of the transactions."""
        return sum(len(file.bad_rows) for file in self.files)


def simulated(transactions: int, users: int, seed: int, now: datetime) -> Feed:
    """Simulate the 90 days up to now, with labelled fraud, and a few rows that nobody can use.

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
    return _feed(source, list(simulate(config)), landing, is_labelled=True)


def own(
    data: Path, mapping: Path | None, rates: Mapping[str, float], now: datetime, limit: int | None = None
) -> Feed:
    """Read transactions of one's own.

    Parameters
    ----------
    data : Path
        A file or a folder.
    mapping : Path | None
        How its columns are called; None where they have their usual names.
    rates : Mapping[str, float]
        Of the ruleset: currency to base-currency units per major unit.
    now : datetime
        Names the run.
    limit : int | None
        Use only so many rows, the first; None for all.

    Raises
    ------
    DatasetError, MappingError
        Where the data or the mapping cannot be used; says what was found and what is missing.
    """
    dataset = open_dataset(data, rates, mapping)
    transactions = list(dataset.transactions())[:limit]
    landing = LandingConfig(
        run=f"own-{now:%Y%m%dT%H%M%S}", rows_per_file=ROWS_PER_FILE, bad_rate=0, senders=(PLAIN,)
    )
    return _feed(str(data), transactions, landing, is_labelled=dataset.is_labelled)


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
        Waits so many seconds; True ends the feed.
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
    source: str, transactions: Sequence[LabelledTransaction], landing: LandingConfig, *, is_labelled: bool
) -> Feed:
    labels = {
        each.transaction_id: Label(each.scenario, each.incident_id, each.amount_base)
        for each in transactions
        if is_labelled and each.transaction_id
    }
    ids = Counter(each.transaction_id for each in transactions if each.transaction_id)
    return Feed(source, tuple(landing_files(transactions, landing)), ids, labels)
