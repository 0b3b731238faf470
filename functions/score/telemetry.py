"""What the score stage reports while it works, as metrics and log lines without anything personal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from common.failures import describe_failure
from common.metrics import emit
from contract.canary import RESERVED, is_canary
from contract.scored import Decision
from score.metrics import Metric

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from aws_lambda_powertools import Logger

    from common.errors import CacheUnavailableError
    from common.metrics import MetricSink
    from contract.scored import Position, ScoredTransaction
    from engine.errors import InvalidRulesetError
    from engine.rules.ruleset import Ruleset
    from score.delivery import Batch
    from score.errors import RulesetUnreachableError
    from score.history_store import UnreadableRow
    from score.user_chain import SettledChain

RACED_MESSAGE = "decided behind a payment that was stored otherwise meanwhile"
"""Logged with the positions of the payments."""

MAX_PROBLEMS_LOGGED = 10
"""Problems of a refused ruleset in one log line; its author sees them all with `make rules-check`. And unreadable rows of a batch."""


class Telemetry(Protocol):
    """What the stage reports."""

    def batch_read(self, batch: Batch) -> None:
        """Report what was delivered."""
        ...

    def chain_settled(self, settled: SettledChain) -> None:
        """Report what happened to one user's payments."""
        ...

    def batch_done(
        self, rows: Sequence[ScoredTransaction], failed: set[Position], *, is_degraded: bool
    ) -> None:
        """Report what was stored and what must be delivered again."""
        ...

    def profiles_rebuilt(self, count: int) -> None:
        """Report how many profiles were rebuilt from history."""
        ...

    def rows_unreadable(self, rows: Sequence[UnreadableRow]) -> None:
        """Report the history rows that rebuilds had to leave out."""
        ...

    def profiles_lost(self, count: int) -> None:
        """Report how many compare-and-sets were lost."""
        ...

    def profiles_kept(self, written: int, failed: int) -> None:
        """Report how many profiles were kept as checkpoints, and how many stay due."""
        ...

    def cache_unavailable(self, error: CacheUnavailableError) -> None:
        """Report that the cache did not answer."""
        ...

    def labels_read(self, unreadable: int, *, is_complete: bool) -> None:
        """Report how many copies of labels cannot be read, and whether the cache says that it has all of them."""
        ...


