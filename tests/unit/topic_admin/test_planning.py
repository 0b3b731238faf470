"""How a topic is changed: created, grown, configured; never shrunk, never twice."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from topic_admin.errors import InvalidRequestError, PartitionsShrinkError, ReplicationDiffersError
from topic_admin.planning import ExistingTopic, RequestedTopic, TopicPlan, parse_request, plan_topic

PARTITIONS = st.integers(1, 100)
CONFIGS = st.dictionaries(
    st.sampled_from(["retention.ms", "min.insync.replicas", "cleanup.policy"]), st.sampled_from(["1", "2"])
)


def _requested(**changes: object) -> RequestedTopic:
    topic = RequestedTopic("payments", partitions=12, replication_factor=3, configs={"retention.ms": "1000"})
    return msgspec.structs.replace(topic, **changes)


def _existing(**changes: object) -> ExistingTopic:
    topic = ExistingTopic(
        partitions=12, replication_factor=3, configs={"retention.ms": "1000", "cleanup.policy": "delete"}
    )
    return msgspec.structs.replace(topic, **changes)


def test_a_missing_topic_is_created_as_requested() -> None:
    plan = plan_topic(_requested(), None)

    assert plan == TopicPlan(is_created=True, partitions=12, configs={"retention.ms": "1000"})


def test_a_topic_that_is_as_requested_is_left_unchanged() -> None:
    plan = plan_topic(_requested(), _existing())

    assert plan == TopicPlan()


def test_partitions_grow_to_the_requested_number() -> None:
    plan = plan_topic(_requested(partitions=24), _existing())

    assert plan == TopicPlan(partitions=24)


def test_fewer_partitions_are_refused_with_both_figures() -> None:
    with pytest.raises(
        PartitionsShrinkError, match="topic payments: has 12 partitions and cannot be given 6"
    ) as caught:
        plan_topic(_requested(partitions=6), _existing())

    assert (caught.value.topic, caught.value.existing, caught.value.requested) == ("payments", 12, 6)


def test_another_number_of_copies_is_refused_with_both_figures() -> None:
    with pytest.raises(ReplicationDiffersError, match="topic payments: has 2 copies and not 3") as caught:
        plan_topic(_requested(), _existing(replication_factor=2))

    assert (caught.value.topic, caught.value.existing, caught.value.requested) == ("payments", 2, 3)


def test_only_configurations_that_differ_are_set() -> None:
    requested = _requested(configs={"retention.ms": "1000", "min.insync.replicas": "2"})

    plan = plan_topic(requested, _existing())

    assert plan == TopicPlan(configs={"min.insync.replicas": "2"})


@given(requested=PARTITIONS, existing=PARTITIONS, requested_configs=CONFIGS, existing_configs=CONFIGS)
def test_a_topic_changed_by_its_plan_needs_no_second_plan(
    requested: int, existing: int, requested_configs: dict[str, str], existing_configs: dict[str, str]
) -> None:
    topic = _requested(partitions=max(requested, existing), configs=requested_configs)
    before = _existing(partitions=existing, configs=existing_configs)

    plan = plan_topic(topic, before)

    after = ExistingTopic(plan.partitions or existing, 3, {**existing_configs, **plan.configs})
    assert after.partitions == topic.partitions
    assert plan_topic(topic, after) == TopicPlan()


@pytest.mark.parametrize(
    ("topics", "problem"),
    [
        ([], r"Expected `array` of length >= 1 - at `\$.topics`"),
        ([{"name": "a b", "partitions": 1, "replication_factor": 1}], r"at `\$.topics\[0\].name`"),
        ([{"name": "a", "partitions": 0, "replication_factor": 1}], r"at `\$.topics\[0\].partitions`"),
        ([{"name": "a", "partitions": 1}], "missing required field `replication_factor`"),
        (
            [{"name": "a", "partitions": 1, "replication_factor": 1, "retention": 1}],
            "unknown field `retention`",
        ),
        ([{"name": "a", "partitions": 1, "replication_factor": 1}] * 2, "topics named twice: a"),
    ],
)
def test_a_payload_that_is_not_a_list_of_topics_is_refused_naming_the_field(
    topics: list[dict[str, object]], problem: str
) -> None:
    with pytest.raises(InvalidRequestError, match=problem):
        parse_request({"topics": topics})


@pytest.mark.parametrize(
    ("field", "value", "is_valid"),
    [
        ("partitions", 1, True),
        ("partitions", 10_000, True),
        ("partitions", 10_001, False),
        ("replication_factor", 0, False),
        ("replication_factor", 1, True),
        ("replication_factor", 15, True),
        ("replication_factor", 16, False),
        ("name", "", False),
        ("name", "x" * 249, True),
        ("name", "x" * 250, False),
        ("name", "a.b_c-D9", True),
        ("name", "a/b", False),
    ],
)
def test_values_of_a_topic_have_limits(field: str, value: object, is_valid: bool) -> None:
    topic = {"name": "a", "partitions": 6, "replication_factor": 3} | {field: value}

    if is_valid:
        assert getattr(parse_request({"topics": [topic]}).topics[0], field) == value
    else:
        with pytest.raises(InvalidRequestError, match=rf"\[0\].{field}"):
            parse_request({"topics": [topic]})


def test_each_topic_that_is_named_twice_is_reported_once() -> None:
    topics = [
        {"name": name, "partitions": 1, "replication_factor": 1} for name in ("b", "a", "c", "a", "b", "a")
    ]

    with pytest.raises(InvalidRequestError, match=r"^request: topics named twice: a, b$"):
        parse_request({"topics": topics})


@pytest.mark.parametrize("replication_factor", [2, 4])
def test_more_and_fewer_copies_are_refused(replication_factor: int) -> None:
    with pytest.raises(ReplicationDiffersError, match="reassignment of partitions, by an operator"):
        plan_topic(_requested(), _existing(replication_factor=replication_factor))
