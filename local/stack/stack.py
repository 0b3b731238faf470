"""Starts the parts of the system in their order, and stops all of them, whatever happens meanwhile."""

from __future__ import annotations

import os
import shutil
import sys
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Self

import msgspec

from local.components.aws_api import CREDENTIALS, REGION, AwsApi, make_client
from local.components.broker import Broker
from local.components.cache import Cache
from local.event_sources.config import MappingConfig, read_status, status_file, write_config
from local.ingestion import IngestionProgress, ingestion_command, read_progress
from local.processes import ManagedProcess, ProcessRecord, start_mark, stop_processes, stop_together
from local.provision import ACCOUNT_ID, ALERT_INBOX, Resources, provision, resolve_environment
from local.stack.state import DEFAULT_BUILD_DIR, StackFolder, StackState
from ops.manifests import ROOT, read_functions, read_tables

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from local.components.component import Component
    from ops.manifests import FunctionSpec

DEFAULT_RULESET: Final = ROOT / "rules" / "default.yaml"
"""In force until another one is deployed."""

BUILD_SECONDS: Final = 600.0
"""How long the functions' zips may take; their requirements are downloaded the first time."""

_LAMBDA_PYTHON: Final = ROOT / ".venv-lambda" / "bin" / "python"


INGESTION: Final = "ingestion"
"""Name of the Glue job's process."""

INGESTION_OUTPUT: Final = "ingestion.jsonl"
"""Where below the logs the Glue job tells of its batches."""

INGESTION_READY_SECONDS: Final = 120.0
"""How long Spark may take to start; it takes some 10 s on two idle cores."""


class StackError(Exception):
    """A stack that is asked for what it does not have."""


def read_ingestion(log_dir: Path) -> IngestionProgress:
    """Read what the Glue job has told of itself."""
    with (log_dir / INGESTION_OUTPUT).open() as lines:
        return read_progress(lines)


def mapping_name(function: str) -> str:
    """Name of the process that feeds a function."""
    return f"{function}-mapping"


