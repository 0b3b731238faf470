"""Payments for tests, valid by default, with any field changed by name; and stream events as Lambda receives them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from alert.messages import make_alert
from contract.alert import Alert, AlertClaim, AlertState, Severity, SuppressedPayments
from contract.clock import EPOCH, MILLISECOND, TimeBasis, times_of, times_on
from contract.flagged import FlaggedTransaction, flag, to_flagged_item
from contract.reason import Reason
from contract.scored import Decision, Position, ScoredTransaction, to_history_item
from contract.transaction import SENT_FIELDS, Location, Transaction
from engine.profile.facts import PaymentFacts
from engine.profile.outcome import Outcome

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
RETENTION = timedelta(days=800)
APPROVED = Outcome(Decision.APPROVE)
"""The outcome of a usual payment."""
REVIEWED = Outcome(Decision.REVIEW, 60)
BLOCKED = Outcome(Decision.BLOCK, 90)


def make_transaction(**changes: Any) -> Transaction:
    """A payment of 1,250 USD in Paris."""
    fields: dict[str, Any] = {
        "transaction_id": "tx-1",
        "user_id": "user-1",
        "amount": Decimal("1250.00"),
        "currency": "USD",
        "timestamp": NOW - timedelta(minutes=1),
        "location": Location(latitude=48.85, longitude=2.35, country="FR", city="Paris"),
        "merchant_id": "merchant-1",
        "merchant_category": "electronics",
        "channel": "online",
        "card_id": "tok_000000001234",
        "device_id": "device-1",
        "ip_address": "203.0.113.7",
    }
    return Transaction(**fields | changes)


BERLIN = Location(latitude=52.52, longitude=13.405, country="DE", city="Berlin")


def make_grocery_payment(**changes: Any) -> Transaction:
    """A usual payment of a usual user: 25 EUR in Berlin, in person."""
    usual: dict[str, Any] = {
        "transaction_id": "t-1",
        "amount": Decimal("25.00"),
        "currency": "EUR",
        "location": BERLIN,
        "merchant_id": "m-1",
        "merchant_category": "grocery",
        "channel": "card_present",
        "card_id": "card-1",
        "ip_address": None,
    }
    return make_transaction(**usual | changes)


def make_minimal_payment(**changes: Any) -> Transaction:
    """A payment of 10 USD with no field but the required ones and those given."""
    required = ("transaction_id", "user_id", "timestamp")
    minimal: dict[str, Any] = dict.fromkeys(name for name in SENT_FIELDS if name not in required)
    return make_transaction(**minimal | {"amount": Decimal(10), "currency": "USD"} | changes)


def trusted_facts(transaction: Transaction) -> PaymentFacts:
    """A payment's facts where its feed is trusted: its event time is its clock."""
    return PaymentFacts.of(transaction, times_on(TimeBasis.TRUSTED, transaction.timestamp, 0))


def arrived_facts(transaction: Transaction, appended_at: datetime) -> PaymentFacts:
    """A payment's facts where its sender is not trusted, and the broker took it at ``appended_at``."""
    appended_at_ms = (appended_at - EPOCH) // MILLISECOND
    return PaymentFacts.of(transaction, times_of(transaction.timestamp, appended_at_ms, is_trusted=False))


def make_scored(transaction: Transaction | None = None, **changes: Any) -> ScoredTransaction:
    """A payment's row in the history: blocked for impossible travel."""
    fields: dict[str, Any] = {
        "transaction": transaction or make_transaction(),
        "position": Position("transaction_stream", 3, 42),
        "risk_score": 85,
        "decision": Decision.BLOCK,
        "reasons": (
            Reason("impossible_travel", 60, "8,000 km from the last payment in 30 minutes."),
            Reason("high_amount", 25, "25 times the usual amount."),
        ),
        "features": msgspec.msgpack.encode([12_500_000, 3, True, "FR"]),
        "feature_set": "1",
        "ruleset_version": "7",
        "profile_version": 12,
        "basis": TimeBasis.BELIEVED,
        "appended_at": NOW - timedelta(seconds=30),
        "scored_at": NOW - timedelta(seconds=29),
    }
    return ScoredTransaction(**fields | changes)


