"""What has to be done to a topic, from how it is and how it should be. Pure: no broker, no clock."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from topic_admin.errors import InvalidRequestError, PartitionsShrinkError, ReplicationDiffersError

TopicName = Annotated[str, Meta(min_length=1, max_length=249, pattern=r"^[a-zA-Z0-9._-]+$")]


class WantedTopic(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A topic as it should be."""

    name: TopicName
    partitions: Annotated[int, Meta(ge=1, le=10_000)]
    replication_factor: Annotated[int, Meta(ge=1, le=15)]
    configs: dict[str, str] = {}
    """Kafka's topic configurations, such as ``retention.ms``; what is not named here is left as it is."""


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An invocation's payload."""

    topics: Annotated[list[WantedTopic], Meta(min_length=1)]


class StandingTopic(msgspec.Struct, frozen=True):
    """A topic as it is."""

    partitions: int
    replication_factor: int
    """The smallest of its partitions'."""
    configs: dict[str, str]


class TopicPlan(msgspec.Struct, frozen=True):
    """What has to be done, in this order; all empty where nothing has to."""

    is_created: bool = False
    partitions: int | None = None
    """How many there are to be in all; None where that does not change."""
    configs: dict[str, str] = {}
    """Those to set."""


def parse_request(payload: object) -> Request:
    """Read an invocation's payload.

    Parameters
    ----------
    payload : object
        As the runtime decoded it.

    Returns
    -------
    Request

    Raises
    ------
    InvalidRequestError
        Naming the field at fault, or the topic that is named twice.
    """
    try:
        request = msgspec.convert(payload, Request)
    except msgspec.ValidationError as error:
        raise InvalidRequestError(f"request: {error}") from error
    names = [topic.name for topic in request.topics]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise InvalidRequestError(f"request: topics named twice: {', '.join(repeated)}")
    return request


def plan_topic(wanted: WantedTopic, standing: StandingTopic | None) -> TopicPlan:
    """Compare a topic with what it should be.

    Parameters
    ----------
    wanted : WantedTopic
        How it should be.
    standing : StandingTopic | None
        How it is; None where there is none.

    Returns
    -------
    TopicPlan
        Empty where the topic is as wanted: a second run does nothing.

    Raises
    ------
    PartitionsShrinkError, ReplicationDiffersError
        Where it would take what Kafka or this function does not do; nothing is to be done then, not even the rest.

    Examples
    --------
    >>> wanted = WantedTopic("payments", partitions=12, replication_factor=3, configs={"retention.ms": "86400000"})
    >>> plan_topic(wanted, StandingTopic(partitions=6, replication_factor=3, configs={"retention.ms": "86400000"}))
    TopicPlan(is_created=False, partitions=12, configs={})
    """
    if standing is None:
        return TopicPlan(is_created=True, partitions=wanted.partitions, configs=wanted.configs)
    if wanted.partitions < standing.partitions:
        raise PartitionsShrinkError(wanted.name, standing.partitions, wanted.partitions)
    if wanted.replication_factor != standing.replication_factor:
        raise ReplicationDiffersError(wanted.name, standing.replication_factor, wanted.replication_factor)
    return TopicPlan(
        partitions=wanted.partitions if wanted.partitions > standing.partitions else None,
        configs={
            name: value for name, value in wanted.configs.items() if standing.configs.get(name) != value
        },
    )
