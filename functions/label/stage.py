"""Gives each label its effects: it is stored once, and everything that depends on a payment's labels is set to what they say together.

Whatever order messages come in, however often, and wherever a worker crashes: after the last delivery the flagged row's status, the
risk of the payment's entities and the cache's copies are what the set of the labels says (docs/decisions/0025-labels.md).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

import msgspec

from common.errors import CacheUnavailableError
from common.metrics import emit
from contract.clock import EPOCH, MILLISECOND
from contract.errors import InvalidLabelError
from contract.flagged import FlaggedKey
from contract.label import Label, effective
from contract.label_message import content_hash, decode_label_message, identified
from contract.label_rows import PENDING_ATTRIBUTE, Unfinished, unfinished
from label import subject
from label.errors import LabelContentionError
from label.metrics import Metric
from label.reader import QueueReader
from label.store import Flagged, expires_at_s

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse

    from common.failures import FailureLog
    from common.label_quarantine import LabelQuarantine
    from common.metrics import MetricSink
    from common.time_left import TimedContext
    from contract.flagged import FlaggedTransaction
    from contract.label import IdentifiedLabel, LabelMessage
    from contract.label_rows import PendingLabel
    from label.finder import Payment
    from label.subject import Subject

MAX_ATTEMPTS: Final = 8
"""How often effects are set again because another worker has added a label of the payment."""

MAX_AHEAD: Final = timedelta(minutes=10)
"""How far ``known_at`` may be ahead of the message's sending: a clock that is a little wrong. More would outrank every later label."""


class Finder(Protocol):
    """The call that finds payments; see :class:`label.finder.PaymentFinder`."""

    def find(self, message: LabelMessage) -> Payment | None:
        """Find the payment of a label."""
        ...


class LabelSource(Protocol):
    """The call that reads labels; see :class:`common.label_tables.LabelTables`."""

    def of_payment(self, user_id: str, event_key: str) -> list[Label]:
        """Read all labels of a payment."""
        ...

    def of_user(self, user_id: str) -> list[Label]:
        """Read the labels of a user's newest payments."""
        ...


class Store(Protocol):
    """The calls that write; see :class:`label.store.LabelStore`."""

    def insert(self, label: Label) -> Label:
        """Insert a label, or give the stored one of this id."""
        ...

    def flagged(self, key: FlaggedKey) -> FlaggedTransaction | None:
        """Read a flagged row."""
        ...

    def set_status(self, key: FlaggedKey, counting: Label | None) -> Flagged:
        """Set the status of a flagged row."""
        ...

    def set_risk(self, label: Label, counting: Label | None, *, may_have_counted: bool) -> None:
        """Set a payment's rows of its entities."""
        ...

    def wait(self, pending: PendingLabel) -> None:
        """Store a label whose work is not finished."""
        ...

    def finished(self, pending_id: str) -> None:
        """Delete a label that waited."""
        ...


class Copies(Protocol):
    """The call that copies; see :class:`cache.copier.Copier`."""

    def copy(self, entity_ids: Sequence[str], user_ids: Sequence[str]) -> None:
        """Bring the cache's copies up to date."""
        ...


class Waiting(NamedTuple):
    """A label that cannot be finished now."""

    message: IdentifiedLabel
    """Names its payment by its row's key, once that was found."""
    reason: Unfinished


