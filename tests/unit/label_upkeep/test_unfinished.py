"""An unfinished label is sent again, less and less often, and quarantined when it has waited for too long; it is never lost."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from botocore.exceptions import ClientError

from contract.label_rows import PendingLabel, Unfinished, next_due
from label_upkeep.metrics import Metric
from label_upkeep.unfinished import UnfinishedLabels
from tests.support.label_world import Quarantine
from tests.support.payments import NOW, Log, Metrics

HOUR = timedelta(hours=1)
REFUSED = ClientError({"Error": {"Code": "ServiceUnavailable"}}, "SendMessage")
PENDING = PendingLabel(
    pending_id="p-1",
    message='{"transaction_id": "tx-1"}',
    reason=Unfinished.NO_PAYMENT,
    first_at=NOW,
    due_at=NOW + HOUR,
    due_shard=0,
)


class Table:
    """Labels that wait, in a dictionary, behind an index that may lag."""

    def __init__(self, *rows: PendingLabel) -> None:
        self.rows = {row.pending_id: row for row in rows}
        self.behind: list[str] = []

    def due(self, now: object, limit: int) -> list[str]:
        return [row.pending_id for row in self.rows.values() if row.due_at <= now] + self.behind  # type: ignore[operator]

    def pending(self, pending_id: str) -> PendingLabel | None:
        return self.rows.get(pending_id)

    def postpone(self, pending_id: str, due_at: object) -> None:
        if pending_id in self.rows:
            self.rows[pending_id] = msgspec.structs.replace(self.rows[pending_id], due_at=due_at)

    def delete(self, pending_id: str) -> None:
        self.rows.pop(pending_id, None)


class World:
    """A run's parts."""

    def __init__(self, *rows: PendingLabel) -> None:
        self.table = Table(*rows)
        self.sent: list[str] = []
        self.refusals: list[Exception] = []
        self.quarantine = Quarantine()
        self.metrics = Metrics()
        self.log = Log()

    def send(self, message: str) -> None:
        if self.refusals:
            raise self.refusals.pop()
        self.sent.append(message)

    def run(self, after: timedelta, *, has_time: bool = True) -> None:
        parts = UnfinishedLabels(
            self.table, self.send, self.quarantine, timedelta(days=30), self.metrics, self.log
        )
        parts.send_due(NOW + after, lambda: has_time)


def test_label_is_sent_again_when_it_is_due_and_not_before() -> None:
    world = World(PENDING)

    world.run(timedelta(minutes=59))
    assert world.sent == []
    world.run(HOUR)

    assert world.sent == [PENDING.message]
    assert world.table.rows["p-1"].due_at == NOW + 2 * HOUR
    assert world.metrics.total(Metric.LABELS_SENT_AGAIN) == 1


def test_waits_double_up_to_a_day_and_all_tries_of_30_days_are_few() -> None:
    world = World(PENDING)
    dues = []

    for hours in range(1, 30 * 24):
        world.run(hours * HOUR)
        dues.append(world.table.rows["p-1"].due_at)

    assert len(world.sent) == len(set(dues)) == 34
    assert next_due(NOW, NOW) == NOW + timedelta(minutes=5)


@pytest.mark.parametrize(
    ("reason", "field"),
    [(Unfinished.NO_PAYMENT, "transaction_id"), (Unfinished.NO_FLAGGED_ROW, "$"), (Unfinished.NO_CACHE, "$")],
)
def test_label_that_waited_30_days_is_quarantined_with_its_reason(reason: Unfinished, field: str) -> None:
    world = World(msgspec.structs.replace(PENDING, reason=reason))

    world.run(timedelta(days=30))

    (quarantined,) = world.quarantine.messages
    assert (quarantined.body, quarantined.field) == (PENDING.message.encode(), field)
    assert quarantined.problem.endswith("for 30 days")
    assert world.table.rows == {}
    assert world.sent == []
    assert world.metrics.total(Metric.LABELS_EXPIRED) == 1


def test_label_that_cannot_be_quarantined_still_waits() -> None:
    world = World(PENDING)

    def refuse(message_id: str, body: bytes, field: str, problem: str) -> None:
        raise REFUSED

    world.quarantine.put = refuse  # type: ignore[method-assign]  # as SQS that is unavailable

    world.run(timedelta(days=30))

    assert world.table.rows == {"p-1": PENDING}
    assert world.metrics.total(Metric.UPKEEP_FAILURES) == 1


def test_label_that_cannot_be_sent_delays_no_other_and_is_sent_by_the_next_run() -> None:
    other = msgspec.structs.replace(PENDING, pending_id="p-2", message="{}")
    world = World(PENDING, other)
    world.refusals = [REFUSED]

    world.run(HOUR)
    assert world.sent == ["{}"]
    world.run(HOUR)

    assert world.sent == ["{}", PENDING.message]
    assert world.log.lines[0]["error"] == "SendMessage: ServiceUnavailable"


def test_label_that_was_finished_or_postponed_meanwhile_is_not_sent() -> None:
    world = World(PENDING)
    world.table.behind = ["gone", "p-1"]

    world.run(timedelta(minutes=30))

    assert world.sent == []


def test_without_time_nothing_is_begun() -> None:
    world = World(PENDING)

    world.run(HOUR, has_time=False)

    assert world.sent == []
