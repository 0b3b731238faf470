"""The whole local stack, with a proxy in front of everything that a function calls, so that each part can be broken.

The parts are those of `local.stack`, started one by one, because the faults kill, pause and restart them.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec
import redis
from confluent_kafka import Consumer, Producer, TopicPartition

from cache.primary import connect
from contract.scored import Position
from engine.entities.kinds import POPULATION_IDS
from local.components.aws_api import REGION, AwsApi, make_client
from local.components.broker import Broker, is_kafka_up
from local.components.cache import Cache, functions_endpoint, is_cache_up
from local.event_sources.config import MappingConfig
from local.provision import provision
from local.proxy.aws import AwsProxy, forward_to
from local.proxy.tcp import TcpProxy
from local.reconcile import Reconciler
from local.resources import ACCOUNT_ID, resolve_environment
from local.rulesets import Rulesets
from ops.manifests import ROOT, read_functions, read_tables
from score.delivery import Span
from score.profile_store import RedisProfileStore, read_profile
from tests.support.waiting import wait_until

from .event_source_mapping import EventSourceMapping
from .stores import Stores
from .stream import Written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from engine.profile import Profile
    from local.processes import ManagedProcess
    from score.profile_store import CacheReading

    from .stream import Sent

TOPIC = "transaction_stream"
DEFAULT_RULES = (ROOT / "rules" / "default.yaml").read_text()
FUNCTIONS = ("score", "persist", "alert", "digest")
LABEL = "label"
"""Reads the labels queue, beside those that read payments."""
CASE = "case"
"""Reads the stream of flagged payments, beside the alert stage."""
UPKEEP = "label_upkeep"
"""Started only when labels are to be finished."""
STARTED = (*FUNCTIONS, CASE, LABEL)
DEPLOYER = "ruleset_deployer"
"""Started only when a change of the ruleset is approved."""
RECONCILE = "reconcile"
"""Invoked by the judge and by faults, and not by its schedule."""
BUILT = (*STARTED, UPKEEP, DEPLOYER, RECONCILE)
DIGEST_SECONDS = 2.0
"""Interval of the digests' schedule; between two runs all stages can be seen to be idle."""
WINDOWS_CLOSED = timedelta(hours=3)
"""How far the digest function's clock is set ahead, so that every window of a run is closed, also one by a clock an hour ahead."""
WAIT_SECONDS = 90.0
VISIBILITY_SECONDS = 15
"""How long a label that failed stays hidden; in AWS, minutes."""


