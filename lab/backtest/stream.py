"""Where the payments of a backtest come from: the simulation, or files of the analyst's own, in the order of their clock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

import msgspec

from contract.truth import SentPayment
from lab.datasets import in_order, open_dataset
from simulator import SimulationConfig, simulate
from simulator.crowds import simulate_crowds

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from lab.progress import Progress


class PaymentStream(msgspec.Struct, frozen=True):
    """Payments to be read once, and what is known of them."""

    payments: Iterator[SentPayment]
    is_labelled: bool
    """Whether it is known which of them are fraud."""
    source: str
    """For people."""


def simulated(
    *,
    transactions: int,
    users: int,
    seed: int,
    ends_at: datetime,
    progress: Progress,
    scenario: Literal["people", "crowds"] = "people",
) -> PaymentStream:
    """Simulate the 90 days up to ``ends_at``.

    Parameters
    ----------
    transactions, users : int
        How many.
    seed : int
        The same seed and end give the same payments.
    ends_at : datetime
        The last event time, aware.
    progress : Progress
        Shows how many were decided.
    scenario : Literal["people", "crowds"]
        ``crowds`` adds attacks that cross users and the honest crowds that look like them (:mod:`simulator.crowds`).
    """
    config = SimulationConfig(
        seed=seed, users=users, transactions=transactions, ends_at=ends_at, span=timedelta(days=90)
    )
    made = simulate_crowds(config) if scenario == "crowds" else simulate(config)
    source = f"simulation of {users:,} users{' and crowds' if scenario == 'crowds' else ''}, seed {seed}"
    return PaymentStream(progress.counted(made, "decided"), is_labelled=True, source=source)


def own(
    data: Path, map_file: Path | None, rates: Mapping[str, float], limit: int | None, progress: Progress
) -> PaymentStream:
    """Read files.

    Parameters
    ----------
    data : Path
        A file or a folder.
    map_file : Path | None
        Which column is which field; None if they have their usual names.
    rates : Mapping[str, float]
        ISO 4217 code to base-currency units per major unit: what amounts are valued with.
    limit : int | None
        Read only this many rows, the first ones; None for all.
    progress : Progress
        Shows how many rows were read, and how many payments decided.

    Raises
    ------
    DatasetError, MappingError
        If the data or the mapping cannot be used; says what was found and what is missing.
    """
    dataset = open_dataset(data, rates, map_file)
    rows = progress.counted(dataset.rows(limit), "read")
    payments = progress.counted(in_order(rows), "decided")
    return PaymentStream(payments, dataset.is_labelled, str(data))
