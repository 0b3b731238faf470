"""What is shown beside a case: similar ones, shared ones, those that await a second look, and what was decided."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from common.case_lookups import CaseLookups, Link
    from contract.case import Case
    from contract.case_decision import CaseDecision
    from contract.closed_case import ClosedCase, LookCase


class CaseSurroundings:
    """The tables; errors as of the two.

    Parameters
    ----------
    lookups : CaseLookups
        Links and closed cases.
    decisions : Callable
        Reads what was decided on a case, the earliest first.
    """

    def __init__(self, lookups: CaseLookups, decisions: Callable[[Case], list[CaseDecision]]) -> None:
        self._lookups = lookups
        self._decisions = decisions

    def similar(self, case: Case) -> list[ClosedCase]:
        """Closed cases with the same two strongest reasons, the newest first."""
        return self._lookups.similar(case)

    def links(self, case: Case) -> tuple[Link, ...]:
        """Entities that other cases have met too."""
        return self._lookups.links(case)

    def second_looks(self, limit: int) -> list[LookCase]:
        """Cases that a second person is to look at, those that have waited longest first."""
        return self._lookups.second_looks(limit)

    def decisions(self, case: Case) -> list[CaseDecision]:
        """What was decided on a case, the earliest first, also what was undone."""
        return self._decisions(case)
