"""Counts of processes are added up by hour, once; changes of the ruleset are inserted and never overwritten."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from botocore.exceptions import ClientError

from common.ruleset_changes import ChangeRows
from common.unreadable_rows import UnreadableRows
from contract.errors import InvalidRowError
from contract.rollout_rows import (
    PART_RETENTION,
    counts_item,
    hour_key,
    late_item,
    part_key,
    time_of_key,
)
from contract.ruleset_change import ChangeKind, ChangeState, make_change
from contract.scored import Decision
from engine.errors import InvalidCountsError
from engine.rollout.changed import MAX_EXAMPLES, Changed, Example
from engine.rollout.counts import RolloutCounts
from engine.rollout.stored import counts_from_bytes, counts_to_bytes
from engine.rollout.windows import hour_of, windows_at
from engine.rules.check import check_ruleset
from rollouts.rows import active_row
from rollouts.tables import CountsTable
from tests.support.dying import Calls, die
from tests.support.payments import Log
from tests.support.tables import make_table
from tests.unit.guardrails.world import PLAIN

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = datetime(2026, 12, 1, 12, 30, tzinfo=UTC)
DIGEST = "0123456789ab"


@pytest.fixture
def dynamodb(aws: Callable[[str], Any]) -> Any:
    client = aws("dynamodb")
    make_table(client, "rollout_counts")
    make_table(client, "ruleset_changes")
    return client


def _count(client: Any, at: datetime, payments: int, process: str = "p1", digest: str = DIGEST) -> None:
    data = counts_to_bytes(RolloutCounts({3: payments}))
    client.put_item(
        TableName="rollout_counts", Item=counts_item(digest, part_key(at, process), data, at + timedelta(3))
    )


def _table(client: Any, *, keeps_hours: bool = True) -> CountsTable:
    return CountsTable(client, "rollout_counts", UnreadableRows(Log()), keeps_hours=keeps_hours)


def _payments(windows: dict[int, RolloutCounts]) -> dict[int, int]:
    return {minutes: counts.payments.get(3, 0) for minutes, counts in windows.items()}


def test_processes_are_added_up_and_hours_that_are_over_are_kept(dynamodb: Any) -> None:
    _count(dynamodb, NOW - timedelta(minutes=1), 1)
    _count(dynamodb, NOW - timedelta(minutes=1), 2, "p2")
    _count(dynamodb, NOW - timedelta(minutes=40), 4)
    _count(dynamodb, NOW - timedelta(hours=2), 8)
    _count(dynamodb, NOW - timedelta(hours=30), 16)
    _count(dynamodb, NOW, 100, digest="ba9876543210")
    table = _table(dynamodb)

    first = table.read(DIGEST, NOW)
    kept = dynamodb.query(
        TableName="rollout_counts",
        KeyConditionExpression="digest = :d AND begins_with(count_key, :h)",
        ExpressionAttributeValues={":d": {"S": DIGEST}, ":h": {"S": "h#"}},
    )["Items"]
    second = table.read(DIGEST, NOW)

    assert [item["count_key"]["S"] for item in kept] == [
        "h#2026-11-30T06",
        "h#2026-12-01T10",
        "h#2026-12-01T11",
    ]
    for counted in (first, second):
        assert _payments(windows_at(counted.parts, counted.hours, NOW)) == {5: 3, 60: 7, 1440: 15, 1831: 31}


def test_parts_of_hours_that_are_kept_are_not_read_again(dynamodb: Any) -> None:
    table = _table(dynamodb)
    _count(dynamodb, NOW - timedelta(hours=5), 8)
    table.read(DIGEST, NOW)

    counted = table.read(DIGEST, NOW)

    assert (len(counted.parts), len(counted.hours)) == (0, 1)


def _come_late(client: Any, at: datetime, written_at: datetime, payments: int) -> None:
    _count(client, at, payments, "late")
    client.put_item(TableName="rollout_counts", Item=late_item(DIGEST, at, written_at, "late"))


def test_an_hour_of_which_a_part_came_late_is_added_up_anew_until_both_clocks_agree(dynamodb: Any) -> None:
    table, at = _table(dynamodb), NOW - timedelta(hours=5)
    _count(dynamodb, at, 8)
    _count(dynamodb, NOW - timedelta(hours=2), 1)
    table.read(DIGEST, NOW)
    _come_late(dynamodb, at, NOW + timedelta(minutes=3), 4)

    counted = table.read(DIGEST, NOW + timedelta(minutes=1))
    later = [table.read(DIGEST, NOW + timedelta(minutes=minutes)) for minutes in (9, 10)]
    calls = Calls(-1, die, after=False)
    _table(calls.seen_by(dynamodb)).read(DIGEST, NOW + timedelta(minutes=11))

    assert {hour: counts.payments for hour, counts in counted.hours.items()} == {
        hour_of(at): {3: 12},
        hour_of(NOW - timedelta(hours=2)): {3: 1},
    }
    assert [each.hours for each in later] == [counted.hours, counted.hours]
    assert "put_item" not in calls.names


def test_an_hour_whose_parts_may_be_deleted_is_not_added_up_anew(dynamodb: Any) -> None:
    table, at = _table(dynamodb), NOW - timedelta(hours=1)
    _count(dynamodb, at, 8)
    table.read(DIGEST, NOW)
    later = NOW + PART_RETENTION
    _come_late(dynamodb, at, later, 4)

    counted = table.read(DIGEST, later)

    assert [each.payments for each in counted.hours.values()] == [{3: 8}]


def test_who_only_looks_counts_what_came_late_too_and_keeps_nothing(dynamodb: Any) -> None:
    at = NOW - timedelta(hours=5)
    _count(dynamodb, at, 8)
    _table(dynamodb).read(DIGEST, NOW)
    _come_late(dynamodb, at, NOW, 4)
    calls = Calls(-1, die, after=False)

    counted = _table(calls.seen_by(dynamodb), keeps_hours=False).read(DIGEST, NOW)

    assert [each.payments for each in counted.hours.values()] == [{3: 12}]
    assert "put_item" not in calls.names


def test_an_hour_is_open_for_five_minutes_after_its_end(dynamodb: Any) -> None:
    table = _table(dynamodb)
    _count(dynamodb, datetime(2026, 12, 1, 11, 59, tzinfo=UTC), 1)

    early = table.read(DIGEST, datetime(2026, 12, 1, 12, 4, 59, tzinfo=UTC))
    late = table.read(DIGEST, datetime(2026, 12, 1, 12, 5, tzinfo=UTC))

    assert (len(early.hours), len(late.hours)) == (0, 1)


def test_nothing_counted_is_an_empty_window(dynamodb: Any) -> None:
    counted = _table(dynamodb).read(DIGEST, NOW)

    assert windows_at(counted.parts, counted.hours, NOW) == {0: RolloutCounts()}


def test_counts_that_cannot_be_read_are_an_error() -> None:
    with pytest.raises(InvalidCountsError, match="counts of a rollout"):
        counts_from_bytes(b"none")


@pytest.mark.parametrize("key", ["x#2026", "h#2026-13-01T01", "p#soon#1"])
def test_a_key_that_is_no_time_is_an_error_with_its_attribute(key: str) -> None:
    with pytest.raises(InvalidRowError, match=r"rollout_counts\.count_key"):
        time_of_key(key)


def test_a_key_says_its_time() -> None:
    assert time_of_key(part_key(NOW, "p1")) == NOW
    assert time_of_key(hour_key(NOW)) == NOW.replace(minute=0)


def test_a_change_is_inserted_once_and_found_with_those_of_the_month_before(dynamodb: Any) -> None:
    table = ChangeRows(dynamodb, "ruleset_changes", logging.getLogger("test_tables"))
    common = {"kind": ChangeKind.DEPLOYED, "changed_by": "me", "version_after": "1"}
    old = make_change(changed_at=NOW - timedelta(days=40), digest_after=DIGEST, reason="old", **common)
    before = make_change(changed_at=NOW - timedelta(days=2), digest_after=DIGEST, reason="first", **common)
    after = make_change(changed_at=NOW, digest_after=DIGEST, reason="second", **common)
    other = make_change(changed_at=NOW, digest_after=DIGEST, reason="other", **common)

    for change in (old, before, after, other):
        table.put(change)

    assert [each.reason for each in table.lately(NOW)] == ["first", "second"]


def test_a_change_that_was_begun_is_ended_once(dynamodb: Any) -> None:
    table = ChangeRows(dynamodb, "ruleset_changes", logging.getLogger("test_tables"))
    begun = make_change(
        changed_at=NOW,
        digest_after=DIGEST,
        kind=ChangeKind.WITHDRAWN,
        state=ChangeState.DEPLOYING,
        changed_by="guardrails",
        reason="too many alerts",
        version_after="1",
    )
    done, failed = (
        msgspec.structs.replace(begun, state=state) for state in (ChangeState.DEPLOYED, ChangeState.FAILED)
    )
    table.put(begun)

    table.put_ended(begun, done)
    table.put_ended(begun, failed)

    assert table.lately(NOW) == [done]


class Refusing:
    """DynamoDB that takes no rows."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.refused: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def put_item(self, **sent: Any) -> Any:
        self.refused.append(sent["Item"]["count_key"]["S"])
        raise ClientError({"Error": {"Code": "ValidationException", "Message": "Item size"}}, "PutItem")


