"""What a mapping and a schedule have in common: one thread starts work in others, and a status is reported of it."""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

import msgspec

from local.event_sources.config import MappingCounters

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.event_sources.records import DeliveryResult

T = TypeVar("T")

logger = logging.getLogger(__name__)


class Dispatcher(ABC):
    """Starts work, from :meth:`start` to :meth:`stop`. One lock guards everything that the threads share.

    Parameters
    ----------
    max_concurrency : int
        Most invocations at a time, >= 1.
    """

    def __init__(self, max_concurrency: int) -> None:
        self.failure: BaseException | None = None
        """A fault of the mapping or schedule itself. The process must end, since nothing more would be delivered."""
        self._changed = threading.Condition()
        self._stopping = False
        self._counters = MappingCounters()
        self._last_error: str | None = None
        self._max_concurrency = max_concurrency
        self._in_flight = 0
        self._executor = ThreadPoolExecutor(max_concurrency, thread_name_prefix="invoke")
        self._thread = threading.Thread(target=self._dispatch, name="dispatch", daemon=True)

    def start(self) -> None:
        """Begin to deliver."""
        self._thread.start()

    def stop(self) -> None:
        """Start no more work, and finish what is in flight."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._thread.join()
        self._executor.shutdown(wait=True)

    @property
    def counters(self) -> MappingCounters:
        """A copy of the counters."""
        with self._changed:
            return msgspec.structs.replace(self._counters)

    @property
    def last_error(self) -> str | None:
        """The latest failure in a sentence, of the function or of what feeds it."""
        return self._last_error

    def report(self, problem: str) -> None:
        """Note a failure for the status, and log it if it is a new one."""
        if problem != self._last_error:
            logger.warning("%s", problem)
        self._last_error = problem

    @abstractmethod
    def _dispatch(self) -> None:
        """Submit work until ``_stopping`` is set; runs in a thread of its own."""

    def _is_busy(self) -> bool:
        """Return whether as much is in flight as may be; under the lock."""
        return self._in_flight >= self._max_concurrency

    def _count(self, result: DeliveryResult, done: int, *, is_retry: bool) -> None:
        """Count one delivery, after which ``done`` more records are done; under the lock."""
        self._counters.batches += 1
        self._counters.records += done
        self._counters.retries += is_retry
        self._counters.failures += result.error is not None
        self._counters.partial_failures += bool(result.failed)

    def _submit(self, deliver: Callable[[T], None], work: T) -> None:
        """Let another thread do one piece of work; under the lock."""
        self._in_flight += 1
        self._executor.submit(deliver, work).add_done_callback(self._finish)

    def _finish(self, task: Future[None]) -> None:
        with self._changed:
            self._in_flight -= 1
            self.failure = self.failure or task.exception()
            self._changed.notify_all()
