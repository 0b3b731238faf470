"""Each run keeps how the chains end, and counts the heads of the run before that are not in their chains any more."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec
import pytest
from aws_lambda_powertools import Logger

from audit_keeper.stage import AuditKeeper
from contract.audit import DAYS, GENESIS
from contract.audit_heads import from_heads_object, heads_key, object_hash
from tests.support.audit_heads import EVENING, MemoryHeads, relinked, six_hours, write_hour
from tests.support.audit_memory import MemoryAudit

if TYPE_CHECKING:
    from datetime import datetime

    from contract.audit_heads import KeptHeads

HOUR = timedelta(hours=1)


class Metrics:
    """The values of each metric."""

    def __init__(self) -> None:
        self.values: dict[str, list[float]] = {}

    def add_metric(self, name: str, unit: object, value: float) -> None:
        self.values.setdefault(name, []).append(value)


def run(rows: MemoryAudit, bucket: MemoryHeads, now: datetime) -> tuple[str, dict[str, float]]:
    """One run: what it says, and the sums of its metrics."""
    metrics = Metrics()
    said = AuditKeeper(rows, bucket, metrics, Logger(service="test"), lambda: now).run()
    return said, {name: sum(values) for name, values in metrics.values.items()}


def kept(bucket: MemoryHeads, now: datetime) -> KeptHeads:
    found = from_heads_object(bucket.objects[heads_key(now)])
    assert found is not None
    return found


def test_the_first_object_has_the_ends_of_all_chains() -> None:
    rows, bucket = MemoryAudit(), MemoryHeads()
    write_hour(rows, EVENING)

    said, metrics = run(rows, bucket, EVENING)

    first = kept(bucket, EVENING)
    assert (first.number, first.previous, first.gone) == (0, GENESIS, ())
    assert {head.day_shard: head.count for head in first.heads} == {
        name: len(rows.chain(name)) for name, _ in rows.rows
    }
    assert metrics["AuditHeadsKept"] == 1
    assert said.startswith(heads_key(EVENING))


def test_a_table_without_events_is_kept_as_such() -> None:
    bucket = MemoryHeads()

    _, metrics = run(MemoryAudit(), bucket, EVENING)

    assert kept(bucket, EVENING).heads == ()
    assert metrics["AuditHeadsKept"] == 1


def test_an_object_bears_the_hash_of_the_one_before_it() -> None:
    rows, bucket, now = six_hours()
    later = now + HOUR

    _, metrics = run(rows, bucket, later)

    assert kept(bucket, later).previous == object_hash(bucket.objects[heads_key(now)])
    assert kept(bucket, later).number == 6
    assert metrics == {
        "AuditHeadsKept": 1,
        "AuditHeadsGone": 0,
        "AuditObjectsUnreadable": 0,
        "AuditHeadsAgeHours": 1.0,
    }


@pytest.mark.parametrize("part", ["the days", "a chain of the last day"])
def test_a_dropped_tail_is_counted_and_the_heads_of_now_are_kept_all_the_same(part: str) -> None:
    rows, bucket, now = six_hours()
    head = next(each for each in kept(bucket, now).heads if (each.day_shard == DAYS) == (part == "the days"))
    del rows.rows[head.day_shard, head.count - 1]

    _, metrics = run(rows, bucket, now + HOUR)

    assert metrics["AuditHeadsGone"] == 1
    assert metrics["AuditHeadsKept"] == 1
    assert kept(bucket, now + HOUR).gone == (head,)


def test_a_history_that_was_written_anew_has_none_of_the_heads() -> None:
    rows, bucket, now = six_hours()
    opening = rows.chain(DAYS)[0]
    anew = relinked(rows, rows.chain(min(name for name, _ in rows.rows))[0])
    assert anew.rows == rows.rows
    first = rows.chain(f"{opening.day}#0")[0]

    anew = relinked(rows, msgspec.structs.replace(first, subject="case-of-somebody-else"))
    _, metrics = run(anew, bucket, now + HOUR)

    assert metrics["AuditHeadsGone"] == len(kept(bucket, now).heads)


def test_a_row_that_was_changed_so_that_it_is_no_event_is_a_head_that_is_gone() -> None:
    rows, bucket, now = six_hours()
    head = next(each for each in kept(bucket, now).heads if each.day_shard != DAYS)
    del rows.rows[head.day_shard, head.count - 1]["previous"]

    _, metrics = run(rows, bucket, now + HOUR)

    assert metrics["AuditHeadsGone"] >= 1
    assert metrics["AuditHeadsKept"] == 1


def test_a_second_run_in_an_hour_keeps_nothing_and_is_no_failure() -> None:
    rows, bucket, now = six_hours()
    before = dict(bucket.objects)

    said, metrics = run(rows, bucket, now + timedelta(minutes=3))

    assert bucket.objects == before
    assert "AuditHeadsKept" not in metrics
    assert "exists" in said


def test_hours_without_heads_show_in_the_age_of_the_object_before() -> None:
    rows, bucket, now = six_hours()

    _, metrics = run(rows, bucket, now + 5 * HOUR)

    assert metrics["AuditHeadsAgeHours"] == 5.0


def test_an_object_that_holds_something_else_is_passed_over_and_counted() -> None:
    rows, bucket, now = six_hours()
    bucket.objects[heads_key(now + HOUR)] = b"{}"

    _, metrics = run(rows, bucket, now + 2 * HOUR)

    assert metrics["AuditObjectsUnreadable"] == 1
    assert kept(bucket, now + 2 * HOUR).previous == object_hash(bucket.objects[heads_key(now)])


def test_a_run_reads_one_event_for_each_head_however_long_the_chains_are() -> None:
    rows, bucket, now = six_hours()
    reads = 0

    class Counting(MemoryAudit):
        def at(self, day_shard: str, sequence: int) -> object:  # type: ignore[override]
            nonlocal reads
            reads += 1
            return rows.at(day_shard, sequence)

        def last(self, day_shard: str) -> object:  # type: ignore[override]
            nonlocal reads
            reads += 1
            return rows.last(day_shard)

    run(Counting(), bucket, now + HOUR)

    assert reads <= 18
