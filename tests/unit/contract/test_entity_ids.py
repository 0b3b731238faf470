"""The entities that a payment names, and ids that no two of them share."""

from __future__ import annotations

from itertools import product

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.canary import canary_payment, canary_users
from contract.entity_ids import (
    ENTITY_ID_BYTES,
    EntityKind,
    entity_ids,
    entity_name,
    entity_names,
    id_of_name,
    network_of,
)
from contract.transaction import decode_transaction
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


def test_an_id_as_text_says_its_kind_and_its_hash() -> None:
    payment = make_minimal_payment(device_id="phone", payee_id="somebody")

    names = entity_names(payment)

    assert [name[:2] for name in names] == ["d:", "p:"]
    assert [bytes([ord(name[0])]) + bytes.fromhex(name[2:]) for name in names] == [
        each for each in entity_ids(payment) if each is not None
    ]


def test_a_payment_that_names_all_has_a_name_for_each_kind() -> None:
    payment = make_minimal_payment(
        card_id="x", device_id="x", merchant_id="x", payee_id="x", ip_address="203.0.113.9"
    )

    assert "".join(name[0] for name in entity_names(payment)) == "cdinmp"


@pytest.mark.parametrize(
    "name", ["m:00", "m:0001020304050607ff", "x:0001020304050607", "m-0001020304050607", ""]
)
def test_text_that_names_no_entity_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"no entity's name|non-hexadecimal"):
        id_of_name(name)


def test_a_name_is_read_back() -> None:
    entity_id = b"m" + bytes(range(8))

    assert id_of_name(entity_name(entity_id)) == entity_id
