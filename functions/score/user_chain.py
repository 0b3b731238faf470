"""One user's payments of one batch, in order: which are new, which are repeats, and which profile follows from what was stored.

Each payment counts once in the profile, and has one row and one decision, however often it is delivered:

- the profile's recent payments hold it: it was stored and folded; nothing is left to do;
- a row exists from the same position: an earlier try of this batch ended between history and profile. The row is kept, and the
  payment is folded unless the profile has folded it;
- a row exists from another position: the producer sent the payment twice. Nothing is stored or folded;
- no row exists: the payment is scored, stored and folded.

A row that exists is folded as it is stored, whatever this try would have decided.

A payment whose row's key is later than every key in the profile needs no lookup: a repeat has its original's key. For the other
payments the caller looks up the rows first. A payment that is sent again under another time has a key, and so a row, of its own;
the engine recognises it (:meth:`engine.profile.profile.Profile.repeated`).
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, cast

import msgspec

from contract.errors import InvalidRowError, LaterFormatError
from contract.scored import FeatureValue, Position, ScoredTransaction
from engine.features.catalogue import SHARED_FEATURES
from engine.features.stored import features_of
from engine.profile import Profile, from_bytes, to_bytes
from engine.profile.fingerprints import key_hash
from engine.profile.outcome import Outcome
from score.delivery import Delivery
from score.history_store import InsertResult, RowKey, UnreadableRow

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from engine.profile.facts import PaymentFacts
    from score.history_store import PastRow

    Score = Callable[["Delivery", "Profile", "ScoredTransaction | None"], ScoredTransaction]
    """Scores a payment against its user's profile; given its stored row, with what that says of its entities."""


class Folded(msgspec.Struct, frozen=True):
    """A payment that was folded, and what its row says."""

    delivery: Delivery
    outcome: Outcome


class SettledChain(msgspec.Struct):
    """What was done with a chain's payments, after the inserts."""

    profile: Profile
    """With every payment folded that may be."""
    folded: list[Folded]
    """Those that this batch folded: new ones, and redelivered ones that the profile lacked."""
    failed: list[Position]
    """Payments that could not be stored. Later ones on the same partition are not folded either."""
    repeats: int
    """Payments with nothing left to do: sent twice by their producer, or redelivered after all was done."""
    redelivered: int
    """Payments that an earlier try stored and this batch folded."""
    raced: list[Position]
    """Payments that were decided behind one whose row another writer had stored meanwhile with another outcome."""


def row_key(delivery: Delivery) -> RowKey:
    """Key of the payment's row in the history."""
    transaction = delivery.facts.transaction
    return transaction.user_id, delivery.facts.event_key


def row_key_of(row: ScoredTransaction) -> RowKey:
    """Key of a row in the history."""
    return row.transaction.user_id, row.event_key


def needs_lookup(delivery: Delivery, profile: Profile, *, is_counted: bool | None) -> bool:
    """Whether only the history can say if this payment is a repeat, or what its entities must count.

    Parameters
    ----------
    delivery : Delivery
        The payment.
    profile : Profile
        Its user's, before the batch.
    is_counted : bool | None
        Whether the payment's entities have counted it already; None where that is not known, without the cache.
    """
    facts, position = delivery.facts, delivery.position
    if profile.holds(facts.key_hash):
        # An earlier try folded it into the profile, and ended before its entities counted it.
        return is_counted is False and position.offset <= profile.folded_offset(
            position.topic, position.partition
        )
    if is_counted:
        return True  # by an earlier try, which stored it: what it saw of its entities is in its row alone
    if facts.at_ms <= profile.newest_at_ms:
        return True
    return position.offset <= profile.folded_offset(position.topic, position.partition)


