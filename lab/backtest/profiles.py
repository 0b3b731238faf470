"""The profiles of all users of a backtest: those used lately as objects, all others packed in the form in which they are stored."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from engine.profile import Profile, from_bytes, to_bytes

MAX_UNPACKED: Final = 20_000
"""Profiles kept as objects, of 3 to 8 KB each. Packed, that of a user of 6 payments takes 0.8 KB, and none more than 6 KiB."""


class Profiles:
    """One profile a user, made when it is first asked for.

    Parameters
    ----------
    max_unpacked : int
        Profiles kept as objects, >= 1. To pack one and unpack it takes 25 µs, a third of the time of a payment.
    """

    def __init__(self, max_unpacked: int = MAX_UNPACKED) -> None:
        self._max_unpacked = max_unpacked
        self._unpacked: OrderedDict[str, Profile] = OrderedDict()
        """The most recently used last."""
        self._packed: dict[str, bytes] = {}

    def of(self, user_id: str) -> Profile:
        """Give a user's profile. What is folded into it is kept, if that is before the next profile is asked for."""
        profile = self._unpacked.get(user_id)
        if profile is not None:
            self._unpacked.move_to_end(user_id)
            return profile
        packed = self._packed.pop(user_id, None)
        profile = Profile() if packed is None else from_bytes(packed)
        if len(self._unpacked) >= self._max_unpacked:
            oldest_user_id, oldest = self._unpacked.popitem(last=False)
            self._packed[oldest_user_id] = to_bytes(oldest)
        self._unpacked[user_id] = profile
        return profile
