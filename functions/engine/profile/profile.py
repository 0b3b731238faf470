"""The profile of one user: what is folded, in which order it may arrive, and what teaches what is normal.

A fold takes one payment, what its row says was decided, and its position in Kafka.

- **Velocity** counts every payment, by its clock: the ring of recent payments, the buckets of hours and days.
- **Habits** are taught by approved payments alone, by the time for habits: amounts, values seen, hours of the week. So is the last place,
  by those of them whose place was not doubted (:func:`engine.features.place.is_doubted`).
  A reviewed payment waits, and teaches once a later row releases it. A blocked one never teaches through silence.
- **Verdicts** of people are applied once each: "legitimate" makes a payment's values familiar, and a review or block of it counts no more;
  "fraud" makes its device, payee and merchant unfamiliar again.

As long as no part is full, the state does not depend on the order of the payments: all sums are integers, first and last times are
minima and maxima. Beyond the capacities, the oldest is forgotten first.

How windows compare with the full history (a property test checks this):

- Up to 24 h: exact while the ring covers the window, that is with fewer than 32 payments since it began. Otherwise whole UTC
  hours, up to the payment's own, from at most 25 (hour, currency) pairs; never less than what the ring holds.
- 7 and 30 days: whole UTC days, up to the payment's own, from at most 34 (day, currency) pairs.
- Late payments: whole hours and days also include later payments of the last hour or day that the ring has forgotten.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from contract.card_masks import is_masked
from contract.clock import MAX_AHEAD_MS, MAX_BEHIND_MS
from contract.scored import Decision
from engine.profile.amount_buckets import HabitBuckets, VelocityBuckets
from engine.profile.facts import HOURS_PER_WEEK, MS_PER_DAY, MS_PER_HOUR, PaymentFacts, hour_of_week
from engine.profile.fingerprints import text_hash
from engine.profile.habit_amounts import HabitAmounts
from engine.profile.outcome import (
    DECISIONS,
    NO_LESSONS,
    Lessons,
    Outcome,
    Repeated,
    decision_number,
    new_verdicts,
)
from engine.profile.packed_columns import empty
from engine.profile.pending_payments import Pending, PendingPayments
from engine.profile.recent_payments import RecentPayments
from engine.profile.seen_values import UNFAMILIAR_BY_FRAUD, SeenValues
from engine.profile.stops import recount

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contract.scored import Position
    from contract.verdict import Verdict
    from engine.geo import Fix

MAX_PARTITIONS: Final = 8
"""For how many partitions a profile keeps an offset. A user's key puts all its payments on one."""

MAX_VERDICTS: Final = 8
"""How many applied verdicts a profile remembers, and how many of a user's newest it applies in one go."""

MAX_REPEAT_MS: Final = 3 * MS_PER_DAY
"""How far the clocks of payments under one transaction id are apart at most, for one to repeat the other or to reuse its id: a
sender's outage may last a weekend. Next month's rent under the same id is a payment of its own."""

CHECKPOINT_OVERLAP_MS: Final = MAX_BEHIND_MS + MAX_AHEAD_MS
"""How far before a checkpoint's newest payment a rebuild begins to read, ms. No later record of a feed that is not trusted has an
older key; what the checkpoint has folded already is known by its offsets."""

HOURS_KEPT: Final = 24
DAYS_KEPT: Final = 31
MAX_HOUR_ROWS: Final = 25
MAX_DAY_ROWS: Final = 34
PARTITION_TYPECODES: Final = "Iq"
_MAX_SECONDS: Final = 2**32 - 1


