from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.card_tokens import CardTokens
from contract.transaction import Location, Transaction, decode_transaction
from simulator import SCENARIOS, SimulationConfig, simulate
from simulator.world import City, distance_km
from tests.support.backtest_samples import ENDS_AT

if TYPE_CHECKING:
    from contract.truth import SentPayment


GOLDEN = "803098ea6ddbdae41b9aa7b333f5f7b9177bb0a163ae943ff47f9a888a16fa29"
"""SHA-256 of the first 2,000 records of seed 7, as JSON lines. It changes only if the simulation does."""


@cache
def simulated(seed: int = 7, transactions: int = 12_000) -> tuple[SentPayment, ...]:
    return tuple(simulate(SimulationConfig(seed=seed, transactions=transactions, ends_at=ENDS_AT)))


def decoded(payment: SentPayment, now: datetime = ENDS_AT) -> Transaction:
    return decode_transaction(msgspec.json.encode(payment.record))


def by_incident(scenario: str) -> dict[str, list[SentPayment]]:
    found = defaultdict(list)
    for each in simulated():
        if each.truth.scenario == scenario:
            found[str(each.truth.incident_id)].append(each)
    assert found
    return found


def before(first: SentPayment) -> list[SentPayment]:
    everything = simulated()
    return [
        each
        for each in everything[: everything.index(first)]
        if each.record["user_id"] == first.record["user_id"]
    ]


def speed_kmh(one: Transaction, other: Transaction) -> float:
    places = []
    for payment in (one, other):
        assert isinstance(payment.location, Location)
        assert payment.location.latitude is not None
        assert payment.location.longitude is not None
        places.append(City("", "", "", payment.location.latitude, payment.location.longitude, 0))
    hours = (other.timestamp - one.timestamp) / timedelta(hours=1)
    return max(0.0, distance_km(*places) - 40) / max(hours, 1e-6)


def test_a_seed_gives_these_very_records_on_every_machine() -> None:
    records = b"\n".join(msgspec.json.encode(each.record) for each in simulated()[:2_000])

    assert sha256(records).hexdigest() == GOLDEN


