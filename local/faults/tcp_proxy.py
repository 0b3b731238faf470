"""A proxy before the cache: it passes, delays or refuses, moves to another server, and tells of each request."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_CHUNK: Final = 256 * 1024


class TcpProxy:
    """Serve on a free port of the loopback interface from :meth:`start` to :meth:`stop`.

    Parameters
    ----------
    upstream : tuple[str, int]
        Host and port of the server.

    Attributes
    ----------
    delay_seconds : float
        How long each piece of a request waits.
    on_request, on_response : Callable | None
        Get the last request's bytes, before it is passed on and before what comes back is; may wait. ``on_request`` gives
        the bytes that are passed on in their place.
    """

    def __init__(self, upstream: tuple[str, int]) -> None:
        self._upstream = upstream
        self.delay_seconds = 0.0
        self.on_request: Callable[[bytes], bytes] | None = None
        self.on_response: Callable[[bytes], object] | None = None
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._is_refusing = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._accept, daemon=True)

    @property
    def port(self) -> int:
        """The port."""
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
        """Pass on to another server from now on; connections are closed, as at a failover, or stay, as after a planned one."""
        self._upstream = upstream
        if not keeps_connections:
            self.disconnect()

    def refuse(self, is_refusing: bool) -> None:
        """Close connections as soon as they are opened, or no longer."""
        self._is_refusing = is_refusing
        if is_refusing:
            self.disconnect()

    def disconnect(self) -> None:
        """Close all connections."""
        with self._lock:
            sockets, self._open = self._open, set()
        for one in sockets:
            _close(one)

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
            server = socket.create_connection(self._upstream, timeout=5)
        except OSError:
            _close(client)
            return
        server.settimeout(None)
        for one in (client, server):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            self._open |= {client, server}
        last_request = [b""]

        def request(data: bytes) -> bytes:
            last_request[0] = data
            if self.delay_seconds:
                time.sleep(self.delay_seconds)
            return data if self.on_request is None else self.on_request(data)

        def response(data: bytes) -> bytes:
            if self.on_response is not None:
                self.on_response(last_request[0])
            return data

        back = threading.Thread(target=_copy, args=(server, client, response), daemon=True)
        back.start()
        _copy(client, server, request)
        back.join()
        with self._lock:
            self._open -= {client, server}


def _copy(source: socket.socket, target: socket.socket, change: Callable[[bytes], bytes]) -> None:
    with contextlib.suppress(OSError):  # either side may go at any time; the other one is told below
        while data := source.recv(_CHUNK):
            target.sendall(change(data))
    _close(source)
    _close(target)


def _close(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
