"""What came of a training: what is printed of it, and what its page shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from engine.model.tables import Model
    from training.figures import Evaluation


class Outcome(NamedTuple):
    """What came of a training."""

    lines: list[str]
    """To print."""
    notes: list[str]
    """Of ``lines``, what is to be known of the models and their payments beside the figures."""
    source: str
    """What the payments are."""
    model: Model
    """The last one that was trained."""
    evaluation: Evaluation | None
    """Of the payments after the first training; None without any."""
