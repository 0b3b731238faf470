"""A browser's request reaches the function as API Gateway's event, and the function's answer reaches the browser whole."""

from __future__ import annotations

import base64
import http.client
import json
from email.message import Message
from http.client import HTTPMessage
from typing import TYPE_CHECKING, Any

import pytest

from local.event_sources.http_gateway import HttpGateway, rest_event
from local.processes import free_port
from local.runtime.invocation import FunctionError, InvocationResult
from local.runtime.pool import PoolStoppedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def headers(*lines: tuple[str, str]) -> HTTPMessage:
    message: Any = HTTPMessage()
    for name, value in lines:
        Message.add_header(message, name, value)
    found: HTTPMessage = message
    return found


def result(answer: Any = None, error: FunctionError | None = None) -> InvocationResult:
    return InvocationResult(
        request_id="r-1", payload=json.dumps(answer).encode(), error=error, duration_ms=1.0
    )


@pytest.fixture
def serve() -> Iterator[Callable[[Callable[[Any], InvocationResult]], HttpGateway]]:
    """Factory: a gateway in front of a function, stopped when the test ends."""
    served: list[HttpGateway] = []

    def start(function: Callable[[Any], InvocationResult]) -> HttpGateway:
        gateway = HttpGateway(function, free_port())
        gateway.start()
        served.append(gateway)
        return gateway

    yield start
    for gateway in served:
        gateway.stop()


def ask(
    gateway: HttpGateway, method: str = "GET", path: str = "/", body: bytes | None = None
) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=10)
    connection.request(method, path, body)
    return connection.getresponse()


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


def test_an_answer_arrives_with_all_its_cookies(
    serve: Callable[[Callable[[Any], InvocationResult]], HttpGateway],
) -> None:
    answer = {
        "statusCode": 303,
        "headers": {"location": "/queue", "set-cookie": "a=1"},
        "multiValueHeaders": {"set-cookie": ["a=1", "b=2"]},
        "body": "ä",
        "isBase64Encoded": False,
    }

    response = ask(serve(lambda _: result(answer)))

    assert response.status == 303
    assert response.headers.get_all("set-cookie") == ["a=1", "b=2"]
    assert response.headers["location"] == "/queue"
    assert response.read().decode() == "ä"


def test_the_function_gets_what_the_browser_sends(
    serve: Callable[[Callable[[Any], InvocationResult]], HttpGateway],
) -> None:
    events: list[Any] = []

    def function(event: Any) -> InvocationResult:
        events.append(event)
        return result(
            {"statusCode": 200, "body": base64.b64encode(b"\x00").decode(), "isBase64Encoded": True}
        )

    response = ask(serve(function), "POST", "/x?y=z", b"form=1")

    assert response.read() == b"\x00"
    assert (events[0]["path"], events[0]["body"]) == ("/x", "form=1")


@pytest.mark.parametrize("answer", [None, {"body": "x"}, {"statusCode": "200"}, [1]])
def test_a_function_that_answers_something_else_is_a_bad_gateway(
    serve: Callable[[Callable[[Any], InvocationResult]], HttpGateway], answer: Any
) -> None:
    gateway = serve(lambda _: result(answer))

    assert ask(gateway).status == 502
    assert gateway.counters.failures == 1
    assert gateway.last_error is not None
    assert "answer" in gateway.last_error


def test_a_function_that_fails_is_a_bad_gateway_and_shows_no_error(
    serve: Callable[[Callable[[Any], InvocationResult]], HttpGateway],
) -> None:
    gateway = serve(lambda _: result(error=FunctionError("Sandbox.Timedout", "after 25 s")))

    response = ask(gateway)

    assert response.status == 502
    assert b"Timedout" not in response.read()
    assert gateway.last_error == "Sandbox.Timedout: after 25 s"


def test_a_request_to_a_function_that_is_stopped_is_answered(
    serve: Callable[[Callable[[Any], InvocationResult]], HttpGateway],
) -> None:
    def stopped(_: Any) -> InvocationResult:
        raise PoolStoppedError("stopped")

    gateway = serve(stopped)

    assert ask(gateway).status == 502
    assert gateway.is_idle()