class UserChain:
    """The payments of one user in one batch.

    Parameters
    ----------
    deliveries : Sequence[Delivery]
        In the order of the batch.
    profile : Profile
        As it was before the batch; the chain folds into this object.
    body_before : bytes
        The same profile in its stored form, in case the payments must be folded again.
    existing : Mapping[RowKey, ScoredTransaction]
        Rows known to exist.
    """

    def __init__(
        self,
        deliveries: Sequence[Delivery],
        profile: Profile,
        body_before: bytes,
        existing: Mapping[RowKey, ScoredTransaction],
    ) -> None:
        self.deliveries = deliveries
        self._body_before = body_before
        self._existing = existing
        self._profile = profile
        # Asked before anything is folded: folding displaces the oldest of the recent payments.
        self._held = {d.facts.key_hash for d in deliveries if profile.holds(d.facts.key_hash)}
        self._done = set(self._held)
        self._folded_before = self._folded_in(profile, existing)
        self._folded: list[Folded] = []
        self.rows: list[ScoredTransaction] = []
        """New rows, to be inserted."""
        self._raced: list[Position] = []

    def score(self, delivery: Delivery, score: Score) -> None:
        """Score the next payment, if it is new, against the profile with all earlier ones folded."""
        profile, facts, position = self._profile, delivery.facts, delivery.position
        if facts.key_hash in self._done or _is_done(delivery, self._existing, self._folded_before):
            return
        self._done.add(facts.key_hash)
        row = self._existing.get(row_key(delivery))
        if row is None:
            scored = score(delivery, profile, None)
            self.rows.append(scored)
            outcome = Outcome.of(scored)
            profile.fold(facts, outcome, position)
        else:
            # Nearly always this try would have decided the same. If not, an earlier one stored this row behind one that failed,
            # or that another writer had stored in between.
            if _differs(row, score(delivery, from_bytes(to_bytes(profile)), row)):
                self._raced.append(position)
            outcome = Outcome.of(row)
            profile.fold_row(facts, outcome, position)
        self._folded.append(Folded(delivery, outcome))

    def settle(
        self, results: Mapping[RowKey, InsertResult], found: Mapping[RowKey, ScoredTransaction]
    ) -> SettledChain:
        """Find the profile that follows from what was really stored.

        Parameters
        ----------
        results : Mapping[RowKey, InsertResult]
            Of inserting each of :attr:`rows`.
        found : Mapping[RowKey, ScoredTransaction]
            Rows that the inserts found to exist.

        Returns
        -------
        SettledChain
            The profile as scored, where all rows were stored. Else the profile before the batch, with all folded again but
            what was not stored.
        """
        of_rows = [results[row.transaction.user_id, row.event_key] for row in self.rows]
        if all(result is InsertResult.STORED for result in of_rows):
            self._mark_complete(self._profile, self.deliveries)
            return SettledChain(
                self._profile,
                self._folded,
                failed=[],
                repeats=len(self.deliveries) - len(self._folded),
                redelivered=len(self._folded) - len(self.rows),
                raced=self._raced,
            )
        return self._fold_again(results, {**self._existing, **found})

    def _fold_again(
        self, results: Mapping[RowKey, InsertResult], existing: Mapping[RowKey, ScoredTransaction]
    ) -> SettledChain:
        settled = SettledChain(from_bytes(self._body_before), [], [], 0, 0, self._raced)
        scored = {row.event_key: row for row in self.rows}
        blocked: set[tuple[str, int]] = set()
        passed: list[Delivery] = []
        done = set(self._held)
        folded_before = self._folded_in(settled.profile, existing)
        has_diverged = False
        for delivery in self.deliveries:
            position, key = delivery.position, row_key(delivery)
            partition = (position.topic, position.partition)
            if partition in blocked:
                continue  # redelivered with the failed one before it, and folded then, in order
            if delivery.facts.key_hash in done or _is_done(delivery, existing, folded_before):
                settled.repeats += 1
                # Scored and folded as new, it turned out to be a repeat that the ring had forgotten.
                has_diverged |= delivery.facts.event_key in scored and key in existing
            elif results.get(key) is InsertResult.FAILED:
                settled.failed.append(position)
                blocked.add(partition)
                continue
            else:
                ours, stored = scored.get(delivery.facts.event_key), existing.get(key)
                settled.redelivered += self._is_own_row(delivery, existing)
                row = stored or ours
                outcome = Outcome.of(cast("ScoredTransaction", row))
                differs = stored is not None and ours is not None and _differs(stored, ours)
                if position not in settled.raced and (has_diverged or differs):
                    settled.raced.append(position)
                has_diverged |= ours is not None and outcome != Outcome.of(ours)
                settled.profile.fold_row(delivery.facts, outcome, position)
                settled.folded.append(Folded(delivery, outcome))
                done.add(delivery.facts.key_hash)
            passed.append(delivery)
        self._mark_complete(settled.profile, passed)
        return settled

    def _folded_in(self, profile: Profile, existing: Mapping[RowKey, ScoredTransaction]) -> set[Position]:
        """Positions of the payments whose own rows exist and which the profile before the batch has folded."""
        if not existing:
            return set()
        return {
            delivery.position
            for delivery in self.deliveries
            if self._is_own_row(delivery, existing) and profile.has_folded(delivery.facts, delivery.position)
        }

    @staticmethod
    def _is_own_row(delivery: Delivery, existing: Mapping[RowKey, ScoredTransaction]) -> bool:
        row = existing.get(row_key(delivery))
        return row is not None and row.position == delivery.position

    @staticmethod
    def _mark_complete(profile: Profile, passed: Sequence[Delivery]) -> None:
        # Repeats advance the mark too: a profile that was rebuilt for one need not be rebuilt for the next.
        for delivery in passed:
            position = delivery.position
            if position.offset > profile.folded_offset(position.topic, position.partition):
                profile.mark_complete_to(position.topic, position.partition, position.offset)


