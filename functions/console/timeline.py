"""A user's payments in time, with what was decided, alerted and judged; and the plot of their amounts. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import msgspec

from common.alert_text import money
from common.sanitizing import printable
from console.approved import can_be_judged
from console.parties import Party, parties
from console.verdicts import payment_id
from console.views import duration
from contract.clock import TimeBasis
from contract.entity_ids import entity_names
from contract.flagged import CONFIRMED_FRAUD, FALSE_POSITIVE, FlaggedKey
from contract.label import LabelVerdict, effective
from contract.scored import Decision
from contract.transaction import Location

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from contract.label import Label
    from contract.scored import ScoredTransaction
    from contract.transaction import Transaction

WIDTH: Final = 720
HEIGHT: Final = 140
_FOOT: Final = 20
_BAR: Final = 6

MAX_WORDS: Final = 60
"""Characters of a sender's word in a row."""

_LATE: Final = timedelta(minutes=10)
"""From here on the sender's time is shown beside the broker's."""


OUTCOMES: Final = {
    Decision.APPROVE: "gone through",
    Decision.REVIEW: "held for review",
    Decision.BLOCK: "stopped",
}
"""What becomes of a payment, by the decision."""


class Event(msgspec.Struct, frozen=True):
    """A payment of the user."""

    at: str
    """When it was made: the time that is believed, UTC."""
    arrival: str
    """How far the sender's and the broker's time are apart; empty where they agree."""
    amount: str
    decision: str
    """The ruleset's word."""
    outcome: str
    """What became of it."""
    score: int
    place: str
    what: str
    """Merchant and channel."""
    parties: tuple[Party, ...]
    """Card, device, address, payee."""
    judged: str
    """What the labels say; empty where none counts."""
    is_alerted: bool
    is_of_case: bool
    payment_id: str
    can_be_judged: bool
    """Approved, and nobody has said anything about it."""


class Bar(msgspec.Struct, frozen=True):
    """A payment in the plot; places and lengths in its units."""

    x: float
    y: float
    height: float
    decision: str
    is_of_case: bool
    title: str


class Timeline(msgspec.Struct, frozen=True):
    """The rows, newest first, and the plot, oldest at its left."""

    events: tuple[Event, ...]
    bars: tuple[Bar, ...]
    first: str
    last: str
    largest: str
    """The amount of the highest bar; empty where no payment has a base amount."""


def timeline(
    history: Mapping[FlaggedKey, ScoredTransaction],
    labels: Sequence[Label],
    case_keys: frozenset[FlaggedKey],
    alerted: frozenset[FlaggedKey],
    amounts_base: Mapping[FlaggedKey, float],
    base_currency: str | None,
    coming: Mapping[str, str],
    numbers: Mapping[str, str],
    *,
    is_revealed: bool,
) -> Timeline:
    """Show a user's newest payments.

    Parameters
    ----------
    history : Mapping[FlaggedKey, ScoredTransaction]
        Newest first.
    labels : Sequence[Label]
        Of the user.
    case_keys, alerted : frozenset[FlaggedKey]
        Payments of the case, and those with an alert of their own.
    amounts_base : Mapping[FlaggedKey, float]
        Major units of the base currency, where there is a rate.
    base_currency : str | None
        The ruleset's.
    coming : Mapping[str, str]
        Verdicts that are on their way: event key to what is said.
    numbers : Mapping[str, str]
        Places of the case's entities, by their names.
    is_revealed : bool
        Whether personal data are shown.
    """
    by_payment: dict[str, list[Label]] = {}
    for label in labels:
        by_payment.setdefault(label.event_key, []).append(label)
    events = tuple(
        _event(
            key,
            row,
            _said(by_payment.get(key.event_key, []), coming.get(key.event_key, "")),
            parties(row.transaction, entity_names(row.transaction), numbers, is_revealed=is_revealed),
            is_of_case=key in case_keys,
            is_alerted=key in alerted,
        )
        for key, row in history.items()
    )
    rows = sorted(history.items(), key=lambda item: item[1].occurred_at)
    largest = max((amounts_base.get(key, 0.0) for key, _ in rows), default=0.0)
    bars = tuple(
        _bar(number, len(rows), row, amounts_base.get(key, 0.0), largest, key in case_keys)
        for number, (key, row) in enumerate(rows)
    )
    return Timeline(
        events=events,
        bars=bars,
        first=_time(rows[0][1].occurred_at) if rows else "",
        last=_time(rows[-1][1].occurred_at) if rows else "",
        largest=f"{largest:,.0f} {base_currency}" if largest and base_currency else "",
    )


