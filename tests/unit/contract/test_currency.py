"""The currencies and their minor units."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from contract.currency import MINOR_UNIT_EXPONENT, is_withdrawn


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


@pytest.mark.parametrize("code", ["XAU", "XDR", "XXX", "XTS", "BTC", ""])
def test_codes_without_a_minor_unit_and_codes_that_never_were_are_no_currencies(code: str) -> None:
    assert code not in MINOR_UNIT_EXPONENT


@pytest.mark.parametrize(
    ("code", "last_day"),
    [
        ("HRK", datetime(2023, 1, 31, 23, 59, tzinfo=UTC)),
        ("DEM", datetime(2002, 3, 31, tzinfo=UTC)),
        ("BGN", datetime(2026, 1, 31, tzinfo=UTC)),
        ("ZWL", datetime(2024, 9, 30, tzinfo=UTC)),
        ("VNC", datetime(1990, 12, 31, tzinfo=UTC)),
    ],
)
def test_a_withdrawn_currency_is_valid_to_the_end_of_its_last_month(code: str, last_day: datetime) -> None:
    assert not is_withdrawn(code, last_day)
    assert is_withdrawn(code, last_day + timedelta(days=1))


def test_an_active_currency_is_never_withdrawn() -> None:
    assert not any(
        is_withdrawn(code, datetime(2100, 1, 1, tzinfo=UTC)) for code in ("USD", "EUR", "XCG", "SLE")
    )
