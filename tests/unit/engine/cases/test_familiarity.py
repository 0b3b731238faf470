"""Attacks on what is familiar, by the default rules: being seen does not make a thief known.

The victim has 60 payments of about 40 USD, one phone, in Bern.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from contract.scored import Decision
from contract.transaction import Location
from tests.support.customers import SAO_PAULO, SEVERITY, THIEF, described, established, is_flagged
from tests.support.forged_names import FORGED_NAME, KNOWN_NAME

MINUTES_12 = timedelta(minutes=12)
DAY = timedelta(days=1)


def test_honest_customer_is_approved_again_the_next_day() -> None:
    taken = established().pay("43", DAY)

    assert taken.decision is Decision.APPROVE, described(taken)


# A: a payment that is blocked is tried again


def test_stolen_card_is_blocked_and_blocked_again_12_minutes_later() -> None:
    victim = established()

    taken = [victim.pay("1500", **THIEF), victim.pay("1500", MINUTES_12, **THIEF)]

    assert [each.decision for each in taken] == [Decision.BLOCK] * 2, described(*taken)


@pytest.mark.parametrize("after", [timedelta(seconds=20), timedelta(hours=5), DAY, 4 * DAY])
def test_stolen_card_is_blocked_at_any_pace(after: timedelta) -> None:
    victim = established()

    taken = [victim.pay("1500", after, **THIEF) for _ in range(5)]

    assert [each.decision for each in taken] == [Decision.BLOCK] * 5, described(*taken)


@pytest.mark.parametrize("after", [13 * DAY, 29 * DAY, 45 * DAY])
def test_stolen_card_of_a_customer_who_has_paused_is_flagged_again_and_again(after: timedelta) -> None:
    victim = established()

    taken = [victim.pay("1500", after, **THIEF) for _ in range(3)]

    assert all(map(is_flagged, taken)), described(*taken)


@pytest.mark.parametrize(
    ("amount", "changes"),
    [
        ("900", {}),
        ("2500", {}),
        ("1500", {"device_id": "thiefs-phone"}),
        ("1500", {"merchant_id": "thiefs-other-shop"}),
        ("1500", {"location": Location(latitude=6.45, longitude=3.39, country="NG", city="Lagos")}),
        ("1500", {"channel": "pos"}),
        ("1500", {"channel": None}),
    ],
)
def test_stolen_card_is_blocked_again_with_another_amount_device_shop_place_or_channel(
    amount: str, changes: dict[str, Any]
) -> None:
    victim = established()

    taken = [victim.pay("1500", **THIEF), victim.pay(amount, MINUTES_12, **THIEF | changes)]

    assert [each.decision for each in taken] == [Decision.BLOCK] * 2, described(*taken)


@pytest.mark.parametrize("first", ["120", "250", "400", "700"])
def test_smaller_payment_that_is_flagged_first_opens_no_door(first: str) -> None:
    victim = established()

    taken = [victim.pay(first, **THIEF), victim.pay("1500", MINUTES_12, **THIEF)]

    assert taken[1].decision is Decision.BLOCK, described(*taken)


@pytest.mark.parametrize(
    "changed",
    [
        ("device_id",),
        ("merchant_id",),
        ("location",),
        ("device_id", "merchant_id"),
        ("device_id", "location"),
        ("merchant_id", "location"),
    ],
    ids=" and ".join,
)
@pytest.mark.parametrize("amount", ["400", "1500", "4000"])
def test_payment_that_was_flagged_is_judged_as_severely_when_it_comes_again(
    amount: str, changed: tuple[str, ...]
) -> None:
    victim = established()
    changes = {name: THIEF[name] for name in (*changed, "channel")}

    first = victim.pay(amount, **changes)
    again = [victim.pay(amount, MINUTES_12, **changes), victim.pay(amount, DAY, **changes)]

    if is_flagged(first):
        for each in again:
            assert SEVERITY[each.decision] >= SEVERITY[first.decision], described(first, *again)


def test_victim_who_pays_at_home_between_two_attempts_is_approved_and_the_second_is_blocked() -> None:
    victim = established()
    victim.pay("1500", **THIEF)

    own = victim.pay("38", timedelta(hours=5))
    second = victim.pay("1500", timedelta(hours=5), **THIEF)

    assert own.decision is Decision.APPROVE, described(own)
    assert second.decision is Decision.BLOCK, described(second)


# B: a small payment prepares a large one


@pytest.mark.parametrize("after", [DAY, timedelta(hours=1), 7 * DAY, 25 * DAY])
def test_one_small_payment_makes_nothing_familiar(after: timedelta) -> None:
    victim = established()

    taken = [victim.pay("5", **THIEF), victim.pay("1500", after, **THIEF)]

    assert taken[1].decision is Decision.BLOCK, described(*taken)


@pytest.mark.parametrize(
    ("amounts", "every"),
    [
        (("5", "9"), 2 * DAY),
        (("5", "9", "7", "12", "6"), timedelta(hours=4)),
        (("1",), timedelta(hours=1)),
        (("40", "45"), 3 * DAY),
    ],
    ids=["two in four days", "five in a day", "one of 1 USD", "two of a usual amount"],
)
def test_few_or_young_small_payments_make_nothing_familiar(
    amounts: tuple[str, ...], every: timedelta
) -> None:
    victim = established()
    small = [victim.pay(amount, every, **THIEF) for amount in amounts]

    large = victim.pay("1500", every, **THIEF)

    assert large.decision is Decision.BLOCK, described(*small, large)


def test_small_payment_at_home_from_a_new_device_does_not_make_the_device_familiar_abroad() -> None:
    victim = established()
    small = victim.pay("12", device_id="thiefs-laptop", channel="online")

    large = victim.pay("1500", DAY, **THIEF)

    assert large.decision is Decision.BLOCK, described(small, large)


@pytest.mark.parametrize("after", [timedelta(hours=25), timedelta(hours=50), 7 * DAY])
@pytest.mark.parametrize("amount", ["1500", "2500", "4600"])
def test_one_small_transfer_opens_no_door_to_its_payee(amount: str, after: timedelta) -> None:
    mule: dict[str, Any] = {
        "merchant_id": None,
        "payee_id": "mule",
        "channel": "transfer",
        "device_id": "thiefs-phone",
    }
    victim = established()
    small = victim.pay("5", timedelta(hours=1), **mule)

    large = victim.pay(amount, after, **mule)

    assert is_flagged(large), described(small, large)


def test_small_payments_at_the_thiefs_shop_from_the_own_phone_do_not_make_the_shop_familiar() -> None:
    victim = established()
    small = [
        victim.pay("5", timedelta(hours=2), merchant_id="thiefs-shop", channel="online") for _ in range(2)
    ]

    large = victim.pay("1500", DAY, **THIEF)

    assert large.decision is Decision.BLOCK, described(*small, large)


def test_small_payments_that_are_reviewed_make_nothing_familiar_before_three_days() -> None:
    victim = established()
    small = [victim.pay("250", timedelta(hours=7), **THIEF) for _ in range(3)]

    large = victim.pay("1500", DAY, **THIEF)

    assert large.decision is Decision.BLOCK, described(*small, large)


def test_traveller_who_pays_small_amounts_abroad_for_a_week_is_approved() -> None:
    """The other side: what is unfamiliar alone stops nobody."""
    victim = established()
    abroad: dict[str, Any] = {"location": SAO_PAULO, "channel": "pos"}
    taken = [victim.pay("35", timedelta(hours=30), **abroad, merchant_id="hotel-bar")]

    taken += [victim.pay("35", timedelta(hours=20), **abroad, merchant_id=f"café-{day}") for day in range(8)]

    assert [each.decision for each in taken] == [Decision.APPROVE] * 9, described(*taken)


# A name that is made up to look like a known one


@pytest.mark.parametrize("field", ["payee_id", "merchant_id", "device_id"])
def test_name_with_the_checksum_of_a_known_one_is_not_that_one(field: str) -> None:
    victim = established()
    known: dict[str, Any] = {field: KNOWN_NAME}
    for _ in range(4):
        victim.pay("40", DAY, **known)
    plain, forged = (
        victim.pay("1500", timedelta(hours=20), **THIEF | {"channel": "transfer", field: name})
        for name in ("thiefs-own-name", FORGED_NAME)
    )

    assert plain.decision is forged.decision is Decision.BLOCK, described(plain, forged)
    assert {reason.rule_id for reason in forged.reasons} >= {reason.rule_id for reason in plain.reasons}, (
        described(plain, forged)
    )