def make_flagged(transaction: Transaction | None = None, **changes: Any) -> FlaggedTransaction:
    """A payment's row in ``flagged_transactions``; the base currency is USD, and no other currency has a rate."""
    scored_changes = {name: changes.pop(name) for name in ("risk_score", "decision") if name in changes}
    payment = transaction or make_transaction()
    amount_base = payment.amount.quantize(Decimal("0.01")) if payment.currency == "USD" else None
    worth: dict[str, Any] = {"amount_base": amount_base, "base_currency": "USD"}
    flagged = flag(make_scored(payment, **worth | scored_changes), NOW, RETENTION)
    return msgspec.structs.replace(flagged, **changes)


def make_claimed(**changes: Any) -> FlaggedTransaction:
    """A row in ``flagged_transactions`` with an alert claimed for it."""
    claim = AlertClaim(Severity.HIGH, NOW - timedelta(minutes=1), SuppressedPayments())
    marks: dict[str, Any] = {
        "alert_state": AlertState.CLAIMED,
        "alert_id": "00000000-0000-5000-8000-000000000000",
        "alert_claim": claim,
    }
    return make_flagged(**marks | changes)


def make_alert_of(flagged: FlaggedTransaction) -> Alert:
    """The alert of a claimed row, published at :data:`NOW`."""
    return make_alert(flagged, NOW)


def stream_event(items: list[dict[str, Any]], event_name: str = "INSERT") -> dict[str, Any]:
    """A batch of a table's stream, sequence numbers ``100``, ``101``, ..."""
    return {
        "Records": [
            {
                "eventID": f"event-{index}",
                "eventName": event_name,
                "eventVersion": "1.1",
                "eventSource": "aws:dynamodb",
                "awsRegion": "us-east-1",
                "dynamodb": {
                    "ApproximateCreationDateTime": 1772366400,
                    "SequenceNumber": str(100 + index),
                    "StreamViewType": "NEW_IMAGE",
                    "NewImage": item,
                },
                "eventSourceARN": "arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/s",
            }
            for index, item in enumerate(items)
        ]
    }


def history_event(*scored: ScoredTransaction) -> dict[str, Any]:
    """A batch of ``transaction_history``'s stream."""
    return stream_event([to_history_item(one, 1_900_000_000) for one in scored])


def flagged_event(*flagged: FlaggedTransaction) -> dict[str, Any]:
    """A batch of ``flagged_transactions``' stream."""
    return stream_event([to_flagged_item(one) for one in flagged])


class Context:
    """Lambda's context: the part that the stages and Powertools use."""

    function_name = "stage"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:us-east-1:000000000000:function:stage"
    aws_request_id = "request-1"

    def __init__(self, remaining_ms: int = 30_000) -> None:
        self.remaining_ms = remaining_ms

    def get_remaining_time_in_millis(self) -> int:
        """The time given to the constructor."""
        return self.remaining_ms


class Metrics:
    """Collects metrics by name."""

    def __init__(self) -> None:
        self.values: dict[str, list[float]] = {}

    def add_metric(self, name: str, unit: Any, value: float) -> None:
        """Keep one value."""
        self.values.setdefault(name, []).append(value)

    def total(self, name: str) -> float:
        """Sum of a metric's values; 0 where there was none."""
        return sum(self.values.get(name, []))


class Log:
    """Collects log lines."""

    def __init__(self) -> None:
        self.lines: list[dict[str, object]] = []

    def error(self, msg: object, *, extra: Any) -> None:
        """Keep one line."""
        self.lines.append({"message": msg} | dict(extra))

    def warning(self, msg: object, *, extra: Any) -> None:
        """Keep one line."""
        self.error(msg, extra=extra)
