"""One user's payments of one batch, in order: what is new, what repeats, and which profile follows from what was stored.

Each payment counts once in the profile, has one row and one decision, however often it is delivered:

- the profile's ring knows it: it was stored and folded; nothing is left to do;
- a row stands under its own position: a redelivery of a batch that ended between history and profile. The row stands, and the
  payment is folded unless the profile says it was;
- a row stands under another position: a producer's repeat. Nothing is stored and nothing folded;
- no row stands: it is scored, stored and folded.

Which rows stand need not be asked for a payment that is later than all that the profile holds: a repeat has its original's
event time, so it can not be later. For the others the caller looks the rows up first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from contract.scored import Position, ScoredTransaction
from engine.profile import Profile
from score.delivery import Delivery
from score.history_store import Insert, RowKey

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from engine.profile.profile import PaymentFacts

    Score = Callable[["Delivery", "Profile"], ScoredTransaction]


class Outcome(msgspec.Struct):
    """What a chain's payments came to, once the inserts are known."""

    profile: Profile
    """With every payment folded that may be."""
    folded: list[Delivery]
    """Those that this batch folded: new ones, and redelivered ones that the profile did not hold."""
    failed: list[Position]
    """Payments that could not be stored; those behind them on the same partition are not folded either."""
    repeats: int
    redelivered: int


def row_key(delivery: Delivery) -> RowKey:
    """Key of the payment's row in the history."""
    transaction = delivery.facts.transaction
    return transaction.user_id, transaction.event_key


def needs_lookup(delivery: Delivery, profile: Profile) -> bool:
    """Whether only the history can tell if this payment is a repeat."""
    facts, position = delivery.facts, delivery.position
    if profile.holds(facts.key_hash):
        return False
    if profile.tx_count and facts.at_ms <= profile.last_at_ms:
        return True
    return position.offset <= profile.folded_offset(position.topic, position.partition)


