"""A function and its workers: the part of the Lambda service that starts, reuses, times out and replaces workers."""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import TYPE_CHECKING, Final

import msgspec

from local.runtime.invocation import (
    MAX_PAYLOAD_BYTES,
    FunctionError,
    Invocation,
    InvocationResult,
)
from local.runtime.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ops.manifests import FunctionSpec

INIT_TIMEOUT_SECONDS: Final = 60.0
"""Time that importing a function may take. Lambda allows 10 s; a small machine that starts Spark meanwhile needs more."""


class PoolStoppedError(Exception):
    """An invocation of a function whose pool was stopped."""


class FunctionPool:
    """Runs a function in up to ``max_workers`` processes; starts with none.

    Parameters
    ----------
    name : str
        The function's name.
    spec : FunctionSpec
        Handler, memory and timeout.
    task_root : Path
        The unpacked zip.
    environment : Mapping[str, str]
        The function's environment variables; they override those that Lambda itself sets.
    max_workers : int
        Most invocations at a time, >= 1; further ones wait.
    log_dir : Path
        ``<name>.log`` in it gets all that the workers print.
    lambda_python : Path
        Interpreter of the environment that holds ``awslambdaric``.
    region, account_id : str
        Of the function's ARN.
    """

    def __init__(
        self,
        name: str,
        spec: FunctionSpec,
        task_root: Path,
        environment: Mapping[str, str],
        max_workers: int,
        log_dir: Path,
        *,
        lambda_python: Path,
        region: str = "us-east-1",
        account_id: str = "000000000000",
        init_timeout_seconds: float = INIT_TIMEOUT_SECONDS,
    ) -> None:
        self.function_arn = f"arn:aws:lambda:{region}:{account_id}:function:{name}"
        self._spec = spec
        self._task_root = task_root
        self._python = lambda_python
        self._environment = {**_lambda_environment(name, spec, task_root, region), **environment}
        self._max_workers = max_workers
        self._init_timeout_seconds = init_timeout_seconds
        self._log = _LogFile(log_dir / f"{name}.log")
        self._changed = threading.Condition()
        self._idle: list[Worker] = []
        self._all: set[Worker] = set()
        self._stopped = False

    @property
    def workers(self) -> int:
        """Number of live processes."""
        with self._changed:
            return sum(worker.alive for worker in self._all)

    @property
    def worker_pids(self) -> list[int]:
        """Ids of the live processes."""
        with self._changed:
            return [worker.pid for worker in self._all if worker.alive and worker.pid is not None]

    def invoke(self, event: object) -> InvocationResult:
        """Run the function once, on a warm worker if there is one.

        Parameters
        ----------
        event : bytes | object
            JSON as bytes, or anything that msgspec encodes as JSON.

        Returns
        -------
        InvocationResult
            The answer, or the error: of the function, of its worker, or a time-out.

        Raises
        ------
        PoolStoppedError
            If :meth:`stop` was called before a worker was free.
        """
        payload = event if isinstance(event, bytes) else msgspec.json.encode(event)
        invocation = Invocation(payload, self.function_arn, float(self._spec.timeout_seconds))
        if len(payload) > MAX_PAYLOAD_BYTES:
            invocation.fail(
                FunctionError(
                    "RequestEntityTooLargeException",
                    f"{len(payload)} byte payload is too large for the RequestResponse invocation type "
                    f"(limit {MAX_PAYLOAD_BYTES} bytes)",
                )
            )
            return invocation.result(None)
        worker, is_new = self._take()
        init_duration_ms: float | None = None
        try:
            if is_new:
                started = time.monotonic()
                problem = worker.wait_until_ready(self._init_timeout_seconds)
                init_duration_ms = (time.monotonic() - started) * 1000
                if problem is not None:
                    invocation.fail(problem)
            if not invocation.settled.is_set():
                worker.run(invocation)
        finally:
            self._release(worker)
        return invocation.result(init_duration_ms)

    def stop(self) -> None:
        """End all workers at once; an invocation in progress returns Runtime.ExitError."""
        with self._changed:
            self._stopped = True
            workers = list(self._all)
            self._changed.notify_all()
        for worker in workers:
            worker.kill()
        self._log.close()

    def _take(self) -> tuple[Worker, bool]:
        with self._changed:
            while True:
                if self._stopped:
                    raise PoolStoppedError(f"{self.function_arn} is stopped")
                while self._idle:
                    # The worker used last, as Lambda does; workers that died while they were idle are dropped.
                    worker = self._idle.pop()
                    if worker.alive:
                        return worker, False
                    self._all.discard(worker)
                if len(self._all) < self._max_workers:
                    worker = Worker(
                        self._python, self._spec.handler, self._task_root, self._environment, self._log.write
                    )
                    self._all.add(worker)
                    return worker, True
                self._changed.wait()

    def _release(self, worker: Worker) -> None:
        with self._changed:
            if worker.alive:
                self._idle.append(worker)
            else:
                self._all.discard(worker)
            self._changed.notify()


class _LogFile:
    """A log to which several threads append whole lines."""

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._file = file.open("ab", buffering=0)

    def write(self, line: bytes) -> None:
        with self._lock:
            if not self._file.closed:
                self._file.write(line if line.endswith(b"\n") else line + b"\n")

    def close(self) -> None:
        with self._lock:
            self._file.close()


def _lambda_environment(name: str, spec: FunctionSpec, task_root: Path, region: str) -> dict[str, str]:
    """Variables that Lambda itself sets. Nothing of our own environment is passed on: no proxy, no CA bundle, no profile."""
    environment = {
        "_HANDLER": spec.handler,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_DEFAULT_REGION": region,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python{sys.version_info.major}.{sys.version_info.minor}",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(spec.memory_mib),
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": "local",
        "AWS_REGION": region,
        "AWS_SECRET_ACCESS_KEY": "local",
        "HOME": str(task_root),
        "LAMBDA_RUNTIME_DIR": str(task_root),
        "LAMBDA_TASK_ROOT": str(task_root),
        "LANG": "C.UTF-8",
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "PYTHONPATH": str(task_root),
        "TZ": ":UTC",
    }
    # An interpreter that was built with a shared library may not start without this one.
    if "LD_LIBRARY_PATH" in os.environ:
        environment["LD_LIBRARY_PATH"] = os.environ["LD_LIBRARY_PATH"]
    return environment
