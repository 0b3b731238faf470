"""After a restore of any of the tables to any time, the reconciler's rows make cases that say what the payments say."""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.alert import AlertState
from contract.case import CaseStatus, CaseVerdict, SecondLook, Tally
from contract.case_decision import DecidedPayment
from contract.case_outcome import LABELS_COME
from contract.flag_hour import REPAIR_SOURCE
from contract.flagged import CONFIRMED_FRAUD, FALSE_POSITIVE, OPEN, to_flagged_item
from tests.support.case_store_contract import decision_on, payment
from tests.support.payments import NOW
from tests.unit.case.records import STATUSES, alerted, changed, check, payments_of_two_users, taken
from tests.unit.case.world import Crash, DictCaseTables, Worker, crash

if TYPE_CHECKING:
    from contract.case import Case
    from contract.flagged import FlaggedTransaction


def repair(tables: DictCaseTables, *rows: FlaggedTransaction) -> Worker:
    worker = Worker(tables)
    for row in rows or tables.rows():
        worker.stage.repair(to_flagged_item(row))
    return worker


def copy_of(tables: DictCaseTables) -> DictCaseTables:
    copy = DictCaseTables()
    copy.flagged_rows, copy.case_rows = dict(tables.flagged_rows), dict(tables.case_rows)
    copy.link_rows = set(tables.link_rows)
    return copy


@given(payments_of_two_users(), st.data())
def test_after_any_restore_cases_say_what_the_rows_say(
    payments: list[FlaggedTransaction], data: st.DataObject
) -> None:
    tables = DictCaseTables()
    backups = [copy_of(tables)]
    for flagged in payments:
        taken(tables, flagged)
        backups.append(copy_of(tables))
        for _ in range(data.draw(st.integers(0, 2))):
            some = data.draw(st.sampled_from(tables.rows()))
            if data.draw(st.booleans()):
                record = changed(tables, some, status=data.draw(st.sampled_from(STATUSES)))
            else:
                record = alerted(tables, some, f"alert-{some.transaction_id}")
            Worker(tables).take(record)
            backups.append(copy_of(tables))
    backup = st.sampled_from([*backups, tables])
    restored = DictCaseTables()
    restored.flagged_rows = dict(data.draw(backup).flagged_rows)
    restored.case_rows = dict(data.draw(backup).case_rows)
    restored.link_rows = set(data.draw(backup).link_rows)
    for flagged in payments:  # persist flags what is missing, and labels set what they say
        restored.flagged_rows.setdefault(flagged.key, flagged)
        changed(restored, flagged, status=tables.flagged_rows[flagged.key].status)

    repair(restored)

    check(restored)
    before = copy_of(restored)
    repair(restored)
    assert vars(before) == vars(restored)


def test_a_row_that_was_restored_to_before_its_marks_is_counted_once() -> None:
    tables = DictCaseTables()
    one = payment()
    (case,) = taken(tables, one)
    tables.put(one)

    worker = repair(tables)

    (case_after,) = tables.cases()
    assert (case_after.undecided, case_after.alert_count) == (case.undecided, case.alert_count)
    worker.take(changed(tables, one, status=CONFIRMED_FRAUD))
    assert tables.cases()[0].verdict is CaseVerdict.FRAUD
    check(tables)


def test_rows_whose_case_is_gone_are_in_one_case_together() -> None:
    tables = DictCaseTables()
    one, two = payment("tx-1"), payment("tx-2", 1)
    taken(tables, one, two)
    tables.case_rows.clear()
    # Before anybody counts, a payment opens the first case again, which two rows name.
    taken(tables, payment("tx-3", 2))

    repair(tables, one)

    (case,) = tables.cases()
    assert case.payment_count == 3
    check(tables)


def test_labels_that_are_gone_open_the_case_again_that_they_have_closed() -> None:
    tables = DictCaseTables()
    one = payment()
    taken(tables, one)
    before = copy_of(tables)
    Worker(tables).take(changed(tables, one, status=FALSE_POSITIVE))
    tables.flagged_rows = before.flagged_rows

    repair(tables)

    (case,) = tables.cases()
    assert (case.status, case.verdict, case.closed_at) == (CaseStatus.OPEN, None, None)
    check(tables)


def test_a_case_that_is_open_again_keeps_its_second_look() -> None:
    tables = DictCaseTables()
    one = payment()
    taken(tables, one)
    backup = dict(tables.flagged_rows)
    Worker(tables).take(changed(tables, one, status=FALSE_POSITIVE))
    (case,) = tables.cases()
    look = SecondLook(NOW, Tally(1))
    tables.case_rows[case.key] = msgspec.structs.replace(case, decided_by=("eve",), second_look=look)
    tables.flagged_rows = backup

    repair(tables)

    (case,) = tables.cases()
    assert (case.is_closed, case.second_look) == (False, look)


def test_an_undecided_payment_of_a_case_that_labels_have_closed_moves_to_the_newest() -> None:
    tables = DictCaseTables()
    one, two = payment("tx-1"), payment("tx-2", 1)
    taken(tables, one)
    before = tables.flagged_rows[one.key]
    Worker(tables).take(changed(tables, one, status=FALSE_POSITIVE))
    taken(tables, two)
    tables.put(before)

    repair(tables)

    assert {row.case_id for row in tables.rows()} == {tables.cases()[1].case_id}
    check(tables)


def closed_by_ann(tables: DictCaseTables, case: Case) -> Case:
    """Store a case as Ann has closed it, as fraud, with sums of another time."""
    closed = msgspec.structs.replace(
        case,
        version=case.version + 1,
        status=CaseStatus.CLOSED,
        verdict=CaseVerdict.FRAUD,
        closed_by="ann",
        closed_at=NOW,
        fraud=Tally(7),
        decided_by=("ann",),
    )
    tables.case_rows[case.key] = closed
    return closed