def place_words(payment: Transaction) -> str:
    """Where a payment was made, in words; empty where it is not known."""
    place = payment.location
    if isinstance(place, Location):
        parts = [part for part in (place.city, payment.country) if part]
        return printable(", ".join(parts), MAX_WORDS)
    return printable(place or "", MAX_WORDS) if place else (payment.country or "")


def arrival_text(claimed: datetime, appended: datetime) -> str:
    """How long after its sender's time the broker took a payment; empty where they agree.

    >>> at = datetime(2026, 3, 1, tzinfo=UTC)
    >>> arrival_text(at, at + timedelta(hours=3)), arrival_text(at, at - timedelta(days=2)), arrival_text(at, at)
    ("arrived 3 hours after its sender's time", "arrived 2 days before its sender's time", '')
    """
    delay = appended - claimed
    if abs(delay) < _LATE:
        return ""
    return f"arrived {duration(abs(delay))} {'after' if delay > timedelta(0) else 'before'} its sender's time"


def arrival_of(row: ScoredTransaction) -> str:
    """How far both times of a payment are apart; empty for a feed that is trusted, such as a file: there the arrival says nothing."""
    return "" if row.basis is TimeBasis.TRUSTED else arrival_text(row.transaction.timestamp, row.appended_at)


def judged_text(labels: Sequence[Label]) -> str:
    """What the labels of a payment say together."""
    counting = effective(labels)
    if counting is None:
        return ""
    words = "fraud" if counting.verdict is LabelVerdict.FRAUD else "legitimate"
    kind = "" if counting.fraud_type is None else f", {counting.fraud_type.value.replace('_', ' ')}"
    return f"{words}{kind} ({counting.source.value.replace('_', ' ')})"


def status_text(status: str) -> str:
    """A flagged row's status for people."""
    return {CONFIRMED_FRAUD: "fraud", FALSE_POSITIVE: "legitimate"}.get(status, "undecided")


def _said(labels: Sequence[Label], coming: str) -> str:
    judged = judged_text(labels)
    return f"{coming}, on its way" if coming and not judged else judged


def _event(
    key: FlaggedKey,
    row: ScoredTransaction,
    judged: str,
    named: tuple[Party, ...],
    *,
    is_of_case: bool,
    is_alerted: bool,
) -> Event:
    payment = row.transaction
    what = " · ".join(
        part for part in (payment.merchant_category, payment.merchant_id, payment.channel) if part
    )
    return Event(
        at=_time(row.occurred_at),
        arrival=arrival_of(row),
        amount=money(payment.amount, payment.currency),
        decision=row.decision.value,
        outcome=OUTCOMES[row.decision],
        score=row.risk_score,
        place=place_words(payment),
        what=printable(what, MAX_WORDS),
        parties=named,
        judged=judged,
        is_alerted=is_alerted,
        is_of_case=is_of_case,
        payment_id=payment_id(key),
        can_be_judged=can_be_judged(row) and not judged,
    )


def _bar(
    number: int, count: int, row: ScoredTransaction, amount: float, largest: float, is_of_case: bool
) -> Bar:
    # One place a payment, in order: bursts of payments within a minute would else lie over each other.
    room = WIDTH - _BAR
    x = room * number / (count - 1) if count > 1 else room / 2
    height = max(2.0, (HEIGHT - _FOOT) * (amount / largest if largest else 0.0))
    payment = row.transaction
    title = f"{_time(row.occurred_at)}: {money(payment.amount, payment.currency)}, {OUTCOMES[row.decision]}"
    return Bar(
        round(x, 1),
        round(HEIGHT - _FOOT - height, 1),
        round(height, 1),
        row.decision.value,
        is_of_case,
        title,
    )


def _time(at: datetime) -> str:
    return f"{at.astimezone(UTC).day} {at.astimezone(UTC):%b %Y, %H:%M:%S}"
