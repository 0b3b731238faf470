"""Settings of the case stage, one field for each variable of its function.yaml."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Annotated

from msgspec import Meta

from common.stream_crashes import StreamCrashSettings
from contract.case_limits import CaseLimits

Minutes = Annotated[int, Meta(ge=1, le=43_200)]
Amount = Annotated[float, Meta(gt=0, le=1e12)]


class Settings(StreamCrashSettings, frozen=True, kw_only=True):
    """What the case stage reads from its environment."""

    flagged_transactions_table: str
    """The table's name in this environment."""
    cases_table: str
    """The table's name in this environment."""
    case_links_table: str
    """The table's name in this environment."""
    case_decisions_table: str
    """The table's name in this environment."""
    case_large_amount_base: Amount
    """Money at risk that raises a case's priority by one, major units of the ruleset's base currency,"""
    case_very_large_amount_base: Amount
    """and by two."""
    case_due_minutes_1: Minutes
    """In which time a case of priority 1 is to be decided, from when it opens;"""
    case_due_minutes_2: Minutes
    """of priority 2;"""
    case_due_minutes_3: Minutes
    """of priority 3;"""
    case_due_minutes_4: Minutes
    """of priority 4."""

    @property
    def case_limits(self) -> CaseLimits:
        """The same, as the stage takes them."""
        minutes = (
            self.case_due_minutes_1,
            self.case_due_minutes_2,
            self.case_due_minutes_3,
            self.case_due_minutes_4,
        )
        return CaseLimits(
            large_amount_base=Decimal(str(self.case_large_amount_base)),
            very_large_amount_base=Decimal(str(self.case_very_large_amount_base)),
            due_after=tuple(timedelta(minutes=each) for each in minutes),
        )
