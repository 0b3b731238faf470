"""One process for one function: its event source mapping or its schedule, its workers, and the status that others read."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from local.components.aws_api import make_client
from local.configured_pool import LazyPool, function_pool
from local.event_sources.config import (
    STATUS_INTERVAL_SECONDS,
    MappingConfig,
    MappingConfigError,
    MappingStatus,
    write_status,
)
from local.event_sources.destination import BucketDestination, SqsDestination
from local.event_sources.dynamodb_stream import DynamoDbStreamSource
from local.event_sources.event_source_mapping import EventSourceMapping
from local.event_sources.http_gateway import HttpGateway
from local.event_sources.kafka import KafkaSource
from local.event_sources.records import Policy
from local.event_sources.schedule import Schedule
from local.event_sources.source import SourceUnavailableError
from local.event_sources.sqs import QueueMapping
from local.lambda_api import LambdaApi
from local.runtime.pool import FunctionPool
from ops.manifests import (
    HttpTrigger,
    InvokeTrigger,
    KafkaTrigger,
    QueueTrigger,
    ScheduleTrigger,
    StreamTrigger,
    read_functions,
)

if TYPE_CHECKING:
    import threading
    from pathlib import Path

    from local.configured_pool import PoolMaker
    from local.event_sources.event_source_mapping import Destination
    from local.event_sources.source import Source
    from ops.manifests import FunctionSpec

State = Literal["starting", "running", "stopping", "stopped", "failed"]

CLUSTER: Final = "local/00000000-0000-0000-0000-000000000000-1"
"""The cluster in the event source's ARN."""


