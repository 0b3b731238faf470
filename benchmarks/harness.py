"""Where functions are measured: a cache, an AWS API with fixed answers, and the functions' zips under AWS's runtime.

Functions that are compared run side by side in one harness, so that other work on the machine affects all of them alike.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

import msgspec
import redis

from benchmarks.network import HOST, Counts, Delays
from benchmarks.rollout import default_documents
from local.components.cache import Cache
from local.processes import ManagedProcess, free_port
from local.resources import ACCOUNT_ID, Resources, dead_letter_name, resolve_environment
from local.runtime.package import unpack
from local.runtime.pool import FunctionPool
from ops.manifests import FUNCTIONS_DIR, ROOT, function_names, read_functions, read_tables
from ops.packaging.functions import build_zip

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.rollout import Documents
    from benchmarks.tables import Contents
    from local.runtime.invocation import InvocationResult
    from ops.manifests import FunctionSpec

YARDSTICKS_DIR: Final = Path(__file__).resolve().parent / "yardsticks"
"""Functions to compare with. Each is a folder with `handler.py` and `function.yaml`, like any function."""
LAMBDA_PYTHON: Final = ROOT / ".venv-lambda" / "bin" / "python"
INJECTED: Final = Delays(redis=0.5, dynamodb=4.0, sns=15.0)
"""Round trips from a function to services in its own region, ms; those to an emulator would say nothing about AWS."""

_CPUCLOCK_SCHED: Final = 2


class FunctionFailedError(Exception):
    """A measured function did not do its work, so its measurement is void."""


class Harness:
    """Cache, AWS API and functions; used with ``with``.

    Parameters
    ----------
    folder : Path
        Emptied at the start.
    documents : Documents | None
        What decides; the default ruleset if left out.
    """

    def __init__(self, folder: Path, documents: Documents | None = None) -> None:
        self._folder = folder
        self.documents = documents or default_documents()
        """What decides."""
        self._logs = folder / "logs"
        self._cache = Cache(folder, self._logs)
        self._exit = ExitStack()
        self._aws_port, self._cache_port, self._control_port = free_port(), free_port(), free_port()
        self._specs: dict[str, FunctionSpec] = {}
        self._packages: dict[str, Path] = {}

    def __enter__(self) -> Self:
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
        with ExitStack() as started:
            started.enter_context(self._cache)
            self._start_network(started)
            self._exit = started.pop_all()
        self._specs = read_functions(_sources(self._folder / "functions"))
        return self

    def __exit__(self, *_: object) -> None:
        self._exit.close()

    @property
    def cache(self) -> redis.Redis:
        """A client of the cache itself, without the proxy."""
        return redis.Redis.from_url(self._cache.endpoint)

    def cache_cpu_s(self) -> float:
        """CPU that the cache's server has used so far, user and system, in seconds."""
        with self.cache as cache:
            used: dict[str, float] = cache.info("cpu")
        return used["used_cpu_user"] + used["used_cpu_sys"]

    @property
    def aws_endpoint(self) -> str:
        """The AWS API, for `AWS_ENDPOINT_URL`."""
        return f"http://{HOST}:{self._aws_port}"

    @property
    def cache_endpoint(self) -> str:
        """The cache, through the proxy that delays and counts."""
        return f"redis://{HOST}:{self._cache_port}"

    def folder(self, name: str) -> Path:
        """Make an empty folder inside the harness's own; one that exists is emptied."""
        folder = self._folder / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        return folder

    def package(self, name: str) -> Path:
        """Build a function's zip and unpack it as Lambda does, once for each harness; returns the task root."""
        if name not in self._packages:
            zip_file = build_zip(name, functions_dir=self._folder / "functions", build_dir=ROOT / "build")
            self._packages[name] = unpack(zip_file, self._folder / "tasks")
        return self._packages[name]

    def environment(self, name: str) -> dict[str, str]:
        """The environment variables of a function in this harness."""
        dead_letters = dead_letter_name(name)
        queues = {*self._referred_to("queue"), dead_letters}
        resources = Resources(
            tables={table: table for table in read_tables()},
            queues={queue: f"{self.aws_endpoint}/{ACCOUNT_ID}/{queue}" for queue in queues},
            topics={"fraud_alerts": f"arn:aws:sns:us-east-1:{ACCOUNT_ID}:fraud-alerts"},
            buckets={bucket: bucket for bucket in {*self._referred_to("bucket"), dead_letters}},
            kafka_topics=[],
        )
        references = resources.references(self.cache_endpoint, f"{HOST}:9092", name)
        return {"AWS_ENDPOINT_URL": self.aws_endpoint, **resolve_environment(self._specs[name], references)}

    def _referred_to(self, kind: str) -> set[str]:
        """Names of the resources of a kind, such as queues, that some function's environment refers to."""
        references = {
            value.ref
            for spec in self._specs.values()
            for value in spec.environment.values()
            if not isinstance(value, str)
        }
        return {ref.removeprefix(f"{kind}.") for ref in references if ref.startswith(f"{kind}.")}

    def start(self, name: str) -> MeasuredFunction:
        """Make a pool of one worker of a function. The first invocation starts the worker; later ones find it warm."""
        pool = FunctionPool(
            name,
            self._specs[name],
            self.package(name),
            self.environment(name),
            1,
            self._logs,
            lambda_python=LAMBDA_PYTHON,
        )
        self._exit.callback(pool.stop)
        return MeasuredFunction(name, pool)

    def set_delays(self, delays: Delays) -> None:
        """Delay the calls of each service by these round trips from now on."""
        self._control("delays", msgspec.json.encode(delays))

    def counts(self) -> Counts:
        """Calls since the last time that this was called."""
        return msgspec.json.decode(self._control("counts"), type=Counts)

    def captured(self) -> list[str]:
        """Bodies of the latest BatchExecuteStatement requests since the last time that this was called."""
        return msgspec.json.decode(self._control("captured"), type=list[str])

    def load_tables(self, contents: Contents) -> None:
        """Replace what the table of checkpoints and the history hold."""
        self._control("tables", msgspec.json.encode(contents))

    def set_cache(self, *, is_up: bool) -> None:
        """Let functions reach the cache, or refuse their connections."""
        self._control("cache", msgspec.json.encode(is_up))

    def _start_network(self, started: ExitStack) -> None:
        argv = [sys.executable, "-m", "benchmarks.network", "--aws-port", str(self._aws_port)]
        argv += ["--cache-port", str(self._cache_port), "--control-port", str(self._control_port)]
        argv += [
            "--cache-target",
            self._cache.endpoint.removeprefix("redis://"),
            "--ruleset",
            str(self._file("ruleset.yaml", self.documents.ruleset)),
        ]
        argv += ["--model", str(self._file("model.json", self.documents.model))]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        network = ManagedProcess("network", argv, self._logs / "network.log", environment, ROOT)
        started.callback(network.stop)
        network.start()
        for port in (self._aws_port, self._cache_port, self._control_port):
            network.wait_until_listening(port)

    def _file(self, name: str, content: bytes) -> Path:
        file = self._folder / name
        file.write_bytes(content)
        return file

    def _control(self, command: str, body: bytes = b"") -> bytes:
        url = f"http://{HOST}:{self._control_port}/{command}"
        request = urllib.request.Request(url, data=body, method="POST")
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            data: bytes = answer.read()
        return data


