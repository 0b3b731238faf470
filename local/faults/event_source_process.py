"""An event source mapping's process that can abandon an invocation which runs on: ``python -m local.faults.event_source_process``.

It is `local.event_sources` with another pool, and differs in nothing else. `<config file>.host` beside its configuration is
the folder of its :class:`Control`.
"""

from __future__ import annotations

import argparse
import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from local.event_sources.__main__ import main as run
from local.faults.control import Control
from local.runtime.invocation import FunctionError, InvocationResult, error_document
from local.runtime.pool import FunctionPool

SPARE_WORKERS: Final = 4
"""Workers in addition to those that the mapping may use: each abandoned invocation occupies one until it ends."""

_POLL_SECONDS: Final = 0.02


class AbandoningPool(FunctionPool):
    """A pool whose caller may abandon an invocation without ending it.

    Parameters
    ----------
    control : Control
        Says when to abandon.
    max_workers : int
        Most invocations that are waited for at a time.
    pool
        All other arguments of a pool.
    """

    def __init__(self, *pool: Any, control: Control, **options: Any) -> None:
        name, spec, task_root, environment, max_workers, log_dir = pool
        super().__init__(name, spec, task_root, environment, max_workers + SPARE_WORKERS, log_dir, **options)
        self._control = control
        self._count_lock = threading.Lock()
        self._executor = ThreadPoolExecutor(max_workers + SPARE_WORKERS)

    def invoke(self, event: object) -> InvocationResult:
        """Run the function once; returns a time-out if it is abandoned meanwhile."""
        before = self._control.abandon_calls
        future = self._executor.submit(super().invoke, event)
        while True:
            try:
                return future.result(_POLL_SECONDS)
            except TimeoutError:
                if self._control.abandon_calls == before:
                    continue
            self._count(1)
            future.add_done_callback(self._ended)
            error = FunctionError("Sandbox.Timedout", "Error: abandoned by a test")
            return InvocationResult(
                request_id="", payload=error_document(error), error=error, duration_ms=0.0
            )

    def wait_for_abandoned(self) -> None:
        """Wait until every invocation has ended; no new one can be started."""
        self._executor.shutdown()

    def _ended(self, _: Future[InvocationResult]) -> None:
        self._count(-1)

    def _count(self, change: int) -> None:
        with self._count_lock:
            self._control.abandoned += change


def main() -> int:
    """Run as `local.event_sources` does, with the same arguments."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--config", required=True, type=Path)
    options, _ = parser.parse_known_args()
    control = Control(control_folder(options.config))

    def make_pool(*pool: Any, **more: Any) -> AbandoningPool:
        return AbandoningPool(*pool, control=control, **more)

    return run(make_pool)


def control_folder(config_file: Path) -> Path:
    """Return the folder of the control that belongs to a mapping."""
    return config_file.with_suffix(".host")


if __name__ == "__main__":
    sys.exit(main())
