"""One run of the upkeep: unfinished labels, then the cache's copies, then the usual share of fraud. Each part is done if another fails."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from common.errors import StageError
from common.failures import describe_failure
from common.metrics import emit
from common.time_left import TimeLeft
from contract.clock import EPOCH
from contract.errors import ContractError
from engine.entities.kinds import POPULATION_IDS
from engine.labels import counted_since_s, usual_rate
from label_upkeep.metrics import Metric

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from common.failures import FailureLog
    from common.metrics import MetricSink
    from common.time_left import TimedContext
    from label_upkeep.look import Look
    from label_upkeep.unfinished import UnfinishedLabels


class FraudCounts(Protocol):
    """The call that counts frauds; see :class:`label_upkeep.store.UpkeepTables`."""

    def frauds(self, since: datetime, now: datetime) -> int:
        """Count the payments from a time on that count as fraud."""
        ...


class RateCache(Protocol):
    """The calls about the usual share; see :class:`cache.label_copies.RedisLabelCopies`."""

    def populations(self, ids: Sequence[bytes]) -> list[bytes | None]:
        """Read the state of all entities of some kinds."""
        ...

    def write_usual_rate(self, rate: float) -> None:
        """Set the share of fraud."""
        ...


class LabelUpkeep:
    """Does what is due, at each invocation.

    Parameters
    ----------
    unfinished : UnfinishedLabels
        Labels that wait.
    look : Look
        Copies that may be missing or old.
    counts : FraudCounts
        Frauds by day.
    cache : RateCache
        Holds the payments of all entities, and gets the share.
    metrics, log
        Powertools' Metrics and Logger.
    clock : Callable
        Gives the time, aware, UTC.
    """

    def __init__(
        self,
        unfinished: UnfinishedLabels,
        look: Look,
        counts: FraudCounts,
        cache: RateCache,
        metrics: MetricSink,
        log: FailureLog,
        clock: Callable[[], datetime],
    ) -> None:
        self._unfinished = unfinished
        self._look = look
        self._counts = counts
        self._cache = cache
        self._metrics = metrics
        self._log = log
        self._clock = clock

    def run(self, context: TimedContext) -> None:
        """Do what is due; what fails is reported, and done by the next run.

        Parameters
        ----------
        context : TimedContext
            Says how much time is left.
        """
        has_time, now = TimeLeft(context).is_enough, self._clock()
        parts: tuple[Callable[[], None], ...] = (
            lambda: self._unfinished.send_due(now, has_time),
            lambda: self._write_usual_rate(now),
            lambda: self._look.go_on(now, has_time),
        )
        for part in parts:
            try:
                part()
            except (StageError, ContractError, ClientError, BotoCoreError) as error:
                self._log.error(
                    "A part of the upkeep failed; the next run does it", extra=describe_failure(error)
                )
                emit(self._metrics, Metric.UPKEEP_FAILURES)

    def _write_usual_rate(self, now: datetime) -> None:
        populations, now_s = self._cache.populations(POPULATION_IDS), int(now.timestamp())
        since = EPOCH + timedelta(seconds=counted_since_s(populations, now_s))
        frauds = self._counts.frauds(since, now)
        self._cache.write_usual_rate(usual_rate(frauds, populations, now_s))
