"""A large loss does not disappear behind small payments."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from contract.scored import Decision
from engine.profile.fingerprints import CURRENCY_NUMBERS
from tests.support.customers import RULES, Customer, described, established, is_flagged

HOUR: Final = timedelta(hours=1)
CURRENCIES: Final = sorted(
    (code for code, number in CURRENCY_NUMBERS.items() if RULES.exchange.per_minor_unit[number]),
    key=CURRENCY_NUMBERS.__getitem__,
)
"""Those with a rate, in the order of a profile's rows."""


def drained(noise: int) -> Customer:
    """A customer who lost 11,600 in eight hours, and in the six hours after that made small payments in as many currencies."""
    victim = established()
    for _ in range(4):
        victim.pay("2900", 2 * HOUR)
    for code in CURRENCIES[len(CURRENCIES) - noise :]:
        rate = RULES.exchange.per_minor_unit[CURRENCY_NUMBERS[code]] * 100
        victim.pay(f"{3 / rate:.0f}", HOUR / 6, currency=code)
    return victim


def test_small_payments_in_many_currencies_make_no_large_one_look_better() -> None:
    plain = drained(0).pay("2900", HOUR)

    hidden = drained(36).pay("2900", HOUR)

    assert plain.decision is Decision.BLOCK, described(plain)
    assert hidden.decision is Decision.BLOCK, described(hidden)


def test_payments_in_many_currencies_are_distinguished_from_the_moment_in_which_they_hide_others() -> None:
    taken = drained(36).pay("150", HOUR)

    assert is_flagged(taken), described(taken)
    assert "windows_incomplete" in [reason.rule_id for reason in taken.reasons]


def test_traveller_who_pays_in_three_currencies_every_day_hides_nothing() -> None:
    traveller = established()
    taken = [
        traveller.pay("120" if number % 3 else "90", 4 * HOUR, currency=("USD", "EUR", "CHF")[number % 3])
        for number in range(45)
    ]

    assert not any("windows_incomplete" in described(each) for each in taken)
