"""Starts the parts of the system in order, and stops all of them, after an error too."""

from __future__ import annotations

import os
import shutil
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Self

import msgspec

from local.components.aws_api import AwsApi, make_client
from local.components.broker import Broker
from local.components.cache import Cache
from local.components.component import HOST
from local.event_sources.config import write_config
from local.ingestion import (
    LABEL_MAPPINGS_VARIABLE,
    LabelFiles,
    ingestion_command,
    mappings_dir_of,
    write_mappings,
)
from local.process_tree import ProcessRecord, start_mark, stop_processes
from local.processes import ManagedProcess, free_port, stop_together
from local.provision import provision
from local.resources import ALERT_INBOX, LABELS_QUEUE, Resources
from local.stack.parts import (
    INGESTION,
    INGESTION_OUTPUT,
    INGESTION_READY_SECONDS,
    METRICS,
    build_zips,
    forwarder_command,
    invoked_functions,
    is_mapping_running,
    mapping_command,
    mapping_config,
    mapping_process_name,
    read_ingestion,
)
from local.stack.state import DEFAULT_BUILD_DIR, StackError, StackFolder, StackState
from ops.manifests import ROOT, read_functions, read_tables

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from local.components.component import Component
    from ops.manifests import FunctionSpec

DEFAULT_RULESET: Final = ROOT / "rules" / "default.yaml"
"""Active until another one is deployed."""


