"""What a case is after a decision, before its payments' rows say so: the label stage needs a moment for them. Pure."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from contract.case import Case, CaseVerdict, Judgement, Tally
from contract.case_decision import contested_keys
from contract.label import LabelVerdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from contract.case_decision import CaseDecision, Ruling

IN_FLIGHT: Final = timedelta(minutes=5)
"""For how long the payments of a decision count as decided though their rows do not say so."""

LABELS_COME: Final = timedelta(days=1)
"""For how long a decision's label may be on its way, through an outage too. One that has not come by then was lost, as with a table that was restored."""

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


class Earlier(NamedTuple):
    """What was called legitimate in a user's earlier cases, and counts with what is released now."""

    total: Tally = Tally()
    people: frozenset[str] = frozenset()
    """Who has decided on these cases."""
    cases: tuple[Case, ...] = ()
    """The cases, the newest first; also those in which no payment of theirs was called legitimate: with them, approved ones may have been."""


class Release(NamedTuple):
    """What a second person is to look at."""

    total: Tally
    """Called legitimate in all, in this case and in the earlier ones that count with it."""
    others: frozenset[str]
    """Who has decided on those earlier cases."""


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
    before: Earlier,
    limit: Decimal,
    elsewhere: Sequence[CaseDecision] = (),
) -> Release | None:
    """Count what is called legitimate with a new decision, where a second person is to look at it.

    Somebody is to look where it is ``limit`` or more in all, and at any amount where the decision calls a payment legitimate that was called
    fraud, with whatever case, or is in no sum, or where a look is due or was made: who made it has not seen this decision.

    Parameters
    ----------
    case : Case
        As it is stored.
    rows : Mapping
        As for :func:`outcome_of`.
    earlier : Sequence[CaseDecision]
        All earlier decisions on the case, the earliest first. Those that hold count whatever the rows say, however old they are.
    decision : CaseDecision
        The new one.
    before : Earlier
        Of :func:`released_before`.
    limit : Decimal
        Major units of the case's base currency.
    elsewhere : Sequence[CaseDecision]
        Decisions that hold on the user's earlier cases, the earliest first: an approved payment is judged with any of them.

    Returns
    -------
    Release | None
        None also of a decision that calls nothing legitimate.
    """
    if not decision.is_release:
        return None
    holding = [each for each in earlier if each.undone_at is None]
    now, said = outcome_of(case, rows, holding, decision).legitimate, _last_said([*elsewhere, *holding])
    counted = {each.case_id for each in before.cases if each.base_currency == case.base_currency}
    beside = [each for each in elsewhere if each.case_id in counted]
    approved = _approved_release([*beside, *holding, decision])
    people = before.people | {each.analyst for each in beside if each.approved and each.is_release}
    total = Tally(
        now.payments + before.total.payments + approved.payments,
        now.amount_base + before.total.amount_base + approved.amount_base,
    )
    was_fraud = any(said.get(one) is Judgement.FRAUD for one in decision.labelled_keys) or any(
        rows[one].case_judgement is Judgement.FRAUD for one in decision.event_keys
    )
    was_fraud = was_fraud or any(each.was_fraud for each in decision.approved)
    is_priced = all(rows[one].is_priced_in(case) for one in decision.event_keys) and all(
        each.amount_base is not None for each in decision.approved
    )
    is_due = total.amount_base >= limit or was_fraud or not is_priced or case.second_look is not None
    return Release(total, people) if is_due else None


def is_contest_left(rows: Mapping[str, CaseRow], made: Iterable[CaseDecision]) -> bool:
    """Whether a release that a second person has contested is still to be decided anew.

    Parameters
    ----------
    rows : Mapping
        As for :func:`outcome_of`. A payment that is fraud by the label of somebody else is released no more.
    made : Iterable[CaseDecision]
        All decisions on the case, also a new one.
    """
    counting = [each for each in made if each.undone_at is None or each.is_release]
    return any(
        one in rows and rows[one].case_judgement is not Judgement.FRAUD for one in contested_keys(counting)
    )


def verdict_of(fraud_payments: int, legitimate_payments: int) -> CaseVerdict:
    """Verdict of a case of which nothing is undecided."""
    if fraud_payments and legitimate_payments:
        return CaseVerdict.MIXED
    return CaseVerdict.FRAUD if fraud_payments else CaseVerdict.LEGITIMATE


def is_in_flight(decision: CaseDecision, now: datetime) -> bool:
    """Whether rows may not say yet what was decided."""
    return decision.undone_at is None and now - decision.decided_at < IN_FLIGHT


def awaited_keys(made: Iterable[CaseDecision], now: datetime) -> frozenset[str]:
    """Give the payments of a case whose labels may be on their way: decisions that hold name them. Nothing will decide on the other undecided ones."""
    return frozenset[str]().union(
        *(each.event_keys for each in made if each.undone_at is None and now - each.decided_at < LABELS_COME)
    )


def released_before(earlier: Iterable[Case], currency: str | None, now: datetime) -> Earlier:
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
    payments, amount, people, cases = 0, Decimal(0), frozenset[str](), list[Case]()
    for case in earlier:
        is_looked_at = case.second_look is not None and not case.second_look.is_due
        if is_looked_at or (case.closed_at is not None and now - case.closed_at > RELEASES_COUNT):
            break
        cases.append(case)
        # What is undecided in a case that was closed as legitimate has labels that are on their way.
        coming = Tally() if case.verdict in {None, CaseVerdict.FRAUD} else case.undecided
        found = case.legitimate.payments + coming.payments
        if not found:
            continue
        payments += found
        people |= case.deciders
        if case.base_currency == currency:
            amount += case.legitimate.amount_base + coming.amount_base
    return Earlier(Tally(payments, amount), people, tuple(cases))


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
            if decision.is_release:
                amounts[payment.event_key] = payment.amount_base or Decimal(0)
            else:
                amounts.pop(payment.event_key, None)
    return Tally(len(amounts), sum(amounts.values(), Decimal(0)))


def outcome_of(
    case: Case, rows: Mapping[str, CaseRow], holding: Sequence[CaseDecision], decision: CaseDecision
) -> Outcome:
    """Count a case's payments as a new decision and those before it say.

    Parameters
    ----------
    case : Case
        As it is stored.
    rows : Mapping
        Event key to row, of all payments of the case; read after the case. Rows that somebody has deleted do not count, though the
        case's own sums have them still.
    holding : Sequence[CaseDecision]
        Earlier ones, the earliest first. What they say about a payment counts whatever its row says: another decision's label may be there
        already, and this one's on its way.
    decision : CaseDecision
        The new one.
    """
    said = _last_said((*holding, decision))
    sums = dict.fromkeys(Judgement, Tally())
    for event_key, row in rows.items():
        judgement = said.get(event_key) or row.case_judgement or Judgement.UNDECIDED
        before = sums[judgement]
        sums[judgement] = Tally(before.payments + 1, before.amount_base + row.amount_in(case))
    return Outcome(*(sums[each] for each in (Judgement.UNDECIDED, Judgement.FRAUD, Judgement.LEGITIMATE)))


def _last_said(decisions: Iterable[CaseDecision]) -> dict[str, Judgement]:
    """What the latest of some decisions says about each payment; the earliest comes first."""
    said: dict[str, Judgement] = {}
    for each in decisions:
        said |= dict.fromkeys(each.labelled_keys, judgement_of(each.ruling))
    return said
