"""The calls to DynamoDB that the stores make, several at a time, and the tries of one of them.

botocore encodes and decodes each value of each item by the service's model: 17 of the 31 µs that an inserted row costs, 21 of the
24 µs that a profile costs that is read. So requests are encoded and answers decoded here, by msgspec, and sent by
:mod:`score.dynamo_wire`.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, Final, Generic, TypedDict, TypeVar

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from common.dynamodb import is_transient
from common.errors import StageError
from score.dynamo_wire import DynamoWire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from mypy_boto3_dynamodb import DynamoDBClient

    from common.backoff import Backoff
    from score.dynamo_wire import Trace

MAX_STATEMENTS: Final = 25
"""Statements that one `BatchExecuteStatement` takes."""
MAX_KEYS: Final = 100
"""Keys that one `BatchGetItem` takes."""

T = TypeVar("T")

CallError = ClientError | BotoCoreError | msgspec.DecodeError
"""A refusal, no answer, or an answer that is not DynamoDB's. For a call among several it is a value, beside the answers of the others."""

CALL_ERRORS: Final = (ClientError, BotoCoreError, msgspec.DecodeError)
"""The same, for `isinstance`."""

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

    def codes(self) -> list[str | None]:
        """The code of each statement's error, None for none."""
        return [None if response.Error is None else response.Error.Code for response in self.Responses]


_RESPONSES: Final = msgspec.json.Decoder(_StatementResponses)


class UnprocessedKeys(msgspec.Struct):
    """Keys of one table that a `BatchGetItem` left out."""

    Keys: list[dict[str, Any]]


class GetAnswer(msgspec.Struct, Generic[T]):
    """The answer to a `BatchGetItem`, by table."""

    Responses: dict[str, list[T]] = {}
    UnprocessedKeys: dict[str, UnprocessedKeys] = {}


class NoAnswerError(StageError):
    """DynamoDB did not answer a read in the time available, or refused it. Names the operation and the problem."""

    def __init__(self, operation: str, problem: str) -> None:
        super().__init__(f"{operation}: {problem}")
        self.operation = operation
        self.problem = problem


class DynamoCalls:
    """Calls that the stores share, and with them the connections.

    Parameters
    ----------
    client : DynamoDBClient
        Signs the requests.
    trace : Callable[[str], AbstractContextManager]
        Shows them in the trace of the invocation.
    """

    def __init__(self, client: DynamoDBClient, trace: Trace = nullcontext) -> None:
        self._wire = DynamoWire(client, trace)

    def execute(self, requests: Sequence[Sequence[Statement]]) -> list[list[str | None] | CallError]:
        """Send `BatchExecuteStatement` requests at the same time.

        Parameters
        ----------
        requests : Sequence[Sequence[Statement]]
            The statements of each: at most :data:`MAX_STATEMENTS`, no two on one item.

        Returns
        -------
        list[list[str | None] | CallError]
            For each request, in their order, the code of each statement's error, None for none. Where a call has failed, whether its
            statements were executed is unknown.
        """
        answers = self._exchange(
            "BatchExecuteStatement", [{"Statements": statements} for statements in requests], _RESPONSES
        )
        return [answer if isinstance(answer, CALL_ERRORS) else answer.codes() for answer in answers]

    def get(
        self,
        table: str,
        keys: Sequence[dict[str, Any]],
        decoder: msgspec.json.Decoder[GetAnswer[T]],
        tries: Iterable[int],
    ) -> list[T]:
        """Read items by their keys, consistently, 100 a `BatchGetItem`.

        Parameters
        ----------
        table : str
            Name of the table.
        keys : Sequence[dict[str, Any]]
            Each once.
        decoder : msgspec.json.Decoder
            Decodes an answer.
        tries : Iterable[int]
            At least one; as long as there are more, what failed or was not processed is tried again.

        Returns
        -------
        list[T]
            Those items that exist, in any order.

        Raises
        ------
        NoAnswerError
            Where some keys were not read.
        """
        items: list[T] = []
        waiting: list[Sequence[dict[str, Any]]] = list(chunks(keys, MAX_KEYS))
        cause: CallError | None = None
        for _ in tries:
            requests = [{"RequestItems": {table: {"Keys": some, "ConsistentRead": True}}} for some in waiting]
            answers = self._exchange("BatchGetItem", requests, decoder)
            asked, waiting, cause = waiting, [], None
            for some, answer in zip(asked, answers, strict=True):
                if isinstance(answer, CALL_ERRORS):
                    cause = answer
                    waiting.append(some)
                    continue
                items += answer.Responses.get(table, [])
                if (unprocessed := answer.UnprocessedKeys.get(table)) is not None:
                    waiting.append(unprocessed.Keys)
            if not waiting or (cause is not None and not may_succeed_later(cause)):
                break
        if waiting:
            problem = "keys remain unprocessed" if cause is None else name_of(cause)
            raise NoAnswerError("BatchGetItem", problem) from cause
        return items

    def query(
        self, requests: Sequence[Mapping[str, Any]], decoder: msgspec.json.Decoder[T], tries: Iterable[int]
    ) -> list[T]:
        """Send `Query` requests at the same time.

        Parameters
        ----------
        requests : Sequence[Mapping[str, Any]]
            Each as DynamoDB takes it.
        decoder : msgspec.json.Decoder
            Decodes an answer.
        tries : Iterable[int]
            At least one; as long as there are more, requests that failed are tried again.

        Returns
        -------
        list[T]
            One a request, in their order.

        Raises
        ------
        NoAnswerError
            Where a request was not answered.
        """
        answered: dict[int, T] = {}
        waiting = list(range(len(requests)))
        cause: CallError | None = None
        for _ in tries:
            cause = None
            answers = self._exchange("Query", [requests[index] for index in waiting], decoder)
            for index, answer in zip(waiting, answers, strict=True):
                if isinstance(answer, CALL_ERRORS):
                    cause = answer
                else:
                    answered[index] = answer
            waiting = [index for index in waiting if index not in answered]
            if cause is None or not may_succeed_later(cause):
                break
        if cause is not None:
            raise NoAnswerError("Query", name_of(cause)) from cause
        return [answered[index] for index in range(len(requests))]

    def _exchange(
        self, operation: str, requests: Sequence[object], decoder: msgspec.json.Decoder[T]
    ) -> list[T | CallError]:
        answers: list[T | CallError] = []
        for answer in self._wire.exchange(operation, [_ENCODER.encode(request) for request in requests]):
            if not isinstance(answer, bytes):
                answers.append(answer)
                continue
            try:
                answers.append(decoder.decode(answer))
            except msgspec.DecodeError as error:
                answers.append(error)
        return answers


def name_of(error: Exception) -> str:
    """The code of a refusal, else the kind of the error."""
    if isinstance(error, ClientError):
        return error.response["Error"]["Code"]
    return type(error).__name__


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
