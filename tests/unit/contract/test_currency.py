"""The currencies and their minor units."""

from __future__ import annotations

import pytest

from contract.currency import MINOR_UNIT_EXPONENT


def test_codes_are_three_capital_letters() -> None:
    assert all(len(code) == 3 and code.isascii() and code.isupper() for code in MINOR_UNIT_EXPONENT)


@pytest.mark.parametrize(
    ("code", "exponent"),
    [
        ("USD", 2),
        ("EUR", 2),
        ("GBP", 2),
        ("CNY", 2),
        ("JPY", 0),
        ("KRW", 0),
        ("KWD", 3),
        ("TND", 3),
        ("CLF", 4),
    ],
)
def test_minor_units_are_those_of_iso_4217(code: str, exponent: int) -> None:
    assert MINOR_UNIT_EXPONENT[code] == exponent


@pytest.mark.parametrize("code", ["DEM", "XAU", "XXX", "XTS", "BTC"])
def test_withdrawn_metal_and_test_codes_are_no_currencies_of_payments(code: str) -> None:
    assert code not in MINOR_UNIT_EXPONENT
