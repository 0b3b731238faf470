"""Counts what both sides of a ruleset say of the payments that this process stores, and writes it to ``rollout_counts`` every few seconds.

A payment is counted by the try that inserts its row, so never twice. What a process has counted since its last row is lost when the process ends; that is
as likely for one side as for the other, since both are counted for the same payments.
"""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Protocol
from zlib import crc32

from botocore.exceptions import BotoCoreError, ClientError

from contract.clock import EPOCH, MILLISECOND
from contract.rollout_rows import PART_RETENTION, counts_item, part_key
from contract.side import Side
from engine.decide import assess
from engine.model.drift import SAMPLED
from engine.rollout.counts import RolloutCounts
from engine.rollout.guard import is_judged
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


class CountsTable(Protocol):
    """Where counts go; see :class:`DynamoCounts`."""

    def put(self, digest: str, at: datetime, counts: RolloutCounts) -> None:
        """Write what this process counted up to a time."""
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


class RolloutCounter:
    """Counts, while the ruleset has something that may be withdrawn or suspended, or a model.

    Parameters
    ----------
    table : CountsTable
        Where the counts go.
    clock : Callable[[], datetime]
        The time, aware, UTC.
    report : Callable[[str, Exception], None]
        Gets what failed, and why. The counts are kept and written with the next ones of the same ruleset.
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
        if ruleset.digest != self._digest:
            self._write()  # of the ruleset before
            self._digest, self._counts = ruleset.digest, RolloutCounts()
        if not is_judged(ruleset) and ruleset.model is None:
            return
        first = None
        for row, decided in stored:
            first = first or (row, decided)
            self._counts.add(row.transaction.user_id, decided, row.event_key)
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
        if not self._counts.payments:
            return
        now = self._clock()
        try:
            self._table.put(self._digest, now, self._counts)
        except (ClientError, BotoCoreError) as error:
            self._report("what both sides of the ruleset say cannot be written", error)
            # Not before it is due again: each time-out delays a batch.
            self._written_at = now
            return
        self._counts, self._written_at = RolloutCounts(), now
