"""What happens: the flow of the last hour, the queue's age, and what was flagged and judged in the last days."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING, Protocol

from console.live_views import live_view
from console.queue_pages import READ
from console.watch_views import first_midnight, watch_view

if TYPE_CHECKING:
    from datetime import datetime

    from starlette.responses import Response

    from console.app import Desk, Visit
    from console.case_pages import Cases
    from console.live_records import Live
    from console.week_records import Week


class Flagged(Protocol):
    """The call to the flagged payments; see :class:`console.week_records.WeekRecords`."""

    def since(self, since: datetime, now: datetime) -> Week:
        """Read what was flagged since a time."""
        ...


class Flow(Protocol):
    """The call to the metrics; see :class:`console.live_records.LiveRecords`."""

    def read(self, now: datetime) -> Live:
        """Read the last hour."""
        ...


class WatchPages:
    """Endpoints by the names of their routes.

    Parameters
    ----------
    desk : Desk
        What requests need.
    cases : Cases
        The table of cases.
    flagged : Flagged
        Flagged payments of the week.
    flow : Flow
        Metrics.
    """

    def __init__(self, desk: Desk, cases: Cases, flagged: Flagged, flow: Flow) -> None:
        self._desk = desk
        self._cases = cases
        self._flagged = flagged
        self._flow = flow

    def watch(self, visit: Visit) -> Response:
        """Show what happens."""
        with ThreadPoolExecutor(2) as pool:
            coming_live = pool.submit(self._flow.read, visit.now)
            coming_cases = pool.submit(lambda: list(islice(self._cases.queue(), READ + 1)))
            week = self._flagged.since(first_midnight(visit.now), visit.now)
            live, read = coming_live.result(), coming_cases.result()
        view = watch_view(week, read[:READ], visit.now, has_more=len(read) > READ)
        return self._desk.pages.page(
            "watch.html", visit.who, page_name="watch", view=view, live=live_view(live, visit.now)
        )
