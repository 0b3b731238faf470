"""A history store on a client that answers as the test says: no server, no table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from score.dynamo_calls import DynamoCalls
from score.history_store import DynamoHistoryStore
from tests.support.dynamodb_answers import Answers, respond

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from botocore.awsrequest import AWSResponse


def refusal(code: str, status: int) -> ClientError:
    return ClientError(
        {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}},  # type: ignore[typeddict-item]
        "Operation",
    )


THROTTLED = refusal("ThrottlingException", 400)
BROKEN = refusal("InternalServerError", 500)
DENIED = refusal("AccessDeniedException", 400)


class Dynamo:
    """DynamoDB behind a client: it keeps requests, and answers each as the test says: by a value or an error, in order, the last for ever."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.requests: list[dict[str, Any]] = []
        self.wire = Answers(self._answer)

    def _answer(self, _operation: str, request: dict[str, Any]) -> AWSResponse:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return respond(200, answer(self, request) if callable(answer) else answer)


class Bench:
    """A store with its client and the waits between tries."""

    def __init__(self, *answers: Any) -> None:
        self.client = Dynamo(*answers)
        self.waits: list[float] = []
        self.store = DynamoHistoryStore(
            DynamoCalls(self.client.wire.client), "history", 400, self.waits.append, lambda: 0.5
        )


@pytest.fixture
def bench() -> Iterator[Callable[..., Bench]]:
    made: list[Bench] = []

    def make(*answers: Any) -> Bench:
        made.append(Bench(*answers))
        return made[-1]

    yield make
    for each in made:
        each.client.wire.end()
