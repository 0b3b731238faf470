"""A digest for each user whose window closed with payments in no message; once, despite crashes, repeats and the alert stage."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.alert_windows import MAX_ATTEMPTS
from common.metrics import MILLISECONDS
from common.topic import PublishError
from contract.alert import Alert, AlertState, Severity
from contract.alert_account import account_problems
from contract.scored import Decision
from digest.metrics import Metric
from tests.support.alert_store_contract import payment
from tests.support.payments import NOW, Context
from tests.unit.alert.tables import Crash, DictTables, Worker, crash, fail
from tests.unit.digest.world import DigestWorker, Inbox, Step

if TYPE_CHECKING:
    from collections.abc import Callable

    from contract.flagged import FlaggedTransaction

ONE, TWO, THREE = (payment(f"tx-{number}", number, amount=Decimal(30)) for number in range(3))


def alert_on(tables: DictTables, inbox: Inbox, *payments: FlaggedTransaction) -> None:
    """Let the alert stage handle payments."""
    for one in payments:
        tables.insert(one)
        Worker(tables, inbox).alert_on(one)


@pytest.fixture
def tables() -> DictTables:
    return DictTables()


@pytest.fixture
def inbox(tables: DictTables) -> Inbox:
    """A subscriber who got the alert of a payment; two more of the user are suppressed, due at 12:15."""
    inbox = Inbox()
    alert_on(tables, inbox, ONE, TWO, THREE)
    assert len(inbox.messages) == 1
    return inbox


def account(tables: DictTables, inbox: Inbox) -> list[str]:
    return account_problems(tables.rows.values(), inbox.messages, tables.windows.values())


def run(worker: DigestWorker) -> DigestWorker:
    worker.stage.send_due(Context())
    return worker


def test_closed_window_gives_one_digest_of_what_was_suppressed(tables: DictTables, inbox: Inbox) -> None:
    worker = run(DigestWorker(tables, inbox))

    (digest,) = inbox.digests
    assert digest.alert_id == tables.rows[TWO.key].suppression_id
    assert (digest.user_id, digest.severity) == ("user-1", Severity.HIGH)
    assert (digest.payments.count, digest.payments.totals) == (2, {"USD": Decimal(60)})
    assert (digest.payments.blocked, digest.payments.risk_score) == (2, 85)
    assert (digest.payments.first_at, digest.payments.last_at) == (TWO.occurred_at, THREE.occurred_at)
    assert tables.windows["user-1"].due_at is None
    assert account(tables, inbox) == []
    assert worker.metrics.values == {
        Metric.DIGESTS_SENT: [1],
        Metric.DIGESTS_REPEATED: [0],
        Metric.PAYMENTS_DIGESTED: [2],
        Metric.DIGESTS_FAILED: [0],
        Metric.DIGESTS_LEFT: [0],
        Metric.OLDEST_DUE_DIGEST_MS: [105 * 60_000],
    }


def test_second_run_sends_nothing(tables: DictTables, inbox: Inbox) -> None:
    run(DigestWorker(tables, inbox))

    again = run(DigestWorker(tables, inbox))

    assert len(inbox.digests) == 1
    assert again.metrics.total(Metric.DIGESTS_SENT) == 0
    assert again.metrics.values[Metric.OLDEST_DUE_DIGEST_MS] == [0]


@pytest.mark.parametrize(("minutes", "digests"), [(14.99, 0), (15, 1)])
def test_open_window_gives_none(tables: DictTables, inbox: Inbox, minutes: float, digests: int) -> None:
    run(DigestWorker(tables, inbox, NOW + timedelta(minutes=minutes)))

    assert len(inbox.digests) == digests


def test_payments_that_a_later_alert_reported_are_in_no_digest(tables: DictTables, inbox: Inbox) -> None:
    alert_on(tables, inbox, payment("tx-4", 3, amount=Decimal(30), risk_score=95))

    worker = run(DigestWorker(tables, inbox))

    assert inbox.digests == []
    assert worker.metrics.total(Metric.DIGESTS_SENT) == 0
    assert account(tables, inbox) == []


@pytest.mark.parametrize(
    ("step", "happening", "messages"),
    [
        (Step.BEFORE_CLAIM, crash, 1),
        (Step.AFTER_CLAIM, crash, 1),
        (Step.BEFORE_PUBLISH, crash, 1),
        (Step.BEFORE_PUBLISH, fail, 1),
        (Step.AFTER_PUBLISH, crash, 2),
        (Step.AFTER_PUBLISH, fail, 2),
        (Step.BEFORE_MARK, crash, 2),
        (Step.AFTER_MARK, crash, 1),
    ],
)
def test_after_a_crash_or_a_refusal_anywhere_the_next_run_sends_the_same_digest(
    tables: DictTables, inbox: Inbox, step: str, happening: Callable[[], None], messages: int
) -> None:
    with suppress(Crash):
        run(DigestWorker(tables, inbox, at={step: happening}))

    run(DigestWorker(tables, inbox))

    assert len(inbox.digests) == messages
    assert all(digest == inbox.digests[0] for digest in inbox.digests)
    assert account(tables, inbox) == []
    assert tables.windows["user-1"].due_at is None


def test_payments_suppressed_while_a_digest_is_sent_are_in_the_next_one(
    tables: DictTables, inbox: Inbox
) -> None:
    later = payment("tx-9", 4, amount=Decimal(30))
    worker = DigestWorker(tables, inbox, at={Step.BEFORE_PUBLISH: lambda: alert_on(tables, inbox, later)})

    run(worker)

    waiting = tables.windows["user-1"]
    assert waiting.suppressed.count == 1
    assert waiting.due_at == worker.now + timedelta(hours=1)
    assert account(tables, inbox) == []
    run(DigestWorker(tables, inbox, worker.now + timedelta(hours=1)))
    assert [digest.payments.count for digest in inbox.digests] == [2, 1]
    assert account(tables, inbox) == []


def test_payment_suppressed_between_reading_and_claiming_is_in_the_digest(
    tables: DictTables, inbox: Inbox
) -> None:
    later = payment("tx-9", 4, amount=Decimal(30))
    worker = DigestWorker(tables, inbox)

    def overtake() -> None:
        worker.at.clear()
        alert_on(tables, inbox, later)

    worker.at = {Step.BEFORE_CLAIM: overtake}

    run(worker)

    assert [digest.payments.count for digest in inbox.digests] == [3]
    assert worker.waits == [0.01]
    assert account(tables, inbox) == []


def test_digest_that_fails_delays_no_other(tables: DictTables, inbox: Inbox) -> None:
    others = [payment(f"tx-{number}", number, user_id="user-2", amount=Decimal(30)) for number in range(2)]
    alert_on(tables, inbox, *others)
    worker = DigestWorker(tables, inbox)

    def refuse_first() -> None:
        worker.at.clear()
        raise PublishError("InvalidParameter")

    worker.at = {Step.BEFORE_PUBLISH: refuse_first}

    run(worker)

    assert len(inbox.digests) == 1
    assert worker.metrics.total(Metric.DIGESTS_FAILED) == 1
    assert worker.metrics.total(Metric.DIGESTS_SENT) == 1
    assert [line["error"] for line in worker.log.lines] == ["PublishError: Publish: InvalidParameter"]
    assert account(tables, inbox) == []


def test_digest_of_an_earlier_run_is_counted_as_repeated(tables: DictTables, inbox: Inbox) -> None:
    with suppress(Crash):
        run(DigestWorker(tables, inbox, at={Step.AFTER_CLAIM: crash}))

    worker = run(DigestWorker(tables, inbox))

    assert worker.metrics.total(Metric.DIGESTS_REPEATED) == 1
    assert worker.metrics.total(Metric.DIGESTS_SENT) == 1
    assert worker.metrics.total(Metric.PAYMENTS_DIGESTED) == 0


class Passing(Context):
    """An invocation whose time passes between two looks at the clock."""

    def __init__(self, *remaining_ms: int) -> None:
        super().__init__()
        self.times = list(remaining_ms)

    def get_remaining_time_in_millis(self) -> int:
        """The next of the times given."""
        return self.times.pop(0)


@pytest.mark.parametrize(("remaining_ms", "left"), [(4_999, 1), (5_000, 0)])
def test_run_without_time_begins_nothing(
    tables: DictTables, inbox: Inbox, remaining_ms: int, left: int
) -> None:
    worker = DigestWorker(tables, inbox)

    worker.stage.send_due(Passing(50_000, remaining_ms))

    assert len(inbox.digests) == 1 - left
    assert worker.metrics.total(Metric.DIGESTS_LEFT) == left


def test_machine_whose_clock_is_ahead_has_time(tables: DictTables, inbox: Inbox) -> None:
    DigestWorker(tables, inbox).stage.send_due(Context(0))

    assert len(inbox.digests) == 1


def test_row_that_keeps_changing_after_the_message_fails_and_is_repeated(
    tables: DictTables, inbox: Inbox
) -> None:
    def overtake() -> None:
        before = tables.windows["user-1"]
        tables.windows["user-1"] = msgspec.structs.replace(before, version=before.version + 1)

    worker = run(DigestWorker(tables, inbox, at={Step.BEFORE_MARK: overtake}))

    assert len(worker.waits) == MAX_ATTEMPTS
    assert worker.metrics.total(Metric.DIGESTS_FAILED) == 1
    assert worker.log.lines[0]["error"] == (
        "DigestMarkError: alert_windows: other workers kept a sent digest from being taken out, 8 times"
    )
    run(DigestWorker(tables, inbox))
    assert len(inbox.digests) == 2
    assert inbox.digests[0] == inbox.digests[1]


def test_row_that_keeps_changing_before_the_claim_is_left_to_the_next_run(
    tables: DictTables, inbox: Inbox
) -> None:
    def overtake() -> None:
        before = tables.windows["user-1"]
        tables.windows["user-1"] = msgspec.structs.replace(before, version=before.version + 1)

    worker = run(DigestWorker(tables, inbox, at={Step.BEFORE_CLAIM: overtake}))

    assert inbox.digests == []
    assert len(worker.waits) == MAX_ATTEMPTS
    assert worker.metrics.total(Metric.DIGESTS_FAILED) == 1
    assert "ContentionError" in str(worker.log.lines[0]["error"])
    run(DigestWorker(tables, inbox))
    assert len(inbox.digests) == 1


def test_only_the_delay_is_measured_in_milliseconds() -> None:
    assert [metric for metric in Metric if metric.unit is MILLISECONDS] == [Metric.OLDEST_DUE_DIGEST_MS]


payments = st.tuples(
    st.sampled_from(["user-1", "user-2"]),
    st.integers(-40, 300),
    st.integers(0, 90),
    st.sampled_from([(Decision.REVIEW, 50), (Decision.BLOCK, 80), (Decision.BLOCK, 95)]),
    st.sampled_from([("1.25", "USD"), ("95.50", "USD"), ("9500", "USD"), ("20", "EUR")]),
)
happenings = st.tuples(st.sampled_from(Step.ALL), st.sampled_from([crash, fail, "overtaken"]))
actions = st.tuples(st.sampled_from(["alert", "digest"]), st.integers(0, 19), st.none() | happenings)


@given(st.lists(payments, min_size=1, max_size=20), st.lists(actions, max_size=40))
def test_whatever_happens_each_payment_is_in_one_message_in_number_and_in_value(
    drawn: list[tuple[str, int, int, tuple[Decision, int], tuple[str, str]]],
    schedule: list[tuple[str, int, Any]],
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
            appended_at_ms=round((NOW + timedelta(minutes=appended)).timestamp() * 1000),
        )
        for number, (user, minutes, appended, (decision, score), (amount, currency)) in enumerate(drawn)
    ]
    for row in rows:
        tables.insert(row)
    for step, (stage, index, happening) in enumerate(schedule):
        row = rows[index % len(rows)]
        if stage == "alert":
            Worker(tables, inbox).alert_on(row)
            continue
        worker = DigestWorker(tables, inbox, NOW + timedelta(minutes=40 * step))
        if happening is not None:
            place, what = happening

            def happen(
                worker: DigestWorker = worker, what: Any = what, row: FlaggedTransaction = row
            ) -> None:
                worker.at.clear()
                if what == "overtaken":
                    Worker(tables, inbox).alert_on(row)
                else:
                    what()

            worker.at = {place: happen}
        with suppress(Crash, PublishError):
            run(worker)
        assert not any("is reported by" in problem for problem in account(tables, inbox))
    for row in rows:
        Worker(tables, inbox).alert_on(row)
    for hours in (100, 200, 300):
        run(DigestWorker(tables, inbox, NOW + timedelta(hours=hours)))

    assert account(tables, inbox) == []
    assert all(windows.due_at is None for windows in tables.windows.values())
    assert all(windows.suppressed.count == 0 for windows in tables.windows.values())
    sent = [row for row in tables.rows.values() if row.alert_state is AlertState.SENT]
    counts = {one.alert_id: one.payments.count for one in inbox.digests}
    counted = {one.alert_id: one.suppressed_before.count for one in inbox.messages if isinstance(one, Alert)}
    assert len(sent) + sum(counts.values()) + sum(counted.values()) == len(rows)
    assert all(one.alert_state is not None for one in tables.rows.values())
