"""What holds for people at the queue: on DynamoDB's own server, on MiniStack, and on moto."""

from __future__ import annotations

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import msgspec
import pytest

from common.case_desk import CaseDesk
from common.cases import CaseContentionError, cases_backoff
from contract.case import Case, CaseStatus, CaseVerdict, Tally, to_case_item
from contract.case_work import (
    LEASE,
    SKIP_HOLDS,
    Refusal,
    claim,
    close,
    reassign,
    release,
    skip,
    undo,
)
from tests.support.cases import make_case, make_decision
from tests.support.payments import NOW, Log


def make_desk(client: Any, table: str, log: Log | None = None) -> CaseDesk:
    """A desk that does not wait."""
    return CaseDesk(client, table, cases_backoff(lambda _: None, lambda: 0.5), random.random, log or Log())


class DeskTable:
    """The table, as a test fills it and looks at it."""

    def __init__(self, client: Any, table: str) -> None:
        self.client = client
        self.table = table
        self.log = Log()
        self.desk = make_desk(client, table, self.log)

    def put(self, *cases: Case) -> None:
        for case in cases:
            self.client.put_item(TableName=self.table, Item=to_case_item(case))

    def case_ids(self) -> list[str]:
        return [queued.key.case_id for queued in self.desk.queue()]


def make_cases(count: int) -> list[Case]:
    """Cases of as many users, each due a minute after the one before."""
    return [make_case(f"user-{number}", due_at=NOW + timedelta(minutes=number)) for number in range(count)]


