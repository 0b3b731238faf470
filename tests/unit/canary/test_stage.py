"""One run of the canary: what it sends, and what it finds of the run before."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from aws_lambda_powertools import Logger

from canary.metrics import Metric
from canary.stage import CanaryStage
from common.metrics import MILLISECONDS
from contract.canary import canary_payment, canary_users
from contract.transaction import decode_transaction
from tests.support.canaries import canary_alert
from tests.support.payments import NOW, Metrics, make_alert_of, make_claimed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contract.alert import Alert
    from contract.transaction import Transaction

EVERY = timedelta(minutes=5)
MINUTE = timedelta(minutes=1)
EVENT = NOW.strftime("%Y-%m-%dT%H:%M:%SZ")


class Folder:
    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def put(self, name: str, content: bytes) -> bool:
        if name in self.files:
            return False
        self.files[name] = content
        return True

    def payments(self, name: str) -> list[Transaction]:
        return [decode_transaction(line) for line in self.files[name].splitlines()]


class Rows:
    def __init__(self, *payments: Transaction) -> None:
        self.payments = list(payments)

    def has_row(self, user_id: str, after: datetime) -> bool:
        return any(each.user_id == user_id and each.timestamp > after for each in self.payments)


class Inbox:
    def __init__(self, *alerts: Alert) -> None:
        self.alerts = list(alerts)

    def receive(self) -> Iterator[Alert]:
        while self.alerts:
            yield self.alerts.pop(0)


class Canary:
    """A stage with its surroundings."""

    def __init__(self, rows: Rows | None = None, inbox: Inbox | None = None) -> None:
        self.folder, self.metrics = Folder(), Metrics()
        self.rows, self.inbox = rows or Rows(), inbox or Inbox()
        self.now = NOW
        self.stage = CanaryStage(
            self.folder,
            self.rows,
            self.inbox,
            EVERY,
            self.metrics,
            Logger(service="canary-test"),
            clock=lambda: self.now,
        )

    def run(self, event: str = EVENT) -> dict[str, list[float]]:
        self.stage.run({"time": event})
        return {str(name): values for name, values in self.metrics.values.items()}


def _sent(minutes_ago: float) -> tuple[Transaction, Transaction]:
    at = NOW - timedelta(minutes=minutes_ago)
    plain, flagged = canary_users(at)
    return canary_payment(plain, at), canary_payment(flagged, at)


def test_a_run_sends_a_payment_of_each_kind_in_a_file_that_is_named_by_its_event() -> None:
    canary = Canary()

    canary.run("2026-11-26T18:05:00Z")

    assert canary.folder.payments("2026-11-26T180500Z.json") == [
        canary_payment(user_id, NOW) for user_id in canary_users(NOW)
    ]
    assert canary.metrics.values[Metric.CANARIES_SENT] == [2]


def test_an_event_that_is_delivered_again_sends_nothing_and_measures_nothing() -> None:
    canary = Canary(inbox=Inbox())
    canary.run()
    before = dict(canary.folder.files)
    canary.metrics.values.clear()
    canary.now += timedelta(seconds=3)

    assert canary.run() == {}
    assert canary.folder.files == before


@pytest.mark.parametrize("minutes_ago", [4, 5, 6])
def test_what_the_run_before_sent_has_come_out_also_if_that_was_a_minute_early_or_late(
    minutes_ago: int,
) -> None:
    plain, flagged = _sent(minutes_ago)
    alert = canary_alert(flagged.user_id, flagged.timestamp, timedelta(seconds=17))

    metrics = Canary(Rows(plain, flagged), Inbox(alert)).run()

    assert metrics == {
        Metric.CANARIES_SENT: [2],
        Metric.CANARY_ROWS_MISSING: [0],
        Metric.CANARY_ALERTS_MISSING: [0],
        Metric.CANARY_LATENCY_MS: [17_000],
    }
    assert Metric.CANARY_LATENCY_MS.unit == MILLISECONDS


def test_what_an_earlier_run_sent_says_nothing_about_the_one_before() -> None:
    plain, flagged = _sent(25)  # the same users, a round earlier
    late = canary_alert(flagged.user_id, flagged.timestamp, timedelta(minutes=20))

    metrics = Canary(Rows(plain, flagged), Inbox(late)).run()

    assert metrics[Metric.CANARY_ROWS_MISSING] == [1]
    assert metrics[Metric.CANARY_ALERTS_MISSING] == [1]
    assert metrics[Metric.CANARY_LATENCY_MS] == [1_200_000]


def test_a_row_without_an_alert_and_an_alert_without_a_row_are_distinguished() -> None:
    plain, flagged = _sent(5)
    alert = canary_alert(flagged.user_id, flagged.timestamp, MINUTE)

    without_alert = Canary(Rows(plain, flagged)).run()
    without_row = Canary(inbox=Inbox(alert)).run()

    assert (without_alert[Metric.CANARY_ROWS_MISSING], without_alert[Metric.CANARY_ALERTS_MISSING]) == (
        [0],
        [1],
    )
    assert (without_row[Metric.CANARY_ROWS_MISSING], without_row[Metric.CANARY_ALERTS_MISSING]) == ([1], [0])


def test_an_alert_on_the_kind_that_the_rules_decide_on_is_not_the_one_that_must_come() -> None:
    plain, flagged = _sent(5)
    alert = canary_alert(plain.user_id, plain.timestamp, MINUTE)

    metrics = Canary(Rows(plain, flagged), Inbox(alert)).run()

    assert metrics[Metric.CANARY_ALERTS_MISSING] == [1]


def test_an_alert_on_anybody_else_is_not_the_canary_s() -> None:
    alert = make_alert_of(make_claimed())

    metrics = Canary(inbox=Inbox(alert)).run()

    assert metrics[Metric.CANARY_ALERTS_MISSING] == [1]
    assert Metric.CANARY_LATENCY_MS not in metrics


def test_the_queue_is_emptied_although_the_row_is_missing() -> None:
    _, flagged = _sent(5)
    canary = Canary(inbox=Inbox(canary_alert(flagged.user_id, flagged.timestamp, MINUTE)))

    canary.run()

    assert canary.inbox.alerts == []
