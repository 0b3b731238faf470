"""Each event has its place in a chain whoever else writes, and whatever is done to the rows afterwards is found."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.audit_trail import MAX_TRIES, AuditTrail, Deed
from console.errors import AuditUnavailableError
from contract.audit import AUDIT_SHARDS, DAYS, AuditEvent, chain_of, event_hash, heads_of, shard_of
from contract.errors import InvalidRowError
from tests.support.audit_memory import MemoryAudit

MORNING = datetime(2026, 3, 1, 8, tzinfo=UTC)
VIEW = Deed(actor="person-1", action="case_viewed", subject="case-1")
CHAIN = chain_of("2026-03-01", shard_of("person-1"))
IDS = count()


class Process:
    """One process of the console, with a clock of its own."""

    def __init__(self, rows: MemoryAudit, now: datetime = MORNING) -> None:
        self.now = now
        self._trail = AuditTrail(rows, lambda: self.now, lambda: f"event-{next(IDS)}")

    def write(self, actor: str = "person-1") -> AuditEvent:
        return self._trail.write(msgspec.structs.replace(VIEW, actor=actor))


def two_days(rows: MemoryAudit) -> MemoryAudit:
    """Four people, two processes, two days with a day between them."""
    processes = [Process(rows), Process(rows)]
    for day in (0, 2):
        for number in range(12):
            process = processes[number % 2]
            process.now = MORNING + timedelta(days=day, minutes=number)
            process.write(f"person-{number % 4}")
    return rows


def test_events_of_a_person_follow_each_other() -> None:
    rows = MemoryAudit()
    process = Process(rows)

    first, second = process.write(), process.write()

    assert (first.day_shard, first.sequence, second.sequence) == (CHAIN, 0, 1)
    assert second.previous == event_hash(first)
    assert first.previous == event_hash(rows.chain(DAYS)[0])
    assert rows.problems() == []


def test_a_writer_that_was_slower_takes_the_next_place() -> None:
    rows = MemoryAudit()
    fast, slow = Process(rows), Process(rows)
    slow.write()
    fast.write()

    last = slow.write()

    assert [event.sequence for event in rows.chain(CHAIN)] == [0, 1, 2]
    assert rows.last(CHAIN) == last
    assert rows.problems() == []


def test_an_event_whose_answer_was_lost_is_written_once() -> None:
    rows = MemoryAudit()
    process = Process(rows)
    process.write()
    rows.before_insert = rows.replace  # the first try of the client has written it

    process.write()

    assert [event.sequence for event in rows.chain(CHAIN)] == [0, 1]


def test_a_writer_that_is_never_first_reports_it() -> None:
    rows = MemoryAudit()
    process = Process(rows)
    process.write()
    rows.before_insert = lambda event: rows.replace(msgspec.structs.replace(event, event_id="other"))

    with pytest.raises(AuditUnavailableError) as refusal:
        process.write()

    assert str(MAX_TRIES) in str(refusal.value)


def test_a_day_bears_the_heads_and_counts_of_the_day_before() -> None:
    rows = two_days(MemoryAudit())

    first, second = rows.chain(DAYS)

    assert (first.day, second.day) == ("2026-03-01", "2026-03-03")
    assert sum(head.count for head in second.closed) == 12 + 8
    assert all(rows.chain(head.day_shard)[-1].is_closing for head in second.closed)
    assert rows.problems() == []


def test_no_event_comes_after_its_day_was_closed_though_its_clock_is_behind() -> None:
    rows = MemoryAudit()
    behind, ahead = Process(rows), Process(rows, MORNING + timedelta(days=1))
    behind.write()
    ahead.write()

    late = behind.write()

    assert late.day_shard == chain_of("2026-03-02", shard_of("person-1"))
    assert late.at == MORNING
    assert rows.problems() == []


@pytest.mark.parametrize("shard", range(AUDIT_SHARDS))
def test_a_day_whose_closing_was_interrupted_is_closed_by_the_next_writer(shard: int) -> None:
    rows = MemoryAudit()
    actor = next(name for name in map("person-{}".format, count()) if shard_of(name) == shard)
    Process(rows).write(actor)
    closings = 0

    def crash(event: AuditEvent) -> None:
        nonlocal closings
        closings += event.is_closing
        if closings == 5:
            raise KeyboardInterrupt

    rows.before_insert = crash
    with pytest.raises(KeyboardInterrupt):
        Process(rows, MORNING + timedelta(days=1)).write(actor)
    rows.before_insert = lambda _: None

    event = Process(rows).write(actor)  # by its own clock the old day goes on

    # Four chains are closed: whoever has one of them opens the next day.
    assert event.day_shard == chain_of("2026-03-02" if shard < 4 else "2026-03-01", shard)
    assert rows.problems() == []


@given(st.data())
def test_whatever_is_done_to_a_row_is_found(data: st.DataObject) -> None:
    rows = two_days(MemoryAudit())
    kept = heads_of(rows.chain(DAYS), rows.last)
    assert rows.problems(kept) == []
    key = data.draw(st.sampled_from(sorted(rows.rows)))
    event = rows.at(*key)
    assert event is not None

    match data.draw(st.sampled_from(["change", "drop", "insert", "move"])):
        case "change":
            field = data.draw(st.sampled_from(["actor", "action", "outcome", "subject", "session"]))
            rows.replace(msgspec.structs.replace(event, **{field: "changed"}))
        case "drop":
            del rows.rows[key]
        case "insert":
            chain, last = key[0], max(number for name, number in rows.rows if name == key[0])
            rows.replace(msgspec.structs.replace(event, day_shard=chain, sequence=last + 1))
        case "move":
            other = data.draw(st.sampled_from(sorted(rows.rows.keys() - {key})))
            moved = rows.at(*other)
            assert moved is not None
            rows.replace(msgspec.structs.replace(event, day_shard=moved.day_shard, sequence=moved.sequence))
            rows.replace(msgspec.structs.replace(moved, day_shard=event.day_shard, sequence=event.sequence))

    assert rows.problems(kept)


def test_a_chain_that_was_dropped_whole_is_found() -> None:
    names = {name for name, _ in two_days(MemoryAudit()).rows}
    for chain in sorted(names):
        rows = two_days(MemoryAudit())
        kept = heads_of(rows.chain(DAYS), rows.last)
        for key in [key for key in rows.rows if key[0] == chain]:
            del rows.rows[key]

        assert chain in {problem.day_shard for problem in rows.problems(kept)}


def test_a_tail_of_the_last_day_is_found_by_the_heads_that_were_kept() -> None:
    rows = two_days(MemoryAudit())
    chain = chain_of("2026-03-03", shard_of("person-1"))
    kept = heads_of(rows.chain(DAYS), rows.last)
    del rows.rows[chain, 2]

    assert [str(problem) for problem in rows.problems(kept)] == [f"{chain} 2: dropped from the end"]


@pytest.mark.parametrize("field", ["actor", "action", "subject", "session"])
def test_an_event_that_could_not_be_read_back_takes_no_place(field: str) -> None:
    rows = two_days(MemoryAudit())
    before = dict(rows.rows)
    trail = AuditTrail(rows, lambda: MORNING + timedelta(days=2, hours=1), lambda: f"event-{next(IDS)}")

    with pytest.raises(InvalidRowError, match=f"AuditEvent.{field}: "):
        trail.write(msgspec.structs.replace(VIEW, **{field: "x" * 201}))

    assert rows.rows == before
    for number in range(AUDIT_SHARDS):
        trail.write(msgspec.structs.replace(VIEW, actor=f"person-{number}"))
    assert rows.problems() == []


def test_heads_that_were_kept_earlier_are_still_in_their_chains() -> None:
    rows = MemoryAudit()
    process = Process(rows)
    process.write()
    kept = heads_of(rows.chain(DAYS), rows.last)

    process.write()

    assert rows.problems(kept) == []


def test_a_day_that_is_opened_long_before_it_begins_is_found() -> None:
    rows = two_days(MemoryAudit())
    last = rows.chain(DAYS)[-1]
    ahead = msgspec.structs.replace(last, day="2026-03-05")
    rows.replace(ahead)

    assert f"{DAYS} 1: opens 2026-03-05 on 2026-03-03" in {str(problem) for problem in rows.problems()}


def test_rows_of_a_day_that_was_never_opened_are_found() -> None:
    rows = two_days(MemoryAudit())
    event = rows.chain(CHAIN)[0]
    rows.replace(msgspec.structs.replace(event, day_shard="2025-01-01#0"))

    assert [problem.day_shard for problem in rows.problems()] == ["2025-01-01#0"]
