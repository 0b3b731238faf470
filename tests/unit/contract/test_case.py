"""Rows of ``cases``: what is written is read back, and a case is in one index at most."""

from __future__ import annotations

import pytest

from contract.case import (
    QUEUE_SHARDS,
    CaseStatus,
    CaseVerdict,
    Skip,
    from_case_item,
    from_queued_item,
    parse_case_id,
    queue_shard,
    reasons_key,
    to_case_item,
    to_link_item,
)
from contract.errors import InvalidRowError
from ops.manifests import read_tables
from tests.support.cases import make_case
from tests.support.payments import NOW


def test_a_case_is_read_back_as_it_was_written() -> None:
    case = make_case(skips=(Skip("ann", NOW),), verdict=CaseVerdict.MIXED, closed_at=NOW, unpriced=2)

    assert from_case_item(to_case_item(case)) == case


@pytest.mark.parametrize("status", list(CaseStatus))
def test_a_case_is_in_the_queue_or_among_the_closed_ones(status: CaseStatus) -> None:
    item = to_case_item(make_case(status=status))

    assert ("queue_key" in item, "queue_shard" in item) == (status != "closed",) * 2
    assert ("reasons_key" in item) == (status == "closed")


def test_the_queue_s_index_holds_what_a_queue_lists() -> None:
    index = read_tables()["cases"].indexes["by_queue"]
    case = make_case(status=CaseStatus.CLAIMED, assignee="ann", lease_until=NOW, skips=(Skip("ann", NOW),))
    keys = ("case_owner", "case_number", "queue_key")
    projected = {
        name: to_case_item(case)[name] for name in to_case_item(case) if name in (*keys, *index.attributes)
    }

    queued = from_queued_item(projected)

    assert (queued.key, queued.assignee, queued.skips) == (case.key, "ann", case.skips)
    assert queued.queue_key == "2#2026-03-01T16:00:00.000000Z"


def test_cases_are_spread_over_all_shards() -> None:
    shards = {queue_shard(make_case(f"user-{number}").key) for number in range(200)}

    assert shards == set(range(QUEUE_SHARDS))


def test_a_case_s_name_is_read_back() -> None:
    case = make_case(case_number=12)

    assert parse_case_id(case.case_id) == case.key
    assert "user" not in case.case_id


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "zz-1",
        "8004-1",
        "80048216f18b6e4f9049b00fb70d7d1f",
        "80048216f18b6e4f9049b00fb70d7d1f-0",
        "80048216f18b6e4f9049b00fb70d7d1f-01",
        "80048216F18B6E4F9049B00FB70D7D1F-1",
        "80048216f18b6e4f9049b00fb70d7d1f-1 ",
        "80048216f18b6e4f9049b00fb70d7d1f-1\n",
    ],
)
def test_other_text_is_no_case_s_name(text: str) -> None:
    with pytest.raises(ValueError, match="no case"):
        parse_case_id(text)


def test_a_row_that_cannot_be_read_names_the_attribute() -> None:
    with pytest.raises(InvalidRowError) as refusal:
        from_case_item(to_case_item(make_case()) | {"status": {"S": "lost"}})

    assert (refusal.value.table, refusal.value.attribute) == ("cases", "status")


def test_reasons_have_one_key_whichever_is_stronger() -> None:
    assert reasons_key(("b", "a", "c")) == reasons_key(("a", "b")) == "a+b"


def test_a_link_says_which_case_and_since_when() -> None:
    case = make_case()

    assert to_link_item("c:0001020304050607", case) == {
        "entity_id": {"S": "c:0001020304050607"},
        "link_key": {"S": f"2026-03-01T12:00:00.000000Z#{make_case().case_id}"},
        "case_id": {"S": case.case_id},
        "opened_at": {"S": "2026-03-01T12:00:00.000000Z"},
        "expires_at": {"N": str(case.expires_at)},
    }
