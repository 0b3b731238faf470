"""A browser and a function, with the gateway between them: requests and answers arrive whole."""

from __future__ import annotations

import base64
import http.client
import json
from typing import TYPE_CHECKING, Any

import pytest

from local.event_sources.http_gateway import MAX_BODY_BYTES, HttpGateway
from local.processes import free_port
from local.runtime.invocation import InvocationResult

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def result(answer: Any) -> InvocationResult:
    return InvocationResult(
        request_id="r-1", payload=json.dumps(answer).encode(), error=None, duration_ms=1.0
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


def test_a_body_that_is_too_large_does_not_reach_the_function(
    serve: Callable[[Callable[[Any], InvocationResult]], HttpGateway],
) -> None:
    gateway = serve(lambda _: result({"statusCode": 200}))
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=10)
    connection.putrequest("POST", "/")
    connection.putheader("Content-Length", str(MAX_BODY_BYTES + 1))
    connection.endheaders()

    assert connection.getresponse().status == 413
    assert gateway.counters.batches == 0


def test_a_head_request_is_answered_without_a_body(
    serve: Callable[[Callable[[Any], InvocationResult]], HttpGateway],
) -> None:
    response = ask(serve(lambda _: result({"statusCode": 200, "body": "page"})), "HEAD")

    assert response.headers["Content-Length"] == "4"
    assert response.read() == b""
