"""What an entity usually has: its weeks before the last day."""

from __future__ import annotations

import msgspec

from engine.entities.levels import PAYMENTS, STOPPED, Level, total


class Past(msgspec.Struct, frozen=True, gc=False):
    """The weeks before the last day, from the entity's first approved payment on."""

    weeks: Level
    """The last weeks with this one: the past is what they have more than the day."""
    day: Level
    """The hours of the last day."""
    stopped: Level
    """The part of them that was not approved."""
    hours: float
    """How long the past is, >= 0."""

    def total(self, column: int) -> int:
        """Add up a column of approved payments, not :data:`FIRST`; >= 0."""
        past = total(self.weeks, column)
        if self.day:  # of most entities nobody paid lately, and stopped payments are a part of the day's
            past += total(self.stopped, column) - total(self.day, column)
        return past if past > 0 else 0

    def payments(self) -> int:
        """Count all payments, approved or not; >= 0."""
        past = total(self.weeks, PAYMENTS) + total(self.weeks, STOPPED) - total(self.day, PAYMENTS)
        return past if past > 0 else 0
