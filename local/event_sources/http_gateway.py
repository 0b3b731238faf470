"""A browser's requests as events: what API Gateway does in front of a function of trigger type ``http``.

Events and answers are those of a REST API with proxy integration (payload 1.0), whose stage has no path.
"""

from __future__ import annotations

import base64
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec

from local.event_sources.config import MappingCounters
from local.runtime.pool import PoolStoppedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from email.message import Message

    from local.runtime.invocation import InvocationResult

MAX_BODY_BYTES: Final = 10_000_000
"""API Gateway's quota for a request."""

SECONDS: Final = 29.0
"""How long a browser may take to send its request; API Gateway's own time-out."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a function answers (payload 1.0)."""

    status: int = msgspec.field(name="statusCode")
    headers: dict[str, str] = {}
    multi_headers: dict[str, list[str]] = msgspec.field(name="multiValueHeaders", default_factory=dict)
    body: str = ""
    is_base64: bool = msgspec.field(name="isBase64Encoded", default=False)

    @property
    def lines(self) -> list[tuple[str, str]]:
        """All headers; where both forms have one, only the second counts, as in API Gateway."""
        several = {name.lower() for name in self.multi_headers}
        single = [(name, value) for name, value in self.headers.items() if name.lower() not in several]
        return single + [(name, value) for name, values in self.multi_headers.items() for value in values]

    @property
    def content(self) -> bytes:
        """The body as it is sent."""
        return base64.b64decode(self.body) if self.is_base64 else self.body.encode()


def rest_event(
    method: str, target: str, headers: Message[str, str], body: bytes, source_ip: str, now_s: float
) -> dict[str, Any]:
    """Make the event of one request.

    Parameters
    ----------
    method, target : str
        Of the request's first line.
    headers : Message
        All of them.
    body : bytes
        Empty for none. One that is no UTF-8 is handed over in base64.
    source_ip : str
        Of the browser.
    now_s : float
        Seconds since the epoch.
    """
    # API Gateway merges slashes at the beginning; without that, "//host/x" would be taken for another host.
    parts = urlsplit("/" + target.lstrip("/"))
    query = parse_qs(parts.query, keep_blank_values=True)
    names = list(dict.fromkeys(headers.keys()))
    text, is_base64 = _body_text(body)
    return {
        "resource": "/{proxy+}",
        "path": unquote(parts.path),
        "httpMethod": method,
        "headers": {name: (headers.get_all(name) or [""])[-1] for name in names},
        "multiValueHeaders": {name: headers.get_all(name) for name in names},
        "queryStringParameters": {name: values[-1] for name, values in query.items()} or None,
        "multiValueQueryStringParameters": query or None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {
            "resourcePath": "/{proxy+}",
            "httpMethod": method,
            "path": unquote(parts.path),
            "protocol": "HTTP/1.1",
            "stage": "local",
            "requestTimeEpoch": int(now_s * 1000),
            "identity": {"sourceIp": source_ip, "userAgent": headers.get("User-Agent")},
        },
        "body": text,
        "isBase64Encoded": is_base64,
    }


class HttpGateway:
    """Serves a function on a port of this machine, for this machine only.

    Parameters
    ----------
    invoke : Callable
        Calls the function and waits for its answer.
    port : int
        Where browsers reach it.
    """

    failure: BaseException | None = None
    """Nothing that a request does ends it."""

    def __init__(self, invoke: Callable[[object], InvocationResult], port: int) -> None:
        self._invoke = invoke
        self.port = port
        """Where it serves."""
        self._server: ThreadingHTTPServer | None = None
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._in_flight = 0
        self.counters = MappingCounters()
        self.last_error: str | None = None

    def start(self) -> None:
        """Begin to serve; OSError if the port is taken."""
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, name="http-gateway", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Take no further request, and finish those in flight."""
        if self._server is None or self._thread is None:
            return
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._server = None

    def backlog(self) -> int:
        """Count the requests that are not answered yet."""
        with self._lock:
            return self._in_flight

    def is_idle(self) -> bool:
        """Return whether every request is answered."""
        return self.backlog() == 0

    def report(self, problem: str) -> None:
        """Keep the latest failure for the status."""
        self.last_error = problem

    def answer(self, event: dict[str, Any]) -> Answer:
        """Hand one request to the function; 502 where it fails or answers something else, as API Gateway does."""
        with self._lock:
            self._in_flight += 1
        problem = ""
        try:
            result = self._invoke(event)
            if result.error is None:
                return msgspec.json.decode(result.payload, type=Answer)
            problem = f"{result.error.type}: {result.error.message}"
        except PoolStoppedError:
            problem = "the function is stopped"
        except msgspec.MsgspecError as error:
            problem = f"the function's answer: {error}"
        finally:
            with self._lock:
                self._in_flight -= 1
                self.counters.batches += 1
                self.counters.records += not problem
                self.counters.failures += bool(problem)
        self.report(problem)
        return Answer(
            status=502,
            headers={"Content-Type": "application/json"},
            body='{"message": "Internal server error"}',
        )


def _handler(gateway: HttpGateway) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = SECONDS

        def do_GET(self) -> None:
            self._serve()

        do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_GET  # noqa: N815 - the base class's names

        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            if length > MAX_BODY_BYTES:
                self.close_connection = True
                self._send(Answer(status=413))
                return
            body = self.rfile.read(length)
            address = self.client_address[0]
            event = rest_event(self.command, self.path, self.headers, body, address, time.time())
            self._send(gateway.answer(event))

        def _send(self, answer: Answer) -> None:
            self.send_response_only(answer.status)
            for name, value in answer.lines:
                if name.lower() not in {"content-length", "connection", "transfer-encoding"}:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Log nothing: a path or a query may name a case."""

    return Handler


def _body_text(body: bytes) -> tuple[str | None, bool]:
    if not body:
        return None, False
    try:
        return body.decode(), False
    except UnicodeDecodeError:
        return base64.b64encode(body).decode(), True
