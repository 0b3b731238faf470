"""Keeps each payment that was not approved in ``flagged_transactions``, once, however often its record comes."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Protocol

from common.stream import StreamReader
from contract.flagged import FlaggedTransaction, flag, under_conflict_key
from contract.scored import HISTORY_TABLE, Decision, from_history_item
from persist.errors import KeyTakenError
from persist.metrics import UNITS, Metric

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse

    from common.stream import FailureLog, InvocationContext
    from persist.metrics import MetricSink

CONFLICT_DIGEST_LENGTHS: Final = (8, 64)
"""Digits behind a transaction id that is taken. The full digest is for the sender who guessed the short one."""


class FlaggedStore(Protocol):
    """The calls that this stage makes to its table."""

    def insert(self, flagged: FlaggedTransaction) -> Mapping[str, Any] | None:
        """Insert a row, or give the one that stands under its key."""
        ...


class PersistStage:
    """One batch of ``transaction_history``'s stream after the other.

    Parameters
    ----------
    store : FlaggedStore
        Where flagged payments are kept.
    retention : timedelta
        How long each is kept.
    metrics, log
        Powertools' Metrics and Logger.
    clock : Callable
        Gives the time, aware.
    """

    def __init__(
        self,
        store: FlaggedStore,
        retention: timedelta,
        metrics: MetricSink,
        log: FailureLog,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._retention = retention
        self._metrics = metrics
        self._clock = clock
        self._reader = StreamReader(HISTORY_TABLE, self.keep, log)

    def handle(self, event: dict[str, Any], context: InvocationContext) -> PartialItemFailureResponse:
        """Keep what a batch holds; name the records that must be delivered again."""
        response = self._reader.read(event, context)
        self._count(Metric.RECORDS_RECEIVED, len(event["Records"]))
        self._count(Metric.RECORDS_FAILED, self._reader.failures)
        return response

    def keep(self, item: Mapping[str, Any]) -> None:
        """Keep one scored payment, unless it was approved.

        Parameters
        ----------
        item : Mapping
            Its row of ``transaction_history``, in DynamoDB's wire form.

        Raises
        ------
        InvalidRowError
            When the row cannot be read; after bounded retries its record goes to the dead-letter queue.
        KeyTakenError
            When other payments stand under every key it could have.
        """
        # The event source mapping's filter says the same; a mapping without it must not fill the analysts' queue.
        if item.get("decision") == {"S": Decision.APPROVE.value}:
            return
        flagged = flag(from_history_item(item), self._clock(), self._retention)
        for candidate in _candidates(flagged):
            standing = self._store.insert(candidate)
            if standing is None:
                self._count_inserted(candidate)
                return
            # Two payments may carry one transaction id: a sender's mistake, or a thief's way to hide the second one
            # behind the first. Only a row of this very payment means that its record came before.
            if _is_same_payment(standing, flagged):
                self._count(Metric.TRANSACTIONS_REDELIVERED)
                return
        raise KeyTakenError(flagged.position)

    def _count_inserted(self, flagged: FlaggedTransaction) -> None:
        self._count(Metric.TRANSACTIONS_FLAGGED)
        if flagged.transaction_id_conflict:
            self._count(Metric.TRANSACTION_ID_CONFLICT)
        self._count(Metric.FLAG_LATENCY_MS, (self._clock() - flagged.appended_at) / timedelta(milliseconds=1))

    def _count(self, metric: Metric, value: float = 1) -> None:
        self._metrics.add_metric(name=metric.value, unit=UNITS[metric], value=value)


def _candidates(flagged: FlaggedTransaction) -> Iterator[FlaggedTransaction]:
    yield flagged
    for digest_length in CONFLICT_DIGEST_LENGTHS:
        yield under_conflict_key(flagged, digest_length)


def _is_same_payment(standing: Mapping[str, Any], flagged: FlaggedTransaction) -> bool:
    return (
        standing.get("user_id") == {"S": flagged.user_id}
        and standing.get("event_key") == {"S": flagged.event_key}
    )  # fmt: skip
