"""What must come of a stream of payments: one after the other, in one process, by plain folding, with no store and no fault.

It shares the pure parts with the score stage (features, rules, fold) and nothing of what makes the stage fault-tolerant.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

import msgspec

from contract.errors import InvalidTransactionError
from contract.scored import Decision, FeatureValue, Position, Reason, ScoredTransaction
from contract.transaction import decode_transaction
from engine.decide import decide
from engine.features.catalogue import FEATURE_NAMES
from engine.profile import Profile
from engine.profile.profile import PaymentFacts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from engine.rules.ruleset import Ruleset

RowKey = tuple[str, str]
"""``user_id`` and ``event_key``."""


class Expected(msgspec.Struct, frozen=True):
    """One payment as it must stand in the history."""

    facts: PaymentFacts
    position: Position
    """Of its first record; later ones are repeats."""
    profile_before: bytes


class Verdict(msgspec.Struct, frozen=True):
    """Everything in a row that follows from the payments before it and the ruleset."""

    risk_score: int
    decision: Decision
    reasons: tuple[Reason, ...]
    shadow_rule_ids: tuple[str, ...]
    failed_rule_ids: tuple[str, ...]
    features: tuple[FeatureValue, ...]
    profile_version: int

    @classmethod
    def of(cls, row: ScoredTransaction) -> Verdict:
        """What a stored row says."""
        return cls(**{name: getattr(row, name) for name in cls.__struct_fields__})


class Oracle:
    """Takes records in the order in which each user's stand in Kafka.

    Attributes
    ----------
    payments : dict[RowKey, Expected]
        Every payment, once.
    rejected : set[Position]
        Records that are no valid payments.
    profiles : dict[str, Profile]
        By user, as of the last record taken.
    """

    def __init__(self) -> None:
        self.payments: dict[RowKey, Expected] = {}
        self.rejected: set[Position] = set()
        self.profiles: dict[str, Profile] = {}

    def take(self, position: Position, value: bytes | None, now: datetime) -> None:
        """Read one record, and fold it unless it is invalid or a repeat."""
        try:
            transaction = decode_transaction(value or b"", now)
        except InvalidTransactionError:
            self.rejected.add(position)
            return
        key = (transaction.user_id, transaction.event_key)
        if key in self.payments:
            return
        profile = self.profiles.setdefault(transaction.user_id, Profile())
        facts = PaymentFacts.of(transaction)
        self.payments[key] = Expected(facts, position, profile.to_bytes())
        profile.fold(facts, position)

    def verdict(self, key: RowKey, ruleset: Ruleset) -> Verdict:
        """What must be decided about a payment under a ruleset."""
        expected = self.payments[key]
        profile = Profile.from_bytes(expected.profile_before)
        decided = decide(expected.facts, profile, ruleset)
        assessment = decided.assessment
        return Verdict(
            assessment.risk_score,
            assessment.decision,
            assessment.reasons,
            assessment.shadow_rule_ids,
            assessment.failed_rule_ids,
            tuple(decided.features.values()),
            profile.tx_count,
        )

    def problems_of(
        self, rows: Iterable[ScoredTransaction], ruleset_of: Callable[[str], Ruleset | None]
    ) -> dict[RowKey, str]:
        """Compare stored rows.

        Parameters
        ----------
        rows : Iterable[ScoredTransaction]
            Any number of them.
        ruleset_of : Callable
            Gives the ruleset of a row's ``ruleset_version``; None where it was never in force.

        Returns
        -------
        dict[RowKey, str]
            The rows that are not as they must be, with what is wrong.
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
            return "nobody sent it"
        if ruleset is None:
            return f"ruleset {row.ruleset_version} was never in force"
        if (row.transaction, row.position) != (expected.facts.transaction, expected.position):
            return f"stored from {row.position}; its first record stands at {expected.position}"
        stored, wanted = Verdict.of(row), self.verdict(key, ruleset)
        changed = [
            f"{name} is {getattr(stored, name)!r}, must be {getattr(wanted, name)!r}"
            for name in Verdict.__struct_fields__
            if name != "features" and getattr(stored, name) != getattr(wanted, name)
        ]
        names = zip(FEATURE_NAMES, stored.features, wanted.features, strict=True)
        changed += [
            f"feature {name} is {got!r}, must be {want!r}" for name, got, want in names if got != want
        ]
        return "; ".join(changed) or None


def behaviour(profile: Profile) -> bytes:
    """A profile's bytes without its memory of offsets, which also counts repeats and restarts."""
    bare = Profile.from_bytes(profile.to_bytes())
    bare.partitions, bare.offsets = array("I"), array("q")
    return bare.to_bytes()


def profile_problems(stored: Mapping[str, Profile | None], wanted: Mapping[str, Profile]) -> dict[str, str]:
    """Compare profiles to the byte; returns the users whose profile is missing or another, with what is wrong."""
    problems = {}
    for user_id, profile in wanted.items():
        found = stored.get(user_id)
        if found is None:
            problems[user_id] = "no profile"
        elif behaviour(found) != behaviour(profile):
            problems[user_id] = f"holds {found.tx_count} payments, must hold {profile.tx_count}, or others"
    return problems
