"""Labels are sent in batches, marked as those that wait; what SQS refuses is an error."""

from __future__ import annotations

from typing import Any

import pytest

from common.label_sender import LabelSender, UnsentLabelsError


class Sqs:
    """A queue that refuses some messages."""

    def __init__(self, *refused: str) -> None:
        self.refused = refused
        self.batches: list[list[dict[str, Any]]] = []

    def send_message_batch(self, QueueUrl: str, Entries: list[dict[str, Any]]) -> Any:  # noqa: N803
        assert QueueUrl == "https://queue"
        assert len({entry["Id"] for entry in Entries}) == len(Entries)
        self.batches.append(Entries)
        return {"Failed": [entry for entry in Entries if entry["MessageBody"] in self.refused]}


def test_every_label_is_sent_once_and_marked_as_waiting() -> None:
    sqs: Any = Sqs()
    messages = [str(number).encode() for number in range(23)]

    LabelSender(sqs, "https://queue").send(messages)

    entries = [entry for batch in sqs.batches for entry in batch]
    assert [len(batch) for batch in sqs.batches] == [10, 10, 3]
    assert [entry["MessageBody"].encode() for entry in entries] == messages
    assert {entry["MessageAttributes"]["pending"]["StringValue"] for entry in entries} == {"1"}


def test_nothing_is_sent_for_no_label() -> None:
    sqs: Any = Sqs()

    LabelSender(sqs, "https://queue").send([])

    assert sqs.batches == []


def test_labels_that_sqs_refuses_are_counted_and_the_others_are_sent() -> None:
    sqs: Any = Sqs("0", "11")

    with pytest.raises(UnsentLabelsError) as refusal:
        LabelSender(sqs, "https://queue").send([str(number).encode() for number in range(12)])

    assert refusal.value.unsent == 2
    assert len(sqs.batches) == 2
