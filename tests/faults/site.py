"""The whole local stack with a proxy before everything that a function talks to, so that any of it can be broken.

It is the stack's own parts, started one by one: `local.stack` keeps them to itself, and here they are killed, paused and
started again.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import psutil
import redis
from confluent_kafka import Consumer, Producer, TopicPartition

from contract.alert import Alert
from contract.flagged import FLAGGED_TABLE, FlaggedTransaction, from_flagged_item
from contract.scored import HISTORY_TABLE, Position, ScoredTransaction, from_history_item
from local.components.aws_api import CREDENTIALS, REGION, AwsApi, make_client
from local.components.broker import Broker, is_kafka_up
from local.components.cache import Cache, is_cache_up
from local.event_sources.config import MappingConfig, MappingStatus, read_status, status_file, write_config
from local.faults.aws_proxy import AwsProxy
from local.faults.tcp_proxy import TcpProxy
from local.processes import ManagedProcess
from local.provision import ACCOUNT_ID, ALERT_INBOX, dead_letter_name, provision, resolve_environment
from local.specs import ROOT, read_functions, read_tables
from score.profile import Profile
from score.profile_store import RedisProfileStore, connect, read_profile

from .stream import Sent

TOPIC = "transaction_stream"
FUNCTIONS = ("score", "persist", "alert")
QUIET_MS = 600
"""How long all mappings must have had nothing to do: an idle stream is read every 40 ms, a new shard looked for every 2 s."""
PATIENCE_SECONDS = 90.0


class Mapping:
    """The process that feeds one function, and runs its workers."""

    def __init__(self, site: "Site", function: str, place: str = "first") -> None:
        self.function = function
        self._config_file = site.folder / place / f"{function}.json"
        self.config = MappingConfig(
            function=function,
            bootstrap_servers=site.broker.endpoint,
            aws_endpoint=site.aws_api.endpoint,
            region=REGION,
            account_id=ACCOUNT_ID,
            environment={
                **resolve_environment(site.specs[function], site.references),
                "AWS_ENDPOINT_URL": site.aws[function].endpoint,
            },
            dead_letter_queue_url=site.resources.dead_letter_queue(function),
            state_dir=self._config_file.parent,
            log_dir=site.logs / place,
            zip=ROOT / "build" / "functions" / "host" / f"{function}.zip",
            lambda_python=ROOT / ".venv-lambda" / "bin" / "python",
        )
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "functions")]),
            "AWS_ENDPOINT_URL": site.aws_api.endpoint,
            "AWS_DEFAULT_REGION": REGION,
            **CREDENTIALS,
        }
        argv = [sys.executable, "-m", "local.event_sources"]
        argv += ["--function", function, "--config", str(self._config_file)]
        log = site.logs / place / f"{function}-mapping.log"
        self.process = ManagedProcess(f"{function}-mapping", argv, log, environment, ROOT)

    def start(self) -> None:
        """Start it; returns when it reads."""
        write_config(self._config_file, self.config)
        status_file(self._config_file, self.function).unlink(missing_ok=True)
        self.process.start()
        self.process.wait_until(
            lambda: (told := self.status()) is not None and told.state == "running", "its mapping runs"
        )

    def status(self) -> MappingStatus | None:
        """What it last told of itself."""
        return read_status(status_file(self._config_file, self.function))

    def is_quiet(self, since_ms: float) -> bool:
        """Whether it has had nothing to do for a while, and looked after ``since_ms``."""
        told = self.status()
        return (
            told is not None
            and told.idle
            and told.backlog == 0
            and told.at_ms - max(told.idle_since_ms or told.at_ms, round(since_ms)) >= QUIET_MS
        )

    def kill_workers(self) -> int:
        """SIGKILL the function's processes; returns how many there were."""
        children = psutil.Process(self.process.record.pid).children()
        for child in children:
            child.send_signal(signal.SIGKILL)
        return len(children)

    def kill_caller(self, port: int) -> None:
        """SIGKILL that of the function's processes which speaks from a port; the others may be anywhere in their work."""
        for child in psutil.Process(self.process.record.pid).children():
            if any(one.laddr and one.laddr.port == port for one in child.net_connections("tcp")):
                child.send_signal(signal.SIGKILL)
                return
        raise AssertionError(f"no process of {self.function} speaks from port {port}")


