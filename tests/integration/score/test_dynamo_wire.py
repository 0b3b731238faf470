"""Connections to DynamoDB: several requests at the same time, connections that are closed, answers that do not come."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ConnectionClosedError, EndpointConnectionError, ReadTimeoutError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from score.dynamo_wire import DynamoWire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Script = Callable[["Peer", bytes], None]

CONNECTIONS = 4


class Peer:
    """A server's side of one connection."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._file = sock.makefile("rb")

    def read(self) -> bytes | None:
        """The body of the next request; None at the end."""
        length = 0
        while True:
            line = self._file.readline()
            if not line:
                return None
            if line == b"\r\n":
                return self._file.read(length)
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)

    def answer(self, body: bytes, *, close: bool = False) -> None:
        header = b"Connection: close\r\n" if close else b""
        self._sock.sendall(b"HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n" % (header, len(body)) + body)

    def send(self, data: bytes) -> None:
        self._sock.sendall(data)

    def close(self) -> None:
        with suppress(OSError):  # the client has closed it already
            self._sock.shutdown(socket.SHUT_RDWR)


class Server:
    """Does what a script says for each request; by default it answers by the request's body."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self.script: Script = lambda peer, body: peer.answer(body)
        self.requests: list[bytes] = []
        self.peers: list[Peer] = []
        self._sock = socket.create_server(("127.0.0.1", 0))
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self._sock.getsockname()[1]}"
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._sock.shutdown(socket.SHUT_RDWR)
        self._sock.close()
        for peer in self.peers:
            peer.close()
        self._thread.join()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._sock.accept()
            except OSError:
                return
            if self._tls is not None:
                try:
                    sock = self._tls.wrap_socket(sock, server_side=True)
                except OSError:  # the client does not trust the certificate
                    continue
            peer = Peer(sock)
            self.peers.append(peer)
            threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer: Peer) -> None:
        with suppress(OSError):  # the connection was closed
            while (body := peer.read()) is not None:
                self.requests.append(body)
                self.script(peer, body)


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that nobody trusts, and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = tmp_path_factory.mktemp("tls") / "certificate.pem"
    file.write_bytes(pem + made.public_bytes(serialization.Encoding.PEM))
    return file


@pytest.fixture
def tls_server(certificate: Path) -> Iterator[Server]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = Server(context)
    yield server
    server.close()


def wire_to(url: str, timeout_s: float = 5.0) -> DynamoWire:
    client: Any = boto3.client(
        "dynamodb",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
        config=Config(
            connect_timeout=timeout_s / 2, read_timeout=timeout_s / 2, max_pool_connections=CONNECTIONS
        ),
    )
    return DynamoWire(client)


def bodies(count: int) -> list[bytes]:
    return [b'{"n":%d}' % number for number in range(count)]


def test_answers_come_in_the_order_of_their_requests(server: Server) -> None:
    wire = wire_to(server.url)

    assert wire.exchange("Query", bodies(CONNECTIONS)) == bodies(CONNECTIONS)


def test_all_requests_are_sent_before_an_answer_is_awaited(server: Server) -> None:
    together = threading.Barrier(CONNECTIONS)

    def wait_for_all(peer: Peer, body: bytes) -> None:
        together.wait(timeout=5)
        peer.answer(body)

    server.script = wait_for_all

    assert wire_to(server.url).exchange("BatchExecuteStatement", bodies(4)) == bodies(4)


def test_no_more_connections_are_opened_than_the_client_has_and_they_are_used_again(server: Server) -> None:
    wire = wire_to(server.url)

    answers = [wire.exchange("Query", bodies(10)), wire.exchange("BatchGetItem", bodies(3))]

    assert answers == [bodies(10), bodies(3)]
    assert len(server.peers) == CONNECTIONS


def test_a_connection_that_the_server_ends_is_not_used_again(server: Server) -> None:
    server.script = lambda peer, body: peer.answer(body, close=True)
    wire = wire_to(server.url)

    assert [wire.exchange("Query", bodies(1)) for _ in range(3)] == [bodies(1)] * 3

    assert len(server.peers) == 3


def test_a_connection_that_was_closed_while_idle_is_replaced(server: Server) -> None:
    wire = wire_to(server.url)
    wire.exchange("Query", bodies(2))
    for peer in server.peers:
        peer.close()
    time.sleep(0.05)  # until the end of the connection has arrived

    assert wire.exchange("Query", bodies(2)) == bodies(2)

    assert (len(server.peers), len(server.requests)) == (4, 4)


def test_a_request_that_meets_the_closing_of_an_idle_connection_is_sent_again(server: Server) -> None:
    wire = wire_to(server.url)
    wire.exchange("Query", bodies(2))
    old = list(server.peers)

    def close_if_old(peer: Peer, body: bytes) -> None:
        if peer in old:
            peer.close()
        else:
            peer.answer(body)

    server.script = close_if_old

    assert wire.exchange("Query", bodies(3)) == bodies(3)

    assert len(server.peers) == 2 + 1 + 2


def test_a_request_on_a_new_connection_is_not_sent_again(server: Server) -> None:
    server.script = lambda peer, _: peer.close()

    [error] = wire_to(server.url).exchange("Query", bodies(1))

    assert isinstance(error, ConnectionClosedError)
    assert len(server.requests) == 1


def test_half_an_answer_is_not_asked_for_again(server: Server) -> None:
    wire = wire_to(server.url)
    wire.exchange("Query", bodies(1))

    def break_off(peer: Peer, _: bytes) -> None:
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
        peer.close()

    server.script = break_off

    [error] = wire.exchange("Query", bodies(1))

    assert isinstance(error, ConnectionClosedError)
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("answer", "connections"),
    [
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\n{}\n\r\n2\r\n[]\r\n0\r\nA: b\r\n\r\n",
            1,
        ),
        (b"HTTP/1.1 200 OK\nContent-LENGTH:  5\n\n{}\n[]", 1),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n{}\n[]", 2),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: Keep-Alive\r\n\r\n{}\n[]", 1),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: foo, Close\r\n\r\n{}\n[]", 2),
        (
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{}\n[]",
            1,
        ),
    ],
)
def test_every_form_of_an_answer_is_read_and_its_connection_used_again_where_it_may_be(
    server: Server, answer: bytes, connections: int
) -> None:
    server.script = lambda peer, _: peer.send(answer)
    wire = wire_to(server.url)

    assert [wire.exchange("Query", bodies(1)) for _ in range(2)] == [[b"{}\n[]"]] * 2

    assert len(server.peers) == connections


def test_an_answer_without_a_length_ends_with_its_connection(server: Server) -> None:
    def answer_and_close(peer: Peer, body: bytes) -> None:
        peer.send(b"HTTP/1.1 200 OK\r\n\r\n" + body)
        peer.close()

    server.script = answer_and_close

    assert wire_to(server.url).exchange("Query", bodies(1)) == bodies(1)


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-server\r\n",
        b"HTTP/1.1 OK\r\n\r\n",
        b"HTTP/1.1 20\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: " + 5_000 * b"9" + b"\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999999\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\n" + 101 * b"A: b\r\n",
        b"HTTP/1.1 200 OK\r\nA: " + 70_000 * b"a",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nno number\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n-1\r\n\r\n",
    ],
    ids=range(11),
)
def test_what_is_no_answer_is_an_error_and_ends_the_connection(server: Server, answer: bytes) -> None:
    wire = wire_to(server.url)
    server.script = lambda peer, _: peer.send(answer)

    [error] = wire.exchange("Query", bodies(1))

    assert isinstance(error, ConnectionClosedError)
    server.script = lambda peer, body: peer.answer(body)
    assert wire.exchange("Query", bodies(1)) == bodies(1)
    assert len(server.requests) == 2


def test_requests_without_an_answer_time_out_together_and_leave_the_others_theirs(server: Server) -> None:
    def answer_one(peer: Peer, body: bytes) -> None:
        if body == bodies(4)[2]:
            peer.answer(body)

    server.script = answer_one
    wire = wire_to(server.url, timeout_s=0.4)
    began = time.monotonic()

    answers = wire.exchange("Query", bodies(4))

    assert [isinstance(answer, ReadTimeoutError) for answer in answers] == [True, True, False, True]
    assert answers[2] == bodies(4)[2]
    assert time.monotonic() - began < 4 * 0.4  # not one time-out after the other
    server.script = lambda peer, body: peer.answer(body)
    assert wire.exchange("Query", bodies(4)) == bodies(4)


def test_an_endpoint_that_cannot_be_reached_fails_all_requests() -> None:
    answers = wire_to("http://127.0.0.1:1").exchange("Query", bodies(6))

    assert [type(answer) for answer in answers] == [EndpointConnectionError] * 6


def test_connections_with_tls_are_used_again(
    tls_server: Server, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate))
    wire = wire_to(tls_server.url)

    answers = [wire.exchange("Query", bodies(3)) for _ in range(3)]

    assert answers == [bodies(3)] * 3
    assert len(tls_server.peers) == 3


def test_a_server_whose_certificate_nobody_trusts_gets_no_request(tls_server: Server) -> None:
    [error] = wire_to(tls_server.url).exchange("Query", bodies(1))

    assert isinstance(error, EndpointConnectionError)
    assert "CERTIFICATE_VERIFY_FAILED" in str(error.kwargs["error"])
    assert tls_server.requests == []
