"""From a payment's stored features to what its entities count; and what a batch adds, however large it is."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

import pytest

from contract.entity_ids import EntityKind
from engine.entities.kinds import POPULATION_IDS, is_population, user_hash
from engine.entities.levels import COUNTS
from engine.entities.sightings import MAX_CENTS, additions, sighting_of
from engine.entities.state import MAX_CLOCK_S, NO_TIME, Sighting
from tests.support.entity_store_contract import NOW_S

if TYPE_CHECKING:
    from contract.scored import FeatureValue

KNOWN: dict[str, FeatureValue] = {
    "is_micro_amount": True,
    "account_age_days": 3.5,
    "amount_base": 1.505,
    "device_tx_count": 0,
    "merchant_tx_count": 4,
    "payee_tx_count": 0,
}


def test_a_sighting_says_what_the_stored_features_say() -> None:
    sighting = sighting_of("user-1", NOW_S * 1000 + 999, KNOWN)

    first = 1 << EntityKind.DEVICE | 1 << EntityKind.PAYEE
    assert sighting == Sighting(NOW_S, user_hash("user-1"), True, True, first, 150)


@pytest.mark.parametrize(("days", "is_young"), [(0.0, True), (6.9999, True), (7.0, False), (900.0, False)])
def test_an_account_is_young_for_seven_days(days: float, is_young: bool) -> None:
    assert sighting_of("u", 0, KNOWN | {"account_age_days": days}).is_young is is_young


def test_a_row_whose_features_are_not_known_counts_as_a_usual_payment_of_nothing() -> None:
    assert sighting_of("user-1", NOW_S * 1000, {}) == Sighting(NOW_S, user_hash("user-1"), False, False, 0, 0)


def test_absurd_amounts_and_times_are_held_to_what_the_state_can_count() -> None:
    sighting = sighting_of("u", 253_402_300_799_999, KNOWN | {"amount_base": 9e15})

    assert (sighting.clock_s, sighting.cents) == (MAX_CLOCK_S, MAX_CENTS)
    assert additions([((b"c" + bytes(8),) + (None,) * 5, sighting)])
    assert MAX_CENTS * 9_000 < 2**53


def test_populations_come_last_in_the_order_of_kinds() -> None:
    ids = tuple(bytes([letter]) + bytes(8) for letter in b"cdinmp")

    added = [*additions([(ids, sighting_of("u", NOW_S * 1000, KNOWN))] * 2)]

    assert added == [*ids, *POPULATION_IDS]


def test_a_payment_that_was_stopped_counts_nothing_in_populations() -> None:
    ids = tuple(bytes([letter]) + bytes(8) for letter in b"cdinmp")
    stopped = sighting_of("u", NOW_S * 1000, KNOWN, is_approved=False)

    added = additions([(ids, stopped)])

    assert not stopped.is_approved
    for population_id in POPULATION_IDS:
        _, is_stopped, users, _, approved_s = Struct("<HHHII").unpack_from(added[population_id])
        _, *counts = COUNTS.unpack_from(added[population_id], 14)
        assert (is_stopped, users, approved_s, counts) == (1, 0, NO_TIME, [0] * 5)


def test_a_batch_without_entities_adds_nothing() -> None:
    assert additions([((None,) * 6, sighting_of("u", 0, KNOWN))]) == {}


def test_a_merchant_may_have_more_users_and_times_in_a_batch_than_a_byte_counts_and_a_population_adds_weeks() -> (
    None
):
    """A batch has 500 payments, and those of a file's feed have the times of weeks."""
    ids = (None, None, None, None, b"m" + bytes(8), None)
    payments = [
        (ids, sighting_of(f"user-{number}", (NOW_S + 300 * number) * 1000, KNOWN)) for number in range(500)
    ]

    added = additions(payments)

    headers = {is_population(each): Struct("<HHHII").unpack_from(value) for each, value in added.items()}
    assert headers == {False: (500, 0, 500, NOW_S, NOW_S), True: (1, 0, 0, NOW_S, NOW_S)}
