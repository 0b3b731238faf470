"""View models of a card, device, address, network, merchant or payee: what it did across users, its risk, its labels, its cases. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from common.alert_text import money
from console.link_graph import KINDS
from console.masking import masked
from console.parties import FIELDS
from console.payment_views import FoundCase, feature_text, found_case
from console.timeline import OUTCOMES, status_text
from console.verdicts import money_of, payment_id
from console.views import base_money, counted, shown_time
from contract.case import Case, Judgement
from contract.entity_ids import KIND_LETTERS
from contract.flagged import FlaggedTransaction
from contract.label_rows import EntityMarks
from contract.scored import FeatureValue
from engine.entities.kinds import KIND_NAMES
from engine.features import entities as shared_features
from engine.features import risk as risk_features

MAX_PAYMENTS_SHOWN: Final = 50
"""Flagged payments of an entity that its page lists, the newest."""

FIELD_OF_KIND: Final = {**FIELDS, "m": "merchant_id"}
"""First letter of an entity's name to the field of a payment that has its value."""

MASKED_KINDS: Final = frozenset("cdip")
"""Kinds whose values are personal data, by the letters of their names."""

_SHARED: Final = (*shared_features.FEATURES, *risk_features.FEATURES)
_SATURATED: Final = "saturated_entities"
_FIRST_FRAUDS: Final = 64
"""As many frauds as are read of an entity's labels."""


class Measure(msgspec.Struct, frozen=True):
    """A feature of the entity, as it was at its newest flagged payment."""

    sentence: str
    value: str
    name: str


class EntityPayment(msgspec.Struct, frozen=True):
    """A flagged payment that touches the entity."""

    case_id: str
    payment_id: str
    at: str
    amount: str
    user: str
    """A number of the page's own: users are not named."""
    decision: str
    outcome: str
    score: int
    status: str


class EntityView(msgspec.Struct, frozen=True, kw_only=True):
    """An entity."""

    kind: str
    value: str
    """As far as it may be seen."""
    summary: str
    labels: str
    facts: tuple[tuple[str, str], ...]
    """About its flagged payments."""
    measured_at: str
    measures: tuple[Measure, ...]
    is_capped: bool
    """Whether its count of users has reached its end."""
    payments: tuple[EntityPayment, ...]
    hidden: str
    """How many payments are not listed; empty for none."""
    cases: tuple[FoundCase, ...]
    cap: str
    """What was read of it; empty for all."""


class EntityRecords(msgspec.Struct, frozen=True, kw_only=True):
    """What an entity's page is made of."""

    name: str
    cases: Sequence[Case]
    """The newest that it is in."""
    payments: Sequence[FlaggedTransaction]
    """Of those of the cases that were read, that touch it."""
    features: Mapping[str, FeatureValue]
    """Of the newest of the payments; empty where its row is not kept."""
    marks: EntityMarks
    has_more: bool
    """Whether it is in more cases."""
    cases_read: int
    """Cases whose payments were read."""


def entity_view(records: EntityRecords) -> EntityView:
    """Show an entity."""
    payments = sorted(records.payments, key=lambda each: each.occurred_at, reverse=True)
    word = KIND_NAMES[KIND_LETTERS.index(records.name[:1].encode())]
    value = values_of(payments).get(records.name, "")
    users: dict[str, int] = {}
    for each in reversed(payments):
        users.setdefault(each.user_id, len(users) + 1)
    more = len(payments) - MAX_PAYMENTS_SHOWN
    return EntityView(
        kind=KINDS[records.name[:1]],
        value=value,
        summary=entity_summary(records.cases),
        labels=labels_text(records.marks),
        facts=_facts(payments),
        measured_at=shown_time(payments[0].occurred_at) if payments and records.features else "",
        measures=_measures(word, records.features),
        is_capped=word in str(records.features.get(_SATURATED, "")).split(),
        payments=tuple(_payment(each, users[each.user_id]) for each in payments[:MAX_PAYMENTS_SHOWN]),
        hidden=counted(more, "older payment") if more > 0 else "",
        cases=found_cases(records.cases),
        cap=_cap(records),
    )


