"""The proxies forward, delay, count, refuse and break connections, over real sockets of the loopback interface."""

from __future__ import annotations

import http.client
import socket
import socketserver
import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec
import pytest

from local.faults.aws_answers import half_unprocessed, internal_error, throttled, written_but_unheard
from local.proxy.aws import AwsProxy, Call, forward_to
from local.proxy.http import Answer, HttpServer, Request
from local.proxy.tcp import TcpProxy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

JSON = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "DynamoDB_20120810.PutItem"}


class EchoServer(socketserver.ThreadingTCPServer):
    """Answers each piece with the same bytes behind its name, and keeps what it has received."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, name: bytes) -> None:
        super().__init__(("127.0.0.1", 0), _Echo)
        self.name = name
        self.received: list[bytes] = []
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def address(self) -> tuple[str, int]:
        return "127.0.0.1", self.server_address[1]


class _Echo(socketserver.BaseRequestHandler):
    server: EchoServer

    def handle(self) -> None:
        while data := self.request.recv(1000):
            self.server.received.append(data)
            self.request.sendall(self.server.name + data)


@pytest.fixture
def echo_servers() -> Iterator[tuple[EchoServer, EchoServer]]:
    servers = EchoServer(b"1:"), EchoServer(b"2:")
    yield servers
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def tcp(echo_servers: tuple[EchoServer, EchoServer]) -> Iterator[TcpProxy]:
    proxy = TcpProxy(echo_servers[0].address)
    proxy.start()
    yield proxy
    proxy.stop()


def connect(proxy: TcpProxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout=10)


def ask(client: socket.socket, data: bytes) -> bytes:
    client.sendall(data)
    return client.recv(1000)


def wait_for(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_answers_come_back_and_each_is_a_round_trip(tcp: TcpProxy) -> None:
    with connect(tcp) as client:
        answers = [ask(client, b"a"), ask(client, b"b")]

    assert answers == [b"1:a", b"1:b"]
    assert tcp.take_round_trips() == 2
    assert tcp.take_round_trips() == 0


def test_a_request_is_as_late_as_its_delay(tcp: TcpProxy) -> None:
    tcp.delay_seconds = 0.1
    with connect(tcp) as client:
        began = time.monotonic()

        answer = ask(client, b"a")

    assert answer == b"1:a"
    assert time.monotonic() - began >= 0.1


def test_requests_may_be_changed_and_answers_awaited(tcp: TcpProxy) -> None:
    answered: list[object] = []
    tcp.on_request = bytes.upper
    tcp.on_response = answered.append
    with connect(tcp) as client:
        answer = ask(client, b"a")

    assert answer == b"1:A"
    assert answered == [b"a"]


def test_what_is_held_is_passed_on_though_its_client_has_gone(
    tcp: TcpProxy, echo_servers: tuple[EchoServer, EchoServer]
) -> None:
    may_go_on = threading.Event()

    def hold(request: bytes) -> bytes:
        may_go_on.wait(10)
        return request

    tcp.on_request = hold
    with connect(tcp) as client:
        client.sendall(b"late")

    assert echo_servers[0].received == []
    may_go_on.set()
    wait_for(lambda: echo_servers[0].received == [b"late"])


def test_refused_clients_are_disconnected_until_that_ends(tcp: TcpProxy) -> None:
    with connect(tcp) as earlier:
        ask(earlier, b"a")
        tcp.refuse(True)
        with connect(tcp) as later:
            assert earlier.recv(10) == b""
            assert later.recv(10) == b""

    tcp.refuse(False)

    with connect(tcp) as client:
        assert ask(client, b"b") == b"1:b"


@pytest.mark.parametrize("keeps_connections", [False, True])
def test_a_moved_proxy_uses_the_other_server(
    tcp: TcpProxy, echo_servers: tuple[EchoServer, EchoServer], keeps_connections: bool
) -> None:
    with connect(tcp) as earlier:
        ask(earlier, b"a")

        tcp.move(echo_servers[1].address, keeps_connections=keeps_connections)

        with connect(tcp) as later:
            assert ask(later, b"b") == b"2:b"
        if keeps_connections:
            assert ask(earlier, b"c") == b"1:c"
        else:
            assert earlier.recv(10) == b""


def test_a_client_of_an_unavailable_server_is_disconnected(tcp: TcpProxy) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        tcp.move(unused.getsockname())
        with connect(tcp) as client:
            assert client.recv(10) == b""


class Upstream:
    """An AWS API that answers a batch with as many successes as it has statements, and keeps what it is asked."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.server = HttpServer(self.answer)
        self.server.start()

    def answer(self, request: Request) -> Answer:
        self.requests.append(request)
        count = request.body.count(b'Statement"')
        body = msgspec.json.encode({"Responses": [{"TableName": "t"}] * count})
        return Answer(200, [("x-amz-crc32", "1"), ("x-note", "kept")], body)


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    upstream = Upstream()
    yield upstream
    upstream.server.stop()


@pytest.fixture
def aws(upstream: Upstream) -> Iterator[AwsProxy]:
    proxy = AwsProxy(forward_to(upstream.server.endpoint))
    proxy.start()
    yield proxy
    proxy.stop()


