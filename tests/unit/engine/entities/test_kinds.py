"""The entities that a payment names, and ids that no two of them share."""

from __future__ import annotations

from itertools import product

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.canary import canary_payment, canary_users
from contract.transaction import decode_transaction
from engine.entities.kinds import (
    ENTITY_ID_BYTES,
    POPULATION_IDS,
    EntityKind,
    entity_ids,
    is_population,
    kind_of,
    network_of,
    user_hash,
)
from tests.support.payments import NOW, make_minimal_payment

FIELDS = {
    EntityKind.CARD: "card_id",
    EntityKind.DEVICE: "device_id",
    EntityKind.MERCHANT: "merchant_id",
    EntityKind.PAYEE: "payee_id",
}
names = st.text(min_size=1, max_size=12)


def test_a_payment_that_names_nothing_has_no_entity() -> None:
    assert entity_ids(make_minimal_payment()) == (None,) * len(EntityKind)


@pytest.mark.parametrize("user_id", canary_users(NOW))
def test_a_canary_touches_no_entity(user_id: str) -> None:
    assert entity_ids(canary_payment(user_id, NOW)) == (None,) * len(EntityKind)


@given(names, names)
def test_ids_differ_by_value_and_by_kind(one: str, other: str) -> None:
    values = {one, other}

    ids = {
        entity_ids(make_minimal_payment(**{field: value}))[kind]
        for (kind, field), value in product(FIELDS.items(), values)
    }

    assert len(ids) == len(FIELDS) * len(values)
    assert all(each is not None and len(each) == ENTITY_ID_BYTES for each in ids)


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


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.9", "203.0.113"),
        ("203.0.113.255", "203.0.113"),
        ("203.0.11.3", "203.0.11"),
        ("20.30.113.9", "20.30.113"),
        ("2001:db8:7:9::1", "2001:db8:7"),
        ("2001:db8:7:ffff:1:2:3:4", "2001:db8:7"),
        ("2001:db8::1", "2001:db8:0"),
        ("2001:db8:70:9::1", "2001:db8:70"),
        ("::1", "0:0:0"),
    ],
)
def test_a_network_is_the_24_or_the_48_of_an_address(address: str, network: str) -> None:
    assert network_of(address) == network


@pytest.mark.parametrize(
    "sent",
    [
        "203.0.113.9",
        "::ffff:203.0.113.9",
        "::ffff:cb00:7109",
        "64:ff9b::cb00:7109",
        "203.0.113.9:443",
        " 203.0.113.9 ",
    ],
)
def test_an_ipv4_address_that_is_carried_in_ipv6_is_the_same_entity_and_network(sent: str) -> None:
    plain = make_minimal_payment(ip_address="203.0.113.9")
    record = {
        "transaction_id": "t",
        "user_id": "u",
        "amount": "1",
        "currency": "USD",
        "timestamp": NOW,
        "ip_address": sent,
    }

    received = decode_transaction(msgspec.json.encode(record))

    assert entity_ids(received) == entity_ids(plain)


def test_addresses_of_one_network_share_it_and_nothing_else() -> None:
    one, other, far = (
        entity_ids(make_minimal_payment(ip_address=each))
        for each in ("203.0.113.9", "203.0.113.10", "203.0.114.9")
    )

    assert one[EntityKind.NETWORK] == other[EntityKind.NETWORK] != far[EntityKind.NETWORK]
    assert len({each[EntityKind.IP] for each in (one, other, far)}) == 3


def test_ipv6_addresses_of_one_64_are_one_entity() -> None:
    one, other, far = (
        entity_ids(make_minimal_payment(ip_address=each))[EntityKind.IP]
        for each in ("2001:db8:7:9::1", "2001:db8:7:9:ffff::2", "2001:db8:7:a::1")
    )

    assert one == other != far


@given(names)
def test_a_user_is_32_bits(user_id: str) -> None:
    assert 0 <= user_hash(user_id) < 2**32
