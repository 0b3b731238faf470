"""Who reports the simulated fraud, and when: mostly the user after some days, some a bank after weeks, some nobody; and a few are wrong.

The messages are those of the labels queue. Shares and delays are of the order that card schemes and issuers publish: most users find a
fraud on their next look at the account, chargebacks take weeks, and of small amounts many are never disputed.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import msgspec

from contract.label import FraudType, LabelMessage, LabelSource, LabelVerdict
from simulator.draws import Draws

if TYPE_CHECKING:
    from contract.truth import SentPayment

DAY: Final = timedelta(days=1)

WRONG_SHARE: Final = 0.0005
"""Of honest payments: their user does not recognise them and reports fraud. Half of these are withdrawn."""

MAX_DELAY_DAYS: Final = 90.0


class Reporter(msgspec.Struct, frozen=True):
    """Somebody who reports fraud."""

    share: float
    """Of the incidents, 0 to 1."""
    source: LabelSource
    median_days: float
    """From a payment to its report."""
    sigma: float
    """Standard deviation of the delay's logarithm."""
    confidence: float = 1.0


REPORTERS: Final = (
    Reporter(0.50, LabelSource.CUSTOMER, 2.0, 0.9),
    Reporter(0.07, LabelSource.EARLY_WARNING, 4.0, 0.5, confidence=0.9),
    Reporter(0.23, LabelSource.CHARGEBACK, 21.0, 0.4),
)
"""The shares sum to less than 1: the rest of the incidents is never reported."""

FRAUD_TYPES: Final = {
    "card_testing": FraudType.CARD_NOT_PRESENT,
    "velocity_burst": FraudType.CARD_NOT_PRESENT,
    "high_amount": FraudType.CARD_NOT_PRESENT,
    "account_takeover": FraudType.ACCOUNT_TAKEOVER,
    "dormant_awakened": FraudType.ACCOUNT_TAKEOVER,
    "new_payee_drain": FraudType.AUTHORISED_PUSH_PAYMENT,
    "stolen_card": FraudType.LOST_OR_STOLEN,
    "impossible_travel": FraudType.COUNTERFEIT,
    "structuring": FraudType.MULE,
}
"""By scenario; of others nobody says the kind."""


def reports(payment: SentPayment, seed: int, day: timedelta = DAY) -> list[LabelMessage]:
    """Give what will be reported of a payment.

    Parameters
    ----------
    payment : SentPayment
        With its truth.
    seed : int
        The same seed gives the same reports.
    day : timedelta
        How long a day of delay lasts: shorter where payments are made now, so that reports come during a feed.

    Returns
    -------
    list[LabelMessage]
        By ``known_at``: none, a report, or a wrong report and its withdrawal. All payments of an incident are reported by the same
        source, equally late.
    """
    truth, at = payment.truth, datetime.fromisoformat(str(payment.record["timestamp"]))
    draws = Draws("report", seed, truth.incident_id or payment.transaction_id)
    if not truth.is_fraud:
        return _wrong(payment, at, draws, day) if draws.chance(WRONG_SHARE) else []
    place = draws.unit()
    for reporter in REPORTERS:
        if place < reporter.share:
            delay_days = min(draws.lognormal(reporter.median_days, reporter.sigma), MAX_DELAY_DAYS)
            return [
                _message(
                    payment,
                    at + delay_days * day,
                    LabelVerdict.FRAUD,
                    reporter.source,
                    fraud_type=FRAUD_TYPES.get(truth.scenario or ""),
                    confidence=reporter.confidence,
                )
            ]
        place -= reporter.share
    return []


def _wrong(payment: SentPayment, at: datetime, draws: Draws, day: timedelta) -> list[LabelMessage]:
    known_at = at + draws.uniform(0.5, 5.0) * day
    label_id = f"wrong-{payment.transaction_id}"[:64]
    report = _message(payment, known_at, LabelVerdict.FRAUD, LabelSource.CUSTOMER, label_id=label_id)
    if draws.chance(0.5):
        return [report]
    later = known_at + draws.uniform(0.1, 3.0) * day
    return [
        report,
        _message(payment, later, LabelVerdict.WITHDRAWN, LabelSource.CUSTOMER, withdraws=label_id),
    ]


def _message(
    payment: SentPayment,
    known_at: datetime,
    verdict: LabelVerdict,
    source: LabelSource,
    *,
    fraud_type: FraudType | None = None,
    confidence: float = 1.0,
    label_id: str | None = None,
    withdraws: str | None = None,
) -> LabelMessage:
    return LabelMessage(
        transaction_id=payment.transaction_id,
        user_id=str(payment.record["user_id"]),
        verdict=verdict,
        source=source,
        fraud_type=fraud_type,
        confidence=confidence,
        known_at=known_at,
        label_id=label_id,
        withdraws=withdraws,
    )
