"""Which changes of the ruleset a page shows: those that fit what somebody asks for, from a place on, the newest first. Pure."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from contract.ruleset_change import change_keys, keys_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from contract.ruleset_change import RulesetChange

PAGE: Final = 50
"""Changes of a page."""

MAX_READ: Final = 1_000
"""Changes that are read for a page; what fits and is older is on the next one."""

_DAY: Final = timedelta(days=1)


class WantedChanges(NamedTuple):
    """What somebody asks for; what is empty fits all."""

    until: date | None = None
    """The newest day, UTC."""
    person: str = ""
    """Who has proposed, made or decided it."""
    kind: str = ""
    before: str = ""
    """Id of a change: older ones come."""

    @property
    def is_all(self) -> bool:
        """Whether everything is asked for, from the newest on."""
        return self == WantedChanges()

    def place(self, now: datetime) -> tuple[str, str]:
        """Where the page begins, as keys of the table. A ``before`` of another form is none."""
        keys = keys_of(self.before)
        if keys is not None:
            return keys
        # A day more: the clock of whoever has written a change may be ahead.
        end = now + _DAY
        if self.until is not None and self.until < end.date():
            end = datetime.combine(self.until, time(), UTC) + _DAY
        return change_keys(end, "")

    def fits(self, change: RulesetChange) -> bool:
        """Whether a change is asked for."""
        return self.person in ("", change.changed_by, change.decided_by) and self.kind in ("", change.kind)


class ChangePage(NamedTuple):
    """Some changes, the newest first."""

    changes: tuple[RulesetChange, ...]
    following: str
    """Id of the change before which older ones begin; empty where there are no more."""


def page_of(changes: Iterable[RulesetChange], wanted: WantedChanges) -> ChangePage:
    """Take a page of the changes from its place on, which come newest first and are read as they are needed.

    A page may have fewer than :data:`PAGE`, or none, and others after it: then what was read did not fit.
    """
    found: list[RulesetChange] = []
    last = ""
    for number, change in enumerate(changes):
        fits = wanted.fits(change)
        if number == MAX_READ or (fits and len(found) == PAGE):
            return ChangePage(tuple(found), last)
        if fits:
            found.append(change)
        last = change.change_id
    return ChangePage(tuple(found), "")
