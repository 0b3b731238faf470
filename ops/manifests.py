"""`function.yaml` and `tables.yaml` as typed and checked values; Terraform and the local stack read the same files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

ROOT: Final = Path(__file__).resolve().parent.parent
"""The checkout."""

FUNCTIONS_DIR: Final = ROOT / "functions"
TABLES_FILE: Final = FUNCTIONS_DIR / "contract" / "tables.yaml"

ACCESS_KINDS: Final = (
    "table",
    "queue",
    "bucket",
    "topic",
    "cache",
    "rules",
    "kafka",
    "key",
    "function",
    "metrics",
)
"""What an `access` entry can name; the same as in Terraform's module `function`."""

MAX_WINDOWLESS_BATCH: Final = 10
"""Largest batch of a queue's messages without a window: one receive request's."""

VISIBILITY_TIMEOUTS: Final = 6
"""How many of the function's time-outs a message stays hidden: Lambda's guide asks for six, so that retries after throttling fit in."""

Positive = Annotated[int, Meta(ge=1)]


class SpecError(Exception):
    """A `function.yaml` or `tables.yaml` is wrong; names the file and the place."""


class Pollers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Event pollers of a provisioned Kafka mapping."""

    minimum: Positive
    maximum: Positive


class TopicRetention(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """As long as the topic keeps a record."""

    ref: Literal["topic.retention"]


class KafkaTrigger(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="kafka", tag_field="type"):
    """An event source mapping from a Kafka topic."""

    topic: str
    consumer_group: str
    starting_position: Literal["TRIM_HORIZON", "LATEST"]
    batch_size: Annotated[int, Meta(ge=1, le=10_000)]
    batch_window_seconds: Annotated[int, Meta(ge=0, le=300)]
    pollers: Pollers
    report_batch_item_failures: bool
    bisect_on_error: bool
    maximum_retries: Annotated[int, Meta(ge=-1, le=10_000)]
    """-1 retries until the record is too old."""
    maximum_record_age_seconds: Positive | TopicRetention
    on_failure: Literal["dead_letter", "none"]
    """Where Lambda puts what it drops: in the function's dead-letter queue, or nowhere."""
    filter: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        # AWS's guide, "Configuring error handling controls for Kafka event sources".
        if self.maximum_retries == -1 and self.on_failure != "none":
            raise ValueError(
                f"maximum_retries is -1 and on_failure is {self.on_failure}; beside a destination, Lambda ends "
                "endless retries of a Kafka mapping after 10"
            )


class StreamTrigger(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="dynamodb_stream", tag_field="type"
):
    """An event source mapping from a table's stream."""

    table: str
    starting_position: Literal["TRIM_HORIZON", "LATEST"]
    batch_size: Annotated[int, Meta(ge=1, le=10_000)]
    batch_window_seconds: Annotated[int, Meta(ge=0, le=300)]
    parallelization_factor: Annotated[int, Meta(ge=1, le=10)]
    report_batch_item_failures: bool
    bisect_on_error: bool
    maximum_retries: Annotated[int, Meta(ge=-1, le=10_000)]
    """-1 retries until the record is too old."""
    maximum_record_age_seconds: Positive
    on_failure: Literal["dead_letter_bucket"]
    """The function's own bucket, which gets the records with their content and announces each in the dead-letter queue."""
    filter: dict[str, Any] | None = None
    """An event filter pattern, as EventBridge writes them."""


class InvokeTrigger(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="invoke", tag_field="type"):
    """No event source: something invokes the function, such as Terraform or AppConfig. The local stack runs those that other functions invoke."""

    on_failure: Literal["dead_letter", "discard"] = "dead_letter"
    """What becomes of an asynchronous request that fails: kept in the function's dead-letter queue, or not at all."""


class ScheduleTrigger(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="schedule", tag_field="type"
):
    """A rule of EventBridge that invokes the function again and again, asynchronously and at least once each time."""

    every_minutes: Annotated[int, Meta(ge=1, le=1440)]
    """From one invocation to the next, however long the function takes."""
    maximum_retries: Annotated[int, Meta(ge=0, le=2)]
    """Of one invocation that failed; Lambda waits a minute before the first and two before the second."""
    maximum_event_age_seconds: Annotated[int, Meta(ge=60, le=21_600)]
    """How long an invocation may wait for a free execution or for its retry."""
    on_failure: Literal["dead_letter", "discard"]
    """What becomes of the event of an invocation that failed for good: kept in the function's dead-letter queue, or not at all."""


class HttpTrigger(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="http", tag_field="type"):
    """Requests of browsers, each an event of API Gateway's REST APIs (payload 1.0) that waits for its answer."""


