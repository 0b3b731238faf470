"""What is done to a topic: created, grown, configured; never shrunk, never twice."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from topic_admin.errors import InvalidRequestError, PartitionsShrinkError, ReplicationDiffersError
from topic_admin.planning import StandingTopic, TopicPlan, WantedTopic, parse_request, plan_topic

PARTITIONS = st.integers(1, 100)
CONFIGS = st.dictionaries(
    st.sampled_from(["retention.ms", "min.insync.replicas", "cleanup.policy"]), st.sampled_from(["1", "2"])
)


def _wanted(**changes: object) -> WantedTopic:
    topic = WantedTopic("payments", partitions=12, replication_factor=3, configs={"retention.ms": "1000"})
    return msgspec.structs.replace(topic, **changes)


def _standing(**changes: object) -> StandingTopic:
    topic = StandingTopic(
        partitions=12, replication_factor=3, configs={"retention.ms": "1000", "cleanup.policy": "delete"}
    )
    return msgspec.structs.replace(topic, **changes)


def test_a_topic_that_is_missing_is_created_as_wanted() -> None:
    plan = plan_topic(_wanted(), None)

    assert plan == TopicPlan(is_created=True, partitions=12, configs={"retention.ms": "1000"})


def test_a_topic_that_is_as_wanted_is_left_alone() -> None:
    plan = plan_topic(_wanted(), _standing())

    assert plan == TopicPlan()


def test_partitions_grow_to_what_is_wanted() -> None:
    plan = plan_topic(_wanted(partitions=24), _standing())

    assert plan == TopicPlan(partitions=24)


def test_fewer_partitions_are_refused_with_both_figures() -> None:
    with pytest.raises(
        PartitionsShrinkError, match="topic payments: has 12 partitions and cannot be given 6"
    ) as caught:
        plan_topic(_wanted(partitions=6), _standing())

    assert (caught.value.topic, caught.value.standing, caught.value.wanted) == ("payments", 12, 6)


def test_another_number_of_copies_is_refused_with_both_figures() -> None:
    with pytest.raises(
        ReplicationDiffersError, match="topic payments: is kept in 2 copies and not in 3"
    ) as caught:
        plan_topic(_wanted(), _standing(replication_factor=2))

    assert (caught.value.topic, caught.value.standing, caught.value.wanted) == ("payments", 2, 3)


def test_only_configurations_that_differ_are_set_and_others_stay() -> None:
    wanted = _wanted(configs={"retention.ms": "1000", "min.insync.replicas": "2"})

    plan = plan_topic(wanted, _standing())

    assert plan == TopicPlan(configs={"min.insync.replicas": "2"})


@given(wanted=PARTITIONS, standing=PARTITIONS, wanted_configs=CONFIGS, standing_configs=CONFIGS)
def test_what_a_plan_leads_to_needs_no_second_plan(
    wanted: int, standing: int, wanted_configs: dict[str, str], standing_configs: dict[str, str]
) -> None:
    topic = _wanted(partitions=max(wanted, standing), configs=wanted_configs)
    before = _standing(partitions=standing, configs=standing_configs)

    plan = plan_topic(topic, before)

    after = StandingTopic(plan.partitions or standing, 3, {**standing_configs, **plan.configs})
    assert after.partitions == topic.partitions
    assert plan_topic(topic, after) == TopicPlan()


@pytest.mark.parametrize(
    ("topics", "told"),
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
def test_a_payload_that_is_no_list_of_topics_is_refused_naming_the_field(
    topics: list[dict[str, object]], told: str
) -> None:
    with pytest.raises(InvalidRequestError, match=told):
        parse_request({"topics": topics})
