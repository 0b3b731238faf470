"""Cases with their payments, as the stages would have stored them, for a console on a local stack."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from contract.case import Case, CasePayment, Tally, to_case_item, to_link_item
from contract.entity_ids import entity_names
from contract.flagged import flag, to_flagged_item
from contract.reason import Reason
from contract.scored import Decision, ScoredTransaction, to_history_item
from contract.transaction import Location
from engine.features.catalogue import FEATURE_SET
from engine.features.stored import pack
from tests.support.cases import make_case
from tests.support.feature_samples import features_of
from tests.support.payments import BERLIN, RETENTION, make_scored, make_transaction

if TYPE_CHECKING:
    from contract.transaction import Transaction

PARIS = Location(latitude=48.85, longitude=2.35, country="FR", city="Paris")
USUAL = 8
"""Approved payments of the user before."""

_EXPIRES_AT = 1_900_000_000


def store_case(dynamodb: Any, user_id: str, flagged: int = 2, amount: int = 1250, **changes: Any) -> Case:
    """Store an open case: some usual payments in Berlin, then flagged ones in Paris.

    Parameters
    ----------
    dynamodb
        A boto3 client of a stack with its tables.
    user_id : str
        The user's; a new one for each case.
    flagged, amount : int
        Payments of the case, and the amount of each, USD.
    **changes
        Fields of the case.
    """
    now = datetime.now(UTC).replace(microsecond=0)
    for number in range(USUAL):
        at = now - timedelta(hours=30 - 3 * number)
        payment = _payment(user_id, f"usual-{number}", 40 + number, at, location=BERLIN)
        _put(dynamodb, _row(payment, at, decision=Decision.APPROVE, risk_score=0, reasons=()))
    rows = []
    for number in range(flagged):
        at = now - timedelta(minutes=30 - number)
        payment = _payment(
            user_id, f"flagged-{number}", amount, at, location=PARIS, device_id=f"new-{user_id}"
        )
        rows.append(_row(payment, at, speed=880.0 if number else 6400.0))
    fields: dict[str, Any] = {
        "opened_at": now - timedelta(minutes=29),
        "due_at": now + timedelta(hours=3),
        "expires_at": _EXPIRES_AT,
        "undecided": Tally(flagged, Decimal(flagged * amount)),
        "payments": tuple(CasePayment(85, Decimal(amount), row.event_key) for row in rows),
        "entities": entity_names(rows[0].transaction)[:2],
    }
    case = make_case(user_id, **fields | changes)
    for row in rows:
        _put(dynamodb, row)
        made = msgspec.structs.replace(flag(row, row.scored_at, RETENTION), case_id=case.case_id)
        dynamodb.put_item(TableName="flagged_transactions", Item=to_flagged_item(made))
    dynamodb.put_item(TableName="cases", Item=to_case_item(case))
    for name in case.entities:
        dynamodb.put_item(TableName="case_links", Item=to_link_item(name, case))
    return case


def _payment(user_id: str, name: str, amount: int, at: datetime, **changes: Any) -> Transaction:
    return make_transaction(
        user_id=user_id, transaction_id=f"{user_id}-{name}", amount=Decimal(amount), timestamp=at, **changes
    )


def _row(payment: Transaction, at: datetime, speed: float = 0.0, **changes: Any) -> ScoredTransaction:
    features = features_of(payment) | {
        "amount_base": float(payment.amount),
        "amount_mean_30d_base": 44.0,
        "implied_speed_kmh": speed,
        "distance_from_last_km": 878.0 if speed else 0.0,
        "is_unfamiliar_device": bool(speed),
        "usual_tx_count": USUAL,
    }
    fields: dict[str, Any] = {
        "features": pack(features),
        "feature_set": FEATURE_SET,
        "appended_at": at,
        "scored_at": at,
        "amount_base": payment.amount,
        "base_currency": "USD",
        "reasons": (
            Reason("impossible_travel", 60, "878 km from the last payment in 8 minutes."),
            Reason("high_amount", 25, "28 times the usual amount."),
        ),
    }
    return make_scored(payment, **fields | changes)


def _put(dynamodb: Any, row: ScoredTransaction) -> None:
    item: dict[str, Any] = to_history_item(row, _EXPIRES_AT)
    dynamodb.put_item(TableName="transaction_history", Item=item | {"features": {"B": row.features}})
