"""A real broker that requires a sign-in and rights, and learns of both while the function is already retrying."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._acl import AclBinding, AclOperation, AclPermissionType
from confluent_kafka.admin._resource import ResourcePatternType, ResourceType
from confluent_kafka.admin._scram import (
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from local.components.broker import Broker
from local.components.component import HOST
from local.processes import free_port
from topic_admin import cluster
from topic_admin.authorization_retry import MAX_WAIT_SECONDS, AuthorizationRetry
from topic_admin.cluster import KafkaTopics
from topic_admin.errors import KafkaUnauthorizedError
from topic_admin.stage import apply_request

if TYPE_CHECKING:
    from collections.abc import Iterator

REQUEST_SECONDS = 30.0


class GuardedBroker(Broker):
    """A broker with a second listener: its users sign in, and may do what an ACL allows. On the first all is allowed."""

    guarded_endpoint = ""

    def _format_storage(self, argv: tuple[str, ...]) -> None:
        port = free_port()
        self.guarded_endpoint = f"{HOST}:{port}"
        properties = self._folder / "server.properties"
        lines = dict(line.split("=", 1) for line in properties.read_text().splitlines())
        lines |= {
            "listeners": f"{lines['listeners']},GUARDED://{HOST}:{port}",
            "advertised.listeners": f"{lines['advertised.listeners']},GUARDED://{HOST}:{port}",
            "listener.security.protocol.map": f"{lines['listener.security.protocol.map']},GUARDED:SASL_PLAINTEXT",
            "listener.name.guarded.sasl.enabled.mechanisms": "SCRAM-SHA-256",
            "listener.name.guarded.scram-sha-256.sasl.jaas.config": "org.apache.kafka.common.security.scram.ScramLoginModule required;",
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS",
        }
        properties.write_text("".join(f"{name}={value}\n" for name, value in lines.items()))
        super()._format_storage(argv)


class Administrator:
    """Creates users and ACLs while the function waits; calling it again changes nothing."""

    def __init__(self, broker: GuardedBroker) -> None:
        self._client = AdminClient({"bootstrap.servers": broker.endpoint})

    def make_user(self, user: str) -> None:
        credential = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_256, 4096)
        upsertion = UserScramCredentialUpsertion(user, credential, b"secret")
        self._client.alter_user_scram_credentials([upsertion])[user].result(REQUEST_SECONDS)

    def allow(self, user: str, topic: str) -> None:
        binding = AclBinding(
            ResourceType.TOPIC,
            topic,
            ResourcePatternType.LITERAL,
            f"User:{user}",
            "*",
            AclOperation.ALL,
            AclPermissionType.ALLOW,
        )
        self._client.create_acls([binding])[binding].result(REQUEST_SECONDS)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuardedBroker]:
    with GuardedBroker(tmp_path_factory.mktemp("guarded"), tmp_path_factory.mktemp("logs")) as guarded:
        yield guarded


@pytest.fixture
def administrator(broker: GuardedBroker) -> Administrator:
    return Administrator(broker)


def _topics(broker: GuardedBroker, user: str) -> KafkaTopics:
    return KafkaTopics(
        {
            "bootstrap.servers": broker.guarded_endpoint,
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanisms": "SCRAM-SHA-256",
            "sasl.username": user,
            "sasl.password": "secret",
            "log_level": 0,
        }
    )


def _request(name: str) -> dict[str, Any]:
    return {"topics": [{"name": name, "partitions": 2, "replication_factor": 1}]}


def test_a_right_that_the_broker_does_not_know_yet_is_waited_for(
    broker: GuardedBroker, administrator: Administrator
) -> None:
    administrator.make_user("early")
    topics = AuthorizationRetry(
        _topics(broker, "early"), sleep=lambda _: administrator.allow("early", "rights-early")
    )

    response = apply_request(_request("rights-early"), topics)

    assert response["topics"]["rights-early"]["created"] is True


def test_a_user_that_the_broker_does_not_know_yet_is_waited_for(
    broker: GuardedBroker, administrator: Administrator, monkeypatch: pytest.MonkeyPatch
) -> None:
    # To the client a refused sign-in looks like an unreachable broker: it retries for all of this time. Two seconds suffice here.
    monkeypatch.setattr(cluster, "REQUEST_SECONDS", 2.0)
    topics = AuthorizationRetry(
        _topics(broker, "newcomer"), sleep=lambda _: administrator.make_user("newcomer")
    )
    administrator.allow("newcomer", "rights-newcomer")

    response = apply_request(_request("rights-newcomer"), topics)

    assert response["topics"]["rights-newcomer"]["created"] is True


def test_rights_that_are_never_given_end_the_run_naming_the_topic(
    broker: GuardedBroker, administrator: Administrator
) -> None:
    administrator.make_user("stranger")
    waited = [0.0]
    topics = AuthorizationRetry(
        _topics(broker, "stranger"),
        monotonic=lambda: waited[-1],
        sleep=lambda seconds: waited.append(waited[-1] + seconds),
    )

    with pytest.raises(KafkaUnauthorizedError, match=r"^topic rights-stranger: .*authorization failed"):
        apply_request(_request("rights-stranger"), topics)

    assert waited[-1] == MAX_WAIT_SECONDS
