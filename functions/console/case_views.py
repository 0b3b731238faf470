"""View models of a case: from its rows to what its page shows. Pure; no sender's text is trusted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from common.sanitizing import printable
from console.evidence import Line, evidence, odd_first
from console.masking import masked
from console.parties import Earlier, numbers_of
from console.payment_rows import PaymentRow, payment_row, with_coming
from console.timeline import Timeline, place_words, timeline
from console.verdicts import ruling_text
from console.views import base_money, counted, due_text, holder_text, shown_time
from console.world_map import Stop, WorldMap, stop_of, world_map
from contract.audit import MAX_TEXT_CHARACTERS
from contract.case import Case, CaseVerdict, SecondLook, Tally, is_undecided
from contract.case_decision import CaseDecision, contested_keys, has_release
from contract.case_outcome import is_in_flight
from contract.case_work import holder, is_contestable
from contract.closed_case import ClosedCase
from contract.flagged import FlaggedKey, FlaggedTransaction
from contract.label import Label
from contract.scored import ScoredTransaction
from engine.features.stored import features_of

if TYPE_CHECKING:
    from datetime import datetime

    from console.world_map import Ring
    from contract.scored import FeatureValue

MAX_LISTED: Final = 50
"""Payments of a case that its page lists."""


class SimilarRow(msgspec.Struct, frozen=True):
    """A closed case with the same strongest reasons."""

    case_id: str
    ended: str
    closed_at: str
    payments: str
    money: str
    """Called fraud."""
    released: str
    """Called legitimate."""


class DecisionRow(msgspec.Struct, frozen=True):
    """What somebody decided."""

    at: str
    said: str
    payments: str
    note: str
    state: str
    """``undone`` with its time, or empty."""


class CaseView(msgspec.Struct, frozen=True, kw_only=True):
    """A case."""

    case_id: str
    severity: str
    at_risk: str
    decided: str
    due: str
    is_overdue: bool
    state: str
    handover: str
    """Why the last one gave it back; empty if nobody has."""
    user: str
    """Empty while it is hidden."""
    lead: PaymentRow | None
    """The gravest payment; None where its row is not kept any more."""
    lead_lines: tuple[Line, ...]
    payments: tuple[PaymentRow, ...]
    """Gravest first, or newest first."""
    is_by_time: bool
    more: str
    """How many payments are not listed; empty for none."""
    timeline: Timeline
    map: WorldMap | None
    similar: tuple[SimilarRow, ...]
    similar_summary: str
    decisions: tuple[DecisionRow, ...]
    """The latest first."""
    can_agree: bool
    """Whether this person is asked for a second look."""
    can_contest: bool
    """Whether this person may take the case over as its second person."""
    released: str
    """What a second person is asked about; empty where none is."""
    look: int
    """Version of what a second person is asked about; 0 where none is."""
    shared: int
    """Entities of the case."""
    can_claim: bool
    is_mine: bool
    can_judge: bool
    is_decided: bool
    """Whether this person has it though nothing of it is undecided: a decision was withdrawn, and other labels decide."""
    can_judge_approved: bool
    """Whether there are approved payments that this person can judge with the case."""


class CaseRecords(msgspec.Struct, frozen=True, kw_only=True):
    """What a case's page is made of."""

    case: Case
    payments: Sequence[FlaggedTransaction]
    """All of the case that were read."""
    history: Mapping[FlaggedKey, ScoredTransaction]
    """The user's newest payments, newest first."""
    labels: Sequence[Label]
    """Of the user."""
    similar: Sequence[ClosedCase]
    decisions: Sequence[CaseDecision]
    """What was decided on it, the earliest first."""


