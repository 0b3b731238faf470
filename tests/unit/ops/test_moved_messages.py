"""A label that is redriven says what it said when it was first sent."""

from __future__ import annotations

from datetime import timedelta

import pytest

from contract.clock import EPOCH, MILLISECOND
from contract.label import LabelVerdict
from contract.label_message import encode_label_message
from ops.moved_messages import as_first_sent
from tests.support.label_world import SENT_AT, LabelWorld, MemoryBackend, record
from tests.support.labels import make_message
from tests.support.payments import make_scored

SENT_MS = (SENT_AT - EPOCH) // MILLISECOND


def test_a_redriven_label_is_the_same_one_and_outranks_no_correction_that_came_meanwhile() -> None:
    world = LabelWorld(MemoryBackend())
    key = world.pay(make_scored())
    fraud = make_message(transaction_id="tx-1", known_at=None)
    correction = make_message(transaction_id="tx-1", known_at=None, verdict=LabelVerdict.LEGITIMATE)
    stage = world.stage()
    stage.take(record(fraud))
    stage.take(record(correction, sent_at=SENT_AT + timedelta(hours=1)))

    body = as_first_sent(encode_label_message(fraud).decode(), SENT_MS)
    stage.take(record(body.encode(), sent_at=SENT_AT + timedelta(days=1)))

    assert len(world.state().labels) == 2
    assert world.state().statuses == {key.event_key: "false_positive"}


@pytest.mark.parametrize(
    "body",
    [
        encode_label_message(make_message(transaction_id="tx-1")).decode(),
        '{"transaction_id": "t", "verdict": "guilty"}',
        "an alert in words",
        "\ud800",
    ],
    ids=["a label with its time", "no usable label", "no JSON", "half of a surrogate pair"],
)
def test_any_other_message_stays_as_it_is(body: str) -> None:
    assert as_first_sent(body, SENT_MS) == body
