"""Kinds of entities and their populations, and users as entities remember them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from contract.entity_ids import EntityKind, entity_ids
from engine.entities.kinds import POPULATION_IDS, is_population, kind_of, user_hash
from engine.entities.state import USER_BYTES
from tests.support.payments import make_minimal_payment

names = st.text(min_size=1, max_size=12)


def test_an_id_says_its_kind_and_is_never_that_of_a_population() -> None:
    payment = make_minimal_payment(
        card_id="x", device_id="x", merchant_id="x", payee_id="x", ip_address="203.0.113.9"
    )

    ids = entity_ids(payment)

    assert [kind_of(each) for each in ids if each is not None] == list(EntityKind)
    assert [kind_of(each) for each in POPULATION_IDS] == list(EntityKind)
    assert not any(map(is_population, ids))  # type: ignore[arg-type]  # the payment names all
    assert all(map(is_population, POPULATION_IDS))
    assert len({*ids, *POPULATION_IDS}) == 2 * len(EntityKind)


@given(names)
def test_a_user_is_96_bits(user_id: str) -> None:
    assert len(user_hash(user_id)) == USER_BYTES == 12


def test_users_whose_first_32_bits_are_the_same_are_two() -> None:
    """Found within 100,000 user ids; of 96 bits nobody finds two by that."""
    one, other = user_hash("u-10269"), user_hash("u-87822")

    assert one[:4] == other[:4]
    assert one != other