class MappingProcess:
    """A mapping or a schedule and its function, made from a configuration.

    Parameters
    ----------
    config : MappingConfig
        Made by the stack.
    status_file : Path
        Where the status is written.
    make_pool : PoolMaker
        Makes the pool of the function's processes; fault tests use another.

    Raises
    ------
    MappingConfigError
        If there is no such function, or it has no event source and no schedule.
    """

    def __init__(self, config: MappingConfig, status_file: Path, make_pool: PoolMaker = FunctionPool) -> None:
        functions = read_functions(config.functions_dir)
        if config.function not in functions:
            raise MappingConfigError(f"function {config.function!r}: there are {', '.join(functions)}")
        spec = functions[config.function]
        trigger = spec.trigger
        if isinstance(trigger, InvokeTrigger):
            raise MappingConfigError(f"function {config.function!r} has no event source and no schedule")
        if config.maximum_record_age_seconds is not None and isinstance(
            trigger, KafkaTrigger | StreamTrigger
        ):
            trigger = msgspec.structs.replace(
                trigger, maximum_record_age_seconds=config.maximum_record_age_seconds
            )
        if config.timeout_seconds is not None:
            spec = msgspec.structs.replace(spec, timeout_seconds=config.timeout_seconds)
        self._config = config
        self._status_file = status_file
        self._state: State = "starting"
        # A function that invokes others finds them here.
        invoked = [each.function for each in spec.access if each.function is not None]
        self._lambda_api = LambdaApi(
            {name: LazyPool(config.state_dir / f"{name}.json") for name in invoked},
            [name for name in invoked if _is_discarding(functions[name])],
        )
        self._idle_since_ms: int | None = None
        workers = min(config.max_workers, spec.reserved_concurrency)
        environment = {"AWS_ENDPOINT_URL_LAMBDA": self._lambda_api.endpoint, **config.environment}
        configured = msgspec.structs.replace(config, environment=environment)
        self.pool = function_pool(configured, spec, workers, make_pool)
        self.mapping = self._make_mapping(trigger, workers)

    def run(self, stop: threading.Event) -> None:
        """Run until ``stop`` is set, then finish what is in flight.

        Raises
        ------
        SourceUnavailableError
            If the source is unavailable at the start.
        BaseException
            Any fault of the mapping itself.
        """
        self._lambda_api.start()
        try:
            self._write_status()
            self.mapping.start()
            self._state = "running"
            while not stop.wait(STATUS_INTERVAL_SECONDS):
                self._write_status()
                if self.mapping.failure is not None:
                    raise self.mapping.failure
            self._state = "stopping"
            self._write_status()
            self.mapping.stop()
            self._state = "stopped"
        finally:
            if self._state != "stopped":
                self._state = "failed"
            self._write_status()
            self.pool.stop()
            self._lambda_api.stop()

    def _make_mapping(
        self,
        trigger: KafkaTrigger | StreamTrigger | QueueTrigger | ScheduleTrigger | HttpTrigger,
        workers: int,
    ) -> EventSourceMapping | QueueMapping | Schedule | HttpGateway:
        config = self._config
        if isinstance(trigger, HttpTrigger):
            return HttpGateway(self.pool.invoke, config.http_port)
        if isinstance(trigger, QueueTrigger):
            return QueueMapping(
                trigger,
                make_client("sqs", config.aws_endpoint),
                config.source_queue_url,
                f"arn:aws:sqs:{config.region}:{config.account_id}:{trigger.queue}",
                self.pool.invoke,
                min(workers, trigger.maximum_concurrency),
                visibility_seconds=config.visibility_seconds,
            )
        if isinstance(trigger, ScheduleTrigger):
            return Schedule(
                trigger,
                self.pool.invoke,
                f"arn:aws:events:{config.region}:{config.account_id}:rule/{config.function}",
                SqsDestination(make_client("sqs", config.aws_endpoint), config.dead_letter_queue_url),
                workers,
                interval_seconds=config.schedule_seconds,
            )
        return EventSourceMapping(
            _make_source(config, trigger, workers),
            self.pool.invoke,
            self.pool.function_arn,
            _make_destination(config, trigger),
            Policy.from_trigger(trigger, config.retry_base_seconds, config.retry_maximum_seconds),
            workers,
        )

    def _write_status(self) -> None:
        now_ms = round(time.time() * 1000)
        # The counters are read after this: a status that says idle counts all the work before it.
        backlog, idle = self._backlog(), self._state == "running" and self.mapping.is_idle()
        self._idle_since_ms = (self._idle_since_ms or now_ms) if idle else None
        write_status(
            self._status_file,
            MappingStatus(
                function=self._config.function,
                pid=os.getpid(),
                state=self._state,
                at_ms=now_ms,
                backlog=backlog,
                idle=idle,
                idle_since_ms=self._idle_since_ms,
                workers=self.pool.workers,
                counters=self.mapping.counters,
                last_error=self.mapping.last_error,
            ),
        )

    def _backlog(self) -> int | None:
        if self._state != "running":
            return None
        try:
            return self.mapping.backlog()
        except SourceUnavailableError as error:
            self.mapping.report(str(error))
            return None


def _is_discarding(spec: FunctionSpec) -> bool:
    return isinstance(spec.trigger, InvokeTrigger) and spec.trigger.on_failure == "discard"


def _make_destination(config: MappingConfig, trigger: KafkaTrigger | StreamTrigger) -> Destination | None:
    match trigger.on_failure:
        case "none":
            return None
        case "dead_letter":
            return SqsDestination(make_client("sqs", config.aws_endpoint), config.dead_letter_queue_url)
        case "dead_letter_bucket":
            return BucketDestination(make_client("s3", config.aws_endpoint), config.dead_letter_bucket)


def _make_source(config: MappingConfig, trigger: KafkaTrigger | StreamTrigger, workers: int) -> Source:
    if isinstance(trigger, KafkaTrigger):
        # Lambda scales between the two with the load. Here the machine's limit decides.
        pollers = max(trigger.pollers.minimum, min(trigger.pollers.maximum, workers))
        arn = f"arn:aws:kafka:{config.region}:{config.account_id}:cluster/{CLUSTER}"
        return KafkaSource(config.bootstrap_servers, trigger, arn, pollers)
    return DynamoDbStreamSource(
        make_client("dynamodb", config.aws_endpoint),
        make_client("dynamodbstreams", config.aws_endpoint),
        trigger,
        config.state_dir / f"{config.function}.checkpoints.json",
    )
