"""A history store on a client that answers as the test says: no server, no table."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from botocore.exceptions import ClientError

from score.history_store import DynamoHistoryStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def refusal(code: str, status: int) -> ClientError:
    return ClientError(
        {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}},  # type: ignore[typeddict-item]
        "Operation",
    )


THROTTLED = refusal("ThrottlingException", 400)
BROKEN = refusal("InternalServerError", 500)
DENIED = refusal("AccessDeniedException", 400)


class Dynamo:
    """A client that keeps requests, and answers each as the test says: by a value or an error, in order, the last for ever."""

    class _Events:
        def __init__(self) -> None:
            self.handlers: dict[str, Callable[..., None]] = {}

        def register(self, event: str, handler: Callable[..., None]) -> None:
            self.handlers[event] = handler

    class _Meta:
        def __init__(self) -> None:
            self.events = Dynamo._Events()

    def __init__(self, *answers: Any) -> None:
        self.meta = Dynamo._Meta()
        self.answers = list(answers)
        self.bodies: list[Any] = []
        self.requests: list[dict[str, Any]] = []

    def batch_execute_statement(self, **request: Any) -> Any:
        assert [one.keys() for one in request["Statements"]] == [{"Statement"}], (
            "botocore knows this shape alone"
        )
        return self._with_own_body("BatchExecuteStatement", request)

    def batch_get_item(self, **request: Any) -> Any:
        return self._answer(request)

    def query(self, **request: Any) -> Any:
        assert request.keys() == {"TableName"}, "botocore knows this shape alone"
        return self._with_own_body("Query", None)

    def _with_own_body(self, operation: str, request: dict[str, Any] | None) -> Any:
        params: dict[str, Any] = {"body": b"botocore's own"}
        handlers = self.meta.events.handlers
        handlers[f"before-call.dynamodb.{operation}"](params, model=None)
        self.bodies.append(msgspec.json.decode(params["body"]))
        answer = self._answer(self.bodies[-1] if request is None else request)
        response = {"status_code": 200, "body": msgspec.json.encode(answer)}
        parsed: dict[str, Any] = {}
        handlers[f"before-parse.dynamodb.{operation}"](response, parsed, operation_model=None)
        return parsed

    def _answer(self, request: dict[str, Any]) -> Any:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer(self, request) if callable(answer) else answer


class Bench:
    """A store with its client and the waits between tries."""

    def __init__(self, pool: ThreadPoolExecutor, *answers: Any) -> None:
        self.client = Dynamo(*answers)
        self.waits: list[float] = []
        client: Any = self.client
        self.store = DynamoHistoryStore(client, "history", 400, pool, self.waits.append, lambda: 0.5)


@pytest.fixture
def bench() -> Iterator[Callable[..., Bench]]:
    with ThreadPoolExecutor(1) as pool:  # one: requests in the order in which they are made
        yield lambda *answers: Bench(pool, *answers)