def _is_done(
    delivery: Delivery, existing: Mapping[RowKey, ScoredTransaction], folded_before: set[Position]
) -> bool:
    """Whether nothing is left to do for a payment that is not among the recent ones: it is folded, or repeats another one."""
    row = existing.get(row_key(delivery))
    if row is None:
        return False
    return row.position != delivery.position or delivery.position in folded_before


def _differs(stored: ScoredTransaction, ours: ScoredTransaction) -> bool:
    """Whether two tries decided one payment on the ground of different features of its user, or lessons."""
    if (stored.releases, stored.verdicts) != (ours.releases, ours.verdicts):
        return True
    if stored.features == ours.features:
        return False
    of_user = _of_user(stored)
    return not of_user or of_user != _of_user(ours)


def _of_user(row: ScoredTransaction) -> dict[str, FeatureValue]:
    """Features of the user alone: what entities had counted and labels had said may differ between two tries."""
    features = features_of(row)
    return {name: value for name, value in features.items() if name not in SHARED_FEATURES}


def rebuild(
    profile: Profile,
    rows: Sequence[PastRow],
    facts_of: Callable[[ScoredTransaction, str], PaymentFacts],
    deliveries: Sequence[Delivery],
    unreadable: list[UnreadableRow],
) -> Profile:
    """Fold history rows into a profile, up to the first of ``deliveries`` on each partition.

    Rows at that offset or later were stored by an earlier try of this batch, or by one that runs at the same time. Their
    records are delivered too and folded in order, so that each payment is scored against what the first try saw.

    Parameters
    ----------
    profile : Profile
        Empty, or a checkpoint; rows that it has folded are left out.
    rows : Sequence[PastRow]
        The user's newest, oldest first.
    facts_of : Callable[[ScoredTransaction, str], PaymentFacts]
        Derives the facts of a row that has this key.
    deliveries : Sequence[Delivery]
        The user's payments of this batch, in order.
    unreadable : list[UnreadableRow]
        Gets the rows that cannot be read. They are left out: one damaged row must not stop its user's payments for ever.

    Raises
    ------
    LaterFormatError
        If a later version wrote a row. A profile without its payments would be wrong, and would be kept.
    """
    first: dict[tuple[str, int], int] = {}
    for delivery in deliveries:
        first.setdefault((delivery.position.topic, delivery.position.partition), delivery.position.offset)
    held = frozenset(profile.recent.key_hash)
    for row in sorted(rows, key=attrgetter("position")):
        position = row.position
        if position.offset >= first.get((position.topic, position.partition), position.offset + 1):
            continue
        if key_hash(row.event_key) in held:  # most rows behind a checkpoint: they need not be read
            continue
        try:
            scored = row.scored()
            facts = facts_of(scored, row.event_key)
        except LaterFormatError:
            raise
        except InvalidRowError as error:
            unreadable.append(UnreadableRow.of(row.event_key, error))
            continue
        if not profile.has_folded(facts, position):
            profile.fold_row(facts, Outcome.of(scored), position)
    for (topic, partition), offset in first.items():
        profile.mark_complete_to(topic, partition, offset - 1)
    return profile
