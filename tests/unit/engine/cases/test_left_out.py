"""Attacks that leave fields out, by the default rules: who names no device has no new one, and gains nothing by it.

The victim has 60 payments of about 40 USD, one phone, in Bern.
"""

from __future__ import annotations

from datetime import timedelta
from itertools import chain, combinations
from typing import Any, Final

import pytest

from contract.scored import Decision
from contract.transaction import Location
from tests.support.customers import (
    AMOUNTS,
    FIRST_DAY,
    SEVERITY,
    THIEF,
    Customer,
    described,
    established,
    is_flagged,
)

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NOTHING: Final[dict[str, Any]] = dict.fromkeys(("device_id", "merchant_id", "payee_id", "location"))
FIELDS: Final = ("device_id", "merchant_id", "location")
SUBSETS: Final = [fields for size in (1, 2, 3) for fields in combinations(FIELDS, size)]


def none_of(fields: tuple[str, ...]) -> dict[str, Any]:
    """The fields without values."""
    return dict.fromkeys(fields)


def feed_without(*fields: str, payments: int = 60) -> Customer:
    """A customer whose payments never name some fields; the next noon after the last."""
    customer = Customer()
    left_out = none_of(fields)
    for day in range(payments):
        customer.now = FIRST_DAY + timedelta(days=day, hours=17, minutes=day)
        customer.pay(AMOUNTS[day % len(AMOUNTS)], **left_out)
    customer.now = FIRST_DAY + timedelta(days=payments, hours=12)
    return customer


@pytest.mark.parametrize("channel", ["online", "pos", "transfer", "app", "atm", None])
@pytest.mark.parametrize("amount", ["400", "1500", "9400"])
def test_large_payment_that_leaves_everything_out_is_blocked(amount: str, channel: str | None) -> None:
    taken = established().pay(amount, **NOTHING, channel=channel)

    assert taken.decision is Decision.BLOCK, described(taken)


@pytest.mark.parametrize("channel", ["online", "pos", "transfer", None])
@pytest.mark.parametrize("amount", ["260", "900", "9400"])
@pytest.mark.parametrize("after", [HOUR / 2, 5 * HOUR])
@pytest.mark.parametrize("changed", SUBSETS, ids=" and ".join)
def test_leaving_out_is_at_least_as_suspicious_as_naming_a_new_value(
    changed: tuple[str, ...], after: timedelta, amount: str, channel: str | None
) -> None:
    def taken(left_out: tuple[str, ...]) -> Any:
        victim = established()
        victim.pay("40")
        new = {name: THIEF[name] for name in changed}
        return victim.pay(amount, after, channel=channel, **new | dict.fromkeys(left_out))

    named = taken(())

    for left_out in chain.from_iterable(combinations(changed, size) for size in range(1, len(changed) + 1)):
        hidden = taken(left_out)
        assert SEVERITY[hidden.decision] >= SEVERITY[named.decision], described(named, hidden)


@pytest.mark.parametrize("place", ["", "somewhere", Location(city="Bern")])
def test_place_without_country_and_coordinates_is_one_that_is_left_out(place: Any) -> None:
    taken = established().pay("9400", **NOTHING | {"location": place or None}, channel="online")

    assert taken.decision is Decision.BLOCK, described(taken)


@pytest.mark.parametrize("fields", [("device_id",), ("merchant_id",), ("location",), tuple(NOTHING)], ids=str)
def test_feed_that_never_names_a_field_is_not_hit(fields: tuple[str, ...]) -> None:
    with_all, without = established(), feed_without(*fields)

    usual, large = without.pay("42"), without.pay("400", DAY, **none_of(fields))

    assert usual.decision is Decision.APPROVE, described(usual)
    assert SEVERITY[large.decision] <= SEVERITY[with_all.pay("400").decision], described(large)
    assert not any("left_out" in reason.rule_id for reason in large.reasons), described(large)


@pytest.mark.parametrize("fields", SUBSETS, ids=" and ".join)
def test_usual_payment_of_a_feed_that_lost_a_field_is_approved(fields: tuple[str, ...]) -> None:
    """An outage of the sender must not fill the queue: at usual amounts, what is left out alone says nothing."""
    victim = established()

    taken = [victim.pay(amount, 9 * HOUR, **none_of(fields)) for amount in ("42", "60", "35", "90")]

    assert [each.decision for each in taken] == [Decision.APPROVE] * 4, described(*taken)


def test_feed_that_stops_naming_a_field_is_usual_again_after_some_weeks() -> None:
    customer = established()
    taken = [customer.pay(amount, DAY, device_id=None) for amount in (*AMOUNTS, *AMOUNTS)]
    assert [each.decision for each in taken] == [Decision.APPROVE] * 20, described(*taken)

    large = customer.pay("400", DAY, device_id=None)

    assert not is_flagged(large), described(large)
    assert "new_device_high_amount" not in described(large)


@pytest.mark.parametrize("every", [timedelta(minutes=11), 5 * HOUR])
def test_run_of_small_payments_that_leave_fields_out_opens_no_door(every: timedelta) -> None:
    victim = established()
    small = [victim.pay("1", every, **NOTHING, channel="online") for _ in range(9)]

    large = victim.pay("9400", every, **NOTHING, channel="online")

    assert large.decision is Decision.BLOCK, described(*small, large)


def test_customer_who_names_a_device_online_and_none_in_shops_is_compared_within_the_channel() -> None:
    customer = Customer()
    for day in range(40):
        customer.now = FIRST_DAY + timedelta(days=day, hours=12)
        in_shop = day % 2
        customer.pay(
            AMOUNTS[day % 10],
            channel="pos" if in_shop else "online",
            device_id=None if in_shop else "own-phone",
        )

    taken = {
        channel: customer.pay("400", 30 * HOUR, channel=channel, device_id=None)
        for channel in ("pos", "online", None)
    }

    assert "new_device_high_amount" not in described(taken["pos"])
    assert "new_device_high_amount" in described(taken["online"])
    assert "new_device_high_amount" in described(taken[None])
