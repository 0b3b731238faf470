"""What the alert stage counts and measures, by value."""

from __future__ import annotations

import msgspec
import pytest

from alert.messages import render
from alert.metrics import Metric
from common.topic import MessageAttribute
from contract.canary import CANARY_ATTRIBUTE, canary_payment
from tests.support.alert_store_contract import payment
from tests.support.payments import NOW, Context, flagged_event, make_flagged
from tests.unit.alert.tables import ONE, THREE, TWO, Crash, DictTables, Inbox, Step, Worker, crash, fail


def test_redelivered_record_that_was_alerted_on_or_counted_emits_nothing(
    tables: DictTables, inbox: Inbox
) -> None:
    Worker(tables, inbox).stage.handle(flagged_event(ONE, TWO), Context())
    again = Worker(tables, inbox)

    again.stage.handle(flagged_event(ONE, TWO), Context())

    assert again.metrics.values == {Metric.RECORDS_RECEIVED: [2], Metric.RECORDS_FAILED: [0]}


def test_window_of_the_stage_is_the_one_of_its_settings(tables: DictTables, inbox: Inbox) -> None:
    inside, outside = payment("tx-5", 14.99), payment("tx-6", 15)
    for flagged in (inside, outside):
        tables.insert(flagged)

    Worker(tables, inbox).stage.handle(flagged_event(ONE, inside, outside), Context())

    assert [alert.transaction.transaction_id for alert in inbox.alerts] == ["tx-1", "tx-6"]


def test_every_metric_of_a_batch_is_emitted_by_value(tables: DictTables, inbox: Inbox) -> None:
    other = payment("tx-9", user_id="user-2")
    tables.insert(other)
    tables.delete(THREE.key)
    with pytest.raises(Crash):
        Worker(tables, inbox, {Step.AFTER_CLAIM: crash}).alert_on(ONE)
    worker = Worker(tables, inbox)

    def overtake_once() -> None:
        if Step.BEFORE_CLAIM in worker.at:
            del worker.at[Step.BEFORE_CLAIM]
            before = tables.windows_of("user-1")
            tables.windows["user-1"] = msgspec.structs.replace(before, version=before.version + 1)

    def refuse_second() -> None:
        if len(inbox.alerts) == 1:
            fail()

    worker.at = {Step.BEFORE_CLAIM: overtake_once, Step.BEFORE_PUBLISH: refuse_second}

    worker.stage.handle(flagged_event(ONE, TWO, THREE, other), Context())

    assert worker.metrics.values == {
        Metric.RECORDS_RECEIVED: [4],
        Metric.RECORDS_FAILED: [1],
        Metric.ALERTS_SENT: [1],
        Metric.ALERTS_REPEATED: [1],
        Metric.ALERTS_SUPPRESSED: [1],
        Metric.FLAGGED_ROWS_MISSING: [1],
        Metric.PUBLISH_FAILURES: [1],
        Metric.ALERT_LATENCY_MS: [30_000],
    }


def test_canary_is_sent_with_its_attribute_and_counted_nowhere(tables: DictTables, inbox: Inbox) -> None:
    canary = make_flagged(canary_payment("canary-flagged-1", NOW))
    again = msgspec.structs.replace(canary, transaction_id="tx-again", event_key=f"{canary.event_key}-again")
    tables.insert(canary)
    tables.insert(again)
    worker = Worker(tables, inbox)

    worker.stage.handle(flagged_event(canary, again), Context())

    (alert,) = inbox.alerts
    assert render(alert).attributes[CANARY_ATTRIBUTE] == MessageAttribute("String", "true")
    assert len(render(alert).attributes) <= 10
    assert worker.metrics.values == {Metric.RECORDS_RECEIVED: [2], Metric.RECORDS_FAILED: [0]}


def test_no_other_message_has_the_canary_s_attribute(tables: DictTables, inbox: Inbox) -> None:
    Worker(tables, inbox).stage.handle(flagged_event(ONE), Context())

    (alert,) = inbox.alerts
    assert CANARY_ATTRIBUTE not in render(alert).attributes
