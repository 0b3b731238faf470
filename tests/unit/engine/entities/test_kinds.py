"""Kinds of entities and their populations, and users as entities remember them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from contract.entity_ids import EntityKind, entity_ids
from engine.entities.kinds import POPULATION_IDS, is_population, kind_of, user_hash
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
def test_a_user_is_32_bits(user_id: str) -> None:
    assert 0 <= user_hash(user_id) < 2**32
