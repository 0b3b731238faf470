"""The Lambda Runtime API (2018-06-01) for one worker: where ``awslambdaric`` fetches events and posts answers.

One server per worker: the port identifies the worker.
"""

from __future__ import annotations

import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Final

from local.runtime.invocation import FunctionError, read_error

if TYPE_CHECKING:
    from local.runtime.invocation import Invocation

PREFIX: Final = "/2018-06-01/runtime/"


class RuntimeApi:
    """Serve one worker from construction to :meth:`close`, on a free port of the loopback interface."""

    def __init__(self) -> None:
        self.ready = threading.Event()
        """Set when the worker first asks for an event: its initialisation is complete."""
        self.init_error: FunctionError | None = None
        """The runtime's error if the function could not be imported."""
        self._pending: SimpleQueue[Invocation | None] = SimpleQueue()
        self._current: Invocation | None = None
        self._server = _Server(self)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="runtime-api", daemon=True
        )
        self._thread.start()

    @property
    def address(self) -> str:
        """``host:port``, the value of ``AWS_LAMBDA_RUNTIME_API``."""
        host, port = self._server.server_address[:2]
        return f"{host!s}:{port}"

    def offer(self, invocation: Invocation) -> None:
        """Give the worker its next event; one at a time."""
        self._current = invocation
        self._pending.put(invocation)

    def close(self) -> None:
        """Stop serving; a worker that still asks gets no answer."""
        self._pending.put(None)
        self._server.shutdown()
        self._server.server_close()

    def next_invocation(self) -> Invocation | None:
        """Wait for the next event; None once the API is closed."""
        self.ready.set()
        invocation = self._pending.get()
        if invocation is not None:
            invocation.hand_over()
        return invocation

    def current(self, request_id: str) -> Invocation | None:
        """Return the invocation that an answer is for; None if it is not the one in progress."""
        invocation = self._current
        return invocation if invocation is not None and invocation.request_id == request_id else None


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, api: RuntimeApi) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.api = api

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report nothing of a connection that broke: the worker was killed, and the caller that did that knows."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Headers and body are sent in two writes; with Nagle's algorithm the second one waits 40 ms for the first one's ACK.
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Server

    def do_GET(self) -> None:
        """Answer ``/invocation/next``: hold the request until there is an event."""
        if self.path != f"{PREFIX}invocation/next":
            self._answer(HTTPStatus.NOT_FOUND)
            return
        invocation = self.server.api.next_invocation()
        if invocation is None:
            self._answer(HTTPStatus.GONE)
            return
        # No trace header: nothing reads traces here. The runtime's client would put it into the environment, and the C library
        # keeps every value that a variable ever had: 140 bytes per invocation, a leak in a soak.
        self._answer(
            HTTPStatus.OK,
            invocation.payload,
            {
                "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
                "Lambda-Runtime-Deadline-Ms": str(invocation.deadline_ms),
                "Lambda-Runtime-Invoked-Function-Arn": invocation.function_arn,
            },
        )

    def do_POST(self) -> None:
        """Take an answer, an error, or the error of a failed initialisation."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        error_type = self.headers.get("Lambda-Runtime-Function-Error-Type") or "Unhandled"
        if self.path == f"{PREFIX}init/error":
            self.server.api.init_error = read_error(body, error_type)
            self._answer(HTTPStatus.ACCEPTED)
            return
        request_id, _, kind = self.path.removeprefix(f"{PREFIX}invocation/").partition("/")
        invocation = self.server.api.current(request_id)
        if invocation is None or kind not in {"response", "error"}:
            self._answer(HTTPStatus.BAD_REQUEST)
            return
        # Answered before the invocation is settled: the worker is at /next again when the caller offers the next event.
        self._answer(HTTPStatus.ACCEPTED)
        if kind == "response":
            invocation.succeed(body)
        else:
            invocation.fail(read_error(body, error_type), body)

    def _answer(self, status: HTTPStatus, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response_only(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()
