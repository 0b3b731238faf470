from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from lab.backtest import Backtest, run_backtest
from lab.backtest.crossing import Crossing, CrowdAlarms, EarlyDetection, summed
from lab.backtest.printing import as_text
from tests.support.backtest_samples import ruleset, sent

if TYPE_CHECKING:
    from contract.truth import SentPayment

DAY = 24 * 60


def attacked(amounts: list[str], incident: str = "i1", first: int = 0) -> list[SentPayment]:
    return [
        sent(first + number, amount, "ring", incident, user_id=f"u{first}-{number}")
        for number, amount in enumerate(amounts)
    ]


def odd(minute: int, amount: str, kind: str = "concert") -> SentPayment:
    payment = sent(minute, amount, user_id=f"fan-{minute}")
    return msgspec.structs.replace(payment, truth=msgspec.structs.replace(payment.truth, oddness=kind))


def crossed(*payments: SentPayment) -> Backtest:
    return run_backtest(payments, ruleset())


def test_an_attack_is_found_early_by_one_of_its_first_six_payments() -> None:
    early = attacked(["10"] * 5 + ["150"])
    late = attacked(["10"] * 6 + ["150"], "i2", 100)
    missed = attacked(["10"] * 9, "i3", 200)

    found = crossed(*early, *late, *missed).crossing.attacks

    assert found == {"ring": EarlyDetection(incidents=3, early=1, detected=2, users=22 / 3)}


def test_attacks_on_single_users_are_no_attacks_that_cross_users() -> None:
    backtest = crossed(sent(1, "150", "structuring"), sent(2, "150", "structuring"))

    assert not backtest.crossing.attacks
    assert "cross users" not in as_text(backtest)
    assert "crowds" not in as_text(backtest)


def test_crowds_count_after_the_warm_up_only() -> None:
    backtest = crossed(
        sent(0, "1"), odd(1, "150"), odd(14 * DAY - 1, "150"), odd(14 * DAY, "150"), odd(14 * DAY + 1, "10")
    )

    assert backtest.crossing.crowds == {"concert": CrowdAlarms(2, 1, 0, {"large": 1})}


def test_both_are_printed_by_kind() -> None:
    backtest = crossed(*attacked(["150"] * 3), odd(20 * DAY, "150"))

    lines = as_text(backtest).splitlines()
    assert f"{'ring':<26} {1:>8} {3:>6} {'100%':>6} {'100%':>9}" in lines
    assert f"{'concert':<26} {1:>8} {1:>8} {0:>11} {1:>10}" in lines
    assert f"  {'large':<44} {1:>4}" in lines


def test_a_payment_that_only_the_payments_of_others_flag_is_apart_from_one_that_its_user_explains() -> None:
    rules = ruleset(
        """
version: "1"
base_currency: USD
thresholds: {review: 50, block: 90}
rules:
  - {id: crowded, when: merchant_users_1h >= 3, points: 50, reason: "{merchant_users_1h} users."}
  - {id: large, when: amount_base > 100.0, points: 50, reason: "{amount_base:,.0f} is large."}
"""
    )
    first = 20 * DAY
    amounts = ["5", "5", "5", "150"]
    crowd = [
        msgspec.structs.replace(
            each,
            truth=msgspec.structs.replace(each.truth, scenario=None, incident_id=None, oddness="concert"),
        )
        for each in (
            sent(first + n, amount, user_id=f"fan-{n}", merchant_id="hall")
            for n, amount in enumerate(amounts)
        )
    ]

    found = run_backtest([sent(0, "1"), *crowd], rules).crossing.crowds

    assert found == {"concert": CrowdAlarms(4, 2, 1, {"crowded": 2, "large": 1})}


def test_the_figures_of_several_histories_are_added_up_by_kind() -> None:
    one = Crossing(
        {"ring": EarlyDetection(incidents=3, early=1, detected=2, users=10.0)},
        {"concert": CrowdAlarms(100, 2, 1, {"a": 2})},
    )
    other = Crossing(
        {"farm": EarlyDetection(1, 1, 1, 4.0), "ring": EarlyDetection(1, 1, 1, 30.0)},
        {"concert": CrowdAlarms(50, 3, 0, {"b": 3, "a": 1}), "appeal": CrowdAlarms(7, 0, 0, {})},
    )

    assert summed([one, other]) == Crossing(
        {"farm": EarlyDetection(1, 1, 1, 4.0), "ring": EarlyDetection(4, 2, 3, 15.0)},
        {"appeal": CrowdAlarms(7, 0, 0, {}), "concert": CrowdAlarms(150, 5, 1, {"a": 3, "b": 3})},
    )
