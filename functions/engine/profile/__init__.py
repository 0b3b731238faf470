"""A user's recent behaviour in bounded space: a pure fold of history rows, without clock or ruleset."""

from __future__ import annotations

from engine.profile.packed_columns import ProfileFormatError
from engine.profile.profile import Profile
from engine.profile.stored import from_bytes, to_bytes

__all__ = ["Profile", "ProfileFormatError", "from_bytes", "to_bytes"]