class UserChain:
    """The payments of one user in one batch.

    Parameters
    ----------
    deliveries : Sequence[Delivery]
        In the order of the batch.
    profile : Profile
        As it was before the batch; the chain goes on with it.
    base : Callable[[], Profile]
        Gives the profile before the batch once more, where it must be folded again.
    standing : Mapping[RowKey, Position]
        Rows known to stand, with the positions they were stored from.
    """

    def __init__(
        self,
        deliveries: Sequence[Delivery],
        profile: Profile,
        base: Callable[[], Profile],
        standing: Mapping[RowKey, Position],
    ) -> None:
        self.deliveries = deliveries
        self._base = base
        self._standing = standing
        self._profile = profile
        # Asked before anything is folded: while the chain goes on, the ring forgets.
        self._held = {d.facts.key_hash for d in deliveries if profile.holds(d.facts.key_hash)}
        self._folded_before = self._folded_in(profile, standing)
        self._folded: list[Delivery] = []
        self.rows: list[ScoredTransaction] = []
        """New rows, to be inserted."""

    def score(self, score: Score) -> None:
        """Walk through the payments, scoring each new one against the profile that the ones before it left."""
        profile = self._profile
        done = set(self._held)
        for delivery in self.deliveries:
            if delivery.facts.key_hash in done or _is_done(delivery, self._standing, self._folded_before):
                continue
            done.add(delivery.facts.key_hash)
            if row_key(delivery) not in self._standing:
                self.rows.append(score(delivery, profile))
            profile.fold(delivery.facts, delivery.position)
            self._folded.append(delivery)

    def settle(self, inserts: Mapping[RowKey, Insert], standing_after: Mapping[RowKey, Position]) -> Outcome:
        """Say what profile follows from what was really stored.

        Parameters
        ----------
        inserts : Mapping[RowKey, Insert]
            What became of each of :attr:`rows`.
        standing_after : Mapping[RowKey, Position]
            Positions of the rows that turned out to stand.

        Returns
        -------
        Outcome
            The profile as scored where all rows are there; else folded again from the base without what is not.
        """
        expected = [inserts[row.transaction.user_id, row.transaction.event_key] for row in self.rows]
        standing = {**self._standing, **standing_after}
        if all(insert is Insert.STORED for insert in expected):
            outcome = Outcome(self._profile, self._folded, [], 0, 0)
            outcome.redelivered = len(self._folded) - len(self.rows)
            outcome.repeats = len(self.deliveries) - len(self._folded)
            self._mark(outcome.profile, self.deliveries)
            return outcome
        return self._fold_again(inserts, standing)

    def _fold_again(self, inserts: Mapping[RowKey, Insert], standing: Mapping[RowKey, Position]) -> Outcome:
        outcome = Outcome(self._base(), [], [], 0, 0)
        stuck: set[tuple[str, int]] = set()
        passed: list[Delivery] = []
        done = set(self._held)
        folded_before = self._folded_in(outcome.profile, standing)
        for delivery in self.deliveries:
            position = delivery.position
            partition = (position.topic, position.partition)
            if partition in stuck:
                continue  # comes again with the failed one before it, and is folded then, in order
            if delivery.facts.key_hash in done or _is_done(delivery, standing, folded_before):
                outcome.repeats += 1
            elif inserts.get(row_key(delivery)) is Insert.FAILED:
                outcome.failed.append(position)
                stuck.add(partition)
                continue
            else:
                outcome.redelivered += self._stands_as_own(delivery, standing)
                outcome.profile.fold(delivery.facts, position)
                outcome.folded.append(delivery)
                done.add(delivery.facts.key_hash)
            passed.append(delivery)
        self._mark(outcome.profile, passed)
        return outcome

    def _folded_in(self, profile: Profile, standing: Mapping[RowKey, Position]) -> set[Position]:
        """Where the payments stood whose rows are known to stand, and that the profile before the batch holds."""
        if not standing:
            return set()
        return {
            delivery.position
            for delivery in self.deliveries
            if self._stands_as_own(delivery, standing)
            and profile.has_folded(delivery.facts.key_hash, delivery.facts.at_ms, delivery.position)
        }

    @staticmethod
    def _stands_as_own(delivery: Delivery, standing: Mapping[RowKey, Position]) -> bool:
        return standing.get(row_key(delivery)) == delivery.position

    @staticmethod
    def _mark(profile: Profile, passed: Sequence[Delivery]) -> None:
        # Repeats move the mark too: a profile that was rebuilt for one need not be rebuilt for the next.
        for delivery in passed:
            position = delivery.position
            if position.offset > profile.folded_offset(position.topic, position.partition):
                profile.mark_complete_to(position.topic, position.partition, position.offset)


def _is_done(delivery: Delivery, standing: Mapping[RowKey, Position], folded_before: set[Position]) -> bool:
    """Whether nothing is left to do for a payment that the ring does not know: it is folded, or repeats another one."""
    stands_from = standing.get(row_key(delivery))
    if stands_from is None:
        return False
    return stands_from != delivery.position or delivery.position in folded_before


def rebuild(
    profile: Profile,
    rows: Sequence[ScoredTransaction],
    facts_of: Callable[[ScoredTransaction], PaymentFacts],
    deliveries: Sequence[Delivery],
) -> Profile:
    """Fold history rows into an empty profile, as of the first of ``deliveries`` on each partition.

    Rows at or behind that offset were stored by an earlier try of this batch, or by one that runs beside it: they come again
    and are folded in their turn, so that each payment is scored against what the first try saw.

    Parameters
    ----------
    profile : Profile
        Empty.
    rows : Sequence[ScoredTransaction]
        The user's newest, oldest first.
    facts_of : Callable[[ScoredTransaction], PaymentFacts]
        Derives a row's facts.
    deliveries : Sequence[Delivery]
        The user's payments of this batch, in order.
    """
    first: dict[tuple[str, int], int] = {}
    for delivery in deliveries:
        first.setdefault((delivery.position.topic, delivery.position.partition), delivery.position.offset)
    for row in sorted(rows, key=lambda row: row.position):
        position = row.position
        if position.offset < first.get((position.topic, position.partition), position.offset + 1):
            profile.fold(facts_of(row), position)
    for (topic, partition), offset in first.items():
        profile.mark_complete_to(topic, partition, offset - 1)
    return profile
