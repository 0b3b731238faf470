"""The score stage: scores and stores the payments of a Kafka batch, and answers which offsets must be delivered again.

It reads profiles and entities, scores, inserts history, keeps checkpoints that are due, counts at entities, writes profiles and
answers, in this order, so that a crash anywhere loses nothing and counts nothing twice. History comes before profiles: a profile that
is behind its history catches up at the redelivery; one that is ahead of it would hide a payment permanently. A batch of any size
takes three round trips to the cache.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from common.errors import CacheUnavailableError
from contract.clock import has_content_mark
from contract.scored import Position, ScoredTransaction
from engine.decide import decide, scored_transaction
from engine.features.stored import features_of
from engine.profile import Profile, to_bytes
from engine.profile.facts import facts_of_row
from engine.profile.profile import CHECKPOINT_OVERLAP_MS
from score.batch_work import BatchWork
from score.checkpoint_items import KeptProfile
from score.delivery import PartialBatchResponse, failure_response, read_batch
from score.errors import HistoryUnavailableError
from score.history_store import InsertResult
from score.profile_store import ProfileWrite
from score.user_chain import UserChain, needs_lookup, rebuild, row_key, row_key_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from engine.rules.ruleset import Ruleset
    from score.checkpoint_items import CheckpointStore
    from score.delivery import Delivery, KafkaEvent
    from score.entity_store import EntityStore
    from score.history_store import HistoryStore, UnreadableRow
    from score.profile_store import CacheReading, ProfileStore
    from score.quarantine import Quarantine
    from score.rollout_counter import RolloutCounter
    from score.telemetry import Telemetry

CHECKPOINT_EVERY: Final = 36
"""Payments of a user between two checkpoints of the profile: what a rebuild folds at most. At 2.7 write units each they cost 0.075 units a
payment, with which ten billion payments a month stay below five dollars a million."""

MAX_WRITE_ROUNDS: Final = 5
"""How often a profile that other writers keep changing is written again before its payments are redelivered."""


class ScoreStage:
    """Scores batches.

    Parameters
    ----------
    profiles : ProfileStore
        The cache.
    entities : EntityStore
        Where entities count; in the cache, too.
    checkpoints : CheckpointStore
        Profiles kept from time to time; in the cache's place while it is unavailable.
    history : HistoryStore
        The history, which outlives the cache.
    quarantine : Quarantine
        Where invalid records go.
    ruleset : Callable[[], Ruleset]
        Gives the active ruleset; called once a batch.
    telemetry : Telemetry
        Counts what happened.
    clock : Callable[[], datetime]
        The time, aware, UTC.
    counter : RolloutCounter | None
        Counts what both sides of a ruleset say; None counts nothing.
    """

    def __init__(
        self,
        profiles: ProfileStore,
        entities: EntityStore,
        checkpoints: CheckpointStore,
        history: HistoryStore,
        quarantine: Quarantine,
        ruleset: Callable[[], Ruleset],
        telemetry: Telemetry,
        clock: Callable[[], datetime],
        counter: RolloutCounter | None = None,
    ) -> None:
        self._profiles = profiles
        self._entities = entities
        self._checkpoints = checkpoints
        self._history = history
        self._quarantine = quarantine
        self._ruleset = ruleset
        self._telemetry = telemetry
        self._clock = clock
        self._counter = counter

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
        now = self._clock()
        batch = read_batch(event, now)
        self._telemetry.batch_read(batch)
        failed = self._quarantine.put(batch.rejected) if batch.rejected else set[Position]()
        work = BatchWork(batch, int(now.timestamp()))
        self._load(work, has_time)
        self._score(work)
        failed.update(self._store(work, has_time))
        if not work.is_degraded:
            self._keep_checkpoints(work, has_time)
        self._write_state(work, failed, has_time)
        self._count_sides(work)
        self._telemetry.batch_done(work.rows, failed, is_degraded=work.is_degraded)
        return failure_response(failed)

    def _load(self, work: BatchWork, has_time: Callable[[], bool]) -> None:
        """Read or rebuild the profiles, and look up rows that may exist already."""
        try:
            reading = self._profiles.read(list(work.by_user), work.batch.spans, work.entities.keys)
            work.use_cached(reading)
            work.entities.use(reading)
            work.labels.use(reading.labels)
            self._telemetry.labels_read(work.labels.unreadable, is_complete=reading.labels.is_complete)
        except CacheUnavailableError as error:
            self._telemetry.cache_unavailable(error)
            work.is_degraded = True
        missing = work.without_profile(work.by_user)
        if missing or work.is_degraded:
            self._rebuild(work, missing, has_time)
        possible_repeats = [
            row_key(delivery)
            for user_id, deliveries in work.by_user.items()
            for delivery in deliveries
            if needs_lookup(
                delivery, work.profiles[user_id], is_counted=work.entities.is_counted(delivery.position)
            )
        ]
        old_keys = work.old_row_keys()
        if possible_repeats or old_keys:
            work.existing = self._history.find([*possible_repeats, *old_keys], has_time)
        if old_keys:
            work.use_old_rows()

    def _rebuild(self, work: BatchWork, missing: Sequence[str], has_time: Callable[[], bool]) -> None:
        """Rebuild profiles: a checkpoint and the rows behind it, or the newest rows where there is none."""
        work.use_checkpoints(self._read_checkpoints(missing, work, has_time))
        missing = work.without_profile(missing)
        after_ms = {
            user_id: base.newest_at_ms - CHECKPOINT_OVERLAP_MS if (base := work.bases.get(user_id)) else None
            for user_id in missing
        }
        rebuilt = 0
        unreadable: list[UnreadableRow] = []
        for newest in self._history.newest(after_ms, has_time) if after_ms else ():
            user_id = newest.user_id
            # Of more rows than a rebuild reads the checkpoint has folded most: it is kept every few payments.
            base = work.bases.get(user_id)
            deliveries = work.by_user[user_id]
            unreadable += newest.unreadable
            if not all(has_content_mark(row.event_key) for row in newest.rows):
                work.users_of_before.add(user_id)
            profile = rebuild(base or Profile(), newest.rows, facts_of_row, deliveries, unreadable)
            work.use_rebuilt(user_id, profile)
            rebuilt += bool(newest.rows or base)
        self._telemetry.profiles_rebuilt(rebuilt)
        self._telemetry.rows_unreadable(unreadable)

    def _read_checkpoints(
        self, user_ids: Sequence[str], work: BatchWork, has_time: Callable[[], bool]
    ) -> CacheReading:
        try:
            return self._checkpoints.read(user_ids, work.batch.spans, has_time)
        except CacheUnavailableError as error:
            # Rows alone would give another profile for whoever has many: better to wait than to decide otherwise.
            raise HistoryUnavailableError(f"checkpoints: {error}") from error

    def _count_sides(self, work: BatchWork) -> None:
        if self._counter is not None and work.ruleset is not None:
            self._counter.count(work.ruleset, ((row, work.decided[row_key_of(row)]) for row in work.rows))

    def _score(self, work: BatchWork) -> None:
        work.ruleset = ruleset = self._ruleset()
        scored_at = self._clock()

        def score(
            delivery: Delivery, profile: Profile, stored: ScoredTransaction | None
        ) -> ScoredTransaction:
            profile_version = profile.tx_count
            if stored is None:
                known = work.entities.known(delivery)
                risks = work.labels.risks(work.entities.ids(delivery))
                verdicts = work.labels.verdicts(delivery.user_id, scored_at)
                decided = decide(delivery.facts, profile, ruleset, verdicts, known, risks)
                work.decided[row_key(delivery)] = decided
                if not decided.outcome.repeats:
                    work.entities.see(delivery, decided.sighting)
            else:
                # What others did and labels said may have changed since it was stored.
                decided = decide(delivery.facts, profile, ruleset, stored.verdicts, features_of(stored))
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
            work.chains[user_id] = UserChain(
                deliveries, work.profiles[user_id], work.body_before(user_id), work.existing
            )
        # In the order of the batch, so that each payment sees what others did before it at the same entities.
        for delivery in work.batch.deliveries:
            work.chains[delivery.user_id].score(delivery, score)
            if work.existing:
                work.entities.see_stored(delivery, work.existing)
        for chain in work.chains.values():
            work.rows += chain.rows

    def _store(self, work: BatchWork, has_time: Callable[[], bool]) -> set[Position]:
        """Insert the new rows and settle each user's chain; return what could not be stored."""
        inserted = self._history.insert(work.rows, has_time) if work.rows else []
        keys = [row_key_of(row) for row in work.rows]
        results = dict(zip(keys, inserted, strict=True))
        existing = [key for key, result in results.items() if result is InsertResult.EXISTS]
        found = self._history.find(existing, has_time) if existing else {}
        work.existing = {**work.existing, **found}
        failed: set[Position] = set()
        for user_id, chain in work.chains.items():
            work.settled[user_id] = settled = chain.settle(results, found)
            failed.update(settled.failed)
            self._telemetry.chain_settled(settled)
        work.rows = [
            row for row, result in zip(work.rows, inserted, strict=True) if result is InsertResult.STORED
        ]
        return failed

    def _keep_checkpoints(self, work: BatchWork, has_time: Callable[[], bool]) -> None:
        """Keep the profiles whose checkpoint is due, before the cache is written: a profile there knows its checkpoint."""
        due = {
            user_id: settled.profile
            for user_id, settled in work.settled.items()
            if settled.profile.is_checkpoint_due(CHECKPOINT_EVERY) and work.may_write(user_id)
        }
        if not due:
            return
        profiles = [
            KeptProfile(user_id, to_bytes(profile), profile.tx_count) for user_id, profile in due.items()
        ]
        kept = self._checkpoints.keep(profiles, has_time)
        for user_id in kept:
            due[user_id].mark_kept()
        self._telemetry.profiles_kept(len(kept), len(due) - len(kept))

    def _write_state(self, work: BatchWork, failed: set[Position], has_time: Callable[[], bool]) -> None:
        """Count at entities, then write the profiles. A cache that does not answer is not asked again, since each time-out delays the batch.

        The gap in the cache's marks will show what was not counted or written.
        """
        try:
            if not work.is_degraded:
                self._count_at_entities(work, failed)
            self._write_profiles(work, failed, has_time)
        except CacheUnavailableError as error:
            self._telemetry.cache_unavailable(error)
            # What no store holds must be found by a rebuild, which reads no rows that are much older than the checkpoint.
            unfound = [
                user_id
                for user_id, settled in work.settled.items()
                if work.is_degraded or settled.profile.is_behind_checkpoint
            ]
            self._fail(work, unfound, failed)

    def _count_at_entities(self, work: BatchWork, failed: set[Position]) -> None:
        """Count what is stored at its entities, once; before profiles are written, since those hold what need not be looked up again.

        Where other writers have moved a mark meanwhile, what they counted is left out. They are late writers of this same batch.
        """
        for _ in range(MAX_WRITE_ROUNDS):
            additions = work.entities.additions(work.settled.values(), work.existing, failed)
            if additions is None:
                return
            marks = self._entities.add(additions)
            if not marks:
                return
            work.entities.use_marks(marks, int(self._clock().timestamp()))

    def _write_profiles(self, work: BatchWork, failed: set[Position], has_time: Callable[[], bool]) -> None:
        """Write the profiles by compare-and-set; read and fold again those that other writers changed.

        Without the cache they are written to the checkpoints, all of them. What the cache holds is unknown then, and the gap in its
        progress will show that it lacks this batch.
        """
        writes = [
            ProfileWrite(user_id, settled.profile, work.revision(user_id))
            for user_id, settled in work.settled.items()
            if work.may_write(user_id)
        ]
        user_ids = [write.user_id for write in writes]
        lost = self._write(work, writes, failed, has_time)
        for _ in range(MAX_WRITE_ROUNDS):
            if not lost:
                return
            self._telemetry.profiles_lost(len(lost))
            # All of them, not only the lost ones: what was written may be lost with a server that failed in between.
            writes = self._fold_on_top(work, user_ids, has_time)
            if work.is_degraded:
                # A late writer has kept its profile meanwhile: only the next try can fold the rows behind it.
                self._fail(work, work.without_profile(user_ids), failed)
            lost = self._write(work, writes, failed, has_time)
        self._fail(work, lost, failed)

    @staticmethod
    def _fail(work: BatchWork, user_ids: Sequence[str], failed: set[Position]) -> None:
        """Have all payments of some users delivered again."""
        for user_id in user_ids:
            failed.update(delivery.position for delivery in work.by_user[user_id])

    def _write(
        self,
        work: BatchWork,
        writes: Sequence[ProfileWrite],
        failed: set[Position],
        has_time: Callable[[], bool],
    ) -> list[str]:
        if not work.is_degraded:
            # The cache alone has a payment that no rebuild reads. It is delivered again, as long as the topic keeps it, until the
            # profile is kept: else it is forgotten with the cache.
            behind = [write.user_id for write in writes if write.profile.is_behind_checkpoint]
            self._fail(work, behind, failed)
            return self._profiles.write(writes, work.progress(failed))
        for write in writes:
            write.profile.mark_kept()
        return self._checkpoints.write(writes, work.progress(failed), has_time)

    def _fold_on_top(
        self, work: BatchWork, user_ids: Sequence[str], has_time: Callable[[], bool]
    ) -> list[ProfileWrite]:
        """Fold what this batch folded into the profiles that another writer has written.

        A profile that is missing now, or was kept by another writer, is left out: this batch cannot know which rows of others will
        still be folded. The next batch rebuilds it up to its own offset.
        """
        if work.is_degraded:
            work.use_cached(self._checkpoints.read(user_ids, work.batch.spans, has_time))
        else:
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
