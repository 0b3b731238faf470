"""Labels that cannot have all of their effects yet wait, those that cannot be used are quarantined, and none is lost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from contract.errors import InvalidLabelError
from contract.label import LabelVerdict
from contract.label_message import content_hash, decode_label_message
from contract.label_rows import Unfinished
from contract.scored import Decision
from tests.support.label_world import SENT_AT, DynamoBackend, LabelWorld, MemoryBackend, record
from tests.support.labels import KNOWN_AT, make_message
from tests.support.payments import NOW, Context, make_scored, make_transaction

if TYPE_CHECKING:
    from collections.abc import Callable

    from contract.label_rows import PendingLabel

MESSAGE = make_message(transaction_id="tx-1", label_id="fraud")
BLOCKED = make_scored()


@pytest.fixture
def memory(world: LabelWorld) -> MemoryBackend:
    backend = MemoryBackend()
    world.backend = backend
    return backend


def waiting(memory: MemoryBackend) -> PendingLabel:
    (pending,) = memory.tables.waiting.values()
    return pending


def test_label_without_payment_waits_an_hour_with_all_that_it_says(
    world: LabelWorld, memory: MemoryBackend
) -> None:
    message = make_message(transaction_id="tx-1", known_at=None)

    failed = world.send(message)

    pending = waiting(memory)
    kept = decode_label_message(pending.message.encode())
    assert failed == []
    assert (pending.reason, pending.due_at - pending.first_at) == (Unfinished.NO_PAYMENT, timedelta(hours=1))
    assert (kept.known_at, kept.label_id) == (
        SENT_AT,
        content_hash(msgspec.structs.replace(message, known_at=SENT_AT)),
    )
    assert pending.pending_id == content_hash(kept)
    assert world.metrics.total("LabelsUnfinished") == 1


def test_label_that_waited_is_forgotten_when_its_payment_has_come(
    world: LabelWorld, memory: MemoryBackend
) -> None:
    world.send(make_message(transaction_id="tx-1", known_at=None))
    sent_again = waiting(memory).message.encode()
    world.pay(BLOCKED)

    world.send(sent_again, is_pending=True)

    assert memory.tables.waiting == {}
    assert world.state().statuses == {BLOCKED.event_key: "confirmed_fraud"}


def test_label_that_waited_and_cannot_be_used_any_more_is_quarantined_once(
    world: LabelWorld, memory: MemoryBackend
) -> None:
    world.send(MESSAGE)
    sent_again = waiting(memory).message.encode()

    def ambiguous(message: Any) -> Any:
        raise InvalidLabelError("user_id", "missing; 2 payments of 2 users have this transaction_id")

    memory.tables.find = ambiguous  # type: ignore[method-assign]  # a payment of another user came with the same id

    failed = world.send(sent_again, is_pending=True)

    assert failed == []
    assert [each.body for each in world.quarantine.messages] == [sent_again]
    assert memory.tables.waiting == {}


def test_label_with_a_date_of_years_ago_outlives_its_payment(
    world: LabelWorld, memory: MemoryBackend
) -> None:
    world.pay(BLOCKED)

    world.send(make_message(transaction_id="tx-1", known_at=datetime(1926, 3, 8, tzinfo=UTC)))

    (label,) = memory.tables.labels.values()
    assert label.expires_at >= (BLOCKED.occurred_at + timedelta(days=1_100)).timestamp()


def test_label_that_waits_longer_keeps_the_time_of_its_first_try(
    world: LabelWorld, memory: MemoryBackend
) -> None:
    world.send(MESSAGE)
    first = waiting(memory).first_at
    world.now += timedelta(days=3)

    world.send(MESSAGE, is_pending=True)

    assert waiting(memory).first_at == first


def test_payment_without_its_flagged_row_gets_all_other_effects_and_waits(
    world: LabelWorld, memory: MemoryBackend
) -> None:
    world.pay(BLOCKED, is_flagged=False)

    failed = world.send(MESSAGE)

    assert failed == []
    assert waiting(memory).reason is Unfinished.NO_FLAGGED_ROW
    assert len(world.state().risks) == 4
    assert world.state().verdicts


@pytest.mark.parametrize("is_before_payment", [False, True], ids=["after its payment", "before its payment"])
def test_label_that_waits_keeps_its_payment_when_another_user_s_gets_the_same_id(
    aws: Callable[[str], Any], is_before_payment: bool
) -> None:
    backend = DynamoBackend(aws("dynamodb"))
    world = LabelWorld(backend)
    if is_before_payment:
        world.send(MESSAGE)
        sent_again = backend.waiting()
        world.pay(BLOCKED, is_flagged=False)
        world.send(*sent_again, is_pending=True)
    else:
        world.pay(BLOCKED, is_flagged=False)
        world.send(MESSAGE)
    world.pay(make_scored(make_transaction(user_id="user-2")))
    world.pay(BLOCKED)

    sent_again = backend.waiting()
    world.send(*sent_again, is_pending=True)

    assert len(sent_again) == 1
    assert backend.waiting() == []
    assert world.quarantine.messages == []
    statuses = {
        item["user_id"]["S"]: item["status"]["S"]
        for item in backend.client.scan(TableName="flagged_transactions")["Items"]
    }
    assert statuses == {BLOCKED.transaction.user_id: "confirmed_fraud", "user-2": "open"}


def test_cache_that_does_not_answer_delays_only_the_copies(world: LabelWorld, memory: MemoryBackend) -> None:
    world.pay(BLOCKED)
    world.server.connected = False

    failed = world.send(MESSAGE)

    pending = waiting(memory)
    world.server.connected = True
    assert failed == []
    assert (pending.reason, pending.due_at - pending.first_at) == (Unfinished.NO_CACHE, timedelta(minutes=5))
    assert world.state().statuses == {BLOCKED.event_key: "confirmed_fraud"}
    assert world.state().risks == {}
    world.send(pending.message.encode(), is_pending=True)
    assert len(world.state().risks) == 4
    assert memory.tables.waiting == {}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"verdict": "guilty"}, "verdict"),
        ({"transaction_id": None}, "transaction_id"),
        ({"known_at": "2026-03-18T09:10:01Z"}, "known_at"),
    ],
)
def test_bad_message_is_quarantined_whole_with_its_field(
    world: LabelWorld, changes: dict[str, Any], field: str
) -> None:
    world.pay(BLOCKED)
    body = msgspec.json.encode({"transaction_id": "tx-1", "verdict": "fraud", "source": "analyst", **changes})

    failed = world.send(body, MESSAGE)

    (quarantined,) = world.quarantine.messages
    assert failed == []
    assert (quarantined.body, quarantined.field) == (body, field)
    assert world.metrics.total("LabelsQuarantined") == 1
    assert world.state().labels == {(BLOCKED.event_key, "fraud")}


def test_known_at_may_be_ten_minutes_ahead(world: LabelWorld) -> None:
    world.pay(BLOCKED)

    world.send(make_message(transaction_id="tx-1", known_at=SENT_AT + timedelta(minutes=10)))

    assert world.quarantine.messages == []


def test_another_label_of_the_same_id_is_quarantined_and_the_first_one_stays(world: LabelWorld) -> None:
    world.pay(BLOCKED)
    world.send(MESSAGE)

    world.send(make_message(transaction_id="tx-1", label_id="fraud", verdict=LabelVerdict.LEGITIMATE))

    assert [each.field for each in world.quarantine.messages] == ["label_id"]
    assert world.state().statuses == {BLOCKED.event_key: "confirmed_fraud"}


def test_label_that_is_sent_twice_without_its_time_is_no_conflict(world: LabelWorld) -> None:
    world.pay(BLOCKED)
    stage = world.stage()
    message = make_message(transaction_id="tx-1", label_id="fraud", known_at=None)

    for minutes in (0, 5):
        stage.take(record(message, sent_at=SENT_AT + timedelta(minutes=minutes)))

    assert world.quarantine.messages == []
    assert world.metrics.total("LabelsRepeated") == 1


def test_label_that_waited_and_cannot_be_used_is_quarantined_once(
    world: LabelWorld, memory: MemoryBackend
) -> None:
    world.send(MESSAGE)
    sent_again = waiting(memory).message.encode()
    world.pay(BLOCKED)
    world.send(make_message(transaction_id="tx-1", label_id="fraud", verdict=LabelVerdict.LEGITIMATE))

    world.send(sent_again, is_pending=True)

    assert [each.body for each in world.quarantine.messages] == [sent_again]
    assert memory.tables.waiting == {}


def test_label_that_waited_and_cannot_be_quarantined_still_waits(
    world: LabelWorld, memory: MemoryBackend
) -> None:
    def refuse(message_id: str, body: bytes, field: str, problem: str) -> None:
        raise ConnectionError

    world.send(MESSAGE)
    pending = waiting(memory)
    world.pay(BLOCKED)
    world.send(make_message(transaction_id="tx-1", label_id="fraud", verdict=LabelVerdict.LEGITIMATE))
    world.quarantine.put = refuse  # type: ignore[method-assign]  # as SQS that is unavailable

    assert world.send(pending.message.encode(), is_pending=True) == ["0"]
    assert waiting(memory) == pending


def test_quarantine_that_does_not_answer_fails_the_message(world: LabelWorld) -> None:
    def refuse(message_id: str, body: bytes, field: str, problem: str) -> None:
        raise ConnectionError

    world.quarantine.put = refuse  # type: ignore[method-assign]  # as SQS that is unavailable

    assert world.send(b"no json", MESSAGE) == ["0"]
    assert world.log.lines[0]["error"] == "ConnectionError"


def test_message_that_fails_fails_alone(world: LabelWorld, memory: MemoryBackend) -> None:
    world.pay(BLOCKED)
    find = memory.tables.find

    def fail(message: Any) -> Any:
        if message.label_id == "bad":
            raise ConnectionError
        return find(message)

    memory.tables.find = fail  # type: ignore[method-assign]  # as DynamoDB that throttles

    failed = world.send(make_message(transaction_id="tx-1", label_id="bad"), MESSAGE)

    assert failed == ["0"]
    assert world.state().labels == {(BLOCKED.event_key, "fraud")}
    assert world.metrics.total("RecordsFailed") == 1


def test_without_time_no_message_is_begun(world: LabelWorld) -> None:
    world.pay(BLOCKED)
    times = iter([30_000, 30_000, 4_999])

    class LateContext(Context):
        def get_remaining_time_in_millis(self) -> int:
            return next(times)

    other = record(make_message(transaction_id="tx-1", label_id="other"), "m-2")
    response = world.stage().handle({"Records": [record(MESSAGE), other]}, LateContext())

    assert response == {"batchItemFailures": [{"itemIdentifier": "m-2"}]}


def test_latency_is_from_sending_to_the_last_effect(world: LabelWorld) -> None:
    world.pay(make_scored(make_transaction(), decision=Decision.APPROVE, reasons=()))

    world.send(MESSAGE)

    assert world.metrics.values["LabelLatencyMs"] == [1000]
    assert SENT_AT > KNOWN_AT > NOW
