"""A label that is sent by hand: what is checked, what is sent, and that `make label` has a variable for each field."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contract.label import LabelMessage
from contract.label_message import decode_label_message, identified
from local.label import main
from ops import labels
from ops.errors import OpsError
from ops.manifests import ROOT

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


class Queue:
    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []

    def send_message(self, *, QueueUrl: str, MessageBody: str) -> dict[str, Any]:  # noqa: N803 - SQS's names
        self.sent.append((QueueUrl, MessageBody))
        return {"MessageId": "m-1"}


def _options(**given: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    labels.add_options(parser)
    fields = {"transaction_id": "tx-1", "verdict": "fraud", "source": "analyst"} | given
    return parser.parse_args([f"--{field.replace('_', '-')}={value}" for field, value in fields.items()])


def test_a_label_gets_the_time_and_an_id_by_which_it_can_be_withdrawn() -> None:
    message = labels.read_message(_options(fraud_type="mule", confidence="0.9"), NOW)

    assert message.known_at == NOW
    assert message.label_id
    assert message.confidence == 0.9
    withdrawal = labels.read_message(_options(verdict="withdrawn", withdraws=message.label_id), NOW)
    assert withdrawal.withdraws == message.label_id


def test_an_id_and_a_time_that_are_given_stay() -> None:
    message = labels.read_message(_options(label_id="case-7", known_at="2026-11-01T09:00:00+01:00"), NOW)

    assert message.label_id == "case-7"
    assert message.known_at == datetime(2026, 11, 1, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"transaction_id": ""}, "TRANSACTION: missing"),
        ({"verdict": ""}, "VERDICT: missing"),
        ({"verdict": "froud"}, "VERDICT: not one of fraud, legitimate, withdrawn"),
        ({"source": "me"}, "SOURCE: not one of analyst, customer, chargeback, early_warning"),
        ({"confidence": "much"}, "CONFIDENCE: expected `float`, got `str`"),
        ({"confidence": "2"}, "CONFIDENCE: expected `float` <= 1.0"),
        ({"confidence": "nan"}, "CONFIDENCE: "),
        ({"known_at": "yesterday"}, "KNOWN_AT: "),
        ({"verdict": "withdrawn"}, "WITHDRAWS: missing"),
    ],
)
def test_what_cannot_be_used_is_named_by_its_variable(given: dict[str, str], sentence: str) -> None:
    with pytest.raises(OpsError) as caught:
        labels.read_message(_options(**given), NOW)

    assert str(caught.value).startswith(sentence)


def test_what_is_sent_is_a_message_of_the_contract_and_is_printed() -> None:
    queue = Queue()
    message = labels.read_message(_options(user_id="user-1"), NOW)

    said = labels.send(queue, "http://sqs/labels", message)

    ((url, body),) = queue.sent
    assert url == "http://sqs/labels"
    assert identified(decode_label_message(body.encode()), NOW + timedelta(days=365)) == message
    assert json.loads(body)["user_id"] == "user-1"
    assert said == f"{body}\nsent to http://sqs/labels as message m-1"


def test_an_environment_without_the_queue_is_named() -> None:
    with pytest.raises(OpsError, match="dev has no queue of labels yet"):
        labels.queue_url({}, "dev")

    assert labels.queue_url({"labels_queue_url": "https://sqs/q"}, "dev") == "https://sqs/q"


def test_make_label_has_a_variable_for_each_field_of_a_message() -> None:
    (line,) = (
        line for line in (ROOT / "Makefile").read_text().splitlines() if line.startswith("LABEL_OPTIONS = ")
    )

    for field in LabelMessage.__struct_fields__:
        option = line.split(f"--{field.replace('_', '-')} ")[1].split(" --")[0]
        assert f"$({labels.VARIABLES[field]})" in option


def test_without_a_stack_one_sentence_says_how_to_start_one(
    tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--transaction-id", "tx-1", "--verdict", "fraud", "--source", "analyst"]

    code = main(["--build-dir", str(tmp_path), *arguments])

    assert code == 1
    assert capsys.readouterr().err == f"no stack is up in {tmp_path}; `make up` starts one\n"