def case_view(
    records: CaseRecords,
    land: Sequence[Ring],
    person: str,
    now: datetime,
    *,
    can_work: bool,
    is_revealed: bool = False,
    is_by_time: bool = False,
) -> CaseView:
    """Show a case to somebody.

    Parameters
    ----------
    records : CaseRecords
        What was read.
    land : Sequence[Ring]
        Coasts of the map.
    person : str
        Who looks at it.
    now : datetime
        The clock, UTC.
    can_work : bool
        Whether this person may claim it.
    is_revealed : bool
        Whether personal data are shown.
    is_by_time : bool
        Whether the payments that are listed come by time, the newest first. Which ones are listed is the same.
    """
    case, held_by = records.case, holder(records.case, now)
    features = {key: features_of(row) for key, row in records.history.items()}
    numbers = numbers_of(case.entities)
    coming = _on_their_way(records.decisions, now)
    contested = contested_keys(records.decisions)
    ranked = _ranked(records.payments, coming, contested)

    def shown(each: FlaggedTransaction) -> PaymentRow:
        earlier = _earlier(each, records.history, features)
        row = payment_row(each, records.history.get(each.key), numbers, earlier, is_revealed=is_revealed)
        return with_coming(row, coming.get(each.event_key, ""), is_contested=each.event_key in contested)

    rows = {each.event_key: shown(each) for each in ranked[:MAX_LISTED]}
    newest = sorted(ranked[:MAX_LISTED], key=lambda each: (each.occurred_at, each.event_key), reverse=True)
    lead = ranked[0] if ranked else None
    events = _timeline(records, features, coming, numbers, is_revealed=is_revealed)
    is_mine = can_work and held_by == person
    hidden = case.payment_count - len(rows)
    is_second = can_work and person not in case.deciders
    return CaseView(
        case_id=case.case_id,
        severity=case.severity.value,
        at_risk=base_money(case.at_risk_base, case.base_currency),
        decided=f"{case.fraud.payments} fraud, {case.legitimate.payments} legitimate, {case.undecided.payments} undecided",
        due=due_text(case.due_at, now),
        is_overdue=not case.is_closed and case.due_at < now,
        state=f"closed: {case.verdict.value}" if case.verdict is not None else holder_text(held_by, person),
        handover="" if case.handover is None else printable(case.handover.reason, MAX_TEXT_CHARACTERS),
        user=masked(case.user_id, is_revealed=True) if is_revealed else "",
        lead=None if lead is None else rows[lead.event_key],
        lead_lines=() if lead is None else _lines(lead, features),
        payments=tuple(rows[each.event_key] for each in newest) if is_by_time else tuple(rows.values()),
        is_by_time=is_by_time,
        more=f"{counted(hidden, 'payment')} of less risk." if hidden > 0 else "",
        timeline=events,
        map=_map(records, land),
        similar=tuple(similar_row(each) for each in records.similar),
        similar_summary=similar_summary(records.similar, case.strongest_reasons),
        decisions=tuple(decision_row(each) for each in reversed(records.decisions)),
        can_agree=is_second and case.is_look_due,
        can_contest=is_second and is_contestable(case) and has_release(records.decisions),
        released="" if case.second_look is None else released_text(case.second_look, case.base_currency),
        look=0 if case.second_look is None else case.second_look.version,
        shared=len(case.entities),
        can_claim=can_work and not case.is_closed and held_by is None,
        is_mine=is_mine,
        can_judge=is_mine and bool(rows),
        is_decided=is_mine
        and not case.undecided.payments
        and not any(row.is_ticked for row in rows.values()),
        can_judge_approved=is_mine and any(event.can_be_judged for event in events.events),
    )


def similar_row(case: ClosedCase) -> SimilarRow:
    """Show how a case ended. What its labels do not say yet counts as its verdict does, but in a mixed case it is on its way."""
    fraud, legitimate, coming = case.fraud, case.legitimate, case.undecided
    if case.verdict is CaseVerdict.FRAUD:
        fraud, coming = _sum(fraud, coming), Tally()
    elif case.verdict is CaseVerdict.LEGITIMATE:
        legitimate, coming = _sum(legitimate, coming), Tally()
    on_their_way = f", {coming.payments} on their way" if coming.payments else ""
    return SimilarRow(
        case_id=case.key.case_id,
        ended=case.verdict.value,
        closed_at=shown_time(case.closed_at),
        payments=f"{fraud.payments} fraud, {legitimate.payments} legitimate{on_their_way}",
        money=base_money(fraud.amount_base, case.base_currency),
        released=base_money(legitimate.amount_base, case.base_currency),
    )


