"""What happens: the queue's age, and what was flagged and judged in the last days."""

from __future__ import annotations

from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, Protocol

from console.queue_pages import READ
from console.watch_views import DAYS, watch_view

if TYPE_CHECKING:
    from datetime import datetime

    from starlette.responses import Response

    from console.app import Desk, Visit
    from console.case_pages import Cases
    from console.week_records import Week


class Flagged(Protocol):
    """The call to the flagged payments; see :class:`console.week_records.WeekRecords`."""

    def since(self, since: datetime) -> Week:
        """Read what was flagged since a time."""
        ...


class WatchPages:
    """Endpoints by the names of their routes."""

    def __init__(self, desk: Desk, cases: Cases, flagged: Flagged) -> None:
        self._desk = desk
        self._cases = cases
        self._flagged = flagged

    def watch(self, visit: Visit) -> Response:
        """Show what happens."""
        midnight = visit.now.replace(hour=0, minute=0, second=0, microsecond=0)
        week = self._flagged.since(midnight - timedelta(days=DAYS - 1))
        read = list(islice(self._cases.queue(), READ + 1))
        view = watch_view(week, read[:READ], visit.now, has_more=len(read) > READ)
        return self._desk.pages.page("watch.html", visit.who, page_name="watch", view=view)
