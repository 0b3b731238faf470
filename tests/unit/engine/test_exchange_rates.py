"""Exchange rates per minor unit, and the result for a currency without one."""

from __future__ import annotations

import pytest

from engine.exchange_rates import ExchangeRates
from engine.profile.fingerprints import CURRENCY_NUMBERS

RATES = ExchangeRates({"EUR": 1.0, "JPY": 0.006, "KWD": 3.0})


@pytest.mark.parametrize(
    ("currency", "per_minor_unit"), [("EUR", 0.01), ("JPY", 0.006), ("KWD", 0.003), ("USD", 0.0)]
)
def test_rate_is_per_minor_unit_and_0_if_unknown(currency: str, per_minor_unit: float) -> None:
    assert RATES.per_minor_unit[CURRENCY_NUMBERS[currency]] == pytest.approx(per_minor_unit)


def test_currencies_with_a_rate_are_known() -> None:
    assert RATES.currencies == ("EUR", "JPY", "KWD")
    assert "EUR" in RATES
    assert "USD" not in RATES
