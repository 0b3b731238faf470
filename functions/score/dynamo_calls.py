"""Requests to DynamoDB with bodies that we encode and answers that we decode, and the tries of one request.

botocore encodes and decodes each value of each item by the service's model: 17 of the 31 µs that an inserted row costs, 21 of the
24 µs that a profile costs that is read. So it is given a placeholder as the request, and the finished body before it signs; and the
answer's body is decoded before botocore does it. Signing, connections, time-outs, retries and errors are botocore's own.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final, TypedDict, TypeVar, cast

import msgspec
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError, ClientError, ConnectionClosedError
from botocore.hooks import first_non_none_response

from common.dynamodb import is_transient

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from mypy_boto3_dynamodb import DynamoDBClient

    from common.backoff import Backoff

MAX_STATEMENTS: Final = 25
"""Statements that one `BatchExecuteStatement` takes."""
MAX_KEYS: Final = 100
"""Keys that one `BatchGetItem` takes."""

CALL_ERRORS: Final = (ClientError, BotoCoreError, msgspec.DecodeError)
"""What a call may raise: a refusal, no answer, or an answer that is not DynamoDB's."""

T = TypeVar("T")

_QUERY: Final = "Query"
_OPERATIONS: Final = ("BatchExecuteStatement", "BatchGetItem", _QUERY)
_DIRECT_HEADERS: Final = ("X-Amz-Target", "Content-Type", "User-Agent")
"""Those of a request that are the same in the next one; a trace's or an invocation's id is not."""
_FIRST_ERROR_STATUS: Final = 300
_DECODED: Final = "Decoded"
_ENCODER: Final = msgspec.json.Encoder()


class Statement(TypedDict):
    """One PartiQL statement; values are parameters, so no value of a payment is ever part of its text."""

    Statement: str
    Parameters: list[dict[str, Any]]


class _StatementError(msgspec.Struct):
    Code: str = ""


class _StatementResponse(msgspec.Struct):
    Error: _StatementError | None = None


class _StatementResponses(msgspec.Struct):
    Responses: list[_StatementResponse]


class _ErrorBody(msgspec.Struct, rename={"type": "__type"}):
    type: str = ""


_ERRORS: Final = msgspec.json.Decoder(_ErrorBody)


class _Direct(msgspec.Struct, frozen=True):
    """What a request needs to be sent without botocore's client, as botocore made it for an earlier one."""

    url: str
    headers: dict[str, str]
    signer: Any
    """Of :class:`botocore.signers.RequestSigner`."""
    session: Any
    """Of :class:`botocore.httpsession.URLLib3Session`."""


_RESPONSES: Final = msgspec.json.Decoder(_StatementResponses)


