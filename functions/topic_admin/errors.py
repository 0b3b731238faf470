"""The errors of topic_admin; each ends the invocation, and with it `terraform apply`."""

from __future__ import annotations

from common.errors import StageError


class TopicError(StageError):
    """Something about one topic; names it.

    Parameters
    ----------
    topic : str
        The topic.
    problem : str
        What is wrong, as half a sentence.
    """

    def __init__(self, topic: str, problem: str) -> None:
        super().__init__(f"topic {topic}: {problem}")
        self.topic = topic
        self.problem = problem


class PartitionsShrinkError(TopicError):
    """Fewer partitions than there are: Kafka cannot, and users would move to other partitions if it could."""

    def __init__(self, topic: str, standing: int, wanted: int) -> None:
        super().__init__(topic, f"has {standing} partitions and cannot be given {wanted}; they only grow")
        self.standing = standing
        self.wanted = wanted


class ReplicationDiffersError(TopicError):
    """Another number of copies than there is: that is a reassignment of partitions, an operator's work."""

    def __init__(self, topic: str, standing: int, wanted: int) -> None:
        super().__init__(
            topic,
            f"is kept in {standing} copies and not in {wanted}; partitions have to be reassigned, which this does not do",
        )
        self.standing = standing
        self.wanted = wanted


class KafkaRefusedError(TopicError):
    """A request that the brokers refused or did not answer in time."""


class KafkaUnauthorizedError(KafkaRefusedError):
    """A request that the brokers refused for want of rights, or a sign-in that they did not take."""

    def lasting(self, seconds: float) -> KafkaUnauthorizedError:
        """Make the error of one that was asked again for so long."""
        return KafkaUnauthorizedError(
            self.topic,
            f"{self.problem}; refused for {seconds:.0f} s, which is longer than a new policy takes to spread: "
            "see what the role's policies allow on the cluster and the topic",
        )


class InvalidRequestError(StageError):
    """An invocation's payload that is not a list of topics; names the field."""