class Site:
    """The stack under test: :meth:`start` it, break it, :meth:`restore` it, and :meth:`stop` it in any state."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "run"
        self.logs = folder / "logs"
        self.streams: set[str] = set()  # of runs so far
        self.specs = {name: spec for name, spec in read_functions().items() if name in BUILT}
        self.broker = Broker(self.folder, self.logs)
        self.cache = Cache(self.folder, self.logs)
        self.aws_api = AwsApi(self.folder, self.logs)
        self.replica = Cache(self.folder / "replica", self.logs / "replica")
        self.aws: dict[str, AwsProxy] = {}
        self.mappings: list[EventSourceMapping] = []
        self._clients: dict[str, Any] = {}
        self._changed: dict[str, MappingConfig] = {}
        self._are_rules_new = False
        self._reconciler: Reconciler | None = None

    # Start and stop

    def start(self) -> None:
        """Start everything; return when all of it works."""
        self.folder.mkdir(parents=True)
        build = [sys.executable, "-m", "ops.packaging", "functions", "--arch", "host", *BUILT]
        with ThreadPoolExecutor() as pool:
            parts = [
                pool.submit(part.start) for part in (self.broker, self.cache, self.aws_api, self.replica)
            ]
            parts.append(pool.submit(subprocess.check_output, build))
            for part in parts:
                part.result()
        self.resources = provision(
            self.aws_api.endpoint, self.broker.endpoint, read_functions(), read_tables(), DEFAULT_RULES
        )
        self.stores = Stores(self.client, self.resources)
        self.cache_proxy = TcpProxy(address(self.cache))
        self.cache_proxy.start()
        for function in BUILT:
            self.aws[function] = AwsProxy(forward_to(self.aws_api.endpoint))
            self.aws[function].start()
        self.mappings = [EventSourceMapping(self._mapping_config(function)) for function in STARTED]
        with ThreadPoolExecutor() as pool:
            list(pool.map(EventSourceMapping.start, self.mappings))
        self.start_producer()
        self.cache_now = self.cache

    def start_producer(self) -> None:
        """Make a producer, which learns at once how many partitions there are."""
        self.producer = Producer({"bootstrap.servers": self.broker.endpoint})

    def stop(self) -> None:
        """Stop everything that was started, and remove all but its logs: unpacked functions have 0.4 GB."""
        for mapping in self.mappings:
            mapping.process.stop()
        if self._reconciler is not None:
            self._reconciler.stop()
        for proxy in self.aws.values():
            proxy.stop()
        if hasattr(self, "cache_proxy"):
            self.cache_proxy.stop()
        for component in (self.broker, self.cache, self.aws_api, self.replica):
            component.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _mapping_config(self, function: str, place: str = "first") -> MappingConfig:
        """The configuration of a function's mapping whose state and logs are in a folder ``place``."""
        return MappingConfig(
            function=function,
            bootstrap_servers=self.broker.endpoint,
            aws_endpoint=self.aws_api.endpoint,
            region=REGION,
            account_id=ACCOUNT_ID,
            environment={
                **resolve_environment(
                    self.specs[function],
                    self.resources.references(
                        functions_endpoint(self.cache_proxy.port), self.broker.endpoint, function
                    ),
                ),
                "AWS_ENDPOINT_URL": self.aws[function].endpoint,
            },
            dead_letter_queue_url=self.resources.dead_letter_queue(function),
            dead_letter_bucket=self.resources.dead_letter_bucket(function),
            source_queue_url=self.resources.source_queue(self.specs[function]),
            visibility_seconds=VISIBILITY_SECONDS if function == LABEL else None,
            state_dir=self.folder / place,
            log_dir=self.logs / place,
            zip=ROOT / "build" / "functions" / "host" / f"{function}.zip",
            lambda_python=ROOT / ".venv-lambda" / "bin" / "python",
            schedule_seconds=DIGEST_SECONDS if function in ("digest", UPKEEP, DEPLOYER) else None,
        )

    # Work

    def close_windows(self) -> None:
        """Let the digest function believe that every window is closed; :meth:`restore` ends it."""
        self.mapping("digest").control.set_clock(WINDOWS_CLOSED.total_seconds())

    def send_digests(self) -> None:
        """Close every window, and return when a whole run of the digest function has found nothing more to send."""
        self.close_windows()
        mapping = self.mapping("digest")
        before = mapping.counters().records
        # The first run may have begun by the old clock.
        self.wait_for(lambda: mapping.counters().records >= before + 3, "three runs of the digest function")

    def mapping(self, function: str) -> EventSourceMapping:
        """The mapping of a function that was started first."""
        return next(mapping for mapping in self.mappings if mapping.function == function)

    def client(self, service: str) -> Any:
        """A client of the AWS API itself, past the proxies."""
        if service not in self._clients:
            self._clients[service] = make_client(service, self.aws_api.endpoint)
        return self._clients[service]

    def produce(self, records: Sequence[Sent]) -> list[Written]:
        """Write records to the topic; return them as the broker has them, in the same order."""
        places: dict[int, Written] = {}

        def written(place: int, error: object, message: Any) -> None:
            assert error is None, error
            position = Position(TOPIC, message.partition(), message.offset())
            places[place] = Written(position, records[place], message.timestamp()[1])

        for place, record in enumerate(records):
            self.producer.produce(
                TOPIC,
                value=record.value,
                key=record.key,
                on_delivery=partial(written, place),
            )
        assert self.producer.flush(60) == 0
        return [places[place] for place in range(len(records))]

    def wait_for(
        self,
        is_so: Callable[[], bool],
        what: str,
        seconds: float = WAIT_SECONDS,
        progress: Callable[[], object] = lambda: None,
    ) -> float:
        """Wait until the condition holds, as long as ``progress`` changes within the seconds; return how long that took, s."""
        started = time.monotonic()
        try:
            wait_until(is_so, what, seconds, progress)
        except AssertionError as error:
            statuses = {mapping.function: mapping.status() for mapping in self.mappings}
            raise AssertionError(f"{error}; logs in {self.logs}; {statuses}") from None
        return time.monotonic() - started

    def be_quiet(self) -> int:
        """Wait until all stages are idle; return when the last one became so, ms since the epoch."""
        asked_ms = time.time() * 1000
        idle: list[int] = []

        def are_quiet() -> bool:
            since = [mapping.idle_since_ms(asked_ms) for mapping in self.mappings]
            idle[:] = [one for one in since if one is not None]
            return len(idle) == len(since)

        self.wait_for(are_quiet, "all stages to be idle", progress=self._records_done)
        return max(idle)

    def _records_done(self) -> list[int]:
        """How many records each mapping has delivered; of schedules, whose events never end, nothing."""
        read = [mapping for mapping in self.mappings if mapping.config.schedule_seconds is None]
        return [status.counters.records for mapping in read if (status := mapping.status()) is not None]

    @contextmanager
    def second(self, function: str, copy: str | None = None) -> Iterator[EventSourceMapping]:
        """Run a second mapping of a function beside the first; it begins with a copy of the first one's file ``copy``."""
        mapping = EventSourceMapping(self._mapping_config(function, f"second-{time.monotonic_ns()}"))
        if copy is not None:
            mapping.config.state_dir.mkdir(parents=True, exist_ok=True)
            (mapping.config.state_dir / copy).write_bytes((self.folder / "first" / copy).read_bytes())
        self.mappings.append(mapping)
        try:
            mapping.start()
            yield mapping
        finally:
            self.mappings.remove(mapping)
            mapping.process.stop()

    def restore(self) -> None:
        """End every fault: calls pass, clocks are right, functions have their own zips and the default ruleset."""
        for proxy in self.aws.values():
            proxy.fault = None
        for mapping in self.mappings:
            mapping.control.set_clock(0)
            mapping.control.fill_disk(False)
        for function, config in self._changed.items():
            self._restart(function, config)
        self._changed.clear()
        if self._are_rules_new:
            # New processes load the active ruleset at once; running ones only at their next check.
            self.mapping("score").kill_workers()
            self._are_rules_new = False
        self.cache_proxy.delay_seconds = 0.0
        self.cache_proxy.on_request = self.cache_proxy.on_response = None
        self.cache_proxy.refuse(False)
        if self.cache_now is not self.cache:
            admin(self.cache).flushall()
            self.cache_proxy.move(address(self.cache))
            self.cache_now = self.cache

    def set_retries(self, function: str, *, first_seconds: float, longest_seconds: float) -> None:
        """Restart a function's mapping with other waits between its retries, until :meth:`restore`."""
        config = self.mapping(function).config
        self._changed.setdefault(function, config)
        self._restart(
            function,
            msgspec.structs.replace(
                config, retry_base_seconds=first_seconds, retry_maximum_seconds=longest_seconds
            ),
        )

    @contextmanager
    def compressed_time(self, function: str, **seconds: int) -> Iterator[None]:
        """Run a function's mapping with compressed times within this context: ``timeout_seconds`` and others of its configuration."""
        config = self.mapping(function).config
        self._changed.setdefault(function, config)
        self._restart(function, msgspec.structs.replace(config, **seconds))
        yield
        self._restart(function, config)

    def set_environment(self, function: str, **variables: str) -> None:
        """Restart a function's mapping with other environment variables, until :meth:`restore`."""
        config = self.mapping(function).config
        self._changed.setdefault(function, config)
        self._restart(
            function, msgspec.structs.replace(config, environment={**config.environment, **variables})
        )

    def set_package(self, function: str, package: Path) -> None:
        """Restart a function's mapping with another zip, until :meth:`restore`."""
        mapping = self.mapping(function)
        self._changed.setdefault(function, mapping.config)
        self._restart(function, mapping.with_package(mapping.config, package))

    def reconcile(self) -> dict[str, int]:
        """Let the reconciler look through the last hours, the newest payments too; return what it found."""
        if self._reconciler is None:
            config = self._mapping_config(RECONCILE)
            config = msgspec.structs.replace(config, environment={**config.environment, "GRACE_MINUTES": "0"})
            stages = {name: self.mapping(name).config_file for name in ("persist", "alert", CASE)}
            self._reconciler = Reconciler(config, stages)
        return self._reconciler.run()

    def deploy_rules(self, document: str) -> None:
        """Deploy a ruleset; functions load it at their next check."""
        Rulesets(self.aws_api.endpoint, self.resources.rules).deploy(document)
        self._are_rules_new = True

    def _restart(self, function: str, config: MappingConfig) -> None:
        mapping = self.mapping(function)
        mapping.process.stop()
        mapping.config = config
        mapping.start()

    def kill(self, process: ManagedProcess) -> None:
        """SIGKILL a server, and wait until it has ended."""
        os.kill(process.record.pid, signal.SIGKILL)
        self.wait_for(lambda: not process.is_running, f"the end of {process.name}")

    def start_broker(self) -> None:
        """Restart Kafka with its data."""
        self.broker.process.start()
        self.wait_for(lambda: is_kafka_up(self.broker.endpoint, 2.0), "Kafka")

    def start_cache(self) -> None:
        """Restart Valkey, empty."""
        self.cache.process.start()
        self.wait_for(lambda: is_cache_up(self.cache.endpoint, 1.0), "Valkey")

    def committed(self) -> list[TopicPartition]:
        """The offsets that the score stage's consumer group has committed."""
        trigger: Any = self.specs["score"].trigger
        consumer = Consumer({"bootstrap.servers": self.broker.endpoint, "group.id": trigger.consumer_group})
        try:
            partitions = consumer.list_topics(TOPIC, 10).topics[TOPIC].partitions
            return list(consumer.committed([TopicPartition(TOPIC, number) for number in partitions], 10))
        finally:
            consumer.close()

    def backlog(self) -> int:
        """Records on the topic that the score stage's consumer group has not committed."""
        trigger: Any = self.specs["score"].trigger
        consumer = Consumer({"bootstrap.servers": self.broker.endpoint, "group.id": trigger.consumer_group})
        try:
            return sum(
                consumer.get_watermark_offsets(place, 10)[1] - max(place.offset, 0)
                for place in self.committed()
            )
        finally:
            consumer.close()

    # What is stored

    def profiles(self, users: Sequence[str]) -> dict[str, Profile | None]:
        """The profiles in the cache; None for a user who has none."""
        reading = RedisProfileStore(connect(self.cache_now.endpoint), 90).read(users, [])
        return {user: read_profile(cached) for user, cached in reading.profiles.items()}

    def entities(self, entity_ids: Sequence[bytes] = POPULATION_IDS) -> CacheReading:
        """State of entities in the cache, and since when it is complete."""
        store = RedisProfileStore(connect(self.cache_now.endpoint), 90)
        return store.read([], [Span(TOPIC, 0, 0, 0)], entity_ids)


def address(cache: Cache) -> tuple[str, int]:
    """Host and port of a cache."""
    place = urlsplit(cache.endpoint)
    return place.hostname or "", place.port or 0


def admin(cache: Cache) -> redis.Redis:
    """An administrator's client of a cache."""
    return redis.Redis.from_url(cache.endpoint, socket_timeout=5)
