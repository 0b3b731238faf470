from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import msgspec
import pytest

from contract.transaction import decode_transaction
from simulator.draws import Draws
from simulator.oddities import ODDITIES, Odd, OddPayment
from simulator.payments import paid
from simulator.people import person
from simulator.records import to_us
from tests.support.backtest_samples import ENDS_AT

if TYPE_CHECKING:
    from contract.transaction import Transaction

DAY_US = 86_400_000_000
MINUTE_US = 60_000_000
ENDS_US = to_us(ENDS_AT)
STARTS_US = ENDS_US - 28 * DAY_US


def odd(index: int) -> Odd:
    return Odd(person(4, index), STARTS_US, ENDS_US, Draws("odd", index))


def made(kind: str, people: int = 12) -> list[list[OddPayment]]:
    found = [ODDITIES[kind](odd(index)) for index in range(people)]
    assert sum(map(len, found)) >= people, "nothing odd happened"
    return found


def decoded(one: OddPayment) -> Transaction:
    record = paid(one.draft, "u", one.arrives_us - one.delay_us).record | {"transaction_id": "t"}
    record = {field: value for field, value in record.items() if field not in one.omitted}
    return decode_transaction(msgspec.json.encode(record | dict(one.changed)))


@pytest.mark.parametrize("kind", ODDITIES)
def test_oddities_are_valid_payments_within_their_days_and_the_same_each_time(kind: str) -> None:
    for payments in made(kind):
        for each in payments:
            assert STARTS_US <= each.arrives_us < ENDS_US + DAY_US
            assert not decoded(each).invalid_fields

    assert made(kind) == made(kind)


def test_taps_are_several_small_fares_within_minutes_in_person() -> None:
    runs = 0
    for payments in made("taps"):
        assert {decoded(each).channel_kind for each in payments} == {"in_person"}
        assert max(each.draft.usd for each in payments) < 5
        near = [b.arrives_us - a.arrives_us < 10 * MINUTE_US for a, b in pairwise(payments)]
        runs += sum(a and b for a, b in pairwise(near))

    assert runs > 12, "hardly ever three taps in a row"


def test_travellers_pay_in_several_countries() -> None:
    for payments in made("traveller"):
        countries = {decoded(each).country for each in payments}
        assert len(countries) >= 2


def test_a_sale_is_a_number_of_orders_in_many_shops_within_hours() -> None:
    for payments in made("sale"):
        assert len({each.draft.merchant_id for each in payments}) >= 4
        assert payments[-1].arrives_us - payments[0].arrives_us < 240 * MINUTE_US


def test_families_share_a_tablet_and_offices_an_address() -> None:
    devices = {each.draft.device_id for payments in made("shared_device", 4) for each in payments}
    addresses = {each.draft.ip_address for payments in made("shared_address", 12) for each in payments}

    assert len(devices) == len(addresses) == 1


def test_a_wrong_clock_is_off_by_hours_or_more_and_by_the_same_each_time() -> None:
    delays = set()
    for payments in made("wrong_clock"):
        assert len({each.delay_us for each in payments}) == 1
        delays.add(payments[0].delay_us)

    assert len(delays) > 2
    assert min(map(abs, delays)) >= timedelta(hours=5) / timedelta(microseconds=1)


def test_foreign_shops_name_no_channel_that_is_known() -> None:
    channels = {
        decoded(each).channel_kind
        for payments in made("foreign_shop")
        for each in payments
        if each.omitted or each.changed
    }

    assert channels == {"unknown", "online"}


def test_subscriptions_at_night_have_neither_device_nor_place() -> None:
    for payments in made("night_subscriptions"):
        for each in payments:
            payment = decoded(each)
            assert payment.device_id is None
            assert payment.location is None


def test_whoever_travels_or_moves_is_not_at_home_meanwhile() -> None:
    for kind in ("traveller", "move_abroad"):
        for index in range(6):
            person_away = odd(index)
            payments = ODDITIES[kind](person_away)

            ((leaves_us, back_us),) = person_away.away
            assert leaves_us <= payments[0].arrives_us
            assert payments[-1].arrives_us < back_us
