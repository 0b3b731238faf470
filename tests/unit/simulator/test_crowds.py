from __future__ import annotations

from collections import Counter, defaultdict
from datetime import timedelta
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

import msgspec
import pytest

from contract.transaction import Transaction, decode_transaction
from simulator import SCENARIOS, SimulationConfig, simulate
from simulator.crowds import ATTACKS, CROWDS, simulate_crowds
from simulator.crowds.cast import Whereabouts
from simulator.itinerary import HOUR_US
from simulator.payments import Payment
from tests.support.backtest_samples import ENDS_AT

if TYPE_CHECKING:
    from contract.truth import SentPayment

CONFIG = SimulationConfig(seed=6, transactions=2_000, users=60, ends_at=ENDS_AT)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


@cache
def simulated() -> tuple[SentPayment, ...]:
    return tuple(simulate_crowds(CONFIG))


@cache
def decoded() -> dict[str, Transaction]:
    return {each.transaction_id: decode_transaction(msgspec.json.encode(each.record)) for each in simulated()}


def attacks(kind: str) -> list[list[Transaction]]:
    found = defaultdict(list)
    for each in simulated():
        if each.truth.scenario == kind:
            found[each.truth.incident_id].append(decoded()[each.transaction_id])
    assert len(found) == 3
    return list(found.values())


def crowd(kind: str) -> list[Transaction]:
    found = [decoded()[each.transaction_id] for each in simulated() if each.truth.oddness == kind]
    assert found
    return found


def users(payments: list[Transaction]) -> int:
    return len({each.user_id for each in payments})


def test_the_payments_of_the_simulation_without_crowds_are_unchanged() -> None:
    made = {each.transaction_id: each for each in simulated()}

    assert all(made[each.transaction_id] == each for each in simulate(CONFIG))


def test_crowds_are_the_same_each_time_in_order_and_in_time() -> None:
    times = [decoded()[each.transaction_id].timestamp for each in simulated()]

    assert tuple(simulate_crowds(CONFIG)) == simulated()
    assert times == sorted(times)
    assert len(decoded()) == len(simulated()), "an id is used twice"
    assert ENDS_AT - CONFIG.span <= times[0]
    assert times[-1] <= ENDS_AT


def test_every_record_is_valid() -> None:
    assert not [each for each in decoded().values() if each.invalid_fields]


def test_attacks_and_crowds_are_labelled_by_their_kind() -> None:
    fraud = Counter(each.truth.scenario for each in simulated() if each.truth.is_fraud)
    odd = Counter(each.truth.oddness for each in simulated() if each.truth.oddness)

    assert fraud.keys() >= ATTACKS.keys()
    assert fraud.keys() <= {*SCENARIOS, *ATTACKS}
    assert odd.keys() == CROWDS.keys()
    assert not [each for each in simulated() if each.truth.is_fraud and each.truth.oddness]


@pytest.mark.parametrize("kind", ATTACKS)
def test_an_attack_is_one_incident_of_more_than_six_payments_and_many_users(kind: str) -> None:
    for payments in attacks(kind):
        assert len(payments) > 6
        assert users(payments) >= 10


@pytest.mark.parametrize(
    ("kind", "shared", "changing"),
    [
        ("numbers_by_device", "device_id", "ip_address"),
        ("numbers_by_address", "ip_address", "device_id"),
        ("numbers_by_merchant", "merchant_id", "ip_address"),
        ("mule_payee", "payee_id", "user_id"),
        ("device_farm", "device_id", "user_id"),
        ("young_accounts", "merchant_id", "device_id"),
        ("changed_amounts", "merchant_id", "device_id"),
    ],
)
def test_an_attack_has_one_thing_in_common_and_changes_the_others(
    kind: str, shared: str, changing: str
) -> None:
    for payments in attacks(kind):
        assert len({getattr(each, shared) for each in payments}) == 1
        assert getattr(payments[0], shared) is not None
        others = {getattr(each, changing) for each in payments}
        assert len(others) >= 10 or others == {None}


@pytest.mark.parametrize("kind", ["numbers_by_device", "numbers_by_address", "numbers_by_merchant"])
def test_numbers_are_tried_with_amounts_that_nobody_notices(kind: str) -> None:
    values = [each.truth.amount_base or 0.0 for each in simulated() if each.truth.scenario == kind]

    assert max(values) <= 4
    assert sum(value <= 2 for value in values) > 0.8 * len(values)


