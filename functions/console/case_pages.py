"""The page of the queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from console.views import queue_view

if TYPE_CHECKING:
    from starlette.responses import Response

    from console.app import Desk, Visit
    from console.queue_store import QueueStore

SHOWN: Final = 100
"""Payments that the queue shows."""


class CasePages:
    """Endpoints by the names of their routes."""

    def __init__(self, desk: Desk, queue: QueueStore) -> None:
        self._desk = desk
        self._queue = queue

    def queue(self, visit: Visit) -> Response:
        """Show what waits for a verdict."""
        view = queue_view(self._queue.newest(SHOWN), visit.now, SHOWN)
        return self._desk.pages.page("queue.html", visit.who, page_name="queue", view=view)