class QueueTrigger(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="queue", tag_field="type"):
    """An event source mapping from an SQS queue, which the stack makes for it. Lambda promises no order of its messages.

    A message that the function fails is hidden for `visibility_seconds` of the function, then delivered again.
    """

    queue: str
    """Interface name of the queue; others send to it as ``{queue: <name>, actions: [SendMessage]}``."""
    batch_size: Annotated[int, Meta(ge=1, le=10_000)]
    batch_window_seconds: Annotated[int, Meta(ge=0, le=300)]
    """How long a batch may wait for more messages."""
    maximum_concurrency: Annotated[int, Meta(ge=2, le=1000)]
    """Most batches at a time. Above the reserved concurrency, invocations would be throttled, and each counts as a delivery."""
    report_batch_item_failures: bool
    maximum_receives: Annotated[int, Meta(ge=1, le=1000)]
    """Deliveries of a message; then SQS moves it to the function's dead-letter queue."""

    def __post_init__(self) -> None:
        # Lambda's guide, "Configuring scaling behavior for SQS event source mappings".
        if self.batch_size > MAX_WINDOWLESS_BATCH and self.batch_window_seconds == 0:
            raise ValueError(
                f"batch_size is {self.batch_size} and batch_window_seconds is 0; Lambda makes batches of more than "
                f"{MAX_WINDOWLESS_BATCH} messages of a queue only with a window of at least 1"
            )


HTTP_SECONDS: Final = 29
"""How long API Gateway waits for a function, unless an account has asked for more."""


