"""View models of a payment by itself, and of what a search finds. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from common.alert_text import money
from common.sanitizing import printable
from console.evidence import Line, evidence, odd_first
from console.masking import MAX_CHARACTERS, masked
from console.payment_rows import ReasonRow, flaws_of, reason_rows
from console.timeline import OUTCOMES, arrival_of, judged_text, place_words
from console.verdicts import payment_id
from console.views import shown_time
from contract.transaction import SENT_FIELDS
from engine.features.catalogue import CATALOGUE
from engine.features.stored import features_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from contract.case import Case
    from contract.flagged import FlaggedKey, FlaggedTransaction
    from contract.label import Label
    from contract.scored import FeatureValue, ScoredTransaction

PERSONAL: Final = frozenset({"user_id", "transaction_id", "card_id", "device_id", "ip_address", "payee_id"})
"""Fields that are masked until somebody asks for them."""

_SENTENCES: Final = {each.name: each.description for each in CATALOGUE}


class FeatureRow(msgspec.Struct, frozen=True):
    """A feature by its name."""

    name: str
    value: str
    sentence: str


class PaymentView(msgspec.Struct, frozen=True, kw_only=True):
    """A payment."""

    title: str
    facts: tuple[tuple[str, str], ...]
    """Fields that were sent, and times: name and value."""
    decision: str
    reasons: tuple[ReasonRow, ...]
    shadow: str
    """Rules in shadow that would have fired; empty for none."""
    judged: str
    flaws: tuple[str, ...]
    """What was missing or invalid in the record, where it was flagged."""
    lines: tuple[Line, ...]
    features: tuple[FeatureRow, ...]
    """All of them; none where the row's version is not known here."""
    ruleset: str


class FoundPayment(msgspec.Struct, frozen=True):
    """A payment that a search finds."""

    payment_id: str
    at: str
    amount: str
    decision: str
    outcome: str
    score: str
    place: str
    user: str
    case_id: str
    """Empty where it is in none."""


class FoundCase(msgspec.Struct, frozen=True):
    """A case that a search finds, or that an entity is in."""

    case_id: str
    opened_at: str
    state: str
    severity: str
    decided: str
    money: str


def payment_view(
    row: ScoredTransaction,
    flagged: FlaggedTransaction | None,
    labels: Sequence[Label],
    *,
    is_revealed: bool = False,
) -> PaymentView:
    """Show a payment.

    Parameters
    ----------
    row : ScoredTransaction
        Its row in the history.
    flagged : FlaggedTransaction | None
        Its flagged row, if it has one.
    labels : Sequence[Label]
        Its own.
    is_revealed : bool
        Whether personal data are shown.
    """
    features = features_of(row)
    payment = row.transaction
    return PaymentView(
        title=f"{money(payment.amount, payment.currency)}, {shown_time(row.occurred_at)}",
        facts=_facts(row, is_revealed=is_revealed),
        decision=f"{OUTCOMES[row.decision].capitalize()} ({row.decision.value}), score {row.risk_score}",
        reasons=reason_rows(row.reasons),
        shadow=", ".join(row.shadow_rule_ids),
        judged=judged_text(labels),
        flaws=() if flagged is None else flaws_of(flagged, row),
        lines=odd_first(evidence(features, row.base_currency)),
        features=tuple(
            FeatureRow(name, feature_text(value), _SENTENCES.get(name, ""))
            for name, value in features.items()
        ),
        ruleset=printable(row.ruleset_version, MAX_CHARACTERS),
    )


def found_payments(
    rows: Mapping[FlaggedKey, ScoredTransaction], flagged: Mapping[FlaggedKey, FlaggedTransaction]
) -> tuple[FoundPayment, ...]:
    """Show payments of the history in their order; the flagged ones lead to their case."""
    return tuple(
        FoundPayment(
            payment_id=payment_id(key),
            at=shown_time(row.occurred_at),
            amount=money(row.transaction.amount, row.transaction.currency),
            decision=row.decision.value,
            outcome=OUTCOMES[row.decision],
            score=str(row.risk_score),
            place=place_words(row.transaction),
            user=masked(key.user_id, is_revealed=False),
            case_id=(flagged[key].case_id or "") if key in flagged else "",
        )
        for key, row in rows.items()
    )


def found_case(case: Case, base_money: str) -> FoundCase:
    """Show a case in a list."""
    state = case.status.value if case.verdict is None else f"closed: {case.verdict.value}"
    tallies = f"{case.fraud.payments} fraud, {case.legitimate.payments} legitimate, {case.undecided.payments} undecided"
    return FoundCase(
        case.case_id, shown_time(case.opened_at), state, case.severity.value, tallies, base_money
    )


def feature_text(value: FeatureValue) -> str:
    """Write a feature's value.

    >>> feature_text(True), feature_text(1250.5), feature_text(""), feature_text(3)
    ('yes', '1,250.5', '', '3')
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return printable(value, MAX_CHARACTERS) if value else ""
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4f}".rstrip("0").rstrip(".")


def _facts(row: ScoredTransaction, *, is_revealed: bool) -> tuple[tuple[str, str], ...]:
    payment = row.transaction
    pairs = [
        ("Sender's time", shown_time(payment.timestamp)),
        ("Broker's time", shown_time(row.appended_at)),
        ("Difference", arrival_of(row)),
        ("Place", place_words(payment)),
    ]
    for field in SENT_FIELDS:
        if field in {"amount", "currency", "timestamp", "location"}:
            continue
        value = getattr(payment, field)
        text = (
            masked(value, is_revealed=is_revealed)
            if field in PERSONAL
            else printable(value or "", MAX_CHARACTERS)
        )
        pairs.append((field.removesuffix("_id").replace("_", " ").capitalize(), text))
    return tuple((name, text) for name, text in pairs if text)
