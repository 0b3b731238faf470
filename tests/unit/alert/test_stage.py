"""One alert per user and window, sent once, despite crashes, repeats and other workers."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alert.errors import MarkError
from alert.metrics import Metric
from alert.stage import MAX_MARK_ATTEMPTS
from common.alert_windows import MAX_ATTEMPTS, ContentionError
from common.metrics import MILLISECONDS
from common.topic import PublishError
from contract.alert import AlertState, Severity
from contract.alert_account import account_problems
from contract.scored import Decision
from tests.support.alert_store_contract import payment
from tests.support.payments import Context, flagged_event, stream_event
from tests.unit.alert.tables import ONE, THREE, TWO, Crash, DictTables, Inbox, Step, Worker, crash, fail

if TYPE_CHECKING:
    from contract.flagged import FlaggedTransaction


def states(tables: DictTables) -> dict[str, AlertState | None]:
    return {row.transaction_id: row.alert_state for row in tables.rows.values()}


def test_user_under_attack_gives_one_alert_and_a_count(tables: DictTables, inbox: Inbox) -> None:
    worker = Worker(tables, inbox)

    answer = worker.stage.handle(flagged_event(ONE, TWO, THREE), Context())

    assert answer == {"batchItemFailures": []}
    assert [alert.transaction.transaction_id for alert in inbox.alerts] == ["tx-1"]
    assert states(tables) == {"tx-1": "sent", "tx-2": "suppressed", "tx-3": "suppressed"}
    assert tables.windows["user-1"].suppressed.count == 2
    assert worker.metrics.total(Metric.RECORDS_RECEIVED) == 3
    assert worker.metrics.total(Metric.ALERTS_SENT) == 1
    assert worker.metrics.total(Metric.ALERTS_SUPPRESSED) == 2
    assert worker.metrics.values[Metric.ALERT_LATENCY_MS] == [30_000]


def test_next_alert_says_what_was_counted(tables: DictTables, inbox: Inbox) -> None:
    worker = Worker(tables, inbox)
    later = payment("tx-4", 60)
    tables.insert(later)

    worker.stage.handle(flagged_event(ONE, TWO, THREE, later), Context())

    assert [alert.suppressed_before.count for alert in inbox.alerts] == [0, 2]
    assert inbox.alerts[1].suppressed_before.totals == {"USD": Decimal(2500)}


def test_rise_in_severity_is_alerted_at_once(tables: DictTables, inbox: Inbox) -> None:
    worker = Worker(tables, inbox)
    worse = msgspec.structs.replace(TWO, risk_score=95)

    worker.stage.handle(flagged_event(ONE, worse, THREE), Context())

    assert [alert.severity for alert in inbox.alerts] == [Severity.HIGH, Severity.CRITICAL]
    assert inbox.alerts[1].window_start == ONE.occurred_at


@pytest.mark.parametrize("event_name", ["MODIFY", "REMOVE"])
def test_change_of_a_row_alerts_nobody(tables: DictTables, inbox: Inbox, event_name: str) -> None:
    event = stream_event(
        [record["dynamodb"]["NewImage"] for record in flagged_event(ONE)["Records"]], event_name
    )

    Worker(tables, inbox).stage.handle(event, Context())

    assert inbox.alerts == []
    assert states(tables)["tx-1"] is None


@pytest.mark.parametrize("flagged", [ONE, TWO])
def test_redelivered_record_does_nothing(
    tables: DictTables, inbox: Inbox, flagged: FlaggedTransaction
) -> None:
    Worker(tables, inbox).stage.handle(flagged_event(ONE, TWO), Context())
    before = dict(tables.rows), dict(tables.windows), list(inbox.alerts)

    Worker(tables, inbox).stage.handle(flagged_event(flagged, flagged), Context())

    assert (tables.rows, tables.windows, inbox.alerts) == before


@pytest.mark.parametrize("step", [Step.AFTER_CLAIM, Step.BEFORE_PUBLISH])
def test_crash_before_the_message_loses_no_alert(tables: DictTables, inbox: Inbox, step: str) -> None:
    with pytest.raises(Crash):
        Worker(tables, inbox, {step: crash}).alert_on(ONE)

    second = Worker(tables, inbox)
    second.alert_on(ONE)

    assert len(inbox.alerts) == 1
    assert states(tables)["tx-1"] is AlertState.SENT
    assert tables.windows["user-1"].suppressed.count == 0
    assert second.metrics.total(Metric.ALERTS_REPEATED) == 1


def test_crash_between_message_and_mark_repeats_the_same_alert(tables: DictTables, inbox: Inbox) -> None:
    with pytest.raises(Crash):
        Worker(tables, inbox, {Step.AFTER_PUBLISH: crash}).alert_on(ONE)

    Worker(tables, inbox).alert_on(ONE)
    Worker(tables, inbox).alert_on(ONE)

    assert len(inbox.alerts) == 2
    assert inbox.alerts[0] == inbox.alerts[1]


def test_mark_that_is_refused_twice_is_retried_and_the_message_not_repeated(
    tables: DictTables, inbox: Inbox
) -> None:
    worker = Worker(tables, inbox)
    worker.marks_refused = MAX_MARK_ATTEMPTS - 1

    worker.alert_on(ONE)
    Worker(tables, inbox).alert_on(ONE)

    assert len(inbox.alerts) == 1
    assert len(worker.waits) == MAX_MARK_ATTEMPTS - 1
    assert worker.waits == [0.01, 0.02]
    assert worker.metrics.values == {Metric.ALERTS_SENT: [1], Metric.ALERT_LATENCY_MS: [30_000]}


def test_mark_that_is_refused_three_times_fails_the_record_and_repeats_the_same_alert(
    tables: DictTables, inbox: Inbox
) -> None:
    worker = Worker(tables, inbox)
    worker.marks_refused = MAX_MARK_ATTEMPTS

    with pytest.raises(MarkError, match=r"3 times$") as failure:
        worker.alert_on(ONE)
    assert failure.value.attempts == MAX_MARK_ATTEMPTS
    assert worker.metrics.values == {}
    worker.alert_on(ONE)

    assert len(inbox.alerts) == 2
    assert inbox.alerts[0] == inbox.alerts[1]


def test_repeated_alert_says_the_same_count_though_more_were_flagged_since(
    tables: DictTables, inbox: Inbox
) -> None:
    later = payment("tx-4", 60)
    tables.insert(later)
    worker = Worker(tables, inbox)
    worker.alert_on(ONE)
    worker.alert_on(TWO)
    with pytest.raises(Crash):
        Worker(tables, inbox, {Step.AFTER_PUBLISH: crash}).alert_on(later)
    worker.alert_on(THREE)

    worker.alert_on(later)

    assert [alert.suppressed_before.count for alert in inbox.alerts] == [0, 1, 1]


def test_crash_after_the_mark_repeats_nothing(tables: DictTables, inbox: Inbox) -> None:
    with pytest.raises(Crash):
        Worker(tables, inbox, {Step.AFTER_MARK: crash}).alert_on(ONE)

    Worker(tables, inbox).alert_on(ONE)

    assert len(inbox.alerts) == 1


def test_topic_that_is_down_fails_the_record_and_counts_the_others(tables: DictTables, inbox: Inbox) -> None:
    worker = Worker(tables, inbox, {Step.BEFORE_PUBLISH: fail})

    answer = worker.stage.handle(flagged_event(ONE, TWO), Context())

    assert answer == {"batchItemFailures": [{"itemIdentifier": "100"}]}
    assert states(tables)["tx-1"] is AlertState.CLAIMED
    assert states(tables)["tx-2"] is AlertState.SUPPRESSED
    assert worker.metrics.total(Metric.PUBLISH_FAILURES) == 1
    assert worker.metrics.total(Metric.RECORDS_FAILED) == 1
    assert worker.metrics.total(Metric.ALERTS_SENT) == 0
    assert worker.log.lines[0]["error"] == "PublishError: Publish: ServiceUnavailable"


def test_alert_is_sent_when_the_topic_is_back(tables: DictTables, inbox: Inbox) -> None:
    with pytest.raises(PublishError):
        Worker(tables, inbox, {Step.BEFORE_PUBLISH: fail}).alert_on(ONE)

    Worker(tables, inbox).alert_on(ONE)

    assert len(inbox.alerts) == 1
    assert states(tables)["tx-1"] is AlertState.SENT


def test_of_two_workers_with_one_user_s_payments_one_alerts_and_one_counts(
    tables: DictTables, inbox: Inbox
) -> None:
    other = Worker(tables, inbox)
    worker = Worker(tables, inbox)

    def overtake() -> None:  # between reading and writing, once
        worker.at.clear()
        other.alert_on(TWO)

    worker.at = {Step.BEFORE_CLAIM: overtake}

    worker.alert_on(ONE)

    assert [alert.transaction.transaction_id for alert in inbox.alerts] == ["tx-2"]
    assert states(tables) == {"tx-1": "suppressed", "tx-2": "sent", "tx-3": None}
    assert worker.metrics.total(Metric.ALERT_CLAIM_CONFLICTS) == 1
    assert worker.waits == [0.01]


def test_of_two_workers_with_the_same_record_both_name_one_alert(tables: DictTables, inbox: Inbox) -> None:
    other = Worker(tables, inbox)
    worker = Worker(tables, inbox)

    def overtake() -> None:
        worker.at.clear()
        other.alert_on(ONE)

    worker.at = {Step.BEFORE_CLAIM: overtake}

    worker.alert_on(ONE)

    assert len({alert.alert_id for alert in inbox.alerts}) == 1
    assert states(tables)["tx-1"] is AlertState.SENT
    assert tables.windows["user-1"].version == 1


def test_user_whose_windows_keep_changing_fails_the_record_after_bounded_tries(
    tables: DictTables, inbox: Inbox
) -> None:
    def overtake() -> None:
        before = tables.windows_of("user-1")
        tables.windows["user-1"] = msgspec.structs.replace(before, version=before.version + 1)

    worker = Worker(tables, inbox, {Step.BEFORE_CLAIM: overtake})

    with pytest.raises(ContentionError) as failure:
        worker.alert_on(ONE)

    assert failure.value.attempts == MAX_ATTEMPTS
    assert len(worker.waits) == MAX_ATTEMPTS
    assert worker.waits == [0.01, 0.02, 0.04, 0.08, 0.16, 0.25, 0.25, 0.25]  # half of each bound
    assert worker.metrics.values == {Metric.ALERT_CLAIM_CONFLICTS: [1] * 8}
    assert str(failure.value) == "alert_windows: changed by other workers during each of 8 attempts"
    assert states(tables)["tx-1"] is None


def test_payment_whose_row_an_analyst_deleted_is_not_alerted_on(tables: DictTables, inbox: Inbox) -> None:
    tables.delete(ONE.key)
    worker = Worker(tables, inbox)

    worker.alert_on(ONE)

    assert inbox.alerts == []
    assert worker.metrics.total(Metric.FLAGGED_ROWS_MISSING) == 1
    assert worker.metrics.values.keys() == {Metric.FLAGGED_ROWS_MISSING}


def test_row_that_cannot_be_read_fails_its_record_and_no_other(tables: DictTables, inbox: Inbox) -> None:
    event = flagged_event(ONE, TWO)
    event["Records"][0]["dynamodb"]["NewImage"]["amount"] = {"S": "a lot"}
    worker = Worker(tables, inbox)

    answer = worker.stage.handle(event, Context())

    assert answer == {"batchItemFailures": [{"itemIdentifier": "100"}]}
    assert states(tables) == {"tx-1": None, "tx-2": "sent", "tx-3": None}
    assert "flagged_transactions.amount" in str(worker.log.lines[0]["error"])


def test_only_latency_is_measured_in_milliseconds() -> None:
    assert [metric for metric in Metric if metric.unit is MILLISECONDS] == [Metric.ALERT_LATENCY_MS]


payments = st.tuples(
    st.sampled_from(["user-1", "user-2"]),
    st.integers(-40, 40),
    st.sampled_from([(Decision.REVIEW, 50), (Decision.BLOCK, 80), (Decision.BLOCK, 95)]),
    st.sampled_from([("1.25", "USD"), ("95.50", "USD"), ("9500", "USD"), ("20", "EUR")]),
)
happenings = st.tuples(st.sampled_from(Step.ALL), st.sampled_from([crash, fail, "overtaken"]))
deliveries = st.tuples(st.integers(0, 9), st.none() | happenings, st.integers(0, 9))


@given(st.lists(payments, min_size=1, max_size=12), st.lists(deliveries, max_size=30))
def test_despite_crashes_repeats_and_other_workers_each_payment_is_alerted_on_or_counted_once(
    drawn: list[tuple[str, int, tuple[Decision, int], tuple[str, str]]], schedule: list[tuple[int, Any, int]]
) -> None:
    tables, inbox = DictTables(), Inbox()
    rows = [
        payment(
            f"tx-{number}",
            minutes,
            user_id=user,
            decision=decision,
            risk_score=score,
            amount=Decimal(amount),
            currency=currency,
        )
        for number, (user, minutes, (decision, score), (amount, currency)) in enumerate(drawn)
    ]
    for row in rows:
        tables.insert(row)
    repeatable = 0
    for index, happening, other_index in schedule:
        row, other = rows[index % len(rows)], rows[other_index % len(rows)]
        worker = Worker(tables, inbox)
        if happening is not None:
            step, what = happening

            def happen(worker: Worker = worker, what: Any = what, other: FlaggedTransaction = other) -> None:
                worker.at.clear()
                if what == "overtaken":
                    Worker(tables, inbox).alert_on(other)
                else:
                    what()

            worker.at = {step: happen}
            repeatable += step in {Step.AFTER_CLAIM, Step.BEFORE_PUBLISH, Step.AFTER_PUBLISH}
        with suppress(Crash, PublishError):
            worker.alert_on(row)
    for row in rows:
        Worker(tables, inbox).alert_on(row)

    ends = Counter(row.alert_state for row in tables.rows.values())
    ids = [alert.alert_id for alert in inbox.alerts]
    sent = {row.alert_id for row in tables.rows.values() if row.alert_state is AlertState.SENT}
    assert ends.keys() <= {AlertState.SENT, AlertState.SUPPRESSED}
    assert len(sent) == ends[AlertState.SENT]
    assert set(ids) == sent
    assert len(ids) - len(sent) <= repeatable
    first = {alert.alert_id: alert for alert in reversed(inbox.alerts)}
    assert all(alert == first[alert.alert_id] for alert in inbox.alerts)
    assert account_problems(tables.rows.values(), inbox.alerts, tables.windows.values()) == []
    assert {row.alert_id for row in tables.rows.values()} - {None} == sent
    assert all(
        alert.window_start - alert.transaction.occurred_at < timedelta(minutes=15) for alert in inbox.alerts
    )
