"""Exchange rates per minor unit, and the result for a currency without one."""

from __future__ import annotations

from decimal import Decimal

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


@pytest.mark.parametrize(
    ("amount", "currency", "base_currency", "worth"),
    [
        ("1000", "JPY", "USD", "6.70"),
        ("0.505", "USD", "USD", "0.50"),
        ("12.3456", "EUR", "USD", "13.33"),
        ("12.34", "EUR", "JPY", "13"),
        ("5", "CHF", "USD", None),
    ],
    ids=["other minor units", "half to even", "rounded once", "base without minor units", "no rate"],
)
def test_amount_is_converted_in_decimals_and_rounded_to_the_base_currency(
    amount: str, currency: str, base_currency: str, worth: str | None
) -> None:
    rates = ExchangeRates({"USD": 1.0, "EUR": 1.08, "JPY": 0.0067})

    converted = rates.convert(Decimal(amount), currency, base_currency)

    assert (None if converted is None else str(converted)) == worth