class Stack:
    """The system on one machine.

    What is started dies with this process. Used with ``with``, it is stopped at the end of the block, on Ctrl-C and on any
    error too::

        with Stack(build_dir) as stack:
            stack.start(print)

    Parameters
    ----------
    build_dir : Path
        Gets state, logs and data; one stack at a time.
    ruleset : Path
        The YAML document that is in force at first.
    """

    def __init__(self, build_dir: Path = DEFAULT_BUILD_DIR, ruleset: Path = DEFAULT_RULESET) -> None:
        self._folder = StackFolder(build_dir)
        self._ruleset = ruleset
        self._broker = Broker(self._folder.run_dir, self._folder.log_dir)
        self._cache = Cache(self._folder.run_dir, self._folder.log_dir)
        self._aws_api = AwsApi(self._folder.run_dir, self._folder.log_dir)
        self._processes: list[ManagedProcess] = []
        self._resources: Resources | None = None
        self._state: StackState | None = None
        self._clients: dict[str, Any] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(
        self,
        progress: Callable[[str], None] = lambda _: None,
        *,
        ingestion: bool = True,
        functions: Sequence[str] | None = None,
    ) -> None:
        """Start everything; returns when all of it works.

        Parameters
        ----------
        progress : Callable
            Gets a sentence for each step.
        ingestion : bool
            Whether to run the Glue job.
        functions : Sequence[str] | None
            The functions to run; None for all. Their resources are made for all of them in any case.

        Raises
        ------
        StackRunningError
            Where a stack runs in the build folder already; that one is not touched.
        ProcessError, ProvisionError, OSError
            Where a part could not be started or made; by then everything that was started is stopped again.
        """
        specs = read_functions()
        fed = [name for name, spec in specs.items() if spec.has_event_source]
        chosen = fed if functions is None else list(functions)
        if unknown := sorted(set(chosen) - set(fed)):
            raise StackError(f"no such function: {', '.join(unknown)}; there are {', '.join(fed)}")
        self._folder.acquire()
        try:
            self._clean_up_after_last_owner()
            owner = ProcessRecord("owner", os.getpid(), start_mark(os.getpid()))
            self._state = StackState(
                phase="starting",
                owner=owner,
                processes=[],
                started_at=datetime.now(UTC),
                functions=chosen,
                ingestion=ingestion,
            )
            self._start_parts(progress, specs, chosen, ingestion=ingestion)
        except BaseException:  # Ctrl-C too: half a system is of no use to anybody
            self.stop()
            raise

    def stop(self) -> None:
        """Stop everything that was started; returns when no process is left. May be called at any time, and twice."""
        if self._state is None:
            self._folder.release()
            return
        self._tell(phase="stopping")
        # Sources of work first, so that what runs behind them does not see its servers go.
        stop_together(reversed(self._processes))
        with ThreadPoolExecutor(max_workers=len(self._components)) as pool:
            for stopped in [pool.submit(component.stop) for component in self._components]:
                stopped.result()
        self._processes.clear()
        self._clients.clear()
        self._state = None
        shutil.rmtree(self._folder.run_dir, ignore_errors=True)
        self._folder.state_file.unlink(missing_ok=True)
        self._folder.release()

    @property
    def state(self) -> StackState:
        """What ``build/stack.json`` says."""
        if self._state is None:
            raise StackError("the stack was not started")
        return self._state

    @property
    def resources(self) -> Resources:
        """Tables, queues, topics and buckets, by interface name."""
        if self._resources is None:
            raise StackError("the stack was not started")
        return self._resources

    @property
    def bootstrap_servers(self) -> str:
        """Kafka's."""
        return self._broker.endpoint

    @property
    def cache_endpoint(self) -> str:
        """``redis://`` URL, what ELASTICACHE_REDIS_ENDPOINT takes."""
        return self._cache.endpoint

    @property
    def aws_endpoint(self) -> str:
        """What AWS_ENDPOINT_URL takes."""
        return self._aws_api.endpoint

    @property
    def alert_topic_arn(self) -> str:
        """What SNS_TOPIC_ARN takes."""
        return self.resources.alert_topic_arn

    @property
    def alerts_inbox_url(self) -> str:
        """URL of the queue that subscribes to the alerts."""
        return self.resources.queues[ALERT_INBOX]

    @property
    def run_dir(self) -> Path:
        """Configurations and statuses of the parts."""
        return self._folder.run_dir

    @property
    def log_dir(self) -> Path:
        """Logs of the parts."""
        return self._folder.log_dir

    def client(self, service: str) -> Any:
        """Give the boto3 client of a service, the same one each time; boto3's clients may be shared by threads."""
        if service not in self._clients:
            self._clients[service] = make_client(service, self.aws_endpoint)
        return self._clients[service]

    def ended_processes(self) -> dict[str, int]:
        """Name the processes that ended although nobody stopped them, each with its exit code."""
        own = [component.process for component in self._components if component.was_started] + self._processes
        return {process.name: code for process in own if (code := process.exit_code) is not None}

    @property
    def _components(self) -> list[Component]:
        return [self._broker, self._cache, self._aws_api]

    def _start_parts(
        self,
        progress: Callable[[str], None],
        specs: dict[str, FunctionSpec],
        chosen: list[str],
        *,
        ingestion: bool,
    ) -> None:
        steps: dict[str, Callable[[], None]] = {
            "Kafka": self._broker.start,
            "Valkey": self._cache.start,
            "the AWS API": self._aws_api.start,
        }
        if chosen:
            steps[f"the zips of {', '.join(chosen)}"] = lambda: self._build_zips(chosen)
        progress(f"starting {', '.join(steps)}")
        self._in_parallel(progress, steps)
        progress("making tables, queues, topics and buckets")
        self._resources = provision(
            self.aws_endpoint, self.bootstrap_servers, specs, read_tables(), self._ruleset.read_text()
        )
        self._tell()
        steps = {name: partial(self._start_function, specs[name]) for name in chosen}
        if ingestion:
            steps["ingestion"] = self._start_ingestion
        if steps:
            progress(f"starting {', '.join(steps)}")
            self._in_parallel(progress, steps)
        self._tell(phase="up")

    def _in_parallel(self, progress: Callable[[str], None], steps: dict[str, Callable[[], None]]) -> None:
        pool = ThreadPoolExecutor(max_workers=len(steps))
        names = {pool.submit(step): name for name, step in steps.items()}
        try:
            waiting = set(names)
            while waiting:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for step in done:
                    step.result()
                    progress(f"{names[step]}: ready")
        except BaseException:
            # Steps that still wait for their process end with it; what they start after this line, the next stop ends.
            stop_together(self._processes)
            for component in self._components:
                component.stop()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
            self._tell()

    def _build_zips(self, names: list[str]) -> None:
        argv = [sys.executable, "-m", "ops.packaging", "functions", "--arch", "host", *names]
        build = ManagedProcess("build-zips", argv, self.log_dir / "build-zips.log", os.environ, ROOT)
        try:
            build.start()
            build.wait_for_exit(BUILD_SECONDS)
        finally:
            build.stop()

    def _start_function(self, spec: FunctionSpec) -> None:
        config_file = self.run_dir / f"{spec.name}.json"
        write_config(
            config_file,
            MappingConfig(
                function=spec.name,
                bootstrap_servers=self.bootstrap_servers,
                aws_endpoint=self.aws_endpoint,
                region=REGION,
                account_id=ACCOUNT_ID,
                environment=resolve_environment(
                    spec, self.resources.references(self.cache_endpoint, self.bootstrap_servers)
                ),
                dead_letter_queue_url=self.resources.dead_letter_queue(spec.name),
                state_dir=self.run_dir,
                log_dir=self.log_dir,
                zip=ROOT / "build" / "functions" / "host" / f"{spec.name}.zip",
                lambda_python=_LAMBDA_PYTHON,
            ),
        )
        argv = [
            sys.executable,
            "-m",
            "local.event_sources",
            "--function",
            spec.name,
            "--config",
            str(config_file),
        ]
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "functions")]),
            "AWS_ENDPOINT_URL": self.aws_endpoint,
            "AWS_DEFAULT_REGION": REGION,
            **CREDENTIALS,
        }
        process = self._child(mapping_name(spec.name), argv, environment)
        status = status_file(config_file, spec.name)
        process.wait_until(
            lambda: (told := read_status(status)) is not None and told.state == "running", "its mapping runs"
        )

    def _start_ingestion(self) -> None:
        argv, environment = ingestion_command(
            self.bootstrap_servers,
            self.resources.landing_uri,
            self.resources.ingestion_quarantine_uri,
            self.run_dir / "ingestion-checkpoint",
            self.aws_endpoint,
        )
        process = self._child(INGESTION, argv, environment, self.log_dir / INGESTION_OUTPUT)
        process.wait_until(
            lambda: read_ingestion(self.log_dir).ready, "its query runs", INGESTION_READY_SECONDS
        )

    def _child(
        self, name: str, argv: list[str], environment: dict[str, str], output: Path | None = None
    ) -> ManagedProcess:
        process = ManagedProcess(name, argv, self.log_dir / f"{name}.log", environment, ROOT, output)
        self._processes.append(process)
        process.start()
        return process

    def _clean_up_after_last_owner(self) -> None:
        # It had no time to do it: killed, or the machine was switched off.
        if (last := self._folder.last_state()) is not None:
            stop_processes(last.processes)
        for folder in (self.run_dir, self.log_dir):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)

    def _tell(self, **changes: Any) -> None:
        own = [component.process for component in self._components if component.was_started] + self._processes
        self._state = msgspec.structs.replace(
            self.state,
            processes=[process.record for process in own if process.was_started],
            bootstrap_servers=self.bootstrap_servers,
            cache_endpoint=self.cache_endpoint,
            aws_endpoint=self.aws_endpoint,
            resources=self._resources,
            **changes,
        )
        self._folder.write_state(self._state)
