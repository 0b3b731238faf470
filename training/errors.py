"""What can go wrong in a training."""

from __future__ import annotations


class TrainingError(Exception):
    """A model cannot be made; says why."""
