"""Heads that were kept show what the table alone cannot, and objects that are missing or not the keeper's are found."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import msgspec
import pytest

from console.audit_trail import AuditTrail, Deed
from contract.audit import DAYS, ChainHead, shard_of
from contract.audit_heads import (
    KeptHeads,
    StoredHeads,
    from_heads_object,
    gaps,
    gone_heads,
    heads_key,
    kept_times,
    misdated,
    object_problems,
    to_heads_object,
)
from tests.support.audit_heads import EVENING, MemoryHeads, keep_heads, relinked, six_hours, write_hour
from tests.support.audit_memory import MemoryAudit

HOUR = timedelta(hours=1)


def kept_heads(bucket: MemoryHeads) -> list[ChainHead]:
    found = [from_heads_object(each.body) for each in bucket.versions()]
    return [head for each in found if each is not None for head in each.heads]


def found_in(bucket: MemoryHeads, *deleted: str) -> list[str]:
    now = EVENING + 5 * HOUR
    return [str(problem) for problem in object_problems(bucket.versions(), deleted, now)]


def test_heads_of_every_hour_are_in_their_chains_and_the_objects_are_whole() -> None:
    rows, bucket, now = six_hours()

    assert len(bucket.objects) == 6
    assert rows.problems(kept_heads(bucket)) == []
    assert list(object_problems(bucket.versions(), [], now)) == []
    assert list(gaps(bucket.versions())) == []


def test_each_object_has_the_head_of_the_days_and_those_of_the_last_day() -> None:
    rows, bucket, _ = six_hours()

    last = from_heads_object(bucket.versions()[-1].body)

    assert last is not None
    assert {head.day_shard.partition("#")[0] for head in last.heads} == {DAYS, "2026-03-02"}
    assert sum(head.count for head in last.heads if head.day_shard != DAYS) == sum(
        name.startswith("2026-03-02") for name, _ in rows.rows
    )


def test_a_history_written_anew_fits_in_itself_and_not_to_the_heads() -> None:
    rows, bucket, _ = six_hours()
    first = rows.chain(min(name for name, _ in rows.rows))[0]

    anew = relinked(rows, msgspec.structs.replace(first, subject="case-of-somebody-else"))

    assert anew.problems() == []
    problems = anew.problems(kept_heads(bucket))
    assert {problem.problem for problem in problems} == {"not the event whose hash was kept"}
    assert {problem.day_shard for problem in problems} >= {first.day_shard, DAYS}


def test_a_table_that_was_dropped_and_begun_anew_is_found() -> None:
    _, bucket, _ = six_hours()
    anew = MemoryAudit()
    write_hour(anew, EVENING + 5 * HOUR)

    assert anew.problems() == []
    assert anew.problems(kept_heads(bucket))


def test_a_tail_of_the_last_day_is_found_wherever_it_begins_before_the_last_heads() -> None:
    rows, bucket, _ = six_hours()
    last_day = {key for key in rows.rows if key[0].startswith("2026-03-02")}
    for chain, sequence in last_day:
        rows, _, _ = six_hours()
        for key in [key for key in rows.rows if key[0] == chain and key[1] >= sequence]:
            del rows.rows[key]

        assert any(problem.day_shard == chain for problem in rows.problems(kept_heads(bucket)))


def kept_objects(bucket: MemoryHeads) -> list[KeptHeads]:
    found = [from_heads_object(each.body) for each in bucket.versions()]
    return [each for each in found if each is not None]


def test_every_event_says_a_time_between_the_heads_before_and_after_it() -> None:
    rows, bucket, _ = six_hours()
    times = kept_times(kept_objects(bucket))

    chains = sorted({name for name, _ in rows.rows})
    assert [misdated(event, times[chain]) for chain in chains for event in rows.chain(chain)] == [
        None for _ in rows.rows
    ]


def test_an_event_that_is_written_later_than_it_says_is_found() -> None:
    rows, bucket, now = six_hours()
    trail = AuditTrail(rows, lambda: now - 3 * HOUR, lambda: "late")
    backdated = trail.write(Deed(actor="person-0", action="verdict_agreed"))

    problem = misdated(backdated, kept_times(kept_objects(bucket))[backdated.day_shard])

    assert rows.problems(kept_heads(bucket)) == []  # the chain itself fits
    assert problem is not None
    assert (
        problem.problem == "says 2026-03-01 23:05 UTC, and was written between 2026-03-02 02:05 UTC and now"
    )


def test_an_event_that_says_a_time_to_come_is_found_by_the_next_heads() -> None:
    rows, bucket, now = six_hours()
    trail = AuditTrail(rows, lambda: now + 5 * HOUR, lambda: "early")
    event = trail.write(Deed(actor="person-0", action="verdict_agreed"))
    keep_heads(rows, bucket, now + HOUR)

    problem = misdated(event, kept_times(kept_objects(bucket))[event.day_shard])

    assert problem is not None
    assert "says 2026-03-02 07:05 UTC, and was written between" in problem.problem


def test_a_chain_without_a_head_had_no_event_yet() -> None:
    rows, bucket = MemoryAudit(), MemoryHeads()
    write_hour(rows, EVENING, views=1)
    keep_heads(rows, bucket, EVENING + HOUR)
    trail = AuditTrail(rows, lambda: EVENING, lambda: "late")
    other = next(
        name for name in map("person-{}".format, range(99)) if shard_of(name) != shard_of("person-0")
    )
    event = trail.write(Deed(actor=other, action="verdict_agreed"))

    problem = misdated(event, kept_times(kept_objects(bucket))[event.day_shard])

    assert event.sequence == 0
    assert problem is not None


def test_gone_heads_are_those_of_chains_that_were_cut_or_written_anew() -> None:
    rows, bucket, _ = six_hours()
    heads = kept_heads(bucket)
    assert list(gone_heads(heads, rows.at)) == []
    cut = next(head for head in reversed(heads) if head.day_shard != DAYS)
    del rows.rows[cut.day_shard, cut.count - 1]

    assert list(gone_heads(heads, rows.at)) == [cut]


def test_an_object_that_was_dropped_is_found_by_the_one_after_it() -> None:
    for earlier, later in pairwise(sorted(six_hours()[1].objects)):
        _, bucket, _ = six_hours()
        del bucket.objects[earlier]

        assert found_in(bucket) == [f"{later}: objects before it were dropped"]


def test_objects_that_were_dropped_at_the_end_are_found_by_their_age() -> None:
    _, bucket, now = six_hours()
    for hours in range(3):
        del bucket.objects[heads_key(now - hours * HOUR)]

    assert found_in(bucket) == [
        f"{heads_key(now - 3 * HOUR)}: the last object: no heads were kept since, or they were dropped"
    ]


def test_an_object_that_is_deleted_and_still_there_is_named() -> None:
    _, bucket, now = six_hours()

    assert found_in(bucket, heads_key(now)) == [
        f"{heads_key(now)}: somebody deleted it; a version that was locked is still there"
    ]


def test_an_object_that_was_stored_again_is_found() -> None:
    _, bucket, now = six_hours()
    versions = bucket.versions()
    again = msgspec.structs.replace(versions[3], body=b"{}")

    problems = [str(each) for each in object_problems([*versions[:4], again, *versions[4:]], [], now)]

    assert problems == [f"{again.key}: stored more than once; the first version counts"]


ENDLESS = msgspec.json.encode(
    {"number": 5, "previous": "0" * 64, "kept_at": "9999-12-31T23:59:59-12:00", "heads": []}
)


@pytest.mark.parametrize("body", [b"", b"{}", b"no json", b'{"number": 1}', ENDLESS])
def test_an_object_that_holds_something_else_is_found(body: bytes) -> None:
    _, bucket, _ = six_hours()
    key = sorted(bucket.objects)[-1]
    bucket.objects[key] = body

    assert found_in(bucket)[0] == f"{key}: holds no heads"


def test_an_object_of_another_hour_is_found() -> None:
    _, bucket, _ = six_hours()
    key = sorted(bucket.objects)[-1]
    bucket.stored[key] += HOUR

    assert found_in(bucket) == [f"{key}: says 2026-03-02 02:05 UTC, and was stored 2026-03-02 03:05 UTC"]


def test_an_object_whose_heads_were_changed_is_found_by_the_one_after_it() -> None:
    _, bucket, _ = six_hours()
    keys = sorted(bucket.objects)
    kept = from_heads_object(bucket.objects[keys[2]])
    assert kept is not None
    bucket.objects[keys[2]] = to_heads_object(msgspec.structs.replace(kept, heads=()))

    assert found_in(bucket) == [f"{keys[3]}: not the object after the one before it"]


def test_heads_that_were_gone_when_an_object_was_written_stay_a_finding() -> None:
    _, bucket, now = six_hours()
    key = heads_key(now)
    kept = from_heads_object(bucket.objects[key])
    assert kept is not None
    bucket.objects[key] = to_heads_object(msgspec.structs.replace(kept, gone=kept.heads[:1]))

    assert found_in(bucket) == [f"{key}: 1 heads of the object before were not in their chains then"]


def test_hours_without_heads_are_said() -> None:
    rows, bucket, now = six_hours()
    keep_heads(rows, bucket, now + 5 * HOUR)

    assert list(gaps(bucket.versions())) == [
        "no heads were kept between 2026-03-02 02:05 UTC and 2026-03-02 07:05 UTC"
    ]
    assert list(object_problems(bucket.versions(), [], now + 5 * HOUR)) == []


def test_an_unreadable_version_ends_no_check() -> None:
    stored = [StoredHeads(key="heads/x", body=b"", stored_at=EVENING)]

    assert [each.problem for each in object_problems(stored, [], EVENING)] == ["holds no heads"]