def test_a_repeated_simulation_gives_the_same_records_and_truth() -> None:
    config = SimulationConfig(seed=3, transactions=600, users=20, ends_at=ENDS_AT)

    assert list(simulate(config)) == list(simulate(config))


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**40),
    users=st.integers(1, 60),
    transactions=st.integers(0, 250),
    span=st.timedeltas(timedelta(seconds=1), timedelta(days=400)),
    ends_at=st.datetimes(datetime(1975, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    fraud_rate=st.floats(0, 1),
    is_settled=st.booleans(),
)
def test_every_configuration_gives_exactly_so_many_valid_transactions_in_order_and_in_time(
    seed: int,
    users: int,
    transactions: int,
    span: timedelta,
    ends_at: datetime,
    fraud_rate: float,
    is_settled: bool,
) -> None:
    config = SimulationConfig(
        seed=seed, users=users, transactions=transactions, span=span, ends_at=ends_at,
        fraud_rate=fraud_rate, settled=is_settled,
    )  # fmt: skip

    found = [decoded(each, ends_at) for each in simulate(config)]

    assert len(found) == transactions
    assert len({each.transaction_id for each in found}) == transactions
    assert [each.timestamp for each in found] == sorted(each.timestamp for each in found)
    assert all(ends_at - span - timedelta(microseconds=1) <= each.timestamp <= ends_at for each in found)


def test_every_scenario_happens_and_one_transaction_in_a_hundred_is_fraud() -> None:
    scenarios = Counter(each.truth.scenario for each in simulated())

    assert scenarios.keys() == {None, *SCENARIOS}
    assert scenarios.total() - scenarios[None] == 120


def test_an_incident_is_one_kind_of_attack_on_one_user() -> None:
    found = defaultdict(set)
    for each in simulated():
        if each.truth.incident_id is not None:
            found[each.truth.incident_id].add((each.truth.scenario, each.record["user_id"]))

    assert all(len(kinds) == 1 for kinds in found.values())


def test_the_truth_is_not_in_the_records() -> None:
    fields = {field for each in simulated() for field in each.record}

    assert fields <= set(Transaction.__struct_fields__)
    assert not any(
        scenario in msgspec.json.encode(each.record).decode()
        for each in simulated()
        for scenario in SCENARIOS
    )


def test_fraud_and_honest_records_have_the_same_forms() -> None:
    forms = {
        is_fraud: {
            (each.record["channel"], tuple(each.record), type(each.record.get("location")))
            for each in simulated()
            if each.truth.is_fraud == is_fraud
        }
        for is_fraud in (True, False)
    }

    # Only a card tester's bot pays without a device.
    assert {form for form in forms[True] - forms[False] if "device_id" in form[1]} == set()


def test_ids_of_other_seeds_times_and_episodes_are_others() -> None:
    config = SimulationConfig(seed=1, transactions=50, users=5, ends_at=ENDS_AT)
    others = [
        config,
        msgspec.structs.replace(config, seed=2),
        msgspec.structs.replace(config, ends_at=ENDS_AT + timedelta(seconds=1)),
        msgspec.structs.replace(config, episode="live"),
    ]

    ids = [each.transaction_id for other in others for each in simulate(other)]

    assert len(set(ids)) == 200


def test_no_field_passes_for_a_card_number() -> None:
    tokens = CardTokens(b"a key of sixteen bytes")

    for each in simulated():
        for field in (
            "transaction_id",
            "user_id",
            "merchant_id",
            "card_id",
            "device_id",
            "ip_address",
            "payee_id",
        ):
            text = str(each.record.get(field, ""))
            assert tokens.replace(text) == text


def test_honest_people_do_not_travel_faster_than_an_airliner() -> None:
    last: dict[str, Transaction] = {}
    for each in simulated():
        payment = decoded(each)
        if not each.truth.is_fraud and payment.channel in {"pos", "atm"}:
            if payment.user_id in last:
                assert speed_kmh(last[payment.user_id], payment) < 900
            last[payment.user_id] = payment


def test_honest_people_give_a_detector_something_to_mistake() -> None:
    honest = [each for each in simulated() if not each.truth.is_fraud]
    currencies, devices = defaultdict(set), defaultdict(set)
    for each in honest:
        currencies[each.record["user_id"]].add(each.record["currency"])
        devices[each.record["user_id"]].add(each.record.get("device_id"))

    assert sum((each.truth.amount_base or 0) > 1_000 for each in honest) > 20
    assert sum((each.truth.amount_base or 0) < 2 for each in honest) > 100
    assert sum(len(seen) > 1 for seen in currencies.values()) > 50
    assert sum(len(seen - {None}) > 2 for seen in devices.values()) > 10


def test_card_testing_is_a_run_of_micro_amounts_and_then_a_large_one() -> None:
    for payments in by_incident("card_testing").values():
        amounts = [each.truth.amount_base or 0 for each in payments]
        assert sum(amount <= 2 for amount in amounts) >= 4
        assert amounts[-1] > 10
        assert max(amounts[:6]) <= 4
        assert len({each.record["merchant_id"] for each in payments}) > 3


def test_account_takeover_comes_from_a_new_device_and_goes_to_a_new_payee() -> None:
    for payments in by_incident("account_takeover").values():
        seen = before(payments[0])
        assert payments[0].record["device_id"] not in {each.record.get("device_id") for each in seen}
        assert payments[0].record["payee_id"] not in {each.record.get("payee_id") for each in seen}


def test_impossible_travel_is_faster_than_any_airliner() -> None:
    for payments in by_incident("impossible_travel").values():
        here = [decoded(each) for each in before(payments[0]) if each.record["channel"] == "pos"]
        assert speed_kmh(here[-1], decoded(payments[0])) > 1_000


def test_velocity_burst_is_many_payments_within_half_an_hour() -> None:
    for payments in by_incident("velocity_burst").values():
        times = [decoded(each).timestamp for each in payments]
        assert len(times) >= 7
        assert times[-1] - times[0] < timedelta(minutes=33)


def test_new_payee_drain_is_several_transfers_to_one_new_payee() -> None:
    for payments in by_incident("new_payee_drain").values():
        payees = {each.record["payee_id"] for each in payments}
        assert len(payments) >= 3
        assert len(payees) == 1
        assert not payees & {each.record.get("payee_id") for each in before(payments[0])}


def test_dormant_accounts_were_silent_for_a_month_before_they_wake() -> None:
    for payments in by_incident("dormant_awakened").values():
        last = decoded(before(payments[0])[-1])
        assert decoded(payments[0]).timestamp - last.timestamp > timedelta(days=30)


def test_structuring_stays_just_below_a_reporting_limit() -> None:
    for payments in by_incident("structuring").values():
        limits = {
            limit
            for limit in (1_000, 3_000, 5_000, 10_000)
            if 0.95 * limit < (payments[0].truth.amount_base or 0) < limit
        }
        assert len(limits) == 1
        limit = limits.pop()
        assert all(0.95 * limit < (each.truth.amount_base or 0) < limit for each in payments)


def test_stolen_card_is_spent_in_shops_with_growing_amounts() -> None:
    for payments in by_incident("stolen_card").values():
        assert {each.record["channel"] for each in payments} <= {"pos", "atm"}
        assert (payments[0].truth.amount_base or 0) < max(each.truth.amount_base or 0 for each in payments)


def test_high_amount_is_above_almost_all_that_the_victim_has_paid() -> None:
    for payments in by_incident("high_amount").values():
        earlier = sorted(each.truth.amount_base or 0 for each in before(payments[0]))
        assert (payments[0].truth.amount_base or 0) > earlier[int(0.8 * len(earlier))]


def test_another_seed_has_every_scenario_too() -> None:
    assert {each.truth.scenario for each in simulated(11)} == {None, *SCENARIOS}
