"""A mapping's process that can be told to give up on a function which runs on: ``python -m local.faults.event_source_process``.

It is `local.event_sources` with another pool. Where nothing is told, nothing differs. `<config file>.host` beside its
configuration is the :class:`Control`'s folder.
"""

from __future__ import annotations

import argparse
import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from local.event_sources import process
from local.event_sources.__main__ import main as run
from local.faults.control import Control
from local.runtime.invocation import FunctionError, InvocationResult, error_document
from local.runtime.pool import FunctionPool

SPARE_WORKERS: Final = 4
"""Workers beside those that the mapping may use: each invocation that is given up on keeps its own until it ends."""

_LOOK_SECONDS: Final = 0.02


class AbandoningPool(FunctionPool):
    """A pool whose caller may give up on an invocation without ending it.

    Parameters
    ----------
    control : Control
        Says when.
    max_workers : int
        Largest number of invocations that somebody waits for.
    pool
        Everything else that a pool takes.
    """

    def __init__(self, *pool: Any, control: Control, **options: Any) -> None:
        name, spec, task_root, environment, max_workers, log_dir = pool
        super().__init__(name, spec, task_root, environment, max_workers + SPARE_WORKERS, log_dir, **options)
        self._control = control
        self._count_lock = threading.Lock()
        self._executor = ThreadPoolExecutor(max_workers + SPARE_WORKERS)

    def invoke(self, event: object) -> InvocationResult:
        """Run the function once; the answer of a time-out where it is given up on meanwhile."""
        before = self._control.give_ups
        future = self._executor.submit(super().invoke, event)
        while True:
            try:
                return future.result(_LOOK_SECONDS)
            except TimeoutError:
                if self._control.give_ups == before:
                    continue
            self._count(1)
            future.add_done_callback(self._ended)
            error = FunctionError("Sandbox.Timedout", "Error: given up on by a test")
            return InvocationResult(
                request_id="", payload=error_document(error), error=error, duration_ms=0.0
            )

    def wait_for_abandoned(self) -> None:
        """Wait until every invocation has ended; none can be begun any more."""
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

    setattr(process, "FunctionPool", make_pool)  # noqa: B010 a type checker would not let a class be replaced
    return run()


def control_folder(config_file: Path) -> Path:
    """Where the control of a mapping's function is."""
    return config_file.with_suffix(".host")


if __name__ == "__main__":
    sys.exit(main())
