"""All topics are described before any is changed, and the answer says what was done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from topic_admin.errors import KafkaRefusedError, PartitionsShrinkError
from topic_admin.planning import ExistingTopic
from topic_admin.stage import apply_request

if TYPE_CHECKING:
    from topic_admin.planning import RequestedTopic


class Cluster:
    """Topics in memory, and the changes made to them."""

    def __init__(self, **topics: ExistingTopic) -> None:
        self.topics = topics
        self.changes: list[tuple[object, ...]] = []

    def describe(self, name: str) -> ExistingTopic | None:
        return self.topics.get(name)

    def create(self, topic: RequestedTopic) -> None:
        self.changes.append(("create", topic.name))
        self.topics[topic.name] = ExistingTopic(topic.partitions, topic.replication_factor, topic.configs)

    def grow(self, name: str, partitions: int) -> None:
        self.changes.append(("grow", name, partitions))
        existing = self.topics[name]
        self.topics[name] = ExistingTopic(partitions, existing.replication_factor, existing.configs)

    def configure(self, name: str, configs: dict[str, str]) -> None:
        if "refused" in configs:
            raise KafkaRefusedError(name, "no such configuration")
        self.changes.append(("configure", name, configs))
        existing = self.topics[name]
        merged = {**existing.configs, **configs}
        self.topics[name] = ExistingTopic(existing.partitions, existing.replication_factor, merged)


def _topic(name: str, partitions: int = 6, **configs: str) -> dict[str, object]:
    return {"name": name, "partitions": partitions, "replication_factor": 3, "configs": configs}


def test_missing_topics_are_created_and_the_others_changed() -> None:
    cluster = Cluster(old=ExistingTopic(3, 3, {"retention": "1"}))

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


def test_a_topic_that_cannot_be_changed_leaves_all_topics_unchanged() -> None:
    cluster = Cluster(old=ExistingTopic(12, 3, {}))

    with pytest.raises(PartitionsShrinkError, match="topic old"):
        apply_request({"topics": [_topic("new"), _topic("old")]}, cluster)

    assert cluster.changes == []


def test_a_refusal_of_the_brokers_ends_the_run_and_names_the_topic() -> None:
    cluster = Cluster(old=ExistingTopic(6, 3, {}))

    with pytest.raises(KafkaRefusedError, match="topic old: no such configuration"):
        apply_request({"topics": [_topic("old", refused="1")]}, cluster)


def test_configurations_that_were_set_are_named_in_alphabetical_order() -> None:
    response = apply_request({"topics": [_topic("new", b="1", a="2")]}, Cluster())

    assert response["topics"]["new"]["configs_set"] == ["a", "b"]
