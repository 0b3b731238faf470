"""The timeline shows each payment with both times, its decision, its alert and what its labels say; the plot has a bar for each."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from console.timeline import HEIGHT, WIDTH, Timeline, timeline
from contract.clock import TimeBasis
from contract.flagged import FlaggedKey
from contract.label import FraudType, LabelVerdict
from contract.scored import Decision, ScoredTransaction
from tests.support.console_world import NOW
from tests.support.labels import make_label
from tests.support.payments import make_scored, make_transaction


def row(minutes: int, amount: str = "100", **changes: Any) -> ScoredTransaction:
    at = NOW - timedelta(minutes=minutes)
    payment = make_transaction(transaction_id=f"tx-{minutes}", amount=Decimal(amount), timestamp=at)
    return make_scored(payment, **{"appended_at": at, **changes})


def shown(*rows: ScoredTransaction, **changes: Any) -> Timeline:
    history = {FlaggedKey("user-1", each.event_key): each for each in rows}
    amounts = {key: float(each.transaction.amount) for key, each in history.items()}
    given: dict[str, Any] = {"labels": [], "case_keys": frozenset(), "alerted": frozenset()}
    given |= {
        "amounts_base": amounts,
        "base_currency": "USD",
        "coming": {},
        "numbers": {},
        "is_revealed": False,
    } | changes
    return timeline(history, **given)


def test_bars_are_in_order_of_time_and_as_high_as_their_amounts() -> None:
    drawn = shown(row(1, "50"), row(10, "200"), row(20, "100", decision=Decision.APPROVE))

    heights = [bar.height for bar in drawn.bars]
    assert [bar.decision for bar in drawn.bars] == ["approve", "block", "block"]
    assert heights[1] == 2 * heights[0] == 4 * heights[2]
    assert all(0 <= bar.x <= WIDTH and 0 <= bar.y <= bar.y + bar.height <= HEIGHT for bar in drawn.bars)
    assert drawn.largest == "200 USD"
    assert drawn.first < drawn.last


def test_the_brokers_time_is_shown_where_it_is_another_than_the_senders() -> None:
    late = row(300, appended_at=NOW, basis=TimeBasis.APPENDED)

    (event,) = shown(late).events

    assert event.at == "1 Mar 2026, 12:00:00"
    assert event.arrival == "arrived 5 hours after its sender's time"


def test_the_arrival_of_a_file_says_nothing() -> None:
    (event,) = shown(row(300, appended_at=NOW, basis=TimeBasis.TRUSTED)).events

    assert event.arrival == ""


def test_a_payment_says_what_its_labels_say_together() -> None:
    judged, other = row(1), row(2)
    labels = [
        make_label(event_key=judged.event_key, label_id="l-1", verdict=LabelVerdict.LEGITIMATE, known_at=NOW),
        make_label(
            event_key=judged.event_key,
            label_id="l-2",
            verdict=LabelVerdict.FRAUD,
            fraud_type=FraudType.ACCOUNT_TAKEOVER,
            known_at=NOW + timedelta(hours=1),
        ),
    ]

    drawn = shown(judged, other, labels=labels)

    assert [event.judged for event in drawn.events] == ["fraud, account takeover (analyst)", ""]


def test_payments_of_the_case_and_alerted_ones_are_marked() -> None:
    mine, other = row(1), row(2)
    keys = frozenset({FlaggedKey("user-1", mine.event_key)})

    drawn = shown(mine, other, case_keys=keys, alerted=keys)

    assert [(event.is_of_case, event.is_alerted) for event in drawn.events] == [(True, True), (False, False)]
    assert [bar.is_of_case for bar in drawn.bars] == [False, True]


def test_a_user_without_payments_has_an_empty_timeline() -> None:
    assert shown() == Timeline((), (), "", "", "")
