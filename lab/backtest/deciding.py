"""Deciding on a stream of payments: one ruleset, or two over the same stream, each with profiles of its own."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import msgspec

from contract.clock import EPOCH, MILLISECOND, TimeBasis, times_of, times_on
from contract.entity_ids import entity_ids
from contract.errors import InvalidTransactionError
from contract.mapping.amounts import payment_of_refund
from contract.scored import Position
from contract.transaction import decode_transaction
from contract.truth import SentPayment
from engine.decide import decide
from engine.decided import Decided
from engine.profile.facts import PaymentFacts
from lab.backtest.entities import Entities
from lab.backtest.labels import PlayedLabels
from lab.backtest.profiles import Profiles
from lab.seen_hashes import SeenHashes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from contract.clock import Times
    from contract.transaction import Transaction
    from contract.truth import Truth
    from engine.rules.ruleset import Ruleset
    from lab.backtest.labels import LabelPlan, Learnt
    from lab.backtest.outcomes import Users

_TOPIC: Final = "backtest"
_64_BITS: Final = (1 << 64) - 1


class JudgedPayment(msgspec.Struct, frozen=True):
    """One payment with its truth, and the decision on it."""

    payment: SentPayment
    facts: PaymentFacts
    decided: Decided
    against: Decided | None = None
    """The decision of the ruleset that is compared with."""

    @property
    def transaction(self) -> Transaction:
        """The payment, decoded."""
        return self.facts.transaction


class Refusals:
    """Records on which nothing is decided.

    Attributes
    ----------
    invalid : Counter[str]
        Records that the score stage would quarantine, by the field at fault.
    first : str | None
        What is wrong with the first of them, and where it is.
    refunds : int
        Records that are payments but for an amount below zero.
    repeats : int
        Records that repeat an earlier one.
    """

    def __init__(self) -> None:
        self.invalid: Counter[str] = Counter()
        self.first: str | None = None
        self.refunds = 0
        self.repeats = 0

    def refuse(self, payment: SentPayment, error: InvalidTransactionError) -> None:
        """Count an invalid record by what its file's reader found, else by what the contract did."""
        field, problem = payment.problem or (error.field, error.problem)
        self.invalid[field] += 1
        self.first = self.first or ": ".join(part for part in (payment.place, field, problem) if part)


class _Side:
    """A ruleset with its profiles and entities: which payments these are taught may depend on the ruleset's own decisions."""

    def __init__(self, ruleset: Ruleset, plan: LabelPlan | None) -> None:
        self._ruleset = ruleset
        self._profiles = Profiles()
        self._entities = Entities()
        self._labels = None if plan is None else PlayedLabels(plan)

    @property
    def learnt(self) -> Learnt | None:
        """How many labels became known so far; None where none are played."""
        return None if self._labels is None else self._labels.learnt

    def decide(self, facts: PaymentFacts, position: Position, truth: Truth) -> Decided:
        user_id, clock_s = facts.transaction.user_id, facts.clock_ms // 1000
        profile, ids = self._profiles.of(user_id), entity_ids(facts.transaction)
        known = self._entities.read(ids, clock_s)
        if self._labels is None:
            decided = decide(facts, profile, self._ruleset, entities=known)
        else:
            self._labels.learn(clock_s)
            verdicts, risks = self._labels.verdicts(user_id, clock_s), self._labels.risks(ids, clock_s)
            decided = decide(facts, profile, self._ruleset, verdicts, known, risks)
        profile.fold(facts, decided.outcome, position)
        if not decided.outcome.repeats:
            self._entities.fold(ids, decided.sighting)
            if self._labels is not None:
                self._labels.decided(facts, ids, decided, truth)
        return decided


def _times(payment: SentPayment, event_at: datetime) -> Times:
    """The times of a payment: those of a trusted feed, unless it is known when the payment arrived."""
    if payment.appended_at is None:
        return times_on(TimeBasis.TRUSTED, event_at, 0)
    return times_of(event_at, (payment.appended_at - EPOCH) // MILLISECOND, is_trusted=False)


class Judge:
    """Decides on payments one after the other, as the score stage would.

    Parameters
    ----------
    ruleset, against : Ruleset, Ruleset | None
        The rules, and those that are compared with, if any.
    users : Users
        Gets every user of a valid payment.
    refusals : Refusals
        Gets every record on which nothing is decided.
    plan : LabelPlan | None
        When labels become known to the decisions; None for never.
    """

    def __init__(
        self,
        ruleset: Ruleset,
        against: Ruleset | None,
        users: Users,
        refusals: Refusals,
        plan: LabelPlan | None = None,
    ) -> None:
        self._side, self._other = _Side(ruleset, plan), None if against is None else _Side(against, plan)
        self._users = users
        self._refusals = refusals
        self._seen = SeenHashes()
        self._offset = -1

    @property
    def learnt(self) -> Learnt | None:
        """How many labels became known so far; None where none are played."""
        return self._side.learnt

    def judge_all(self, payments: Iterable[SentPayment]) -> Iterator[JudgedPayment]:
        """Decide on payments one after the other, in the order in which they are scored; leave out what :meth:`judge` does."""
        return (judged for payment in payments if (judged := self.judge(payment)) is not None)

    def judge(self, payment: SentPayment) -> JudgedPayment | None:
        """Decide on the next payment; None if it is no valid payment, or repeats another one."""
        self._offset += 1
        users, refusals = self._users, self._refusals
        try:
            refund = payment_of_refund(payment.record)
            record = payment.record if refund is None else refund
            transaction = decode_transaction(payment.raw or msgspec.json.encode(record))
        except InvalidTransactionError as error:
            refusals.refuse(payment, error)
            return None
        if refund is not None:
            refusals.refunds += 1
            return None
        facts = PaymentFacts.of(transaction, _times(payment, transaction.timestamp))
        number = users.number(transaction.user_id)
        if not self._seen.add(facts.key_hash + users.hashes[number] & _64_BITS):
            refusals.repeats += 1
            return None
        position = Position(_TOPIC, 0, self._offset)
        decided = self._side.decide(facts, position, payment.truth)
        if decided.outcome.repeats:
            refusals.repeats += 1
            return None
        against = None if self._other is None else self._other.decide(facts, position, payment.truth)
        return JudgedPayment(payment, facts, decided, against)
