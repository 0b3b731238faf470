"""Every flagged payment is in one case and counted there as what its row says, and closes when all is decided."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from common.cases import MAX_ATTEMPTS, CaseContentionError
from contract.alert import AlertState, Severity
from contract.case import (
    MAX_ALERTS,
    MAX_PAYMENTS,
    MAX_REASONS,
    CaseStatus,
    CaseVerdict,
    linked_entities,
    owner_of,
)
from contract.flagged import CONFIRMED_FRAUD, FALSE_POSITIVE, IN_REVIEW, OPEN
from contract.reason import Reason
from contract.scored import Decision
from tests.support.case_store_contract import LIMITS, payment
from tests.support.payments import NOW
from tests.unit.case.records import alerted, changed, check, taken
from tests.unit.case.world import DictCaseTables, Worker


def test_the_first_payment_opens_a_case_and_the_next_one_joins_it(tables: DictCaseTables) -> None:
    one = payment("tx-1")
    two = payment("tx-2", 1, decision=Decision.REVIEW, risk_score=95, sent={"device_id": "device-2"})

    (case,) = taken(tables, one, two)

    assert (case.user_id, case.case_owner, case.case_number) == ("user-1", owner_of("user-1"), 1)
    assert case.status is CaseStatus.OPEN
    assert (case.undecided.payments, case.at_risk_base, case.base_currency) == (2, Decimal(2500), "USD")
    assert case.severity is Severity.CRITICAL
    assert [kept.event_key for kept in case.payments] == [two.event_key, one.event_key]
    assert case.strongest_reasons == ("impossible_travel", "high_amount")
    assert set(case.entities) == {*linked_entities(one), *linked_entities(two)}
    assert not any(name.startswith("n:") for name in case.entities)
    check(tables)


def test_a_case_is_due_by_its_money_and_severity_and_earlier_when_it_becomes_more_urgent(
    tables: DictCaseTables,
) -> None:
    one = payment("tx-1", decision=Decision.REVIEW, risk_score=60, sent={"amount": Decimal(10)})
    (before,) = taken(tables, one)

    (after,) = taken(tables, payment("tx-2", risk_score=95, sent={"amount": Decimal(20_000)}))

    assert (before.priority, before.due_at) == (4, NOW + LIMITS.due_after[3])
    assert (after.priority, after.due_at, after.opened_at) == (1, NOW + LIMITS.due_after[0], NOW)


def test_a_payment_that_makes_a_case_no_more_urgent_leaves_its_time(tables: DictCaseTables) -> None:
    (before,) = taken(tables, payment("tx-1", risk_score=95, sent={"amount": Decimal(20_000)}))

    (after,) = taken(tables, payment("tx-2", 1))

    assert after.due_at == before.due_at


@pytest.mark.parametrize(
    ("severity", "amount", "priority"),
    [
        (Severity.MEDIUM, "999.99", 4),
        (Severity.MEDIUM, "1000", 3),
        (Severity.MEDIUM, "10000", 2),
        (Severity.HIGH, "0", 3),
        (Severity.HIGH, "10000", 1),
        (Severity.CRITICAL, "0", 2),
        (Severity.CRITICAL, "1000", 1),
        (Severity.CRITICAL, "1000000", 1),
    ],
)
def test_priority_rises_with_severity_and_with_money(severity: Severity, amount: str, priority: int) -> None:
    assert LIMITS.priority(severity, Decimal(amount)) == priority


def test_users_have_cases_of_their_own(tables: DictCaseTables) -> None:
    cases = taken(tables, payment("tx-1"), payment("tx-1", sent={"user_id": "user-2"}))

    assert {case.user_id for case in cases} == {"user-1", "user-2"}
    check(tables)


@pytest.mark.parametrize(
    ("statuses", "verdict"),
    [
        ((CONFIRMED_FRAUD, CONFIRMED_FRAUD), CaseVerdict.FRAUD),
        ((FALSE_POSITIVE, FALSE_POSITIVE), CaseVerdict.LEGITIMATE),
        ((CONFIRMED_FRAUD, FALSE_POSITIVE), CaseVerdict.MIXED),
        ((CONFIRMED_FRAUD, OPEN), None),
        ((IN_REVIEW, FALSE_POSITIVE), None),
    ],
)
def test_labels_close_a_case_when_none_of_its_payments_is_undecided(
    tables: DictCaseTables, statuses: tuple[str, str], verdict: CaseVerdict | None
) -> None:
    payments = payment("tx-1"), payment("tx-2")
    taken(tables, *payments)
    worker = Worker(tables)

    for flagged, status in zip(payments, statuses, strict=True):
        worker.take(changed(tables, flagged, status=status))

    (case,) = tables.cases()
    assert (case.verdict, case.is_closed) == (verdict, verdict is not None)
    assert (case.closed_at, case.closed_by) == (None if verdict is None else NOW, None)
    check(tables)


def test_a_payment_after_the_case_was_closed_opens_the_next_one(tables: DictCaseTables) -> None:
    one = payment("tx-1")
    taken(tables, one)
    Worker(tables).take(changed(tables, one, status=CONFIRMED_FRAUD))

    cases = taken(tables, payment("tx-2"))

    assert [(case.case_number, case.status) for case in cases] == [(1, "closed"), (2, "open")]
    check(tables)


def test_a_label_that_is_withdrawn_opens_the_case_again(tables: DictCaseTables) -> None:
    one = payment("tx-1")
    (before,) = taken(tables, one)
    Worker(tables).take(changed(tables, one, status=CONFIRMED_FRAUD))

    Worker(tables).take(changed(tables, one, status=OPEN))

    (case,) = tables.cases()
    assert case == msgspec.structs.replace(before, version=3)


def test_a_label_that_is_withdrawn_late_moves_its_payment_to_the_open_case(tables: DictCaseTables) -> None:
    one = payment("tx-1")
    taken(tables, one)
    Worker(tables).take(changed(tables, one, status=CONFIRMED_FRAUD))
    taken(tables, payment("tx-2"))

    Worker(tables).take(changed(tables, one, status=OPEN))

    (older, newer) = tables.cases()
    assert (older.is_closed, older.payment_count, older.payments) == (True, 0, ())
    assert (newer.is_closed, newer.undecided.payments) == (False, 2)
    check(tables)


def test_a_case_that_a_person_closed_stays_closed_until_a_label_is_withdrawn(tables: DictCaseTables) -> None:
    one = payment("tx-1")
    (case,) = taken(tables, one)
    closed = msgspec.structs.replace(
        case, version=2, status=CaseStatus.CLOSED, verdict=CaseVerdict.FRAUD, closed_at=NOW, closed_by="ann"
    )
    tables.case_rows[case.key] = closed

    Worker(tables).take(alerted(tables, one))
    Worker(tables).take(changed(tables, one, status=CONFIRMED_FRAUD))

    (after,) = tables.cases()
    assert (after.status, after.verdict, after.closed_by, after.fraud.payments) == (
        "closed",
        "fraud",
        "ann",
        1,
    )
    Worker(tables).take(changed(tables, one, status=OPEN))
    assert [each.status for each in tables.cases()] == ["open"]


def test_a_case_knows_the_alerts_of_its_payments(tables: DictCaseTables) -> None:
    one = payment("tx-1")
    taken(tables, one)

    for _ in range(2):
        Worker(tables).take(alerted(tables, one))

    (case,) = tables.cases()
    assert ([alert.alert_id for alert in case.alerts], case.alert_count) == (["alert-1"], 1)
    assert ("alert#alert-1", case.case_id) in tables.links()
    check(tables)


def test_a_digest_leads_to_the_case_of_its_payments(tables: DictCaseTables) -> None:
    one = payment("tx-1")
    taken(tables, one)

    Worker(tables).take(
        changed(tables, one, alert_state=AlertState.SUPPRESSED, alert_id="alert-1", suppression_id="count-1")
    )

    (case,) = tables.cases()
    assert (case.alerts, case.alert_count) == ((), 0)
    assert ("alert#count-1", case.case_id) in tables.links()
    check(tables)


def test_a_case_is_bounded_and_counts_the_rest(tables: DictCaseTables) -> None:
    reasons = tuple(Reason(f"rule-{number}", number, "why") for number in range(2 * MAX_REASONS))
    payments = [payment(f"tx-{number}", number, reasons=reasons) for number in range(2 * MAX_PAYMENTS)]
    taken(tables, *payments)
    for number, flagged in enumerate(payments):
        Worker(tables).take(alerted(tables, flagged, f"alert-{number}"))

    (case,) = tables.cases()
    assert (len(case.payments), case.payment_count) == (MAX_PAYMENTS, 2 * MAX_PAYMENTS)
    assert (len(case.alerts), case.alert_count) == (MAX_ALERTS, 2 * MAX_PAYMENTS)
    assert len(case.reasons) == MAX_REASONS
    assert case.strongest_reasons[0] == "rule-9"
    check(tables)


def test_a_payment_without_a_rate_is_counted_and_in_no_sum(tables: DictCaseTables) -> None:
    (case,) = taken(tables, payment("tx-1", sent={"currency": "EUR"}), payment("tx-2"))

    assert (case.undecided.payments, case.unpriced, case.at_risk_base) == (2, 1, Decimal(1250))
    check(tables)


def test_a_canary_opens_no_case(tables: DictCaseTables) -> None:
    assert taken(tables, payment("tx-1", sent={"user_id": "canary-flagged-3"})) == []


def test_a_row_that_was_deleted_before_it_was_read_opens_no_case(tables: DictCaseTables) -> None:
    worker = Worker(tables)

    worker.take(payment("tx-1"))

    assert tables.cases() == []
    assert worker.metrics.total("FlaggedRowsMissing") == 1


def test_a_settled_record_reads_nothing(tables: DictCaseTables) -> None:
    taken(tables, payment("tx-1"))
    worker = Worker(tables)

    worker.take(tables.rows()[0])

    assert worker.calls == 0


@pytest.mark.parametrize("call", range(3))
def test_another_worker_at_any_call_leaves_one_case(tables: DictCaseTables, call: int) -> None:
    one, two = payment("tx-1"), payment("tx-2")
    tables.put(one)
    tables.put(two)
    other = Worker(tables)

    def someone_else() -> None:
        other.take(two)
        other.take(one)

    worker = Worker(tables, {call: someone_else})

    worker.take(one)

    (case,) = tables.cases()
    assert case.undecided.payments == 2
    check(tables)


def test_a_case_that_others_keep_changing_is_tried_again_later(tables: DictCaseTables) -> None:
    one = payment("tx-1")
    taken(tables, payment("tx-0"))
    tables.put(one)
    (case,) = tables.cases()

    def someone_else() -> None:
        current = tables.case_rows[case.key]
        tables.case_rows[case.key] = msgspec.structs.replace(current, version=current.version + 1)

    worker = Worker(tables, {3 * attempt + 1: someone_else for attempt in range(MAX_ATTEMPTS)})

    with pytest.raises(CaseContentionError):
        worker.take(one)
    assert len(worker.waits) == MAX_ATTEMPTS
    Worker(tables).take(one)
    check(tables)
