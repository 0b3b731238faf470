"""How the engine speaks of the kinds of entities, the ids of all entities of a kind together, and of users."""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

from contract.entity_ids import KIND_LETTERS, EntityKind
from engine.entities.state import USER_BYTES

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

_POPULATION: Final = b"a"

POPULATION_IDS: Final[tuple[bytes, ...]] = tuple(
    _POPULATION + KIND_LETTERS[kind : kind + 1] for kind in EntityKind
)
"""By kind: the id of all its entities together."""


def kind_of(entity_id: bytes) -> EntityKind:
    """Give the kind of an entity, or that of a population."""
    return EntityKind(KIND_LETTERS.index(entity_id[1:2] if is_population(entity_id) else entity_id[:1]))


def is_population(entity_id: bytes) -> bool:
    """Whether an id is one of :data:`POPULATION_IDS`."""
    return entity_id[:1] == _POPULATION


def user_hash(user_id: str) -> bytes:
    """Give a BLAKE2b hash in place of a user id: what an entity remembers of its users."""
    return blake2b(user_id.encode(), digest_size=USER_BYTES).digest()