class EmfTelemetry:
    """Powertools' metrics (CloudWatch's embedded metric format) and logger.

    Parameters
    ----------
    metrics : MetricSink
        Flushed by the handler's decorator.
    logger : Logger
        Gets positions and counts, never a payment's values.
    clock : Callable[[], datetime]
        The time, aware.
    """

    def __init__(self, metrics: MetricSink, logger: Logger, clock: Callable[[], datetime]) -> None:
        self._metrics = metrics
        self._logger = logger
        self._clock = clock

    def batch_read(self, batch: Batch) -> None:
        """Count records; log each rejected one by position, field and problem."""
        self._count(Metric.RECORDS_RECEIVED, len(batch.deliveries) + len(batch.rejected))
        self._count(Metric.KEY_MISMATCHES, sum(delivery.is_key_mismatch for delivery in batch.deliveries))
        self._count(Metric.RECORDS_QUARANTINED, len(batch.rejected))
        self._count(
            Metric.RESERVED_USERS, sum(rejected.problem.startswith(RESERVED) for rejected in batch.rejected)
        )
        for rejected in batch.rejected:
            self._logger.warning(
                "record quarantined",
                position=str(rejected.position),
                field=rejected.field,
                problem=rejected.problem,
            )

    def chain_settled(self, settled: SettledChain) -> None:
        """Count payments that were not new."""
        self._count(Metric.TRANSACTIONS_REDELIVERED, settled.redelivered)
        self._count(Metric.TRANSACTIONS_REPEATED, settled.repeats)
        self._count(Metric.TRANSACTIONS_RACED, len(settled.raced))
        if settled.raced:
            self._logger.warning(
                RACED_MESSAGE,
                positions=[str(position) for position in settled.raced],
            )

    def batch_done(
        self, rows: Sequence[ScoredTransaction], failed: set[Position], *, is_degraded: bool
    ) -> None:
        """Count decisions, without the canary's, and measure how long the oldest payment waited."""
        payments = [row for row in rows if not is_canary(row.transaction.user_id)]
        decisions = [row.decision for row in payments]
        self._count(Metric.TRANSACTIONS_SCORED, len(payments))
        self._count(Metric.TRANSACTIONS_APPROVED, decisions.count(Decision.APPROVE))
        self._count(Metric.TRANSACTIONS_REVIEWED, decisions.count(Decision.REVIEW))
        self._count(Metric.TRANSACTIONS_BLOCKED, decisions.count(Decision.BLOCK))
        self._count(Metric.TRANSACTIONS_DEGRADED, len(payments) if is_degraded else 0)
        self._count(Metric.REPEATS_STORED, sum(row.repeats != 0 for row in payments))
        self._count(Metric.RULE_FAILURES, sum(len(row.failed_rule_ids) for row in payments))
        self._count(Metric.RECORDS_FAILED, len(failed))
        if rows:
            age = self._clock() - min(row.appended_at for row in rows)
            emit(self._metrics, Metric.OLDEST_RECORD_AGE, age.total_seconds() * 1000)
        if failed:
            lowest = min(failed)
            self._logger.warning(
                "records to be delivered again", count=len(failed), lowest_position=str(lowest)
            )

    def profiles_rebuilt(self, count: int) -> None:
        """Count rebuilt profiles."""
        self._count(Metric.PROFILES_REBUILT, count)

    def rows_unreadable(self, rows: Sequence[UnreadableRow]) -> None:
        """Count them, and log their keys. A key is a time, a mark and the transaction id, without the user."""
        self._count(Metric.HISTORY_ROWS_UNREADABLE, len(rows))
        for row in rows[:MAX_PROBLEMS_LOGGED]:
            self._logger.error(
                "history row cannot be read, the profile is rebuilt without it",
                event_key=row.event_key,
                attribute=row.attribute,
                problem=row.problem,
            )

    def profiles_lost(self, count: int) -> None:
        """Count lost compare-and-sets."""
        self._count(Metric.PROFILE_CONFLICTS, count)

    def profiles_kept(self, written: int, failed: int) -> None:
        """Count checkpoints."""
        self._count(Metric.PROFILE_CHECKPOINTS_WRITTEN, written)
        self._count(Metric.PROFILE_CHECKPOINTS_FAILED, failed)

    def cache_unavailable(self, error: CacheUnavailableError) -> None:
        """Count and log."""
        self._count(Metric.CACHE_UNAVAILABLE, 1)
        self._logger.warning("profile cache unavailable", cause=str(error))

    def labels_read(self, unreadable: int, *, is_complete: bool) -> None:
        """Count both; log the unreadable ones without their keys, which may be those of users."""
        self._count(Metric.LABEL_COPIES_UNREADABLE, unreadable)
        self._count(Metric.LABEL_COPIES_INCOMPLETE, int(not is_complete))
        if unreadable:
            self._logger.error("copies of labels in the cache cannot be read", count=unreadable)

    def record_dead_lettered(self, position: str, crashes: int) -> None:
        """Log a record that crashed the stage; the queue's alarm pages."""
        self._logger.error(
            "a record that crashes the function was dead-lettered", position=position, crashes=crashes
        )

    def ruleset_refused(self, error: InvalidRulesetError) -> None:
        """Count a bad document, once, and log its problems."""
        self._count(Metric.RULESET_REFUSED, 1)
        self._logger.error(
            "ruleset refused, the last good one stays active",
            problems=[problem.without_excerpt for problem in error.problems[:MAX_PROBLEMS_LOGGED]],
        )

    def ruleset_fallback(self, ruleset: Ruleset) -> None:
        """Count a batch that is decided by a ruleset that AppConfig did not give, and log which."""
        self._count(Metric.RULESET_FALLBACK, 1)
        self._logger.warning(
            "a ruleset from elsewhere decides, not AppConfig's", ruleset=ruleset.stored_version
        )

    def ruleset_not_kept(self, what: str, error: Exception) -> None:
        """Log what the rules bucket did not do."""
        self._logger.warning(what, extra=describe_failure(error))

    def counts_not_written(self, what: str, error: Exception) -> None:
        """Count and log counts that DynamoDB did not take."""
        self._count(Metric.ROLLOUT_COUNTS_FAILED, 1)
        self._logger.warning(what, extra=describe_failure(error))

    def ruleset_unreachable(self, error: RulesetUnreachableError) -> None:
        """Count a failed request for the ruleset, and log why."""
        self._count(Metric.RULESET_UNREACHABLE, 1)
        self._logger.warning("ruleset unreachable, the last good one stays active", cause=str(error))

    def _count(self, metric: Metric, value: int) -> None:
        # Zeros are left out: to an alarm that treats missing data as good they mean the same.
        if value:
            emit(self._metrics, metric, value)