def test_an_hour_that_cannot_be_kept_is_counted_all_the_same_and_kept_by_a_later_run(dynamodb: Any) -> None:
    _count(dynamodb, NOW - timedelta(minutes=1), 1)
    _count(dynamodb, NOW - timedelta(hours=2), 8)
    _count(dynamodb, NOW - timedelta(hours=5), 16)
    refusing = Refusing(dynamodb)

    first = _table(refusing).read(DIGEST, NOW)
    second = _table(dynamodb).read(DIGEST, NOW)

    assert (type(first.not_kept), second.not_kept) == (ClientError, None)
    assert refusing.refused == ["h#2026-12-01T07"], (
        "a later hour that is kept would hide the parts of this one"
    )
    for counted in (first, second):
        assert _payments(windows_at(counted.parts, counted.hours, NOW)) == {5: 1, 60: 1, 331: 25}


def _many_examples(rules: int) -> RolloutCounts:
    draw = Random(2)

    def changed() -> Changed:
        ids = [f"{draw.getrandbits(512):0128x}" for _ in range(MAX_EXAMPLES)]
        return Changed(5, 100, [Example(each, f"2026-12-01T11#{place}#{each}", 100, Decision.APPROVE, 1, Decision.BLOCK, 99) for place, each in enumerate(ids)])  # fmt: skip

    return RolloutCounts({1: 10}, new={f"n{number}": changed() for number in range(rules)})


