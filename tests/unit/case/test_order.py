"""Records in any order and any number of times, and crashes after any call, lead to the same cases."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.alert import AlertState
from contract.flagged import CONFIRMED_FRAUD, OPEN
from tests.support.case_store_contract import payment
from tests.support.payments import NOW
from tests.unit.case.records import STATUSES, alerted, changed, check, payments_of_two_users, taken
from tests.unit.case.world import Crash, DictCaseTables, Worker, crash

if TYPE_CHECKING:
    from collections.abc import Iterable

    from contract.case import Case
    from contract.flagged import FlaggedTransaction


def _comparable(cases: Iterable[Case]) -> list[Case]:
    """Cases without what is fixed by the first payment, and without how often they were written."""
    return [
        msgspec.structs.replace(case, version=1, due_at=NOW, entities=tuple(sorted(case.entities)))
        for case in cases
    ]


@given(payments_of_two_users(), st.data())
def test_payments_in_any_order_and_any_number_of_times_make_the_same_cases(
    payments: list[FlaggedTransaction], data: st.DataObject
) -> None:
    expected = DictCaseTables()
    taken(expected, *payments)
    tables = DictCaseTables()
    for flagged in payments:
        tables.put(flagged)
    records = data.draw(st.permutations(payments * 2))

    for flagged in records:
        Worker(tables).take(flagged)

    assert _comparable(tables.cases()) == _comparable(expected.cases())
    assert tables.links() == expected.links()
    check(tables)


@given(payments_of_two_users(), st.data())
def test_whatever_happens_to_rows_their_cases_say_it_in_the_end(
    payments: list[FlaggedTransaction], data: st.DataObject
) -> None:
    tables = DictCaseTables()
    waiting: list[FlaggedTransaction] = []
    for flagged in payments:
        tables.put(flagged)
        waiting.append(flagged)
    for _ in range(data.draw(st.integers(0, 12))):
        flagged = data.draw(st.sampled_from(payments))
        match data.draw(st.sampled_from(["status", "alert", "suppressed", "deliver", "crash"])):
            case "status":
                waiting.append(changed(tables, flagged, status=data.draw(st.sampled_from(STATUSES))))
            case "alert":
                waiting.append(alerted(tables, flagged, f"alert-{flagged.transaction_id}"))
            case "suppressed" if tables.flagged_rows[flagged.key].alert_state is None:
                state = AlertState.SUPPRESSED
                waiting.append(changed(tables, flagged, alert_state=state, suppression_id="count-1"))
            case "deliver":
                Worker(tables).take(data.draw(st.sampled_from(waiting)))
            case "crash":
                worker = Worker(tables, {data.draw(st.integers(0, 2)): crash})
                try:
                    worker.take(data.draw(st.sampled_from(waiting)))
                except Crash:
                    continue

    for record in data.draw(st.permutations(waiting)):
        Worker(tables).take(record)

    check(tables)
    before = (tables.cases(), tables.links(), Counter(row.case_id for row in tables.rows()))
    for record in waiting:
        Worker(tables).take(record)
    assert before == (tables.cases(), tables.links(), Counter(row.case_id for row in tables.rows()))


@pytest.mark.parametrize("call", range(3))
@pytest.mark.parametrize("status", [OPEN, CONFIRMED_FRAUD])
def test_a_crash_after_any_call_and_a_redelivery_count_a_payment_once(
    tables: DictCaseTables, call: int, status: str
) -> None:
    one = payment("tx-1", status=status)
    tables.put(one)

    with pytest.raises(Crash):
        Worker(tables, {call: partial(crash)}).take(one)
    Worker(tables).take(one)

    (case,) = tables.cases()
    assert (case.payment_count, case.version) == (1, 1)
    check(tables)
