"""One worker: a process that runs one function, one invocation at a time, as a Lambda execution environment does."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from local.runtime.api import RuntimeApi
from local.runtime.invocation import FunctionError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from local.runtime.invocation import Invocation

BOOTSTRAP: Final = Path(__file__).resolve().parent / "bootstrap.py"


class Worker:
    """A process that runs a function; it starts at once.

    Parameters
    ----------
    python : Path
        Interpreter of the environment that holds ``awslambdaric``.
    handler : str
        ``module.function``.
    task_root : Path
        The unpacked zip: the process's working directory and its only import root.
    environment : Mapping[str, str]
        The process's whole environment, without the address of its Runtime API.
    log : Callable[[bytes], None]
        Called with each line that the process prints.
    """

    def __init__(
        self,
        python: Path,
        handler: str,
        task_root: Path,
        environment: Mapping[str, str],
        log: Callable[[bytes], None],
    ) -> None:
        self._api = RuntimeApi()
        self._log = log
        self._changed = threading.Condition()
        self._invocation: Invocation | None = None
        self._exit: str | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._command = [str(python), "-P", str(BOOTSTRAP), str(os.getpid()), handler]
        self._task_root = task_root
        self._environment = {**environment, "AWS_LAMBDA_RUNTIME_API": self._api.address}
        # The kernel sends the "parent died" signal when the *thread* that forked ends, so this thread lives as long as the
        # process.
        self._thread = threading.Thread(target=self._run, name="worker", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """True until the process has ended."""
        return self._exit is None

    @property
    def pid(self) -> int | None:
        """Process id; None if it has not started yet."""
        return self._process.pid if self._process else None

    def wait_until_ready(self, timeout_seconds: float) -> FunctionError | None:
        """Wait until the function is imported.

        Returns
        -------
        FunctionError | None
            None once it is ready; the error if it never will be.
        """
        deadline = time.monotonic() + timeout_seconds
        while not self._api.ready.wait(0.02):
            if not self.alive:
                return self._api.init_error or FunctionError(
                    "Runtime.ExitError", f"Error: Runtime exited with error: {self._exit}"
                )
            if time.monotonic() >= deadline:
                self.kill()
                return FunctionError(
                    "Sandbox.Timedout", f"Init phase timed out after {timeout_seconds:.2f} seconds"
                )
        return None

    def run(self, invocation: Invocation) -> None:
        """Run one invocation until it is settled: answered, failed, timed out or crashed. A time-out or crash ends the process."""
        with self._changed:
            self._invocation = invocation
            if not self.alive:
                self._fail_for_exit(invocation)
                return
        self._api.offer(invocation)
        if not invocation.settled.wait(invocation.timeout_seconds):
            invocation.fail(
                FunctionError(
                    "Sandbox.Timedout",
                    f"RequestId: {invocation.request_id} Error: Task timed out after {invocation.timeout_seconds:.2f} seconds",
                )
            )
            self.kill()

    def kill(self) -> None:
        """End the process and everything it started; returns when they have ended."""
        process = self._process
        if process is not None and self.alive:
            _kill_group(process.pid)
        self._thread.join()

    def _run(self) -> None:
        try:
            process = subprocess.Popen(
                self._command,
                cwd=self._task_root,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:  # no such interpreter, no such folder
            self._end(str(error))
            return
        self._process = process
        reader = threading.Thread(target=self._copy_output, args=(process,), name="worker-log", daemon=True)
        reader.start()
        status = process.wait()
        _kill_group(process.pid)  # processes that the function left behind would hold the pipe open
        reader.join()
        self._end(f"signal: {signal.Signals(-status).name}" if status < 0 else f"exit status {status}")

    def _end(self, how: str) -> None:
        with self._changed:
            self._exit = how
            if self._invocation is not None:
                self._fail_for_exit(self._invocation)
        self._api.close()

    def _copy_output(self, process: subprocess.Popen[bytes]) -> None:
        # Line by line through one writer: the runtime writes a line's text and its end separately, so lines of several
        # workers would mix in a shared file.
        if process.stdout is not None:
            with process.stdout as output:
                for line in output:
                    self._log(line)

    def _fail_for_exit(self, invocation: Invocation) -> None:
        invocation.fail(
            FunctionError(
                "Runtime.ExitError",
                f"RequestId: {invocation.request_id} Error: Runtime exited with error: {self._exit}",
            )
        )


def _kill_group(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return  # the whole group has ended already
