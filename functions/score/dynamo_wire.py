"""Requests to DynamoDB over connections that are kept open: one thread sends several, then reads their answers.

botocore makes each kind of request once, which gives the address, the headers, the credentials. It neither signs the requests
(:mod:`score.signature`) nor sends them: in four threads of a pool, botocore and urllib3 took 2.9 ms of CPU for the four inserts of a batch
of 100 payments, a seventh of all that the batch cost. Sent one after the other and then read, the same four take a tenth of it, and no
longer, since DynamoDB works on all of them at once.

A request that gets no answer is not repeated here, unless its connection was closed while it was idle: the stores know whether
there is time for another try.
"""

from __future__ import annotations

import http.client
import select
import socket
import ssl
import time
import zlib
from collections import deque
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import msgspec
from botocore.awsrequest import AWSPreparedRequest, HeadersDict
from botocore.exceptions import (
    BotoCoreError,
    ChecksumError,
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    ReadTimeoutError,
)
from botocore.hooks import first_non_none_response
from botocore.httpsession import get_cert_path

from score.http_connection import Connection
from score.signature import Signature

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from mypy_boto3_dynamodb import DynamoDBClient

    Trace = Callable[[str], AbstractContextManager[object]]

WireError = ClientError | BotoCoreError
"""A refusal, or no answer."""

_METHODS: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "BatchExecuteStatement": ("batch_execute_statement", {"Statements": [{"Statement": "-"}]}),
    "BatchGetItem": ("batch_get_item", {"RequestItems": {"-": {"Keys": [{}]}}}),
    "Query": ("query", {"TableName": "-"}),
}
"""Operation to the client's method, and the least request that botocore accepts."""
_HEADERS: Final = ("X-Amz-Target", "Content-Type", "User-Agent")
"""Those of a request that are the same in the next one; a trace's or an invocation's id is not."""
_FIRST_ERROR_STATUS: Final = 300
_MOMENT_S: Final = 0.01
"""What a step may take at least, however late it is: an answer may be there already."""


class _ErrorBody(msgspec.Struct, rename={"type": "__type"}):
    type: str = ""


_ERRORS: Final = msgspec.json.Decoder(_ErrorBody)


class _Form(msgspec.Struct, frozen=True):
    """What all requests of one operation have in common."""

    operation: str
    url: str
    signature: Signature


class _Pending(msgspec.Struct, frozen=True):
    """A request that was sent."""

    connection: Connection
    was_idle: bool
    """The connection was open before. DynamoDB may have closed it at the moment of sending."""


class _Stale(msgspec.Struct, frozen=True):
    """A connection had been closed before the request reached DynamoDB."""

    error: WireError


