"""`profile_checkpoints`: profiles in DynamoDB, kept from time to time, and used in the cache's place while it is unavailable.

As a :class:`score.profile_store.ProfileStore` it follows the rules of the cache: a profile is written where its revision is still
the one that was read, and each partition has a mark. It differs where DynamoDB does:

- Nothing is evicted. An item disappears only when its user has made no payment for the whole retention, so a profile that another
  writer wrote is not missing again, and no profile need be protected from being inserted behind that writer.
- A write is not one step. Marks move after all profiles are stored: a crash in between leaves marks that promise less than the
  profiles hold. The next batch then finds a gap, and trusts no older profile.
- A mark goes back only where the table lost data, as a restored one did. The marks stay as they are then, and the next batch finds
  the gap. The profiles of this batch are written all the same: they lack nothing.
"""

from __future__ import annotations

import os
import random
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

import msgspec

from common.backoff import Backoff
from common.errors import CacheUnavailableError
from score.checkpoint_items import (
    ABSENT,
    GET_ANSWERS,
    CheckpointItem,
    CheckpointStatements,
    KeptProfile,
    mark_key,
    profile_key,
)
from score.dynamo_calls import (
    CALL_ERRORS,
    MAX_STATEMENTS,
    CallError,
    NoAnswerError,
    Statement,
    attempts,
    chunks,
    may_succeed_later,
    name_of,
)
from score.profile_store import REVISION_BYTES, CacheReading, PartitionProgress, progress_before

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from score.delivery import Span
    from score.dynamo_calls import DynamoCalls
    from score.profile_store import ProfileWrite

MAX_ATTEMPTS: Final = 6
"""Tries of a request on which the batch depends, as long as there is time."""
MAX_KEEP_ATTEMPTS: Final = 2
"""Tries of a periodic checkpoint. A later batch keeps the profile as well, so a throttled table must not delay this one."""
FIRST_BACKOFF_SECONDS: Final = 0.1
LONGEST_BACKOFF_SECONDS: Final = 1.0
MAX_MARK_ROUNDS: Final = 5
"""How often a mark that other writers keep moving is merged with theirs."""

_SECONDS_PER_DAY: Final = 86_400
_REFUSED_CODES: Final = frozenset({"ConditionalCheckFailed", "DuplicateItem"})
_LATER_CODES: Final = frozenset(
    {
        "InternalServerError",
        "ProvisionedThroughputExceeded",
        "RequestLimitExceeded",
        "ThrottlingError",
        "TransactionConflict",
    }
)
"""Errors of a statement that may succeed later."""


class _Result(Enum):
    DONE = auto()
    REFUSED = auto()
    """The item is not as the condition says, or exists already."""
    LATER = auto()
    """Not executed, or not known to be; another try may succeed."""
    IMPOSSIBLE = auto()
    """As the last one, and another try will fail as well."""


class _Outcome(msgspec.Struct, frozen=True):
    """What became of one statement."""

    result: _Result
    problem: str = ""

    @property
    def is_known(self) -> bool:
        """Whether DynamoDB has answered by yes or no."""
        return self.result in {_Result.DONE, _Result.REFUSED}


_DONE: Final = _Outcome(_Result.DONE)
_NOT_TRIED: Final = _Outcome(_Result.LATER, "not tried")


def _always() -> bool:
    return True


