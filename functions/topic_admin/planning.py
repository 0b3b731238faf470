"""Which changes a topic needs, from how it is and how it should be. Pure: no broker, no clock."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from topic_admin.errors import InvalidRequestError, PartitionsShrinkError, ReplicationDiffersError

TopicName = Annotated[str, Meta(max_length=249, pattern=r"^[a-zA-Z0-9._-]+$")]


class RequestedTopic(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A topic as it should be."""

    name: TopicName
    partitions: Annotated[int, Meta(ge=1, le=10_000)]
    replication_factor: Annotated[int, Meta(ge=1, le=15)]
    configs: dict[str, str] = {}
    """Kafka's topic configurations, such as ``retention.ms``; others are left unchanged."""


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An invocation's payload."""

    topics: Annotated[list[RequestedTopic], Meta(min_length=1)]


class ExistingTopic(msgspec.Struct, frozen=True):
    """A topic as it exists."""

    partitions: int
    replication_factor: int
    """The lowest of all its partitions."""
    configs: dict[str, str]


class TopicPlan(msgspec.Struct, frozen=True):
    """Changes to make, in this order; all empty where there are none."""

    is_created: bool = False
    partitions: int | None = None
    """New number in all; None where it does not change."""
    configs: dict[str, str] = {}
    """Configurations to set."""


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
        Naming the invalid field, or the topics that are named twice.
    """
    try:
        request = msgspec.convert(payload, Request)
    except msgspec.ValidationError as error:
        raise InvalidRequestError(f"request: {error}") from error
    names = [topic.name for topic in request.topics]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise InvalidRequestError(f"request: topics named twice: {', '.join(repeated)}")
    return request


def plan_topic(requested: RequestedTopic, existing: ExistingTopic | None) -> TopicPlan:
    """Compare a topic with the requested one.

    Parameters
    ----------
    requested : RequestedTopic
        How it should be.
    existing : ExistingTopic | None
        How it is; None where it does not exist.

    Returns
    -------
    TopicPlan
        Empty where the topic is as requested: a second run does nothing.

    Raises
    ------
    PartitionsShrinkError, ReplicationDiffersError
        Where a change is needed that Kafka or this function does not support. Then nothing is changed.

    Examples
    --------
    >>> requested = RequestedTopic("payments", partitions=12, replication_factor=3, configs={"retention.ms": "86400000"})
    >>> plan_topic(requested, ExistingTopic(partitions=6, replication_factor=3, configs={"retention.ms": "86400000"}))
    TopicPlan(is_created=False, partitions=12, configs={})
    """
    if existing is None:
        return TopicPlan(is_created=True, partitions=requested.partitions, configs=requested.configs)
    if requested.partitions < existing.partitions:
        raise PartitionsShrinkError(requested.name, existing.partitions, requested.partitions)
    if requested.replication_factor != existing.replication_factor:
        raise ReplicationDiffersError(
            requested.name, existing.replication_factor, requested.replication_factor
        )
    return TopicPlan(
        partitions=requested.partitions if requested.partitions > existing.partitions else None,
        configs={
            name: value for name, value in requested.configs.items() if existing.configs.get(name) != value
        },
    )
