"""Why a payment got points: stored with its decision, and shown to people."""

from __future__ import annotations

import msgspec


class Reason(msgspec.Struct, frozen=True):
    """Why points were given."""

    rule_id: str
    points: int
    sentence: str
    """The rule's sentence with the figures in it, for people."""
