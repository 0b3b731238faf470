"""A closed case, and a case that waits for a second person, as the indexes have them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from contract.alert import Severity
from contract.case import CASES_TABLE, CaseKey, CaseVerdict, SecondLook, Tally
from contract.clock import Instant
from contract.items import from_item

if TYPE_CHECKING:
    from collections.abc import Mapping


class ClosedCase(msgspec.Struct, frozen=True, kw_only=True):
    """A closed case: as the indexes have it, or with the sums of its row; the fields are those of :class:`Case`."""

    case_owner: str
    case_number: int
    verdict: CaseVerdict
    severity: Severity
    closed_at: Instant
    closed_by: str | None = None
    fraud: Tally = Tally()
    legitimate: Tally = Tally()
    undecided: Tally = Tally()
    """Payments whose labels are on their way. No index has it."""
    base_currency: str | None = None

    @property
    def key(self) -> CaseKey:
        """Key of its row."""
        return CaseKey(self.case_owner, self.case_number)


class LookCase(msgspec.Struct, frozen=True, kw_only=True):
    """A case that a second person is to look at, closed or not, as its index has it; the fields are those of :class:`Case`."""

    case_owner: str
    case_number: int
    severity: Severity
    second_look: SecondLook
    decided_by: tuple[str, ...] = ()
    base_currency: str | None = None

    @property
    def key(self) -> CaseKey:
        """Key of its row."""
        return CaseKey(self.case_owner, self.case_number)

    @property
    def deciders(self) -> frozenset[str]:
        """Who is not its second person, as far as the index says."""
        return frozenset((*self.decided_by, *self.second_look.others))


def from_look_item(item: Mapping[str, Any]) -> LookCase:
    """Read an entry of the index of second looks; InvalidRowError names the attribute that is missing or cannot be read."""
    return from_item(CASES_TABLE, item, LookCase)


def from_closed_item(item: Mapping[str, Any]) -> ClosedCase:
    """Read an entry of an index of closed cases; InvalidRowError names the attribute that is missing or cannot be read."""
    return from_item(CASES_TABLE, item, ClosedCase)
