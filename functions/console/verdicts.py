"""What somebody can say about payments, as the forms offer it. Pure. What follows from it: :mod:`contract.case_decision`."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import msgspec

from contract.case import is_undecided
from contract.case_decision import Ruling
from contract.label import FraudType, LabelVerdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contract.flagged import FlaggedKey, FlaggedTransaction

_ID_BYTES: Final = 16
_ENCODER: Final = msgspec.json.Encoder()

PROBABLE: Final = 0.7
"""Confidence of a verdict of which the analyst is not sure; labels count from 0.5 on."""


class Choice(msgspec.Struct, frozen=True):
    """A verdict that somebody can give."""

    name: str
    """In the form."""
    key: str
    """On the keyboard."""
    words: str
    """On the button."""
    verdict: LabelVerdict
    confidence: float


CHOICES: Final = (
    Choice("fraud", "1", "Fraud", LabelVerdict.FRAUD, 1.0),
    Choice("probably_fraud", "2", "Probably fraud", LabelVerdict.FRAUD, PROBABLE),
    Choice("probably_legitimate", "3", "Probably legitimate", LabelVerdict.LEGITIMATE, PROBABLE),
    Choice("legitimate", "4", "Legitimate", LabelVerdict.LEGITIMATE, 1.0),
)
"""In the order of their buttons and keys."""

BY_NAME: Final = {choice.name: choice for choice in CHOICES}

_MEANINGS: Final = {
    FraudType.CARD_NOT_PRESENT: "A stolen card number, used online or by phone.",
    FraudType.ACCOUNT_TAKEOVER: "Somebody else acted as the user: signed in, or on another device.",
    FraudType.AUTHORISED_PUSH_PAYMENT: "The user paid, and was deceived into it.",
    FraudType.LOST_OR_STOLEN: "The card itself, in other hands.",
    FraudType.NOT_RECEIVED: "A card that was taken on its way to the user.",
    FraudType.COUNTERFEIT: "A copy of the card, used in person or at a cash machine.",
    FraudType.APPLICATION: "An account that was opened under a false or stolen identity.",
    FraudType.FIRST_PARTY: "The user made the payment, and disputes it.",
    FraudType.MULE: "The account takes in stolen money and passes it on.",
    FraudType.MERCHANT: "The merchant defrauds its customers.",
    FraudType.OTHER: "A fraud, and none of these.",
}


class Kind(msgspec.Struct, frozen=True):
    """A kind of fraud that a form offers."""

    value: str
    """In the form."""
    words: str
    meaning: str


KINDS: Final = tuple(Kind(kind.value, kind.value.replace("_", " "), _MEANINGS[kind]) for kind in FraudType)
"""In the order of the form."""


class Unreadable(StrEnum):
    """Why a form says no verdict."""

    UNKNOWN = "unknown"
    """No form of ours has such a verdict, or such a kind of fraud."""
    FRAUD_TYPE_OF_LEGITIMATE = "fraud_type_of_legitimate"
    """It calls payments legitimate, and names a kind of fraud."""


class Said(msgspec.Struct, frozen=True):
    """What a form says."""

    choice: Choice
    ruling: Ruling


def read_verdict(verdict: str, fraud_type: str, note: str) -> Said | Unreadable:
    """Read what a form says."""
    choice = BY_NAME.get(verdict)
    if choice is None or (fraud_type and fraud_type not in {kind.value for kind in KINDS}):
        return Unreadable.UNKNOWN
    if fraud_type and choice.verdict is not LabelVerdict.FRAUD:
        return Unreadable.FRAUD_TYPE_OF_LEGITIMATE
    return Said(
        choice,
        Ruling(
            verdict=choice.verdict,
            fraud_type=FraudType(fraud_type) if fraud_type else None,
            confidence=choice.confidence,
            note=note,
        ),
    )


def ruling_text(ruling: Ruling) -> str:
    """Write what was said.

    >>> ruling_text(Ruling(verdict=LabelVerdict.FRAUD, fraud_type=FraudType.MULE, confidence=0.7))
    'probably fraud, mule'
    """
    words = ruling.verdict.value if ruling.confidence > PROBABLE else f"probably {ruling.verdict.value}"
    return words if ruling.fraud_type is None else f"{words}, {ruling.fraud_type.value.replace('_', ' ')}"


def payment_id(payment: FlaggedTransaction | FlaggedKey) -> str:
    """A payment's name in forms and addresses: 32 hexadecimal digits; it holds no user id and no transaction id.

    Without a key, as :func:`contract.case.owner_of`: to guess it takes the user, the time and what was paid, which is all that the page shows. It gives no
    right: a payment is looked up among those of a case.
    """
    parts = _ENCODER.encode([payment.user_id, payment.event_key])
    return hashlib.blake2b(parts, digest_size=_ID_BYTES, person=b"payment").hexdigest()


def money_of(payments: Sequence[FlaggedTransaction], base_currency: str | None) -> Decimal:
    """Sum of payments in major units of the case's base currency; those in others are left out."""
    amounts = (
        each.amount_base
        for each in payments
        if each.amount_base is not None and each.base_currency == base_currency
    )
    return sum(amounts, Decimal(0))


def undecided(payments: Sequence[FlaggedTransaction]) -> list[FlaggedTransaction]:
    """Those on which no label has decided."""
    return [each for each in payments if is_undecided(each)]
