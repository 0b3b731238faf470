"""The expected results of a stream of payments: folded one after the other, in one process, with no store and no fault.

The oracle shares the engine with the score stage (features, rules, fold), and nothing that makes the stage fault-tolerant.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

import msgspec

from contract.errors import InvalidTransactionError
from contract.scored import Decision, FeatureValue, Position, Reason, ScoredTransaction
from contract.transaction import decode_transaction
from engine.decide import decide
from engine.features.stored import unpack
from engine.profile import Profile, from_bytes, to_bytes
from engine.profile.facts import PaymentFacts
from tests.support.payments import trusted_facts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from engine.rules.ruleset import Ruleset

RowKey = tuple[str, str]
"""``user_id`` and ``event_key``."""


class ExpectedPayment(msgspec.Struct, frozen=True):
    """One payment that the history must contain."""

    facts: PaymentFacts
    position: Position
    """The position of its first record; later ones are repeats."""
    profile_before: bytes


class ExpectedRow(msgspec.Struct, frozen=True):
    """The part of a payment's row that follows from the payments before it and the ruleset."""

    risk_score: int
    decision: Decision
    reasons: tuple[Reason, ...]
    shadow_rule_ids: tuple[str, ...]
    failed_rule_ids: tuple[str, ...]
    features: dict[str, FeatureValue]
    profile_version: int

    @classmethod
    def of(cls, row: ScoredTransaction) -> ExpectedRow:
        """What a stored row says."""
        fields = {name: getattr(row, name) for name in cls.__struct_fields__}
        return cls(**fields | {"features": unpack(row.features, row.feature_set)})


class Oracle:
    """Computes what must be stored. Takes the records of each user in the order in which they are in Kafka.

    Attributes
    ----------
    payments : dict[RowKey, ExpectedPayment]
        Every payment, once.
    rejected : set[Position]
        Records that are not valid payments.
    profiles : dict[str, Profile]
        Profile of each user after the last record.
    """

    def __init__(self) -> None:
        self.payments: dict[RowKey, ExpectedPayment] = {}
        self.rejected: set[Position] = set()
        self.profiles: dict[str, Profile] = {}

    def take(self, position: Position, value: bytes | None, now: datetime) -> None:
        """Read one record, and fold it unless it is invalid or a repeat."""
        try:
            transaction = decode_transaction(value or b"")
        except InvalidTransactionError:
            self.rejected.add(position)
            return
        key = (transaction.user_id, transaction.event_key)
        if key in self.payments:
            return
        profile = self.profiles.setdefault(transaction.user_id, Profile())
        facts = trusted_facts(transaction)
        self.payments[key] = ExpectedPayment(facts, position, to_bytes(profile))
        profile.fold(facts, position)

    def expected_row(self, key: RowKey, ruleset: Ruleset) -> ExpectedRow:
        """The expected row of a payment under a ruleset."""
        expected = self.payments[key]
        profile = from_bytes(expected.profile_before)
        decided = decide(expected.facts, profile, ruleset)
        assessment = decided.assessment
        return ExpectedRow(
            assessment.risk_score,
            assessment.decision,
            assessment.reasons,
            assessment.shadow_rule_ids,
            assessment.failed_rule_ids,
            decided.features,
            profile.tx_count,
        )

    def problems_of(
        self, rows: Iterable[ScoredTransaction], ruleset_of: Callable[[str], Ruleset | None]
    ) -> dict[RowKey, str]:
        """Compare stored rows.

        Parameters
        ----------
        rows : Iterable[ScoredTransaction]
            Any rows.
        ruleset_of : Callable
            Returns the ruleset of a row's ``ruleset_version``; None if it was never active.

        Returns
        -------
        dict[RowKey, str]
            The rows that differ, with the differences.
        """
        problems = {}
        for row in rows:
            key = (row.transaction.user_id, row.transaction.event_key)
            if (problem := self._problem(key, row, ruleset_of(row.ruleset_version))) is not None:
                problems[key] = problem
        return problems

    def _problem(self, key: RowKey, row: ScoredTransaction, ruleset: Ruleset | None) -> str | None:
        expected = self.payments.get(key)
        if expected is None:
            return "it was never sent"
        if ruleset is None:
            return f"ruleset {row.ruleset_version} was never active"
        if (row.transaction, row.position) != (expected.facts.transaction, expected.position):
            return f"stored from {row.position}; its first record is at {expected.position}"
        stored, wanted = ExpectedRow.of(row), self.expected_row(key, ruleset)
        changed = [
            f"{name} is {getattr(stored, name)!r}, must be {getattr(wanted, name)!r}"
            for name in ExpectedRow.__struct_fields__
            if name != "features" and getattr(stored, name) != getattr(wanted, name)
        ]
        changed += [
            f"feature {name} is {stored.features[name]!r}, must be {value!r}"
            for name, value in wanted.features.items()
            if stored.features[name] != value
        ]
        return "; ".join(changed) or None


def behaviour(profile: Profile) -> bytes:
    """A profile's bytes without its offsets, which also depend on repeats and restarts."""
    bare = from_bytes(to_bytes(profile))
    bare.partitions, bare.offsets = array("I"), array("q")
    return to_bytes(bare)


def profile_problems(stored: Mapping[str, Profile | None], wanted: Mapping[str, Profile]) -> dict[str, str]:
    """Compare profiles byte by byte; return the users whose profile is missing or differs, with the difference."""
    problems = {}
    for user_id, profile in wanted.items():
        found = stored.get(user_id)
        if found is None:
            problems[user_id] = "no profile"
        elif behaviour(found) != behaviour(profile):
            problems[user_id] = (
                f"holds {found.tx_count} payments, must hold {profile.tx_count}, or differs otherwise"
            )
    return problems
