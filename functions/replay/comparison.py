"""Adds up what two rulesets say of the same stored payments, beside what is known of these."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from contract.canary import is_canary
from contract.errors import InvalidRowError
from contract.flagged import FlaggedKey
from contract.scored import Decision, from_history_item
from contract.tried import KnownVerdicts, Rate, RuleChange, TriedExample, TryAnswer
from engine.decide import assess
from engine.features.stored import DamagedFeaturesError, FeatureSetError, read_features
from engine.profile.facts import facts_of_row
from engine.profile.fingerprints import key_hash
from engine.rollout.counts import BOTH, CANDIDATE_ONLY, CHAMPION_ONLY, ByGroup, RolloutCounts
from engine.rollout.difference import ratio
from engine.rollout.settled import group_of
from replay.known_verdicts import FRAUDULENT, LEGITIMATE, MAX_KEYS, Flagged

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from engine.decided import Assessment
    from engine.rollout.changed import Changed, Example
    from engine.rules.ruleset import Ruleset

MAX_RULES: Final = 20
"""Rules that are named as new and as lost, those with the most payments."""

MAX_EXAMPLES: Final = 3
"""Payments that are named for each of them."""

MAX_LOOKED_UP: Final = 10_000
"""Flagged payments whose verdicts are looked up."""

_APPROVED: Final = Decision.APPROVE


class _Labelled(msgspec.Struct):
    """Payments of one verdict that one or both review or block."""

    by_group: ByGroup = {}
    cents: list[int] = msgspec.field(default_factory=lambda: [0, 0, 0])

    def add(self, group: int, place: int, cents: int) -> None:
        self.by_group.setdefault(group, [0, 0, 0])[place] += 1
        self.cents[place] += cents

    def total(self, place: int) -> int:
        return sum(counts[place] for counts in self.by_group.values())


class Comparison:
    """Decides about payments by two rulesets, and counts.

    Parameters
    ----------
    before, after : Ruleset
        The one that decides now, and the proposed one.
    frauds : frozenset[int]
        Hashes of the keys of payments that count as fraud.
    flagged_of : Callable
        Gives what the flagged rows of some payments say; see :meth:`replay.known_verdicts.KnownVerdictsTables.flagged`.
    """

    def __init__(
        self,
        before: Ruleset,
        after: Ruleset,
        frauds: frozenset[int],
        flagged_of: Callable[[Sequence[FlaggedKey]], Mapping[FlaggedKey, Flagged]],
    ) -> None:
        self._before = before
        self._after = after
        self._frauds = frauds
        self._flagged_of = flagged_of
        self._counts = RolloutCounts()
        self._users: set[str] = set()
        self._known_frauds = self._fraud_cents = self._unreadable = self._looked_up = 0
        self._found, self._false_alarms = _Labelled(), _Labelled()
        self._to_look_up: dict[FlaggedKey, tuple[int, int, int]] = {}
        self._is_whole = True
        self.payments = 0
        """That were counted."""

    def add(self, item: Mapping[str, Any]) -> None:
        """Count a payment, given as its row in DynamoDB's wire form. One that cannot be read is counted as such."""
        try:
            self._count(item)
        except (FeatureSetError, DamagedFeaturesError, InvalidRowError):
            self._unreadable += 1

    def so_far(self, share_read: float) -> TryAnswer:
        """How far it is, without the comparison."""
        return TryAnswer(
            payments=self.payments,
            users=len(self._users),
            share_read=share_read,
            unreadable=self._unreadable,
            base_currency=self._before.base_currency,
        )

    def answer(self, share_read: float) -> TryAnswer:
        """Give the comparison.

        Parameters
        ----------
        share_read : float
            Of the history, 0 to 1. From 1 on nothing is estimated, so no figure has an interval.

        Raises
        ------
        ClientError, BotoCoreError, UnansweredError
            When the last verdicts could not be looked up.
        """
        so_far = self.so_far(share_read)
        if not self.payments:
            return so_far
        self._look_up()
        is_sample, counts = share_read < 1, self._counts
        return msgspec.structs.replace(
            so_far,
            alerts=_rate(counts.alerts, counts.alert_cents, is_sample=is_sample),
            blocks=_rate(counts.blocks, counts.block_cents, is_sample=is_sample),
            new=self._rules(counts.new),
            lost=self._rules(counts.lost),
            known=KnownVerdicts(
                frauds=self._known_frauds,
                fraud_cents=self._fraud_cents,
                found=_rate(self._found.by_group, self._found.cents, is_sample=is_sample),
                found_only_before=self._found.total(CHAMPION_ONLY),
                found_only_after=self._found.total(CANDIDATE_ONLY),
                false_alarms=_rate(
                    self._false_alarms.by_group, self._false_alarms.cents, is_sample=is_sample
                ),
                is_whole=self._is_whole,
            ),
        )

    def _count(self, item: Mapping[str, Any]) -> None:
        row = from_history_item(item)
        user_id = row.transaction.user_id
        if row.repeats or is_canary(user_id):
            return
        features, clock_ms = read_features(row.features, row.feature_set), facts_of_row(row).clock_ms
        ours = assess(self._before.deciding_for(user_id), features, row.transaction, clock_ms)
        theirs = assess(self._after.deciding_for(user_id), features, row.transaction, clock_ms)
        cents = round(100 * float(features["amount_base"]))
        self._counts.add_both(user_id, ours, theirs, cents, row.event_key)
        self.payments += 1
        self._users.add(user_id)
        is_fraud = key_hash(row.event_key) in self._frauds
        self._known_frauds += is_fraud
        self._fraud_cents += cents * is_fraud
        place = _flagged_by(ours, theirs)
        if place is None:
            return
        if is_fraud:
            self._found.add(group_of(user_id), place, cents)
        elif row.is_to_be_flagged:
            self._note(FlaggedKey(user_id, row.event_key), (group_of(user_id), place, cents))

    def _note(self, key: FlaggedKey, counted: tuple[int, int, int]) -> None:
        if self._looked_up >= MAX_LOOKED_UP:
            self._is_whole = False
            return
        self._looked_up += 1
        self._to_look_up[key] = counted
        if len(self._to_look_up) == MAX_KEYS:
            self._look_up()

    def _look_up(self) -> None:
        waiting, self._to_look_up = self._to_look_up, {}
        for key, flagged in self._flagged_of([*waiting]).items():
            if flagged.verdict == LEGITIMATE:
                self._false_alarms.add(*waiting[key])

    def _rules(self, changes: Mapping[str, Changed]) -> tuple[RuleChange, ...]:
        most = sorted(changes.items(), key=lambda item: (-item[1].payments, item[0]))[:MAX_RULES]
        examples = {rule_id: changed.examples[-MAX_EXAMPLES:] for rule_id, changed in most}
        keys = {FlaggedKey(each.user_id, each.event_key) for some in examples.values() for each in some}
        ordered = sorted(keys)
        known: dict[FlaggedKey, Flagged] = {}
        for first in range(0, len(ordered), MAX_KEYS):
            known |= self._flagged_of(ordered[first : first + MAX_KEYS])
        return tuple(
            RuleChange(
                rule_id,
                changed.payments,
                changed.cents,
                tuple(self._example(each, known) for each in examples[rule_id]),
            )
            for rule_id, changed in most
        )

    def _example(self, example: Example, known: Mapping[FlaggedKey, Flagged]) -> TriedExample:
        flagged = known.get(FlaggedKey(example.user_id, example.event_key), Flagged("", ""))
        is_fraud = key_hash(example.event_key) in self._frauds
        return TriedExample(
            user_id=example.user_id,
            event_key=example.event_key,
            cents=example.cents,
            before=example.champion.value,
            before_score=example.champion_score,
            after=example.candidate.value,
            after_score=example.candidate_score,
            verdict=FRAUDULENT if is_fraud else flagged.verdict,
            case_id=flagged.case_id,
        )


def _flagged_by(ours: Assessment, theirs: Assessment) -> int | None:
    if ours.decision is _APPROVED:
        return None if theirs.decision is _APPROVED else CANDIDATE_ONLY
    return CHAMPION_ONLY if theirs.decision is _APPROVED else BOTH


def _rate(by_group: ByGroup, cents: list[int], *, is_sample: bool) -> Rate:
    found = ratio(by_group, 1.0)
    has_any = bool(found.champion or found.candidate)
    return Rate(
        before=found.champion,
        after=found.candidate,
        times=found.times,
        interval=(found.least, found.most) if is_sample and has_any else None,
        before_cents=cents[BOTH] + cents[CHAMPION_ONLY],
        after_cents=cents[BOTH] + cents[CANDIDATE_ONLY],
    )
