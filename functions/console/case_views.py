"""View models of a case: from its rows to what its page shows. Pure; no sender's text is trusted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from common.alert_text import money
from common.sanitizing import printable
from console.evidence import Line, evidence, odd_first
from console.masking import masked
from console.timeline import Timeline, arrival_of, place_words, status_text, timeline
from console.verdicts import payment_id, ruling_text
from console.views import base_money, counted, due_text, holder_text, shown_time
from console.world_map import Stop, WorldMap, stop_of, world_map
from contract.audit import MAX_TEXT_CHARACTERS
from contract.case import Case, SecondLook, is_undecided
from contract.case_decision import CaseDecision, contested_keys
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
    from contract.reason import Reason
    from contract.scored import FeatureValue

MAX_LISTED: Final = 50
"""Payments of a case that its page lists."""

MAX_SENTENCE_CHARACTERS: Final = 400


class ReasonRow(msgspec.Struct, frozen=True):
    """Why points were given."""

    points: int
    sentence: str
    rule_id: str


class PaymentRow(msgspec.Struct, frozen=True):
    """A payment of a case."""

    payment_id: str
    at: str
    arrival: str
    amount: str
    score: int
    decision: str
    status: str
    is_undecided: bool
    is_ticked: bool
    """Whether it is to be judged: undecided, or contested, and no verdict of it is on its way."""
    place: str
    what: str
    who: tuple[tuple[str, str], ...]
    """Card, device, address, payee: name and value, as far as it may be seen."""
    reasons: tuple[ReasonRow, ...]
    flaws: tuple[str, ...]
    """What was missing or invalid in the record."""


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
    """Gravest first."""
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
    """
    case, held_by = records.case, holder(records.case, now)
    features = {key: features_of(row) for key, row in records.history.items()}
    coming = _on_their_way(records.decisions, now)
    contested = contested_keys(records.decisions)
    # What is judged makes room for what is not.
    ranked = sorted(
        records.payments,
        key=lambda each: (
            not (is_undecided(each) or each.event_key in contested) or each.event_key in coming,
            -each.risk_score,
            -(each.amount_base or 0),
            each.event_key,
        ),
    )
    rows = [
        _in_case(
            payment_row(each, records.history.get(each.key), is_revealed=is_revealed),
            coming.get(each.event_key, ""),
            is_contested=each.event_key in contested,
        )
        for each in ranked[:MAX_LISTED]
    ]
    lead = ranked[0] if ranked else None
    is_mine = can_work and held_by == person
    hidden = case.payment_count - len(rows)
    can_contest = can_work and is_contestable(case) and person not in case.deciders
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
        lead=rows[0] if rows else None,
        lead_lines=() if lead is None else _lines(lead, features),
        payments=tuple(rows),
        more=f"{counted(hidden, 'payment')} of less risk." if hidden > 0 else "",
        timeline=_timeline(records, features),
        map=_map(records, features, land),
        similar=tuple(similar_row(each) for each in records.similar),
        similar_summary=similar_summary(records.similar),
        decisions=tuple(decision_row(each) for each in reversed(records.decisions)),
        can_agree=can_contest and case.is_look_due,
        can_contest=can_contest,
        released="" if case.second_look is None else released_text(case.second_look, case.base_currency),
        look=0 if case.second_look is None else case.second_look.version,
        shared=len(case.entities),
        can_claim=can_work and not case.is_closed and held_by is None,
        is_mine=is_mine,
        can_judge=is_mine and bool(rows),
        is_decided=is_mine and not case.undecided.payments and not any(row.is_ticked for row in rows),
    )


def payment_row(
    flagged: FlaggedTransaction, row: ScoredTransaction | None, *, is_revealed: bool
) -> PaymentRow:
    """Show a flagged payment; ``row`` is its row in the history, None where that is not kept any more."""
    who = (
        ("Card", flagged.card_id),
        ("Device", flagged.device_id),
        ("Address", flagged.ip_address),
        ("Payee", flagged.payee_id),
    )
    what = " · ".join(
        part for part in (flagged.merchant_category, flagged.merchant_id, flagged.channel) if part
    )
    return PaymentRow(
        payment_id=payment_id(flagged),
        at=shown_time(flagged.occurred_at),
        arrival="" if row is None else arrival_of(row),
        amount=money(flagged.amount, flagged.currency),
        score=flagged.risk_score,
        decision=flagged.decision.value,
        status=status_text(flagged.status),
        is_undecided=is_undecided(flagged),
        is_ticked=is_undecided(flagged),
        place=place_words(row.transaction) if row is not None else (flagged.country or ""),
        what=printable(what, MAX_TEXT_CHARACTERS),
        who=tuple((name, masked(value, is_revealed=is_revealed)) for name, value in who if value),
        reasons=reason_rows(flagged.reasons),
        flaws=flaws_of(flagged, row),
    )


