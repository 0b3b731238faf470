"""A decision is made again by another function; where that does not answer, the page says so and shows the rest."""

from __future__ import annotations

import io
import json
from typing import Any

import msgspec
import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from console.replays import NO_ANSWER, Replays
from contract.flagged import FlaggedKey
from contract.replayed import ReplayAnswer
from contract.tried import TryJob, TryRequest
from tests.support.payments import Log

JOB = TryJob(
    job_id="job-1",
    request=TryRequest(proposal="0" * 64, digest_before="0" * 12, is_candidate=False),
)
KEY = FlaggedKey("user-1", "2026-03-01T11:59:00.000000Z#1")


class Lambda:
    """Answers, or fails."""

    def __init__(self, answer: dict[str, Any] | Exception) -> None:
        self._answer = answer
        self.waiting = ""
        self.sent: list[tuple[str, Any]] = []

    def invoke(self, *, FunctionName: str, Payload: bytes, InvocationType: str) -> Any:  # noqa: N803
        self.sent.append((FunctionName, json.loads(Payload)))
        self.waiting = InvocationType
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


def test_the_function_is_asked_by_the_key_of_the_row() -> None:
    client = Lambda({"Payload": io.BytesIO(b'{"why_not": "The row is gone."}')})

    answer = Replays(client, "replay:live", Log()).of(KEY)

    assert answer == ReplayAnswer(why_not="The row is gone.")
    assert client.sent == [("replay:live", {"user_id": KEY.user_id, "event_key": KEY.event_key})]
    assert client.waiting == "RequestResponse"


def test_a_trial_is_asked_for_without_waiting() -> None:
    client = Lambda({"StatusCode": 202, "Payload": io.BytesIO(b"")})

    assert Replays(client, "replay:live", Log()).start(JOB)

    assert client.sent == [("replay:live", msgspec.to_builtins(JOB))]
    assert client.waiting == "Event"


def test_a_trial_that_lambda_does_not_take_is_not_started() -> None:
    log = Log()

    refusal = ClientError({"Error": {"Code": "TooManyRequestsException"}}, "Invoke")

    assert not Replays(Lambda(refusal), "replay", log).start(JOB)
    assert [line["message"] for line in log.lines] == ["a trial was not started"]


@pytest.mark.parametrize(
    "failure",
    [
        ReadTimeoutError(endpoint_url="https://lambda.example"),
        ClientError({"Error": {"Code": "TooManyRequestsException"}}, "Invoke"),
        {"Payload": io.BytesIO(b'{"errorMessage": "x"}'), "FunctionError": "Unhandled"},
    ],
)
def test_a_function_that_does_not_answer_is_no_error_of_the_page(
    failure: dict[str, Any] | Exception,
) -> None:
    log = Log()

    assert Replays(Lambda(failure), "replay", log).of(KEY) == NO_ANSWER
    assert [line["message"] for line in log.lines] == ["a decision was not made again"]
