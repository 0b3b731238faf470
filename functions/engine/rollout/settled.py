"""What users with a past see of both sides: only by them a candidate is withdrawn or a rule suspended.

A thief makes accounts, as many as it takes, and decides what rules say of them. If every account counted, a thief could switch off the rule that stops him. So
the guardrails count users who have paid for a while and were believed, each once in five minutes however much they pay.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

import msgspec

from contract.canary import is_flagged_canary
from contract.scored import Decision
from contract.side import Side

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contract.scored import FeatureValue
    from engine.decided import Assessment, Decided
    from engine.rules.ruleset import Ruleset

MIN_AGE_DAYS: Final = 60.0
"""Since the first payment of a user with a past. It is what farmed accounts cost: a thief must have made them two months before, when neither the rule nor the candidate
was there that they are to switch off. A system has no user with a past in its first 60 days: then people are paged, and nothing is switched off by itself."""
MIN_USUAL_PAYMENTS: Final = 10
"""Of a user with a past, before this one: approved, or reviewed and not called fraud. What is blocked makes no past."""
MIN_MEAN_AMOUNT: Final = 5.0
"""Of the usual payments of the last 30 days, in the base currency. A past is kept up with real money; who has not paid in 30 days has none."""
ONCE_IN: Final = timedelta(minutes=5)
"""A user counts once in so long, for each thing that is counted. The shortest window of the guardrails is as long."""
GROUPS: Final = 64
"""Of users. Enough for a steady estimate of the variance; few enough to be kept for every minute."""

_EPOCH: Final = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
_PLACES: Final = {Side.CHAMPION: 1, Side.CANDIDATE: 2}
"""In the counts of a group; the first place, payments of both, is empty, since users are counted for each side."""
_USER, _ALERT, _BLOCK, _ERROR = "user", "alert", "block", "error"

_OfGroups = dict[int, list[int]]


class SettledCounts(msgspec.Struct):
    """Users with a past; those of two times or two processes add up."""

    users: dict[int, int] = {}
    """Group to users."""
    alerts: _OfGroups = {}
    """Group to 0, users of whom the champion reviews or blocks a payment, and users of whom the candidate does."""
    blocks: _OfGroups = {}
    """The same of blocked payments."""
    errors: _OfGroups = {}
    """The same of payments with a rule that failed."""
    champion_hits: dict[str, dict[int, int]] = {}
    """Rule with a largest share to group to users of whom it holds for a payment. Of other rules nobody asks, and a row is small."""
    candidate_hits: dict[str, dict[int, int]] = {}

    def merge(self, other: SettledCounts) -> None:
        """Add what was counted at another time or by another process."""
        _sum(self.users, other.users)
        for sums, parts in (
            (self.alerts, other.alerts),
            (self.blocks, other.blocks),
            (self.errors, other.errors),
        ):
            for group, three in parts.items():
                before = sums.get(group, (0, 0, 0))
                sums[group] = [one + more for one, more in zip(before, three, strict=True)]
        for rules, hits in (
            (self.champion_hits, other.champion_hits),
            (self.candidate_hits, other.candidate_hits),
        ):
            for rule_id, by_group in hits.items():
                _sum(rules.setdefault(rule_id, {}), by_group)


class SettledUsers:
    """Counts users with a past, each once in five minutes. A process has one for each ruleset; a user's payments come to one process at a time.

    Parameters
    ----------
    ruleset : Ruleset
        By which payments are decided.
    """

    def __init__(self, ruleset: Ruleset) -> None:
        self._key = ruleset.digest
        self._limited = {side: _limited(ruleset, side) for side in Side}
        self._interval = -1
        self._seen: dict[str, set[tuple[str, int]]] = {}

    def add(self, counts: SettledCounts, user_id: str, decided: Decided, at: datetime) -> None:
        """Count one payment, if its user has a past and was not counted for the same since the last full five minutes.

        Parameters
        ----------
        counts : SettledCounts
            What is added to.
        user_id : str
            Whose payment it is.
        decided : Decided
            What was decided.
        at : datetime
            The clock of the process, UTC.
        """
        if decided.outcome.repeats or is_flagged_canary(user_id) or not has_past(decided.features):
            return
        interval = (at - _EPOCH) // ONCE_IN
        if interval != self._interval:
            self._interval, self._seen = interval, {}
        seen, group = self._seen.setdefault(user_id, set()), group_of(user_id, self._key)
        if _is_first(seen, _USER, 0):
            counts.users[group] = counts.users.get(group, 0) + 1
        other = Side.CANDIDATE if decided.side is Side.CHAMPION else Side.CHAMPION
        for side, assessment in ((decided.side, decided.assessment), (other, decided.other)):
            if assessment is not None:
                self._add_side(counts, seen, group, side, assessment)

    def _add_side(
        self,
        counts: SettledCounts,
        seen: set[tuple[str, int]],
        group: int,
        side: Side,
        assessment: Assessment,
    ) -> None:
        place = _PLACES[side]
        for what, holds, by_group in (
            (_ALERT, assessment.decision is not Decision.APPROVE, counts.alerts),
            (_BLOCK, assessment.decision is Decision.BLOCK, counts.blocks),
            (_ERROR, bool(assessment.failed_rule_ids), counts.errors),
        ):
            if holds and _is_first(seen, what, place):
                by_group.setdefault(group, [0, 0, 0])[place] += 1
        hits = counts.champion_hits if side is Side.CHAMPION else counts.candidate_hits
        limited = self._limited[side]
        for reason in assessment.reasons if limited else ():
            if reason.rule_id in limited and _is_first(seen, f"rule {reason.rule_id}", place):
                of_rule = hits.setdefault(reason.rule_id, {})
                of_rule[group] = of_rule.get(group, 0) + 1


def has_past(features: Mapping[str, FeatureValue]) -> bool:
    """Whether a payment's user has paid real money for two months and was believed."""
    return (
        float(features["account_age_days"]) >= MIN_AGE_DAYS
        and int(features["usual_tx_count"]) >= MIN_USUAL_PAYMENTS
        and float(features["amount_mean_30d_base"]) >= MIN_MEAN_AMOUNT
    )


def group_of(user_id: str, key: str = "") -> int:
    """The group of a user, 0 to 63.

    Parameters
    ----------
    user_id : str
        The user's id, which its owner may have chosen.
    key : str
        The digest of the ruleset, which nobody outside knows: else somebody could choose ids that lie in one group, or in each.
    """
    data = user_id.encode("utf-8", "surrogatepass")
    return blake2b(data, digest_size=1, key=key.encode()).digest()[0] % GROUPS


def _limited(ruleset: Ruleset, side: Side) -> frozenset[str]:
    """Rules of a side that may be suspended."""
    if side is Side.CANDIDATE and ruleset.candidate is None:
        return frozenset()
    rules = ruleset.of_side(side).rules
    return frozenset(rule.id for rule in rules if rule.max_share is not None and rule.mode == "live")


def _is_first(seen: set[tuple[str, int]], what: str, place: int) -> bool:
    if (what, place) in seen:
        return False
    seen.add((what, place))
    return True


def _sum(sums: dict[int, int], parts: Mapping[int, int]) -> None:
    for key, count in parts.items():
        sums[key] = sums.get(key, 0) + count
