"""Creates and changes topics as requested: describe all, plan all, and only then change any."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypedDict

from topic_admin.planning import parse_request, plan_topic

if TYPE_CHECKING:
    from topic_admin.planning import ExistingTopic, RequestedTopic


class Topics(Protocol):
    """The calls to Kafka that this makes."""

    def describe(self, name: str) -> ExistingTopic | None:
        """Describe a topic; None where it does not exist."""
        ...

    def create(self, topic: RequestedTopic) -> None:
        """Create a topic."""
        ...

    def grow(self, name: str, partitions: int) -> None:
        """Add partitions, to this number in all."""
        ...

    def configure(self, name: str, configs: dict[str, str]) -> None:
        """Set these configurations and leave the others."""
        ...


class TopicChange(TypedDict):
    """What was done to one topic."""

    created: bool
    partitions: int
    """How many there are now."""
    configs_set: list[str]
    """Names, in alphabetical order."""


class Response(TypedDict):
    """The answer to Terraform."""

    topics: dict[str, TopicChange]


def apply_request(payload: object, topics: Topics) -> Response:
    """Create and change the topics that a payload names.

    Parameters
    ----------
    payload : object
        ``{"topics": [{"name", "partitions", "replication_factor", "configs"}]}``.
    topics : Topics
        The cluster.

    Returns
    -------
    Response
        For each topic, by name, what was done to it.

    Raises
    ------
    InvalidRequestError, PartitionsShrinkError, ReplicationDiffersError
        Before anything is changed.
    KafkaRefusedError
        Where the brokers refuse a change. Earlier changes stay, and the next run continues from there.
    """
    requested = parse_request(payload).topics
    plans = [plan_topic(topic, topics.describe(topic.name)) for topic in requested]
    done: dict[str, TopicChange] = {}
    for topic, plan in zip(requested, plans, strict=True):
        if plan.is_created:
            topics.create(topic)
        else:
            if plan.partitions is not None:
                topics.grow(topic.name, plan.partitions)
            if plan.configs:
                topics.configure(topic.name, plan.configs)
        done[topic.name] = {
            "created": plan.is_created,
            "partitions": topic.partitions,
            "configs_set": sorted(plan.configs),
        }
    return {"topics": done}
