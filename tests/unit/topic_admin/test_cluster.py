"""What is asked of Kafka's admin client, and what its answers and errors become."""

from __future__ import annotations

import sys
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin._config import AlterConfigOpType

from topic_admin import cluster
from topic_admin.cluster import KafkaTopics, iam_token
from topic_admin.errors import KafkaRefusedError, KafkaUnauthorizedError
from topic_admin.planning import ExistingTopic, RequestedTopic

AUTHORIZATION_CODES = (
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    KafkaError.SASL_AUTHENTICATION_FAILED,
    KafkaError._AUTHENTICATION,
)


def done(result: Any = None, error: BaseException | None = None) -> Future[Any]:
    """A request that is answered."""
    future: Future[Any] = Future()
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)
    return future


class Admin:
    """The admin client: keeps requests, and answers as the test says."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.config = config
        self.requests: list[tuple[Any, ...]] = []
        self.topic: Any = SimpleNamespace(error=None, partitions={})
        self.entries: dict[str, Any] = {}
        self.answer = done()
        self.refused_sign_in: KafkaError | None = None
        self.unreachable: KafkaError | None = None

    def poll(self, timeout: float) -> None:
        if self.unreachable is not None and self.refused_sign_in is not None and self.requests:
            self.config["error_cb"](self.refused_sign_in)

    def list_topics(self, name: str, timeout: float) -> Any:
        self.requests.append(("list", name, timeout))
        if self.unreachable is not None:
            raise KafkaException(self.unreachable)
        return SimpleNamespace(topics={name: self.topic})

    def describe_configs(self, resources: list[Any], request_timeout: float) -> Any:
        self.requests.append(("describe", resources[0].name, request_timeout))
        return {resources[0]: done(self.entries)}

    def create_topics(self, topics: list[Any], request_timeout: float) -> Any:
        [topic] = topics
        self.requests.append(
            (
                "create",
                topic.topic,
                topic.num_partitions,
                topic.replication_factor,
                topic.config,
                request_timeout,
            )
        )
        return {topic.topic: self.answer}

    def create_partitions(self, topics: list[Any], request_timeout: float) -> Any:
        [topic] = topics
        self.requests.append(("grow", topic.topic, topic.new_total_count, request_timeout))
        return {topic.topic: self.answer}

    def incremental_alter_configs(self, resources: list[Any], request_timeout: float) -> Any:
        [resource] = resources
        entries = [(one.name, one.value, one.incremental_operation) for one in resource.incremental_configs]
        self.requests.append(("configure", resource.name, entries, request_timeout))
        return {resource: self.answer}


@pytest.fixture
def admin(monkeypatch: pytest.MonkeyPatch) -> Admin:
    made = Admin({})

    def make(config: dict[str, Any]) -> Admin:
        made.config = config
        return made

    monkeypatch.setattr(cluster, "AdminClient", make)
    return made


@pytest.fixture
def topics(admin: Admin) -> KafkaTopics:
    return KafkaTopics({"bootstrap.servers": "b:9098"})


def partition(*replicas: int) -> Any:
    return SimpleNamespace(replicas=list(replicas))


def test_the_client_has_the_configuration_and_reports_errors_of_its_own(
    admin: Admin, topics: KafkaTopics
) -> None:
    assert admin.config.keys() == {"bootstrap.servers", "error_cb"}


def test_a_topic_is_described_by_its_partitions_lowest_replication_and_set_configurations(
    admin: Admin, topics: KafkaTopics
) -> None:
    admin.topic.partitions = {0: partition(1, 2, 3), 1: partition(1, 2), 2: partition(3, 2, 1)}
    admin.entries = {
        "a": SimpleNamespace(name="retention.ms", value="1"),
        "b": SimpleNamespace(name="empty", value=""),
        "c": SimpleNamespace(name="unset", value=None),
    }

    found = topics.describe("payments")

    assert found == ExistingTopic(3, 2, {"retention.ms": "1", "empty": ""})
    assert admin.requests == [("list", "payments", 30.0), ("describe", "payments", 30.0)]


def test_an_unknown_topic_is_none(admin: Admin, topics: KafkaTopics) -> None:
    admin.topic.error = KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART)

    assert topics.describe("payments") is None


@pytest.mark.parametrize("code", AUTHORIZATION_CODES)
def test_a_topic_that_the_role_may_not_see_is_an_authorization_error(
    admin: Admin, topics: KafkaTopics, code: int
) -> None:
    admin.topic.error = KafkaError(code)

    with pytest.raises(KafkaUnauthorizedError, match="topic payments: ") as refusal:
        topics.describe("payments")

    assert refusal.value.problem == KafkaError(code).str()


@pytest.mark.parametrize("code", [KafkaError.LEADER_NOT_AVAILABLE, KafkaError._ALL_BROKERS_DOWN])
def test_another_error_of_a_topic_is_a_refusal(admin: Admin, topics: KafkaTopics, code: int) -> None:
    admin.topic.error = KafkaError(code)

    with pytest.raises(KafkaRefusedError) as refusal:
        topics.describe("payments")

    assert type(refusal.value) is KafkaRefusedError


def test_brokers_that_cannot_be_reached_are_a_refusal(admin: Admin, topics: KafkaTopics) -> None:
    admin.unreachable = KafkaError(KafkaError._TRANSPORT)

    with pytest.raises(KafkaRefusedError, match="topic payments: ") as refusal:
        topics.describe("payments")

    assert type(refusal.value) is KafkaRefusedError
    assert isinstance(refusal.value.__cause__, KafkaException)


def test_unreachable_brokers_that_refused_the_sign_in_are_an_authorization_error(
    admin: Admin, topics: KafkaTopics
) -> None:
    admin.unreachable = KafkaError(KafkaError._TRANSPORT)
    admin.refused_sign_in = KafkaError(KafkaError.SASL_AUTHENTICATION_FAILED)

    with pytest.raises(KafkaUnauthorizedError):
        topics.describe("payments")


def test_an_error_of_the_client_that_is_not_about_its_sign_in_is_ignored(
    admin: Admin, topics: KafkaTopics
) -> None:
    admin.unreachable = KafkaError(KafkaError._TRANSPORT)
    admin.refused_sign_in = KafkaError(KafkaError._ALL_BROKERS_DOWN)

    with pytest.raises(KafkaRefusedError) as refusal:
        topics.describe("payments")

    assert type(refusal.value) is KafkaRefusedError


def test_a_refused_sign_in_is_forgotten_by_the_next_call(admin: Admin, topics: KafkaTopics) -> None:
    admin.unreachable = KafkaError(KafkaError._TRANSPORT)
    admin.refused_sign_in = KafkaError(KafkaError._AUTHENTICATION)
    with pytest.raises(KafkaUnauthorizedError):
        topics.describe("payments")
    admin.refused_sign_in = None

    with pytest.raises(KafkaRefusedError) as refusal:
        topics.describe("payments")

    assert type(refusal.value) is KafkaRefusedError


def test_a_topic_is_created_grown_and_configured_as_requested(admin: Admin, topics: KafkaTopics) -> None:
    topics.create(RequestedTopic("payments", 6, 3, {"retention.ms": "1"}))
    topics.grow("payments", 12)
    topics.configure("payments", {"retention.ms": "2"})

    assert admin.requests == [
        ("create", "payments", 6, 3, {"retention.ms": "1"}, 30.0),
        ("grow", "payments", 12, 30.0),
        ("configure", "payments", [("retention.ms", "2", AlterConfigOpType.SET)], 30.0),
    ]


CHANGES: Any = [
    lambda topics: topics.create(RequestedTopic("payments", 1, 1)),
    lambda topics: topics.grow("payments", 2),
    lambda topics: topics.configure("payments", {"a": "b"}),
]


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_that_the_brokers_refuse_names_the_topic_and_the_reason(
    admin: Admin, topics: KafkaTopics, change: Any
) -> None:
    error = KafkaException(KafkaError(KafkaError.INVALID_CONFIG, "no such configuration"))
    admin.answer = done(error=error)

    with pytest.raises(KafkaRefusedError, match=r"^topic payments: no such configuration$") as refusal:
        change(topics)

    assert type(refusal.value) is KafkaRefusedError
    assert refusal.value.__cause__ is error


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_for_which_rights_are_missing_is_an_authorization_error(
    admin: Admin, topics: KafkaTopics, change: Any
) -> None:
    admin.answer = done(error=KafkaException(KafkaError(KafkaError.CLUSTER_AUTHORIZATION_FAILED)))

    with pytest.raises(KafkaUnauthorizedError):
        change(topics)


def test_a_change_that_is_not_answered_in_time_says_how_long(admin: Admin, topics: KafkaTopics) -> None:
    waited: list[float] = []

    class Unanswered(Future[Any]):
        def result(self, timeout: float | None = None) -> Any:
            assert timeout is not None
            waited.append(timeout)
            raise TimeoutError

    admin.answer = Unanswered()

    with pytest.raises(KafkaRefusedError, match=r"^topic payments: no answer within 30 s$"):
        topics.grow("payments", 2)

    assert waited == [30.0]


def test_token_expires_in_seconds_since_the_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    signed: list[str] = []

    class Provider:
        @staticmethod
        def generate_auth_token(region: str) -> tuple[str, int]:
            signed.append(region)
            return "token", 1_790_000_000_500

    monkeypatch.setitem(
        sys.modules, "aws_msk_iam_sasl_signer", SimpleNamespace(MSKAuthTokenProvider=Provider)
    )

    assert iam_token("eu-central-1") == ("token", 1_790_000_000.5)
    assert signed == ["eu-central-1"]


def test_error_of_a_request_that_was_retried_says_how_long_and_what_to_check() -> None:
    error = KafkaUnauthorizedError("payments", "refused").after(59.6)

    assert str(error) == (
        "topic payments: refused; refused for 60 s, longer than a new policy takes to reach the brokers: "
        "check what the role's policies allow on the cluster and the topic"
    )
