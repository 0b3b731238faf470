"""Whether payments are still like those that a model was trained on: its inputs and scores, counted by bins and compared with the training window.

Pure. The bins are the model's own, so a change within a bin, which the model cannot see, is none.
"""

from __future__ import annotations

from bisect import bisect_left
from math import log
from typing import TYPE_CHECKING, Annotated, Final, TypeVar

import msgspec
from msgspec import Meta

from engine.errors import InvalidModelError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from contract.scored import FeatureValue
    from engine.model.tables import Model

SAMPLED: Final = 16
"""Of so many payments one is counted: 16 µs each, 1 µs a payment."""

SCORE_EDGES: Final = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
"""Upper ends of the bins of a probability; the last bin is above."""

MIN_SHARE: Final = 0.05
"""Neighbouring bins are put together until they hold so much of the training window: small ones would drift by chance."""

MIN_PAYMENTS: Final = 1_000
"""With fewer payments nothing is compared: chance alone would give a value of 0.01 with ten bins."""

SHIFTED: Final = 0.25
"""From this population stability index on, a distribution is another one; from 0.1 on it has moved (N. Siddiqi, Credit Risk Scorecards, 2006)."""

_PROBABILITY_UNITS: Final = 10_000
_HALF: Final = 0.5

_Key = TypeVar("_Key", int, str)
_Share = Annotated[float, Meta(ge=0, le=1)]


class InputCounts(msgspec.Struct):
    """What payments were like, in any time; those of two times or two processes add up."""

    payments: int = 0
    bins: dict[str, dict[int, int]] = {}
    """Feature to bin to payments."""
    scores: dict[int, int] = {}
    """Bin of the probability to payments."""
    probability: int = 0
    """Sum of the probabilities, in ten-thousandths."""
    invalid_fields: dict[str, int] = {}
    """Field to payments in which it could not be used."""

    def add(self, model: Model, features: Mapping[str, FeatureValue], invalid_fields: Iterable[str]) -> None:
        """Count one payment: the model's inputs, and what it says of them."""
        probability = model.fraud_probability(features)
        self.payments += 1
        self.probability += round(probability * _PROBABILITY_UNITS)
        place = score_bin(probability)
        self.scores[place] = self.scores.get(place, 0) + 1
        for name, number in model.binned(features):
            of_feature = self.bins.setdefault(name, {})
            of_feature[number] = of_feature.get(number, 0) + 1
        for field in invalid_fields:
            self.invalid_fields[field] = self.invalid_fields.get(field, 0) + 1

    def merge(self, other: InputCounts) -> None:
        """Add what was counted elsewhere."""
        self.payments += other.payments
        self.probability += other.probability
        _sum(self.scores, other.scores)
        _sum(self.invalid_fields, other.invalid_fields)
        for name, counts in other.bins.items():
            _sum(self.bins.setdefault(name, {}), counts)

    @property
    def expected_frauds(self) -> float:
        """How many of the payments are fraud if the model is right."""
        return self.probability / _PROBABILITY_UNITS


class Baseline(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the payments of a model's training window were like; kept beside the model."""

    model: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    """The model's sha256."""
    payments: Annotated[float, Meta(gt=0)]
    features: dict[str, list[_Share]]
    """Feature to the share of payments in each of its bins."""
    scores: list[_Share]
    """The same of the probability, by :data:`SCORE_EDGES`."""


class Drift(msgspec.Struct, frozen=True):
    """How far payments are from the training window."""

    payments: int
    score: float | None
    """Population stability index of the probability; None with fewer than :data:`MIN_PAYMENTS` payments."""
    features: dict[str, float]
    """The same of each input, the largest first."""

    @property
    def largest(self) -> float | None:
        """Of all inputs."""
        return max(self.features.values(), default=None)


def score_bin(probability: float) -> int:
    """The bin of a probability.

    Examples
    --------
    >>> score_bin(0.0), score_bin(0.03), score_bin(0.9)
    (0, 6, 10)
    """
    return bisect_left(SCORE_EDGES, probability)


def read_baseline(data: bytes, source: str) -> Baseline:
    """Read a baseline.

    Raises
    ------
    InvalidModelError
        Where it is none.
    """
    try:
        return msgspec.json.decode(data, type=Baseline)
    except msgspec.MsgspecError as error:
        raise InvalidModelError(source, (str(error),)) from error


def drift(baseline: Baseline, counts: InputCounts) -> Drift:
    """Compare payments with the training window.

    Parameters
    ----------
    baseline : Baseline
        Of the model,
    counts : InputCounts
        by which these were counted.
    """
    if counts.payments < MIN_PAYMENTS:
        return Drift(counts.payments, None, {})
    indexes = {
        name: stability_index(shares, counts.bins.get(name, {})) for name, shares in baseline.features.items()
    }
    by_size = sorted(indexes.items(), key=lambda item: (-item[1], item[0]))
    return Drift(counts.payments, stability_index(baseline.scores, counts.scores), dict(by_size))


def stability_index(shares: Sequence[float], counts: Mapping[int, int]) -> float:
    """Population stability index: the sum of (share now - share then) * ln(share now / share then) over the bins.

    Parameters
    ----------
    shares : Sequence[float]
        Of the training window, by bin.
    counts : Mapping[int, int]
        Bin to payments now; at least one.

    Returns
    -------
    float
        >= 0; 0 for equal distributions. Each group of bins counts half a payment more, so that an empty one is no division by zero.

    Examples
    --------
    >>> stability_index([0.5, 0.5], {0: 5_000, 1: 5_000})
    0.0
    >>> round(stability_index([0.5, 0.5], {0: 9_000, 1: 1_000}), 2)
    0.88
    """
    groups = _groups(shares)
    now = [_HALF] * len(groups)
    for group, bins in enumerate(groups):
        now[group] += sum(counts.get(each, 0) for each in bins)
    then = [sum(shares[each] for each in bins) for bins in groups]
    total_now, total_then = sum(now), sum(then)
    least = _HALF / total_now
    pairs = [(one / total_now, max(other / total_then, least)) for one, other in zip(now, then, strict=True)]
    return sum((one - other) * log(one / other) for one, other in pairs)


def _groups(shares: Sequence[float]) -> list[list[int]]:
    """Neighbouring bins together, each group with :data:`MIN_SHARE` of the training window."""
    groups: list[list[int]] = [[]]
    held = 0.0
    for place, share in enumerate(shares):
        if held >= MIN_SHARE:
            groups.append([])
            held = 0.0
        groups[-1].append(place)
        held += share
    if held < MIN_SHARE and len(groups) > 1:
        last = groups.pop()
        groups[-1] += last
    return groups


def _sum(sums: dict[_Key, int], parts: Mapping[_Key, int]) -> None:
    for key, count in parts.items():
        sums[key] = sums.get(key, 0) + count
