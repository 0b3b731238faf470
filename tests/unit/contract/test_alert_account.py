"""The account of flagged payments finds each one that is in no message or in two, and each count that is not its payments'."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from alert.messages import make_alert
from contract.alert import (
    Alert,
    AlertClaim,
    AlertDigest,
    AlertKind,
    AlertState,
    Severity,
    SuppressedPayments,
)
from contract.alert_account import account_problems
from contract.alert_windows import ClaimedDigest, UserWindows
from tests.support.payments import NOW, make_flagged, make_transaction

if TYPE_CHECKING:
    from contract.flagged import FlaggedTransaction

TWO_COUNTED = SuppressedPayments(2, "count-1", {"USD": Decimal(30), "EUR": Decimal("7.50")})


def row(number: int, **changes: Any) -> FlaggedTransaction:
    marks: dict[str, Any] = {"alert_state": AlertState.SUPPRESSED, "suppression_id": "count-1"}
    transaction = make_transaction(
        transaction_id=f"tx-{number}",
        amount=Decimal("30.00") if number == 2 else Decimal("7.50"),
        currency="USD" if number == 2 else "EUR",
    )
    return make_flagged(transaction, **marks | changes)


SENT = row(
    1,
    alert_state=AlertState.SENT,
    suppression_id=None,
    alert_id="alert-1",
    alert_claim=AlertClaim(Severity.HIGH, NOW, SuppressedPayments()),
)
ROWS = [SENT, row(2), row(3)]
ALERT = make_alert(SENT, NOW)


def digest(payments: SuppressedPayments = TWO_COUNTED, alert_id: str = "count-1") -> AlertDigest:
    return AlertDigest(
        schema_version="2",
        kind=AlertKind.DIGEST,
        alert_id=alert_id,
        severity=Severity.HIGH,
        headline="",
        user_id="user-1",
        payments=payments,
        alerted_at=NOW,
    )


def reporting(alert_id: str, payments: SuppressedPayments = TWO_COUNTED) -> Alert:
    return msgspec.structs.replace(ALERT, alert_id=alert_id, suppressed_before=payments)


@pytest.mark.parametrize(
    ("messages", "waiting"),
    [
        ([digest()], []),
        ([digest(), digest()], []),
        ([reporting("alert-2")], []),
        ([], [UserWindows(user_id="user-1", suppressed=TWO_COUNTED)]),
        ([], [UserWindows(user_id="user-1", digest=ClaimedDigest(TWO_COUNTED, NOW))]),
        ([digest()], [UserWindows(user_id="user-1", digest=ClaimedDigest(TWO_COUNTED, NOW))]),
    ],
    ids=[
        "a digest",
        "copies of it",
        "a later alert",
        "waiting",
        "a digest to be sent",
        "sent and not marked",
    ],
)
def test_count_is_reported_once(messages: list[Alert | AlertDigest], waiting: list[UserWindows]) -> None:
    assert account_problems(ROWS, [ALERT, *messages], waiting) == []


@pytest.mark.parametrize(
    ("rows", "messages", "problem"),
    [
        (ROWS, [ALERT], "count count-1 of 2 payments is in no message"),
        (ROWS, [digest()], "alert alert-1 is marked sent and was not published"),
        (
            ROWS,
            [ALERT, digest(), reporting("alert-2")],
            "count count-1 is reported by count-1 and by alert-2",
        ),
        (
            ROWS[:2],
            [ALERT, digest()],
            "count count-1 says 2 payments, {'EUR': '7.5', 'USD': '30'}; it has 1, {'USD': '30'}",
        ),
        (
            ROWS,
            [ALERT, digest(msgspec.structs.replace(TWO_COUNTED, totals={"USD": Decimal("37.50")}))],
            "count count-1 says 2 payments, {'USD': '37.5'}; it has 2, {'EUR': '7.5', 'USD': '30'}",
        ),
        (
            ROWS,
            [ALERT, digest(), digest(msgspec.structs.replace(TWO_COUNTED, id="count-2"), "count-2")],
            "count count-2 says 2 payments, {'EUR': '7.5', 'USD': '30'}; it has 0, {}",
        ),
        (
            ROWS,
            [ALERT, digest(), reporting("alert-2", SuppressedPayments(1))],
            "alert-2 reports 1 payments without an id",
        ),
        (
            [*ROWS, row(4, suppression_id=None)],
            [ALERT, digest()],
            f"{row(4).event_key} is suppressed and in no count",
        ),
        (
            [*ROWS, row(4, alert_state=AlertState.CLAIMED, alert_id="alert-4")],
            [ALERT, digest()],
            f"{row(4).event_key} is claimed and in no count",
        ),
        ([*ROWS, row(4, alert_state=None)], [ALERT, digest()], f"{row(4).event_key} is None and in no count"),
    ],
)
def test_each_error_of_the_account_is_named(
    rows: list[FlaggedTransaction], messages: list[Alert | AlertDigest], problem: str
) -> None:
    assert account_problems(rows, messages, []) == [problem]