class LabelStage:
    """Handles the labels queue, batch by batch.

    Parameters
    ----------
    finder : Finder
        Finds payments.
    source : LabelSource
        Reads labels.
    store : Store
        Writes to the tables.
    copies : Copies
        Writes to the cache.
    quarantine : LabelQuarantine
        Where messages go that are no usable label.
    retention : timedelta
        How long a label is stored.
    metrics, log
        Powertools' Metrics and Logger.
    clock : Callable
        Gives the time, aware, UTC.
    """

    def __init__(
        self,
        finder: Finder,
        source: LabelSource,
        store: Store,
        copies: Copies,
        quarantine: LabelQuarantine,
        retention: timedelta,
        metrics: MetricSink,
        log: FailureLog,
        clock: Callable[[], datetime],
    ) -> None:
        self._finder = finder
        self._source = source
        self._store = store
        self._copies = copies
        self._quarantine = quarantine
        self._retention = retention
        self._metrics = metrics
        self._clock = clock
        self._reader = QueueReader(self.take, log)

    def handle(self, event: dict[str, Any], context: TimedContext) -> PartialItemFailureResponse:
        """Give the labels of a batch their effects; return the messages that must be delivered again."""
        response = self._reader.read(event, context)
        emit(self._metrics, Metric.RECORDS_RECEIVED, len(event["Records"]))
        emit(self._metrics, Metric.RECORDS_FAILED, len(response["batchItemFailures"]))
        return response

    def take(self, record: Mapping[str, Any]) -> None:
        """Give one message its effects.

        Parameters
        ----------
        record : Mapping
            One entry of the event's ``Records``, as Lambda delivers it for SQS.

        Raises
        ------
        InvalidRowError
            Where a stored row cannot be read.
        LabelContentionError, CopyContentionError, UnansweredError, ClientError, BotoCoreError
            The message is to be delivered again.
        """
        body = record["body"].encode(errors="surrogatepass")
        sent_at = EPOCH + int(record["attributes"]["SentTimestamp"]) * MILLISECOND
        message: LabelMessage | None = None
        try:
            message = identified(decode_label_message(body), sent_at)
        except InvalidLabelError as error:
            self._reject(record["messageId"], body, error)
            return
        try:
            waiting = self._apply(message, sent_at)
        except InvalidLabelError as error:
            self._reject(record["messageId"], body, error)
            self._end_wait(record, message)
            return
        if waiting is not None:
            self._wait(*waiting)
            if waiting.message != message:
                self._end_wait(record, message)
            return
        self._end_wait(record, message)
        emit(self._metrics, Metric.LABEL_LATENCY_MS, (self._clock() - sent_at) / MILLISECOND)

    def _apply(self, message: IdentifiedLabel, sent_at: datetime) -> Waiting | None:
        """Store a label and set what depends on it; return it with what kept it from being finished."""
        if message.known_at > sent_at + MAX_AHEAD:
            raise InvalidLabelError("known_at", "more than 10 minutes after the message was sent")
        about = self._find(message)
        if about is None:
            return Waiting(message, Unfinished.NO_PAYMENT)
        label = self._label(message, about)
        # Whatever payments get the same transaction id while it waits: it is this one's.
        named = msgspec.structs.replace(message, **about.key._asdict())
        is_new = self._insert(label)
        flagged = self._set_effects(label, about, is_first=is_new and label.withdraws is None)
        try:
            self._copies.copy(label.entity_ids, [label.user_id])
        except CacheUnavailableError:
            # What is durable is done. The copies are made when the message is sent again.
            return Waiting(named, Unfinished.NO_CACHE)
        return Waiting(named, Unfinished.NO_FLAGGED_ROW) if flagged is Flagged.MISSING else None

    def _find(self, message: LabelMessage) -> Subject | None:
        payment = self._finder.find(message)
        if payment is not None:
            return subject.of_payment(payment)
        if message.user_id is None:
            return None
        # The labels of a user's newest payments alone would leave out the one that is named.
        labels = (
            self._source.of_user(message.user_id)
            if message.event_key is None
            else self._source.of_payment(message.user_id, message.event_key)
        )
        about = subject.of_earlier_labels(message, labels)
        if about is not None or message.event_key is None:
            return about
        # History is kept for half a year, flagged rows for longer: people decide on them until they expire.
        flagged = self._store.flagged(FlaggedKey(message.user_id, message.event_key))
        return None if flagged is None else subject.of_flagged(flagged)

    def _insert(self, label: Label) -> bool:
        """Store a label; return whether it is new, and not one that is sent again."""
        stored = self._store.insert(label)
        emit(self._metrics, Metric.LABELS_STORED if stored is label else Metric.LABELS_REPEATED)
        if _content(stored) != _content(label):
            raise InvalidLabelError("label_id", "of another label of this payment, which says something else")
        return stored is label

    def _set_effects(self, label: Label, about: Subject, *, is_first: bool) -> Flagged:
        """Set status and risk to what the payment's labels say, and look again.

        Two workers A and B with two labels of one payment, the label of B counts:

            time   A                                   B
             |     inserts its label
             |     reads the labels: A
             |                                         inserts its label
             |                                         reads A, B; sets B's effects; reads A, B: done
             |     sets A's effects
             v     reads A, B: sets B's effects
        """
        labels = self._source.of_payment(*about.key)
        flagged = Flagged.SET
        for _ in range(MAX_ATTEMPTS):
            counting = effective(labels)
            if about.is_to_be_flagged is not False:
                flagged = self._store.set_status(about.key, counting)
            # Of a payment's only label no other rows can exist, unless `labels` was restored to an earlier time and has lost others: then a
            # stored label is sent again, or a withdrawal where none is left.
            self._store.set_risk(label, counting, may_have_counted=len(labels) > 1 or not is_first)
            before, labels = labels, self._source.of_payment(*about.key)
            if labels == before:
                return flagged if about.is_to_be_flagged else Flagged.SET
            emit(self._metrics, Metric.LABEL_CONFLICTS)
        raise LabelContentionError(MAX_ATTEMPTS)

    def _label(self, message: IdentifiedLabel, about: Subject) -> Label:
        return Label(
            user_id=about.key.user_id,
            event_key=about.key.event_key,
            label_id=message.label_id,
            transaction_id=message.transaction_id,
            occurred_at=about.occurred_at,
            verdict=message.verdict,
            source=message.source,
            fraud_type=message.fraud_type,
            confidence=message.confidence,
            known_at=message.known_at,
            withdraws=message.withdraws,
            recorded_at=self._clock(),
            entity_ids=about.entity_ids,
            seen=about.seen,
            expires_at=expires_at_s(max(message.known_at, about.occurred_at), self._retention),
        )

    def _reject(self, message_id: str, body: bytes, error: InvalidLabelError) -> None:
        self._quarantine.put(message_id, body, error.field, error.problem)
        emit(self._metrics, Metric.LABELS_QUARANTINED)

    def _end_wait(self, record: Mapping[str, Any], message: IdentifiedLabel) -> None:
        """Delete a label that waited; last, so that after a crash it is sent again, which changes nothing."""
        if PENDING_ATTRIBUTE in record.get("messageAttributes", {}):
            self._store.finished(content_hash(message))

    def _wait(self, message: IdentifiedLabel, reason: Unfinished) -> None:
        self._store.wait(unfinished(message, reason, self._clock()))
        emit(self._metrics, Metric.LABELS_UNFINISHED)


def _content(label: Label) -> tuple[object, ...]:
    """What a label says. Not when it became known: a source that does not say so is taken to know it when it sends, which may be twice."""
    return (label.verdict, label.source, label.fraud_type, label.confidence, label.withdraws)
