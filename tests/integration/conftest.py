"""Real servers for the integration tests. Each starts when a test first needs it, and stops after the last test of this folder."""

from __future__ import annotations

import gc
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import redis
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from local.components.aws_api import CREDENTIALS, REGION, AwsApi, make_client
from local.components.broker import Broker
from local.components.cache import Cache
from local.components.dynamodb_local import DynamoDbLocal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

KAFKA_REQUEST_SECONDS = 30.0


@pytest.fixture(scope="package")
def server_dirs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Where the servers keep data and logs."""
    return tmp_path_factory.mktemp("servers"), tmp_path_factory.mktemp("logs")


@pytest.fixture(scope="package")
def kafka_bootstrap(server_dirs: tuple[Path, Path]) -> Iterator[str]:
    """``host:port`` of the shared Kafka broker; it has only the topics that tests create."""
    with Broker(*server_dirs) as broker:
        yield broker.endpoint
        # A client that is still referenced by a caught exception would try to reach the stopped broker, and log that to stderr.
        gc.collect()


@pytest.fixture(scope="package")
def cache_server(server_dirs: tuple[Path, Path]) -> Iterator[Cache]:
    """The shared Valkey."""
    with Cache(*server_dirs) as cache:
        yield cache


@pytest.fixture(scope="package")
def cache_endpoint(cache_server: Cache) -> str:
    """``redis://`` URL of the shared Valkey, with the rights that functions have in AWS."""
    return cache_server.functions_endpoint


@pytest.fixture(scope="package")
def aws_endpoint(server_dirs: tuple[Path, Path]) -> Iterator[str]:
    """Endpoint URL of the shared MiniStack."""
    with AwsApi(*server_dirs) as aws_api:
        yield aws_api.endpoint


@pytest.fixture(scope="package")
def dynamodb_local_endpoint(server_dirs: tuple[Path, Path]) -> Iterator[str]:
    """Endpoint URL of the shared DynamoDB Local, AWS's own."""
    with DynamoDbLocal(*server_dirs) as dynamodb_local:
        yield dynamodb_local.endpoint


@pytest.fixture
def redis_client(cache_server: Cache) -> Iterator[redis.Redis]:
    """An administrator's client of the shared Valkey, which is empty when the test begins. It returns bytes."""
    with redis.Redis.from_url(cache_server.endpoint) as client:
        client.flushall()
        yield client


@pytest.fixture
def aws_client(aws_endpoint: str) -> Callable[[str], Any]:
    """Factory: a boto3 client of one service on the shared MiniStack."""
    return lambda service: make_client(service, aws_endpoint)


@pytest.fixture
def dynamodb_local(dynamodb_local_endpoint: str) -> Any:
    """A boto3 DynamoDB client of the shared DynamoDB Local."""
    return make_client("dynamodb", dynamodb_local_endpoint)


@pytest.fixture
def aws_environment(aws_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The variables that point any AWS SDK at the shared MiniStack: set during the test, and returned as a dict."""
    variables = {
        "AWS_ENDPOINT_URL": aws_endpoint,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        # Without credentials here, boto3 would search for them on the network.
        "AWS_EC2_METADATA_DISABLED": "true",
        **CREDENTIALS,
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return variables


@pytest.fixture
def unique_name() -> Callable[[str], str]:
    """Factory: a name that no other test has, for topics, tables, queues and buckets of the shared servers."""
    return lambda stem: f"{stem}-{uuid.uuid4().hex[:10]}"


@dataclass(frozen=True)
class Topics:
    """Creates topics on the shared broker."""

    bootstrap: str

    def create(self, name: str, partitions: int = 1) -> str:
        """Create a topic; return its name when the broker has it."""
        admin = AdminClient({"bootstrap.servers": self.bootstrap})
        for future in admin.create_topics([NewTopic(name, partitions, 1)]).values():
            future.result(KAFKA_REQUEST_SECONDS)
        return name


@pytest.fixture
def topics(kafka_bootstrap: str) -> Topics:
    """Factory of Kafka topics: ``topics.create(unique_name("in"), partitions=2)``."""
    return Topics(kafka_bootstrap)
