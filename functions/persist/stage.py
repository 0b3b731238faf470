"""Stores each payment that was not approved in ``flagged_transactions``, once, however often its record is delivered."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Protocol

from common.metrics import emit
from common.stream_reader import StreamReader
from contract.canary import is_canary
from contract.flagged import FlaggedTransaction, flag, under_conflict_key
from contract.scored import HISTORY_TABLE, Decision, from_history_item
from persist.errors import KeyTakenError
from persist.metrics import Metric

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse

    from common.metrics import MetricSink
    from common.stream_crashes import StreamCrashes
    from common.stream_reader import FailureLog, InvocationContext

CONFLICT_DIGEST_LENGTHS: Final = (8, 64)
"""Digits appended to a transaction id that is taken. The full digest is for the case that a sender guessed the short one."""


class FlaggedStore(Protocol):
    """The calls that this stage makes to its table."""

    def insert(self, flagged: FlaggedTransaction) -> Mapping[str, Any] | None:
        """Insert a row; where its key is taken, return the existing row instead."""
        ...


class PersistStage:
    """Handles the stream of ``transaction_history``, batch by batch.

    Parameters
    ----------
    store : FlaggedStore
        Where flagged payments are stored.
    retention : timedelta
        How long each is stored.
    metrics, log
        Powertools' Metrics and Logger.
    crashes : StreamCrashes
        Dead-letters a record that crashes the stage.
    clock : Callable
        Gives the time, aware.
    """

    def __init__(
        self,
        store: FlaggedStore,
        retention: timedelta,
        metrics: MetricSink,
        log: FailureLog,
        crashes: StreamCrashes,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._retention = retention
        self._metrics = metrics
        self._clock = clock
        self._reader = StreamReader(HISTORY_TABLE, self.flag_row, log, crashes)

    def handle(self, event: dict[str, Any], context: InvocationContext) -> PartialItemFailureResponse:
        """Flag the payments of a batch; return the records that must be delivered again."""
        response = self._reader.read(event, context)
        emit(self._metrics, Metric.RECORDS_RECEIVED, len(event["Records"]))
        emit(self._metrics, Metric.RECORDS_FAILED, self._reader.failures)
        return response

    def flag_row(self, item: Mapping[str, Any]) -> None:
        """Store one scored payment in ``flagged_transactions``, unless it was approved.

        Parameters
        ----------
        item : Mapping
            Its row of ``transaction_history``, in DynamoDB's wire form.

        Raises
        ------
        InvalidRowError
            When the row cannot be read. After bounded retries its record is dead-lettered.
        KeyTakenError
            When other payments are stored under every key that it could have.
        """
        # The event source mapping filters approved payments too. If it lacks its filter, they must not fill the review queue.
        if item.get("decision") == {"S": Decision.APPROVE.value}:
            return
        scored = from_history_item(item)
        if scored.repeats:
            return  # the payment that it repeats is flagged itself
        flagged = flag(scored, self._clock(), self._retention)
        for candidate in _candidates(flagged):
            existing = self._store.insert(candidate)
            if existing is None:
                self._count_inserted(candidate)
                return
            # Two payments may carry one transaction id: a sender's mistake, or a thief's way to hide the second one
            # behind the first. Only a row of this very payment means that its record was delivered before.
            if _is_same_payment(existing, flagged):
                emit(self._metrics, Metric.TRANSACTIONS_REDELIVERED)
                return
        raise KeyTakenError(flagged.position)

    def _count_inserted(self, flagged: FlaggedTransaction) -> None:
        if is_canary(flagged.user_id):
            return
        emit(self._metrics, Metric.TRANSACTIONS_FLAGGED)
        if flagged.transaction_id_conflict:
            emit(self._metrics, Metric.TRANSACTION_ID_CONFLICT)
        latency = self._clock() - flagged.appended_at
        emit(self._metrics, Metric.FLAG_LATENCY_MS, latency / timedelta(milliseconds=1))


def _candidates(flagged: FlaggedTransaction) -> Iterator[FlaggedTransaction]:
    yield flagged
    for digest_length in CONFLICT_DIGEST_LENGTHS:
        yield under_conflict_key(flagged, digest_length)


def _is_same_payment(existing: Mapping[str, Any], flagged: FlaggedTransaction) -> bool:
    return (
        existing.get("user_id") == {"S": flagged.user_id}
        and existing.get("event_key") == {"S": flagged.event_key}
    )  # fmt: skip
