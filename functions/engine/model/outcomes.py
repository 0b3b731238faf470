"""What became of payments, as far as people have said: how soon it is known, how right alerts are, and whether the model's probabilities hold. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from math import ceil
from typing import TYPE_CHECKING, Final

import msgspec

from engine.model.drift import SCORE_EDGES, score_bin

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

MATURE_AFTER: Final = timedelta(days=30)
"""After which most of a payment's labels are known: chargebacks take weeks."""
MATURE_SPAN: Final = timedelta(days=30)
"""Of how many days' payments the probabilities are compared with what became known."""
RECENT: Final = timedelta(days=30)
"""Labels that became known in this time say how late labels are, and how right alerts."""
MIN_FRAUDS: Final = 20
"""With fewer frauds, known or expected, probabilities are not judged."""


class JudgedPayment(msgspec.Struct, frozen=True):
    """A payment with the label that counts."""

    occurred_at: datetime
    """UTC."""
    known_at: datetime
    """When its label became known, UTC."""
    is_fraud: bool
    is_flagged: bool
    """Reviewed or blocked."""
    probability: float | None
    """What the model said; None where another model decided, or none."""


class Outcomes(msgspec.Struct, frozen=True):
    """What labels say of alerts and of the model."""

    labels: int
    """That became known lately, of those that were read."""
    newest_known_at: datetime | None
    delay_days: float | None
    """Half of the labels became known so many days after their payment, or sooner."""
    late_delay_days: float | None
    """Nine of ten did."""
    precision: float | None
    """Share of fraud among flagged payments with a label, 0 to 1."""
    known_frauds: float
    """Of the payments of the time in which labels are complete; for all payments, where a share of the labels was read."""
    expected_frauds: float
    """Of the same payments, by the model."""
    by_score: tuple[tuple[float, float, float], ...]
    """For each bin of the probability its upper end, the payments, and the frauds that became known."""

    @property
    def calibration(self) -> float | None:
        """Known frauds for each that the model expected; None with too few to say."""
        if max(self.known_frauds, self.expected_frauds) < MIN_FRAUDS or not self.expected_frauds:
            return None
        return self.known_frauds / self.expected_frauds


def mature_window(now: datetime) -> tuple[datetime, datetime]:
    """The time whose payments have their labels: from when until when."""
    return now - MATURE_AFTER - MATURE_SPAN, now - MATURE_AFTER


def outcomes(
    judged: Iterable[JudgedPayment],
    share_read: float,
    expected_frauds: float,
    payments_by_score: Mapping[int, int],
    now: datetime,
) -> Outcomes:
    """Compare what people said with what was decided.

    Parameters
    ----------
    judged : Iterable[JudgedPayment]
        Of labels that were read.
    share_read : float
        Which share of all labels that was, above 0, to 1.
    expected_frauds : float
        Of the payments of :func:`mature_window`, by the model.
    payments_by_score : Mapping[int, int]
        The same payments, by bin of the probability.
    now : datetime
        UTC.
    """
    everything = list(judged)
    since, until = mature_window(now)
    recent = [each for each in everything if each.known_at > now - RECENT]
    delays = sorted((each.known_at - each.occurred_at) / timedelta(days=1) for each in recent)
    flagged = [each.is_fraud for each in recent if each.is_flagged]
    mature = [
        each.probability
        for each in everything
        if each.is_fraud and each.probability is not None and since <= each.occurred_at < until
    ]
    frauds: dict[int, int] = {}
    for probability in mature:
        place = score_bin(probability)
        frauds[place] = frauds.get(place, 0) + 1
    by_score = tuple(
        (edge, float(payments_by_score.get(place, 0)), frauds.get(place, 0) / share_read)
        for place, edge in enumerate((*SCORE_EDGES, 1.0))
    )
    return Outcomes(
        labels=len(recent),
        newest_known_at=max((each.known_at for each in everything), default=None),
        delay_days=_quantile(delays, 0.5),
        late_delay_days=_quantile(delays, 0.9),
        precision=sum(flagged) / len(flagged) if flagged else None,
        known_frauds=len(mature) / share_read,
        expected_frauds=expected_frauds,
        by_score=by_score,
    )


def _quantile(ascending: Sequence[float], share: float) -> float | None:
    return ascending[max(ceil(share * len(ascending)) - 1, 0)] if ascending else None