def test_an_hour_of_many_rules_names_fewer_examples_and_fits_into_a_row(dynamodb: Any) -> None:
    whole = _many_examples(1_200)
    for place, hour in enumerate((2, 3)):
        item = counts_item(
            DIGEST, part_key(NOW - timedelta(hours=hour), f"p{place}"), counts_to_bytes(whole), NOW
        )
        dynamodb.put_item(TableName="rollout_counts", Item=item)

    counted = _table(dynamodb).read(DIGEST, NOW)

    assert counted.not_kept is None
    kept = counts_from_bytes(counts_to_bytes(whole))
    assert 0 < len(kept.new["n7"].examples) < MAX_EXAMPLES
    assert kept.new["n7"].examples[-1] == whole.new["n7"].examples[-1]
    assert (kept.payments, kept.new["n7"].payments, len(kept.new)) == ({1: 10}, 5, 1_200)
    assert len(whole.new["n7"].examples) == MAX_EXAMPLES


def test_the_active_ruleset_of_an_appconfig_that_was_created_anew_is_written_over_a_higher_position(
    dynamodb: Any,
) -> None:
    table, ruleset = (
        ChangeRows(dynamodb, "ruleset_changes", logging.getLogger("test_tables")),
        check_ruleset(PLAIN, "plain"),
    )
    table.put_active(active_row(40, 80, NOW, ruleset, "a1/e1"))

    table.put_active(active_row(39, 78, NOW, ruleset, "a1/e1"))
    late = table.active()
    table.put_active(active_row(1, 2, NOW, ruleset, "a2/e2"))
    anew = table.active()

    assert late is not None
    assert anew is not None
    assert (late.position, anew.position) == (80, 2)