class Stack:
    """The system on one machine.

    All that it starts ends with this process. A ``with`` block stops it at its end, on Ctrl-C and on any error too::

        with Stack(build_dir) as stack:
            stack.start(print)

    Parameters
    ----------
    build_dir : Path
        Gets state, logs and data; one stack at a time.
    ruleset : Path
        The YAML document that is active at first.
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
        disabled_schedules: Sequence[str] = (),
    ) -> None:
        """Start everything; returns when everything works.

        Parameters
        ----------
        progress : Callable
            Called with a sentence for each step.
        ingestion : bool
            Whether to run the Glue job.
        functions : Sequence[str] | None
            The functions to run; None for all. Resources are made for all functions in any case.
        disabled_schedules : Sequence[str]
            Functions with a schedule that are not to run, as Terraform's variable of this name.

        Raises
        ------
        StackRunningError
            If a stack already runs in the build folder; that one is not touched.
        StackError
            If there is no such function, or the mappings of labels cannot be used.
        ProcessError, ProvisionError, UnknownReferenceError, OSError
            If a part could not be started or made. Everything that was started is stopped again by then.
        """
        specs = read_functions()
        triggered = [name for name, spec in specs.items() if spec.is_triggered]
        chosen = triggered if functions is None else list(functions)
        if unknown := sorted({*chosen, *disabled_schedules} - set(triggered)):
            raise StackError(f"no such function: {', '.join(unknown)}; there are {', '.join(triggered)}")
        chosen = [name for name in chosen if name not in disabled_schedules]
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
        except BaseException:  # Ctrl-C too: half a system is of no use
            self.stop()
            raise

    def stop(self) -> None:
        """Stop everything that was started; returns when no process is left. May be called at any time, and twice."""
        if self._state is None:
            self._folder.release()
            return
        self._write_state(phase="stopping")
        # Sources of work first, so that no function loses its servers while it works.
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
        """The content of ``build/stack.json``."""
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
        """Kafka's bootstrap servers, ``host:port``."""
        return self._broker.endpoint

    @property
    def cache_endpoint(self) -> str:
        """``redis://`` URL, the value of ELASTICACHE_REDIS_ENDPOINT, with the functions' user."""
        return self._cache.functions_endpoint

    @property
    def cache_admin_endpoint(self) -> str:
        """``redis://`` URL for who may do everything."""
        return self._cache.endpoint

    @property
    def aws_endpoint(self) -> str:
        """The value of AWS_ENDPOINT_URL."""
        return self._aws_api.endpoint

    @property
    def alert_topic_arn(self) -> str:
        """The value of SNS_TOPIC_ARN."""
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
        """Return the boto3 client of a service, the same one each time; threads may share boto3's clients."""
        if service not in self._clients:
            self._clients[service] = make_client(service, self.aws_endpoint)
        return self._clients[service]

    def ended_processes(self) -> dict[str, int]:
        """Return the processes that ended although nothing stopped them, each with its exit code."""
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
        invoked = invoked_functions(specs, chosen)
        if built := [*chosen, *invoked]:
            steps[f"the zips of {', '.join(built)}"] = lambda: build_zips(built, self.log_dir)
        progress(f"starting {', '.join(steps)}")
        self._in_parallel(progress, steps)
        progress("making tables, queues, topics and buckets")
        self._resources = provision(
            self.aws_endpoint,
            self.bootstrap_servers,
            specs,
            read_tables(),
            self._ruleset.read_text(),
            f"http://{HOST}:{free_port()}",
        )
        self._write_state()
        for name in invoked:
            self._write_config(specs[name])
        steps = {name: partial(self._start_function, specs[name]) for name in chosen}
        if ingestion:
            steps["ingestion"] = self._start_ingestion
        if steps:
            progress(f"starting {', '.join(steps)}")
            self._in_parallel(progress, steps)
        forwarder = forwarder_command(specs, chosen, self._folder, self.aws_endpoint)
        if forwarder is not None:
            self._child(METRICS, *forwarder)
        self._write_state(phase="up")

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
            # A step that waits for its process ends when that is stopped. What a step starts later, the next stop() ends.
            stop_together(self._processes)
            for component in self._components:
                component.stop()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
            self._write_state()

    def _start_function(self, spec: FunctionSpec) -> None:
        config_file = self._write_config(spec)
        argv, environment = mapping_command(spec.name, config_file, self.aws_endpoint)
        process = self._child(mapping_process_name(spec.name), argv, environment)
        process.wait_until(
            lambda: is_mapping_running(config_file, spec.name), "its event source mapping to run"
        )

    def _write_config(self, spec: FunctionSpec) -> Path:
        config_file = self.run_dir / f"{spec.name}.json"
        write_config(config_file, mapping_config(spec, self.resources, self._folder, self.state))
        return config_file

    def _start_ingestion(self) -> None:
        argv, environment = ingestion_command(
            self.bootstrap_servers,
            self.resources.landing_uri,
            self.resources.ingestion_quarantine_uri,
            self.run_dir / "ingestion-checkpoint",
            self.aws_endpoint,
            mappings_dir=write_mappings(self.run_dir / "mappings", mappings_dir_of(os.environ)),
            labels=self._label_files(),
        )
        process = self._child(INGESTION, argv, environment, self.log_dir / INGESTION_OUTPUT)
        process.wait_until(self._is_ingestion_ready, "its queries to run", INGESTION_READY_SECONDS)

    def _is_ingestion_ready(self) -> bool:
        progress = read_ingestion(self.log_dir)
        if progress.labels.failure:
            # In AWS payments go on without labels. Here somebody waits who has just named a folder of mappings.
            raise StackError(f"the ingestion job cannot read files of labels: {progress.labels.failure}")
        return progress.ready and progress.labels.ready

    def _label_files(self) -> LabelFiles:
        return LabelFiles(
            landing_uri=self.resources.labels_uri,
            quarantine_uri=self.resources.labels_quarantine_uri,
            checkpoint_dir=self.run_dir / "labels-checkpoint",
            queue_url=self.resources.queues[LABELS_QUEUE],
            mappings_dir=mappings_dir_of(os.environ, LABEL_MAPPINGS_VARIABLE),
        )

    def _child(
        self, name: str, argv: list[str], environment: dict[str, str], output: Path | None = None
    ) -> ManagedProcess:
        process = ManagedProcess(name, argv, self.log_dir / f"{name}.log", environment, ROOT, output)
        self._processes.append(process)
        process.start()
        return process

    def _clean_up_after_last_owner(self) -> None:
        # An owner that was killed, or whose machine was switched off, has left its processes and files behind.
        if (last := self._folder.last_state()) is not None:
            stop_processes(last.processes)
        for folder in (self.run_dir, self.log_dir):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)

    def _write_state(self, **changes: Any) -> None:
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
