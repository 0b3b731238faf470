"""The HTTP that AWS's clients speak: a small server, and a client that passes requests on.

The server is fast, because benchmarks measure functions that call it: it splits head from body, and reads of the head only what
is asked for.
"""

from __future__ import annotations

import contextlib
import functools
import http.client
import re
import socket
import socketserver
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

HOST: Final = "127.0.0.1"

UPSTREAM_SECONDS: Final = 60.0
"""Time that a server may take to answer a request that is passed on."""

_CHUNK: Final = 1 << 18
_NOT_FORWARDED: Final = frozenset(
    {"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server", "expect"}
)
"""Headers that belong to one connection, or that the sender sets itself."""


class DisconnectError(Exception):
    """Raised instead of answering: the server closes the connection."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it was received."""

    method: str
    path: str
    head: bytes
    """Request line and headers, without the empty line behind them."""
    body: bytes
    client_port: int
    """Where it came from, which identifies the process that sent it."""
    received_at: float
    """When the head was complete, by ``time.monotonic()``."""

    def header(self, name: str) -> str:
        """Return a header's value; "" if it is not given."""
        found = _header_pattern(name).search(self.head)
        return "" if found is None else found[1].decode("latin-1")

    def headers(self) -> list[tuple[str, str]]:
        """Return all headers, in their order."""
        lines = self.head.decode("latin-1").split("\r\n")[1:]
        return [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]


@dataclass(frozen=True, slots=True)
class Answer:
    """A response."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def encode(self, *, with_body: bool) -> bytes:
        """Write it for the wire."""
        phrase = http.client.responses.get(self.status, "")
        lines = [f"HTTP/1.1 {self.status} {phrase}"]
        lines += [f"{name}: {value}" for name, value in self.headers if name.lower() not in _NOT_FORWARDED]
        lines.append(f"Content-Length: {len(self.body)}\r\n\r\n")
        return "\r\n".join(lines).encode("latin-1") + (self.body if with_body else b"")


class HttpServer:
    """Serve on the loopback interface from :meth:`start` to :meth:`stop`, a thread for each connection.

    Parameters
    ----------
    answer : Callable[[Request], Answer]
        Answers a request. The connection is closed without an answer if it raises :class:`DisconnectError`, or because its
        own server failed.
    port : int
        Port to serve on; 0 for a free one.
    """

    def __init__(self, answer: Callable[[Request], Answer], port: int = 0) -> None:
        self._server = _Server(answer, port)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="http-server", daemon=True
        )

    @property
    def endpoint(self) -> str:
        """The server's URL."""
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

    def wait(self) -> None:
        """Return when the server has been stopped."""
        self._thread.join()


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, answer: Callable[[Request], Answer], port: int) -> None:
        super().__init__((HOST, port), _Connection)
        self.answer = answer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report nothing of a connection that broke: tests kill functions on purpose."""


class _Connection(socketserver.BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        """Answer the requests of a kept-alive connection until the client closes it."""
        connection: socket.socket = self.request
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        unread = b""
        with contextlib.suppress(DisconnectError, http.client.HTTPException, OSError):
            while True:
                request, unread = self._read(connection, unread)
                answer = self.server.answer(request)
                connection.sendall(answer.encode(with_body=request.method != "HEAD"))

    def _read(self, connection: socket.socket, unread: bytes) -> tuple[Request, bytes]:
        while b"\r\n\r\n" not in unread:
            unread += _receive(connection)
        received_at = time.monotonic()
        head, _, unread = unread.partition(b"\r\n\r\n")
        method, path = head.split(b" ", 2)[:2]
        length = _header_pattern("Content-Length").search(head)
        size = int(length[1]) if length else 0
        if len(unread) < size and _header_pattern("Expect").search(head):
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        parts, held = [unread], len(unread)
        while held < size:
            parts.append(chunk := _receive(connection))
            held += len(chunk)
        unread = b"".join(parts)
        request = Request(
            method.decode(), path.decode(), head, unread[:size], self.client_address[1], received_at
        )
        return request, unread[size:]


class Forwarder:
    """Passes requests on to a server.

    Parameters
    ----------
    upstream : str
        The server's URL.
    """

    def __init__(self, upstream: str) -> None:
        place = urlsplit(upstream)
        self._upstream = (place.hostname or "", place.port or 80)
        self._of_thread = threading.local()

    def forward(self, request: Request) -> Answer:
        """Pass a request on, over the thread's own connection; again, over a new one, if the server had closed that."""
        headers = {name: value for name, value in request.headers() if name.lower() not in _NOT_FORWARDED}
        for attempt in (1, 2):
            connection: http.client.HTTPConnection | None = getattr(self._of_thread, "connection", None)
            if connection is None:
                connection = http.client.HTTPConnection(*self._upstream, timeout=UPSTREAM_SECONDS)
                self._of_thread.connection = connection
            try:
                connection.request(request.method, request.path, request.body, headers)
                response = connection.getresponse()
                return Answer(response.status, response.getheaders(), response.read())
            except (http.client.HTTPException, OSError):
                connection.close()
                self._of_thread.connection = None
                if attempt == 2:
                    raise
        raise AssertionError("unreachable: the second attempt returns or raises")


def _receive(connection: socket.socket) -> bytes:
    chunk = connection.recv(_CHUNK)
    if not chunk:
        raise DisconnectError
    return chunk


@functools.cache
def _header_pattern(name: str) -> re.Pattern[bytes]:
    return re.compile(rb"\r\n%s: *([^\r\n]*)" % re.escape(name.encode()), re.IGNORECASE)