class DynamoCheckpointStore:
    """Profiles in DynamoDB.

    Parameters
    ----------
    calls : DynamoCalls
        To DynamoDB. They are not repeated there: this store retries single items, and knows how much time is left.
    table : str
        Name of the table.
    retention_days : int
        How long the profile of a user without payments is stored, days.
    wait : Callable[[float], None]
        Waits the given seconds between tries; ``time.sleep``.
    clock : Callable[[], datetime]
        The time, aware, UTC.
    draw : Callable[[], float]
        Gives a number in [0, 1).
    """

    def __init__(
        self,
        calls: DynamoCalls,
        table: str,
        retention_days: int,
        wait: Callable[[float], None],
        clock: Callable[[], datetime],
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._calls = calls
        self._statements = CheckpointStatements(table)
        self._table = table
        self._retention_s = retention_days * _SECONDS_PER_DAY
        self._clock = clock
        self._backoff = Backoff(FIRST_BACKOFF_SECONDS, LONGEST_BACKOFF_SECONDS, wait, draw)

    def read(
        self, user_ids: Sequence[str], spans: Sequence[Span], has_time: Callable[[], bool] = _always
    ) -> CacheReading:
        """Read all profiles and marks consistently, 100 items a request.

        Parameters
        ----------
        user_ids : Sequence[str]
            Each once.
        spans : Sequence[Span]
            One a partition.
        has_time : Callable[[], bool]
            Whether another try still fits into the invocation.

        Raises
        ------
        CacheUnavailableError
            Where DynamoDB does not answer for all of them in the time available.
        """
        user_keys = [profile_key(user_id) for user_id in user_ids]
        span_keys = [mark_key(span.topic, span.partition) for span in spans]
        items = self._get([*user_keys, *span_keys], has_time)
        profiles = {
            user_id: ABSENT if (item := items.get(key["S"])) is None else item.profile()
            for user_id, key in zip(user_ids, user_keys, strict=True)
        }
        progress = [
            progress_before(span, None if (item := items.get(key["S"])) is None else item.mark())
            for span, key in zip(spans, span_keys, strict=True)
        ]
        return CacheReading(profiles, progress)

    def write(
        self,
        writes: Sequence[ProfileWrite],
        progress: Sequence[PartitionProgress],
        has_time: Callable[[], bool] = _always,
    ) -> list[str]:
        """Write each profile whose revision is still the one that was read, 25 a request; then the marks.

        Returns
        -------
        list[str]
            Users whose profile had changed. Their profiles were not written, nor the progress of any partition. A profile that
            was written by a try without an answer counts as changed: whoever folds again finds the payments in it.

        Raises
        ------
        CacheUnavailableError
            Where DynamoDB does not answer for all of them in the time available. Whether it wrote is then unknown, and the next
            read shows it. Also where a mark is behind what was read (``WentBack``); it does not move then.
        """
        expires_at = self._expiry()
        statements = [
            self._statements.write(write, revision, expires_at)
            for write, revision in zip(writes, _revisions(len(writes)), strict=True)
        ]
        results = self._execute_all(statements, has_time)
        lost = [
            write.user_id for write, result in zip(writes, results, strict=True) if result is _Result.REFUSED
        ]
        if not lost:
            self._advance(progress, has_time)
        return lost

    def keep(self, profiles: Sequence[KeptProfile], has_time: Callable[[], bool] = _always) -> set[str]:
        """Keep profiles as checkpoints, whatever revision is stored, but never in place of a higher version.

        Parameters
        ----------
        profiles : Sequence[KeptProfile]
            One a user.
        has_time : Callable[[], bool]
            Whether another try still fits into the invocation.

        Returns
        -------
        set[str]
            Users of whom this version or a higher one is stored now. Any other is to be kept later: DynamoDB refused or did not
            answer. That is no error, because the history holds what a checkpoint lacks.
        """
        expires_at = self._expiry()
        pairs = [
            self._statements.keep(profile, revision, expires_at)
            for profile, revision in zip(profiles, _revisions(len(profiles)), strict=True)
        ]
        updates, inserts = [update for update, _ in pairs], [insert for _, insert in pairs]
        kept: set[str] = set()
        refused = list(range(len(profiles)))
        # PartiQL has no statement that inserts or replaces. Refused by the second UPDATE is what has a higher version: the first
        # may have been refused because there was no item, and the INSERT because another writer inserted a lower version first.
        for statements in (updates, inserts, updates):
            some = [statements[index] for index in refused]
            outcomes = list(zip(refused, self._execute(some, MAX_KEEP_ATTEMPTS, has_time), strict=True))
            kept.update(profiles[index].user_id for index, each in outcomes if each.result is _Result.DONE)
            refused = [index for index, each in outcomes if each.result is _Result.REFUSED]
        kept.update(profiles[index].user_id for index in refused)
        return kept

    def _advance(self, progress: Sequence[PartitionProgress], has_time: Callable[[], bool]) -> None:
        """Move marks forward, each half by itself; merge with what other writers have written meanwhile."""
        waiting = list(progress)
        existing = {mark for mark in progress if mark.read_folded_to >= 0}
        for _ in range(MAX_MARK_ROUNDS):
            statements = [
                self._statements.advance_mark(mark)
                if mark in existing
                else self._statements.insert_mark(mark)
                for mark in waiting
            ]
            results = self._execute_all(statements, has_time)
            refused = [
                mark for mark, result in zip(waiting, results, strict=True) if result is _Result.REFUSED
            ]
            if not refused:
                return
            keys = [mark_key(mark.topic, mark.partition) for mark in refused]
            items = self._get(keys, has_time)
            waiting, existing = [], set()
            for mark, key in zip(refused, keys, strict=True):
                stored = None if (item := items.get(key["S"])) is None else item.mark()
                merged = _merged(mark, stored)
                if stored is not None:
                    existing.add(merged)
                if stored != (merged.folded_to, merged.fresh_from):
                    waiting.append(merged)
        if waiting:
            raise CacheUnavailableError("marks: changed by other writers in every round")

    def _execute_all(self, statements: Sequence[Statement], has_time: Callable[[], bool]) -> list[_Result]:
        """Execute all; CacheUnavailableError where the result of one remains unknown."""
        outcomes = self._execute(statements, MAX_ATTEMPTS, has_time)
        for outcome in outcomes:
            if not outcome.is_known:
                raise CacheUnavailableError(f"BatchExecuteStatement: {outcome.problem}")
        return [outcome.result for outcome in outcomes]

    def _execute(
        self, statements: Sequence[Statement], max_attempts: int, has_time: Callable[[], bool]
    ) -> list[_Outcome]:
        """Execute statements, 25 a request; retry those that may succeed later, with jitter.

        Returns
        -------
        list[_Outcome]
            As long as ``statements``, in their order.
        """
        outcomes = [_NOT_TRIED] * len(statements)
        waiting = list(range(len(statements)))
        for _ in attempts(max_attempts if waiting else 0, self._backoff, has_time):
            parts = list(chunks(waiting, MAX_STATEMENTS))
            answers = self._calls.execute([[statements[index] for index in part] for part in parts])
            for part, answer in zip(parts, answers, strict=True):
                for index, outcome in zip(part, _outcomes(answer, len(part)), strict=True):
                    outcomes[index] = outcome
            waiting = [index for index in waiting if outcomes[index].result is _Result.LATER]
            if not waiting:
                break
        return outcomes

    def _get(self, keys: Sequence[dict[str, str]], has_time: Callable[[], bool]) -> dict[str, CheckpointItem]:
        wanted = [{"item_key": key} for key in keys]
        tries = attempts(MAX_ATTEMPTS, self._backoff, has_time)
        try:
            items = self._calls.get(self._table, wanted, GET_ANSWERS, tries)
        except NoAnswerError as error:
            raise CacheUnavailableError(str(error)) from error
        return {item.item_key.S: item for item in items}

    def _expiry(self) -> int:
        return int(self._clock().timestamp()) + self._retention_s


def _revisions(count: int) -> list[bytes]:
    drawn = os.urandom(REVISION_BYTES * count)
    return [drawn[start : start + REVISION_BYTES] for start in range(0, len(drawn), REVISION_BYTES)]


def _outcomes(answer: list[str | None] | CallError, count: int) -> list[_Outcome]:
    """What became of the ``count`` statements of one request."""
    if not isinstance(answer, CALL_ERRORS):
        return [_outcome(code) for code in answer]
    # This may be a time-out after items were written. The next try then finds that they have changed.
    result = _Result.LATER if may_succeed_later(answer) else _Result.IMPOSSIBLE
    return [_Outcome(result, name_of(answer))] * count


def _outcome(code: str | None) -> _Outcome:
    if code is None:
        return _DONE
    if code in _REFUSED_CODES:
        return _Outcome(_Result.REFUSED, code)
    return _Outcome(_Result.LATER if code in _LATER_CODES else _Result.IMPOSSIBLE, code)


def _merged(mark: PartitionProgress, stored: tuple[int, int] | None) -> PartitionProgress:
    """Both halves, each as far forward as either has it; CacheUnavailableError where the stored mark went back."""
    folded_to, fresh_from = (-1, mark.fresh_from) if stored is None else stored
    if folded_to < mark.read_folded_to:
        raise CacheUnavailableError("WentBack")
    return msgspec.structs.replace(
        mark,
        folded_to=max(mark.folded_to, folded_to),
        fresh_from=max(mark.fresh_from, fresh_from),
    )
