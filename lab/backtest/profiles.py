"""The profiles of all users of a backtest: those used lately as objects, all others packed in the form in which they are stored."""

from __future__ import annotations

from typing import Final

from engine.profile import Profile

MAX_UNPACKED: Final = 20_000
"""Profiles kept as objects: up to 8 KiB each, where a packed one has at most 4 KiB and usually 1 or 2."""


class Profiles:
    """One profile a user, made when it is first asked for.

    Parameters
    ----------
    max_unpacked : int
        Profiles kept as objects, >= 1. Packing one and unpacking it costs about as much as a tenth of a decision.
    """

    def __init__(self, max_unpacked: int = MAX_UNPACKED) -> None:
        self._max_unpacked = max_unpacked
        self._unpacked: dict[str, Profile] = {}
        """The most recently used last."""
        self._packed: dict[str, bytes] = {}

    def of(self, user_id: str) -> Profile:
        """Give a user's profile; what is folded into it is kept, until another user's is asked for."""
        profile = self._unpacked.pop(user_id, None)
        if profile is None:
            packed = self._packed.pop(user_id, None)
            profile = Profile() if packed is None else Profile.from_bytes(packed)
            if len(self._unpacked) >= self._max_unpacked:
                oldest = next(iter(self._unpacked))
                self._packed[oldest] = self._unpacked.pop(oldest).to_bytes()
        self._unpacked[user_id] = profile
        return profile