class Profile:
    """One user's behaviour, in at most 6 KiB.

    Attributes
    ----------
    tx_count, habit_count : int
        Payments folded so far, without repeats; those of them that taught habits.
    first_clock_ms : int
        Clock of the earliest payment, ms since the epoch; 0 for none.
    newest_at_ms : int
        The latest time of a row's key that was folded, repeats included; -1 for none. A later payment has no row yet.
    taught_at_ms : int
        Time of the latest payment that taught habits; 0 for none.
    placed_at_ms : int
        Time of the latest of them that said where the user is: it names a place, and its place was not doubted; 0 for none.
    recent, hours, days
        All payments: the ring, the buckets.
    habits, habit_days, seen, pending
        What is normal: the newest amounts, their days, the values seen; the reviewed payments that wait.
    hour_of_week : bytearray
        168 counts from Monday 00:00 UTC, each at most 255.
    last_place : Fix | None
        Where the latest payment with coordinates was made whose place was not doubted.
    last_place_hash, last_country_hash : int
        Hashes of the place as text and of the country at :attr:`placed_at_ms`; 0 if it named none.
    verdicts : array of uint64
        Hashes of the verdicts that were applied last, oldest first.
    kept_count, kept_at_ms : int
        :attr:`tx_count` and :attr:`newest_at_ms` when the profile was last kept as a checkpoint; 0 and -1 for never.
    has_old_values : bool
        Names seen are hashed as format 1 did (:func:`engine.profile.fingerprints.old_value_hash`), and not all are replaced.
    is_behind_checkpoint : bool
        A payment was folded since whose row is older than those that a rebuild reads behind the checkpoint.
    """

    __slots__ = (
        "days",
        "first_clock_ms",
        "habit_count",
        "habit_days",
        "habits",
        "has_old_values",
        "hour_of_week",
        "hours",
        "is_behind_checkpoint",
        "kept_at_ms",
        "kept_count",
        "last_country_hash",
        "last_place",
        "last_place_hash",
        "newest_at_ms",
        "offsets",
        "partitions",
        "pending",
        "placed_at_ms",
        "placed_key_hash",
        "recent",
        "seen",
        "taught_at_ms",
        "tx_count",
        "verdicts",
    )

    def __init__(self) -> None:
        self.tx_count = self.habit_count = 0
        self.first_clock_ms, self.newest_at_ms = 0, -1
        self.taught_at_ms = self.placed_at_ms = self.placed_key_hash = 0
        self.last_place: Fix | None = None
        self.last_place_hash = self.last_country_hash = 0
        self.recent = RecentPayments()
        self.hours = VelocityBuckets(HOURS_KEPT, MAX_HOUR_ROWS)
        self.days = VelocityBuckets(DAYS_KEPT, MAX_DAY_ROWS)
        self.habits = HabitAmounts()
        self.habit_days = HabitBuckets(DAYS_KEPT, MAX_DAY_ROWS)
        self.seen = SeenValues()
        self.pending = PendingPayments()
        self.hour_of_week = bytearray(HOURS_PER_WEEK)
        self.partitions, self.offsets = empty(PARTITION_TYPECODES)
        (self.verdicts,) = empty("Q")
        self.kept_count, self.kept_at_ms = 0, -1
        self.has_old_values = self.is_behind_checkpoint = False

    # What has been folded

    def folded_offset(self, topic: str, partition: int) -> int:
        """The highest offset of a partition that was folded, or marked complete; -1 for none."""
        try:
            return self.offsets[self.partitions.index(_partition_hash(topic, partition))]
        except ValueError:
            return -1

    def holds(self, key_hash: int) -> bool:
        """Whether the payment is in the ring. True is certain; False says nothing about payments older than the ring."""
        return self.recent.holds(key_hash)

    def has_folded(self, facts: PaymentFacts, position: Position) -> bool:
        """Whether a payment whose row was stored from ``position`` was folded.

        The ring decides for every payment that it cannot have forgotten; the offsets only for older ones. If a user's payments come on
        several partitions, a rebuilt profile may include a later payment of one, and lack an earlier one whose row was not stored yet.
        """
        recent = self.recent
        if not recent.is_full or facts.clock_ms > recent.clock_ms[0]:
            return self.holds(facts.key_hash)
        return position.offset <= self.folded_offset(position.topic, position.partition) or self.holds(
            facts.key_hash
        )

    def repeated(self, facts: PaymentFacts) -> Repeated | None:
        """The recent payment that this one repeats under another time; None where it is one of its own.

        It has the same transaction id, amount, currency, payee, merchant and card: 30 cards tried under one id are 30 payments. So are
        30 masked card numbers, which need not be of one card though they end alike.
        """
        if is_masked(facts.transaction.card_id):
            return None
        recent = self.recent
        for row in recent.rows_of_id(facts.id_hash, facts.clock_ms, MAX_REPEAT_MS):
            if recent.content[row] == facts.content_hash:
                return Repeated(recent.key_hash[row], DECISIONS[recent.decision[row]], recent.risk_score[row])
        return None

    def sightings(self, facts: PaymentFacts) -> list[tuple[int, int] | None]:
        """When each of a payment's values was first seen, s since the epoch, and how often; None for one that is not known."""
        found = self.seen.find(facts.seen)
        if not self.has_old_values:
            return found
        return [each or old for each, old in zip(found, self.seen.find(facts.old_seen), strict=True)]

    def knows_id(self, facts: PaymentFacts) -> bool:
        """Whether a recent payment, at most :data:`MAX_REPEAT_MS` away, has the same transaction id."""
        return bool(self.recent.rows_of_id(facts.id_hash, facts.clock_ms, MAX_REPEAT_MS))

    def mark_complete_to(self, topic: str, partition: int, offset: int) -> None:
        """Record that all of this user's payments up to ``offset`` on a partition are folded."""
        partition_hash = _partition_hash(topic, partition)
        if self.partitions and self.partitions[-1] == partition_hash:  # a user's key puts all on one
            self.offsets[-1] = max(offset, self.offsets[-1])
            return
        if partition_hash in self.partitions:
            row = self.partitions.index(partition_hash)
            self.partitions.pop(row)
            offset = max(offset, self.offsets.pop(row))
        elif len(self.partitions) >= MAX_PARTITIONS:
            del self.partitions[0], self.offsets[0]  # the one that was marked longest ago
        self.partitions.append(partition_hash)
        self.offsets.append(offset)

    def is_checkpoint_due(self, every: int) -> bool:
        """Whether the profile is to be kept as a checkpoint.

        It is after ``every`` payments, and at once for a payment that is older than the last checkpoint's newest by more than
        :data:`CHECKPOINT_OVERLAP_MS`, as in a backfill: a profile is rebuilt from its checkpoint and the rows from there on.
        """
        return self.is_behind_checkpoint or self.tx_count - self.kept_count >= every

    def mark_kept(self) -> None:
        """Record that the profile, as it is now, is kept as a checkpoint."""
        self.kept_count, self.kept_at_ms = self.tx_count, self.newest_at_ms
        self.is_behind_checkpoint = False

    # What it learns

    def lessons(self, facts: PaymentFacts, verdicts: Sequence[Verdict] = ()) -> Lessons:
        """What is to be learned before a payment is decided: reviewed payments that waited long enough, new verdicts.

        Parameters
        ----------
        facts : PaymentFacts
            The payment.
        verdicts : Sequence[Verdict]
            The user's newest, oldest first. Of more than :data:`MAX_VERDICTS` the older ones are left out, since the profile remembers
            no more and would apply them again and again; but for those on payments that wait, which wait no more then. Else a dozen
            verdicts at once would leave out those on the first payments of an attack, and these would teach.
        """
        due = self.pending.due(facts.clock_ms)
        if not due and not verdicts:
            return NO_LESSONS
        waiting = [verdict for verdict in verdicts[:-MAX_VERDICTS] if verdict.key_hash in self.pending]
        new = new_verdicts([*waiting, *verdicts[-MAX_VERDICTS:]], self.verdicts)
        frauds = {verdict.key_hash for verdict in new if verdict.is_fraud}
        return Lessons(tuple(key_hash for key_hash in due if key_hash not in frauds), new)

    def learn(self, lessons: Lessons) -> None:
        """Apply lessons. Those that were applied before change nothing."""
        if lessons is NO_LESSONS:
            return
        for verdict in new_verdicts(lessons.verdicts, self.verdicts):
            self._apply(verdict)
        for pending in self.pending.take(lessons.releases):
            self._teach(pending)

    def fold(self, facts: PaymentFacts, outcome: Outcome, position: Position) -> None:
        """Add one payment. Its lessons are learned already.

        The caller is responsible for folding each payment once.

        Parameters
        ----------
        facts : PaymentFacts
            The payment.
        outcome : Outcome
            What its row says.
        position : Position
            Its position in Kafka.
        """
        self.newest_at_ms = max(self.newest_at_ms, facts.at_ms)
        if facts.at_ms <= self.kept_at_ms - CHECKPOINT_OVERLAP_MS:
            self.is_behind_checkpoint = True
        self.mark_complete_to(position.topic, position.partition, position.offset)
        if outcome.repeats:
            return
        self._count(facts, outcome)
        if outcome.decision is Decision.APPROVE:
            self._teach_habits(facts)
            if not outcome.is_place_doubted:
                self._place(facts)
        elif outcome.decision is Decision.REVIEW:
            self.pending.add(
                Pending(
                    facts.key_hash,
                    _seconds(facts.clock_ms),
                    _seconds(facts.at_ms),
                    facts.amount_minor,
                    facts.currency,
                    tuple(value or 0 for value in facts.seen),
                    facts.named,
                )
            )

    def fold_row(self, facts: PaymentFacts, outcome: Outcome, position: Position) -> None:
        """Add a payment that was decided elsewhere: learn what its row says, and fold it."""
        self.learn(outcome.lessons)
        self.fold(facts, outcome, position)

    def _count(self, facts: PaymentFacts, outcome: Outcome) -> None:
        """Velocity: every payment counts."""
        clock_ms, currency, amount_minor = facts.clock_ms, facts.currency, facts.amount_minor
        self.first_clock_ms = min(self.first_clock_ms, clock_ms) if self.tx_count else clock_ms
        decision = decision_number(outcome.decision)
        self.recent.add(
            (
                clock_ms,
                facts.key_hash,
                facts.id_hash,
                amount_minor,
                currency,
                facts.merchant_hash,
                facts.card_hash,
                facts.country_hash,
                facts.content_hash,
                decision,
                outcome.risk_score,
            )
        )
        reviewed, blocked = int(decision == 1), int(decision == 2)
        self.hours.add(clock_ms // MS_PER_HOUR, currency, amount_minor, reviewed, blocked)
        self.days.add(clock_ms // MS_PER_DAY, currency, amount_minor, reviewed, blocked)
        self.tx_count += 1

    def _teach_habits(self, facts: PaymentFacts) -> None:
        """An approved payment teaches what is normal."""
        self.taught_at_ms = max(self.taught_at_ms, facts.at_ms)
        if self.has_old_values:
            self.has_old_values = self.seen.rename(facts.old_seen, facts.seen)
        self._add_habit(_seconds(facts.at_ms), facts.amount_minor, facts.currency, facts.seen, facts.named)

    def _place(self, facts: PaymentFacts) -> None:
        """An approved payment whose place is not doubted says where the user is."""
        at_ms, is_named = facts.at_ms, facts.place_hash or facts.country_hash
        if is_named and (at_ms, facts.key_hash) > (self.placed_at_ms, self.placed_key_hash):
            self.placed_at_ms, self.placed_key_hash = at_ms, facts.key_hash
            self.last_place_hash, self.last_country_hash = facts.place_hash, facts.country_hash
        place, last = facts.fix, self.last_place
        if place is not None and (last is None or _later(place, last)):
            self.last_place = place

    def _teach(self, pending: Pending) -> None:
        """A released payment teaches, but for the last place: it is older than others by days."""
        self._add_habit(pending.at_s, pending.amount_minor, pending.currency, pending.seen, pending.named)

    def _add_habit(
        self, at_s: int, amount_minor: int, currency: int, seen: Sequence[int | None], named: int
    ) -> None:
        self.habits.add(at_s, amount_minor, currency, named)
        self.habit_days.add(at_s * 1000 // MS_PER_DAY, currency, amount_minor)
        for value in seen:
            if value:
                self.seen.add(value, at_s)
        slot = hour_of_week(at_s * 1000 // MS_PER_HOUR)
        self.hour_of_week[slot] = min(self.hour_of_week[slot] + 1, 255)
        self.habit_count += 1

    def _apply(self, verdict: Verdict) -> None:
        recount(verdict, self.recent, self.hours, self.days)
        if verdict.is_fraud:
            self.pending.take((verdict.key_hash,))
            for kind in UNFAMILIAR_BY_FRAUD:
                self.seen.forget(verdict.seen[kind])
        else:
            for pending in self.pending.take((verdict.key_hash,)):
                self._teach(pending)
            for value in verdict.seen:
                if value:
                    self.seen.vouch(value, verdict.at_s)
        self.verdicts.append(verdict.verdict_hash)
        del self.verdicts[:-MAX_VERDICTS]


def _seconds(time_ms: int) -> int:
    """Whole seconds that 32 bits hold: until 2106."""
    return min(time_ms // 1000, _MAX_SECONDS)


def _later(place: Fix, than: Fix) -> bool:
    return (place.at_ms, place.latitude, place.longitude) > (than.at_ms, than.latitude, than.longitude)


@lru_cache(maxsize=1024)
def _partition_hash(topic: str, partition: int) -> int:
    return text_hash(f"{topic}/{partition}")
