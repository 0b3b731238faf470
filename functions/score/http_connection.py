"""One kept connection over which requests are posted and answers read: as much of HTTP/1.1 as DynamoDB speaks.

:mod:`http.client` parses the headers of an answer as those of an e-mail, and sends a request's head and body apart. With botocore's request
objects and signature it took 1,290 calls a request, built-in ones among them; this takes 86, and :mod:`score.signature` 26.
"""

from __future__ import annotations

import re
from http.client import HTTPException, IncompleteRead, RemoteDisconnected
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping
    from socket import socket

_MAX_LINE_BYTES: Final = 65_536
_MAX_HEADERS: Final = 100
_MAX_BODY_BYTES: Final = 2**28
"""Far more than DynamoDB answers: 16 MB of items."""
_STATUS_LINE: Final = re.compile(rb"HTTP/1\.([0-9]) ([1-9][0-9]{2})\b")
_FIRST_FINAL_STATUS: Final = 200


class Answer(msgspec.Struct, frozen=True):
    """One answer."""

    status: int
    headers: dict[str, str]
    """By name in lower case; of several of one name, the last."""
    body: bytes
    is_last: bool
    """The connection cannot be used again."""


class BadAnswerError(HTTPException):
    """What is no answer of HTTP/1.1; says what is wrong."""


class Connection:
    """An open connection.

    Parameters
    ----------
    sock : socket
        Connected, with TLS where the endpoint has it. It is closed with the connection.
    """

    def __init__(self, sock: socket) -> None:
        self.sock = sock
        self._file = sock.makefile("rb")

    def post(self, path: str, host: str, headers: Mapping[str, str], body: bytes, timeout_s: float) -> None:
        """Send one request, head and body in one piece; OSError where that fails or takes longer than the time."""
        lines = [f"POST {path} HTTP/1.1", f"Host: {host}", "Accept-Encoding: identity"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self.sock.settimeout(timeout_s)
        self.sock.sendall("\r\n".join((*lines, "", "")).encode("ascii") + body)

    def answer(self, timeout_s: float) -> Answer:
        """Read the answer to the request that was sent.

        Raises
        ------
        OSError
            Where the connection fails, or a step takes longer than the time; RemoteDisconnected where it ends before the answer begins.
        HTTPException
            IncompleteRead where the connection ends within the answer; BadAnswerError for what is no answer.
        """
        self.sock.settimeout(timeout_s)
        if not self._file.peek(1):
            raise RemoteDisconnected("the connection was closed without an answer")
        minor, status, headers = self._head()
        # What may come before the answer although nobody asks for it: 100 Continue, of a proxy.
        while status < _FIRST_FINAL_STATUS:
            minor, status, headers = self._head()
        persistence = headers.get("connection", "").lower()
        is_last = "close" in persistence or (minor == b"0" and "keep-alive" not in persistence)
        if headers.get("transfer-encoding", "").lower() == "chunked":
            body = self._chunks()
        elif (length := headers.get("content-length")) is None:
            body, is_last = self._file.read(), True
        else:
            body = self._exactly(_size(length, 10))
        return Answer(status, headers, body, is_last)

    def close(self) -> None:
        """Close it."""
        self._file.close()
        self.sock.close()

    def _head(self) -> tuple[bytes, int, dict[str, str]]:
        """The minor version, the status, the headers."""
        found = _STATUS_LINE.match(self._line())
        if found is None:
            raise BadAnswerError("no status line of HTTP/1")
        return found[1], int(found[2]), self._headers()

    def _line(self) -> bytes:
        line = self._file.readline(_MAX_LINE_BYTES + 1)
        if len(line) > _MAX_LINE_BYTES:
            raise BadAnswerError(f"a line of more than {_MAX_LINE_BYTES} bytes")
        if not line:
            raise IncompleteRead(line)
        return line

    def _headers(self) -> dict[str, str]:
        headers: dict[str, str] = {}
        for _ in range(_MAX_HEADERS + 1):
            line = self._line()
            if line in (b"\r\n", b"\n"):
                return headers
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        raise BadAnswerError(f"more than {_MAX_HEADERS} headers")

    def _chunks(self) -> bytes:
        parts: list[bytes] = []
        while size := _size(self._line().partition(b";")[0], 16):
            parts.append(self._exactly(size))
            self._line()
        self._headers()  # trailers
        return b"".join(parts)

    def _exactly(self, size: int) -> bytes:
        data = self._file.read(size)
        if len(data) < size:
            raise IncompleteRead(data, size - len(data))
        return data


def _size(digits: str | bytes, base: int) -> int:
    """Length of a body or of a part of it."""
    try:
        size = int(digits, base)
    except ValueError as error:
        raise BadAnswerError("a length that is no number") from error
    if not 0 <= size <= _MAX_BODY_BYTES:
        raise BadAnswerError(f"a length that is not in 0 to {_MAX_BODY_BYTES} bytes")
    return size
