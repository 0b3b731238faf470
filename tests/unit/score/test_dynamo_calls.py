"""Calls to DynamoDB: which requests are made, and how answers, refusals and failures come back, without a socket."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any, cast

import msgspec
import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from score.dynamo_calls import DynamoCalls, GetAnswer, NoAnswerError, may_succeed_later
from tests.support.dynamodb_answers import Answers, respond

if TYPE_CHECKING:
    from collections.abc import Iterator

REQUEST = {"TableName": "history", "KeyConditionExpression": "user_id = :user", "Limit": 3}
ANY = msgspec.json.Decoder()
GETS = msgspec.json.Decoder(GetAnswer[dict[str, int]])
TIME_OUT = ReadTimeoutError(endpoint_url="https://dynamodb")
STATEMENT: Any = {"Statement": "INSERT", "Parameters": [{"B": b"\x00\xff"}, {"S": "ä"}]}


class Bench:
    """Calls, and the requests that DynamoDB gets; each is answered by the next of :attr:`answers`, the last for ever."""

    def __init__(self) -> None:
        self.answers: list[Any] = [respond(200, {"Items": []})]
        self.requests: list[tuple[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.service = Answers(self._answer)
        self.service.client.meta.events.register("before-send.dynamodb", self._note)
        self.calls = DynamoCalls(self.service.client)

    def end(self) -> None:
        self.service.end()
        self.service.client.meta.events.unregister("before-send.dynamodb", self._note)

    def query(self) -> Any:
        return self.calls.query([REQUEST], ANY, range(1))

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
        return answer


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.end()


def test_nothing_is_sent_before_the_first_call(bench: Bench) -> None:
    assert bench.requests == []


def test_a_request_is_signed_and_names_its_operation(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "score")
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-5759e988-bd862e3fe1be46a994272793")

    answers = bench.calls.query([REQUEST, REQUEST], ANY, range(1))

    assert answers == [{"Items": []}] * 2
    assert bench.requests == [("Query", REQUEST)] * 2
    for headers in bench.headers:
        assert headers.keys() == {
            "authorization",
            "content-length",
            "content-type",
            "user-agent",
            "x-amz-date",
            "x-amz-target",
        }
        assert headers["x-amz-target"] == "DynamoDB_20120810.Query"
        assert headers["content-type"] == "application/x-amz-json-1.0"
        assert "SignedHeaders=content-type;host;x-amz-date;x-amz-target" in headers["authorization"]


def test_statements_have_one_code_each_by_request(bench: Bench) -> None:
    bench.answers = [
        respond(200, {"Responses": [{}, {"Error": {"Code": "DuplicateItem"}}]}),
        respond(200, {"Responses": [{"TableName": "t"}]}),
    ]

    codes = bench.calls.execute([[STATEMENT, STATEMENT], [STATEMENT]])

    assert codes == [[None, "DuplicateItem"], [None]]
    on_the_wire = {"Statement": "INSERT", "Parameters": [{"B": "AP8="}, {"S": "ä"}]}
    assert bench.requests == [
        ("BatchExecuteStatement", {"Statements": [on_the_wire] * 2}),
        ("BatchExecuteStatement", {"Statements": [on_the_wire]}),
    ]


def test_reads_of_keys_are_consistent(bench: Bench) -> None:
    bench.answers = [respond(200, {"Responses": {"t": [{"k": 1}]}})]

    items = bench.calls.get("t", [{"k": {"N": "1"}}], GETS, range(1))

    assert items == [{"k": 1}]
    assert bench.requests == [
        ("BatchGetItem", {"RequestItems": {"t": {"Keys": [{"k": {"N": "1"}}], "ConsistentRead": True}}})
    ]


def test_only_keys_that_were_not_read_are_asked_for_again(bench: Bench) -> None:
    keys = [{"k": {"N": str(number)}} for number in range(150)]
    rest = {"Responses": {"t": [{"k": 1}]}, "UnprocessedKeys": {"t": {"Keys": keys[7:9]}}}
    bench.answers = [respond(200, rest), TIME_OUT, respond(200, {"Responses": {"t": [{"k": 2}]}})]

    items = bench.calls.get("t", keys, GETS, range(2))

    assert items == [{"k": 1}, {"k": 2}, {"k": 2}]
    asked = [request["RequestItems"]["t"]["Keys"] for _, request in bench.requests]
    assert asked == [keys[:100], keys[100:], keys[7:9], keys[100:]]


@pytest.mark.parametrize(
    ("status", "code", "is_later"),
    [
        (400, "ProvisionedThroughputExceededException", True),
        (500, "InternalServerError", True),
        (400, "AccessDeniedException", False),
    ],
)
def test_a_refusal_is_the_error_that_botocore_makes(
    bench: Bench, status: int, code: str, is_later: bool
) -> None:
    bench.answers = [respond(status, {"__type": f"com.amazonaws.dynamodb.v20120810#{code}"})]

    with pytest.raises(NoAnswerError, match=f"^Query: {code}$") as raised:
        bench.query()

    error = raised.value.__cause__
    assert isinstance(error, ClientError)
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert may_succeed_later(error) is is_later
    assert len(bench.requests) == 1


def test_an_error_that_is_not_dynamodb_s_has_the_status_as_its_code(bench: Bench) -> None:
    bench.answers = [respond(503, ["not", "an", "object"])]

    with pytest.raises(NoAnswerError, match=r"^Query: 503$") as raised:
        bench.query()

    assert isinstance(raised.value.__cause__, ClientError)
    assert may_succeed_later(raised.value.__cause__)


def test_a_failed_request_leaves_the_others_their_answers(bench: Bench) -> None:
    stored: Any = {"Responses": [{}]}
    bench.answers = [respond(200, stored), TIME_OUT, respond(200, "<html>"), respond(200, stored)]

    first, second, third, fourth = bench.calls.execute([[STATEMENT]] * 4)

    assert (first, second, fourth) == ([None], TIME_OUT, [None])
    assert isinstance(third, msgspec.DecodeError)
    assert len(bench.requests) == 4


def test_only_queries_that_failed_are_made_again(bench: Bench) -> None:
    requests = [{**REQUEST, "Limit": limit} for limit in range(3)]
    bench.answers = [respond(200, {"n": 0}), TIME_OUT, respond(200, {"n": 2}), respond(200, {"n": 1})]

    answers = bench.calls.query(requests, ANY, range(2))

    assert answers == [{"n": 0}, {"n": 1}, {"n": 2}]
    assert [request["Limit"] for _, request in bench.requests] == [0, 1, 2, 1]


def test_a_query_that_is_refused_for_good_is_not_made_again(bench: Bench) -> None:
    bench.answers = [respond(400, {"__type": "x#AccessDeniedException"})]

    with pytest.raises(NoAnswerError, match=r"^Query: AccessDeniedException$"):
        bench.calls.query([REQUEST], ANY, range(6))

    assert len(bench.requests) == 1


@pytest.mark.parametrize("is_right", [True, False])
def test_an_answer_is_held_to_its_checksum(bench: Bench, is_right: bool) -> None:
    response = respond(200, {"Items": [1]})
    response.headers["x-amz-crc32"] = str(zlib.crc32(b'{"Items":[1]}') ^ (not is_right))
    bench.answers = [response]

    if is_right:
        assert bench.query() == [{"Items": [1]}]
        return
    with pytest.raises(NoAnswerError, match=r"^Query: ChecksumError$") as raised:
        bench.query()

    assert may_succeed_later(cast("Exception", raised.value.__cause__))


def test_without_credentials_nothing_is_sent(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench.service.client._request_signer, "_credentials", None)

    with pytest.raises(NoAnswerError, match=r"^Query: NoCredentialsError$"):
        bench.query()

    assert bench.requests == []
