from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from lab.backtest import Backtest, run_backtest
from lab.backtest.crossing import CrowdAlarms, EarlyDetection
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

    assert backtest.crossing.crowds == {"concert": CrowdAlarms(payments=2, flagged=1)}


def test_both_are_printed_by_kind() -> None:
    backtest = crossed(*attacked(["150"] * 3), odd(20 * DAY, "150"))

    lines = as_text(backtest).splitlines()
    assert f"{'ring':<26} {1:>8} {3:>6} {'100%':>6} {'100%':>9}" in lines
    assert f"{'concert':<26} {1:>8} {1:>8}" in lines
