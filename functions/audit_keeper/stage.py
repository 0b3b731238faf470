"""One run: are the heads of the run before still in their chains, and how do the chains end now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from audit_keeper.metrics import Metric
from common.metrics import emit
from contract.audit import DAYS, heads_of
from contract.audit_heads import after, from_heads_object, gone_heads, heads_key, to_heads_object
from contract.errors import InvalidRowError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from aws_lambda_powertools import Logger

    from common.metrics import MetricSink
    from contract.audit import AuditEvent
    from contract.audit_heads import KeptHeads

MAX_UNREADABLE: Final = 100
"""Objects that hold no heads are passed over, but not more than so many."""

_HOUR_SECONDS: Final = 3600


class Events(Protocol):
    """See :class:`common.audit_events.AuditEvents`."""

    def at(self, day_shard: str, sequence: int) -> AuditEvent | None:
        """Read the row at a place; None where it is free."""
        ...

    def last(self, day_shard: str) -> AuditEvent | None:
        """Read the last row of a partition; None for an empty one."""
        ...


class Bucket(Protocol):
    """See :class:`audit_keeper.store.HeadsBucket`."""

    def before(self, at: datetime) -> Iterator[bytes]:
        """Read the objects of hours before that of a moment, newest first."""
        ...

    def keep(self, at: datetime, body: bytes) -> bool:
        """Write the object of an hour; False where the hour has another one."""
        ...


class AuditKeeper:
    """Keeps the heads of the audit chains.

    It reads one event for each head, 18 in all: a run costs the same however long the chains are.

    Parameters
    ----------
    events : Events
        The table.
    bucket : Bucket
        The bucket with Object Lock.
    metrics : MetricSink
        Gets the metrics.
    logger : Logger
        Gets a line for each head that is gone.
    clock : Callable
        Gives the time, aware, UTC.
    """

    def __init__(
        self,
        events: Events,
        bucket: Bucket,
        metrics: MetricSink,
        logger: Logger,
        clock: Callable[[], datetime],
    ) -> None:
        self._events = events
        self._bucket = bucket
        self._metrics = metrics
        self._logger = logger
        self._clock = clock

    def run(self) -> str:
        """Check the last heads, and keep those of now.

        Returns
        -------
        str
            What was done, in one line.

        Raises
        ------
        ClientError, BotoCoreError
            When the table or the bucket did not answer.
        """
        now = self._clock()
        body = self._object_before(now)
        before = None if body is None else from_heads_object(body)
        gone = list(gone_heads(before.heads, self._at)) if before is not None else []
        for head in gone:
            self._logger.error("head is gone", extra={"day_shard": head.day_shard, "count": head.count})
        emit(self._metrics, Metric.HEADS_GONE, len(gone))
        self._emit_age(before, now)

        opening = self._last(DAYS)
        heads = heads_of([] if opening is None else [opening], self._last)
        if not self._bucket.keep(now, to_heads_object(after(body, heads, gone, now))):
            # An invocation may come twice in an hour. Where somebody else has written the object, the metric is missing hour by hour.
            self._logger.warning("the hour has another object", extra={"key": heads_key(now)})
            return f"{heads_key(now)} exists"
        emit(self._metrics, Metric.HEADS_KEPT)
        return f"{heads_key(now)}: {len(heads)} heads kept, {len(gone)} of the last ones gone"

    def _at(self, day_shard: str, sequence: int) -> AuditEvent | None:
        """The event at a place; None also for a row that somebody has changed so that it is none."""
        try:
            return self._events.at(day_shard, sequence)
        except InvalidRowError as error:
            self._logger.error(
                "a row is no audit event", extra={"day_shard": day_shard, "attribute": error.attribute}
            )
            return None

    def _last(self, day_shard: str) -> AuditEvent | None:
        """The end of a chain; None also where that is no audit event: then the chain's head of the last run is gone, or will be missed."""
        try:
            return self._events.last(day_shard)
        except InvalidRowError as error:
            self._logger.error(
                "a row is no audit event", extra={"day_shard": day_shard, "attribute": error.attribute}
            )
            emit(self._metrics, Metric.HEADS_GONE)
            return None

    def _object_before(self, now: datetime) -> bytes | None:
        unreadable = 0
        found = None
        for body in self._bucket.before(now):
            if from_heads_object(body) is not None:
                found = body
                break
            unreadable += 1
            if unreadable == MAX_UNREADABLE:
                break
        emit(self._metrics, Metric.OBJECTS_UNREADABLE, unreadable)
        return found

    def _emit_age(self, before: KeptHeads | None, now: datetime) -> None:
        if before is not None:
            hours = (now - before.kept_at).total_seconds() / _HOUR_SECONDS
            emit(self._metrics, Metric.HOURS_SINCE, round(hours, 3))