def reason_rows(reasons: Sequence[Reason]) -> tuple[ReasonRow, ...]:
    """Show reasons, most points first."""
    return tuple(
        ReasonRow(each.points, printable(each.sentence, MAX_SENTENCE_CHARACTERS), each.rule_id)
        for each in sorted(reasons, key=lambda reason: -reason.points)
    )


def flaws_of(flagged: FlaggedTransaction, row: ScoredTransaction | None) -> tuple[str, ...]:
    """Say what was missing or invalid in a payment's record, and how it was scored."""
    flaws = []
    if row is not None:
        payment = row.transaction
        flaws += [
            f"{field.replace('_', ' ')}: sent, and not usable as it was" for field in payment.invalid_fields
        ]
        if payment.is_currency_assumed:
            flaws.append("no currency was sent; taken to be USD")
        if row.failed_rule_ids:
            flaws.append(f"rules that could not be evaluated: {', '.join(row.failed_rule_ids)}")
        invalid = {field.partition(".")[0] for field in payment.invalid_fields}
        absent = [
            field.removesuffix("_id").replace("_", " ")
            for field in ("card_id", "device_id", "ip_address", "location", "channel")
            if getattr(payment, field) is None and field not in invalid
        ]
        if absent:
            flaws.append(f"not sent: {', '.join(absent)}")
    if flagged.degraded:
        flaws.append("scored without the cache: counts across users may be too small")
    return tuple(flaws)


def similar_row(case: ClosedCase) -> SimilarRow:
    """Show how a case ended."""
    return SimilarRow(
        case_id=case.key.case_id,
        ended=case.verdict.value,
        closed_at=shown_time(case.closed_at),
        payments=f"{case.fraud.payments} fraud, {case.legitimate.payments} legitimate",
        money=base_money(case.fraud.amount_base, case.base_currency),
        released=base_money(case.legitimate.amount_base, case.base_currency),
    )


def similar_summary(cases: Sequence[ClosedCase]) -> str:
    """Say how similar cases ended together."""
    if not cases:
        return "No closed case has the same two strongest reasons."
    ended = [case.verdict.value for case in cases]
    parts = [f"{ended.count(word)} {word}" for word in ("fraud", "mixed", "legitimate") if word in ended]
    return f"Of the newest {len(cases)}: {', '.join(parts)}."


def decision_row(decision: CaseDecision) -> DecisionRow:
    """Show what somebody decided."""
    return DecisionRow(
        at=shown_time(decision.decided_at),
        said=ruling_text(decision.ruling),
        payments=counted(len(decision.payments), "payment"),
        note=printable(decision.ruling.note, MAX_TEXT_CHARACTERS),
        state="" if decision.undone_at is None else f"undone {shown_time(decision.undone_at)}",
    )


def released_text(look: SecondLook, currency: str | None) -> str:
    """Say what a second person is asked about."""
    payments = counted(look.released.payments, "payment")
    return f"{payments}, {base_money(look.released.amount_base, currency)}"


def _on_their_way(decisions: Sequence[CaseDecision], now: datetime) -> dict[str, str]:
    """Verdicts that rows may not say yet: key of a payment to the verdict."""
    return {
        key: decision.ruling.verdict.value
        for decision in decisions
        if is_in_flight(decision, now)
        for key in decision.event_keys
    }


def _in_case(row: PaymentRow, verdict: str, *, is_contested: bool) -> PaymentRow:
    if not verdict:
        return msgspec.structs.replace(row, is_ticked=row.is_ticked or is_contested)
    status = f"{verdict}, on its way" if row.is_undecided else row.status
    return msgspec.structs.replace(row, status=status, is_undecided=False, is_ticked=False)


def _lines(
    lead: FlaggedTransaction, features: Mapping[FlaggedKey, Mapping[str, FeatureValue]]
) -> tuple[Line, ...]:
    return odd_first(evidence(features.get(lead.key, {}), lead.base_currency))


def _timeline(records: CaseRecords, features: Mapping[FlaggedKey, Mapping[str, FeatureValue]]) -> Timeline:
    amounts = {key: float(named["amount_base"]) for key, named in features.items() if "amount_base" in named}
    return timeline(
        records.history,
        records.labels,
        frozenset(each.key for each in records.payments),
        frozenset(each.key for each in records.payments if each.own_alert_id is not None),
        amounts,
        records.case.base_currency,
    )


def _map(
    records: CaseRecords, features: Mapping[FlaggedKey, Mapping[str, FeatureValue]], land: Sequence[Ring]
) -> WorldMap | None:
    rows = sorted(records.history.items(), key=lambda item: item[1].occurred_at)
    stops: list[Stop] = []
    for key, row in rows:
        stop = stop_of(row, features[key], shown_time(row.occurred_at), place_words(row.transaction))
        if stop is not None:
            stops.append(stop)
    return world_map(stops, land)
