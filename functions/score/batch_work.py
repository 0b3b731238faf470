"""What is known of one batch while it is processed: its payments by user, their profiles, rows that exist, results."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine.profile import to_bytes
from engine.profile.migration import OLD_FORMAT
from score.entity_work import EntityWork
from score.label_work import LabelWork
from score.old_rows import as_stored, may_have_old_row, old_row_key
from score.profile_store import read_profile

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from contract.scored import Position, ScoredTransaction
    from engine.decided import Decided
    from engine.profile import Profile
    from engine.rules.ruleset import Ruleset
    from score.delivery import Batch, Delivery
    from score.history_store import RowKey
    from score.profile_store import CacheReading, PartitionProgress
    from score.user_chain import SettledChain, UserChain


class BatchWork:
    """One batch while it is processed.

    Parameters
    ----------
    batch : Batch
        Its records.
    now_s : int
        When it was received, s since the epoch.

    Attributes
    ----------
    by_user : dict[str, list[Delivery]]
        Payments by user, in the order of the batch.
    profiles : dict[str, Profile]
        The profile before the batch, by user; chains fold into these objects.
    existing : dict[RowKey, ScoredTransaction]
        Rows known to exist.
    bases : dict[str, Profile]
        Checkpoints, by user, that later rows must be folded into.
    chains, settled
        By user.
    rows : list[ScoredTransaction]
        New rows; after the inserts, those that were stored.
    ruleset : Ruleset | None
        By which the batch is decided; None before.
    decided : dict[RowKey, Decided]
        What was decided of each new row.
    users_of_before : set[str]
        Users whose profile comes from what the version before stored.
    is_degraded : bool
        The cache could not be read.
    entities : EntityWork
        What other users did.
    labels : LabelWork
        What people found about the batch's users and entities.
    """

    def __init__(self, batch: Batch, now_s: int) -> None:
        self.batch = batch
        self.by_user = _by_user(batch.deliveries)
        self.profiles: dict[str, Profile] = {}
        self.existing: dict[RowKey, ScoredTransaction] = {}
        self.bases: dict[str, Profile] = {}
        self.chains: dict[str, UserChain] = {}
        self.settled: dict[str, SettledChain] = {}
        self.rows: list[ScoredTransaction] = []
        self.ruleset: Ruleset | None = None
        self.decided: dict[RowKey, Decided] = {}
        self.users_of_before: set[str] = set()
        self.is_degraded = False
        self.entities = EntityWork(batch, now_s)
        self.labels = LabelWork()
        self._bodies_before: dict[str, bytes] = {}
        self._revisions: dict[str, bytes] = {}
        self._progress: list[PartitionProgress] = []
        self._fresh_from: dict[tuple[str, int], int] = {}
        self._rebuilt: set[str] = set()
        self._is_behind = False

    def use_cached(self, reading: CacheReading) -> None:
        """Use the cached profiles that are fresh. Missing and stale ones are left out, to be rebuilt."""
        if reading.progress:
            self._progress = reading.progress
            spans = zip(self.batch.spans, reading.progress, strict=True)
            self._is_behind = any(mark.folded_to > span.last for span, mark in spans)
            self._fresh_from = {(mark.topic, mark.partition): mark.fresh_from for mark in reading.progress}
        for user_id, cached in reading.profiles.items():
            self._revisions[user_id] = cached.revision
            self.profiles.pop(user_id, None)
            profile = read_profile(cached)
            if (
                profile is not None
                and cached.body is not None
                and not cached.is_kept
                and self._is_fresh(user_id, profile, self._fresh_from)
            ):
                self.profiles[user_id] = profile
                self._bodies_before[user_id] = cached.body
                if cached.body[0] == OLD_FORMAT:
                    self.users_of_before.add(user_id)

    def use_checkpoints(self, reading: CacheReading) -> None:
        """Use the checkpoints that are complete up to this batch; keep the others as what rows are folded into.

        Without the cache they are in its place: they are what will be written.
        """
        if self.is_degraded:
            self.use_cached(reading)
        marks = {(mark.topic, mark.partition): mark.fresh_from for mark in reading.progress}
        for user_id, kept in reading.profiles.items():
            profile = read_profile(kept)
            if profile is None or user_id in self.profiles:
                continue
            profile.mark_kept()
            if not kept.is_kept and self._is_fresh(user_id, profile, marks):
                self.use_rebuilt(user_id, profile)
            else:
                self.bases[user_id] = profile

    def old_row_keys(self) -> list[RowKey]:
        """Keys under which the version before may have stored payments of this batch; nearly always none."""
        return [
            old_row_key(delivery)
            for user_id, deliveries in self.by_user.items()
            for delivery in deliveries
            if may_have_old_row(
                delivery, self.profiles[user_id], is_first_reading=user_id in self.users_of_before
            )
        ]

    def use_old_rows(self) -> None:
        """Give the payments that the version before stored the keys of their rows, which are among :attr:`existing`."""
        self.batch.deliveries = as_stored(self.batch.deliveries, self.existing)
        self.by_user = _by_user(self.batch.deliveries)

    def use_rebuilt(self, user_id: str, profile: Profile) -> None:
        """Use a profile that does not come from the store that will be written."""
        self.profiles[user_id] = profile
        self._bodies_before[user_id] = to_bytes(profile)
        self._rebuilt.add(user_id)

    def without_profile(self, user_ids: Iterable[str]) -> list[str]:
        """Those of the users whose profile must still be rebuilt."""
        return [user_id for user_id in user_ids if user_id not in self.profiles]

    def body_before(self, user_id: str) -> bytes:
        """The profile before the batch, in its stored form."""
        return self._bodies_before[user_id]

    def revision(self, user_id: str) -> bytes:
        """Revision of the cached profile when it was read; empty where there was none."""
        return self._revisions[user_id]

    def progress(self, failed: set[Position]) -> list[PartitionProgress]:
        """How far each partition is folded once this batch's profiles are written."""
        return [
            msgspec.structs.replace(read, folded_to=span.done_to(failed))
            for span, read in zip(self.batch.spans, self._progress, strict=True)
        ]

    def may_write(self, user_id: str) -> bool:
        """Whether the user's profile may be written.

        Skip a rebuilt profile if another writer has passed this batch: it would lack their payments.
        """
        return not (self._is_behind and user_id in self._rebuilt)

    def _is_fresh(self, user_id: str, profile: Profile, fresh_from: Mapping[tuple[str, int], int]) -> bool:
        partitions = {(d.position.topic, d.position.partition) for d in self.by_user[user_id]}
        return all(
            profile.folded_offset(topic, partition) >= fresh_from[topic, partition]
            for topic, partition in partitions
        )


def _by_user(deliveries: Iterable[Delivery]) -> dict[str, list[Delivery]]:
    by_user: dict[str, list[Delivery]] = {}
    for delivery in deliveries:
        by_user.setdefault(delivery.user_id, []).append(delivery)
    return by_user
