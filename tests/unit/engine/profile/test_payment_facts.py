"""What is derived from one payment: its place, its time."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from contract.transaction import Location
from tests.support.payments import NOW, make_grocery_payment, trusted_facts

if TYPE_CHECKING:
    from engine.profile.facts import PaymentFacts


def facts_at(seconds: float, **changes: Any) -> PaymentFacts:
    return trusted_facts(make_grocery_payment(timestamp=NOW + timedelta(seconds=seconds), **changes))


@pytest.mark.parametrize(
    ("one", "other", "are_same"),
    [
        ("Berlin, DE", "Berlin, DE", True),
        ("Berlin, DE", "Bonn, DE", False),
        (Location(country="DE", city="Berlin"), Location(country="DE", city="Bonn"), False),
        (Location(country="DE"), Location(country="FR"), False),
        (Location(country="DE", city="X"), Location(city="X"), False),
        (
            Location(latitude=1.0, longitude=2.0, country="DE"),
            Location(latitude=5.0, longitude=6.0, country="DE"),
            True,
        ),
        (Location(latitude=1.001, longitude=2.004), Location(latitude=1.0, longitude=2.0), True),
        (Location(latitude=1.01, longitude=2.0), Location(latitude=1.0, longitude=2.0), False),
        (Location(latitude=1.0, longitude=2.01), Location(latitude=1.0, longitude=2.0), False),
    ],
)
def test_place_is_the_city_and_country_or_else_about_a_kilometre(
    one: str | Location, other: str | Location, are_same: bool
) -> None:
    hashes = {facts_at(0, location=location).place_hash for location in (one, other)}

    assert (len(hashes) == 1) is are_same


def test_payment_without_a_place_has_the_hash_0() -> None:
    assert facts_at(0, location=None).place_hash == 0
    assert facts_at(0, location=Location()).place_hash == 0


def test_fraction_of_a_millisecond_is_rounded_down() -> None:
    assert facts_at(0.9996).at_ms - facts_at(0).at_ms == 999
