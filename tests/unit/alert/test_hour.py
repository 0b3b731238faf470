"""A user gives at most so many alerts an hour of append time, whatever the payments' event times say: case J, and its variants."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alert.messages import make_alert
from alert.windows import WindowDecision, decide_window
from contract.alert import AlertState
from contract.alert_account import account_problems
from contract.alert_windows import MAX_RECENT, UserWindows, claim_digest
from contract.scored import Decision
from tests.support.alert_store_contract import LIMITS, payment
from tests.support.payments import NOW

if TYPE_CHECKING:
    from contract.flagged import FlaggedTransaction

REVIEWED: dict[str, Any] = {"decision": Decision.REVIEW, "risk_score": 60}
HOUR_MS = 3_600_000


def paid(number: int, appended_minute: float, amount: str = "0.10", **changes: Any) -> FlaggedTransaction:
    """A reviewed payment, dated ``number`` hours after noon, that Kafka took ``appended_minute`` minutes after noon."""
    appended_at = NOW + timedelta(minutes=appended_minute)
    marks = {"appended_at_ms": round(appended_at.timestamp() * 1000)}
    return payment(f"tx-{number}", 60 * number, amount=Decimal(amount), **REVIEWED | marks | changes)


def decide_all(*payments: FlaggedTransaction) -> list[WindowDecision]:
    windows: dict[str, UserWindows] = {}
    decisions = []
    for one in payments:
        before = windows.get(one.user_id, UserWindows(user_id=one.user_id))
        decisions.append(decide_window(before, one, LIMITS, one.appended_at))
        windows[one.user_id] = decisions[-1].windows
    return decisions


def alerted(decisions: list[WindowDecision]) -> list[int]:
    return [place for place, one in enumerate(decisions) if one.state is AlertState.CLAIMED]


@pytest.mark.parametrize(
    ("amount", "alerts"),
    [("0.10", [0, 1, 2, 3]), ("20", [0, 1, 2, 3, 12, 39]), ("9500", [0, 1, 2, 3, 8, 14])],
)
def test_two_hundred_payments_dated_an_hour_apart_give_at_most_six_alerts_and_one_digest(
    amount: str, alerts: list[int]
) -> None:
    decisions = decide_all(*(paid(number, number / 60, amount) for number in range(200)))

    last = decisions[-1].windows
    assert alerted(decisions) == alerts
    assert len(alerts) <= LIMITS.messages_per_hour
    assert all(one.is_over_limit for one in decisions if one.claim is None)
    assert last.due_at is not None
    digested = claim_digest(last, last.due_at)
    assert digested is not None
    assert digested.digest is not None
    left = 200 - alerts[-1] - 1
    assert digested.digest.payments.count == left
    assert digested.digest.payments.totals == {"USD": left * Decimal(amount)}


def test_digest_is_due_when_the_window_of_the_first_suppressed_payment_closes() -> None:
    decisions = decide_all(*(paid(number, number / 60) for number in range(200)))

    assert decisions[3].windows.due_at is None
    assert {one.windows.due_at for one in decisions[4:]} == {NOW + timedelta(minutes=15, seconds=4)}


def test_payments_that_kafka_takes_for_ten_hours_give_four_alerts_an_hour() -> None:
    decisions = decide_all(*(paid(number, 3 * number) for number in range(200)))

    hours = Counter(place * 3 // 60 for place in alerted(decisions))
    assert hours == dict.fromkeys(range(10), 4)


@pytest.mark.parametrize(("minutes", "alerts"), [([0, 0, 0, 0, 59.9], 4), ([0, 0, 0, 0, 60], 5)])
def test_alerts_count_for_an_hour(minutes: list[float], alerts: int) -> None:
    decisions = decide_all(*(paid(number, minute) for number, minute in enumerate(minutes)))

    assert len(alerted(decisions)) == alerts


@pytest.mark.parametrize("first_minute", [-30, 0, 30, 55])
def test_border_between_two_hours_of_the_clock_gives_no_second_share(first_minute: float) -> None:
    decisions = decide_all(*(paid(number, first_minute + number) for number in range(20)))

    assert alerted(decisions) == [0, 1, 2, 3]


@given(st.permutations(range(24)))
def test_shards_read_in_any_order_give_no_hour_more_than_the_limit(order: list[int]) -> None:
    payments = [paid(number, 10 * number) for number in range(24)]

    decisions = decide_all(*(payments[place] for place in order))

    times = sorted(order[place] * 10 for place in alerted(decisions))
    assert len(times) >= 4
    assert all(
        sum(first <= other < first + 60 for other in times) <= LIMITS.messages_per_hour for first in times
    )


def test_each_of_two_users_has_an_hour_of_their_own() -> None:
    payments = [
        paid(number, number / 60, user_id=user) for number in range(50) for user in ("user-1", "user-2")
    ]

    decisions = decide_all(*payments)

    assert Counter(payments[place].user_id for place in alerted(decisions)) == {"user-1": 4, "user-2": 4}


def test_harmless_alerts_do_not_use_up_the_hour_for_a_graver_one() -> None:
    blocked: dict[str, Any] = {"decision": Decision.BLOCK, "risk_score": 85}

    decisions = decide_all(*(paid(number, number / 60) for number in range(20)), paid(20, 1, **blocked))

    assert alerted(decisions) == [0, 1, 2, 3, 20]


def test_harmless_alerts_do_not_use_up_the_hour_for_much_more_money() -> None:
    small = [paid(number, number / 60, "20") for number in range(10)]
    large = [paid(number, 1 + number / 60, "9500") for number in range(10, 20)]

    decisions = decide_all(*small, *large)

    # 120 of 20 are suppressed; 9,500 exceed the 80 that were reported; then 19,000 exceed the 9,700 reported.
    assert alerted(decisions) == [0, 1, 2, 3, 10, 12]
    assert decisions[-1].windows.suppressed.totals == {"USD": Decimal(7 * 9500)}


def test_nothing_is_alerted_beyond_the_limit_however_grave() -> None:
    scores = [60, 60, 60, 60, 85, 95, 96, 97, 98]

    decisions = decide_all(
        *(
            paid(
                number,
                number / 60,
                risk_score=score,
                decision=Decision.BLOCK if score > 80 else Decision.REVIEW,
            )
            for number, score in enumerate(scores)
        )
    )

    assert alerted(decisions) == [0, 1, 2, 3, 4, 5]


def test_one_alert_an_hour_has_no_reserve() -> None:
    one_an_hour = msgspec.structs.replace(LIMITS, messages_per_hour=1)
    first = decide_window(UserWindows(user_id="user-1"), paid(0, 0), one_an_hour, NOW)

    second = decide_window(first.windows, paid(1, 1, risk_score=95), one_an_hour, NOW)

    assert (first.state, second.state) == (AlertState.CLAIMED, AlertState.SUPPRESSED)


def test_payment_over_the_limit_opens_no_window_and_names_no_alert() -> None:
    decisions = decide_all(*(paid(number, number / 60) for number in range(6)))

    over = decisions[4]
    assert (over.alert_id, over.claim) == (None, None)
    assert over.suppression_id == decisions[5].suppression_id is not None
    assert len(decisions[5].windows.windows) == 4


def test_alerts_that_are_remembered_are_bounded() -> None:
    decisions = decide_all(*(paid(number, 60 * number) for number in range(MAX_RECENT + 5)))

    recent = decisions[-1].windows.recent
    assert len(recent) == MAX_RECENT
    assert recent[-1].appended_at_ms - recent[0].appended_at_ms == (MAX_RECENT - 1) * HOUR_MS


def test_digests_of_a_user_are_an_hour_apart() -> None:
    *_, last = decide_all(*(paid(number, number / 60) for number in range(6)))
    assert last.windows.due_at is not None
    digested = claim_digest(last.windows, last.windows.due_at)
    assert digested is not None
    sent = msgspec.structs.replace(digested, digest=None, due_at=None)

    again = decide_window(sent, paid(7, 16), LIMITS, NOW + timedelta(minutes=16))

    assert again.windows.due_at == last.windows.due_at + timedelta(hours=1)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 30), st.integers(0, 90), st.sampled_from(["20", "900", "9500"]), st.booleans()
        ),
        max_size=40,
    )
)
def test_every_payment_is_in_one_message_or_waits_for_one(
    drawn: list[tuple[int, int, str, bool]],
) -> None:
    blocked: dict[str, Any] = {"decision": Decision.BLOCK, "risk_score": 85}
    payments = [
        paid(
            number, minute, amount, occurred_at=NOW + timedelta(hours=hour), **(blocked if is_blocked else {})
        )
        for number, (hour, minute, amount, is_blocked) in enumerate(drawn)
    ]
    decisions = decide_all(*payments)

    rows = [
        msgspec.structs.replace(
            one,
            alert_state=AlertState.SUPPRESSED if decision.claim is None else AlertState.SENT,
            alert_id=decision.alert_id,
            suppression_id=decision.suppression_id,
            alert_claim=decision.claim,
        )
        for one, decision in zip(payments, decisions, strict=True)
    ]
    messages = [make_alert(row, NOW) for row in rows if row.alert_claim is not None]
    assert account_problems(rows, messages, [one.windows for one in decisions[-1:]]) == []


def test_a_blocked_payment_of_a_billion_does_not_use_up_the_alerts_of_the_hour() -> None:
    blocked = {"decision": Decision.BLOCK, "risk_score": 100}
    first = paid(0, 0, "1000000000", **blocked)

    decisions = decide_all(first, *(paid(number, number / 6, "9500", **blocked) for number in range(1, 60)))

    assert alerted(decisions) == [0, 1, 2, 3, 9, 15]
