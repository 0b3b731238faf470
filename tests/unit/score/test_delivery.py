"""A Kafka event becomes payments and rejected records, in order, none lost."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
import pytest

from contract.canary import CANARY_HEADER, RESERVED, canary_payment
from contract.clock import TRUSTED_FEED_HEADER, TimeBasis
from contract.scored import Position
from contract.transaction import encode_transaction
from score.delivery import Delivery, KafkaEvent, Span, failure_response, read_batch
from tests.support.kafka_events import TOPIC, event_of, make_event
from tests.support.payments import NOW, make_grocery_payment

if TYPE_CHECKING:
    from contract.transaction import Transaction

LAST_MS = 253_402_300_799_999
"""The last millisecond of the year 9999."""
NOW_MS = round(NOW.timestamp() * 1000)
GOOD = encode_transaction(make_grocery_payment())


def delivered(event: KafkaEvent) -> Delivery:
    [one] = read_batch(event, NOW).deliveries
    return one


def test_each_record_is_a_payment_or_rejected_in_the_order_of_the_event() -> None:
    event = make_event(
        [
            (Position(TOPIC, 2, 7), GOOD),
            (Position(TOPIC, 2, 8), b"{"),
            (Position(TOPIC, 2, 9), None),
            (Position(TOPIC, 0, 3), GOOD),
        ],
        key=b"user-1",
    )

    batch = read_batch(event, NOW)

    assert [one.position for one in batch.deliveries] == [Position(TOPIC, 2, 7), Position(TOPIC, 0, 3)]
    assert [one.position.offset for one in batch.rejected] == [8, 9]
    assert [(one.key, one.value) for one in batch.rejected] == [(b"user-1", b"{"), (b"user-1", None)]
    assert (batch.rejected[1].field, batch.rejected[1].problem) == ("$", "null value")
    assert batch.spans == [Span(TOPIC, 2, 7, 9), Span(TOPIC, 0, 3, 3)]


def test_partition_without_records_has_no_span() -> None:
    event = event_of(make_grocery_payment())
    event["records"][f"{TOPIC}-1"] = []

    assert read_batch(event, NOW).spans == [Span(TOPIC, 0, 0, 0)]


@pytest.mark.parametrize(
    ("key", "is_mismatch"), [(b"user-1", False), (b"user-2", True), (b"", True), (None, False)]
)
def test_key_that_is_not_the_user_is_a_mismatch_and_no_key_is_none(
    key: bytes | None, is_mismatch: bool
) -> None:
    assert delivered(make_event([(Position(TOPIC, 0, 0), GOOD)], key)).is_key_mismatch is is_mismatch


@pytest.mark.parametrize(
    ("timestamp", "appended_at_ms"),
    [
        (0, 0),
        (-1, NOW_MS),
        (1, 1),
        (LAST_MS, LAST_MS),
        (LAST_MS + 1, NOW_MS),
    ],
)
def test_timestamp_that_is_a_date_is_when_the_record_was_appended(
    timestamp: int, appended_at_ms: int
) -> None:
    event = event_of(make_grocery_payment())
    event["records"][f"{TOPIC}-0"][0]["timestamp"] = timestamp

    one = delivered(event)

    assert one.appended_at_ms == appended_at_ms
    assert one.appended_at == datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=appended_at_ms)


def test_record_may_lack_key_and_value() -> None:
    event = event_of(make_grocery_payment())
    [record] = event["records"][f"{TOPIC}-0"]
    record["value"] = None
    del record["key"]

    [one] = read_batch(event, NOW).rejected

    assert (one.key, one.value, one.appended_at_ms) == (None, None, NOW_MS - 59_500)


@pytest.mark.parametrize("value", [[-61, -87], [256], [], [49, 49], None])
def test_any_other_value_of_the_trusted_feed_header_is_scored_and_not_trusted(
    value: list[int] | None,
) -> None:
    event = make_event([(Position(TOPIC, 0, 0), GOOD)])
    event["records"][f"{TOPIC}-0"][0]["headers"] = [{"other": [-1]}, {TRUSTED_FEED_HEADER: value}]

    assert delivered(event).facts.basis is not TimeBasis.TRUSTED


CANARY = canary_payment("canary-flagged-1", NOW)


def _canary_event(payment: Transaction, value: list[int] | None) -> KafkaEvent:
    event = make_event([(Position(TOPIC, 0, 0), encode_transaction(payment))])
    event["records"][f"{TOPIC}-0"][0]["headers"] = [{"other": [1]}, {CANARY_HEADER: value}]
    return event


def test_canary_s_payment_with_the_header_of_its_feed_is_a_payment_that_is_not_trusted() -> None:
    one = delivered(_canary_event(CANARY, list(b"1")))

    assert one.facts.transaction == CANARY
    assert one.facts.basis is not TimeBasis.TRUSTED


@pytest.mark.parametrize("value", [[], [0], [49, 49], None])
def test_payment_of_a_reserved_user_without_the_header_is_rejected_whole(value: list[int] | None) -> None:
    [one] = read_batch(_canary_event(CANARY, value), NOW).rejected

    assert one.field == "user_id"
    assert one.problem.startswith(RESERVED)
    assert one.value == encode_transaction(CANARY)


def test_payment_of_a_reserved_user_that_is_no_canary_s_is_rejected_with_the_header_too() -> None:
    theft = msgspec.structs.replace(CANARY, payee_id="mule-1")

    [one] = read_batch(_canary_event(theft, list(b"1")), NOW).rejected

    assert one.problem.startswith(RESERVED)


def test_header_of_the_canary_s_feed_means_nothing_for_any_other_user() -> None:
    assert delivered(_canary_event(make_grocery_payment(), list(b"1"))).user_id == "user-1"


def test_payment_is_its_user_s() -> None:
    event = make_event([(Position(TOPIC, 0, 0), GOOD)])
    event["records"][f"{TOPIC}-0"][0]["key"] = b64encode(b"another").decode()

    assert delivered(event).user_id == "user-1"


def test_failed_records_are_named_in_the_order_of_their_positions() -> None:
    failed = {Position(TOPIC, 1, 5), Position(TOPIC, 0, 9), Position(TOPIC, 0, 10), Position(TOPIC, 10, 0)}

    assert failure_response(failed) == {
        "batchItemFailures": [
            {"itemIdentifier": {"partition": f"{TOPIC}-{partition}", "offset": offset}}
            for partition, offset in ((0, 9), (0, 10), (1, 5), (10, 0))
        ]
    }


def test_no_failed_records_are_an_empty_answer() -> None:
    assert failure_response(()) == {"batchItemFailures": []}


def test_a_span_is_done_up_to_its_own_first_failed_offset() -> None:
    span = Span(TOPIC, 0, 5, 9)

    assert span.done_to(set()) == 9
    assert span.done_to({Position(TOPIC, 1, 6), Position("another", 0, 6)}) == 9
    assert span.done_to({Position(TOPIC, 0, 8), Position(TOPIC, 0, 7)}) == 6
    assert span.done_to({Position(TOPIC, 0, 5)}) == 4
