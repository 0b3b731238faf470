"""The cluster's topics, by Kafka's admin protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import AlterConfigOpType, ConfigEntry, ConfigResource
from confluent_kafka.admin._resource import ResourceType
from confluent_kafka.cimpl import NewPartitions, NewTopic

from topic_admin.errors import KafkaRefusedError, KafkaUnauthorizedError
from topic_admin.planning import ExistingTopic, RequestedTopic

if TYPE_CHECKING:
    from concurrent.futures import Future

    from topic_admin.settings import Settings

REQUEST_SECONDS: Final = 30.0
"""Time-out of one request; the first controller of a new cluster is slow."""

AUTHORIZATION_ERRORS: Final = frozenset(
    {
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
        KafkaError.SASL_AUTHENTICATION_FAILED,
        KafkaError._AUTHENTICATION,
    }
)
"""Codes by which brokers, or librdkafka, refuse the caller and not the request."""

ResultT = TypeVar("ResultT")


def client_config(settings: Settings, region: str) -> dict[str, Any]:
    """Write librdkafka's configuration.

    Parameters
    ----------
    settings : Settings
        Brokers, and whether to sign in.
    region : str
        Region that IAM tokens are signed for.

    Returns
    -------
    dict
        For `AdminClient`.
    """
    config: dict[str, Any] = {
        "bootstrap.servers": settings.kafka_bootstrap_servers,
        "security.protocol": settings.kafka_security_protocol,
    }
    if settings.kafka_security_protocol == "SASL_SSL":
        config["sasl.mechanisms"] = "OAUTHBEARER"
        config["oauth_cb"] = lambda _config: iam_token(region)
    return config


def iam_token(region: str) -> tuple[str, float]:
    """Sign a token with the function's own role.

    Parameters
    ----------
    region : str
        The cluster's region.

    Returns
    -------
    tuple[str, float]
        The token, and its expiry in seconds since the epoch, as librdkafka's callback returns them.
    """
    # Imported here: only a cluster with a sign-in needs it, and the import is slow.
    from aws_msk_iam_sasl_signer import (  # type: ignore[import-untyped]
        MSKAuthTokenProvider,
    )

    token, expires_at_ms = MSKAuthTokenProvider.generate_auth_token(region)
    return token, expires_at_ms / 1000


class _SignIn:
    """The brokers' refusal of the client's sign-in, which no call returns."""

    def __init__(self) -> None:
        self.refusal: KafkaError | None = None

    def record(self, error: KafkaError) -> None:
        if error.code() in AUTHORIZATION_ERRORS:
            self.refusal = error


class KafkaTopics:
    """The topics of one cluster.

    Parameters
    ----------
    config : dict
        From `client_config`. The client connects on first use.
    """

    def __init__(self, config: dict[str, Any]) -> None:
        # A separate object: a callback to this one would make a cycle, and the client's threads would outlive it.
        self._sign_in = _SignIn()
        self._client = AdminClient(config | {"error_cb": self._sign_in.record})

    def describe(self, name: str) -> ExistingTopic | None:
        """Describe a topic; None where it does not exist.

        Raises
        ------
        KafkaUnauthorizedError
            Where the brokers refuse the role or its sign-in.
        KafkaRefusedError
            Where the brokers refuse the request or cannot be reached.
        """
        self._sign_in.refusal = None
        self._client.poll(0)  # calls the sign-in's callback, as the calls below do
        try:
            found = self._client.list_topics(name, timeout=REQUEST_SECONDS).topics[name]
        except KafkaException as error:
            # A refused sign-in looks like unreachable brokers: the client retries until the time-out.
            self._client.poll(0)
            raise _refusal(name, self._sign_in.refusal or error.args[0]) from error
        if found.error is not None:
            if found.error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                return None
            raise _refusal(name, found.error)
        resource = ConfigResource(ResourceType.TOPIC, name)
        answers = self._client.describe_configs([resource], request_timeout=REQUEST_SECONDS)
        entries = _result(name, answers[resource])
        return ExistingTopic(
            partitions=len(found.partitions),
            replication_factor=min(len(partition.replicas) for partition in found.partitions.values()),
            configs={entry.name: entry.value for entry in entries.values() if entry.value is not None},
        )

    def create(self, topic: RequestedTopic) -> None:
        """Create a topic; KafkaRefusedError where that fails."""
        new = NewTopic(topic.name, topic.partitions, topic.replication_factor, config=topic.configs)
        _result(topic.name, self._client.create_topics([new], request_timeout=REQUEST_SECONDS)[topic.name])

    def grow(self, name: str, partitions: int) -> None:
        """Add partitions, to this number in all; KafkaRefusedError where that fails."""
        new = NewPartitions(name, partitions)
        _result(name, self._client.create_partitions([new], request_timeout=REQUEST_SECONDS)[name])

    def configure(self, name: str, configs: dict[str, str]) -> None:
        """Set these configurations and leave the others; KafkaRefusedError where that fails."""
        entries = [
            ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET)
            for key, value in configs.items()
        ]
        resource = ConfigResource(ResourceType.TOPIC, name, incremental_configs=entries)
        answers = self._client.incremental_alter_configs([resource], request_timeout=REQUEST_SECONDS)
        _result(name, answers[resource])


def _refusal(topic: str, error: KafkaError) -> KafkaRefusedError:
    kind = KafkaUnauthorizedError if error.code() in AUTHORIZATION_ERRORS else KafkaRefusedError
    return kind(topic, error.str())


def _result(topic: str, future: Future[ResultT]) -> ResultT:
    try:
        return future.result(REQUEST_SECONDS)
    except KafkaException as error:
        raise _refusal(topic, error.args[0]) from error
    except TimeoutError as error:
        raise KafkaRefusedError(topic, f"no answer within {REQUEST_SECONDS:.0f} s") from error
