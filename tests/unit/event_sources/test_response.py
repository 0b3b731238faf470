"""Partial batch responses, compared with "Success and failure conditions" of the Lambda developer guide."""

from __future__ import annotations

import json

import pytest

from local.event_sources.records import Batch, DeliveryResult, Piece, QueueKey
from local.event_sources.response import BAD_IDENTIFIER, read_delivery_result
from local.runtime.invocation import FunctionError, InvocationResult
from tests.unit.event_sources.factories import QUEUE, records, result

BATCH = Batch((Piece(tuple(records(1, 5))),))


def _locate(identifier: object, batch: Batch) -> tuple[QueueKey, int] | None:
    return next(
        ((each.queue, each.position) for each in batch.records if each.identifier == identifier), None
    )


def _outcome(answer: InvocationResult, *, report: bool = True) -> DeliveryResult:
    return read_delivery_result(answer, BATCH, report_batch_item_failures=report, locate=_locate)


@pytest.mark.parametrize(
    "payload", [b"null", b"", b"{}", b'{"batchItemFailures": []}', b'{"batchItemFailures": null}']
)
def test_a_complete_success(payload: bytes) -> None:
    """An empty batchItemFailures list, a null list, an empty EventResponse, a null EventResponse."""
    assert _outcome(result(payload)) == DeliveryResult()


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param({"itemIdentifier": ""}, id="An empty string itemIdentifier"),
        pytest.param({"itemIdentifier": None}, id="A null itemIdentifier"),
        pytest.param({"identifier": "3"}, id="An itemIdentifier with a bad key name"),
        pytest.param({"itemIdentifier": "9"}, id="An itemIdentifier that does not exist"),
        pytest.param("3", id="not an object"),
    ],
)
def test_a_complete_failure(failure: object) -> None:
    payload = json.dumps({"batchItemFailures": [{"itemIdentifier": "2"}, failure]}).encode()

    outcome = _outcome(result(payload))

    assert outcome.error is not None
    assert outcome.error.type == BAD_IDENTIFIER


@pytest.mark.parametrize("payload", [b"{", b"[]", b'"x"', b'{"batchItemFailures": "3"}'])
def test_an_answer_that_cannot_be_read_is_a_complete_failure(payload: bytes) -> None:
    assert _outcome(result(payload)).error is not None


def test_the_lowest_of_several_failures_counts() -> None:
    """If the batchItemFailures array contains multiple items, Lambda uses the record with the lowest sequence number."""
    payload = json.dumps(
        {"batchItemFailures": [{"itemIdentifier": each} for each in ("4", "2", "5")]}
    ).encode()

    assert _outcome(result(payload)).failed == {QUEUE: 2}


def test_an_error_fails_the_whole_batch() -> None:
    error = FunctionError("ValueError", "bad")

    assert _outcome(result(b'{"errorType": "ValueError"}', error)).error == error


def test_without_report_batch_item_failures_the_answer_is_not_read() -> None:
    """Partial batch failure responses are not processed unless ReportBatchItemFailures is turned on for the mapping."""
    payload = json.dumps({"batchItemFailures": [{"itemIdentifier": "2"}]}).encode()

    assert _outcome(result(payload), report=False) == DeliveryResult()
