"""Tries a proposed ruleset on stored payments, beside the one from which it was made."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec

from contract.errors import InvalidRowError
from contract.scored import from_history_item
from contract.tried import Rate, RuleChange, TryAnswer, TryRequest
from engine.decide import assess
from engine.errors import InvalidRulesetError
from engine.features.stored import DamagedFeaturesError, FeatureSetError, read_features
from engine.profile.facts import facts_of_row
from engine.replay import UnknownRulesetError
from engine.rollout.counts import BOTH, CANDIDATE_ONLY, CHAMPION_ONLY, RolloutCounts
from engine.rollout.difference import ratio
from replay.sample import SEGMENTS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from engine.rollout.changed import Changed
    from engine.rollout.counts import ByGroup
    from engine.rules.ruleset import Ruleset
    from replay.sample import HistorySample

MAX_PAYMENTS: Final = 20_000
MAX_RULES: Final = 20
"""Rules that are named as new and as lost, those with the most payments."""
BUDGET: Final = timedelta(seconds=8)
"""For reading and deciding: the function has 15 s, and the page that asks has 25."""


class Rulesets(Protocol):
    """The calls to rulesets; see :class:`replay.kept_rulesets.KeptRulesets`."""

    def ruleset(self, digest: str) -> Ruleset:
        """Give a ruleset that was active."""
        ...

    def proposed(self, sha256: str) -> Ruleset:
        """Give a ruleset that was proposed."""
        ...


class Trial:
    """Tries proposed rulesets.

    Parameters
    ----------
    sample : HistorySample
        Stored payments.
    rulesets : Rulesets
        Gives both rulesets.
    clock : Callable
        The time, aware, UTC.
    """

    def __init__(self, sample: HistorySample, rulesets: Rulesets, clock: Callable[[], datetime]) -> None:
        self._sample = sample
        self._rulesets = rulesets
        self._clock = clock

    def handle(self, event: Any) -> Any:
        """Answer a :class:`~contract.tried.TryRequest` by a :class:`~contract.tried.TryAnswer`, as JSON's types.

        Raises
        ------
        msgspec.ValidationError
            For an event of another form.
        ClientError, BotoCoreError, StageError
            Where a table or the bucket did not answer.
        """
        request = msgspec.convert(event, TryRequest)
        try:
            before = self._rulesets.ruleset(request.digest_before)
            after: Ruleset | None = self._rulesets.proposed(request.proposal)
        except UnknownRulesetError as error:
            return msgspec.to_builtins(TryAnswer(why_not=str(error)))
        except InvalidRulesetError as error:
            # Without its excerpt: a line of a document may hold an address or a device of a list.
            return msgspec.to_builtins(TryAnswer(why_not=error.problems[0].without_excerpt))
        if request.is_candidate and after is not None:
            # All users are on its side, and none on that of the active candidate: a share of them would say less of both.
            before = before.without_candidate()
            after = None if after.candidate is None else after.candidate.ruleset
        if after is None:
            return msgspec.to_builtins(TryAnswer(why_not="The proposed document has no candidate."))
        return msgspec.to_builtins(self._compare(before, after, timedelta(days=request.days)))

    def _compare(self, before: Ruleset, after: Ruleset, span: timedelta) -> TryAnswer:
        began, counts = self._clock(), RolloutCounts()
        users: set[str] = set()
        payments = unreadable = 0

        def has_time() -> bool:
            return payments < MAX_PAYMENTS and self._clock() - began < BUDGET

        first = began.microsecond % SEGMENTS  # by chance, so that another try sees other users
        for item in self._sample.rows(began - span, first, has_time):
            try:
                is_counted = _count(item, before, after, counts)
            except (FeatureSetError, DamagedFeaturesError, InvalidRowError):
                unreadable += 1
                continue
            if is_counted:
                payments += 1
                users.add(item["user_id"]["S"])
        return _answer(
            counts,
            payments=payments,
            users=len(users),
            share_read=self._sample.parts_read / SEGMENTS,
            unreadable=unreadable,
            base_currency=before.base_currency,
        )


def _count(item: Mapping[str, Any], before: Ruleset, after: Ruleset, counts: RolloutCounts) -> bool:
    row = from_history_item(item)
    if row.repeats:
        return False
    features, clock_ms = read_features(row.features, row.feature_set), facts_of_row(row).clock_ms
    user_id = row.transaction.user_id
    ours = assess(before.deciding_for(user_id), features, row.transaction, clock_ms)
    theirs = assess(after.deciding_for(user_id), features, row.transaction, clock_ms)
    cents = round(100 * float(features["amount_base"]))
    counts.add_both(user_id, ours, theirs, cents, row.event_key)
    return True


def _answer(counts: RolloutCounts, **facts: Any) -> TryAnswer:
    if not facts["payments"]:
        return TryAnswer(**facts)
    return TryAnswer(
        alerts=_rate(counts.alerts, counts.alert_cents),
        blocks=_rate(counts.blocks, counts.block_cents),
        new=_rules(counts.new),
        lost=_rules(counts.lost),
        **facts,
    )


def _rate(by_group: ByGroup, cents: list[int]) -> Rate:
    found = ratio(by_group, 1.0)
    return Rate(
        before=found.champion,
        after=found.candidate,
        times=found.times,
        least=found.least,
        most=found.most,
        before_cents=cents[BOTH] + cents[CHAMPION_ONLY],
        after_cents=cents[BOTH] + cents[CANDIDATE_ONLY],
    )


def _rules(changes: Mapping[str, Changed]) -> tuple[RuleChange, ...]:
    by_payments = sorted(changes.items(), key=lambda item: (-item[1].payments, item[0]))
    return tuple(
        RuleChange(rule_id, changed.payments, changed.cents) for rule_id, changed in by_payments[:MAX_RULES]
    )
