"""Queries that are sent without botocore's client: the same request, answers and errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from score.dynamo_calls import DynamoCalls, may_succeed_later
from tests.support.dynamodb_answers import Answers, respond

if TYPE_CHECKING:
    from collections.abc import Iterator

REQUEST = {"TableName": "history", "KeyConditionExpression": "user_id = :user", "Limit": 3}
ANY = msgspec.json.Decoder()


class Bench:
    """Calls, and the requests that DynamoDB gets; each is answered by the next of :attr:`answers`, the last for ever."""

    def __init__(self) -> None:
        self.answers: list[Any] = [(200, {"Items": []})]
        self.requests: list[tuple[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.service = Answers(self._answer)
        self.service.client.meta.events.register("before-send.dynamodb", self._note)
        self.calls = DynamoCalls(self.service.client)

    def end(self) -> None:
        self.service.end()
        events = self.service.client.meta.events
        events.unregister("before-send.dynamodb", self._note)
        for operation in ("BatchExecuteStatement", "BatchGetItem", "Query"):
            events.unregister(f"before-call.dynamodb.{operation}", self.calls._put_body)
            events.unregister(f"before-parse.dynamodb.{operation}", self.calls._take_body)

    def query(self) -> Any:
        return self.calls.query(REQUEST, ANY)

    def _note(self, request: Any, **_: object) -> None:
        self.headers.append(
            {
                name.lower(): value.decode() if isinstance(value, bytes) else str(value)
                for name, value in request.headers.items()
            }
        )

    def _answer(self, operation: str, request: dict[str, Any]) -> Any:
        self.requests.append((operation, request))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return respond(*answer)


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.end()


def test_later_queries_are_the_same_request_as_the_first(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "score")
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-5759e988-bd862e3fe1be46a994272793")

    answers = [bench.query() for _ in range(3)]

    assert answers == [{"Items": []}] * 3
    assert bench.requests == [("Query", REQUEST)] * 3
    first, second, third = bench.headers
    for name in ("x-amz-target", "content-type", "content-length"):
        assert first[name] == second[name] == third[name]
    assert third.keys() == {
        "authorization",
        "content-length",
        "content-type",
        "user-agent",
        "x-amz-date",
        "x-amz-target",
    }
    assert "SignedHeaders=content-type;host;x-amz-date;x-amz-target" in third["authorization"]


@pytest.mark.parametrize(
    ("status", "code", "is_later"),
    [
        (400, "ProvisionedThroughputExceededException", True),
        (500, "InternalServerError", True),
        (400, "AccessDeniedException", False),
    ],
)
def test_an_error_is_the_one_that_botocore_makes(
    bench: Bench, status: int, code: str, is_later: bool
) -> None:
    bench.query()
    bench.answers = [(status, {"__type": f"com.amazonaws.dynamodb.v20120810#{code}"})]

    with pytest.raises(ClientError) as failure:
        bench.query()

    assert failure.value.response["Error"]["Code"] == code
    assert failure.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert may_succeed_later(failure.value) is is_later
    assert len(bench.requests) == 2


def test_an_error_that_is_not_dynamodb_s_has_the_status_as_its_code(bench: Bench) -> None:
    bench.query()
    bench.answers = [(503, ["not", "an", "object"])]

    with pytest.raises(ClientError) as failure:
        bench.query()

    assert failure.value.response["Error"]["Code"] == "503"
    assert may_succeed_later(failure.value)


def test_a_query_on_a_connection_that_was_closed_is_sent_again(bench: Bench) -> None:
    bench.query()
    bench.answers = [ConnectionClosedError(endpoint_url="https://dynamodb"), (200, {"Items": [1]})]

    assert bench.query() == {"Items": [1]}

    assert bench.requests == [("Query", REQUEST)] * 3


def test_a_query_that_times_out_is_left_to_the_caller(bench: Bench) -> None:
    bench.query()
    bench.answers = [ReadTimeoutError(endpoint_url="https://dynamodb")]

    with pytest.raises(ReadTimeoutError):
        bench.query()

    assert len(bench.requests) == 2
