"""From how much money on a case is more urgent, and how soon it is to be decided."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from datetime import timedelta
    from decimal import Decimal

    from contract.alert import Severity


class CaseLimits(NamedTuple):
    """What makes a case urgent."""

    large_amount_base: Decimal
    """Money at risk that raises the priority by one, major units of the base currency,"""
    very_large_amount_base: Decimal
    """and by two."""
    due_after: tuple[timedelta, ...]
    """By priority, the most urgent first: the time in which a case is to be decided."""

    def priority(self, severity: Severity, at_risk_base: Decimal) -> int:
        """Priority of a case, 1 for the most urgent."""
        points = severity.rank + (at_risk_base >= self.large_amount_base)
        points += at_risk_base >= self.very_large_amount_base
        return max(1, len(self.due_after) - points)
