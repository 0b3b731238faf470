"""Attacks on travel by the time that a sender claims, by the default rules: a payment dated back has not been a slow journey.

The victim has 60 payments of about 40 USD, one phone, in Bern.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import pytest

from contract.scored import Decision
from contract.transaction import Location
from tests.support.customers import NO_TIME, SAO_PAULO, THIEF, described, established, is_flagged

if TYPE_CHECKING:
    from engine.decided import Assessment

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
ZURICH: Final = Location(latitude=47.377, longitude=8.541, country="CH", city="Zürich")
LATE: Final = [MINUTE * 61, 5 * HOUR, 12 * HOUR, 23 * HOUR, 24 * HOUR]


def far_away(dated: timedelta, channel: str | None, **changes: object) -> Assessment:
    """What is decided about 60 USD at a new shop far away, 30 minutes after a payment at home."""
    victim = established()
    victim.pay("42", HOUR)
    fields = {"location": SAO_PAULO, "merchant_id": "far-shop", "channel": channel} | changes
    return victim.pay("60", 30 * MINUTE, dated=dated, **fields)


def travel_points(taken: Assessment) -> int:
    return sum(
        reason.points
        for reason in taken.reasons
        if reason.rule_id.startswith(("impossible", "location_change", "country_change"))
    )


@pytest.mark.parametrize("dated", LATE)
@pytest.mark.parametrize("channel", ["pos", "atm", "Chip Transaction", "transfer"])
def test_payment_in_person_far_away_is_flagged_however_far_it_is_dated_back(
    channel: str, dated: timedelta
) -> None:
    on_time, late = far_away(NO_TIME, channel), far_away(dated, channel)

    assert is_flagged(on_time), described(on_time)
    assert is_flagged(late), described(late)


@pytest.mark.parametrize("dated", LATE)
@pytest.mark.parametrize("channel", ["online", "app", "transfer", None])
def test_travel_gives_a_payment_that_is_not_in_person_the_same_points_however_it_is_dated_back(
    channel: str | None, dated: timedelta
) -> None:
    on_time, late = far_away(NO_TIME, channel), far_away(dated, channel)

    assert travel_points(on_time) >= 40, described(on_time)
    assert travel_points(late) == travel_points(on_time), described(on_time, late)


@pytest.mark.parametrize("dated", LATE)
@pytest.mark.parametrize("channel", ["pos", "online"])
def test_thief_with_a_device_of_his_own_is_blocked_in_person_and_flagged_online_when_dated_back(
    channel: str, dated: timedelta
) -> None:
    taken = far_away(dated, channel, device_id=THIEF["device_id"])

    assert is_flagged(taken), described(taken)
    assert channel == "online" or taken.decision is Decision.BLOCK, described(taken)


@pytest.mark.parametrize("hours", [1, 5, 12, 20])
@pytest.mark.parametrize("merchant", ["bakery", "new-kiosk"])
def test_honest_payment_at_home_of_a_terminal_that_was_offline_for_hours_is_approved(
    hours: int, merchant: str
) -> None:
    customer = established()
    customer.pay("42", 20 * HOUR)

    late = customer.pay("38", 30 * MINUTE, dated=hours * HOUR, location=ZURICH, merchant_id=merchant)

    assert late.decision is Decision.APPROVE, described(late)


@pytest.mark.parametrize(
    ("merchant", "decisions"), [("bakery", ["approve"]), ("new-kiosk", ["approve", "review"])]
)
def test_honest_late_payment_of_somebody_who_has_flown_abroad_meanwhile_is_not_blocked(
    merchant: str, decisions: list[str]
) -> None:
    """It was made in Bern in the morning, and arrives after the customer has paid in São Paulo in the evening."""
    customer = established()
    abroad = customer.pay("30", 24 * HOUR, location=SAO_PAULO, merchant_id="hotel")

    late = customer.pay("9", 30 * MINUTE, dated=14 * HOUR, merchant_id=merchant)

    assert abroad.decision is Decision.APPROVE, described(abroad)
    assert late.decision.value in decisions, described(late)


def test_honest_late_payment_abroad_of_somebody_who_has_come_home_is_not_blocked() -> None:
    customer = established()
    customer.pay("30", 24 * HOUR, location=SAO_PAULO, merchant_id="hotel")
    home = customer.pay("42", 26 * HOUR)

    late = customer.pay("35", 30 * MINUTE, dated=14 * HOUR, location=SAO_PAULO, merchant_id="airport-café")

    assert home.decision is Decision.APPROVE, described(home)
    assert late.decision is not Decision.BLOCK, described(late)


def test_outage_that_delays_a_whole_journey_makes_no_journey_of_minutes() -> None:
    """All payments of a day arrive within a quarter of an hour, in the order in which they were made."""
    customer = established()
    customer.now += 24 * HOUR
    places = [(14 * HOUR, None), (1 * HOUR, SAO_PAULO), (HOUR / 2, SAO_PAULO)]

    taken = [
        customer.pay(
            "30", 5 * MINUTE, dated=dated, **({"location": place, "merchant_id": "hotel"} if place else {})
        )
        for dated, place in places
    ]

    assert not any("travel" in reason.rule_id for each in taken for reason in each.reasons), described(*taken)
    assert Decision.BLOCK not in [each.decision for each in taken], described(*taken)
