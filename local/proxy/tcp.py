"""A proxy for any protocol over TCP, such as Redis's: forwards, delays, counts round trips, refuses, and moves to another server."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from queue import SimpleQueue
from typing import TYPE_CHECKING, Final

from local.proxy.timing import sleep_until

if TYPE_CHECKING:
    from collections.abc import Callable

HOST: Final = "127.0.0.1"

_CHUNK: Final = 256 * 1024
_CONNECT_SECONDS: Final = 5.0


class TcpProxy:
    """Serve on the loopback interface from :meth:`start` to :meth:`stop`.

    Parameters
    ----------
    upstream : tuple[str, int]
        Host and port of the server.
    port : int
        Port to serve on; 0 for a free one.

    Attributes
    ----------
    delay_seconds : float
        Time between receiving the bytes of a request and passing them on. A request in several pieces is delayed once, not
        once for each piece.
    on_request, on_response : Callable | None
        Called with the bytes of the last request: before they are passed on, and before the answer is. Both may wait.
        What ``on_request`` returns is passed on instead.
    """

    def __init__(self, upstream: tuple[str, int], port: int = 0) -> None:
        self._upstream = upstream
        self.delay_seconds = 0.0
        self.on_request: Callable[[bytes], bytes] | None = None
        self.on_response: Callable[[bytes], object] | None = None
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._is_refusing = False
        self._round_trips = 0
        self._listener = socket.create_server((HOST, port))
        self._thread = threading.Thread(target=self._accept, name="tcp-proxy", daemon=True)

    @property
    def port(self) -> int:
        """The port that it serves on."""
        port: int = self._listener.getsockname()[1]
        return port

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def stop(self) -> None:
        """Close everything."""
        self._listener.close()
        self.disconnect()

    def move(self, upstream: tuple[str, int], *, keeps_connections: bool = False) -> None:
        """Use another server from now on; connections are closed, as at a failover, or stay, as after a planned one."""
        self._upstream = upstream
        if not keeps_connections:
            self.disconnect()

    def refuse(self, is_refusing: bool) -> None:
        """Close connections as soon as they are opened, or stop doing so."""
        self._is_refusing = is_refusing
        if is_refusing:
            self.disconnect()

    def disconnect(self) -> None:
        """Close all connections."""
        with self._lock:
            sockets, self._open = self._open, set()
        for one in sockets:
            _close(one)

    def take_round_trips(self) -> int:
        """Return the round trips since the last call: times that a client sent something after it had its answer."""
        with self._lock:
            count, self._round_trips = self._round_trips, 0
        return count

    def count_round_trip(self) -> None:
        """Count one round trip."""
        with self._lock:
            self._round_trips += 1

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return  # closed
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        if self._is_refusing:
            _close(client)
            return
        try:
            server = socket.create_connection(self._upstream, timeout=_CONNECT_SECONDS)
        except OSError:
            _close(client)
            return
        server.settimeout(None)
        for one in (client, server):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            self._open |= {client, server}
        _Connection(self, client, server).carry()
        with self._lock:
            self._open -= {client, server}


class _Connection:
    """One connection of a client and the proxy's own to the server."""

    def __init__(self, proxy: TcpProxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy = proxy
        self._client = client
        self._server = server
        self._is_answer_due = threading.Event()
        self._last_request = b""
        # A queue, not a sleep between receiving and sending: the proxy receives on while earlier bytes wait.
        self._requests: SimpleQueue[tuple[float, bytes]] = SimpleQueue()

    def carry(self) -> None:
        """Carry bytes both ways until either side closes its connection."""
        forward = threading.Thread(target=self._forward, daemon=True)
        back = threading.Thread(target=self._return, daemon=True)
        forward.start()
        back.start()
        with contextlib.suppress(OSError):  # either side may close at any time
            while data := self._client.recv(_CHUNK):
                if not self._is_answer_due.is_set():
                    self._is_answer_due.set()
                    self._proxy.count_round_trip()
                self._requests.put((time.monotonic() + self._proxy.delay_seconds, data))
        # What the client sent before it closed is still passed on, however late.
        self._requests.put((0.0, b""))
        forward.join()
        back.join()

    def _forward(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                due, data = self._requests.get()
                sleep_until(due)
                if not data:
                    break
                self._last_request = data
                on_request = self._proxy.on_request
                self._server.sendall(data if on_request is None else on_request(data))
        _close(self._server)

    def _return(self) -> None:
        with contextlib.suppress(OSError):
            while data := self._server.recv(_CHUNK):
                on_response = self._proxy.on_response
                if on_response is not None:
                    on_response(self._last_request)
                self._is_answer_due.clear()
                self._client.sendall(data)
        _close(self._server)
        _close(self._client)


def _close(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
