"""The errors of topic_admin; each ends the invocation, and with it `terraform apply`."""

from contract.errors import ContractError


class TopicError(ContractError):
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


class InvalidRequestError(ContractError):
    """An invocation's payload that is not a list of topics; names the field."""
