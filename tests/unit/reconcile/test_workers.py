"""A run looks through several parts of an hour at a time, and ends early when one of them fails."""

from __future__ import annotations

from datetime import timedelta
from threading import Barrier
from typing import TYPE_CHECKING, Any

import pytest

from common.batch_requests import UnansweredError
from contract.flag_hour import SHARDS
from reconcile.metrics import Metric
from reconcile.stage import WORKERS, Reconciler
from reconcile.tables import SecondLooks, Unfinished
from tests.support.payments import NOW, Metrics
from tests.unit.reconcile.world import Log, Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from contract.flagged import FlaggedKey


class Parts:
    """Tables of empty parts of an hour, whose reading takes what a test wants."""

    def __init__(self, read: Callable[[str], object]) -> None:
        self._read = read
        self.begun: list[str] = []

    def to_be_flagged(self, hour: str) -> Iterator[list[FlaggedKey]]:
        self.begun.append(hour)
        self._read(hour)
        yield []

    def unfinished(self, _: Sequence[FlaggedKey]) -> Unfinished:
        return Unfinished([], [], [], [])

    def rows(self, _: Sequence[FlaggedKey]) -> list[Mapping[str, Any]]:
        return []

    history_rows = flagged_rows = rows

    def second_looks(self) -> SecondLooks:
        return SecondLooks(0, None)


def run_on(parts: Parts, metrics: Metrics) -> None:
    log: Any = Log()
    reconciler = Reconciler(
        parts, Stage(), Stage(), Stage(), timedelta(hours=2), timedelta(0), metrics, log, lambda: NOW
    )
    reconciler.run({}, lambda: True)


def test_parts_of_an_hour_are_read_at_the_same_time() -> None:
    met = Barrier(WORKERS, timeout=30)  # it breaks, and fails the run, if fewer are read at a time
    parts = Parts(lambda _: met.wait())

    run_on(parts, Metrics())

    assert len(parts.begun) == 3 * SHARDS == len(set(parts.begun))


def test_the_other_parts_of_a_run_that_fails_are_not_begun_and_not_called_unchecked() -> None:
    def fail(_: str) -> None:
        raise UnansweredError("transaction_history", 20)

    parts, metrics = Parts(fail), Metrics()

    with pytest.raises(UnansweredError):
        run_on(parts, metrics)

    assert len(parts.begun) <= WORKERS
    assert metrics.values[Metric.HOURS_UNCHECKED] == [0]
