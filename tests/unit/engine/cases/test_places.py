"""Attacks on where the user is believed to be, by the default rules: one cheap sighting moves nobody.

The victim has 60 payments of about 40 USD, one phone, in Bern.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

import pytest

from contract.scored import Decision
from contract.transaction import Location
from tests.support.customers import (
    AMOUNTS,
    BERN,
    FIRST_DAY,
    NO_TIME,
    SAO_PAULO,
    THIEF,
    Customer,
    described,
    established,
    is_flagged,
)

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
LAGOS: Final = Location(latitude=6.45, longitude=3.39, country="NG", city="Lagos")
THIEFS_WORDS: Final[dict[str, dict[str, Any]]] = {
    "online": {},
    "in person": {"channel": "pos"},
    "without a channel": {"channel": None},
    "without a device": {"device_id": None},
    "in person without a device": {"device_id": None, "channel": "pos"},
    "at a known shop": {"merchant_id": "bakery"},
    "without coordinates": {"location": "São Paulo, BR"},
    "without a place": {"location": None},
    "in another place at home": {"location": Location(latitude=46.2, longitude=6.15, country="CH")},
}


@pytest.mark.parametrize("changes", THIEFS_WORDS.values(), ids=THIEFS_WORDS)
@pytest.mark.parametrize("before", [NO_TIME, 30 * HOUR])
@pytest.mark.parametrize("times", [1, 3])
def test_cheap_sighting_far_away_does_not_make_the_honest_payment_at_home_a_journey(
    changes: dict[str, Any], before: timedelta, times: int
) -> None:
    victim = established()
    victim.now += before
    thief = [victim.pay("1", MINUTE * 25, **THIEF | changes) for _ in range(times)]

    honest = victim.pay("42", 20 * MINUTE, merchant_id="new-shop")

    assert honest.decision is Decision.APPROVE, described(*thief, honest)
    assert not any("travel" in reason.rule_id for reason in honest.reasons), described(honest)


@pytest.mark.parametrize("changes", THIEFS_WORDS.values(), ids=THIEFS_WORDS)
def test_cheap_sighting_does_not_make_the_thiefs_next_payment_a_local_one(changes: dict[str, Any]) -> None:
    victim = established()
    victim.pay("42")
    small = victim.pay("1", 20 * MINUTE, **THIEF | changes)

    large = victim.pay("60", 20 * MINUTE, **THIEF | {"channel": "pos"})

    assert large.decision is Decision.BLOCK, described(small, large)
    assert any("travel" in reason.rule_id for reason in large.reasons), described(large)


@pytest.mark.parametrize("channel", ["online", "pos", "app", None])
def test_traveller_with_the_own_phone_is_believed_at_once(channel: str | None) -> None:
    """So a thief at home is seen while the customer is away."""
    traveller = established()
    abroad = traveller.pay("35", 30 * HOUR, location=SAO_PAULO, channel=channel, merchant_id="hotel")

    thief = traveller.pay("60", HOUR, channel="pos", merchant_id="new-shop", device_id=None)

    assert abroad.decision is Decision.APPROVE, described(abroad)
    assert is_flagged(thief), described(thief)
    assert traveller.profile.last_place is not None
    assert traveller.profile.last_place.latitude == SAO_PAULO.latitude


def customer_without_device() -> Customer:
    """A customer whose payments never name a device: 60 in shops in Bern."""
    customer = Customer()
    for day in range(60):
        customer.now = FIRST_DAY + timedelta(days=day, hours=17)
        customer.pay(AMOUNTS[day % 10], device_id=None)
    return customer


@pytest.mark.parametrize(("channel", "is_believed"), [("pos", True), ("atm", True), ("online", False)])
def test_without_devices_a_place_abroad_is_believed_in_person(channel: str, is_believed: bool) -> None:
    customer = customer_without_device()

    customer.pay("35", 30 * HOUR, location=LAGOS, channel=channel, device_id=None, merchant_id="shop")

    assert customer.profile.last_place is not None
    assert (customer.profile.last_place.latitude == LAGOS.latitude) is is_believed


def test_without_devices_a_place_in_a_familiar_country_is_believed_online() -> None:
    customer = customer_without_device()

    customer.pay("35", HOUR, location=Location(latitude=46.2, longitude=6.15, country="CH"), device_id=None)

    assert customer.profile.last_place is not None
    assert customer.profile.last_place.latitude == 46.2


def test_first_place_is_believed_whoever_names_it() -> None:
    customer = Customer()

    customer.pay("35", location=BERN)

    assert customer.profile.last_place is not None


def test_payment_at_home_from_a_new_phone_renews_the_last_place() -> None:
    customer = established()

    customer.pay("35", 5 * HOUR, device_id="new-phone")

    assert customer.profile.last_place is not None
    assert customer.profile.placed_at_ms == customer.profile.last_place.at_ms
    assert customer.profile.placed_at_ms == round(customer.now.timestamp() * 1000)


def test_payment_without_a_place_does_not_make_the_last_one_unknown() -> None:
    customer = established()
    customer.pay("35", HOUR, location=None)

    taken = customer.pay("60", HOUR / 4, location=SAO_PAULO, merchant_id="far-shop", device_id="new-phone")

    assert "location_change_within_hour" in described(taken)
    assert "country_change_within_2h" in described(taken)
