"""A proxy before the AWS API that answers some calls as AWS does on a bad day, in AWS's own wire form.

It knows DynamoDB's and SQS's JSON protocol, SNS's query protocol, and passes everything else on as it is.
"""

from __future__ import annotations

import http.client
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable
    from email.message import Message

UPSTREAM_SECONDS: Final = 60.0

_HOP_HEADERS: Final = frozenset(
    {"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"}
)
_QUERY: Final = "application/x-www-form-urlencoded"


class Call:
    """One request of a function.

    Parameters
    ----------
    method, path, headers, body
        Of the HTTP request.
    client_port : int
        Where it came from; tells which of a function's processes sent it.
    """

    def __init__(self, method: str, path: str, headers: Message, body: bytes, client_port: int) -> None:
        self.method = method
        self.path = path
        self.headers = headers
        self.body = body
        self.client_port = client_port
        target = headers.get("X-Amz-Target", "")
        if target:
            service, _, operation = target.partition(".")
            self.service = {"DynamoDB_20120810": "dynamodb", "AmazonSQS": "sqs"}.get(service, service)
            self.operation = operation
        elif headers.get("Content-Type", "").startswith(_QUERY):
            # Credential=<key>/<date>/<region>/<service>/aws4_request
            self.service = headers.get("Authorization", "").partition("/aws4_request")[0].rpartition("/")[2]
            self.operation = parse_qs(body.decode()).get("Action", [""])[0]
        else:
            self.service = "appconfigdata" if path.startswith("/configuration") else "s3"
            self.operation = method


@dataclass(frozen=True)
class Answer:
    """A response."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class DisconnectError(Exception):
    """Raised by a fault to close the connection without an answer."""


@dataclass
class Counter:
    """How often each operation was called, and how often a fault took part."""

    calls: dict[str, int] = field(default_factory=dict)
    faults: int = 0


class AwsProxy:
    """Serve on a free port of the loopback interface from :meth:`start` to :meth:`stop`.

    Parameters
    ----------
    upstream : str
        URL of the AWS API.

    Attributes
    ----------
    fault : Callable | None
        Gets each call and a function that passes it on; gives the answer, or raises :class:`DisconnectError`. None passes all.
    """

    def __init__(self, upstream: str) -> None:
        place = urlsplit(upstream)
        self._upstream = (place.hostname or "", place.port or 80)
        self.fault: Callable[[Call, Callable[[Call], Answer]], Answer] | None = None
        self.counter = Counter()
        self._local = threading.local()
        self._server = _Server(self)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )

    @property
    def endpoint(self) -> str:
        """What ``AWS_ENDPOINT_URL`` takes."""
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def stop(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, call: Call) -> Answer:
        """Answer one call, through the fault where there is one."""
        name = f"{call.service}.{call.operation}"
        self.counter.calls[name] = self.counter.calls.get(name, 0) + 1
        fault = self.fault
        return self.forward(call) if fault is None else fault(call, self.forward)

    def forward(self, call: Call) -> Answer:
        """Pass a call on; on the thread's own connection, once more where that had gone stale."""
        for attempt in (1, 2):
            connection: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
            if connection is None:
                connection = http.client.HTTPConnection(*self._upstream, timeout=UPSTREAM_SECONDS)
                self._local.connection = connection
            try:
                headers = {k: v for k, v in call.headers.items() if k.lower() not in _HOP_HEADERS}
                connection.request(call.method, call.path, call.body, headers)
                response = connection.getresponse()
                body = response.read()
            except (http.client.HTTPException, OSError):
                connection.close()
                self._local.connection = None
                if attempt == 2:
                    raise
                continue
            return Answer(response.status, response.getheaders(), body)
        raise AssertionError("unreachable")


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, proxy: AwsProxy) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.proxy = proxy

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a connection that broke: that is what functions are killed for here."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base class's name)
        """Say nothing."""

    def _any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            answer = self.server.proxy.answer(
                Call(self.command, self.path, self.headers, body, self.client_address[1])
            )
        except (DisconnectError, http.client.HTTPException, OSError):
            self.close_connection = True
            return
        self.send_response_only(answer.status)
        for name, value in answer.headers:
            if name.lower() not in _HOP_HEADERS:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)
        self.wfile.flush()

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = _any  # noqa: N815 (the base class's names)


# Answers of a bad day


def throttled(call: Call) -> Answer:
    """What a service says to too many calls."""
    names = {"dynamodb": "ProvisionedThroughputExceededException", "sns": "Throttled"}
    return _error(call, 400, names.get(call.service, "ThrottlingException"))


def internal_error(call: Call) -> Answer:
    """A 500."""
    return _error(call, 500, "InternalServerError" if call.service == "dynamodb" else "InternalFailure")


def refused(call: Call, code: str) -> Answer:
    """A 400 that no client tries again."""
    return _error(call, 400, code)


def slow(call: Call, forward: Callable[[Call], Answer], seconds: float) -> Answer:
    """Pass the call on after a wait."""
    time.sleep(seconds)
    return forward(call)


def written_but_unheard(call: Call, forward: Callable[[Call], Answer]) -> Answer:
    """Pass the call on, and break the connection instead of answering."""
    forward(call)
    raise DisconnectError


def half_unprocessed(call: Call, forward: Callable[[Call], Answer]) -> Answer:
    """Do every second statement or key of a batch, and throttle the others within the answer, as DynamoDB does."""
    request = msgspec.json.decode(call.body)
    if call.operation == "BatchExecuteStatement":
        done = forward(_changed(call, {**request, "Statements": request["Statements"][::2]}))
        if done.status != 200:
            return done
        answer = msgspec.json.decode(done.body)
        refused = {
            "Error": {"Code": "ThrottlingError", "Message": "Throughput exceeds the current capacity."}
        }
        answers = iter(answer["Responses"])
        answer["Responses"] = [
            refused if place % 2 else next(answers) for place in range(len(request["Statements"]))
        ]
        return _json(done, answer)
    if call.operation == "BatchGetItem":
        [(table, keys)] = request["RequestItems"].items()
        if len(keys["Keys"]) < 2:
            return forward(call)
        half = {**request, "RequestItems": {table: {**keys, "Keys": keys["Keys"][::2]}}}
        done = forward(_changed(call, half))
        answer = msgspec.json.decode(done.body)
        answer["UnprocessedKeys"] = {table: {**keys, "Keys": keys["Keys"][1::2]}}
        return _json(done, answer)
    return forward(call)


def _changed(call: Call, request: dict[str, Any]) -> Call:
    return Call(call.method, call.path, call.headers, msgspec.json.encode(request), call.client_port)


def _json(answer: Answer, body: dict[str, Any]) -> Answer:
    # The checksum was of the body before.
    headers = [(name, value) for name, value in answer.headers if name.lower() != "x-amz-crc32"]
    return Answer(answer.status, headers, msgspec.json.encode(body))


def _error(call: Call, status: int, code: str) -> Answer:
    if call.service == "sns":
        text = (
            f"<ErrorResponse><Error><Type>{'Sender' if status < 500 else 'Receiver'}</Type><Code>{code}</Code>"
            "<Message>made by a test</Message></Error><RequestId>0</RequestId></ErrorResponse>"
        )
        return Answer(status, [("Content-Type", "text/xml")], text.encode())
    body = msgspec.json.encode({"__type": f"com.amazonaws#{code}", "message": "made by a test"})
    return Answer(status, [("Content-Type", "application/x-amz-json-1.0"), ("x-amzn-ErrorType", code)], body)
