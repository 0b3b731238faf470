"""What is usual across users, and who teaches it: not those who are stopped; the same people every month do; a kind that is new has nothing yet."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.support.crossing_attacks import (
    ADDRESS,
    FOUND_BY,
    HALF_AN_HOUR,
    MINUTES,
    SECONDS,
    elsewhere,
    first_of_all_flagged,
    stolen,
    web_shop,
)
from tests.support.customers import NO_TIME, described, is_flagged
from tests.support.town import WARM_UP_DAYS, Town, resident, warm_town

if TYPE_CHECKING:
    from engine.decided import Assessment
    from tests.support.crossing_attacks import Payment

BURST: Final = 40

TRIED: dict[str, Payment] = {
    "at one merchant": lambda town, number: town.pay(
        stolen(number), "1.50", SECONDS, device_id=f"new-{number}", ip_address=elsewhere(number % 250),
        merchant_id="games",
    ),
    "from one address": lambda town, number: town.pay(
        stolen(number), "1.50", SECONDS, device_id=f"new-{number}", ip_address=ADDRESS, merchant_id=web_shop(number)
    ),
    "from one device": lambda town, number: town.pay(
        stolen(number), "1.50", SECONDS, device_id="thiefs-phone", ip_address=elsewhere(number % 250),
        merchant_id=web_shop(number),
    ),
}  # fmt: skip


@pytest.mark.parametrize("variant", TRIED)
def test_numbers_that_were_stopped_for_days_do_not_make_the_next_ones_look_usual(variant: str) -> None:
    town, count = warm_town(), 0
    for _ in range(4):
        for _ in range(BURST):
            TRIED[variant](town, count)
            count += 1
        town.now += timedelta(days=1)

    taken = [TRIED[variant](town, count + number) for number in range(FOUND_BY + 3)]

    assert first_of_all_flagged(taken) <= FOUND_BY, described(*taken)


def _slowly(town: Town, number: int, **changes: Any) -> Assessment:
    return town.pay(
        stolen(number), "1.50", HALF_AN_HOUR,
        device_id=f"new-{number}", ip_address=elsewhere(number), merchant_id="games", **changes,
    )  # fmt: skip


def test_numbers_tried_at_one_merchant_half_an_hour_apart_are_flagged_from_the_sixth_on() -> None:
    town = warm_town()

    taken = [_slowly(town, number) for number in range(20)]

    assert first_of_all_flagged(taken) <= FOUND_BY, described(*taken)


def test_numbers_tried_in_person_where_small_change_is_not_usual_are_flagged_from_the_twelfth_on() -> None:
    town = warm_town()

    taken = [town.in_shop(stolen(number), "cinema", "1.50", HALF_AN_HOUR) for number in range(20)]

    assert not any(map(is_flagged, taken[:9])), described(*taken)
    assert all(map(is_flagged, taken[12:])), described(*taken)


def test_a_new_vending_machine_is_approved() -> None:
    town = warm_town()

    taken = [town.in_shop(resident(number % 40), "vending", "1.50", MINUTES) for number in range(60)]

    assert not any(map(is_flagged, taken)), described(*taken)


def test_a_company_that_is_paid_by_many_every_month_may_have_some_new_ones() -> None:
    """Its second month: 25 tenants pay more than anything else they pay, and seven of them are new."""
    town = warm_town()
    town.now += timedelta(hours=9)
    for number in range(25):
        town.transfer(resident(number), "housing-company", f"{300 + number}", MINUTES)
    town.now -= timedelta(hours=13)
    town.live(31)
    town.now += timedelta(hours=9)

    taken = [
        town.transfer(resident(number), "housing-company", f"{300 + number}", MINUTES)
        for number in range(7, 32)
    ]

    assert not any(map(is_flagged, taken)), described(*taken)


class LateDevices(Town):
    """A town whose feed names no devices until :attr:`names_devices`."""

    names_devices = False

    def pay(self, user_id: str, amount: str = "40", after: timedelta = NO_TIME, **changes: Any) -> Assessment:
        if not self.names_devices:
            changes["device_id"] = None
        return super().pay(user_id, amount, after, **changes)


@pytest.fixture
def devices_are_new() -> LateDevices:
    town = LateDevices()
    town.live(WARM_UP_DAYS)
    town.names_devices = True
    return town


def test_a_feed_that_begins_to_name_devices_flags_nobody_for_that(devices_are_new: LateDevices) -> None:
    """Neither with everyday life nor with a tablet that a family of three shares: nobody knows yet which devices are old."""
    town = devices_are_new
    everyday = town.live(3)
    family = [
        town.pay(resident(number), "40", MINUTES, device_id="tablet", ip_address=None) for number in range(3)
    ]

    assert not any(map(is_flagged, [*everyday, *family])), described(*everyday, *family)


def test_a_device_farm_is_flagged_once_devices_were_named_for_two_weeks(devices_are_new: LateDevices) -> None:
    town = devices_are_new
    town.live(15)

    taken = [
        town.pay(
            stolen(number),
            "40",
            HALF_AN_HOUR,
            device_id="farm",
            ip_address=ADDRESS,
            merchant_id=web_shop(number),
        )
        for number in range(10)
    ]

    assert first_of_all_flagged(taken) <= FOUND_BY, described(*taken)
