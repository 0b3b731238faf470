"""Attacks with the time that a sender claims, by the default rules: a wrong time buys nothing.

The victim has 60 payments of about 40 USD, one phone, in Bern.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from contract.scored import Decision
from tests.support.customers import NO_TIME, SEVERITY, THIEF, Customer, described, established, is_flagged

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.decided import Assessment

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
AFTER_ALL = datetime(9999, 12, 31, 23, 59, tzinfo=UTC)
BEFORE_ALL = datetime(1, 1, 1, tzinfo=UTC)

# C: a payment dated far away prepares a large one


@pytest.mark.parametrize(
    "dated", [900 * DAY, 61 * DAY, 2 * DAY, -900 * DAY, -2 * HOUR, 20_000 * DAY, NO_TIME]
)
@pytest.mark.parametrize("after", [NO_TIME, 10 * MINUTE])
def test_payment_dated_far_away_makes_no_account_dormant_and_nothing_familiar(
    dated: timedelta, after: timedelta
) -> None:
    victim = established()

    taken = [victim.pay("1", dated=dated, **THIEF), victim.pay("2900", after, **THIEF)]

    assert taken[1].decision is Decision.BLOCK, described(*taken)


@pytest.mark.parametrize("timestamp", [BEFORE_ALL, datetime(1970, 1, 1, tzinfo=UTC), AFTER_ALL])
def test_payment_of_an_absurd_time_is_scored_and_prepares_nothing(timestamp: datetime) -> None:
    victim = established()

    taken = [victim.pay("1", timestamp=timestamp, **THIEF), victim.pay("2900", MINUTE, **THIEF)]

    assert taken[1].decision is Decision.BLOCK, described(*taken)


def test_payment_dated_back_from_the_own_phone_makes_no_account_dormant() -> None:
    victim = established()
    before = victim.profile.first_clock_ms

    first = victim.pay("1", dated=900 * DAY)
    second = victim.pay("2900", MINUTE, **THIEF)
    own = victim.pay("41", 2 * DAY)

    assert victim.profile.first_clock_ms == before
    assert second.decision is Decision.BLOCK, described(first, second)
    assert own.decision is Decision.APPROVE, described(own)


def test_many_small_payments_dated_over_years_make_nothing_familiar() -> None:
    victim = established()
    small = [victim.pay("3", 5 * MINUTE, dated=days * DAY, **THIEF) for days in (900, 700, 400, 100, 40)]

    large = victim.pay("2900", 5 * MINUTE, **THIEF)

    assert large.decision is Decision.BLOCK, described(*small, large)


def test_small_payments_dated_over_the_last_day_make_nothing_familiar() -> None:
    """These times are believed."""
    victim = established()
    small = [victim.pay("3", 5 * MINUTE, dated=hours * HOUR, **THIEF) for hours in (24, 18, 12, 6)]

    large = victim.pay("2900", 5 * MINUTE, **THIEF)

    assert large.decision is Decision.BLOCK, described(*small, large)


# D: the large payment itself has a wrong time


@pytest.mark.parametrize(
    "dated",
    [61 * DAY, 25 * HOUR, 23 * HOUR, 3 * HOUR, 900 * DAY, -9 * MINUTE, -HOUR, -20 * DAY, NO_TIME],
)
@pytest.mark.parametrize("channel", ["online", "pos"])
def test_large_payment_is_blocked_however_it_is_dated(dated: timedelta, channel: str) -> None:
    taken = established().pay("2900", dated=dated, **THIEF | {"channel": channel})

    assert taken.decision is Decision.BLOCK, described(taken)


@pytest.mark.parametrize("timestamp", [BEFORE_ALL, AFTER_ALL])
def test_large_payment_is_blocked_with_an_absurd_time(timestamp: datetime) -> None:
    taken = established().pay("2900", timestamp=timestamp, **THIEF)

    assert taken.decision is Decision.BLOCK, described(taken)


@pytest.mark.parametrize("amount", ["400", "900", "1500"])
@pytest.mark.parametrize("dated", [61 * DAY, 20 * HOUR, -5 * DAY])
def test_wrong_time_never_makes_a_payment_look_better(amount: str, dated: timedelta) -> None:
    now = established().pay(amount, **THIEF)

    wrong = established().pay(amount, dated=dated, **THIEF)

    assert SEVERITY[wrong.decision] >= SEVERITY[now.decision], described(now, wrong)


@pytest.mark.parametrize("every", [2 * DAY, 2 * HOUR, -2 * DAY])
def test_burst_that_is_dated_over_weeks_is_judged_as_the_burst_that_it_is(every: timedelta) -> None:
    plain, dated = established(), established()

    at_once = [plain.pay("90", MINUTE, **THIEF) for _ in range(12)]
    spread = [dated.pay("90", MINUTE, dated=number * every, **THIEF) for number in range(12)]

    assert any(map(is_flagged, at_once)), described(*at_once)
    for right, wrong in zip(at_once, spread, strict=True):
        assert SEVERITY[wrong.decision] >= SEVERITY[right.decision], described(right, wrong)


def test_honest_payment_whose_terminal_was_offline_for_hours_is_approved() -> None:
    victim = established()

    taken = [victim.pay("42", HOUR, dated=hours * HOUR) for hours in (3, 12, 20)]

    assert [each.decision for each in taken] == [Decision.APPROVE] * 3, described(*taken)


def test_honest_payment_of_a_clock_that_is_five_minutes_fast_is_approved() -> None:
    taken = established().pay("42", HOUR, dated=-5 * MINUTE)

    assert taken.decision is Decision.APPROVE, described(taken)


# E: payments dated ahead hide a run of card tests


def cards_tested(victim: Customer, dated: Callable[[int], timedelta], **changes: Any) -> list[Assessment]:
    """30 micro payments on 30 cards in 10 minutes."""
    return [
        victim.pay(
            "1.10",
            timedelta(seconds=20),
            dated=dated(number),
            **{"card_id": f"tok_{number:012d}", "channel": "online", "merchant_id": "donations"} | changes,
        )
        for number in range(30)
    ]


def on_time(_number: int) -> timedelta:
    return NO_TIME


def test_run_of_card_tests_is_flagged_from_its_third_payment_on() -> None:
    taken = cards_tested(established(), on_time)

    assert all(map(is_flagged, taken[2:])), described(*taken)


@pytest.mark.parametrize("every", [timedelta(seconds=10), 4 * MINUTE, 45 * MINUTE])
@pytest.mark.parametrize(
    "dated",
    [
        lambda number: -(1 + number * 22 / 31) * HOUR,
        lambda number: -(1 + (31 - number) * 22 / 31) * HOUR,
        lambda number: (1 + number * 22 / 31) * HOUR,
        lambda number: -10 * MINUTE * (number / 31),
        lambda number: -number * 30 * DAY,
    ],
    ids=["1 to 23 hours ahead", "the last first", "behind", "within the tolerance", "years ahead"],
)
def test_payments_dated_ahead_or_behind_hide_no_run_of_card_tests(
    dated: Callable[[int], timedelta], every: timedelta
) -> None:
    victim = established()
    for number in range(32):
        victim.pay("20", every, dated=dated(number))

    taken = cards_tested(victim, on_time)

    assert all(map(is_flagged, taken[2:])), described(*taken)


@pytest.mark.parametrize(
    "dated",
    [
        lambda number: number * HOUR * 23 / 29,
        lambda number: -number * HOUR,
        lambda number: number * 3 * DAY,
        lambda number: HOUR * (number % 2),
    ],
    ids=["over the last day", "over the next day", "over three months", "by turns"],
)
def test_run_of_card_tests_with_wrong_times_of_its_own_is_flagged(dated: Callable[[int], timedelta]) -> None:
    taken = cards_tested(established(), dated)

    assert all(map(is_flagged, taken[2:])), described(*taken)


def test_run_of_card_tests_under_one_transaction_id_is_flagged() -> None:
    taken = cards_tested(established(), on_time, transaction_id="one")

    assert all(map(is_flagged, taken[2:])), described(*taken)


@pytest.mark.parametrize("last_four", [lambda _number: "1111", lambda number: f"{number:04d}"])
def test_run_of_masked_cards_under_one_transaction_id_is_flagged_even_if_all_end_alike(
    last_four: Callable[[int], str],
) -> None:
    victim = established()

    taken = [
        victim.pay(
            "1.10",
            timedelta(seconds=20),
            transaction_id="one",
            card_id=f"card_****{last_four(number)}",
            channel="online",
            merchant_id="donations",
            invalid_fields=("card_id",),
        )
        for number in range(30)
    ]

    assert all(map(is_flagged, taken[2:])), described(*taken)


@pytest.mark.parametrize(
    "changes", [{"device_id": "thiefs-laptop"}, {"card_id": "tok_000000004711"}, {"channel": None}]
)
def test_run_of_card_tests_is_flagged_with_a_new_device_one_card_or_no_channel(
    changes: dict[str, Any],
) -> None:
    victim = established()
    for number in range(32):
        victim.pay("20", 4 * MINUTE, dated=-(1 + number * 22 / 31) * HOUR)

    taken = cards_tested(victim, on_time, **changes)

    assert all(map(is_flagged, taken[2:])), described(*taken)
