"""What somebody does with the filters of the queue: save, use, rename, delete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from console import notices
from console.queue_views import filter_of, query_of, read_filter
from contract.saved_filter import MAX_FILTERS, SavedFilter, filter_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from starlette.responses import Response

    from console.app import Desk, Visit


class Filters(Protocol):
    """The calls to saved filters; see :class:`console.filter_store.FilterStore`."""

    def of(self, person: str) -> Sequence[SavedFilter]:
        """Somebody's, by name."""
        ...

    def insert(self, saved: SavedFilter) -> None:
        """Store a new one."""
        ...

    def rename(self, person: str, filter_id: str, name: str) -> bool:
        """Give one another name; False where it is gone."""
        ...

    def delete(self, person: str, filter_id: str) -> None:
        """Delete one."""
        ...


class FilterPages:
    """Endpoints by the names of their routes. Everybody has filters of one's own; nobody sees another's.

    Parameters
    ----------
    desk : Desk
        What requests need.
    filters : Filters
        The table of saved filters.
    new_id : Callable
        Gives a random text.
    """

    def __init__(self, desk: Desk, filters: Filters, new_id: Callable[[], str]) -> None:
        self._desk = desk
        self._filters = filters
        self._new_id = new_id

    def use_filter(self, visit: Visit) -> Response:
        """Go to the queue, narrowed by a saved filter."""
        found = [each for each in self._filters.of(visit.person) if each.filter_id == visit.parts["filter"]]
        if not found:
            return self._desk.pages.notice(notices.NO_FILTER, visit.who)
        return self._desk.pages.go(f"/queue?{query_of(filter_of(found[0]))}")

    def save_filter(self, visit: Visit) -> Response:
        """Keep what the queue is narrowed to, under a name."""
        name = filter_name(visit.form.get("name", ""))
        if name is None:
            return self._desk.pages.notice(notices.BAD_FILTER_NAME, visit.who)
        theirs = self._filters.of(visit.person)
        if _is_taken(name, theirs):
            return self._desk.pages.notice(notices.SAME_FILTER_NAME, visit.who)
        if len(theirs) >= MAX_FILTERS:
            return self._desk.pages.notice(notices.TOO_MANY_FILTERS, visit.who)
        wanted = read_filter(*(visit.form.get(part, "") for part in ("view", "severity", "least")))
        saved = SavedFilter(
            person=visit.person,
            filter_id=self._new_id(),
            name=name,
            view=wanted.view,
            severity=wanted.severity,
            least=wanted.least,
            saved_at=visit.now,
        )
        self._filters.insert(saved)
        return self._desk.pages.go(f"/queue?{query_of(wanted)}")

    def rename_filter(self, visit: Visit) -> Response:
        """Give a saved filter another name."""
        name, filter_id = filter_name(visit.form.get("name", "")), visit.form.get("subject", "")
        if name is None:
            return self._desk.pages.notice(notices.BAD_FILTER_NAME, visit.who)
        if _is_taken(name, [each for each in self._filters.of(visit.person) if each.filter_id != filter_id]):
            return self._desk.pages.notice(notices.SAME_FILTER_NAME, visit.who)
        if not filter_id or not self._filters.rename(visit.person, filter_id, name):
            return self._desk.pages.notice(notices.NO_FILTER, visit.who)
        return self._desk.pages.go("/queue")

    def delete_filter(self, visit: Visit) -> Response:
        """Delete a saved filter."""
        if filter_id := visit.form.get("subject", ""):
            self._filters.delete(visit.person, filter_id)
        return self._desk.pages.go("/queue")


def _is_taken(name: str, saved: Sequence[SavedFilter]) -> bool:
    return any(each.name.casefold() == name.casefold() for each in saved)
