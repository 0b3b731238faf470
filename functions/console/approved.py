"""Payments that were approved, which an analyst can judge together with a case of their user. Pure."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from contract.case_decision import ApprovedPayment
from contract.label import LabelVerdict, effective
from contract.scored import Decision
from engine.features.stored import features_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from contract.flagged import FlaggedKey
    from contract.label import Label
    from contract.scored import ScoredTransaction

_CENT: Final = Decimal("0.01")


def can_be_judged(row: ScoredTransaction) -> bool:
    """Whether a payment is in no case since it was approved; one that repeats another payment is none of its own."""
    return row.decision is Decision.APPROVE and not row.repeats


def approved_payment(
    key: FlaggedKey, row: ScoredTransaction, base_currency: str | None, labels: Iterable[Label]
) -> ApprovedPayment:
    """Take an approved payment from its row in the history.

    Parameters
    ----------
    key : FlaggedKey
        Of the row.
    row : ScoredTransaction
        The row. It has its worth among its features, in the base currency of its ruleset.
    base_currency : str | None
        Of the case; None where it has none, and the worth is not known then.
    labels : Iterable[Label]
        All labels of the payment, whoever has given them.
    """
    worth = features_of(row).get("amount_base", 0.0)
    # A worth of 0 is that of a payment without a rate, unless its amount is 0 too.
    is_known = base_currency is not None and (bool(worth) or not row.transaction.amount)
    amount = Decimal(repr(float(worth))).quantize(_CENT) if is_known else None
    said = effective(labels)
    was_fraud = said is not None and said.verdict is LabelVerdict.FRAUD
    return ApprovedPayment(key.event_key, row.transaction.transaction_id, amount, was_fraud)


def worth_of(approved: Sequence[ApprovedPayment]) -> Decimal:
    """Sum of approved payments in major units of the case's base currency; those of no known worth are left out."""
    return sum((each.amount_base for each in approved if each.amount_base is not None), Decimal(0))


def among(history: Mapping[FlaggedKey, ScoredTransaction]) -> dict[FlaggedKey, ScoredTransaction]:
    """Give the payments of a history that can be judged so."""
    return {key: row for key, row in history.items() if can_be_judged(row)}
