"""Rights that the brokers do not know yet are waited for, a minute at most; any other refusal is final."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from topic_admin.authorization_retry import MAX_WAIT_SECONDS, RETRY_INTERVAL_SECONDS, AuthorizationRetry
from topic_admin.errors import KafkaRefusedError, KafkaUnauthorizedError
from topic_admin.planning import ExistingTopic, RequestedTopic
from topic_admin.stage import apply_request

if TYPE_CHECKING:
    from collections.abc import Callable

TOPIC = {"name": "payments", "partitions": 6, "replication_factor": 3, "configs": {"retention.ms": "1"}}


class Clock:
    """A clock that advances only by waiting."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class GuardedCluster:
    """Topics in memory; the brokers know the role's right to each call from its own moment on."""

    def __init__(self, clock: Clock, known_at: dict[str, float], **topics: ExistingTopic) -> None:
        self._clock = clock
        self._known_at = known_at
        self.topics = topics
        self.tried: list[str] = []

    def describe(self, name: str) -> ExistingTopic | None:
        self._guard("describe", name)
        return self.topics.get(name)

    def create(self, topic: RequestedTopic) -> None:
        self._guard("create", topic.name)
        self.topics[topic.name] = ExistingTopic(topic.partitions, topic.replication_factor, topic.configs)

    def grow(self, name: str, partitions: int) -> None:
        self._guard("grow", name)
        self.topics[name] = ExistingTopic(partitions, 3, self.topics[name].configs)

    def configure(self, name: str, configs: dict[str, str]) -> None:
        self._guard("configure", name)
        self.topics[name] = ExistingTopic(self.topics[name].partitions, 3, configs)

    def _guard(self, call: str, topic: str) -> None:
        self.tried.append(call)
        if self._clock.now < self._known_at.get(call, 0):
            raise KafkaUnauthorizedError(topic, "Broker: Topic authorization failed")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def retrying(clock: Clock) -> Callable[[GuardedCluster], AuthorizationRetry]:
    return lambda cluster: AuthorizationRetry(cluster, clock.monotonic, clock.sleep)


@pytest.mark.parametrize("late", ["describe", "create", "grow", "configure"])
def test_each_call_waits_for_a_right_that_takes_effect_within_the_minute(
    clock: Clock, retrying: Callable[[GuardedCluster], AuthorizationRetry], late: str
) -> None:
    existing = {} if late == "create" else {"payments": ExistingTopic(3, 3, {})}
    cluster = GuardedCluster(clock, {late: clock.now + MAX_WAIT_SECONDS - RETRY_INTERVAL_SECONDS}, **existing)

    apply_request({"topics": [TOPIC]}, retrying(cluster))

    assert cluster.topics["payments"] == ExistingTopic(6, 3, {"retention.ms": "1"})
    assert cluster.tried.count(late) > 1


def test_a_right_that_is_missing_for_longer_ends_the_run_and_says_what_to_check(
    clock: Clock, retrying: Callable[[GuardedCluster], AuthorizationRetry]
) -> None:
    cluster = GuardedCluster(clock, {"describe": clock.now + 2 * MAX_WAIT_SECONDS})

    with pytest.raises(
        KafkaUnauthorizedError,
        match=r"^topic payments: Broker: Topic authorization failed; refused for 60 s, .*the role's policies",
    ):
        apply_request({"topics": [TOPIC]}, retrying(cluster))

    assert clock.now == 1000 + MAX_WAIT_SECONDS
    assert len(cluster.tried) == 1 + MAX_WAIT_SECONDS / RETRY_INTERVAL_SECONDS


def test_all_calls_together_wait_one_minute(
    clock: Clock, retrying: Callable[[GuardedCluster], AuthorizationRetry]
) -> None:
    cluster = GuardedCluster(clock, {"describe": clock.now + 45, "create": clock.now + 90})

    with pytest.raises(KafkaUnauthorizedError):
        apply_request({"topics": [TOPIC]}, retrying(cluster))

    assert clock.now == 1000 + MAX_WAIT_SECONDS


def test_a_request_refused_for_another_reason_is_not_retried(clock: Clock) -> None:
    class RefusingCluster(GuardedCluster):
        def create(self, topic: RequestedTopic) -> None:
            self.tried.append("create")
            raise KafkaRefusedError(topic.name, "no such configuration")

    cluster = RefusingCluster(clock, {})

    with pytest.raises(KafkaRefusedError, match=r"no such configuration$"):
        apply_request({"topics": [TOPIC]}, AuthorizationRetry(cluster, clock.monotonic, clock.sleep))

    assert cluster.tried == ["describe", "create"]
    assert clock.now == 1000


def test_a_minute_is_waited_in_steps_of_three_seconds() -> None:
    assert (MAX_WAIT_SECONDS, RETRY_INTERVAL_SECONDS) == (60.0, 3.0)


@pytest.mark.parametrize(("late_seconds", "is_created"), [(60.0, True), (60.001, False)])
def test_a_right_is_waited_for_up_to_a_minute_and_no_longer(
    clock: Clock,
    retrying: Callable[[GuardedCluster], AuthorizationRetry],
    late_seconds: float,
    is_created: bool,
) -> None:
    cluster = GuardedCluster(clock, {"create": clock.now + late_seconds})

    if is_created:
        apply_request({"topics": [TOPIC]}, retrying(cluster))
    else:
        with pytest.raises(KafkaUnauthorizedError, match="refused for 60 s"):
            apply_request({"topics": [TOPIC]}, retrying(cluster))

    assert ("payments" in cluster.topics) is is_created
    assert cluster.tried == ["describe", *["create"] * 21]


def test_a_minute_begins_with_the_first_refusal(
    clock: Clock, retrying: Callable[[GuardedCluster], AuthorizationRetry]
) -> None:
    cluster = GuardedCluster(clock, {"create": clock.now + 150})
    topics = retrying(cluster)
    topics.describe("payments")
    clock.now += 100

    topics.create(RequestedTopic("payments", 1, 1))

    assert "payments" in cluster.topics
