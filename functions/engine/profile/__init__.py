"""A user's recent behaviour in bounded space: a pure fold of transactions, without decision, clock or ruleset."""

from __future__ import annotations

from engine.profile.profile import Profile, ProfileFormatError

__all__ = ["Profile", "ProfileFormatError"]
