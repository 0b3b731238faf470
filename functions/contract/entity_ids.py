"""The entities that a payment touches (card, device, IP address, network, merchant, payee), and the ids that name them without their value."""

from __future__ import annotations

from enum import IntEnum
from functools import lru_cache
from hashlib import blake2b
from ipaddress import IPv6Address
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from contract.transaction import Transaction


class EntityKind(IntEnum):
    """What an entity is."""

    CARD = 0
    DEVICE = 1
    IP = 2
    """An IPv4 address, or the /64 of an IPv6 one: there a device gives itself as many addresses as it likes."""
    NETWORK = 3
    """The /24 of an IPv4 address, the /48 of an IPv6 one: what one customer of a provider is given at most."""
    MERCHANT = 4
    PAYEE = 5


KIND_LETTERS: Final = b"cdinmp"
"""By kind: the letter that its ids begin with."""
_HASH_BYTES: Final = 8
ENTITY_ID_BYTES: Final = 1 + _HASH_BYTES

EntityIds = tuple[bytes | None, ...]
"""By :class:`EntityKind`: the id of the entity that a payment names, None where it names none."""


def entity_ids(transaction: Transaction) -> EntityIds:
    """Give the ids of a payment's entities.

    Returns
    -------
    EntityIds
        An id is :data:`ENTITY_ID_BYTES` long: a letter for the kind, and 64 bits of a BLAKE2b hash in place of the value. Nobody
        can name a merchant so that it has the id of another one.
    """
    card, device, address = transaction.card_id, transaction.device_id, transaction.ip_address
    merchant, payee = transaction.merchant_id, transaction.payee_id
    return (
        None if card is None else b"c" + _hash(card),
        None if device is None else b"d" + _hash(device),
        None if address is None else b"i" + _hash(host_of(address)),
        None if address is None else b"n" + _hash(network_of(address)),
        None if merchant is None else b"m" + _hash_often(merchant),
        None if payee is None else b"p" + _hash_often(payee),
    )


def entity_names(transaction: Transaction) -> tuple[str, ...]:
    """Give the ids of a payment's entities as text, in the order of kinds; those that it names alone.

    Returns
    -------
    tuple[str, ...]
        Each as :func:`entity_name` writes it.
    """
    return tuple(entity_name(entity_id) for entity_id in entity_ids(transaction) if entity_id is not None)


def entity_name(entity_id: bytes) -> str:
    """Write an id as text: the kind's letter, a colon, and the hash in hexadecimal.

    >>> entity_name(b"m" + bytes(range(8)))
    'm:0001020304050607'
    """
    return f"{entity_id[:1].decode()}:{entity_id[1:].hex()}"


def id_of_name(name: str) -> bytes:
    """Read what :func:`entity_name` wrote.

    >>> id_of_name("m:0001020304050607") == b"m" + bytes(range(8))
    True

    Raises
    ------
    ValueError
        For text of another form.
    """
    letter, _, digits = name.partition(":")
    entity_id = letter.encode() + bytes.fromhex(digits)
    if letter not in KIND_LETTERS.decode() or len(entity_id) != ENTITY_ID_BYTES:
        raise ValueError(f"no entity's name: {name!r}")
    return entity_id


def host_of(address: str) -> str:
    """Give the host of a canonical IP address; of IPv6, its /64.

    >>> host_of("203.0.113.9"), host_of("2001:db8:7:9::1")
    ('203.0.113.9', '2001:db8:7:9')
    """
    return _first_groups(address, 4) if ":" in address else address


def network_of(address: str) -> str:
    """Give the network of a canonical IP address.

    >>> network_of("203.0.113.9"), network_of("2001:db8:7:9::1")
    ('203.0.113', '2001:db8:7')
    """
    if ":" not in address:
        return address.rpartition(".")[0]
    return _first_groups(address, 3)


@lru_cache(maxsize=4096)
def _first_groups(address: str, count: int) -> str:
    groups = IPv6Address(address).exploded.split(":")[:count]
    return ":".join(f"{int(group, 16):x}" for group in groups)


def _hash(text: str) -> bytes:
    return blake2b(text.encode(), digest_size=_HASH_BYTES).digest()


_hash_often = lru_cache(maxsize=16_384)(_hash)
"""Of merchants and payees: the same few thousand come again and again."""
