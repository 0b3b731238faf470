"""The expected results of a stream of payments: folded one after the other, in one process, with no store and no fault.

The oracle shares the engine with the score stage (features, rules, fold), and nothing that makes the stage fault-tolerant.
"""

from __future__ import annotations

from array import array
from operator import attrgetter
from typing import TYPE_CHECKING

import msgspec

from contract.clock import times_of
from contract.errors import InvalidTransactionError
from contract.reason import Reason
from contract.scored import Decision, FeatureValue, OtherVerdict, Position, ScoredTransaction
from contract.side import Side
from contract.transaction import decode_transaction
from contract.verdict import Verdict
from engine.decide import decide
from engine.features.stored import unpack
from engine.profile import Profile, from_bytes, to_bytes
from engine.profile.facts import PaymentFacts
from engine.profile.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping, Sequence

    from engine.rules.ruleset import Ruleset

RowKey = tuple[str, str]
"""``user_id`` and ``event_key``."""


class ExpectedPayment(msgspec.Struct, frozen=True):
    """One payment that the history must contain."""

    facts: PaymentFacts
    position: Position
    """The position of its first record; later ones are repeats."""


class ExpectedRow(msgspec.Struct, frozen=True):
    """The part of a payment's row that follows from the payments before it and the ruleset."""

    risk_score: int
    decision: Decision
    reasons: tuple[Reason, ...]
    shadow_rule_ids: tuple[str, ...]
    failed_rule_ids: tuple[str, ...]
    features: dict[str, FeatureValue]
    profile_version: int
    repeats: int
    releases: tuple[int, ...]
    verdicts: tuple[Verdict, ...]
    side: Side
    other: OtherVerdict | None

    @classmethod
    def of(cls, row: ScoredTransaction) -> ExpectedRow:
        """What a stored row says."""
        fields = {name: getattr(row, name) for name in cls.__struct_fields__}
        return cls(**fields | {"features": unpack(row.features, row.feature_set)})


class _Followed:
    """The payments of one user in order, and how far their rows were compared."""

    def __init__(self) -> None:
        self.payments: list[ExpectedPayment] = []
        self.next = 0
        self.profile = Profile()


class Oracle:
    """Computes what must be stored. Takes the records of each user in the order in which they are in Kafka.

    What a payment teaches depends on the decision on it, so the oracle follows the stored rows: each must be what follows from the
    payments before it and what their rows say.

    Attributes
    ----------
    payments : dict[RowKey, ExpectedPayment]
        Every payment, once.
    rejected : set[Position]
        Records that are not valid payments.
    raced : set[Position]
        Rows that differ because their writer said so: they were decided behind a row that was stored otherwise meanwhile.
    """

    def __init__(self) -> None:
        self.payments: dict[RowKey, ExpectedPayment] = {}
        self.rejected: set[Position] = set()
        self.raced: set[Position] = set()
        self._users: dict[str, _Followed] = {}

    @property
    def profiles(self) -> dict[str, Profile]:
        """Profile of each user after the last payment whose row, and all earlier ones, were followed."""
        return {user_id: user.profile for user_id, user in self._users.items()}

    def take(
        self, position: Position, value: bytes | None, appended_at_ms: int, *, is_trusted: bool = False
    ) -> None:
        """Read one record, and expect its row unless it is invalid or sent before."""
        try:
            transaction = decode_transaction(value or b"")
        except InvalidTransactionError:
            self.rejected.add(position)
            return
        times = times_of(transaction.timestamp, appended_at_ms, is_trusted=is_trusted)
        facts = PaymentFacts.of(transaction, times)
        key = (transaction.user_id, facts.event_key)
        if key in self.payments:
            return
        self.payments[key] = expected = ExpectedPayment(facts, position)
        self._users.setdefault(transaction.user_id, _Followed()).payments.append(expected)

    def follow(
        self,
        rows: Mapping[RowKey, ScoredTransaction],
        ruleset_of: Callable[[str], Ruleset | None],
        raced: Container[Position] = (),
        verdicts_of: Callable[[ScoredTransaction], Sequence[Verdict]] = attrgetter("verdicts"),
    ) -> dict[RowKey, str]:
        """Compare stored rows: those of each user whose earlier rows are all stored.

        Parameters
        ----------
        rows : Mapping[RowKey, ScoredTransaction]
            All rows that are stored.
        ruleset_of : Callable
            Returns the ruleset of a row's ``ruleset_version``; None if it was never active.
        raced : Container[Position]
            Rows that their writers listed as decided behind one that was stored otherwise.
        verdicts_of : Callable
            Returns what the writer of a row knew of people's verdicts; the default is what the row says that it applied.

        Returns
        -------
        dict[RowKey, str]
            The rows that differ and may not, with the differences; none that an earlier call has compared.
        """
        problems = dict.fromkeys(rows.keys() - self.payments.keys(), "it was never sent")
        for user in self._users.values():
            while user.next < len(user.payments):
                expected = user.payments[user.next]
                key = (expected.facts.transaction.user_id, expected.facts.event_key)
                row = rows.get(key)
                if row is None:
                    break  # what comes behind it is compared once it is stored
                ruleset, verdicts = ruleset_of(row.ruleset_version), verdicts_of(row)
                problem = _problem(expected, row, user.profile, ruleset, verdicts)
                if problem is not None and row.position in raced:
                    self.raced.add(row.position)
                elif problem is not None:
                    problems[key] = problem
                user.profile.fold_row(expected.facts, Outcome.of(row), expected.position)
                user.next += 1
        return problems


def _expected_row(
    facts: PaymentFacts,
    profile: Profile,
    ruleset: Ruleset,
    stored: Mapping[str, FeatureValue],
    verdicts: Sequence[Verdict],
) -> ExpectedRow:
    """The row that follows from a profile, which is not changed, given what the stored row says of the payment's entities."""
    profile_version = profile.tx_count
    decided = decide(facts, from_bytes(to_bytes(profile)), ruleset, verdicts, stored)
    assessment, other = decided.assessment, decided.other
    return ExpectedRow(
        assessment.risk_score,
        assessment.decision,
        assessment.reasons,
        assessment.shadow_rule_ids,
        assessment.failed_rule_ids,
        dict(decided.features),
        profile_version,
        decided.outcome.repeats,
        decided.outcome.lessons.releases,
        decided.outcome.lessons.verdicts,
        decided.side,
        None if other is None else OtherVerdict(other.decision, other.risk_score),
    )


def _problem(
    expected: ExpectedPayment,
    row: ScoredTransaction,
    profile: Profile,
    ruleset: Ruleset | None,
    verdicts: Sequence[Verdict],
) -> str | None:
    if ruleset is None:
        return f"ruleset {row.ruleset_version} was never active"
    if (row.transaction, row.position) != (expected.facts.transaction, expected.position):
        return f"stored from {row.position}; its first record is at {expected.position}"
    stored = ExpectedRow.of(row)
    wanted = _expected_row(expected.facts, profile, ruleset, stored.features, verdicts)
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
    """A profile's bytes without its offsets and checkpoints, which also depend on repeats and restarts."""
    bare = from_bytes(to_bytes(profile))
    bare.partitions, bare.offsets = array("I"), array("q")
    bare.kept_count, bare.kept_at_ms, bare.is_behind_checkpoint = 0, -1, False
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
