"""Which payments are alerted on and which are counted, by event time alone."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from itertools import permutations
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alert.windows import WindowDecision, alert_id_of, decide_window
from contract.alert import AlertState, Severity, SuppressedPayments
from contract.alert_windows import MAX_WINDOWS, UserWindows
from contract.scored import Decision
from tests.support.alert_store_contract import LIMITS, WIDTH
from tests.support.payments import NOW, make_flagged, make_transaction

if TYPE_CHECKING:
    from contract.flagged import FlaggedTransaction

NONE = UserWindows(user_id="user-1")


def payment(minutes: float = 0, number: int = 0, **changes: Any) -> FlaggedTransaction:
    """Flagged, paid and appended ``minutes`` after noon, 1.25 USD; its number makes it another payment."""
    of_payment = {name: changes.pop(name) for name in ("amount", "currency") if name in changes}
    at = NOW + timedelta(minutes=minutes)
    transaction = make_transaction(
        transaction_id=f"tx-{minutes}-{number}",
        timestamp=at,
        **{"amount": Decimal("1.25")} | of_payment,
    )
    return make_flagged(transaction, **{"appended_at_ms": round(at.timestamp() * 1000)} | changes)


def decide_all(*payments: FlaggedTransaction) -> list[WindowDecision]:
    windows, decisions = NONE, []
    for one in payments:
        decisions.append(decide_window(windows, one, LIMITS, NOW))
        windows = decisions[-1].windows
    return decisions


def states(*payments: FlaggedTransaction) -> list[str]:
    return [decision.state.value for decision in decide_all(*payments)]


@pytest.mark.parametrize(
    ("decision", "risk_score", "severity"),
    [
        (Decision.REVIEW, 0, Severity.MEDIUM),
        (Decision.REVIEW, 89, Severity.MEDIUM),
        (Decision.BLOCK, 70, Severity.HIGH),
        (Decision.BLOCK, 89, Severity.HIGH),
        (Decision.BLOCK, 90, Severity.CRITICAL),
        (Decision.REVIEW, 90, Severity.CRITICAL),
    ],
)
def test_severity_follows_the_decision_and_from_90_the_score(
    decision: Decision, risk_score: int, severity: Severity
) -> None:
    assert Severity.of(decision, risk_score) is severity


def test_first_payment_of_a_user_is_alerted_on() -> None:
    (decision,) = decide_all(payment())

    assert decision.state is AlertState.CLAIMED
    assert decision.claim is not None
    assert decision.claim.window_start == NOW
    assert decision.claim.suppressed_before == SuppressedPayments()
    assert decision.windows.version == 1


@pytest.mark.parametrize(
    ("minutes", "state"), [(14.99, "suppressed"), (15, "claimed"), (-14.99, "suppressed"), (-15, "claimed")]
)
def test_window_covers_what_lies_less_than_its_width_before_or_after(minutes: float, state: str) -> None:
    assert states(payment(0), payment(minutes)) == ["claimed", state]


def test_window_does_not_move_with_the_payments_in_it() -> None:
    assert states(payment(0), payment(10), payment(14), payment(16)) == [
        "claimed",
        "suppressed",
        "suppressed",
        "claimed",
    ]


def test_rise_in_severity_is_alerted_at_once_and_each_level_once() -> None:
    review: dict[str, Any] = {"decision": Decision.REVIEW, "risk_score": 50}
    critical: dict[str, Any] = {"risk_score": 95}

    alerted = states(
        payment(0, **review),
        payment(1, **review),
        payment(2),
        payment(3),
        payment(4, **critical),
        payment(5, **critical),
        payment(6, **review),
    )

    assert alerted == [
        "claimed",
        "suppressed",
        "claimed",
        "suppressed",
        "claimed",
        "suppressed",
        "suppressed",
    ]


def test_rise_keeps_the_window_where_it_was() -> None:
    decisions = decide_all(payment(0), payment(10, risk_score=95), payment(14), payment(20))

    assert [decision.claim.window_start if decision.claim else None for decision in decisions] == [
        NOW,
        NOW,
        None,
        NOW + timedelta(minutes=20),
    ]


def test_suppressed_payment_names_the_last_alert_of_its_window() -> None:
    first, raised, counted = decide_all(payment(0), payment(1, risk_score=95), payment(2))

    assert counted.alert_id == raised.alert_id != first.alert_id


def test_next_alert_says_what_was_counted_and_resets_the_count() -> None:
    decisions = decide_all(
        payment(0),
        payment(1, amount=Decimal("10.00")),
        payment(2, amount=Decimal("0.505")),
        payment(30),
        payment(60),
    )

    alerted = [decision.claim.suppressed_before for decision in decisions if decision.claim]
    assert [(one.count, one.totals) for one in alerted] == [(0, {}), (2, {"USD": Decimal("10.50")}), (0, {})]


def test_late_payment_falls_into_its_own_window_though_newer_ones_are_open() -> None:
    assert states(payment(0), payment(600), payment(5), payment(605)) == [
        "claimed",
        "claimed",
        "suppressed",
        "suppressed",
    ]


def test_payment_between_two_windows_belongs_to_the_nearer_one() -> None:
    early, late, between = decide_all(payment(0), payment(20), payment(12))

    assert between.state is AlertState.SUPPRESSED
    assert between.alert_id == late.alert_id != early.alert_id


def test_windows_far_apart_give_the_same_alerts_in_every_order() -> None:
    payments = [payment(0), payment(60), payment(120), payment(180)]

    alerted = {
        tuple(sorted(str(decision.alert_id) for decision in decide_all(*order)))
        for order in permutations(payments)
    }

    assert alerted == {tuple(sorted(alert_id_of(one) for one in payments))}


def test_old_payments_group_as_they_did_when_they_were_new() -> None:
    minutes = [0, 3, 14, 16, 40, 41]
    new = states(*(payment(minute) for minute in minutes))
    old = states(*(payment(minute - 5 * 365 * 24 * 60) for minute in minutes))

    assert new == old


def test_windows_are_bounded_and_the_least_recently_used_is_dropped_first() -> None:
    hours = [payment(60 * hour) for hour in range(MAX_WINDOWS)]
    *_, full = decide_all(*hours, payment(1))

    after = decide_window(full.windows, payment(60 * 100), LIMITS, NOW).windows

    starts = [window.start for window in after.windows]
    assert len(starts) == MAX_WINDOWS
    assert NOW in starts
    assert NOW + timedelta(hours=1) not in starts


def test_alert_id_is_the_payment_s_own_whatever_else_its_row_says() -> None:
    one = payment(0, amount=Decimal("1250.00"))

    assert alert_id_of(one) == alert_id_of(
        payment(0, amount=Decimal("1250.00"), risk_score=99, status="closed")
    )
    assert alert_id_of(one) != alert_id_of(payment(0, number=1))
    assert alert_id_of(one) == "e7c29938-8ef2-5287-bf33-609b8948be34"


@given(
    st.lists(
        st.tuples(st.integers(-100, 100), st.sampled_from([(Decision.REVIEW, 50), (Decision.BLOCK, 95)])),
        max_size=40,
    )
)
def test_every_payment_is_alerted_on_or_counted_and_no_count_is_lost(
    payments: list[tuple[int, tuple[Decision, int]]],
) -> None:
    decisions = decide_all(
        *(
            payment(minutes, number, decision=decision, risk_score=score)
            for number, (minutes, (decision, score)) in enumerate(payments)
        )
    )

    counted = sum(decision.state is AlertState.SUPPRESSED for decision in decisions)
    alerted = sum(decision.claim.suppressed_before.count for decision in decisions if decision.claim)
    left = decisions[-1].windows.suppressed.count if decisions else 0
    assert alerted + left == counted
    assert [decision.windows.version for decision in decisions] == list(range(1, len(decisions) + 1))


@given(st.lists(st.integers(-30, 30), min_size=1, max_size=40))
def test_counted_payment_lies_within_the_window_whose_alert_it_names(minutes: list[int]) -> None:
    payments = [payment(minute, number) for number, minute in enumerate(minutes)]
    decisions = decide_all(*payments)

    starts = {decision.alert_id: decision.claim.window_start for decision in decisions if decision.claim}
    assert all(
        abs(one.occurred_at - starts[decision.alert_id]) < WIDTH
        for one, decision in zip(payments, decisions, strict=True)
    )


def test_windows_of_a_user_are_at_most_sixteen() -> None:
    *_, last = decide_all(*(payment(60 * hour) for hour in range(20)))

    assert MAX_WINDOWS == 16
    assert [window.start for window in last.windows.windows] == [
        NOW + timedelta(hours=hour) for hour in range(4, 20)
    ]


def test_payment_as_near_to_two_windows_belongs_to_the_earlier_one() -> None:
    late, early, between = decide_all(payment(20), payment(0), payment(10))

    assert between.state is AlertState.SUPPRESSED
    assert between.alert_id == early.alert_id != late.alert_id


def test_only_a_higher_severity_is_alerted_again() -> None:
    review: dict[str, Any] = {"decision": Decision.REVIEW, "risk_score": 50}

    assert states(payment(0), payment(1), payment(2, **review), payment(3, risk_score=89)) == [
        "claimed",
        "suppressed",
        "suppressed",
        "suppressed",
    ]


def test_count_in_one_currency_has_a_total_from_the_first_payment_on() -> None:
    *_, one = decide_all(payment(0), payment(1, amount=Decimal("5.25")))
    *_, three = decide_all(payment(0), *(payment(minute, amount=Decimal("5.25")) for minute in (1, 2, 3)))

    assert one.windows.suppressed.totals == {"USD": Decimal("5.25")}
    assert three.windows.suppressed.totals == {"USD": Decimal("15.75")}