class CaseDeskContract:
    """Tests of the desk; a subclass has the fixture ``table``."""

    people = 50
    """Who press "next" at once."""

    @pytest.mark.parametrize("attribute", ["severity", "reasons"])
    def test_a_row_that_cannot_be_read_is_left_out_and_reported(
        self, table: DeskTable, attribute: str
    ) -> None:
        good, bad = make_cases(2)
        item = to_case_item(msgspec.structs.replace(bad, priority=1)) | {attribute: {"S": "extreme"}}
        table.put(good)
        table.client.put_item(TableName=table.table, Item=item)

        queued = table.case_ids()
        taken = table.desk.next_case("ann", NOW)

        assert good.case_id in queued
        assert isinstance(taken, Case)
        assert taken.case_id == good.case_id
        assert table.log.lines

    @pytest.mark.parametrize(
        ("since", "status"), [(LEASE, CaseStatus.CLOSED), (LEASE / 2, CaseStatus.CLAIMED)]
    )
    def test_a_case_that_was_left_with_nothing_to_decide_is_closed_and_is_nobody_s_work(
        self, table: DeskTable, since: timedelta, status: CaseStatus
    ) -> None:
        left, waiting = make_cases(2)
        claimed = claim(left, "eve", NOW - since)
        assert isinstance(claimed, Case)
        table.put(msgspec.structs.replace(claimed, undecided=Tally(), fraud=Tally(1, Decimal(5))), waiting)

        got = table.desk.next_case("ann", NOW)

        assert isinstance(got, Case)
        assert got.case_id == waiting.case_id
        after = table.desk.change(left.key, lambda case: case)
        assert isinstance(after, Case)
        assert after.status is status
        is_closed = status is CaseStatus.CLOSED
        assert (after.verdict, after.assignee) == ((CaseVerdict.FRAUD, None) if is_closed else (None, "eve"))
        assert table.desk.next_case("bob", NOW) is None

    def test_people_who_press_next_at_once_get_a_case_each(self, table: DeskTable) -> None:
        people = range(self.people)
        table.put(*make_cases(self.people))

        with ThreadPoolExecutor(self.people) as threads:
            got = list(threads.map(lambda number: table.desk.next_case(f"analyst-{number}", NOW), people))

        assert len({case.case_id for case in got if case is not None}) == self.people
        assert [case.assignee for case in got if case] == [f"analyst-{number}" for number in people]

    def test_people_beyond_the_cases_get_none(self, table: DeskTable) -> None:
        table.put(*make_cases(5))

        with ThreadPoolExecutor(10) as threads:
            got = list(threads.map(lambda number: table.desk.next_case(f"analyst-{number}", NOW), range(10)))

        counts = Counter(case.case_id for case in got if case is not None)
        assert (len(counts), set(counts.values()), got.count(None)) == (5, {1}, 5)

    def test_no_step_of_people_at_once_is_lost(self, table: DeskTable) -> None:
        (case,) = make_cases(1)
        table.put(case)

        def skipped(number: int) -> None:
            analyst, at = f"analyst-{number}", NOW + number * LEASE
            done: Case | Refusal | None = None
            while not isinstance(done, Case):
                try:
                    table.desk.change(case.key, partial(reassign, by="lead", to=analyst, reason="r", now=at))
                    done = table.desk.change(case.key, partial(skip, analyst=analyst, now=at))
                except CaseContentionError:
                    continue

        with ThreadPoolExecutor(8) as threads:
            list(threads.map(skipped, range(8)))

        stored = table.desk.change(case.key, lambda case: case)
        assert isinstance(stored, Case)
        assert {each.analyst for each in stored.skips} == {f"analyst-{number}" for number in range(8)}

    def test_the_queue_gives_the_most_urgent_first_across_its_shards(self, table: DeskTable) -> None:
        cases = [
            make_case(f"user-{number}", priority=1 + number % 4, due_at=NOW + timedelta(minutes=number % 7))
            for number in range(60)
        ]
        table.put(*cases)

        wanted = sorted((case.priority, case.due_at) for case in cases)
        assert [(queued.priority, queued.due_at) for queued in table.desk.queue()] == wanted

    def test_a_case_that_was_skipped_does_not_come_back_to_the_same_person(self, table: DeskTable) -> None:
        table.put(*make_cases(2))
        (first, second) = table.case_ids()
        case = _next(table, "ann")

        table.desk.change(case.key, partial(skip, analyst="ann", now=NOW))

        assert (case.case_id, _next(table, "ann").case_id) == (first, second)
        assert table.desk.next_case("ann", NOW) is None
        assert _next(table, "bob").case_id == first
        table.desk.change(case.key, partial(release, analyst="bob", reason="lunch", now=NOW))
        assert table.desk.next_case("ann", NOW + SKIP_HOLDS) is not None

    def test_a_case_comes_back_when_its_lease_ends(self, table: DeskTable) -> None:
        table.put(*make_cases(1))
        _next(table, "ann")

        assert table.desk.next_case("bob", NOW + LEASE - timedelta(seconds=1)) is None
        assert _next(table, "bob", NOW + LEASE).assignee == "bob"

    def test_a_closed_case_is_in_the_index_of_its_reasons_and_not_in_the_queue(
        self, table: DeskTable
    ) -> None:
        table.put(*make_cases(1))
        case = _next(table, "ann")

        table.desk.change(case.key, partial(close, analyst="ann", verdict=CaseVerdict.FRAUD, now=NOW))

        answer = table.client.query(
            TableName=table.table,
            IndexName="by_reasons",
            KeyConditionExpression="reasons_key = :key",
            ExpressionAttributeValues={":key": {"S": "high_amount+impossible_travel"}},
        )
        assert [item["verdict"]["S"] for item in answer["Items"]] == ["fraud"]
        assert table.case_ids() == []

    def test_a_decision_that_closed_a_case_is_undone_unless_the_user_has_a_newer_one(
        self, table: DeskTable
    ) -> None:
        table.put(*make_cases(1))
        case = _next(table, "ann")
        closes = partial(close, analyst="ann", verdict=CaseVerdict.FRAUD, now=NOW)
        undoes = partial(
            undo, decision=make_decision(), others=(), analyst="ann", now=NOW + timedelta(seconds=9)
        )

        table.desk.change(case.key, closes)
        undone = table.desk.change(case.key, undoes)
        table.desk.change(case.key, closes)
        table.put(make_case("user-0", case_number=2))
        refused = table.desk.change(case.key, undoes)

        assert isinstance(undone, Case)
        assert (undone.status, undone.assignee, undone.verdict) == (CaseStatus.CLAIMED, "ann", None)
        assert refused is Refusal.SUPERSEDED

    def test_a_case_that_does_not_exist_is_gone(self, table: DeskTable) -> None:
        step = partial(claim, analyst="ann", now=NOW)

        assert table.desk.change(make_case().key, step) is Refusal.GONE

    def test_a_case_that_others_keep_changing_is_an_error(self, table: DeskTable) -> None:
        (case,) = make_cases(1)
        table.put(case)

        def overtaken(seen: Case) -> Case | Refusal:
            table.put(msgspec.structs.replace(seen, version=seen.version + 1))
            return claim(seen, "ann", NOW)

        with pytest.raises(CaseContentionError):
            table.desk.change(case.key, overtaken)


def _next(table: DeskTable, analyst: str, now: Any = NOW) -> Case:
    case = table.desk.next_case(analyst, now)
    assert case is not None
    return case
