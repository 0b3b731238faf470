"""What the process of one event source mapping is given (a JSON file), and what it tells of itself (another one).

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
    """A configuration or status file that cannot be used; names the file and the place."""


class MappingConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Everything that a mapping and its function need to know of the stack around them."""

    function: str
    """Name of the function: the folder below ``functions/``."""
    bootstrap_servers: str
    """Kafka's ``host:port[,host:port]``."""
    aws_endpoint: str
    """Base URL of the AWS API."""
    region: str
    account_id: str
    environment: dict[str, str]
    """The environment of `function.yaml`, every reference resolved, and whatever else the function is to see."""
    dead_letter_queue_url: str
    """The on-failure destination: an SQS queue."""
    state_dir: Path
    """Where checkpoints of streams are kept, so that a restart resumes."""
    log_dir: Path
    """Where ``<function>.log`` is appended to: all that the function's workers print."""
    zip: Path
    """The built function."""
    lambda_python: Path
    """Interpreter of the environment that holds ``awslambdaric`` and nothing else."""
    functions_dir: Path = FUNCTIONS_DIR
    """Where the function's folder with its `function.yaml` is."""
    max_workers: Positive = 2
    """This machine's limit of concurrent invocations; `function.yaml`'s reserved concurrency holds as well."""
    retry_base_seconds: Annotated[float, Meta(gt=0)] = 0.1
    """Delay before the first retry; each further one doubles it."""
    retry_maximum_seconds: Annotated[float, Meta(gt=0)] = 5.0
    """Longest delay between two retries."""


class MappingCounters(msgspec.Struct, kw_only=True):
    """What a mapping did since its process started."""

    batches: int = 0
    """Invocations, retries among them."""
    records: int = 0
    """Records that the function took, each counted once."""
    filtered: int = 0
    """Records that the filter dropped; the function never sees them."""
    retries: int = 0
    """Invocations that were not a record's first."""
    failures: int = 0
    """Invocations that ended in an error, a timeout or a crash."""
    partial_failures: int = 0
    """Invocations whose response named records to be delivered again."""
    dead_lettered: int = 0
    """Records that were given up and told to the on-failure destination."""


class MappingStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What a mapping's process tells of itself."""

    function: str
    pid: int
    state: Literal["starting", "running", "stopping", "stopped", "failed"]
    at_ms: int
    """When this was written, ms since the epoch."""
    backlog: int | None
    """Records at the source that the function has not taken yet; None while the source cannot be asked."""
    idle: bool
    """True where nothing is in flight, nothing waits, and the source had nothing more when last asked."""
    idle_since_ms: int | None
    """Since when ``idle`` is true without a break, ms since the epoch; None where it is not."""
    workers: int
    """Processes of the function that are alive."""
    counters: MappingCounters
    last_error: str | None = None
    """The latest failure in a sentence, of the function or of the source."""


def status_file(config_file: Path, function: str) -> Path:
    """Where a mapping's process writes its status: beside its configuration."""
    return config_file.parent / f"{function}.status.json"


def read_config(file: Path) -> MappingConfig:
    """Read a mapping's configuration; MappingConfigError names the file and the field at fault."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=MappingConfig, dec_hook=_to_path)
    except (OSError, msgspec.MsgspecError) as error:
        raise MappingConfigError(f"{file}: {error}") from error


def write_config(file: Path, config: MappingConfig) -> None:
    """Write a mapping's configuration for the process that is started next."""
    _replace(file, msgspec.json.format(msgspec.json.encode(config, enc_hook=_from_path)))


def read_status(file: Path) -> MappingStatus | None:
    """Read what a mapping's process last told of itself.

    Returns
    -------
    MappingStatus | None
        None where the process has not written anything yet.

    Raises
    ------
    MappingConfigError
        Where the file is not a status.
    """
    try:
        return msgspec.json.decode(file.read_bytes(), type=MappingStatus)
    except FileNotFoundError:
        return None
    except msgspec.MsgspecError as error:
        raise MappingConfigError(f"{file}: {error}") from error


def write_status(file: Path, status: MappingStatus) -> None:
    """Write a status whole: a reader sees the previous one or this one, never half of it."""
    _replace(file, msgspec.json.encode(status))


def _replace(file: Path, data: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    temporary.write_bytes(data)
    temporary.replace(file)


def _to_path(kind: type, value: object) -> object:
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise NotImplementedError(f"{kind} from {type(value)}")


def _from_path(value: object) -> str:
    if isinstance(value, Path):
        return str(value)
    raise NotImplementedError(str(type(value)))
