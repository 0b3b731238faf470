"""The configuration that the process of one event source mapping reads, and the status it writes; each is a JSON file.

The stack writes ``build/run/<function>.json`` and starts ``python -m local.event_sources --function <function> --config
build/run/<function>.json``; the process writes ``<function>.status.json`` beside that file about twice a second.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from ops.manifests import FUNCTIONS_DIR

STATUS_INTERVAL_SECONDS: Final = 0.5
"""How often a mapping's process writes its status."""

Positive = Annotated[int, Meta(ge=1)]


class MappingConfigError(Exception):
    """A configuration or status file that cannot be used; names the file and the place in it."""


class MappingConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All that a mapping and its function need to know of the stack around them."""

    function: str
    """Name of the function: the folder below ``functions/``."""
    bootstrap_servers: str
    """Kafka's ``host:port[,host:port]``."""
    aws_endpoint: str
    """Base URL of the AWS API."""
    region: str
    account_id: str
    environment: dict[str, str]
    """The environment of `function.yaml` with every reference resolved, and any further variables of the function."""
    dead_letter_queue_url: str
    """The function's dead-letter queue: an on-failure destination, or where the bucket of one announces what it got."""
    dead_letter_bucket: str = ""
    """The bucket for records of a stream that are dead-lettered; empty for a function that reads none."""
    source_queue_url: str = ""
    """The queue that the function reads; empty for a function that reads none."""
    http_port: int = 0
    """Where browsers reach a function with the trigger ``http``."""
    state_dir: Path
    """Where checkpoints of streams are stored, so that reading resumes after a restart."""
    log_dir: Path
    """Folder of ``<function>.log``, which gets all that the function's workers print."""
    zip: Path
    """The built function."""
    lambda_python: Path
    """Interpreter of the environment that holds ``awslambdaric`` and nothing else."""
    functions_dir: Path = FUNCTIONS_DIR
    """Folder that holds the function's folder with its `function.yaml`."""
    max_workers: Positive = 2
    """Most concurrent invocations on this machine; `function.yaml`'s reserved concurrency is a limit as well."""
    retry_base_seconds: Annotated[float, Meta(gt=0)] = 0.1
    """Delay before the first retry; it doubles with each further one."""
    retry_maximum_seconds: Annotated[float, Meta(gt=0)] = 5.0
    """Longest delay between two retries."""
    maximum_record_age_seconds: Positive | None = None
    """Instead of `function.yaml`'s, where time is compressed."""
    timeout_seconds: Positive | None = None
    """Instead of `function.yaml`'s, where time is compressed."""
    visibility_seconds: Positive | None = None
    """Instead of the visibility time-out of the function's queue, where time is compressed."""
    schedule_seconds: Annotated[float, Meta(gt=0)] | None = None
    """Interval of a schedule instead of that of `function.yaml`."""


class MappingCounters(msgspec.Struct, kw_only=True):
    """Counts since the mapping's process started."""

    batches: int = 0
    """Invocations, including retries."""
    records: int = 0
    """Records that the function processed, each counted once."""
    filtered: int = 0
    """Records that the filter dropped; the function never gets them."""
    retries: int = 0
    """Invocations with a record that was delivered before."""
    failures: int = 0
    """Invocations that ended in an error, a timeout or a crash."""
    partial_failures: int = 0
    """Invocations whose response named records to be delivered again."""
    dead_lettered: int = 0
    """Records that were discarded and sent to the on-failure destination."""
    dropped: int = 0
    """Records that were discarded by a mapping without a destination."""


class MappingStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What a mapping's process reports about itself."""

    function: str
    pid: int
    state: Literal["starting", "running", "stopping", "stopped", "failed"]
    at_ms: int
    """When this was written, ms since the epoch."""
    backlog: int | None
    """Records at the source that the function has not processed yet; None while the source is unavailable."""
    idle: bool
    """True if nothing is in flight, nothing waits, and the source had nothing more at the last read."""
    idle_since_ms: int | None
    """Since when ``idle`` is true without a break, ms since the epoch; None if it is not true."""
    workers: int
    """Processes of the function that are alive."""
    counters: MappingCounters
    last_error: str | None = None
    """The latest failure in a sentence, of the function or of the source."""


def status_file(config_file: Path, function: str) -> Path:
    """Return where a mapping's process writes its status: beside its configuration."""
    return config_file.parent / f"{function}.status.json"


def read_config(file: Path) -> MappingConfig:
    """Read a mapping's configuration; MappingConfigError names the file and the wrong field."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=MappingConfig, dec_hook=_to_path)
    except (OSError, msgspec.MsgspecError) as error:
        raise MappingConfigError(f"{file}: {error}") from error


def write_config(file: Path, config: MappingConfig) -> None:
    """Write a mapping's configuration, before its process is started."""
    _replace(file, msgspec.json.format(msgspec.json.encode(config, enc_hook=str)))


def read_status(file: Path) -> MappingStatus | None:
    """Read the latest status of a mapping's process.

    Returns
    -------
    MappingStatus | None
        None if the process has not written one yet.

    Raises
    ------
    MappingConfigError
        If the file is not a status.
    """
    try:
        return msgspec.json.decode(file.read_bytes(), type=MappingStatus)
    except FileNotFoundError:
        return None
    except msgspec.MsgspecError as error:
        raise MappingConfigError(f"{file}: {error}") from error


def write_status(file: Path, status: MappingStatus) -> None:
    """Write a status atomically: a reader sees the previous one or this one, never half of one."""
    _replace(file, msgspec.json.encode(status))


def _replace(file: Path, data: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    temporary.write_bytes(data)
    temporary.replace(file)


def _to_path(_: type, value: object) -> Path:
    """Read the one type of field that msgspec does not know; a TypeError becomes an error that names the field."""
    if not isinstance(value, str):
        raise TypeError(f"expected a path, got `{type(value).__name__}`")
    return Path(value)
