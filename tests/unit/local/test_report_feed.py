"""Reports of simulated people are sent when they are due, ten at a time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from contract.label_message import decode_label_message
from contract.truth import SentPayment, Truth
from local.report_feed import BATCH, ReportFeed
from simulator.reports import MAX_DELAY_DAYS

if TYPE_CHECKING:
    from collections.abc import Sequence

BEGIN = datetime(2026, 11, 1, 12, tzinfo=UTC)


def fraud(number: int, at: datetime) -> SentPayment:
    record: dict[str, object] = {
        "transaction_id": f"t-{number}", "user_id": "u", "timestamp": at.isoformat().replace("+00:00", "Z"),
    }  # fmt: skip
    return SentPayment(record=record, truth=Truth("stolen_card"))


class Feed:
    """A feed at a time that the test sets."""

    def __init__(self) -> None:
        self.now = BEGIN
        self.batches: list[list[str]] = []
        self.reports = ReportFeed(self.send, lambda: self.now, 1, timedelta(seconds=10))

    def send(self, bodies: Sequence[str]) -> None:
        self.batches.append(list(bodies))


def test_reports_are_sent_when_they_are_due_and_once() -> None:
    feed = Feed()
    for number in range(100):
        feed.reports.take(fraud(number, BEGIN + timedelta(seconds=1)))
    taken = feed.reports.waiting

    feed.reports.send_due()
    at_once = feed.reports.sent
    feed.now = BEGIN + MAX_DELAY_DAYS * timedelta(seconds=10) + timedelta(seconds=1)
    feed.reports.send_due()
    feed.reports.send_due()

    assert at_once == 0
    assert 60 < taken == feed.reports.sent
    assert feed.reports.waiting == 0
    assert max(map(len, feed.batches)) == BATCH
    messages = [decode_label_message(body.encode()) for batch in feed.batches for body in batch]
    assert len({message.transaction_id for message in messages}) == taken


def test_frauds_of_the_past_were_reported_after_real_days() -> None:
    feed = Feed()
    for number in range(100):
        feed.reports.take(fraud(number, BEGIN - timedelta(days=2)))
        feed.reports.take(fraud(1_000 + number, BEGIN - timedelta(days=MAX_DELAY_DAYS)))
    taken = feed.reports.waiting

    feed.reports.send_due()

    assert taken / 2 < feed.reports.sent < taken


def test_it_is_known_until_when_a_report_is_due() -> None:
    feed = Feed()
    for number in range(20):
        feed.reports.take(fraud(number, BEGIN + timedelta(seconds=1)))
    last = BEGIN + MAX_DELAY_DAYS * timedelta(seconds=10) + timedelta(seconds=1)

    soon, later = feed.reports.is_due_by(BEGIN), feed.reports.is_due_by(last)
    feed.now = last
    feed.reports.send_due()

    assert (soon, later, feed.reports.is_due_by(last)) == (False, True, False)
