"""What a producer of labels may send, and which field an error names."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jsonschema
import pytest

from contract import publish_schemas
from contract.errors import InvalidLabelError
from contract.items import from_item, to_item
from contract.label import LABELS_TABLE, FraudType, Label, LabelSource, LabelVerdict
from contract.label_message import (
    MAX_MESSAGE_BYTES,
    content_hash,
    decode_label_message,
    encode_label_message,
    identified,
)
from tests.support.labels import EVENT_KEY, KNOWN_AT, make_label, make_message

SMALLEST = {"transaction_id": "t-1", "verdict": "fraud", "source": "chargeback"}


def decode(**changes: Any) -> Any:
    return decode_label_message(json.dumps({**SMALLEST, **changes}).encode())


def test_three_fields_are_a_label() -> None:
    message = decode()

    assert (message.transaction_id, message.verdict, message.source) == ("t-1", "fraud", "chargeback")
    assert message.confidence == 1.0


def test_a_message_that_is_written_is_read_back() -> None:
    message = make_message(
        fraud_type=FraudType.ACCOUNT_TAKEOVER,
        confidence=0.7,
        user_id="user-1",
        timestamp=KNOWN_AT - timedelta(days=7),
        event_key=EVENT_KEY,
        label_id="case-17",
    )

    assert decode_label_message(encode_label_message(message)) == message


def test_words_are_read_in_any_case_with_spaces_or_hyphens() -> None:
    message = decode(verdict=" FRAUD ", source="Early Warning", fraud_type="card-not-present")

    assert message.verdict is LabelVerdict.FRAUD
    assert message.source is LabelSource.EARLY_WARNING
    assert message.fraud_type is FraudType.CARD_NOT_PRESENT


def test_null_is_no_value_and_a_field_that_is_not_known_is_dropped() -> None:
    assert decode(user_id=None, fraud_type=None, memo="called twice") == decode()


def test_an_id_that_is_a_number_is_its_digits() -> None:
    assert decode(transaction_id=17).transaction_id == "17"


def test_confidence_is_rounded_to_what_a_row_can_hold() -> None:
    assert (
        decode_label_message(
            b'{"transaction_id":"t","verdict":"fraud","source":"analyst","confidence":1e-300}'
        ).confidence
        == 0
    )
    assert decode(confidence=0.87654321).confidence == 0.8765


def test_times_are_in_utc() -> None:
    assert decode(known_at="2026-03-08T10:00:00+01:00").known_at == KNOWN_AT
    assert decode(known_at="2026-03-08T10:00:00+01:00").known_at.tzinfo is UTC


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"transaction_id": ""}, "transaction_id"),
        ({"transaction_id": None}, "transaction_id"),
        ({"transaction_id": " "}, "transaction_id"),
        ({"transaction_id": 1.5}, "transaction_id"),
        ({"transaction_id": "\ud800"}, "transaction_id"),
        ({"verdict": "guilty"}, "verdict"),
        ({"verdict": True}, "verdict"),
        ({"source": None}, "source"),
        ({"source": "neighbour"}, "source"),
        ({"fraud_type": "theft"}, "fraud_type"),
        ({"verdict": "legitimate", "fraud_type": "mule"}, "fraud_type"),
        ({"confidence": 1.5}, "confidence"),
        ({"confidence": "high"}, "confidence"),
        ({"confidence": 10**400}, "confidence"),
        ({"known_at": "2026-03-08T10:00:00"}, "known_at"),
        ({"known_at": "0001-01-01T00:00:00+14:00"}, "known_at"),
        ({"known_at": 1_772_960_400}, "known_at"),
        ({"timestamp": "yesterday"}, "timestamp"),
        ({"user_id": "a\u0000b"}, "user_id"),
        ({"label_id": "no spaces"}, "label_id"),
        ({"label_id": "a#b"}, "label_id"),
        ({"label_id": "x\n"}, "label_id"),
        ({"event_key": "t-1"}, "event_key"),
        ({"event_key": "2026-03-01T12:00:00.000000Z." + "x" * 300 + "#t-1"}, "event_key"),
        ({"event_key": "2026-03-01T12:00:00.000000Z.hJ2c9Xl0aQs#t-2"}, "event_key"),
        ({"verdict": "withdrawn"}, "withdraws"),
        ({"withdraws": "l-1"}, "withdraws"),
        ({"verdict": "withdrawn", "withdraws": "l-1", "label_id": "l-1"}, "withdraws"),
    ],
)
def test_a_bad_message_names_its_field(changes: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidLabelError) as caught:
        decode(**changes)

    assert caught.value.field == field
    assert str(caught.value).startswith(f"{field}: ")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{",
        b'{"verdict": "fraud", "verdict": "legitimate"}',
        b"\xff",
        b"x" * (MAX_MESSAGE_BYTES + 1),
    ],
)
def test_what_is_not_one_json_object_is_refused_as_a_whole(data: bytes) -> None:
    with pytest.raises(InvalidLabelError, match=r"^\$: "):
        decode_label_message(data)


def test_a_message_without_id_and_time_gets_them_from_its_content_and_its_sending() -> None:
    sent_at = datetime(2026, 3, 9, tzinfo=UTC)
    message = make_message(known_at=None)

    made = identified(message, sent_at)

    assert made.known_at == sent_at
    assert made.label_id == content_hash(make_message(known_at=sent_at))
    assert identified(made, sent_at + timedelta(days=1)) == made


def test_two_messages_that_say_something_else_have_two_ids() -> None:
    messages = [make_message(), make_message(verdict=LabelVerdict.LEGITIMATE), make_message(confidence=0.9)]

    assert len({content_hash(message) for message in messages}) == 3


def test_what_is_written_is_valid_by_the_published_schemas() -> None:
    schema = json.loads((publish_schemas.FOLDER / "label_message.schema.json").read_bytes())
    message = make_message(fraud_type=FraudType.MULE, label_id='a"b!', user_id="user-1", event_key=EVENT_KEY)

    jsonschema.validate(json.loads(encode_label_message(message)), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**SMALLEST, "label_id": "a#b"}, schema)


def test_a_row_of_labels_is_read_back() -> None:
    label = make_label(entity_ids=("c:" + "0" * 16,), seen=(2**63 + 1, 0), fraud_type=FraudType.MULE)

    assert from_item(LABELS_TABLE, to_item(label), Label) == label
