"""A browser's request reaches the function as API Gateway's event, and a function that fails is a bad gateway."""

from __future__ import annotations

import base64
import json
from email.message import Message
from typing import Any

import pytest

from local.event_sources.http_gateway import Answer, HttpGateway, rest_event
from local.runtime.invocation import FunctionError, InvocationResult
from local.runtime.pool import PoolStoppedError


def headers(*lines: tuple[str, str]) -> Message[str, str]:
    message: Message[str, str] = Message()
    for name, value in lines:
        message.add_header(name, value)
    return message


def result(answer: Any = None, error: FunctionError | None = None) -> InvocationResult:
    return InvocationResult(
        request_id="r-1", payload=json.dumps(answer).encode(), error=error, duration_ms=1.0
    )


def test_an_event_has_path_query_headers_and_body_as_a_rest_api_writes_them() -> None:
    lines = headers(("Cookie", "a=1"), ("X-Two", "1"), ("X-Two", "2"), ("User-Agent", "test"))

    event = rest_event("POST", "/a%20b?x=1&x=2&y=", lines, b"k=v", "127.0.0.1", 1.5)

    assert (event["httpMethod"], event["path"], event["body"]) == ("POST", "/a b", "k=v")
    assert event["multiValueQueryStringParameters"] == {"x": ["1", "2"], "y": [""]}
    assert event["queryStringParameters"] == {"x": "2", "y": ""}
    assert event["multiValueHeaders"]["X-Two"] == ["1", "2"]
    assert event["headers"]["X-Two"] == "2"
    assert event["requestContext"]["identity"] == {"sourceIp": "127.0.0.1", "userAgent": "test"}
    assert event["requestContext"]["requestTimeEpoch"] == 1500


def test_an_event_without_query_and_body_has_none() -> None:
    event = rest_event("GET", "/", headers(), b"", "127.0.0.1", 0.0)

    assert event["queryStringParameters"] is event["multiValueQueryStringParameters"] is event["body"] is None
    assert not event["isBase64Encoded"]


def test_a_body_that_is_no_text_is_in_base64() -> None:
    event = rest_event("POST", "/", headers(), b"\xff\x00", "127.0.0.1", 0.0)

    assert event["isBase64Encoded"]
    assert base64.b64decode(event["body"]) == b"\xff\x00"


def test_a_path_that_begins_with_two_slashes_names_no_host() -> None:
    assert (
        rest_event("GET", "//evil.example/x", headers(), b"", "127.0.0.1", 0.0)["path"] == "/evil.example/x"
    )


@pytest.mark.parametrize("answer", [None, {"body": "x"}, {"statusCode": "200"}, [1]])
def test_a_function_that_answers_something_else_is_a_bad_gateway(answer: Any) -> None:
    gateway = HttpGateway(lambda _: result(answer), 0)

    assert gateway.answer({}).status == 502
    assert gateway.counters.failures == 1
    assert gateway.last_error is not None
    assert "answer" in gateway.last_error


def test_a_function_that_fails_is_a_bad_gateway_and_shows_no_error() -> None:
    gateway = HttpGateway(lambda _: result(error=FunctionError("Sandbox.Timedout", "after 25 s")), 0)

    answer = gateway.answer({})

    assert answer.status == 502
    assert b"Timedout" not in answer.content
    assert gateway.last_error == "Sandbox.Timedout: after 25 s"


def test_a_request_to_a_function_that_is_stopped_is_answered() -> None:
    def stopped(_: Any) -> InvocationResult:
        raise PoolStoppedError("stopped")

    gateway = HttpGateway(stopped, 0)

    assert gateway.answer({}).status == 502
    assert gateway.is_idle()


def test_requests_in_flight_are_the_backlog() -> None:
    backlogs: list[int] = []

    def function(_: Any) -> InvocationResult:
        backlogs.append(gateway.backlog())
        return result({"statusCode": 200})

    gateway = HttpGateway(function, 0)

    assert gateway.answer({}).status == 200
    assert backlogs == [1]
    assert (gateway.backlog(), gateway.counters.records) == (0, 1)


def test_of_a_header_in_both_forms_the_list_counts() -> None:
    answer = Answer(
        status=200, headers={"Set-Cookie": "a=1", "X": "y"}, multi_headers={"set-cookie": ["a=1", "b=2"]}
    )

    assert answer.lines == [("X", "y"), ("set-cookie", "a=1"), ("set-cookie", "b=2")]
