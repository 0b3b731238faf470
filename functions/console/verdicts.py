"""What somebody decides about payments, as labels; and how it is undone. Pure.

A decision has an id, which its form bears from the start. A label's id is a hash of the decision, the person, the case and the payment. So a
form that is sent twice sends the same labels, and undoing withdraws exactly these.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import msgspec

from contract.case import CaseVerdict, Judgement
from contract.case_work import UNDO
from contract.label import FraudType, LabelMessage, LabelSource, LabelVerdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contract.case import Case
    from contract.flagged import FlaggedTransaction

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

    @property
    def case_verdict(self) -> CaseVerdict:
        """What a case is that ends with it."""
        return CaseVerdict(self.verdict.value)


CHOICES: Final = (
    Choice("fraud", "1", "Fraud", LabelVerdict.FRAUD, 1.0),
    Choice("probably_fraud", "2", "Probably fraud", LabelVerdict.FRAUD, PROBABLE),
    Choice("probably_legitimate", "3", "Probably legitimate", LabelVerdict.LEGITIMATE, PROBABLE),
    Choice("legitimate", "4", "Legitimate", LabelVerdict.LEGITIMATE, 1.0),
)
"""In the order of their buttons and keys."""

BY_NAME: Final = {choice.name: choice for choice in CHOICES}

FRAUD_TYPES: Final = tuple((kind.value, kind.value.replace("_", " ")) for kind in FraudType)
"""Words of the form, and for people."""


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """A decision: who, on what, which verdict."""

    person: str
    case_id: str
    decision: str
    """Random; the form's."""
    choice: Choice
    fraud_type: FraudType | None
    """None for a verdict that is not fraud, and where it is not known."""
    at: datetime


def read_choice(verdict: str, fraud_type: str) -> tuple[Choice, FraudType | None] | None:
    """Read what the form says; None for what it does not offer. The fraud type of a legitimate payment is dropped."""
    choice = BY_NAME.get(verdict)
    if choice is None or (fraud_type and fraud_type not in {value for value, _ in FRAUD_TYPES}):
        return None
    is_fraud = choice.verdict is LabelVerdict.FRAUD
    return choice, FraudType(fraud_type) if fraud_type and is_fraud else None


def payment_id(flagged: FlaggedTransaction) -> str:
    """A payment's name in forms and addresses: 32 hexadecimal digits; it holds no user id and no transaction id."""
    return _hash("payment", flagged.user_id, flagged.event_key)


def label_of(decided: Decided, flagged: FlaggedTransaction) -> LabelMessage:
    """Make the label of one payment."""
    return LabelMessage(
        transaction_id=flagged.transaction_id,
        verdict=decided.choice.verdict,
        source=LabelSource.ANALYST,
        fraud_type=decided.fraud_type,
        confidence=decided.choice.confidence,
        known_at=decided.at,
        user_id=flagged.user_id,
        event_key=flagged.event_key,
        label_id=_label_id(decided.person, decided.case_id, decided.decision, flagged),
    )


def withdrawal_of(
    person: str, case_id: str, decision: str, flagged: FlaggedTransaction, at: datetime
) -> LabelMessage:
    """Make the label that withdraws the one of a decision."""
    withdrawn = _label_id(person, case_id, decision, flagged)
    return LabelMessage(
        transaction_id=flagged.transaction_id,
        verdict=LabelVerdict.WITHDRAWN,
        source=LabelSource.ANALYST,
        known_at=at,
        user_id=flagged.user_id,
        event_key=flagged.event_key,
        label_id=_hash("withdrawn", withdrawn),
        withdraws=withdrawn,
    )


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
    return [each for each in payments if Judgement.of(each.status) is Judgement.UNDECIDED]


def case_verdict(
    case: Case, payments: Sequence[FlaggedTransaction], chosen: Sequence[FlaggedTransaction], choice: Choice
) -> CaseVerdict | None:
    """How a case ends with a decision; None where something stays undecided.

    Parameters
    ----------
    case : Case
        As it is stored.
    payments : Sequence[FlaggedTransaction]
        All of its payments.
    chosen : Sequence[FlaggedTransaction]
        The ones that the decision is on.
    choice : Choice
        The verdict.
    """
    keys = {each.key for each in chosen}
    others = [each for each in payments if each.key not in keys]
    if undecided(others) or len(payments) < case.payment_count:
        return None
    verdicts = {CaseVerdict(Judgement.of(each.status).value) for each in others} | {choice.case_verdict}
    return verdicts.pop() if len(verdicts) == 1 else CaseVerdict.MIXED


def undo_stamp(form_token: str, decision: str, decided_at: str, payments: Sequence[str]) -> str:
    """Sign what an undo is about, so that nobody can move its time. ``form_token`` is the session's."""
    text = _ENCODER.encode(["undo", decision, decided_at, sorted(payments)])
    return hmac.new(form_token.encode(), text, hashlib.sha256).hexdigest()


def can_undo(decided_at: str, now: datetime) -> bool:
    """Whether a decision can be undone still; false where the time cannot be read."""
    try:
        return now - datetime.fromisoformat(decided_at) <= UNDO
    except (ValueError, TypeError):
        return False


def _label_id(person: str, case_id: str, decision: str, flagged: FlaggedTransaction) -> str:
    return _hash("label", person, case_id, decision, flagged.event_key)


def _hash(*parts: str) -> str:
    return hashlib.blake2b(_ENCODER.encode(parts), digest_size=_ID_BYTES, person=b"console").hexdigest()
