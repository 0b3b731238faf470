"""A decision is made again by another function; where that does not answer, the page says so and shows the rest."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from console.replays import NO_ANSWER, Replays
from contract.flagged import FlaggedKey
from contract.replayed import ReplayAnswer
from tests.support.payments import Log

KEY = FlaggedKey("user-1", "2026-03-01T11:59:00.000000Z#1")


class Lambda:
    """Answers, or fails."""

    def __init__(self, answer: dict[str, Any] | Exception) -> None:
        self._answer = answer
        self.sent: list[tuple[str, Any]] = []

    def invoke(self, *, FunctionName: str, Payload: bytes) -> Any:  # noqa: N803
        self.sent.append((FunctionName, json.loads(Payload)))
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


def test_the_function_is_asked_by_the_key_of_the_row() -> None:
    client = Lambda({"Payload": io.BytesIO(b'{"why_not": "The row is gone."}')})

    answer = Replays(client, "replay:live", Log()).of(KEY)

    assert answer == ReplayAnswer(why_not="The row is gone.")
    assert client.sent == [("replay:live", {"user_id": KEY.user_id, "event_key": KEY.event_key})]


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