class Cost(msgspec.Struct, frozen=True):
    """What some invocations of a function cost."""

    cpu_s: float
    """User and system time of the function's process, all threads."""
    wall_s: float
    transactions: int

    @property
    def cpu_us(self) -> float:
        """CPU per transaction, µs."""
        return self.cpu_s * 1e6 / self.transactions

    @property
    def wall_us(self) -> float:
        """Wall time per transaction, µs."""
        return self.wall_s * 1e6 / self.transactions


class MeasuredFunction:
    """One worker of one function."""

    def __init__(self, name: str, pool: FunctionPool) -> None:
        self.name = name
        self._pool = pool

    def invoke(self, event: bytes) -> InvocationResult:
        """Invoke it once; FunctionFailedError if it failed, or returned records to be delivered again."""
        result = self.try_invoke(event)
        if result.error is not None:
            raise FunctionFailedError(f"{self.name}: {result.error.type}: {result.error.message}")
        failures = (msgspec.json.decode(result.payload) or {}).get("batchItemFailures")
        if failures:
            raise FunctionFailedError(f"{self.name}: {len(failures)} records are to be delivered again")
        return result

    def try_invoke(self, event: bytes) -> InvocationResult:
        """Invoke it once; a failure is part of the result."""
        return self._pool.invoke(event)

    def measure(self, events: Sequence[bytes], transactions: int) -> Cost:
        """Invoke it once for each event, one after the other; it must be warm."""
        pid = self.pid
        cpu, wall = process_cpu_s(pid), time.perf_counter()
        for event in events:
            self.invoke(event)
        return Cost(process_cpu_s(pid) - cpu, time.perf_counter() - wall, transactions)

    @property
    def pid(self) -> int:
        """The worker's process; FunctionFailedError before the first invocation."""
        pids = self._pool.worker_pids
        if len(pids) != 1:
            raise FunctionFailedError(f"{self.name} has {len(pids)} workers; exactly one can be measured")
        return pids[0]

    def stop(self) -> None:
        """End the worker."""
        self._pool.stop()


def process_cpu_s(pid: int) -> float:
    """CPU that a process has used, in seconds to the nanosecond: user and system, all its threads, including ended ones.

    ``/proc/<pid>/stat`` has it only in ticks of 10 ms. This reads the clock that ``clock_getcpuclockid(3)`` names; the clock's
    number is made of the process's.
    """
    return time.clock_gettime_ns((~pid << 3) | _CPUCLOCK_SCHED) / 1e9


def _sources(folder: Path) -> Path:
    """Make one folder of the system's functions and the yardsticks, as `build_zip` reads it."""
    folder.mkdir()
    for package in FUNCTIONS_DIR.iterdir():
        (folder / package.name).symlink_to(package)
    for name in function_names(YARDSTICKS_DIR):
        yardstick = folder / name
        yardstick.mkdir()
        # The score stage's libraries, in the same versions, unless the yardstick has its own file.
        (yardstick / "requirements.txt").symlink_to(FUNCTIONS_DIR / "score" / "requirements.txt")
        for file in (YARDSTICKS_DIR / name).iterdir():
            if file.is_file():
                (yardstick / file.name).unlink(missing_ok=True)
                (yardstick / file.name).symlink_to(file)
    return folder
