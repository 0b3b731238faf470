"""Payments whose rows the version before stored under a key of another form, and which are delivered again across the upgrade.

Up to format 2 a row's key did not say what is paid. A batch that the version before had stored but not answered comes again to this
one, which looks for other keys: without this module each of its payments would get a second row, and count twice.

The old keys are looked up only where the version before may have stored the payment: when its user's profile is read for the first
time since the upgrade (it is of format 1, or rebuilt from rows of before), and afterwards for payments that need a lookup anyway,
while the ring of recent payments holds one of before. A usual payment costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from contract.clock import time_text
from engine.profile.facts import facts_of_row
from score.user_chain import needs_lookup

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from contract.scored import ScoredTransaction
    from engine.profile import Profile
    from score.delivery import Delivery
    from score.history_store import RowKey


def old_row_key(delivery: Delivery) -> RowKey:
    """Key under which the version before stored the payment: its event time was always believed."""
    transaction = delivery.facts.transaction
    return transaction.user_id, f"{time_text(transaction.timestamp)}#{transaction.transaction_id}"


def may_have_old_row(delivery: Delivery, profile: Profile, *, is_first_reading: bool) -> bool:
    """Whether the version before may have stored the payment.

    Parameters
    ----------
    delivery : Delivery
        The payment.
    profile : Profile
        Its user's.
    is_first_reading : bool
        The profile comes from what the version before stored.
    """
    if is_first_reading:
        return True
    content = profile.recent.content
    # The oldest of the recent payments has no hash of its content: the version before folded it.
    return bool(content) and not content[0] and needs_lookup(delivery, profile, is_counted=None)


def as_stored(deliveries: Sequence[Delivery], existing: Mapping[RowKey, ScoredTransaction]) -> list[Delivery]:
    """Give each payment that the version before stored the facts and the key of its row; the others as they are.

    A row without what is paid in its key can be that of another payment under the same id and time. It is this payment's where it
    comes from the same record or says the same.
    """
    return [_as_stored(delivery, existing.get(old_row_key(delivery))) for delivery in deliveries]


def _as_stored(delivery: Delivery, row: ScoredTransaction | None) -> Delivery:
    if row is None:
        return delivery
    is_same = row.transaction.content_mark == delivery.facts.transaction.content_mark
    if row.position != delivery.position and not is_same:
        return delivery
    return msgspec.structs.replace(delivery, facts=facts_of_row(row))
