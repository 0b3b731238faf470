"""What the replay function is asked, and what it answers: a stored decision that was made again. Pure."""

from __future__ import annotations

import msgspec

from contract.reason import Reason
from contract.scored import Decision, OtherVerdict
from contract.side import Side


class ReplayRequest(msgspec.Struct, frozen=True):
    """A payment by the key of its row."""

    user_id: str
    event_key: str


class ReplayDifference(msgspec.Struct, frozen=True):
    """Something that the row says otherwise than what follows from it."""

    name: str
    """Of the row's field, or of the feature."""
    stored: str
    computed: str


class ReplayedDecision(msgspec.Struct, frozen=True, kw_only=True):
    """The decision, as it follows from the row's features and the ruleset of then."""

    ruleset: str
    """Version and digest."""
    model: str
    """The model's sha256; empty without one."""
    side: Side
    decision: Decision
    risk_score: int
    reasons: tuple[Reason, ...]
    shadow_rule_ids: tuple[str, ...]
    failed_rule_ids: tuple[str, ...]
    other: OtherVerdict | None
    fraud_probability: float
    differences: tuple[ReplayDifference, ...]


class ReplayAnswer(msgspec.Struct, frozen=True):
    """One of the two."""

    decision: ReplayedDecision | None = None
    why_not: str = ""
    """A sentence: why it could not be made again."""
