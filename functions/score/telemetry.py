"""What the score stage tells of itself: metrics in EMF and log lines, without anything personal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from aws_lambda_powertools.metrics import MetricUnit

from contract.scored import Decision

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from aws_lambda_powertools import Logger, Metrics

    from contract.scored import Position, ScoredTransaction
    from engine.errors import InvalidRulesetError
    from score.delivery import Batch
    from score.errors import CacheUnavailableError, RulesetUnreachableError
    from score.user_chain import Outcome

METRICS: Final[dict[str, str]] = {
    "RecordsReceived": "Records in the batch.",
    "RecordsQuarantined": "Records that are no valid payments, put aside.",
    "KeyMismatches": "Payments whose Kafka key is not their user.",
    "TransactionsScored": "Payments decided and stored.",
    "TransactionsApproved": "Of these, approved.",
    "TransactionsReviewed": "Of these, to be reviewed.",
    "TransactionsBlocked": "Of these, blocked.",
    "TransactionsDegraded": "Of these, scored without the cache.",
    "TransactionsRedelivered": "Payments that stood in the history from an earlier try of the same record.",
    "TransactionsRepeated": "Repeats by a producer, and redeliveries that were complete.",
    "RecordsFailed": "Records to be delivered again.",
    "ProfilesRebuilt": "Profiles made anew from history.",
    "ProfileConflicts": "Profiles that another writer had changed in between.",
    "CacheUnavailable": "Reads or writes that the cache did not answer.",
    "RuleFailures": "Rules that could not be evaluated on a payment.",
    "RulesetRefused": "Ruleset documents that were refused.",
    "RulesetUnreachable": "Times that AppConfig could not be asked.",
    "OldestRecordAge": "From Kafka's append of the batch's oldest record to its decision, ms.",
}
"""Every metric that the stage emits, with what it counts."""


class Telemetry(Protocol):
    """What the stage reports."""

    def batch_read(self, batch: Batch) -> None:
        """Tell what came in."""
        ...

    def chain_settled(self, outcome: Outcome) -> None:
        """Tell what became of one user's payments."""
        ...

    def batch_done(
        self, rows: Sequence[ScoredTransaction], failed: set[Position], *, is_degraded: bool
    ) -> None:
        """Tell what was stored and what is to come again."""
        ...

    def profiles_rebuilt(self, count: int) -> None:
        """Tell how many profiles came from history."""
        ...

    def profiles_lost(self, count: int) -> None:
        """Tell how many compare-and-sets were lost."""
        ...

    def cache_unavailable(self, error: CacheUnavailableError) -> None:
        """Tell that the cache did not answer."""
        ...


class EmfTelemetry:
    """Powertools' metrics and logger.

    Parameters
    ----------
    metrics : Metrics
        Flushed by the handler's decorator.
    logger : Logger
        Gets positions and counts, never a payment's values.
    clock : Callable[[], datetime]
        The time, aware.
    """

    def __init__(self, metrics: Metrics, logger: Logger, clock: Callable[[], datetime]) -> None:
        self._metrics = metrics
        self._logger = logger
        self._clock = clock

    def batch_read(self, batch: Batch) -> None:
        """Count records; name each rejected one by position, field and problem."""
        self._count("RecordsReceived", len(batch.deliveries) + len(batch.rejected))
        self._count("KeyMismatches", sum(delivery.is_key_mismatch for delivery in batch.deliveries))
        self._count("RecordsQuarantined", len(batch.rejected))
        for rejected in batch.rejected:
            self._logger.warning(
                "record quarantined",
                position=str(rejected.position),
                field=rejected.field,
                problem=rejected.problem,
            )

    def chain_settled(self, outcome: Outcome) -> None:
        """Count what was not new."""
        self._count("TransactionsRedelivered", outcome.redelivered)
        self._count("TransactionsRepeated", outcome.repeats)

    def batch_done(
        self, rows: Sequence[ScoredTransaction], failed: set[Position], *, is_degraded: bool
    ) -> None:
        """Count decisions, and how long the oldest payment waited."""
        decisions = [row.decision for row in rows]
        self._count("TransactionsScored", len(rows))
        self._count("TransactionsApproved", decisions.count(Decision.APPROVE))
        self._count("TransactionsReviewed", decisions.count(Decision.REVIEW))
        self._count("TransactionsBlocked", decisions.count(Decision.BLOCK))
        self._count("TransactionsDegraded", len(rows) if is_degraded else 0)
        self._count("RuleFailures", sum(len(row.failed_rule_ids) for row in rows))
        self._count("RecordsFailed", len(failed))
        if rows:
            age = self._clock() - min(row.appended_at for row in rows)
            self._metrics.add_metric("OldestRecordAge", MetricUnit.Milliseconds, age.total_seconds() * 1000)
        if failed:
            lowest = min(failed)
            self._logger.warning(
                "records to be delivered again", count=len(failed), lowest_position=str(lowest)
            )

    def profiles_rebuilt(self, count: int) -> None:
        """Count rebuilt profiles."""
        self._count("ProfilesRebuilt", count)

    def profiles_lost(self, count: int) -> None:
        """Count lost compare-and-sets."""
        self._count("ProfileConflicts", count)

    def cache_unavailable(self, error: CacheUnavailableError) -> None:
        """Count and log."""
        self._count("CacheUnavailable", 1)
        self._logger.warning("profile cache unavailable", cause=str(error))

    def ruleset_refused(self, error: InvalidRulesetError) -> None:
        """Count a bad document, once, and log what is wrong with it."""
        self._count("RulesetRefused", 1)
        self._logger.error(
            "ruleset refused, the last good one stays",
            problems=[problem.without_excerpt for problem in error.problems[:10]],
        )

    def ruleset_unreachable(self, error: RulesetUnreachableError) -> None:
        """Count a failed look, and log why."""
        self._count("RulesetUnreachable", 1)
        self._logger.warning("ruleset unreachable, the last good one stays", cause=str(error))

    def _count(self, name: str, value: int) -> None:
        # Zeros are left out: a metric without data and one of zero mean the same to an alarm that treats missing as good.
        if value:
            self._metrics.add_metric(name, MetricUnit.Count, value)