def values_of(payments: Sequence[FlaggedTransaction]) -> dict[str, str]:
    """Give the values of the entities that payments touch: entity name to value, personal ones masked."""
    values: dict[str, str] = {}
    for flagged in payments:
        for name in flagged.entity_ids:
            field = FIELD_OF_KIND.get(name[:1])
            value: str | None = None if field is None else getattr(flagged, field)
            if value is not None:
                values.setdefault(name, masked(value, is_revealed=name[:1] not in MASKED_KINDS))
    return values


def labels_text(marks: EntityMarks) -> str:
    """Say what labels say of an entity."""
    if not marks.frauds and marks.honest is None:
        return "No label names one of its payments."
    parts = []
    if marks.frauds:
        many = "at least " if len(marks.frauds) >= _FIRST_FRAUDS else ""
        parts.append(
            f"{many}{counted(len(marks.frauds), 'payment')} called fraud, the newest of {shown_time(marks.frauds[-1])}"
        )
    if marks.honest is not None:
        parts.append(f"the newest honest payment is of {shown_time(marks.honest)}")
    return f"{'; '.join(parts)}."


def entity_summary(cases: Sequence[Case]) -> str:
    """Say in how many cases an entity is, of how many users, and how they ended."""
    users = len({case.case_owner for case in cases})
    ended = [case.verdict.value for case in cases if case.verdict is not None]
    parts = [f"{ended.count(word)} {word}" for word in ("fraud", "mixed", "legitimate") if word in ended]
    text = f"In {counted(len(cases), 'case')} of {counted(users, 'user')}"
    return f"{text}; of the closed ones: {', '.join(parts)}." if parts else f"{text}; none is closed."


def found_cases(cases: Sequence[Case]) -> tuple[FoundCase, ...]:
    """Show cases, the newest first."""
    newest = sorted(cases, key=lambda case: case.opened_at, reverse=True)
    return tuple(found_case(case, base_money(case.at_risk_base, case.base_currency)) for case in newest)


def _facts(payments: Sequence[FlaggedTransaction]) -> tuple[tuple[str, str], ...]:
    if not payments:
        return ()
    judged = [Judgement.of(each.status) for each in payments]
    currencies = {each.base_currency for each in payments if each.base_currency is not None}
    currency = currencies.pop() if len(currencies) == 1 else None
    verdicts = ", ".join(
        f"{judged.count(each)} {each.value}"
        for each in (Judgement.FRAUD, Judgement.LEGITIMATE, Judgement.UNDECIDED)
    )
    return (
        ("Flagged payments", str(len(payments))),
        ("Users", str(len({each.user_id for each in payments}))),
        ("Judged", verdicts),
        ("Money flagged", base_money(money_of(payments, currency), currency)),
        ("First flagged", shown_time(payments[-1].occurred_at)),
        ("Last flagged", shown_time(payments[0].occurred_at)),
    )


def _measures(word: str, features: Mapping[str, FeatureValue]) -> tuple[Measure, ...]:
    return tuple(
        Measure(each.description, feature_text(features[each.name]), each.name)
        for each in _SHARED
        if each.name.startswith(f"{word}_") and each.name in features
    )


def _payment(flagged: FlaggedTransaction, user: int) -> EntityPayment:
    return EntityPayment(
        case_id=flagged.case_id or "",
        payment_id=payment_id(flagged),
        at=shown_time(flagged.occurred_at),
        amount=money(flagged.amount, flagged.currency),
        user=f"user {user}",
        decision=flagged.decision.value,
        outcome=OUTCOMES[flagged.decision],
        score=flagged.risk_score,
        status=status_text(flagged.status),
    )


def _cap(records: EntityRecords) -> str:
    parts = []
    if records.has_more:
        parts.append(f"It is in more cases than these: the newest {len(records.cases)} were counted.")
    if records.cases_read < len(records.cases):
        parts.append(f"Payments are those of the newest {records.cases_read} cases.")
    return " ".join(parts)