def similar_summary(cases: Sequence[ClosedCase], reasons: Sequence[str]) -> str:
    """Say how cases ended together that have the same two strongest reasons; ``reasons`` are the ids of their rules."""
    rules = " and ".join(reasons[:2]) or "no rule"
    if not cases:
        return f"No other closed case has the same strongest reasons ({rules})."
    ended = [case.verdict.value for case in cases]
    parts = [f"{ended.count(word)} {word}" for word in ("fraud", "mixed", "legitimate") if word in ended]
    return f"Of the newest {counted(len(cases), 'closed case')} with the same strongest reasons ({rules}): {', '.join(parts)}."


def _sum(one: Tally, other: Tally) -> Tally:
    return Tally(one.payments + other.payments, one.amount_base + other.amount_base)


def decision_row(decision: CaseDecision) -> DecisionRow:
    """Show what somebody decided."""
    return DecisionRow(
        at=shown_time(decision.decided_at),
        said=ruling_text(decision.ruling),
        payments=counted(len(decision.labelled_keys), "payment"),
        note=printable(decision.ruling.note, MAX_TEXT_CHARACTERS),
        state="" if decision.undone_at is None else f"undone {shown_time(decision.undone_at)}",
    )


def released_text(look: SecondLook, currency: str | None) -> str:
    """Say what a second person is asked about."""
    payments = counted(look.released.payments, "payment")
    return f"{payments}, {base_money(look.released.amount_base, currency)}"


def _ranked(
    payments: Sequence[FlaggedTransaction], coming: Mapping[str, str], contested: frozenset[str]
) -> list[FlaggedTransaction]:
    """Rank payments by risk, but what is judged behind what is not: the list has room for some of them alone."""
    return sorted(
        payments,
        key=lambda each: (
            not (is_undecided(each) or each.event_key in contested) or each.event_key in coming,
            -each.risk_score,
            -(each.amount_base or 0),
            each.event_key,
        ),
    )


def _on_their_way(decisions: Sequence[CaseDecision], now: datetime) -> dict[str, str]:
    """Verdicts that rows may not say yet: key of a payment to the verdict."""
    return {
        key: decision.ruling.verdict.value
        for decision in decisions
        if is_in_flight(decision, now)
        for key in decision.labelled_keys
    }


def _earlier(
    flagged: FlaggedTransaction,
    history: Mapping[FlaggedKey, ScoredTransaction],
    features: Mapping[FlaggedKey, Mapping[str, FeatureValue]],
) -> Earlier:
    """What is known of the user before a payment: its features, and the payments before it that were read."""
    before = [row.transaction for row in history.values() if row.occurred_at < flagged.occurred_at]
    return Earlier(features.get(flagged.key, {}), before)


def _lines(
    lead: FlaggedTransaction, features: Mapping[FlaggedKey, Mapping[str, FeatureValue]]
) -> tuple[Line, ...]:
    return odd_first(evidence(features.get(lead.key, {}), lead.base_currency))


def _timeline(
    records: CaseRecords,
    features: Mapping[FlaggedKey, Mapping[str, FeatureValue]],
    coming: Mapping[str, str],
    numbers: Mapping[str, str],
    *,
    is_revealed: bool,
) -> Timeline:
    amounts = {key: float(named["amount_base"]) for key, named in features.items() if "amount_base" in named}
    return timeline(
        records.history,
        records.labels,
        frozenset(each.key for each in records.payments),
        frozenset(each.key for each in records.payments if each.own_alert_id is not None),
        amounts,
        records.case.base_currency,
        coming,
        numbers,
        is_revealed=is_revealed,
    )


def _map(records: CaseRecords, land: Sequence[Ring]) -> WorldMap | None:
    stops: list[Stop] = []
    for row in sorted(records.history.values(), key=lambda each: each.occurred_at):
        stop = stop_of(row, shown_time(row.occurred_at), place_words(row.transaction))
        if stop is not None:
            stops.append(stop)
    return world_map(stops, land)
