"""Histories of one user: payments with their times and what was decided about them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from hypothesis import strategies as st

from contract.scored import Decision, Position
from contract.transaction import Location
from contract.verdict import Verdict
from engine.profile import Profile
from tests.support.kafka_events import TOPIC
from tests.support.payments import (
    APPROVED,
    BLOCKED,
    REVIEWED,
    arrived_facts,
    make_grocery_payment,
    trusted_facts,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.profile.facts import PaymentFacts
    from engine.profile.outcome import Outcome

START = datetime(2026, 9, 1, tzinfo=UTC)
HOUR_S = 3_600
DAY_S = 86_400


class Event(NamedTuple):
    """A payment, and what was decided about it."""

    facts: PaymentFacts
    outcome: Outcome

    @property
    def is_approved(self) -> bool:
        """Whether it teaches what is normal at once."""
        return self.outcome.decision is Decision.APPROVE


def facts_at(seconds: float, name: str, **changes: object) -> PaymentFacts:
    """A payment of a trusted feed, ``seconds`` after :data:`START`."""
    return trusted_facts(
        make_grocery_payment(transaction_id=name, timestamp=START + timedelta(seconds=seconds), **changes)
    )


def late_facts_at(seconds: float, delay_s: float, name: str, **changes: object) -> PaymentFacts:
    """A payment that arrives ``seconds`` after :data:`START`, with an event time ``delay_s`` before."""
    arrival = START + timedelta(seconds=seconds)
    payment = make_grocery_payment(
        transaction_id=name, timestamp=arrival - timedelta(seconds=delay_s), **changes
    )
    return arrived_facts(payment, arrival)


def approved(*facts: PaymentFacts) -> list[Event]:
    """All of them approved."""
    return [Event(each, APPROVED) for each in facts]


def folded(history: Sequence[Event], profile: Profile | None = None) -> Profile:
    """Fold a history at offsets 0, 1, ... of one partition."""
    profile = profile or Profile()
    for offset, (facts, outcome) in enumerate(history):
        profile.fold_row(facts, outcome, Position(TOPIC, 0, offset))
    return profile


def verdict_on(facts: PaymentFacts, *, is_fraud: bool, verdict_hash: int = 1) -> Verdict:
    """Somebody's verdict on a payment."""
    seen = tuple(value or 0 for value in facts.seen)
    return Verdict(verdict_hash, is_fraud, facts.key_hash, facts.at_ms // 1000, seen)


DELAYS_S = st.sampled_from([0, 0, 0, -600, -601, 30, HOUR_S, DAY_S, DAY_S + 1, 60 * DAY_S, -40 * DAY_S])
"""Of an event time behind the arrival: believed and not believed, the limits among them."""


@st.composite
def histories(
    draw: st.DrawFn, max_size: int, span_s: int, *, mixed: bool = True, max_reviews: int = 1_000
) -> list[Event]:
    """Payments in random order of arrival: bursts and lulls, wrong times, two currencies, a few places and names.

    Parameters
    ----------
    draw : DrawFn
        Hypothesis's.
    max_size : int
        The most payments.
    span_s : int
        They arrive within this time after :data:`START`, s.
    mixed : bool
        Whether payments are reviewed and blocked, too; else all are approved.
    max_reviews : int
        How many are reviewed at most.
    """
    count = draw(st.integers(1, max_size))
    outcomes = st.sampled_from([APPROVED, APPROVED, APPROVED, REVIEWED, BLOCKED] if mixed else [APPROVED])
    history: list[Event] = []
    reviews = 0
    for number in range(count):
        facts = late_facts_at(
            draw(st.integers(0, span_s)),
            draw(DELAYS_S),
            f"t-{number}",
            amount=Decimal(draw(st.integers(0, 500_000))) / 100,
            currency=draw(st.sampled_from(["EUR", "USD"])),
            merchant_id=draw(st.sampled_from([None, "m-1", "m-2", "m-3"])),
            device_id=draw(st.sampled_from([None, "d-1", "d-2"])),
            location=draw(
                st.sampled_from(
                    [
                        None,
                        "Lyon, FR",
                        Location(latitude=1.0, longitude=2.0, country="DE"),
                        Location(latitude=3.0, longitude=2.0, country="US", city="X"),
                    ]
                )
            ),
        )
        outcome = draw(outcomes)
        reviews += outcome is REVIEWED
        history.append(Event(facts, outcome if reviews <= max_reviews else APPROVED))
    return history
