"""Small rulesets and payments for tests of the backtest, valid by default."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from contract.truth import SentPayment, Truth
from engine.rules.ruleset import Ruleset, parse_ruleset

ENDS_AT = datetime(2026, 3, 31, 18, 30, tzinfo=UTC)
"""The clock of the samples."""

RULES = """
version: "1"
base_currency: USD
thresholds: {review: 50, block: 90}
rules:
  - {id: large, when: amount_base > 100.0, points: 50, reason: "{amount_base:,.0f} is large."}
  - {id: second, when: profile_tx_count == 1, points: 10, mode: shadow, reason: "The second payment."}
"""
"""Flags what is above 100 USD."""


def ruleset(document: str = RULES) -> Ruleset:
    """Parse a document."""
    return parse_ruleset(document)


def sent(
    number: int,
    amount: str,
    scenario: str | None = None,
    incident_id: str | None = "i1",
    **fields: object,
) -> SentPayment:
    """Make a payment of user ``u``, ``number`` minutes after the clock; its value is its amount."""
    record = {
        "transaction_id": f"t{number}",
        "user_id": "u",
        "amount": amount,
        "timestamp": (ENDS_AT + timedelta(minutes=number)).isoformat(),
        **fields,
    }
    truth = Truth(scenario, None if scenario is None else incident_id, float(amount))
    return SentPayment(record=record, truth=truth)
