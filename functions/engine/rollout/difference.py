"""How sure a difference between two sides is: both judged the same payments, and users are independent of each other, payments are not.

Every figure comes from the sums of groups of users, so it needs no assumption about how the payments of one user hang together.
"""

from __future__ import annotations

from math import ceil, exp, inf, log, sqrt
from typing import TYPE_CHECKING, Final

import msgspec

from engine.rollout.counts import BOTH, CANDIDATE_ONLY, CHAMPION_ONLY
from engine.rollout.settled import GROUPS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_INTERVAL: Final = 2.0
"""Standard errors on either side of a difference within which it lies in 95 cases of 100 (Student's t of 63 degrees of freedom)."""

MAX_DAYS: Final = 3_650
"""A difference that takes longer than that will not be known."""


class Ratio(msgspec.Struct, frozen=True):
    """The candidate's payments of some kind as a multiple of the champion's."""

    champion: int
    candidate: int
    """Payments of each side."""
    times: float
    """Candidate by champion; each counts half a payment more, so that none is no division by zero."""
    least: float
    most: float
    """Between these it lies in 95 cases of 100."""
    days_until_known: float | None
    """Days from now until a difference of this size is known, at the pace so far; 0 where it is, None where it takes over ten years."""

    @property
    def is_noise(self) -> bool:
        """Whether the sides may as well be equal."""
        return self.least <= 1 <= self.most

    @property
    def sentence(self) -> str:
        """For people: how far the sides differ, and whether that may be chance.

        Examples
        --------
        >>> Ratio(24, 29, 1.204, 0.843, 1.72, 3.2).sentence
        '29 payments of the candidate, 24 of the champion: 1.2 times as many (0.843 to 1.72). It may be chance; known in about 4 days.'
        """
        if not self.champion and not self.candidate:
            return "No payment of either side."
        counts = f"{self.candidate:,} payments of the candidate, {self.champion:,} of the champion"
        figure = f"{self.times:.3g} times as many ({self.least:.3g} to {self.most:.3g})"
        if not self.is_noise:
            return f"{counts}: {figure}. It is not chance."
        if self.days_until_known is None:
            return f"{counts}: {figure}. It may be chance, and a difference this small will not be known."
        days = max(ceil(self.days_until_known), 1)
        return f"{counts}: {figure}. It may be chance; known in about {days:,} day{'s' if days > 1 else ''}."


def excess(by_group: Sequence[float]) -> float:
    """By how many standard errors the sum of the groups is above 0 (Student's t).

    Parameters
    ----------
    by_group : Sequence[float]
        What each of :data:`~engine.rollout.counts.GROUPS` groups adds, which is 0 in expectation where nothing is wrong.

    Returns
    -------
    float
        Negative below 0; 0 where no group adds anything.

    Examples
    --------
    >>> excess([1.0] + [0.0] * 63), excess([1.0, 0.0] * 32)
    (1.0, 7.937253933193771)
    """
    mean = sum(by_group) / GROUPS
    variance = sum((each - mean) ** 2 for each in by_group) / (GROUPS - 1)
    if not variance:
        return inf if mean > 0 else 0.0
    return mean / sqrt(variance / GROUPS)


def beyond(
    counts: Mapping[int, list[int]], payments: Mapping[int, int], times: float, share: float = 0.0
) -> float:
    """By how many standard errors the candidate has more payments of a kind than ``times`` the champion's and ``share`` of all."""
    return excess(
        [
            _candidates(counts, group) - times * _champions(counts, group) - share * payments.get(group, 0)
            for group in range(GROUPS)
        ]
    )


def short_of(counts: Mapping[int, list[int]], times: float) -> float:
    """By how many standard errors the candidate has fewer payments of a kind than ``times`` the champion's."""
    return excess([times * _champions(counts, group) - _candidates(counts, group) for group in range(GROUPS)])


def above_share(hits: Mapping[int, int], payments: Mapping[int, int], share: float) -> float:
    """By how many standard errors something holds for more than ``share`` of all payments, 0 to 1."""
    return excess([hits.get(group, 0) - share * payments.get(group, 0) for group in range(GROUPS)])


def ratio(counts: Mapping[int, list[int]], days: float) -> Ratio:
    """Compare the sides.

    Parameters
    ----------
    counts : Mapping[int, list[int]]
        Payments or users of one kind, as :data:`~engine.rollout.counts.ByGroup`.
    days : float
        In which they were counted; > 0.

    Returns
    -------
    Ratio
        The interval is a jackknife's over the groups (Efron and Stein, Annals of Statistics 9(3), 1981), of the logarithm.
    """
    champion = [_champions(counts, group) for group in range(GROUPS)]
    candidate = [_candidates(counts, group) for group in range(GROUPS)]
    ours, theirs = sum(champion), sum(candidate)
    found = log((theirs + 0.5) / (ours + 0.5))
    without = [
        log((theirs - candidate[group] + 0.5) / (ours - champion[group] + 0.5)) for group in range(GROUPS)
    ]
    mean = sum(without) / GROUPS
    error = sqrt((GROUPS - 1) / GROUPS * sum((each - mean) ** 2 for each in without))
    if ours == theirs == 0:
        return Ratio(0, 0, 1.0, 0.0, inf, None)
    margin = _INTERVAL * error
    return Ratio(
        ours, theirs, exp(found), exp(found - margin), exp(found + margin), _days(found, margin, days)
    )


def _days(found: float, margin: float, days: float) -> float | None:
    if not found:
        return None
    # The margin shrinks with the square root of the time.
    left = days * ((margin / found) ** 2 - 1)
    return None if left > MAX_DAYS else max(left, 0.0)


def _champions(counts: Mapping[int, list[int]], group: int) -> int:
    three = counts.get(group)
    return 0 if three is None else three[BOTH] + three[CHAMPION_ONLY]


def _candidates(counts: Mapping[int, list[int]], group: int) -> int:
    three = counts.get(group)
    return 0 if three is None else three[BOTH] + three[CANDIDATE_ONLY]
