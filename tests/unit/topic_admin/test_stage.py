"""All topics are looked at before any is changed, and the answer tells what was done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from topic_admin.errors import KafkaRefusedError, PartitionsShrinkError
from topic_admin.planning import StandingTopic
from topic_admin.stage import apply_request

if TYPE_CHECKING:
    from topic_admin.planning import WantedTopic


class Cluster:
    """Topics in memory, and the changes made to them."""

    def __init__(self, **topics: StandingTopic) -> None:
        self.topics = topics
        self.changes: list[tuple[object, ...]] = []

    def describe(self, name: str) -> StandingTopic | None:
        return self.topics.get(name)

    def create(self, topic: WantedTopic) -> None:
        self.changes.append(("create", topic.name))
        self.topics[topic.name] = StandingTopic(topic.partitions, topic.replication_factor, topic.configs)

    def grow(self, name: str, partitions: int) -> None:
        self.changes.append(("grow", name, partitions))
        standing = self.topics[name]
        self.topics[name] = StandingTopic(partitions, standing.replication_factor, standing.configs)

    def configure(self, name: str, configs: dict[str, str]) -> None:
        if "refused" in configs:
            raise KafkaRefusedError(name, "no such configuration")
        self.changes.append(("configure", name, configs))
        standing = self.topics[name]
        merged = {**standing.configs, **configs}
        self.topics[name] = StandingTopic(standing.partitions, standing.replication_factor, merged)


def _topic(name: str, partitions: int = 6, **configs: str) -> dict[str, object]:
    return {"name": name, "partitions": partitions, "replication_factor": 3, "configs": configs}


def test_missing_topics_are_created_and_the_others_changed() -> None:
    cluster = Cluster(old=StandingTopic(3, 3, {"retention": "1"}))

    response = apply_request({"topics": [_topic("new"), _topic("old", retention="2")]}, cluster)

    assert cluster.changes == [
        ("create", "new"),
        ("grow", "old", 6),
        ("configure", "old", {"retention": "2"}),
    ]
    assert response == {
        "topics": {
            "new": {"created": True, "partitions": 6, "configs_set": []},
            "old": {"created": False, "partitions": 6, "configs_set": ["retention"]},
        }
    }


def test_a_second_run_changes_nothing() -> None:
    cluster = Cluster()
    apply_request({"topics": [_topic("new", retention="2")]}, cluster)
    cluster.changes.clear()

    response = apply_request({"topics": [_topic("new", retention="2")]}, cluster)

    assert cluster.changes == []
    assert response == {"topics": {"new": {"created": False, "partitions": 6, "configs_set": []}}}


def test_a_topic_that_cannot_be_had_keeps_all_topics_as_they_are() -> None:
    cluster = Cluster(old=StandingTopic(12, 3, {}))

    with pytest.raises(PartitionsShrinkError, match="topic old"):
        apply_request({"topics": [_topic("new"), _topic("old")]}, cluster)

    assert cluster.changes == []


def test_what_the_brokers_refuse_ends_the_run_and_names_the_topic() -> None:
    cluster = Cluster(old=StandingTopic(6, 3, {}))

    with pytest.raises(KafkaRefusedError, match="topic old: no such configuration"):
        apply_request({"topics": [_topic("old", refused="1")]}, cluster)
