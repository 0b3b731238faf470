"""The child processes of a stack that are not servers: the function builds, the event source mappings, the Glue job.

For each one: its name, its command, and where it reports that it works.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from local.components.aws_api import CREDENTIALS, REGION
from local.event_sources.config import MappingConfig, read_status, status_file
from local.ingestion import IngestionProgress, read_progress
from local.processes import ManagedProcess
from local.resources import ACCOUNT_ID, resolve_environment
from ops.manifests import ROOT, HttpTrigger

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from local.resources import Resources
    from local.stack.state import StackFolder, StackState
    from ops.manifests import FunctionSpec

BUILD_SECONDS: Final = 600.0
"""Time that building the functions' zips may take; the first build downloads their requirements."""

INGESTION: Final = "ingestion"
"""Name of the Glue job's process."""

METRICS: Final = "metrics"
"""Name of the process that sends the functions' metrics to CloudWatch."""

INGESTION_OUTPUT: Final = "ingestion.jsonl"
"""File below the logs in which the Glue job reports its batches."""

INGESTION_READY_SECONDS: Final = 120.0
"""Time that Spark may take to start; it takes about 10 s on two idle cores."""

_PYTHONPATH: Final = os.pathsep.join([str(ROOT), str(ROOT / "functions")])

RULES_VALIDATOR: Final = "rules_validator"
RULESET_DEPLOYER: Final = "ruleset_deployer"
"""The functions that `make rules-local` needs."""

LAMBDA_PYTHON: Final = ROOT / ".venv-lambda" / "bin" / "python"
"""Interpreter of the environment that holds ``awslambdaric`` and nothing else."""


def mapping_process_name(function: str) -> str:
    """Return the name of the process that runs a function's event source mapping."""
    return f"{function}-mapping"


def read_ingestion(log_dir: Path) -> IngestionProgress:
    """Read what the Glue job has reported."""
    with (log_dir / INGESTION_OUTPUT).open() as lines:
        return read_progress(lines)


def build_zips(names: Sequence[str], log_dir: Path) -> None:
    """Build the zips of functions, in a process of its own; ProcessError if that fails."""
    argv = [sys.executable, "-m", "ops.packaging", "functions", "--arch", "host", *names]
    build = ManagedProcess("build-zips", argv, log_dir / "build-zips.log", os.environ, ROOT)
    try:
        build.start()
        build.wait_for_exit(BUILD_SECONDS)
    finally:
        build.stop()


def invoked_functions(specs: Mapping[str, FunctionSpec], chosen: Iterable[str]) -> list[str]:
    """Name the functions that have no process of their own, but a zip and a configuration.

    The chosen functions invoke them. `make rules-local`, which needs the one that deploys, invokes the validator itself.
    """
    chosen = set(chosen)
    named = {each.function for name in chosen for each in specs[name].access if each.function is not None}
    if RULESET_DEPLOYER in chosen:
        named.add(RULES_VALIDATOR)
    return sorted(name for name in named if not specs[name].is_triggered)


def forwarder_command(
    specs: Mapping[str, FunctionSpec], chosen: Sequence[str], folder: StackFolder, aws_endpoint: str
) -> tuple[list[str], dict[str, str]] | None:
    """Make the command and the environment of what sends the functions' metrics to CloudWatch; None where no function reads any."""
    if not any("cloudwatch" in specs[name].aws_services for name in chosen):
        return None
    argv = [
        *(sys.executable, "-m", "local.metric_forwarder"),
        *("--aws-endpoint", aws_endpoint, "--functions", ",".join(chosen)),
        *("--run-dir", str(folder.run_dir), "--log-dir", str(folder.log_dir)),
    ]
    return argv, {**os.environ, "PYTHONPATH": _PYTHONPATH}


def mapping_config(
    spec: FunctionSpec, resources: Resources, folder: StackFolder, state: StackState
) -> MappingConfig:
    """Make the configuration of a function's event source mapping, for a stack with these endpoints and resources."""
    references = resources.references(state.cache_endpoint, state.bootstrap_servers, spec.name)
    return MappingConfig(
        function=spec.name,
        bootstrap_servers=state.bootstrap_servers,
        aws_endpoint=state.aws_endpoint,
        region=REGION,
        account_id=ACCOUNT_ID,
        environment=resolve_environment(spec, references),
        dead_letter_queue_url=resources.dead_letter_queue(spec.name),
        dead_letter_bucket=resources.dead_letter_bucket(spec.name),
        source_queue_url=resources.source_queue(spec),
        http_port=console_port(resources) if isinstance(spec.trigger, HttpTrigger) else 0,
        state_dir=folder.run_dir,
        log_dir=folder.log_dir,
        zip=ROOT / "build" / "functions" / "host" / f"{spec.name}.zip",
        lambda_python=LAMBDA_PYTHON,
    )


def console_port(resources: Resources) -> int:
    """The port of the console's address; 0 for a stack without one."""
    return 0 if resources.console is None else urlsplit(resources.console.url).port or 0


def mapping_command(
    function: str, config_file: Path, aws_endpoint: str, module: str = "local.event_sources"
) -> tuple[list[str], dict[str, str]]:
    """Make the command and the environment that run a function's event source mapping.

    Parameters
    ----------
    function : str
        The function's name.
    config_file : Path
        Holds its :class:`MappingConfig`.
    aws_endpoint : str
        For the mapping itself, which reads streams and sends dead letters. The function's own endpoint is in the configuration.
    module : str
        Run with ``python -m``.

    Returns
    -------
    tuple[list[str], dict[str, str]]
        Arguments of the process, and its whole environment.
    """
    argv = [sys.executable, "-m", module, "--function", function, "--config", str(config_file)]
    environment = {
        **os.environ,
        "PYTHONPATH": _PYTHONPATH,
        "AWS_ENDPOINT_URL": aws_endpoint,
        "AWS_DEFAULT_REGION": REGION,
        **CREDENTIALS,
    }
    return argv, environment


def is_mapping_running(config_file: Path, function: str) -> bool:
    """Return whether a function's event source mapping has reported that it runs."""
    status = read_status(status_file(config_file, function))
    return status is not None and status.state == "running"
