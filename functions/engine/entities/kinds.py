"""The entities that a payment touches, and the ids under which their state is kept."""

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


KIND_NAMES: Final[tuple[str, ...]] = tuple(kind.name.lower() for kind in EntityKind)
"""By kind: the word that its features begin with."""

KIND_PHRASES: Final = (
    "with this card",
    "from this device",
    "from this IP address or IPv6 /64",
    "from this IPv4 /24 or IPv6 /48",
    "to this merchant",
    "to this payee",
)
"""By kind: what follows "payments" in a sentence about those of one entity."""

LETTERS: Final = b"cdinmp"
"""By kind: the first byte of an entity's id."""
_POPULATION: Final = b"a"
_HASH_BYTES: Final = 8
ENTITY_ID_BYTES: Final = 1 + _HASH_BYTES

POPULATION_IDS: Final[tuple[bytes, ...]] = tuple(
    _POPULATION + LETTERS[kind : kind + 1] for kind in EntityKind
)
"""By kind: the id of all its entities together."""

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


def kind_of(entity_id: bytes) -> EntityKind:
    """Give the kind of an entity, or that of a population."""
    return EntityKind(LETTERS.index(entity_id[1:2] if is_population(entity_id) else entity_id[:1]))


def is_population(entity_id: bytes) -> bool:
    """Whether an id is one of :data:`POPULATION_IDS`."""
    return entity_id[:1] == _POPULATION


def user_hash(user_id: str) -> int:
    """32 bits of a BLAKE2b hash in place of a user id: what an entity remembers of its users."""
    return int.from_bytes(blake2b(user_id.encode(), digest_size=4).digest(), "little")


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
