"""The score stage: scores and stores the payments of a Kafka batch, and answers which offsets must be delivered again.

It reads profiles, scores, inserts history, writes profiles and answers, in this order, so that a crash anywhere loses nothing
and counts nothing twice. History comes before profiles: a profile that is behind its history catches up at the redelivery; one
that is ahead of it would hide a payment permanently. A batch of any size takes two round trips to the cache.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from contract.scored import Position, ScoredTransaction
from engine.decide import decide, scored_transaction
from engine.profile import Profile
from engine.profile.facts import facts_of_row
from score.batch_work import BatchWork
from score.delivery import PartialBatchResponse, failure_response, read_batch
from score.errors import CacheUnavailableError
from score.history_store import InsertResult
from score.profile_store import ProfileWrite
from score.user_chain import UserChain, needs_lookup, rebuild, row_key

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from engine.rules.ruleset import Ruleset
    from score.delivery import Delivery, KafkaEvent
    from score.history_store import HistoryStore
    from score.profile_store import ProfileStore
    from score.quarantine import Quarantine
    from score.telemetry import Telemetry
    from score.verdicts import Verdicts

MAX_WRITE_ROUNDS: Final = 5
"""How often a profile that other writers keep changing is written again before its payments are redelivered."""


class ScoreStage:
    """Scores batches.

    Parameters
    ----------
    profiles : ProfileStore
        The cache.
    history : HistoryStore
        The history, which outlives the cache.
    quarantine : Quarantine
        Where invalid records go.
    verdicts : Verdicts
        What people found about the users' payments.
    ruleset : Callable[[], Ruleset]
        Gives the active ruleset; called once a batch.
    telemetry : Telemetry
        Counts what happened.
    clock : Callable[[], datetime]
        The time, aware, UTC.
    """

    def __init__(
        self,
        profiles: ProfileStore,
        history: HistoryStore,
        quarantine: Quarantine,
        verdicts: Verdicts,
        ruleset: Callable[[], Ruleset],
        telemetry: Telemetry,
        clock: Callable[[], datetime],
    ) -> None:
        self._profiles = profiles
        self._history = history
        self._quarantine = quarantine
        self._verdicts = verdicts
        self._ruleset = ruleset
        self._telemetry = telemetry
        self._clock = clock

    def handle(self, event: KafkaEvent, has_time: Callable[[], bool]) -> PartialBatchResponse:
        """Score one batch.

        Parameters
        ----------
        event : KafkaEvent
            As Lambda delivers it.
        has_time : Callable[[], bool]
            Whether another try still fits into the invocation.

        Returns
        -------
        PartialBatchResponse
            Naming each record that is to be delivered again.

        Raises
        ------
        NoRulesetError
            Where no ruleset has been active yet; the whole batch is delivered again.
        HistoryUnavailableError
            Where the history cannot be read; the whole batch is delivered again.
        """
        batch = read_batch(event, self._clock())
        self._telemetry.batch_read(batch)
        failed = self._quarantine.put(batch.rejected) if batch.rejected else set[Position]()
        work = BatchWork(batch)
        self._load(work, has_time)
        self._score(work)
        failed.update(self._store(work, has_time))
        self._write_profiles(work, failed)
        self._telemetry.batch_done(work.rows, failed, is_degraded=work.is_degraded)
        return failure_response(failed)

    def _load(self, work: BatchWork, has_time: Callable[[], bool]) -> None:
        """Read or rebuild the profiles, and look up rows that may exist already."""
        try:
            work.use_cached(self._profiles.read(list(work.by_user), work.batch.spans))
        except CacheUnavailableError as error:
            self._telemetry.cache_unavailable(error)
            work.is_degraded = True
        missing = {user_id: work.by_user[user_id] for user_id in work.without_profile(work.by_user)}
        self._rebuild(work, missing, has_time)
        possible_repeats = [
            row_key(delivery)
            for user_id, deliveries in work.by_user.items()
            for delivery in deliveries
            if needs_lookup(delivery, work.profiles[user_id])
        ]
        if possible_repeats:
            work.existing = self._history.find(possible_repeats, has_time)

    def _rebuild(
        self,
        work: BatchWork,
        by_user: Mapping[str, Sequence[Delivery]],
        has_time: Callable[[], bool],
    ) -> None:
        if not by_user:
            return
        rebuilt = 0
        for user_id, rows in self._history.newest(list(by_user), has_time):
            work.use_rebuilt(user_id, rebuild(Profile(), rows, facts_of_row, by_user[user_id]))
            rebuilt += bool(rows)
        self._telemetry.profiles_rebuilt(rebuilt)

    def _score(self, work: BatchWork) -> None:
        ruleset = self._ruleset()
        scored_at = self._clock()

        verdicts = self._verdicts.read(list(work.by_user))

        def score(delivery: Delivery, profile: Profile) -> ScoredTransaction:
            profile_version = profile.tx_count
            decided = decide(delivery.facts, profile, ruleset, verdicts.get(delivery.user_id, ()))
            return scored_transaction(
                delivery.facts,
                decided,
                ruleset,
                delivery.position,
                delivery.appended_at,
                scored_at,
                profile_version=profile_version,
                degraded=work.is_degraded,
            )

        for user_id, deliveries in work.by_user.items():
            chain = UserChain(
                deliveries, work.profiles[user_id], partial(work.profile_before, user_id), work.existing
            )
            chain.score(score)
            work.chains[user_id] = chain
            work.rows += chain.rows

    def _store(self, work: BatchWork, has_time: Callable[[], bool]) -> set[Position]:
        """Insert the new rows and settle each user's chain; return what could not be stored."""
        inserted = self._history.insert(work.rows, has_time) if work.rows else []
        keys = [(row.transaction.user_id, row.event_key) for row in work.rows]
        results = dict(zip(keys, inserted, strict=True))
        existing = [key for key, result in results.items() if result is InsertResult.EXISTS]
        found = self._history.find(existing, has_time) if existing else {}
        failed: set[Position] = set()
        for user_id, chain in work.chains.items():
            work.settled[user_id] = settled = chain.settle(results, found)
            failed.update(settled.failed)
            self._telemetry.chain_settled(settled)
        work.rows = [
            row for row, result in zip(work.rows, inserted, strict=True) if result is InsertResult.STORED
        ]
        return failed

    def _write_profiles(self, work: BatchWork, failed: set[Position]) -> None:
        """Write the profiles by compare-and-set; read and fold again those that other writers changed."""
        if work.is_degraded:
            return  # what the cache holds is unknown; the gap in its progress will show that it lacks this batch
        writes = [
            ProfileWrite(user_id, settled.profile, work.revision(user_id))
            for user_id, settled in work.settled.items()
            if work.may_write(user_id)
        ]
        user_ids = [write.user_id for write in writes]
        try:
            lost = self._profiles.write(writes, work.progress(failed))
            for _ in range(MAX_WRITE_ROUNDS):
                if not lost:
                    return
                self._telemetry.profiles_lost(len(lost))
                # All of them, not only the lost ones: what was written may be lost with a server that failed in between.
                writes = self._fold_on_top(work, user_ids)
                lost = self._profiles.write(writes, work.progress(failed))
        except CacheUnavailableError as error:
            self._telemetry.cache_unavailable(error)
            return
        for user_id in lost:
            failed.update(delivery.position for delivery in work.by_user[user_id])

    def _fold_on_top(self, work: BatchWork, user_ids: Sequence[str]) -> list[ProfileWrite]:
        """Fold what this batch folded into the profiles that another writer has written.

        A profile that is missing now stays missing: the next batch rebuilds it up to its own offset. This batch cannot know
        which rows of another writer will still be folded.
        """
        work.use_cached(self._profiles.read(user_ids, work.batch.spans))
        user_ids = [user_id for user_id in user_ids if user_id in work.profiles]
        for user_id in user_ids:
            profile = work.profiles[user_id]
            for folded in work.settled[user_id].folded:
                facts, position = folded.delivery.facts, folded.delivery.position
                # Another delivery of this same batch may have folded it.
                if not profile.has_folded(facts, position):
                    profile.fold_row(facts, folded.outcome, position)
        return [ProfileWrite(user_id, work.profiles[user_id], work.revision(user_id)) for user_id in user_ids]
