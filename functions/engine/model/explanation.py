"""Shares a model's points among its terms, and says each in words: reasons beside those of the rules."""

from __future__ import annotations

from math import floor
from typing import TYPE_CHECKING, Final

from contract.reason import Reason
from engine.model.wording import WORDING
from engine.rules.reasons import sentence

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from contract.scored import FeatureValue
    from engine.model.tables import Model

MODEL_RULE_ID: Final = "model"
"""The id of a model's reasons begins with it; a term's features follow, as in ``model.amount_base+is_new_device``. No rule's id has a
dot."""

MAX_REASONS: Final = 5
"""So many terms, those that say most, share the points. Many small reasons would explain nothing."""


def model_reasons(
    model: Model, features: Mapping[str, FeatureValue], points: int, base_currency: str
) -> list[Reason]:
    """Explain the points that a model gives a payment.

    Parameters
    ----------
    model : Model
        The model.
    features : Mapping[str, FeatureValue]
        Every feature.
    points : int
        What the ruleset gives for the probability; not 0.
    base_currency : str
        ISO 4217 code.

    Returns
    -------
    list[Reason]
        In the order of the terms. Their points add up to ``points``; each has the sign of ``points`` and is not 0. Where no term has that
        sign, one reason names the payment as a whole.
    """
    sign = 1 if points > 0 else -1
    speaking = [each for each in model.contributions(features) if each.log_odds * sign > 0]
    strongest = sorted(speaking, key=lambda each: -abs(each.log_odds))[:MAX_REASONS]
    if not strongest:
        like = "like" if sign > 0 else "unlike"
        return [Reason(MODEL_RULE_ID, points, f"The model: the payment as a whole is {like} earlier fraud.")]
    shares = share_out(abs(points), [abs(each.log_odds) for each in strongest])
    return [
        Reason(
            f"{MODEL_RULE_ID}.{'+'.join(each.features)}",
            sign * share,
            f"The model: {'; '.join(_worded(name, features, base_currency) for name in each.features)}.",
        )
        for each, share in zip(strongest, shares, strict=True)
        if share
    ]


def share_out(points: int, weights: Sequence[float]) -> list[int]:
    """Share points in proportion to weights, by the method of the largest remainder.

    Parameters
    ----------
    points : int
        At least 0.
    weights : Sequence[float]
        Above 0; at least one.

    Returns
    -------
    list[int]
        As long as ``weights``, in their order; the sum is ``points``. Of equal remainders the earlier comes first.

    Examples
    --------
    >>> share_out(10, [3.0, 3.0, 1.0])
    [4, 4, 2]
    """
    total = sum(weights)
    exact = [points * weight / total for weight in weights]
    shares = [floor(each) for each in exact]
    by_remainder = sorted(range(len(weights)), key=lambda place: shares[place] - exact[place])
    for place in by_remainder[: points - sum(shares)]:
        shares[place] += 1
    return shares


def _worded(name: str, features: Mapping[str, FeatureValue], base_currency: str) -> str:
    words = WORDING[name]
    template = words if isinstance(words, str) else words[not features[name]]
    return sentence(template, features, base_currency)