def test_a_case_that_a_person_has_closed_stays_closed_while_its_labels_are_on_their_way() -> None:
    tables = DictCaseTables()
    (case,) = taken(tables, payment())
    closed_by_ann(tables, case)
    tables.put_decision(decision_on(case))

    repair(tables)

    (case_after,) = tables.cases()
    assert (case_after.status, case_after.closed_by, case_after.fraud) == (CaseStatus.CLOSED, "ann", Tally())
    assert case_after.undecided == case.undecided


LOST: dict[str, Any] = {
    "lost": None,
    "undone": {"undone_by": "ann", "undone_at": NOW},
    "of another payment": {"payments": (DecidedPayment("2026-03-01T00:00:00.000000Z#tx-9", "tx-9"),)},
    "made long ago": {"decided_at": NOW - LABELS_COME},
}
"""Decisions after which no label comes."""


@pytest.mark.parametrize("changes", LOST.values(), ids=LOST)
def test_a_case_that_a_person_has_closed_opens_again_for_a_payment_on_which_no_decision_is_left(
    changes: dict[str, Any] | None,
) -> None:
    tables = DictCaseTables()
    (case,) = taken(tables, payment())
    closed_by_ann(tables, case)
    if changes is not None:
        tables.put_decision(decision_on(case, **changes))

    repair(tables)

    (repaired,) = tables.cases()
    assert (repaired.status, repaired.verdict, repaired.closed_by) == (CaseStatus.OPEN, None, None)
    assert (repaired.undecided, repaired.decided_by) == (case.undecided, ("ann",))
    before = copy_of(tables)
    repair(tables)
    assert before.case_rows == tables.case_rows


@pytest.mark.parametrize("is_awaited", [True, False])
def test_a_payment_of_an_older_case_on_which_no_decision_is_left_moves_to_the_newest(
    is_awaited: bool,
) -> None:
    tables = DictCaseTables()
    one = payment("tx-1")
    (case,) = taken(tables, one)
    closed_by_ann(tables, case)
    taken(tables, payment("tx-2", 1))
    if is_awaited:
        tables.put_decision(decision_on(case))

    repair(tables)

    older, newer = tables.cases()
    assert older.is_closed
    assert (older.payment_count, newer.payment_count) == ((1, 1) if is_awaited else (0, 2))
    assert tables.flagged_rows[one.key].case_id == (older if is_awaited else newer).case_id


def test_who_has_decided_on_a_case_is_known_though_it_was_restored_to_before() -> None:
    tables = DictCaseTables()
    (case,) = taken(tables, payment())
    tables.put_decision(decision_on(case, analyst="eve"))

    repair(tables)

    (repaired,) = tables.cases()
    assert repaired.decided_by == ("eve",)


@pytest.mark.parametrize("call", range(8))
def test_a_crash_after_any_call_of_a_repair_changes_nothing_that_the_next_one_makes(call: int) -> None:
    tables = DictCaseTables()
    one, two = payment("tx-1"), payment("tx-2", 1)
    taken(tables, one, two)
    tables.put(changed(tables, one, status=CONFIRMED_FRAUD, case_judgement=None, case_id=None))
    worker = Worker(tables, {call: partial(crash)})

    try:
        worker.stage.repair(to_flagged_item(two))
    except Crash:
        repair(tables, two)

    check(tables)


def test_somebody_who_changes_a_case_meanwhile_is_counted_too() -> None:
    tables = DictCaseTables()
    one, two = payment("tx-1"), payment("tx-2", 1)
    (case,) = taken(tables, one)
    tables.case_rows[case.key] = msgspec.structs.replace(case, undecided=Tally(9))

    def joined() -> None:
        taken(tables, two)

    worker = Worker(tables, {0: joined})

    worker.stage.repair(to_flagged_item(one))

    (case_after,) = tables.cases()
    assert case_after.undecided.payments == 2
    assert worker.waits
    check(tables)


def test_rows_that_the_reconciler_sends_have_their_users_counted_once_a_batch() -> None:
    tables = DictCaseTables()
    rows = [payment("tx-1", alert_state=AlertState.SENT), payment("tx-2", 1)]
    (case,) = taken(tables, *rows)
    tables.case_rows[case.key] = msgspec.structs.replace(case, undecided=Tally(9))
    worker = Worker(tables)
    context: Any = SimpleNamespace(
        invoked_function_arn="arn:case:live", get_remaining_time_in_millis=lambda: 30_000
    )

    answer = worker.stage.handle(event(REPAIR_SOURCE, tables), context)

    assert answer == {"batchItemFailures": []}
    assert worker.calls == 4  # read, write, read again, link
    check(tables)
    tables.case_rows[case.key] = msgspec.structs.replace(tables.cases()[0], undecided=Tally(9))
    worker.stage.handle(event("arn:aws:dynamodb:stream", tables), context)
    assert tables.cases()[0].undecided == Tally(9)  # a stream's settled rows are not even read
    worker.stage.handle(event(REPAIR_SOURCE, tables), context)
    check(tables)


def event(source: str, tables: DictCaseTables) -> dict[str, Any]:
    """The rows as the stage gets them."""
    records = [
        {
            "eventID": str(number),
            "eventName": "INSERT",
            "eventSource": "aws:dynamodb",
            "eventSourceARN": source,
            "dynamodb": {
                "ApproximateCreationDateTime": NOW.timestamp(),
                "SequenceNumber": str(number),
                "NewImage": to_flagged_item(row),
            },
        }
        for number, row in enumerate(tables.rows())
    ]
    assert all(row.status == OPEN for row in tables.rows())
    return {"Records": records}