class Site:
    """Started by :meth:`start`, ended by :meth:`stop`, whatever happened meanwhile."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "run"
        self.logs = folder / "logs"
        self.specs = {name: spec for name, spec in read_functions().items() if name in FUNCTIONS}
        self.broker = Broker(self.folder, self.logs)
        self.cache = Cache(self.folder, self.logs)
        self.aws_api = AwsApi(self.folder, self.logs)
        self.replica = Cache(self.folder / "replica", self.logs / "replica")
        self.aws: dict[str, AwsProxy] = {}
        self.mappings: list[Mapping] = []
        self._clients: dict[str, Any] = {}
        self.delivered: dict[str, list[Alert]] = {}
        self.quarantined: dict[Position, int] = {}

    # Start and stop

    def start(self) -> None:
        """Start everything; returns when all of it works."""
        self.folder.mkdir(parents=True)
        build = [sys.executable, str(ROOT / "functions" / "build_zips.py"), "--arch", "host", *FUNCTIONS]
        with ThreadPoolExecutor() as pool:
            parts = [
                pool.submit(part.start) for part in (self.broker, self.cache, self.aws_api, self.replica)
            ]
            parts.append(pool.submit(_run, build))
            for part in parts:
                part.result()
        rules = (ROOT / "rules" / "default.yaml").read_text()
        self.resources = provision(
            self.aws_api.endpoint, self.broker.endpoint, read_functions(), read_tables(), rules
        )
        self.cache_proxy = TcpProxy(address(self.cache))
        self.cache_proxy.start()
        for function in FUNCTIONS:
            self.aws[function] = AwsProxy(self.aws_api.endpoint)
            self.aws[function].start()
        self.references = self.resources.references(
            f"redis://127.0.0.1:{self.cache_proxy.port}", self.broker.endpoint
        )
        self.mappings = [Mapping(self, function) for function in FUNCTIONS]
        with ThreadPoolExecutor() as pool:
            list(pool.map(Mapping.start, self.mappings))
        self.producer = Producer({"bootstrap.servers": self.broker.endpoint})
        self.cache_now = self.cache

    def stop(self) -> None:
        """End everything that was started."""
        for mapping in self.mappings:
            mapping.process.stop()
        for proxy in self.aws.values():
            proxy.stop()
        if hasattr(self, "cache_proxy"):
            self.cache_proxy.stop()
        for component in (self.broker, self.cache, self.aws_api, self.replica):
            component.stop()

    # Work

    def mapping(self, function: str) -> Mapping:
        """The mapping of a function that was started first."""
        return next(mapping for mapping in self.mappings if mapping.function == function)

    def client(self, service: str) -> Any:
        """A client of the AWS API itself, past the proxies."""
        if service not in self._clients:
            self._clients[service] = make_client(service, self.aws_api.endpoint)
        return self._clients[service]

    def produce(self, records: Sequence[Sent]) -> list[Position]:
        """Write records; returns where they stand."""
        places: dict[int, Position] = {}

        def written(place: int, error: object, message: Any) -> None:
            assert error is None, error
            places[place] = Position(TOPIC, message.partition(), message.offset())

        for place, record in enumerate(records):
            self.producer.produce(
                TOPIC,
                value=record.value,
                key=record.key,
                on_delivery=partial(written, place),
            )
        assert self.producer.flush(60) == 0
        return [places[place] for place in range(len(records))]

    def wait_for(self, is_so: Callable[[], bool], what: str, seconds: float = PATIENCE_SECONDS) -> float:
        """Ask until it is so; returns how long that took, s."""
        started = time.monotonic()
        while not is_so():
            if time.monotonic() - started > seconds:
                told = {mapping.function: mapping.status() for mapping in self.mappings}
                raise AssertionError(f"waited {seconds:.0f} s for {what}; logs in {self.logs}; {told}")
            time.sleep(0.05)
        return time.monotonic() - started

    def be_quiet(self) -> float:
        """Wait until no stage has anything to do; returns how long that took, s, without the quiet itself."""
        since_ms = time.time() * 1000
        waited = self.wait_for(
            lambda: all(mapping.is_quiet(since_ms) for mapping in self.mappings), "all stages to be quiet"
        )
        return max(waited - QUIET_MS / 1000, 0.0)

    @contextmanager
    def second(self, function: str, copy: str | None = None) -> Iterator[Mapping]:
        """Another mapping of a function beside the first, from where the first one's file ``copy`` says."""
        mapping = Mapping(self, function, f"second-{time.monotonic_ns()}")
        if copy is not None:
            mapping.config.state_dir.mkdir(parents=True)
            (mapping.config.state_dir / copy).write_bytes((self.folder / "first" / copy).read_bytes())
        self.mappings.append(mapping)
        try:
            mapping.start()
            yield mapping
        finally:
            self.mappings.remove(mapping)
            mapping.process.stop()

    def mend(self) -> None:
        """Let everything pass again."""
        for proxy in self.aws.values():
            proxy.fault = None
        self.cache_proxy.delay_seconds = 0.0
        self.cache_proxy.on_request = self.cache_proxy.on_response = None
        self.cache_proxy.refuse(False)
        if self.cache_now is not self.cache:
            admin(self.cache).flushall()
            self.cache_proxy.move(address(self.cache))
            self.cache_now = self.cache

    def restart_broker(self) -> None:
        """Kill Kafka, and start it again on its own data."""
        process = self.broker.process
        os.kill(process.record.pid, signal.SIGKILL)
        self.wait_for(lambda: not process.is_running, "Kafka's end")
        process.start()
        self.wait_for(lambda: is_kafka_up(self.broker.endpoint, 2.0), "Kafka")

    def restart_cache(self) -> None:
        """Kill Valkey, and start it again, empty."""
        process = self.cache.process
        os.kill(process.record.pid, signal.SIGKILL)
        self.wait_for(lambda: not process.is_running, "Valkey's end")
        process.start()
        self.wait_for(lambda: is_cache_up(self.cache.endpoint, 1.0), "Valkey")

    def committed(self) -> list[TopicPartition]:
        """What the score stage's consumer group has committed."""
        trigger: Any = self.specs["score"].trigger
        consumer = Consumer({"bootstrap.servers": self.broker.endpoint, "group.id": trigger.consumer_group})
        try:
            partitions = consumer.list_topics(TOPIC, 10).topics[TOPIC].partitions
            return list(consumer.committed([TopicPartition(TOPIC, number) for number in partitions], 10))
        finally:
            consumer.close()

    # What is kept

    def history(self, users: Sequence[str]) -> list[ScoredTransaction]:
        """All rows of these users."""
        pages = self.client("dynamodb").get_paginator("query")
        return [
            from_history_item(item)
            for user in users
            for page in pages.paginate(
                TableName=self.resources.tables[HISTORY_TABLE],
                KeyConditionExpression="user_id = :user",
                ExpressionAttributeValues={":user": {"S": user}},
                ConsistentRead=True,
            )
            for item in page["Items"]
        ]

    def flagged(self, users: Sequence[str]) -> list[FlaggedTransaction]:
        """All flagged rows of these users."""
        pages = self.client("dynamodb").get_paginator("scan")
        rows = (
            from_flagged_item(item)
            for page in pages.paginate(TableName=self.resources.tables[FLAGGED_TABLE], ConsistentRead=True)
            for item in page["Items"]
        )
        wanted = set(users)
        return [row for row in rows if row.user_id in wanted]

    def profiles(self, users: Sequence[str]) -> dict[str, Profile | None]:
        """The profiles that stand in the cache."""
        reading = RedisProfileStore(connect(self.cache_now.endpoint), 90).read(users, [])
        return {user: read_profile(cached) for user, cached in reading.profiles.items()}

    def collect(self) -> None:
        """Take what has come into the alerts' and the quarantine's queues."""
        queues = self.resources.queues
        for body in self._drain(queues[ALERT_INBOX]):
            alert = msgspec.json.decode(body["Message"], type=Alert)
            self.delivered.setdefault(alert.alert_id, []).append(alert)
        for body in self._drain(queues["quarantine"]):
            position = Position(body["topic"], body["partition"], body["offset"])
            self.quarantined[position] = self.quarantined.get(position, 0) + 1

    def dead_letters(self) -> int:
        """Take messages out of all dead-letter queues; returns how many there were."""
        queues = self.resources.queues
        return sum(1 for name in FUNCTIONS for _ in self._drain(queues[dead_letter_name(name)]))

    def _drain(self, url: str) -> Iterator[dict[str, Any]]:
        sqs = self.client("sqs")
        while messages := sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=600
        ).get("Messages"):
            for message in messages:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                yield msgspec.json.decode(message["Body"])


def _run(argv: list[str]) -> None:
    subprocess.run(argv, check=True, capture_output=True)


def address(cache: Cache) -> tuple[str, int]:
    """Host and port of a cache."""
    place = urlsplit(cache.endpoint)
    return place.hostname or "", place.port or 0


def admin(cache: Cache) -> "redis.Redis":
    """A client that commands a cache."""
    return redis.Redis.from_url(cache.endpoint, socket_timeout=5)
