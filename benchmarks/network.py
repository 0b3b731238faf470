"""What stands between a measured function and the world: an AWS API of fixed answers, and a proxy in front of the cache.

Both put a chosen round trip on every call and count what goes through, in a process of their own: what is measured is the
CPU of the function's process, and an emulator at work on the same cores would disturb it. Run by :mod:`benchmarks.lab`::

    python -m benchmarks.network --aws-port 4000 --cache-port 4001 --cache-target 127.0.0.1:6379 --ruleset rules/default.yaml
"""

from __future__ import annotations

import argparse
import re
import socket
import socketserver
import sys
import threading
import time
import zlib
from collections import Counter, deque
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

HOST: Final = "127.0.0.1"
CONTROL: Final = "/_bench/"
CAPTURED: Final = 400
"""So many bodies of the latest inserts are kept, to weigh their rows."""

_CONTENT_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_TARGET = re.compile(rb"\r\nx-amz-target: *([\w.]+)", re.IGNORECASE)
_CHUNK: Final = 1 << 18


class Delays(msgspec.Struct, frozen=True):
    """The round trip of each service, ms."""

    redis: float = 0.0
    dynamodb: float = 0.0
    sns: float = 0.0


class Counts(msgspec.Struct, frozen=True):
    """What went through since the last reset."""

    requests: dict[str, int]
    """AWS operation to requests."""
    redis_round_trips: int
    """Times that a client sent something after it had its answer; however much it sent at once."""