def test_a_shop_whose_amounts_change_had_customers_before() -> None:
    for payments in attacks("changed_amounts"):
        shop, began = payments[0].merchant_id, payments[0].timestamp
        before = [
            each
            for each in simulated()
            if decoded()[each.transaction_id].merchant_id == shop and not each.truth.is_fraud
        ]
        assert len(before) > 25
        assert max(decoded()[each.transaction_id].timestamp for each in before) <= began
        usual = max((each.truth.amount_base or 0.0) for each in before)
        assert usual < 100


def test_young_accounts_paid_nothing_before() -> None:
    for payments in attacks("young_accounts"):
        own = {each.user_id for each in payments}
        assert sum(each.user_id in own for each in decoded().values()) == len(payments)


def test_a_concert_sells_to_a_hundred_people_within_a_quarter_of_an_hour() -> None:
    by_shop = defaultdict(list)
    for each in crowd("ticket_sale"):
        by_shop[each.merchant_id].append(each)
    for payments in by_shop.values():
        assert users(payments) >= 80
        assert payments[-1].timestamp - payments[0].timestamp <= 15 * MINUTE


def test_utilities_are_paid_every_month_within_a_day() -> None:
    by_payee = defaultdict(set)
    for each in crowd("utilities"):
        by_payee[each.payee_id].add((each.timestamp - timedelta(hours=7)).date())
    for dates in by_payee.values():
        ordered = sorted(dates)
        assert all(
            (later - earlier) <= DAY or (later - earlier) >= 29 * DAY for earlier, later in pairwise(ordered)
        )
        assert (ordered[-1] - ordered[0]) >= 29 * DAY


def test_a_new_supplier_is_first_paid_by_people_with_habits_within_a_day() -> None:
    by_payee = defaultdict(list)
    for each in crowd("new_supplier"):
        by_payee[each.payee_id].append(each)
    assert len(by_payee) == 2
    for payments in by_payee.values():
        first = payments[0].timestamp
        assert first - (ENDS_AT - CONFIG.span) >= 40 * DAY
        assert users([each for each in payments if each.timestamp - first <= DAY]) >= 60


def test_behind_one_address_many_people_pay_day_after_day() -> None:
    for kind in ("airport", "carrier_nat"):
        by_address = defaultdict(list)
        for each in crowd(kind):
            by_address[each.ip_address].append(each)
        for payments in by_address.values():
            assert users(payments) > 50
            assert len({each.timestamp.date() for each in payments}) > 80


def test_a_payroll_bureau_pays_for_many_employers_from_one_device_every_week() -> None:
    by_device = defaultdict(list)
    for each in crowd("payroll"):
        by_device[each.device_id, each.ip_address].append(each)
    assert len(by_device) == 2
    for payments in by_device.values():
        days = Counter(each.timestamp.date() for each in payments)
        assert len(days) >= 12
        assert users(payments) >= 20
        assert min(days.values()) >= 20


def test_a_vending_machine_takes_micro_amounts_in_person() -> None:
    payments = crowd("vending")

    assert {each.channel_kind for each in payments} == {"in_person"}
    assert max(each.truth.amount_base or 0 for each in simulated() if each.truth.oddness == "vending") < 2


def test_appeals_and_new_shops_find_many_people_who_never_paid_there() -> None:
    for kind in ("charity_appeal", "new_shop"):
        targets = {each.payee_id or each.merchant_id for each in crowd(kind)}
        assert len(targets) == 2
        for target in targets:
            own = [each for each in crowd(kind) if target in (each.payee_id, each.merchant_id)]
            assert users(own) >= 70


def test_whoever_pays_in_a_crowd_is_not_in_another_country_within_hours() -> None:
    def payment(hour: float, location: object) -> Payment:
        return Payment(round(hour * HOUR_US), {"user_id": "u", "location": location}, 10.0)

    known = Whereabouts([payment(0, {"country": "DE", "city": "Berlin"})])

    found = [
        known.admits(payment(hour, place))
        for hour, place in (
            (5, "Lyon, FR"),
            (5, "Munich, DE"),
            (6, None),
            (18, "Lyon, FR"),
            (20, "Munich, DE"),
        )
    ]

    assert found == [False, True, True, True, False]
