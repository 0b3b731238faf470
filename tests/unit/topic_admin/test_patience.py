"""Rights that are still spreading are waited for, a minute at most; any other refusal is final at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from topic_admin.errors import KafkaRefusedError, KafkaUnauthorizedError
from topic_admin.patience import PATIENCE_SECONDS, PAUSE_SECONDS, PatientTopics
from topic_admin.planning import StandingTopic, WantedTopic
from topic_admin.stage import apply_request

if TYPE_CHECKING:
    from collections.abc import Callable

TOPIC = {"name": "payments", "partitions": 6, "replication_factor": 3, "configs": {"retention.ms": "1"}}


class Clock:
    """A clock that only waiting moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class GuardedCluster:
    """Topics in memory behind brokers that learn of the role's rights at a moment of the clock, each call's at its own."""

    def __init__(self, clock: Clock, known_at: dict[str, float], **topics: StandingTopic) -> None:
        self._clock = clock
        self._known_at = known_at
        self.topics = topics
        self.tried: list[str] = []

    def describe(self, name: str) -> StandingTopic | None:
        self._guard("describe", name)
        return self.topics.get(name)

    def create(self, topic: WantedTopic) -> None:
        self._guard("create", topic.name)
        self.topics[topic.name] = StandingTopic(topic.partitions, topic.replication_factor, topic.configs)

    def grow(self, name: str, partitions: int) -> None:
        self._guard("grow", name)
        self.topics[name] = StandingTopic(partitions, 3, self.topics[name].configs)

    def configure(self, name: str, configs: dict[str, str]) -> None:
        self._guard("configure", name)
        self.topics[name] = StandingTopic(self.topics[name].partitions, 3, configs)

    def _guard(self, call: str, topic: str) -> None:
        self.tried.append(call)
        if self._clock.now < self._known_at.get(call, 0):
            raise KafkaUnauthorizedError(topic, "Broker: Topic authorization failed")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def patient(clock: Clock) -> Callable[[GuardedCluster], PatientTopics]:
    return lambda cluster: PatientTopics(cluster, clock.monotonic, clock.sleep)


@pytest.mark.parametrize("late", ["describe", "create", "grow", "configure"])
def test_each_call_waits_for_a_right_that_comes_within_the_minute(
    clock: Clock, patient: Callable[[GuardedCluster], PatientTopics], late: str
) -> None:
    standing = {} if late == "create" else {"payments": StandingTopic(3, 3, {})}
    cluster = GuardedCluster(clock, {late: clock.now + PATIENCE_SECONDS - PAUSE_SECONDS}, **standing)

    apply_request({"topics": [TOPIC]}, patient(cluster))

    assert cluster.topics["payments"] == StandingTopic(6, 3, {"retention.ms": "1"})
    assert cluster.tried.count(late) > 1


def test_a_right_that_does_not_come_ends_the_run_and_says_where_to_look(
    clock: Clock, patient: Callable[[GuardedCluster], PatientTopics]
) -> None:
    cluster = GuardedCluster(clock, {"describe": clock.now + 2 * PATIENCE_SECONDS})

    with pytest.raises(
        KafkaUnauthorizedError,
        match=r"^topic payments: Broker: Topic authorization failed; refused for 60 s, .*the role's policies",
    ):
        apply_request({"topics": [TOPIC]}, patient(cluster))

    assert clock.now == 1000 + PATIENCE_SECONDS
    assert len(cluster.tried) == 1 + PATIENCE_SECONDS / PAUSE_SECONDS


def test_all_calls_together_are_given_one_minute(
    clock: Clock, patient: Callable[[GuardedCluster], PatientTopics]
) -> None:
    cluster = GuardedCluster(clock, {"describe": clock.now + 45, "create": clock.now + 90})

    with pytest.raises(KafkaUnauthorizedError):
        apply_request({"topics": [TOPIC]}, patient(cluster))

    assert clock.now == 1000 + PATIENCE_SECONDS


def test_what_is_refused_for_another_reason_is_not_asked_again(clock: Clock) -> None:
    class RefusingCluster(GuardedCluster):
        def create(self, topic: WantedTopic) -> None:
            self.tried.append("create")
            raise KafkaRefusedError(topic.name, "no such configuration")

    cluster = RefusingCluster(clock, {})

    with pytest.raises(KafkaRefusedError, match=r"no such configuration$"):
        apply_request({"topics": [TOPIC]}, PatientTopics(cluster, clock.monotonic, clock.sleep))

    assert cluster.tried == ["describe", "create"]
    assert clock.now == 1000
