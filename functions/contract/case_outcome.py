"""What a case is after a decision, before its payments' rows say so: the label stage needs a moment for them. Pure."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from contract.case import CaseVerdict, Judgement, Tally
from contract.case_decision import contested_keys
from contract.label import LabelVerdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from contract.case import Case
    from contract.case_decision import CaseDecision, Ruling

IN_FLIGHT: Final = timedelta(minutes=5)
"""For how long the payments of a decision count as decided though their rows do not say so."""

RELEASES_COUNT: Final = timedelta(days=30)
"""For how long what was called legitimate in a user's earlier cases counts with what is released now."""

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

    def is_priced_in(self, case: Case) -> bool:
        """Whether the payment is in the case's sums."""
        return self.amount_base is not None and self.base_currency == case.base_currency

    def amount_in(self, case: Case) -> Decimal:
        """What the payment adds to the case's sums."""
        return self.amount_base if self.is_priced_in(case) and self.amount_base is not None else Decimal(0)


class Outcome(NamedTuple):
    """A case's sums after a decision."""

    undecided: Tally
    fraud: Tally
    legitimate: Tally

    @property
    def verdict(self) -> CaseVerdict | None:
        """How the case ends; None while a payment is undecided."""
        return None if self.undecided.payments else verdict_of(self.fraud.payments, self.legitimate.payments)


def release_of(
    case: Case,
    rows: Mapping[str, CaseRow],
    earlier: Sequence[CaseDecision],
    decision: CaseDecision,
    before: Tally,
    limit: Decimal,
) -> Tally | None:
    """Count what is called legitimate with a new decision, where a second person is to look at it.

    Parameters
    ----------
    case : Case
        As it is stored.
    rows : Mapping
        As for :func:`outcome_of`.
    earlier : Sequence[CaseDecision]
        All earlier decisions on the case, the earliest first. However old one is, it counts for payments whose rows say nothing yet.
    decision : CaseDecision
        The new one.
    before : Tally
        Of :func:`released_before`.
    limit : Decimal
        From how much money, major units of the case's base currency.

    Returns
    -------
    Tally | None
        What is called legitimate in all, approved payments too, where that is ``limit`` or more, or the worth of a payment of the decision
        is not known; else None. None also of a decision that calls nothing legitimate.
    """
    if judgement_of(decision.ruling) is not Judgement.LEGITIMATE:
        return None
    holding = [each for each in earlier if each.undone_at is None]
    now = outcome_of(case, rows, holding, decision).legitimate
    approved = _approved_release([*holding, decision])
    released = Tally(
        now.payments + before.payments + approved.payments,
        now.amount_base + before.amount_base + approved.amount_base,
    )
    is_priced = all(rows[one].is_priced_in(case) for one in decision.event_keys) and all(
        each.amount_base is not None for each in decision.approved
    )
    return None if is_priced and released.amount_base < limit else released


def is_contest_left(rows: Mapping[str, CaseRow], made: Iterable[CaseDecision]) -> bool:
    """Whether a release that a second person has contested is still to be decided anew.

    Parameters
    ----------
    rows : Mapping
        As for :func:`outcome_of`. A payment that is fraud by the label of somebody else is released no more.
    made : Iterable[CaseDecision]
        All decisions on the case, also a new one.
    """
    released = [
        each for each in made if each.undone_at is None or judgement_of(each.ruling) is Judgement.LEGITIMATE
    ]
    return any(
        one in rows and rows[one].case_judgement is not Judgement.FRAUD for one in contested_keys(released)
    )


def verdict_of(fraud_payments: int, legitimate_payments: int) -> CaseVerdict:
    """Verdict of a case of which nothing is undecided."""
    if fraud_payments and legitimate_payments:
        return CaseVerdict.MIXED
    return CaseVerdict.FRAUD if fraud_payments else CaseVerdict.LEGITIMATE


def is_in_flight(decision: CaseDecision, now: datetime) -> bool:
    """Whether rows may not say yet what was decided."""
    return decision.undone_at is None and now - decision.decided_at < IN_FLIGHT


def released_before(earlier: Iterable[Case], currency: str | None, now: datetime) -> Tally:
    """Count what was called legitimate in a user's earlier cases, and at which no second person has looked.

    Parameters
    ----------
    earlier : Iterable[Case]
        The newest first. Those before a case at which somebody has looked are left out, as are those of more than
        :data:`RELEASES_COUNT` ago: each was closed before the next one opened.
    currency : str | None
        Base currency of the case that is decided on now; the money of others is left out.
    now : datetime
        The clock, UTC.
    """
    payments, amount = 0, Decimal(0)
    for case in earlier:
        is_looked_at = case.second_look is not None and not case.second_look.is_due
        if is_looked_at or (case.closed_at is not None and now - case.closed_at > RELEASES_COUNT):
            break
        # What is undecided in a case that was closed as legitimate has labels that are on their way.
        coming = Tally() if case.verdict in {None, CaseVerdict.FRAUD} else case.undecided
        payments += case.legitimate.payments + coming.payments
        if case.base_currency == currency:
            amount += case.legitimate.amount_base + coming.amount_base
    return Tally(payments, amount)


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


def _approved_release(decisions: Iterable[CaseDecision]) -> Tally:
    """Count the approved payments that are called legitimate; of several decisions on one, the last counts."""
    amounts: dict[str, Decimal] = {}
    for decision in decisions:
        for payment in decision.approved:
            if judgement_of(decision.ruling) is Judgement.LEGITIMATE:
                amounts[payment.event_key] = payment.amount_base or Decimal(0)
            else:
                amounts.pop(payment.event_key, None)
    return Tally(len(amounts), sum(amounts.values(), Decimal(0)))


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
