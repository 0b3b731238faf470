"""A window is alerted again when much more money is at stake: case I of the field, and its variants."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from alert.windows import WindowDecision, decide_window
from contract.alert import AgainReason, AlertState
from contract.alert_windows import UserWindows, claim_digest
from contract.scored import Decision
from tests.support.alert_store_contract import LIMITS, payment
from tests.support.payments import NOW

if TYPE_CHECKING:
    from contract.flagged import FlaggedTransaction

BLOCKED: dict[str, Any] = {"decision": Decision.BLOCK, "risk_score": 85}


def paid(number: int, amount: str, currency: str = "USD", **changes: Any) -> FlaggedTransaction:
    """A blocked payment, ``number`` seconds after noon."""
    return payment(
        f"tx-{number}", number / 60, amount=Decimal(amount), currency=currency, **BLOCKED | changes
    )


def decide_all(*payments: FlaggedTransaction, limits: Any = LIMITS) -> list[WindowDecision]:
    windows, decisions = UserWindows(user_id="user-1"), []
    for one in payments:
        decisions.append(decide_window(windows, one, limits, NOW))
        windows = decisions[-1].windows
    return decisions


def alerted(decisions: list[WindowDecision]) -> list[int]:
    """Places of the payments that are alerted on."""
    return [place for place, one in enumerate(decisions) if one.claim is not None]


def test_five_dollars_do_not_hide_five_payments_of_9_500() -> None:
    decisions = decide_all(paid(0, "5"), *(paid(number, "9500") for number in range(1, 6)))

    assert alerted(decisions) == [0, 1, 3]
    assert [one.claim.again for one in decisions if one.claim] == [
        None,
        AgainReason.AMOUNT,
        AgainReason.AMOUNT,
    ]
    third = decisions[3].claim
    assert third is not None
    assert third.suppressed_before.totals == {"USD": Decimal(9500)}
    waiting = decisions[-1].windows
    assert (waiting.suppressed.count, waiting.suppressed.totals) == (2, {"USD": Decimal(19000)})
    digested = claim_digest(waiting, NOW + timedelta(minutes=15))
    assert digested is not None
    assert digested.digest is not None
    assert digested.digest.payments == waiting.suppressed


def test_a_blocked_payment_of_a_billion_does_not_hide_what_follows() -> None:
    decisions = decide_all(paid(0, "1000000000"), *(paid(number, "9500") for number in range(1, 20)))

    assert alerted(decisions) == [0, 6, 12, 18]  # whenever another 55,000 USD are at stake


def test_five_payments_in_other_currencies_are_worth_what_they_are_in_the_base_currency() -> None:
    yen = [paid(number, "1400000", "JPY", amount_base=Decimal("9380.00")) for number in range(1, 3)]
    francs = [paid(number, "8500", "CHF", amount_base=Decimal("9520.00")) for number in range(3, 6)]

    decisions = decide_all(paid(0, "5"), *yen, *francs)

    assert alerted(decisions) == [0, 1, 3]
    again = decisions[3].claim
    assert again is not None
    assert again.suppressed_before.totals == {"USD": Decimal(9380)}


def test_currency_without_a_rate_is_alerted_again_by_its_own_sum() -> None:
    decisions = decide_all(
        paid(0, "5"), *(paid(number, "7000", "RUB", amount_base=None) for number in range(1, 6))
    )

    assert alerted(decisions) == [0, 1, 4]
    assert decisions[-1].windows.suppressed.totals == {"RUB": Decimal(7000)}


def test_sum_that_grows_by_small_payments_is_alerted_when_it_is_twice_what_was_reported() -> None:
    decisions = decide_all(paid(0, "60"), *(paid(number, "10") for number in range(1, 60)))

    # 60 reported; 13 * 10 exceed 2 * 60, and 190 are reported; 39 * 10 exceed 2 * 190.
    assert alerted(decisions) == [0, 13, 52]


def test_micro_payments_below_the_minimum_are_alerted_once() -> None:
    decisions = decide_all(*(paid(number, "1.00") for number in range(99)))

    assert alerted(decisions) == [0]
    assert decisions[-1].windows.suppressed.count == 98


@pytest.mark.parametrize(("amount", "places"), [("200.00", [0]), ("200.01", [0, 1]), ("99.99", [0])])
def test_sum_must_exceed_what_was_reported_by_the_factor_and_reach_the_minimum(
    amount: str, places: list[int]
) -> None:
    first = "100" if amount.startswith("200") else "1"

    assert alerted(decide_all(paid(0, first), paid(1, amount))) == places


@pytest.mark.parametrize(("amount", "places"), [("13000", [0]), ("13000.01", [0, 1])])
def test_large_sum_must_exceed_what_was_reported_by_the_amount(amount: str, places: list[int]) -> None:
    assert alerted(decide_all(paid(0, "8000"), paid(1, amount))) == places


@pytest.mark.parametrize(("base_currency", "places"), [("USD", [0, 1]), ("EUR", [0])])
def test_ruleset_with_another_base_currency_begins_a_sum_of_its_own(
    base_currency: str, places: list[int]
) -> None:
    # 99 EUR are below the minimum; nothing was reported in EUR, and 9,500 USD reported say nothing about it.
    later = paid(1, "99", base_currency=base_currency, amount_base=Decimal(99))
    limits = msgspec.structs.replace(LIMITS, again_minimum=Decimal(50 if base_currency == "USD" else 100))

    assert alerted(decide_all(paid(0, "5"), later, limits=limits)) == places


def test_two_users_have_sums_of_their_own() -> None:
    windows = {"user-1": UserWindows(user_id="user-1"), "user-2": UserWindows(user_id="user-2")}
    alerted = []
    for number in range(6):
        for user in windows:
            one = paid(number, "5" if number == 0 else "3000", user_id=user)
            decision = decide_window(windows[user], one, LIMITS, NOW)
            windows[user] = decision.windows
            alerted.append(decision.state is AlertState.CLAIMED)

    # 5; 3,000 and 3,005 reported; 9,000 exceed 2 * 3,005.
    assert alerted == [True] * 4 + [False] * 4 + [True] * 2 + [False] * 2


def test_graver_payment_is_alerted_again_for_its_severity_and_resets_the_sum() -> None:
    decisions = decide_all(paid(0, "100"), paid(1, "150"), paid(2, "10", risk_score=95), paid(3, "500"))

    assert alerted(decisions) == [0, 2]
    again = decisions[2].claim
    assert again is not None
    assert (again.again, again.suppressed_before.totals) == (AgainReason.SEVERITY, {"USD": Decimal(150)})
    (window,) = decisions[-1].windows.windows
    assert (window.reported, window.suppressed) == ({"USD": Decimal(260)}, {"USD": Decimal(500)})


def test_digest_reports_the_sum_of_its_window() -> None:
    *_, last = decide_all(paid(0, "100"), paid(1, "150"))
    digested = claim_digest(last.windows, NOW + timedelta(hours=1))
    assert digested is not None

    after = decide_window(digested, paid(2, "500"), LIMITS, NOW)
    more = decide_window(after.windows, paid(3, "0.01"), LIMITS, NOW)

    assert (after.state, more.state) == (AlertState.SUPPRESSED, AlertState.CLAIMED)
