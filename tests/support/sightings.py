"""Users and decisions of payments as entities count them."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

from contract.scored import Decision
from engine.entities.sightings import sighting_of
from engine.entities.state import USER_BYTES
from engine.features.stored import unpack
from engine.profile.facts import facts_of_row

if TYPE_CHECKING:
    from contract.scored import ScoredTransaction
    from engine.entities.state import Entity, Sighting


def user(number: int) -> bytes:
    """A user, in place of a hash; a larger number sorts later."""
    return number.to_bytes(USER_BYTES, "big")


def users_of(entity: Entity) -> list[bytes]:
    """The users whom an entity remembers, by last time."""
    size = len(entity.seen) // (USER_BYTES + 4)
    return [each for [each] in Struct(f"{USER_BYTES}s").iter_unpack(entity.seen[: USER_BYTES * size])]


def sighting_of_row(row: ScoredTransaction) -> Sighting:
    """What a payment's entities count, as its row says."""
    return sighting_of(
        row.transaction.user_id,
        facts_of_row(row).clock_ms,
        unpack(row.features, row.feature_set),
        is_approved=row.decision is Decision.APPROVE,
    )