class DynamoCalls:
    """The calls of one store.

    Parameters
    ----------
    client : DynamoDBClient
        May be shared: only the calls that are made here have bodies of their own.
    """

    def __init__(self, client: DynamoDBClient) -> None:
        self._client = client
        self._direct: _Direct | None = None
        self._call = threading.local()
        for operation in _OPERATIONS:
            client.meta.events.register(f"before-call.dynamodb.{operation}", self._put_body)
            client.meta.events.register(f"before-parse.dynamodb.{operation}", self._take_body)

    def execute(self, statements: Sequence[Statement]) -> list[str | None]:
        """Send one `BatchExecuteStatement`.

        Parameters
        ----------
        statements : Sequence[Statement]
            At most :data:`MAX_STATEMENTS`, no two on one item.

        Returns
        -------
        list[str | None]
            The code of each statement's error, None for none; as long as ``statements``, in their order.

        Raises
        ------
        ClientError, BotoCoreError, msgspec.DecodeError
            :data:`CALL_ERRORS`. Whether statements were executed is then unknown.
        """
        answer = self._with_body(
            {"Statements": statements},
            _RESPONSES,
            lambda: self._client.batch_execute_statement(Statements=[{"Statement": "-"}]),
        )
        return [None if response.Error is None else response.Error.Code for response in answer.Responses]

    def get(self, table: str, keys: Sequence[dict[str, Any]], decoder: msgspec.json.Decoder[T]) -> T:
        """Send one consistent `BatchGetItem`.

        Parameters
        ----------
        table : str
            Name of the table.
        keys : Sequence[dict[str, Any]]
            At most :data:`MAX_KEYS`, each once.
        decoder : msgspec.json.Decoder
            Decodes the answer.

        Raises
        ------
        ClientError, BotoCoreError, msgspec.DecodeError
            :data:`CALL_ERRORS`.
        """
        return self._with_body(
            {"RequestItems": {table: {"Keys": keys, "ConsistentRead": True}}},
            decoder,
            lambda: self._client.batch_get_item(RequestItems={table: {"Keys": [{}]}}),
        )

    def query(self, request: Mapping[str, Any], decoder: msgspec.json.Decoder[T]) -> T:
        """Send one `Query`.

        Parameters
        ----------
        request : Mapping[str, Any]
            The whole request, as DynamoDB takes it.
        decoder : msgspec.json.Decoder
            Decodes the answer.

        Raises
        ------
        ClientError, BotoCoreError, msgspec.DecodeError
            :data:`CALL_ERRORS`.
        """
        direct = self._direct
        if direct is not None and (body := self._sent_directly(direct, _ENCODER.encode(request))) is not None:
            return decoder.decode(body)
        return self._with_body(request, decoder, lambda: self._client.query(TableName=request["TableName"]))

    def _sent_directly(self, direct: _Direct, body: bytes) -> bytes | None:
        """Send a `Query`; return the body of the answer, None where it must be sent in the ordinary way."""
        request = AWSRequest("POST", direct.url, direct.headers, body)
        direct.signer.sign(_QUERY, request)
        prepared = request.prepare()
        try:
            # As botocore does before it sends: a handler of this event may answer.
            answers = self._client.meta.events.emit(f"before-send.dynamodb.{_QUERY}", request=prepared)
            response = first_non_none_response(answers) or direct.session.send(prepared)
        except ConnectionClosedError:  # the connection was closed while it was idle
            return None
        if response.status_code >= _FIRST_ERROR_STATUS:
            raise _client_error(response)
        content: bytes = response.content
        return content

    def _with_body(self, request: object, decoder: msgspec.json.Decoder[T], call: Callable[[], object]) -> T:
        # By thread: a store's pool makes several calls at a time.
        self._call.body, self._call.decoder = _ENCODER.encode(request), decoder
        try:
            answer = cast("Mapping[str, T]", call())
        finally:
            self._call.body = self._call.decoder = None
        return answer[_DECODED]

    def _put_body(
        self, params: dict[str, Any], model: Any = None, request_signer: Any = None, **_: object
    ) -> None:
        body: bytes | None = getattr(self._call, "body", None)
        if body is None:
            return
        params["body"] = body
        if request_signer is not None and model.name == _QUERY:
            session = self._client._endpoint.http_session  # type: ignore[attr-defined]
            headers = {name: params["headers"][name] for name in _DIRECT_HEADERS}
            self._direct = _Direct(params["url"], headers, request_signer, session)

    def _take_body(
        self, response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: object
    ) -> None:
        decoder: msgspec.json.Decoder[object] | None = getattr(self._call, "decoder", None)
        if decoder is not None and response_dict["status_code"] < _FIRST_ERROR_STATUS:
            customized_response_dict[_DECODED] = decoder.decode(response_dict["body"])
            response_dict["body"] = b"{}"


def _client_error(response: Any) -> ClientError:
    """The error that botocore makes of an answer."""
    status = response.status_code
    try:
        code = _ERRORS.decode(response.content).type.rpartition("#")[2]
    except msgspec.DecodeError:
        code = ""
    answer: Any = {"Error": {"Code": code or str(status)}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, _QUERY)


def may_succeed_later(error: Exception) -> bool:
    """Whether another try of a call that raised one of :data:`CALL_ERRORS` may succeed."""
    return not isinstance(error, ClientError) or is_transient(error)


def attempts(count: int, backoff: Backoff, has_time: Callable[[], bool]) -> Iterator[int]:
    """Yield once a try, at least once, and wait between tries; end when the time or the tries are used up.

    Parameters
    ----------
    count : int
        Tries at most.
    backoff : Backoff
        Waits between them.
    has_time : Callable[[], bool]
        Whether another try still fits into the invocation.
    """
    for attempt in range(count):
        if attempt:
            if not has_time():
                return
            backoff.pause(attempt - 1)
        yield attempt


def chunks(values: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Cut ``values`` into parts of ``size``, the last one shorter."""
    for start in range(0, len(values), size):
        yield values[start : start + size]
