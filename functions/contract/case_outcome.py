"""What a case is after a decision, before its payments' rows say so: the label stage needs a moment for them. Pure."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from contract.case import CaseVerdict, Judgement, Tally
from contract.label import LabelVerdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from contract.case import Case
    from contract.case_decision import CaseDecision, Ruling

IN_FLIGHT: Final = timedelta(minutes=5)
"""For how long the payments of a decision count as decided though their rows do not say so."""

_JUDGEMENTS: Final = {
    LabelVerdict.FRAUD: Judgement.FRAUD,
    LabelVerdict.LEGITIMATE: Judgement.LEGITIMATE,
}


class CaseRow(msgspec.Struct, frozen=True, kw_only=True):
    """What is read of a payment; the fields are those of :class:`contract.flagged.FlaggedTransaction`."""

    user_id: str
    event_key: str
    transaction_id: str
    case_id: str | None = None
    case_judgement: Judgement | None = None
    amount_base: Decimal | None = None
    base_currency: str | None = None

    def amount_in(self, case: Case) -> Decimal:
        """What the payment adds to the case's sums."""
        is_priced = self.amount_base is not None and self.base_currency == case.base_currency
        return self.amount_base if is_priced and self.amount_base is not None else Decimal(0)


class Outcome(NamedTuple):
    """A case's sums after a decision."""

    undecided: Tally
    fraud: Tally
    legitimate: Tally

    @property
    def verdict(self) -> CaseVerdict | None:
        """How the case ends; None while a payment is undecided."""
        return None if self.undecided.payments else verdict_of(self.fraud.payments, self.legitimate.payments)


def verdict_of(fraud_payments: int, legitimate_payments: int) -> CaseVerdict:
    """Verdict of a case of which nothing is undecided."""
    if fraud_payments and legitimate_payments:
        return CaseVerdict.MIXED
    return CaseVerdict.FRAUD if fraud_payments else CaseVerdict.LEGITIMATE


def is_in_flight(decision: CaseDecision, now: datetime) -> bool:
    """Whether rows may not say yet what was decided."""
    return decision.undone_at is None and now - decision.decided_at < IN_FLIGHT


def judgement_of(ruling: Ruling) -> Judgement:
    """What a case counts a payment as by a decision."""
    return _JUDGEMENTS[ruling.verdict]


def with_counted(case: Case, rows: Iterable[CaseRow], ruling: Ruling) -> Case:
    """Count undecided payments of a case as a decision says, before their labels have arrived; the version stays."""
    undecided, judgement = case.undecided, judgement_of(ruling)
    counted: Tally = getattr(case, judgement.value)
    for row in rows:
        amount = row.amount_in(case)
        undecided = Tally(undecided.payments - 1, undecided.amount_base - amount)
        counted = Tally(counted.payments + 1, counted.amount_base + amount)
    return msgspec.structs.replace(case, undecided=undecided, **{judgement.value: counted})


def outcome_of(
    case: Case, rows: Mapping[str, CaseRow], in_flight: Sequence[CaseDecision], decision: CaseDecision
) -> Outcome:
    """Count a case's payments as a new decision and those before it say.

    Parameters
    ----------
    case : Case
        As it is stored.
    rows : Mapping
        Event key to row, of all payments of the case; read after the case. Rows that somebody has deleted do not count, though the
        case's own sums have them still.
    in_flight : Sequence[CaseDecision]
        Earlier ones, the earliest first. They count for payments whose rows say nothing yet.
    decision : CaseDecision
        The new one.
    """
    said: dict[str, Judgement] = {}
    for earlier in in_flight:
        said |= dict.fromkeys(earlier.event_keys, judgement_of(earlier.ruling))
    sums = dict.fromkeys(Judgement, Tally())
    for event_key, row in rows.items():
        judgement = row.case_judgement or Judgement.UNDECIDED
        if judgement is Judgement.UNDECIDED:
            judgement = said.get(event_key, judgement)
        if event_key in decision.event_keys:
            judgement = judgement_of(decision.ruling)
        before = sums[judgement]
        sums[judgement] = Tally(before.payments + 1, before.amount_base + row.amount_in(case))
    return Outcome(*(sums[each] for each in (Judgement.UNDECIDED, Judgement.FRAUD, Judgement.LEGITIMATE)))
