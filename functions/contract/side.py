"""The two sides of a ruleset with a candidate."""

from __future__ import annotations

from enum import StrEnum


class Side(StrEnum):
    """Which of two rulesets decides."""

    CHAMPION = "champion"
    """The ruleset; without a candidate it decides alone."""
    CANDIDATE = "candidate"
    """The ruleset's candidate."""
