"""One ordered sequence of records to deliver to a function, with at most one delivery in progress.

Pure. Input: records, results of deliveries and the time; output: the next action.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from local.event_sources.records import Discard, Piece, Policy, QueueKey, SourceRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from local.event_sources.records import Condition, DeliveryResult


class OrderedQueue:
    """A queue, empty at first.

    Records are *fresh* until their first delivery. A delivery that fails leaves *pieces*, which are delivered before all
    fresh records, in order. While a delivery or a discard is in progress, the queue is *busy* and returns nothing to do.
    """

    def __init__(self, key: QueueKey, policy: Policy) -> None:
        self.key = key
        self.busy = False
        self.fresh_bytes = 0
        self._policy = policy
        self._fresh: deque[tuple[float, SourceRecord]] = deque()
        self._pieces: deque[Piece] = deque()

    @property
    def fresh_count(self) -> int:
        """Records that were never delivered."""
        return len(self._fresh)

    @property
    def unfinished(self) -> int:
        """Records that the function has not processed yet, delivered or not."""
        return len(self._fresh) + sum(len(piece.records) for piece in self._pieces)

    @property
    def first_unfinished(self) -> SourceRecord | None:
        """The earliest record that is not done."""
        if self._pieces:
            return self._pieces[0].records[0]
        return self._fresh[0][1] if self._fresh else None

    @property
    def has_deliverable_fresh(self) -> bool:
        """Whether the next delivery would be of fresh records."""
        return bool(self._fresh) and not self.busy and not self._pieces

    @property
    def oldest_offer_s(self) -> float:
        """When the first fresh record was offered; only valid if there is one."""
        return self._fresh[0][0]

    def offer(self, records: Iterable[SourceRecord], now_s: float) -> None:
        """Append records that were read, in their order."""
        for record in records:
            self._fresh.append((now_s, record))
            self.fresh_bytes += len(record.document)

    def next_piece(self, now_s: float) -> Piece | Discard | None:
        """Return what comes before the fresh records, once it is due; the queue is busy until that is settled."""
        if self.busy or not self._pieces:
            return None
        self._separate_expired(now_s)
        head = self._pieces[0]
        if self._is_expired(head.records[0], now_s):
            return self._discard("RecordAgeExceeded")
        if self._is_too_large(head.records[0]):
            return self._discard("MaximumPayloadSizeExceeded")
        if 0 <= self._policy.maximum_retries < head.retries:
            return self._discard("RetryAttemptsExhausted")
        if head.not_before_s > now_s:
            return None
        self.busy = True
        return head

    def next_fresh(self, count: int, size_bytes: int, now_s: float) -> Piece | Discard | None:
        """Return the first fresh records, at most ``count`` and ``size_bytes`` in all; None if none fits."""
        if not self.has_deliverable_fresh or count <= 0:
            return None
        first = self._fresh[0][1]
        if self._is_expired(first, now_s):
            expired = []
            while self._fresh and self._is_expired(self._fresh[0][1], now_s):
                expired.append(self._pop_fresh())
            self._pieces.append(Piece(tuple(expired)))
            return self._discard("RecordAgeExceeded")
        if self._is_too_large(first):
            self._pieces.append(Piece((self._pop_fresh(),)))
            return self._discard("MaximumPayloadSizeExceeded")
        left_bytes = size_bytes
        records: list[SourceRecord] = []
        while self._fresh and len(records) < count:
            record = self._fresh[0][1]
            left_bytes -= len(record.document) + 1
            if left_bytes < 0 or self._is_expired(record, now_s):
                break
            records.append(self._pop_fresh())
        if not records:
            return None
        piece = Piece(tuple(records))
        self._pieces.append(piece)
        self.busy = True
        return piece

    def settle(self, result: DeliveryResult, now_s: float, *, shared: bool) -> None:
        """Apply the result of the head piece's delivery.

        Parameters
        ----------
        result : DeliveryResult
            Of the whole batch.
        now_s : float
            Seconds since the epoch.
        shared : bool
            Whether the batch had pieces of other queues; delivering this one alone is a split then.
        """
        self.busy = False
        piece = self._pieces.popleft()
        failed_at = result.failed.get(self.key)
        if result.error is None and failed_at is None:
            return
        first = 0
        if result.error is None:
            first = next(index for index, record in enumerate(piece.records) if record.position == failed_at)
        rest = piece.records[first:]
        for part in reversed(self._after_failure(piece, rest, result, now_s, shared=shared)):
            self._pieces.appendleft(part)

    def finish_discard(self) -> None:
        """Remove the discarded records: the on-failure destination has received them."""
        self.busy = False
        self._pieces.popleft()

    def postpone_discard(self) -> None:
        """Keep the discarded records: the on-failure destination was unavailable."""
        self.busy = False

    def due_at_s(self) -> float | None:
        """Return when the head piece may be delivered; None if there is none, or the queue is busy."""
        return self._pieces[0].not_before_s if self._pieces and not self.busy else None

    def _after_failure(
        self,
        piece: Piece,
        rest: tuple[SourceRecord, ...],
        result: DeliveryResult,
        now_s: float,
        *,
        shared: bool,
    ) -> list[Piece]:
        some_done = len(rest) < len(piece.records)
        invocations = piece.invocations + 1
        if self._policy.bisect_on_error and (some_done or shared or len(rest) > 1):
            # Split at the failed record if the function named one behind the first, between queues if there were several,
            # else in the middle. "Splitting batches doesn't consume the retry quota."
            halves: Sequence[tuple[SourceRecord, ...]] = [rest]
            if not some_done and not shared:
                middle = len(rest) // 2
                halves = [rest[:middle], rest[middle:]]
            retries, not_before_s = piece.retries, now_s + self._policy.retry_base_seconds
        else:
            halves = [rest]
            retries, not_before_s = piece.retries + 1, now_s + self._policy.delay_seconds(piece.retries)
        return [Piece(half, retries, invocations, not_before_s, result.error) for half in halves]

    def _separate_expired(self, now_s: float) -> None:
        """Divide the head piece between records that are too old and records that are not."""
        head = self._pieces[0]
        expired = self._is_expired(head.records[0], now_s)
        for index, record in enumerate(head.records):
            if self._is_expired(record, now_s) != expired:
                self._pieces.popleft()
                for records in (head.records[index:], head.records[:index]):
                    self._pieces.appendleft(
                        Piece(records, head.retries, head.invocations, head.not_before_s, head.error)
                    )
                return

    def _discard(self, condition: Condition) -> Discard:
        self.busy = True
        return Discard(self._pieces[0], condition)

    def _is_expired(self, record: SourceRecord, now_s: float) -> bool:
        return now_s - record.arrived_at_s > self._policy.maximum_record_age_seconds

    def _is_too_large(self, record: SourceRecord) -> bool:
        return len(record.document) > self._policy.max_batch_bytes

    def _pop_fresh(self) -> SourceRecord:
        record = self._fresh.popleft()[1]
        self.fresh_bytes -= len(record.document)
        return record
