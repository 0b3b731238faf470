"""The errors of topic_admin. Each ends the invocation, and `terraform apply` with it."""

from __future__ import annotations

from common.errors import StageError


class TopicError(StageError):
    """An error about one topic; names it.

    Parameters
    ----------
    topic : str
        The topic.
    problem : str
        What is wrong, to follow the topic's name.
    """

    def __init__(self, topic: str, problem: str) -> None:
        super().__init__(f"topic {topic}: {problem}")
        self.topic = topic
        self.problem = problem


class PartitionsShrinkError(TopicError):
    """Fewer partitions than exist: Kafka cannot remove any, and users would move to other partitions if it could."""

    def __init__(self, topic: str, existing: int, requested: int) -> None:
        super().__init__(
            topic, f"has {existing} partitions and cannot be given {requested}; partitions can only be added"
        )
        self.existing = existing
        self.requested = requested


class ReplicationDiffersError(TopicError):
    """Another number of copies than exists: that needs a reassignment of partitions, by an operator."""

    def __init__(self, topic: str, existing: int, requested: int) -> None:
        super().__init__(
            topic,
            f"has {existing} copies and not {requested}; changing that needs a reassignment of partitions, by an operator",
        )
        self.existing = existing
        self.requested = requested


class KafkaRefusedError(TopicError):
    """A request that the brokers refused or did not answer in time."""


class KafkaUnauthorizedError(KafkaRefusedError):
    """A request that the brokers refused for missing permissions, or a sign-in that they rejected."""

    def after(self, seconds: float) -> KafkaUnauthorizedError:
        """Make the error of a request that was retried for so long."""
        return KafkaUnauthorizedError(
            self.topic,
            f"{self.problem}; refused for {seconds:.0f} s, longer than a new policy takes to reach the brokers: "
            "check what the role's policies allow on the cluster and the topic",
        )


class InvalidRequestError(StageError):
    """An invocation's payload that is not a list of topics; names the field."""
