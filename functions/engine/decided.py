"""What :mod:`engine.decide` says of one payment."""

from __future__ import annotations

import msgspec

from contract.clock import Times
from contract.reason import Reason
from contract.scored import Decision
from contract.side import Side
from engine.entities.state import Sighting
from engine.features.catalogue import Features
from engine.profile.outcome import Outcome


class Assessment(msgspec.Struct, frozen=True):
    """What is decided about one payment, and why."""

    risk_score: int
    """0 to 100: the points of the live rules that hold and of the model, added up, then limited to that range."""
    decision: Decision
    reasons: tuple[Reason, ...]
    """One for each live rule that holds, and those of the model, most points first, then by id; negative points speak for the payment."""
    shadow_rule_ids: tuple[str, ...]
    """Shadow rules that hold, sorted."""
    failed_rule_ids: tuple[str, ...]
    """Rules that could not be evaluated, sorted; they give no points."""
    points: int = 0
    """The points of live rules and model, added up and not held to a range: what the backtest ranks payments by. No row has it."""


class DecidedAgain(msgspec.Struct, frozen=True):
    """A stored payment with its features, and what other rules decide about it."""

    features: Features
    """As they were when the row was stored, but for the model's."""
    assessment: Assessment
    times: Times
    """As they were believed then."""


class Decided(msgspec.Struct, frozen=True):
    """One payment with its features, its assessment, and what its fold needs."""

    features: Features
    assessment: Assessment
    outcome: Outcome
    """For :meth:`engine.profile.profile.Profile.fold`."""
    sighting: Sighting
    """For :meth:`engine.entities.book.EntityBook.fold`."""
    side: Side = Side.CHAMPION
    """Which side of the ruleset decided."""
    other: Assessment | None = None
    """What the other side says of the same features, but for its model's; None where the ruleset has one side, and for a repeat."""