class Reference(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The name of a value that the stack provides: ``table.<name>``, ``queue.<name>``, ``cache.endpoint``, ..."""

    ref: str


class Access(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One resource that a function may use, by interface name, and what it may do with it."""

    actions: Annotated[list[str], Meta(min_length=1)]
    """IAM actions, without their service's prefix."""
    table: str | None = None
    queue: str | None = None
    bucket: str | None = None
    topic: str | None = None
    cache: Literal["profiles"] | None = None
    rules: Literal["ruleset", "deployments"] | None = None
    kafka: str | None = None
    key: Literal["tokenization"] | None = None
    function: str | None = None
    metrics: Literal["all"] | None = None
    prefix: str | None = None
    """How the keys begin that it may use: of a bucket's objects, or the partition keys of a table."""
    index: str | None = None
    """The index of a table that it may use instead of the table."""

    def __post_init__(self) -> None:
        named = [kind for kind in ACCESS_KINDS if getattr(self, kind) is not None]
        if len(named) != 1:
            raise ValueError(f"names {' and '.join(named) or 'nothing'}; one of {', '.join(ACCESS_KINDS)}")
        if self.prefix is not None and self.bucket is None and self.table is None:
            raise ValueError(f"names a {named[0]} and has a prefix, which only a bucket and a table have")
        if self.index is not None and self.table is None:
            raise ValueError(f"names a {named[0]} and has an index, which only a table has")

    @property
    def letters(self) -> str:
        """Letters and digits of what it names: of these Terraform makes the id of the role's statement, which a policy has once."""
        parts = [part for kind in ACCESS_KINDS if (name := getattr(self, kind)) for part in (kind, name)]
        return re.sub("[^0-9a-z]", "", "".join([*parts, self.index or "", self.prefix or ""]).lower())


class FunctionSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One `function.yaml`."""

    description: str
    handler: str
    packages: Annotated[list[str], Meta(min_length=1)]
    """Folders below ``functions/`` whose code the zip carries."""
    runtime: str
    memory_mib: Annotated[int, Meta(ge=128, le=10_240)]
    timeout_seconds: Annotated[int, Meta(ge=1, le=900)]
    reserved_concurrency: Positive
    trigger: KafkaTrigger | StreamTrigger | QueueTrigger | ScheduleTrigger | InvokeTrigger | HttpTrigger
    environment: dict[str, str | Reference]
    access: list[Access]
    aws_services: list[str]
    files: list[str] = []
    """Other files of the checkout that the zip carries, at the same paths."""
    leave_out: list[str] = []
    """Parts of packages that the zip does without, as their paths: ``authlib/oauth1``, ``engine/rules``."""
    keep_sources: bool = True
    """False where the zip has only bytecode. Tracebacks have files and numbers of lines then, and not the lines themselves."""
    max_zip_bytes: Positive | None = None
    """Most bytes of its zip, for either processor; a larger one is not built. None for Lambda's own limit."""
    npm_files: list[str] = []
    """Files of npm packages that the zip carries; the packages are those of the function's ``npm/package-lock.json``."""
    compile: list[str] = []
    """Modules that the zip also has as machine code, and packages of which it has all that can be compiled: ``engine.features``."""
    name: str = ""

    def __post_init__(self) -> None:
        if (
            isinstance(self.trigger, QueueTrigger)
            and self.trigger.maximum_concurrency > self.reserved_concurrency
        ):
            raise ValueError(
                f"trigger.maximum_concurrency is {self.trigger.maximum_concurrency}, more than the reserved concurrency of "
                f"{self.reserved_concurrency}: Lambda would throttle, and each throttled delivery of a message counts"
            )
        if isinstance(self.trigger, HttpTrigger) and self.timeout_seconds >= HTTP_SECONDS:
            raise ValueError(
                f"timeout_seconds is {self.timeout_seconds}; API Gateway waits {HTTP_SECONDS} s, and what the function does after "
                "that nobody sees"
            )
        first: dict[str, int] = {}
        for number, entry in enumerate(self.access):
            if (earlier := first.setdefault(entry.letters, number)) != number:
                raise ValueError(
                    f"access[{number}] names what access[{earlier}] names, or has the same letters and digits; the role has one "
                    "statement for each, so write all actions in one entry"
                )

    @property
    def has_event_source(self) -> bool:
        """Whether an event source mapping invokes it with batches."""
        return isinstance(self.trigger, KafkaTrigger | StreamTrigger | QueueTrigger)

    @property
    def is_triggered(self) -> bool:
        """Whether the system itself invokes it: by an event source, a schedule, or a browser's request. The local stack runs these."""
        return not isinstance(self.trigger, InvokeTrigger)

    @property
    def is_optional(self) -> bool:
        """Whether Terraform makes it only where an environment asks for it: browsers reach it, where somebody may (``console``)."""
        return isinstance(self.trigger, HttpTrigger)

    @property
    def visibility_seconds(self) -> int:
        """How long a message of a queue is hidden while the function works on it, and before it is delivered again."""
        window = self.trigger.batch_window_seconds if isinstance(self.trigger, QueueTrigger) else 0
        return VISIBILITY_TIMEOUTS * self.timeout_seconds + window


class Key(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A key attribute."""

    name: str
    type: Literal["S", "N"]


class Index(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A global secondary index."""

    partition_key: Key
    projection: Literal["ALL", "KEYS_ONLY", "INCLUDE"]
    sort_key: Key | None = None
    attributes: list[str] = []
    """What an index with the projection ``INCLUDE`` holds besides the keys."""

    def __post_init__(self) -> None:
        if (self.projection == "INCLUDE") != bool(self.attributes):
            raise ValueError(
                f"projection {self.projection} with {len(self.attributes)} attributes; INCLUDE names them"
            )


class TableSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One table of `tables.yaml`."""

    description: str
    partition_key: Key
    sort_key: Key | None = None
    indexes: dict[str, Index] = {}
    stream_view: Literal["NEW_IMAGE", "NEW_AND_OLD_IMAGES", "KEYS_ONLY"] | None = None
    time_to_live_attribute: str | None = None
    table_class: Literal["STANDARD", "STANDARD_INFREQUENT_ACCESS"] = "STANDARD"
    """Cheaper requests, or cheaper storage. The local stack has no prices and ignores it."""


def function_names(folder: Path = FUNCTIONS_DIR) -> list[str]:
    """Every function's name, in alphabetical order: the folders below ``folder`` that have a `function.yaml`."""
    return sorted(file.parent.name for file in folder.glob("*/function.yaml"))


def read_function(name: str, folder: Path = FUNCTIONS_DIR) -> FunctionSpec:
    """One function: the folder ``name`` below ``folder``.

    Raises
    ------
    SpecError
        Naming the file and what is wrong in it; or the functions that there are, if this is none.
    """
    file = folder / name / "function.yaml"
    if not file.is_file():
        raise SpecError(f"{name}: no such function; there are {', '.join(function_names(folder))}")
    spec: FunctionSpec = _decode(file, FunctionSpec)
    return msgspec.structs.replace(spec, name=name)


def read_functions(folder: Path = FUNCTIONS_DIR) -> dict[str, FunctionSpec]:
    """Every function, by name, in alphabetical order; `SpecError` as `read_function`."""
    return {name: read_function(name, folder) for name in function_names(folder)}


def read_tables(file: Path = TABLES_FILE) -> dict[str, TableSpec]:
    """Every table by its interface name; `SpecError` if the file is wrong."""
    tables: dict[str, TableSpec] = _decode(file, dict[str, TableSpec])
    return tables


def _decode(file: Path, kind: Any) -> Any:
    try:
        return msgspec.yaml.decode(file.read_bytes(), type=kind)
    except (msgspec.MsgspecError, ValueError) as error:
        name = file.relative_to(ROOT) if file.is_relative_to(ROOT) else file
        raise SpecError(f"{name}: {error}") from error
