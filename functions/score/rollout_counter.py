"""Counts what both sides of a ruleset say of the payments that this process stores, and writes it to ``rollout_counts`` every few seconds.

A payment is counted by the try that inserts its row, so never twice. A row that DynamoDB may have taken without an answer is written again as it was, under
its own key, before the next one. Where that is minutes later, its hour may be added up already, so another row says that it came. What a process has counted since its last row is lost when the process ends; that is
as likely for one side as for the other, since both are counted for the same payments.
"""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol
from zlib import crc32

from botocore.exceptions import BotoCoreError, ClientError

from contract.clock import EPOCH, MILLISECOND
from contract.rollout_rows import LATE_AFTER, PART_RETENTION, counts_item, late_item, part_key
from contract.side import Side
from engine.decide import assess
from engine.model.drift import SAMPLED
from engine.rollout.counts import RolloutCounts
from engine.rollout.guard import is_judged
from engine.rollout.settled import SettledUsers
from engine.rollout.stored import counts_to_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from mypy_boto3_dynamodb import DynamoDBClient

    from contract.scored import ScoredTransaction
    from engine.decided import Decided
    from engine.rules.ruleset import Ruleset

WRITE_EVERY: Final = timedelta(seconds=15)
"""Time between two rows of one process. At any rate of payments that is at most four rows a minute."""


class _Row(NamedTuple):
    """What a row says; its key follows from the first two."""

    digest: str
    at: datetime
    counts: RolloutCounts


class CountsTable(Protocol):
    """Where counts go; see :class:`DynamoCounts`."""

    def put(self, digest: str, at: datetime, counts: RolloutCounts) -> None:
        """Write what this process counted up to a time."""
        ...

    def note_late(self, digest: str, at: datetime, now: datetime) -> None:
        """Write that what was counted up to a time is there only now."""
        ...


class DynamoCounts:
    """The table ``rollout_counts``.

    Parameters
    ----------
    client : DynamoDBClient
        A low-level client.
    table : str
        Its name in this environment.
    process : str
        Distinguishes this process from all others.
    """

    def __init__(self, client: DynamoDBClient, table: str, process: str) -> None:
        self._client = client
        self._table = table
        self._process = process

    def put(self, digest: str, at: datetime, counts: RolloutCounts) -> None:
        """Write a row.

        Raises
        ------
        ClientError, BotoCoreError
            Where DynamoDB did not take it.
        """
        item = counts_item(digest, part_key(at, self._process), counts_to_bytes(counts), at + PART_RETENTION)
        self._client.put_item(TableName=self._table, Item=item)

    def note_late(self, digest: str, at: datetime, now: datetime) -> None:
        """Write that a row came late, so that its hour is added up anew; raises as :meth:`put`."""
        self._client.put_item(TableName=self._table, Item=late_item(digest, at, now, self._process))


class RolloutCounter:
    """Counts, while the ruleset has something that may be withdrawn or suspended, or a model.

    Parameters
    ----------
    table : CountsTable
        Where the counts go.
    clock : Callable[[], datetime]
        The time, aware, UTC.
    report : Callable[[str, Exception], None]
        Gets what failed, and why. The counts are kept, and written again when the next ones are due.
    timer_ns : Callable[[], int]
        Measures evaluations.
    """

    def __init__(
        self,
        table: CountsTable,
        clock: Callable[[], datetime],
        report: Callable[[str, Exception], None],
        timer_ns: Callable[[], int] = time.perf_counter_ns,
    ) -> None:
        self._table = table
        self._clock = clock
        self._report = report
        self._timer_ns = timer_ns
        self._digest = ""
        self._counts = RolloutCounts()
        self._settled: SettledUsers | None = None
        self._unanswered: _Row | None = None
        self._written_at = EPOCH
        self._batches = 0

    def count(self, ruleset: Ruleset, stored: Iterable[tuple[ScoredTransaction, Decided]]) -> None:
        """Count the payments of a batch whose rows were inserted, and write what is due.

        Parameters
        ----------
        ruleset : Ruleset
            By which they were decided.
        stored : Iterable[tuple[ScoredTransaction, Decided]]
            Each row with what was decided.
        """
        if self._settled is None or ruleset.digest != self._digest:
            self._write()  # of the ruleset before
            self._digest, self._counts = ruleset.digest, RolloutCounts()
            self._settled = SettledUsers(ruleset)
        if not is_judged(ruleset) and ruleset.model is None:
            return
        now, first = self._clock(), None
        for row, decided in stored:
            first = first or (row, decided)
            self._counts.add(row.transaction.user_id, decided, row.event_key)
            self._settled.add(self._counts.settled, row.transaction.user_id, decided, now)
            self._sample(ruleset, row, decided)
        if first is not None and ruleset.candidate is not None:
            self._time(ruleset, *first)
        if self._clock() - self._written_at >= WRITE_EVERY:
            self._write()

    def _sample(self, ruleset: Ruleset, row: ScoredTransaction, decided: Decided) -> None:
        """Count what one payment in :data:`~engine.model.drift.SAMPLED` was like, for the model's drift: which ones, their ids alone say."""
        used = ruleset.model
        if used is not None and not crc32(row.transaction.transaction_id.encode()) % SAMPLED:
            self._counts.inputs.add(used.model, decided.features, row.transaction.invalid_fields)

    def _time(self, ruleset: Ruleset, row: ScoredTransaction, decided: Decided) -> None:
        """Evaluate one payment of the batch by each side once more. Whichever comes first finds colder memory, so they take turns."""
        self._batches += 1
        clock_ms = (row.appended_at - EPOCH) // MILLISECOND
        sides = tuple(Side)
        for side in sides if self._batches % 2 else reversed(sides):
            begin = self._timer_ns()
            assess(ruleset.of_side(side), decided.features, row.transaction, clock_ms)
            self._counts.add_time(side, (self._timer_ns() - begin) / 1_000)

    def _write(self) -> None:
        while self._unanswered is not None or self._counts.payments:
            now = self._clock()
            if self._unanswered is None:
                self._unanswered = _Row(self._digest, now, self._counts)
                self._counts = RolloutCounts()
            # Not before it is due again, answered or not: each time-out delays a batch.
            self._written_at = now
            try:
                self._table.put(*self._unanswered)
                if self._clock() - self._unanswered.at >= LATE_AFTER:
                    self._table.note_late(self._unanswered.digest, self._unanswered.at, self._clock())
            except (ClientError, BotoCoreError) as error:
                self._report("what both sides of the ruleset say cannot be written", error)
                return
            self._unanswered = None