def call_aws(
    aws: AwsProxy, body: bytes = b"{}", headers: dict[str, str] = JSON, method: str = "POST", path: str = "/"
) -> http.client.HTTPResponse:
    place = urlsplit(aws.endpoint)
    with closing(http.client.HTTPConnection(place.hostname or "", place.port, timeout=10)) as connection:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        response.body = response.read()  # type: ignore[attr-defined]
        return response


def body_of(response: http.client.HTTPResponse) -> Any:
    return msgspec.json.decode(response.body)  # type: ignore[attr-defined]


def test_a_call_is_passed_on_with_its_headers_and_counted(aws: AwsProxy, upstream: Upstream) -> None:
    response = call_aws(aws, b"x" * 300_000)

    assert (response.status, response.headers["x-note"]) == (200, "kept")
    (request,) = upstream.requests
    assert (request.method, request.path, request.body) == ("POST", "/", b"x" * 300_000)
    assert request.header("x-amz-target") == JSON["X-Amz-Target"]
    assert aws.take_calls() == {"dynamodb.PutItem": 1}
    assert aws.calls() == {}


@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "name"),
    [
        ("POST", "/", {"X-Amz-Target": "AmazonSQS.SendMessage"}, b"{}", "sqs.SendMessage"),
        (
            "POST",
            "/",
            {
                "Content-Type": "application/x-www-form-urlencoded",
                "Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/sns/aws4_request, x",
            },
            b"Action=Publish&Message=m",
            "sns.Publish",
        ),
        ("GET", "/configuration?token=x", {}, b"", "appconfigdata.GET"),
        ("PUT", "/bucket/key", {}, b"data", "s3.PUT"),
        ("HEAD", "/bucket/key", {}, b"", "s3.HEAD"),
    ],
)
def test_service_and_operation_of_a_call_are_known(
    aws: AwsProxy, method: str, path: str, headers: dict[str, str], body: bytes, name: str
) -> None:
    response = call_aws(aws, body, headers, method, path)

    assert response.status == 200
    assert aws.calls() == {name: 1}


def test_a_client_that_waits_for_continue_is_answered(aws: AwsProxy, upstream: Upstream) -> None:
    place = urlsplit(aws.endpoint)
    with socket.create_connection((place.hostname or "", place.port or 0), timeout=10) as client:
        client.sendall(b"PUT /bucket/key HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
        assert client.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"data")
        assert client.recv(1000).startswith(b"HTTP/1.1 200 OK\r\n")

    assert upstream.requests[0].body == b"data"
    assert upstream.requests[0].header("Expect") == ""


def test_only_calls_of_a_delayed_service_are_late(aws: AwsProxy) -> None:
    aws.delays_seconds = {"dynamodb": 0.1}
    began = time.monotonic()
    call_aws(aws)
    took_seconds = time.monotonic() - began

    assert took_seconds >= 0.1


def test_throttled_and_failed_calls_are_not_passed_on(aws: AwsProxy, upstream: Upstream) -> None:
    aws.fault = lambda call, _: throttled(call)
    throttling = call_aws(aws)
    aws.fault = lambda call, _: internal_error(call)
    failure = call_aws(aws)

    assert throttling.status == 400
    assert body_of(throttling)["__type"] == "com.amazonaws#ProvisionedThroughputExceededException"
    assert failure.status == 500
    assert upstream.requests == []


def test_a_write_may_be_done_and_its_answer_lost(aws: AwsProxy, upstream: Upstream) -> None:
    aws.fault = written_but_unheard

    with pytest.raises(http.client.RemoteDisconnected):
        call_aws(aws)

    assert len(upstream.requests) == 1


def test_every_second_statement_of_a_batch_is_throttled(aws: AwsProxy, upstream: Upstream) -> None:
    aws.fault = half_unprocessed
    statements = [{"Statement": f"INSERT {number}"} for number in range(3)]
    headers = {**JSON, "X-Amz-Target": "DynamoDB_20120810.BatchExecuteStatement"}

    response = call_aws(aws, msgspec.json.encode({"Statements": statements}), headers)

    assert msgspec.json.decode(upstream.requests[0].body)["Statements"] == [statements[0], statements[2]]
    errors = [answer.get("Error", {}).get("Code") for answer in body_of(response)["Responses"]]
    assert errors == [None, "ThrottlingError", None]
    assert "x-amz-crc32" not in response.headers


def test_a_fault_knows_the_caller_by_its_port(aws: AwsProxy) -> None:
    ports: list[int] = []

    def note(call: Call, forward: Callable[[Call], Answer]) -> Answer:
        ports.append(call.client_port)
        return forward(call)

    aws.fault = note
    call_aws(aws)

    assert 0 < ports[0] < 65536


def test_a_call_to_an_unavailable_server_is_disconnected(upstream: Upstream) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        aws = AwsProxy(forward_to(f"http://127.0.0.1:{unused.getsockname()[1]}"))
        aws.start()
        try:
            with pytest.raises(http.client.RemoteDisconnected):
                call_aws(aws)
        finally:
            aws.stop()
