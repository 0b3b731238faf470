"""The queue as people look at it: which cases somebody wants to see. Pure."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from contract.alert import Severity
from contract.case_work import holder, is_left_decided

if TYPE_CHECKING:
    from datetime import datetime

    from contract.case import QueuedCase


class QueueFilter(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What somebody wants to see of the queue; what is not given excludes nothing."""

    severities: frozenset[Severity] = frozenset()
    """Empty for all."""
    at_risk_base_from: Decimal | None = None
    """Least money at risk, major units of the case's base currency."""
    is_overdue: bool = False
    """Only cases that were due before now."""
    is_free: bool = False
    """Only cases on which nobody works."""
    assignee: str | None = None
    """Only cases on which this person works."""

    def takes(self, queued: QueuedCase, now: datetime) -> bool:
        """Whether a case is to be shown: never one that is about to be closed."""
        has_it = holder(queued, now)
        least = self.at_risk_base_from
        return not is_left_decided(queued, now) and (
            (not self.severities or queued.severity in self.severities)
            and (least is None or at_risk_base(queued) >= least)
            and (not self.is_overdue or queued.due_at < now)
            and (not self.is_free or has_it is None)
            and (self.assignee is None or has_it == self.assignee)
        )


def at_risk_base(queued: QueuedCase) -> Decimal:
    """Money of the payments that nobody has called legitimate, major units of the case's base currency."""
    return queued.undecided.amount_base + queued.fraud.amount_base
