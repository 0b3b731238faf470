"""The cluster, by Kafka's admin protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import AlterConfigOpType, ConfigEntry, ConfigResource
from confluent_kafka.admin._resource import ResourceType
from confluent_kafka.cimpl import NewPartitions, NewTopic

from topic_admin.errors import KafkaRefusedError, KafkaUnauthorizedError
from topic_admin.planning import StandingTopic, WantedTopic

if TYPE_CHECKING:
    from concurrent.futures import Future

    from topic_admin.settings import Settings

REQUEST_SECONDS: Final = 30.0
"""How long the brokers may take over one request; a new cluster's first controller is slow."""

WANT_OF_RIGHTS: Final = frozenset(
    {
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
        KafkaError.SASL_AUTHENTICATION_FAILED,
        KafkaError._AUTHENTICATION,
    }
)
"""Codes with which brokers, and librdkafka for them, refuse who asks and not what is asked."""

ResultT = TypeVar("ResultT")


def client_config(settings: Settings, region: str) -> dict[str, Any]:
    """Write librdkafka's configuration.

    Parameters
    ----------
    settings : Settings
        Brokers, and whether to sign in.
    region : str
        That IAM tokens are signed for.

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
        The cluster's.

    Returns
    -------
    tuple[str, float]
        The token, and when it expires in seconds since the epoch: what librdkafka's callback gives.
    """
    # Here and not above: only a cluster that asks for a sign-in needs it, and it takes its time to import.
    from aws_msk_iam_sasl_signer import (  # type: ignore[import-untyped]
        MSKAuthTokenProvider,
    )

    token, expires_at_ms = MSKAuthTokenProvider.generate_auth_token(region)
    return token, expires_at_ms / 1000


class _SignIn:
    """What the brokers said of the client's sign-in, which no call gives back."""

    def __init__(self) -> None:
        self.refusal: KafkaError | None = None

    def note(self, error: KafkaError) -> None:
        if error.code() in WANT_OF_RIGHTS:
            self.refusal = error


class KafkaTopics:
    """The topics of one cluster.

    Parameters
    ----------
    config : dict
        `client_config`'s. The client connects when it is first used.
    """

    def __init__(self, config: dict[str, Any]) -> None:
        # An object of its own: a callback that led back here would be a cycle, and keep the client's threads when this is gone.
        self._sign_in = _SignIn()
        self._client = AdminClient(config | {"error_cb": self._sign_in.note})

    def describe(self, name: str) -> StandingTopic | None:
        """Tell how a topic is; None where there is none.

        Raises
        ------
        KafkaUnauthorizedError
            Where the brokers refuse the role, or its sign-in.
        KafkaRefusedError
            Where the brokers cannot be reached or do not say.
        """
        self._sign_in.refusal = None
        self._client.poll(0)  # the sign-in's callback is served here and by the calls below
        try:
            found = self._client.list_topics(name, timeout=REQUEST_SECONDS).topics[name]
        except KafkaException as error:
            # A refused sign-in looks like brokers that are away: the client tries again until the time is over.
            self._client.poll(0)
            raise _refusal(name, self._sign_in.refusal or error.args[0]) from error
        if found.error is not None:
            if found.error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                return None
            raise _refusal(name, found.error)
        resource = ConfigResource(ResourceType.TOPIC, name)
        answers = self._client.describe_configs([resource], request_timeout=REQUEST_SECONDS)
        entries = _result(name, answers[resource])
        return StandingTopic(
            partitions=len(found.partitions),
            replication_factor=min(len(partition.replicas) for partition in found.partitions.values()),
            configs={entry.name: entry.value for entry in entries.values() if entry.value is not None},
        )

    def create(self, topic: WantedTopic) -> None:
        """Create a topic; KafkaRefusedError where that fails."""
        new = NewTopic(topic.name, topic.partitions, topic.replication_factor, config=topic.configs)
        _result(topic.name, self._client.create_topics([new], request_timeout=REQUEST_SECONDS)[topic.name])

    def grow(self, name: str, partitions: int) -> None:
        """Let a topic have so many partitions in all; KafkaRefusedError where that fails."""
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
    kind = KafkaUnauthorizedError if error.code() in WANT_OF_RIGHTS else KafkaRefusedError
    return kind(topic, error.str())


def _result(topic: str, future: Future[ResultT]) -> ResultT:
    try:
        return future.result(REQUEST_SECONDS)
    except KafkaException as error:
        raise _refusal(topic, error.args[0]) from error
    except TimeoutError as error:
        raise KafkaRefusedError(topic, f"no answer within {REQUEST_SECONDS:.0f} s") from error