class DynamoWire:
    """Sends requests, signed by a client's credentials, to its endpoint. Not through a proxy. For one thread at a time.

    Parameters
    ----------
    client : DynamoDBClient
        Its configuration gives the time-outs and the number of connections.
    trace : Callable[[str], AbstractContextManager]
        Surrounds each exchange in the trace of the invocation; gets the exchange's name.
    """

    def __init__(self, client: DynamoDBClient, trace: Trace = nullcontext) -> None:
        self._trace = trace
        self._events: Any = client.meta.events
        self._forms = {operation: _form(client, operation) for operation in _METHODS}
        # Where a test or a user names other certificates, botocore knows them.
        self._verify = client._endpoint.http_session._verify  # type: ignore[attr-defined]
        config: Any = client.meta.config
        self._connections: int = config.max_pool_connections
        self._connect_s: float = config.connect_timeout
        self._timeout_s: float = config.connect_timeout + config.read_timeout
        self._idle: deque[Connection] = deque()
        self._context: ssl.SSLContext | None = None

    def exchange(self, operation: str, bodies: Sequence[bytes]) -> list[bytes | WireError]:
        """Send requests, as many at the same time as the client may have connections.

        Parameters
        ----------
        operation : str
            ``BatchExecuteStatement``, ``BatchGetItem`` or ``Query``.
        bodies : Sequence[bytes]
            The requests in JSON.

        Returns
        -------
        list[bytes | ClientError | BotoCoreError]
            As long as ``bodies``, in their order: the answer in JSON, or what botocore would raise. Each wave of requests takes at most
            the client's two time-outs together, twice that where connections were closed.
        """
        form = self._forms[operation]
        answers: list[bytes | WireError] = []
        with self._trace(f"DynamoDB {operation}"):
            for start in range(0, len(bodies), self._connections):
                answers += self._wave(form, bodies[start : start + self._connections])
        return answers

    def _wave(self, form: _Form, bodies: Sequence[bytes]) -> list[bytes | WireError]:
        answers = self._attempt(form, bodies)
        stale = [place for place, answer in enumerate(answers) if isinstance(answer, _Stale)]
        if stale:
            # The others are no better: DynamoDB closes idle ones, and so does a function that was frozen.
            self._close_idle()
            again = self._attempt(form, [bodies[place] for place in stale])
            for place, answer in zip(stale, again, strict=True):
                answers[place] = answer
        return [answer.error if isinstance(answer, _Stale) else answer for answer in answers]

    def _attempt(self, form: _Form, bodies: Sequence[bytes]) -> list[bytes | WireError | _Stale]:
        ends_at = time.monotonic() + self._timeout_s
        sent: list[_Pending | bytes | WireError | _Stale] = []
        for body in bodies:
            failed = sent[-1] if sent and isinstance(sent[-1], EndpointConnectionError) else None
            # Where one connection cannot be opened, the next would wait as long for the same.
            sent.append(failed or self._send(form, body, ends_at))
        return [self._answer(form, each, ends_at) if isinstance(each, _Pending) else each for each in sent]

    def _send(self, form: _Form, body: bytes, ends_at: float) -> _Pending | bytes | WireError | _Stale:
        try:
            headers = form.signature.headers(body, datetime.now(UTC))
            # As botocore does before it sends: a handler of this event may answer.
            shown: Any = HeadersDict(headers)
            request = AWSPreparedRequest("POST", form.url, shown, body, stream_output=False)
            answers = self._events.emit(f"before-send.dynamodb.{form.operation}", request=request)
        except (ClientError, BotoCoreError) as error:
            return error
        response = first_non_none_response(answers)
        if response is not None:
            return _content(response.status_code, response.content, response.headers, form.operation)
        connection = self._take_idle()
        was_idle = connection is not None
        if connection is None:
            try:
                connection = self._open(form.url, min(self._connect_s, _left_s(ends_at)))
            except OSError as error:
                return EndpointConnectionError(endpoint_url=form.url, error=error)
        try:
            connection.post(form.signature.path, form.signature.host, headers, body, _left_s(ends_at))
        except OSError as error:
            return self._failure(_Pending(connection, was_idle), error, form.url)
        return _Pending(connection, was_idle)

    def _answer(self, form: _Form, pending: _Pending, ends_at: float) -> bytes | WireError | _Stale:
        connection = pending.connection
        try:
            answer = connection.answer(_left_s(ends_at))
        except (OSError, http.client.HTTPException) as error:
            return self._failure(pending, error, form.url)
        if answer.is_last:
            connection.close()
        else:
            self._idle.append(connection)
        return _content(answer.status, answer.body, answer.headers, form.operation)

    def _failure(self, pending: _Pending, error: Exception, url: str) -> WireError | _Stale:
        pending.connection.close()
        if isinstance(error, TimeoutError):
            return ReadTimeoutError(endpoint_url=url, error=error)
        closed = ConnectionClosedError(endpoint_url=url, error=error)
        # Half an answer is another error, `IncompleteRead`: such a request has reached DynamoDB.
        return _Stale(closed) if pending.was_idle and isinstance(error, ConnectionError) else closed

    def _open(self, url: str, timeout_s: float) -> Connection:
        parts = urlsplit(url)
        host = parts.hostname or ""
        if parts.scheme == "https":
            if self._context is None:
                self._context = ssl.create_default_context(cafile=get_cert_path(self._verify or True))
            opened: http.client.HTTPConnection = http.client.HTTPSConnection(
                host, parts.port, timeout=timeout_s, context=self._context
            )
        else:
            opened = http.client.HTTPConnection(host, parts.port, timeout=timeout_s)
        opened.connect()
        # A network that forgets idle connections says nothing, and the next request would wait until it times out.
        opened.sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        return Connection(opened.sock)

    def _take_idle(self) -> Connection | None:
        """The connection that was used last, unless it was closed meanwhile."""
        while self._idle:
            connection = self._idle.pop()
            if not _is_readable(connection.sock):
                return connection
            connection.close()
        return None

    def _close_idle(self) -> None:
        while self._idle:
            self._idle.pop().close()


def _form(client: DynamoDBClient, operation: str) -> _Form:
    """Let botocore make a request, and stop it before it is sent."""
    forms: list[_Form] = []

    def stop(params: dict[str, Any], request_signer: Any, **_: object) -> Any:
        headers = {name: params["headers"][name] for name in _HEADERS}
        forms.append(_Form(operation, params["url"], Signature(request_signer, params["url"], headers)))
        return _NotSent(), {}

    method, request = _METHODS[operation]
    event = f"before-call.dynamodb.{operation}"
    client.meta.events.register(event, stop)
    try:
        getattr(client, method)(**request)
    finally:
        client.meta.events.unregister(event, stop)
    return forms[0]


class _NotSent(msgspec.Struct, frozen=True):
    """The response to a request that was never sent, for botocore."""

    status_code: int = 200


def _left_s(ends_at: float) -> float:
    return max(ends_at - time.monotonic(), _MOMENT_S)


def _is_readable(sock: socket.socket) -> bool:
    """Whether an idle connection has something to read: its end, or bytes that nobody asked for."""
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(0))


def _content(status: int, body: bytes, headers: Any, operation: str) -> bytes | WireError:
    """The body of a good answer; else the error that botocore makes of it."""
    expected = headers.get("x-amz-crc32")
    if expected is not None and expected != (actual := str(zlib.crc32(body))):
        return ChecksumError(checksum_type="crc32", expected_checksum=expected, actual_checksum=actual)
    return body if status < _FIRST_ERROR_STATUS else _client_error(status, body, operation)


def _client_error(status: int, body: bytes, operation: str) -> ClientError:
    try:
        code = _ERRORS.decode(body).type.rpartition("#")[2]
    except msgspec.DecodeError:
        code = ""
    answer: Any = {"Error": {"Code": code or str(status)}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, operation)
