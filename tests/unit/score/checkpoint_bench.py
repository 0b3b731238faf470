"""A store of checkpoints on moto's table: a test sees each request, and may answer it instead of the table."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ReadTimeoutError

from score.checkpoint_items import KeptProfile, unpacked
from score.checkpoint_store import DynamoCheckpointStore
from score.dynamo_calls import DynamoCalls
from tests.support.dynamodb_answers import Answers, execute_statements, get_items, respond
from tests.support.payments import NOW
from tests.support.profile_stores import CheckpointTable
from tests.support.tables import make_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from botocore.awsrequest import AWSResponse

TABLE = "profile_checkpoints"
THROTTLED = respond(
    400, {"__type": "com.amazonaws#ProvisionedThroughputExceededException", "message": "slow"}
)
TIME_OUT = ReadTimeoutError(endpoint_url="https://dynamodb")


class Bench(CheckpointTable):
    """A store on moto's table, the requests that it made, and the waits between tries."""

    def __init__(self, moto: Any) -> None:
        self.executed: list[list[dict[str, Any]]] = []
        """Statements of each request."""
        self.got: list[list[str]] = []
        """Keys of each read."""
        self.answers: list[Callable[[dict[str, Any]], AWSResponse]] = []
        """What answers the next requests that write, one each; the table itself answers afterwards."""
        self.gets: list[Callable[[dict[str, Any]], AWSResponse]] = []
        """The same for reads."""
        self.waits: list[float] = []
        self.wire = Answers(self._answer)
        self.checkpoints = self.make_store()
        super().__init__(self.checkpoints, moto, make_table(moto, TABLE))

    def make_store(self) -> DynamoCheckpointStore:
        """Make a store on the same table."""
        return DynamoCheckpointStore(
            DynamoCalls(self.wire.client), TABLE, 90, self.waits.append, lambda: NOW, lambda: 0.5
        )

    def item(self, key: str) -> dict[str, Any]:
        """A stored item, its profile unpacked."""
        item: dict[str, Any] = self.client.get_item(TableName=TABLE, Key={"item_key": {"S": key}})["Item"]
        if "body" in item:
            item["body"] = {"B": unpacked(item["body"]["B"])}
        return item

    def _answer(self, operation: str, request: dict[str, Any]) -> AWSResponse:
        if operation == "BatchExecuteStatement":
            self.executed.append(request["Statements"])
            answer = self.answers.pop(0) if self.answers else partial(execute_statements, self.client)
        else:
            assert operation == "BatchGetItem"
            [(table, wanted)] = request["RequestItems"].items()
            assert (table, wanted["ConsistentRead"]) == (TABLE, True)
            self.got.append([key["item_key"]["S"] for key in wanted["Keys"]])
            answer = self.gets.pop(0) if self.gets else partial(get_items, self.client)
        return answer(request)


@pytest.fixture
def bench(aws: Callable[[str], Any]) -> Iterator[Bench]:
    bench = Bench(aws("dynamodb"))
    yield bench
    bench.wire.end()


def answer(response: AWSResponse) -> Callable[[dict[str, Any]], AWSResponse]:
    """The same answer to any request."""
    return lambda _: response


def fail(_: dict[str, Any]) -> AWSResponse:
    """No answer in time."""
    raise TIME_OUT


def codes(bench: Bench, *errors: str | None) -> Callable[[dict[str, Any]], AWSResponse]:
    """Execute the statements without an error here, and report the errors of the others."""

    def execute(request: dict[str, Any]) -> AWSResponse:
        assert len(request["Statements"]) == len(errors)
        good = [s for s, error in zip(request["Statements"], errors, strict=True) if error is None]
        execute_statements(bench.client, {"Statements": good})
        return respond(
            200, {"Responses": [{} if error is None else {"Error": {"Code": error}} for error in errors]}
        )

    return execute


def kept(*user_ids: str, version: int = 5, body: bytes = b"body") -> list[KeptProfile]:
    return [KeptProfile(user_id, body, version) for user_id in user_ids]


def users(count: int) -> list[str]:
    return [f"user-{number:03d}" for number in range(count)]


def keys_of(statements: list[dict[str, Any]]) -> list[str]:
    return [next(value["S"] for value in statement["Parameters"] if "S" in value) for statement in statements]
