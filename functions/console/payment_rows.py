"""View models of a flagged payment: a row of its case's page, its reasons, and what was wrong with its record. Pure; no sender's text is trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from common.alert_text import money
from common.sanitizing import printable
from console.parties import Earlier, Party, parties
from console.timeline import OUTCOMES, arrival_of, place_words, status_text
from console.verdicts import payment_id
from console.views import shown_time
from contract.audit import MAX_TEXT_CHARACTERS
from contract.case import is_undecided

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from contract.flagged import FlaggedTransaction
    from contract.reason import Reason
    from contract.scored import ScoredTransaction

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
    """The ruleset's word."""
    outcome: str
    """What became of it."""
    status: str
    is_undecided: bool
    is_ticked: bool
    """Whether it is to be judged: undecided, or contested, and no verdict of it is on its way."""
    place: str
    what: str
    parties: tuple[Party, ...]
    """Card, device, address, payee."""
    reasons: tuple[ReasonRow, ...]
    flaws: tuple[str, ...]
    """What was missing or invalid in the record."""


def payment_row(
    flagged: FlaggedTransaction,
    row: ScoredTransaction | None,
    numbers: Mapping[str, str],
    earlier: Earlier | None = None,
    *,
    is_revealed: bool,
) -> PaymentRow:
    """Show a flagged payment.

    Parameters
    ----------
    flagged : FlaggedTransaction
        The payment.
    row : ScoredTransaction | None
        Its row in the history; None where that is not kept any more.
    numbers : Mapping[str, str]
        Places of its case's entities, by their names.
    earlier : Earlier | None
        What is known of its user before it; None where the page does not say it.
    is_revealed : bool
        Whether personal data are shown.
    """
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
        outcome=OUTCOMES[flagged.decision],
        status=status_text(flagged.status),
        is_undecided=is_undecided(flagged),
        is_ticked=is_undecided(flagged),
        place=place_words(row.transaction) if row is not None else (flagged.country or ""),
        what=printable(what, MAX_TEXT_CHARACTERS),
        parties=parties(flagged, flagged.entity_ids, numbers, earlier, is_revealed=is_revealed),
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


def with_coming(row: PaymentRow, verdict: str, *, is_contested: bool) -> PaymentRow:
    """Show a verdict that a payment's row does not say yet, empty for none; a contested payment without one is to be judged anew."""
    if not verdict:
        return msgspec.structs.replace(row, is_ticked=row.is_ticked or is_contested)
    status = f"{verdict}, on its way" if row.is_undecided else row.status
    return msgspec.structs.replace(row, status=status, is_undecided=False, is_ticked=False)
