"""Finds the case that an address names, for pages that show a part of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from contract.case import parse_case_id
from contract.case_work import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from console.app import Visit
    from contract.case import Case, CaseKey


class Changing(Protocol):
    """The call to a case; see :class:`common.case_desk.CaseDesk`."""

    def change(self, key: CaseKey, step: Callable[[Case], Case | Refusal]) -> Case | Refusal:
        """Make a step with a case."""
        ...


def case_of(
    cases: Changing, visit: Visit, step: Callable[[Case], Case | Refusal] = lambda case: case
) -> Case | Refusal:
    """Make a step with the case that a path names; without a step it is only read. ``gone`` where there is none."""
    try:
        key = parse_case_id(visit.parts["case"])
    except ValueError:
        return Refusal.GONE
    return cases.change(key, step)