class Wire:
    """Delays and counts, shared by all connections."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.delays = Delays()
        self.captured: deque[bytes] = deque(maxlen=CAPTURED)
        self._requests: Counter[str] = Counter()
        self._redis_round_trips = 0

    def count_request(self, operation: str) -> None:
        """Count one call of the AWS API."""
        with self._lock:
            self._requests[operation] += 1

    def count_redis_round_trip(self) -> None:
        """Count one turn of a cache connection."""
        with self._lock:
            self._redis_round_trips += 1

    def counts(self) -> Counts:
        """Give the counts, and begin anew."""
        with self._lock:
            counts = Counts(dict(self._requests), self._redis_round_trips)
            self._requests.clear()
            self._redis_round_trips = 0
        return counts


class AwsApi(socketserver.ThreadingTCPServer):
    """Answers the calls that the functions make, with success, and remembers nothing of them.

    Parameters
    ----------
    port : int
        Of the loopback interface.
    wire : Wire
        Delays and counts.
    ruleset : bytes
        What AppConfig has deployed.
    """

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, port: int, wire: Wire, ruleset: bytes) -> None:
        super().__init__((HOST, port), _AwsConnection)
        self.wire = wire
        self.ruleset = ruleset


class _AwsConnection(socketserver.BaseRequestHandler):
    server: AwsApi

    def handle(self) -> None:
        """Read requests of a kept-alive connection until the client closes it."""
        connection: socket.socket = self.request
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        data = b""
        while True:
            while b"\r\n\r\n" not in data:
                chunk = connection.recv(_CHUNK)
                if not chunk:
                    return
                data += chunk
            received = time.monotonic()
            head, _, data = data.partition(b"\r\n\r\n")
            length = _CONTENT_LENGTH.search(head)
            size = int(length[1]) if length else 0
            parts, held = [data], len(data)
            while held < size:
                parts.append(chunk := connection.recv(_CHUNK))
                held += len(chunk)
            data = b"".join(parts)
            body, data = data[:size], data[size:]
            answer, delay_ms = self._answer(head, body)
            _sleep_until(received + delay_ms / 1000)
            connection.sendall(answer)

    def _answer(self, head: bytes, body: bytes) -> tuple[bytes, float]:
        method, path = head.split(b" ", 2)[:2]
        if path.startswith(CONTROL.encode()):
            return _http(self._control(path.decode().removeprefix(CONTROL), body)), 0.0
        wire = self.server.wire
        if path.startswith(b"/configuration"):
            wire.count_request(f"appconfig.{'Get' if method == b'GET' else 'Start'}")
            if method == b"POST":
                return _http(b'{"InitialConfigurationToken":"first"}', status=b"201 Created"), 0.0
            more = b"Next-Poll-Configuration-Token: next\r\nNext-Poll-Interval-In-Seconds: 15\r\n"
            return _http(self.server.ruleset, more, content_type=b"application/yaml"), 0.0
        target = _TARGET.search(head)
        if target is None:  # the query protocol: SNS
            wire.count_request("sns.Publish")
            return _http(_PUBLISHED, content_type=b"text/xml"), wire.delays.sns
        service, _, operation = target[1].decode().partition(".")
        service = "sqs" if service == "AmazonSQS" else "dynamodb"
        wire.count_request(f"{service}.{operation}")
        if operation == "BatchExecuteStatement":
            wire.captured.append(body)
            rows = body.count(b'"Statement"')
            return _json(
                b'{"Responses":[' + b",".join([b'{"TableName":"t"}'] * rows) + b"]}"
            ), wire.delays.dynamodb
        return _json(_ANSWERS.get(operation, b"{}")), wire.delays.dynamodb

    def _control(self, command: str, body: bytes) -> bytes:
        wire = self.server.wire
        if command == "delays":
            wire.delays = msgspec.json.decode(body, type=Delays)
            return b"{}"
        if command == "captured":
            bodies = [each.decode() for each in wire.captured]
            wire.captured.clear()
            return msgspec.json.encode(bodies)
        return msgspec.json.encode(wire.counts())


class CacheProxy(socketserver.ThreadingTCPServer):
    """Passes a cache's traffic on, every request later by the chosen round trip.

    Parameters
    ----------
    port : int
        Of the loopback interface.
    target : tuple[str, int]
        The cache.
    wire : Wire
        Delays and counts.
    """

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, port: int, target: tuple[str, int], wire: Wire) -> None:
        super().__init__((HOST, port), _CacheConnection)
        self.target = target
        self.wire = wire


class _CacheConnection(socketserver.BaseRequestHandler):
    server: CacheProxy

    def handle(self) -> None:
        """Carry one connection until either side closes it."""
        client: socket.socket = self.request
        with socket.create_connection(self.server.target) as cache:
            for each in (client, cache):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            waiting = threading.Event()
            line: SimpleQueue[tuple[float, bytes]] = SimpleQueue()
            threading.Thread(target=self._deliver, args=(line, cache), daemon=True).start()
            threading.Thread(target=self._return, args=(cache, client, waiting), daemon=True).start()
            while chunk := client.recv(_CHUNK):
                if not waiting.is_set():
                    waiting.set()
                    self.server.wire.count_redis_round_trip()
                line.put((time.monotonic() + self.server.wire.delays.redis / 1000, chunk))
            line.put((0.0, b""))

    @staticmethod
    def _deliver(line: SimpleQueue[tuple[float, bytes]], cache: socket.socket) -> None:
        # A line, not a sleep between receiving and sending: what comes in several pieces is late once, not for each piece.
        while True:
            due, chunk = line.get()
            _sleep_until(due)
            try:
                if not chunk:
                    cache.shutdown(socket.SHUT_RDWR)
                    return
                cache.sendall(chunk)
            except OSError:
                return  # the cache hung up; the client is told by its own end

    @staticmethod
    def _return(cache: socket.socket, client: socket.socket, waiting: threading.Event) -> None:
        try:
            while chunk := cache.recv(_CHUNK):
                waiting.clear()
                client.sendall(chunk)
            client.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # the client hung up first


_PUBLISHED: Final = (
    b'<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult>'
    b"<MessageId>00000000-0000-0000-0000-000000000000</MessageId></PublishResult></PublishResponse>"
)
_ANSWERS: Final = {
    "Query": b'{"Count":0,"Items":[],"ScannedCount":0}',
    "BatchGetItem": b'{"Responses":{},"UnprocessedKeys":{}}',
    "SendMessage": b'{"MessageId":"00000000-0000-0000-0000-000000000000"}',
}


def _http(
    body: bytes, more: bytes = b"", *, status: bytes = b"200 OK", content_type: bytes = b"application/json"
) -> bytes:
    head = b"HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n%s\r\n" % (
        status,
        content_type,
        len(body),
        more,
    )
    return head + body


def _json(body: bytes) -> bytes:
    more = b"x-amzn-RequestId: %s\r\nx-amz-crc32: %d\r\n" % (b"A" * 52, zlib.crc32(body))
    return _http(body, more, content_type=b"application/x-amz-json-1.0")


def _sleep_until(due: float) -> None:
    left = due - time.monotonic()
    if left > 0:
        time.sleep(left)


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.network", description=__doc__)
    parser.add_argument("--aws-port", type=int, required=True)
    parser.add_argument("--cache-port", type=int, required=True)
    parser.add_argument("--cache-target", required=True, help="host:port")
    parser.add_argument("--ruleset", type=Path, required=True)
    options = parser.parse_args(arguments)
    host, _, port = options.cache_target.rpartition(":")
    wire = Wire()
    # Threads that wait in recv or sleep hand the interpreter over within this time; 5 ms, the default, would show.
    sys.setswitchinterval(0.0002)
    proxy = CacheProxy(options.cache_port, (host, int(port)), wire)
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    AwsApi(options.aws_port, wire, options.ruleset.read_bytes()).serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
