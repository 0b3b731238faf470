"""What the payment leaves out although the user's payments usually name it.

A thief who leaves out the device has no new one. Where the user's own payments name one, leaving it out says as much as another
device does. Where they never do, it says nothing.

A payment is compared with the usual payments on its own channel, if there are a few: whoever pays in shops without a device and online
with one is not unusual in either. Younger payments than those that make a value familiar are not looked at, as long as there are
older ones: a run of small payments without a device does not make the next one usual.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Final

from engine.features.definition import double
from engine.profile.named_fields import (
    CHANNEL_SHIFT,
    CHANNELS,
    COUNTERPARTY,
    COUNTRY,
    DEVICE,
    FIELDS,
    PLACE,
)
from engine.profile.seen_values import FAMILIAR_AGE_S

if TYPE_CHECKING:
    from contract.scored import FeatureValue
    from engine.features.windows import Windows
    from engine.profile import Profile
    from engine.profile.facts import PaymentFacts

FEATURES: Final = (
    double(
        "missing_device_share",
        "1",
        "Where the payment names no device: the share of the newest usual payments, on its channel if there are a few, that name one; else 0.",
    ),
    double("missing_counterparty_share", "1", "The same where it names neither a merchant nor a payee."),
    double(
        "missing_place_share",
        "1",
        "The same where it names no country; where it names no coordinates either, the larger of both shares.",
    ),
)

MIN_OF_CHANNEL: Final = 5
"""So many usual payments on a channel say what is usual there; with fewer, those of all channels do."""
MIN_ROWS: Final = 8
"""So many of the newest usual payments are looked at, the oldest of them first, however young they are."""

_ROWS: Final = bytes(range(256))
_OF_CHANNEL: Final = tuple(
    bytes(row for row in _ROWS if row >> CHANNEL_SHIFT != channel) for channel in range(len(CHANNELS))
)
"""Channel to the rows of other channels."""
_WITHOUT: Final = {
    field: bytes(row for row in _ROWS if not row & field) for field in (DEVICE, COUNTERPARTY, COUNTRY, PLACE)
}
"""Field to the rows that do not name it."""
_UNKNOWN_CHANNELS: Final = 2
"""Channels of a lower number say nothing about how the payment is made."""


def compute(facts: PaymentFacts, profile: Profile, _windows: Windows) -> tuple[FeatureValue, ...]:
    """Compute :data:`FEATURES`, in their order."""
    named = facts.named
    if named & FIELDS == FIELDS or not profile.habits.named:
        return 0.0, 0.0, 0.0
    groups = _groups(profile, named >> CHANNEL_SHIFT, facts.at_ms // 1000)
    return (
        0.0 if named & DEVICE else _share(groups, DEVICE),
        0.0 if named & COUNTERPARTY else _share(groups, COUNTERPARTY),
        max(
            0.0 if named & COUNTRY else _share(groups, COUNTRY),
            0.0 if named & PLACE else _share(groups, PLACE),
        ),
    )


def _groups(profile: Profile, channel: int, at_s: int) -> list[bytes]:
    """The usual payments that this one is compared with, by channel; several where its own channel is not known."""
    habits = profile.habits
    rows = max(bisect_right(habits.at_s, at_s - FAMILIAR_AGE_S), MIN_ROWS)
    of_all = habits.named[:rows].tobytes()
    channels = [channel] if channel >= _UNKNOWN_CHANNELS else range(len(CHANNELS))
    groups = [of_all.translate(None, _OF_CHANNEL[each]) for each in channels]
    groups = [group for group in groups if len(group) >= MIN_OF_CHANNEL]
    # Who leaves out the channel, too, is compared with the channel whose payments name most.
    return [*groups, of_all] if channel < _UNKNOWN_CHANNELS or not groups else groups


def _share(groups: list[bytes], field: int) -> float:
    # Two payments more than there are, which do not name it: of few, all say little.
    return max(len(group.translate(None, _WITHOUT[field])) / (len(group) + 2) for group in groups)
