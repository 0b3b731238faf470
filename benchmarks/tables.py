"""DynamoDB's two tables of the score stage in memory, as far as a rebuild of profiles uses them; for :mod:`benchmarks.network`.

The table of checkpoints stores what is written. The history answers a Query with rows of a model user under the asked user's id:
all users of a benchmark have made the same payments.
"""

from __future__ import annotations

import re
import threading
from typing import Any, Final

import msgspec

CHECKPOINTS: Final = b"profile_checkpoints"
"""In the body of each request for the table of checkpoints."""
MODEL_USER: Final = "model"

Item = dict[str, dict[str, Any]]

_INSERTED: Final = re.compile(r"'(\w+)': \?")
_SET: Final = re.compile(r"SET (\w+) = \?")
_CONDITION: Final = re.compile(r"(\w+) (=|<=|>=) \?")
_DONE: Final = {"TableName": "t"}


class Contents(msgspec.Struct):
    """What the tables hold at first."""

    checkpoints: list[Item] = []
    rows: dict[int, list[tuple[str, str]]] = {}
    """Partition to the model user's rows, the newest first: sort key, and the item as JSON text."""


def user_on(partition: int, name: str) -> str:
    """Id of a user whose payments are on a partition; the history reads the partition from it."""
    return f"{name}-{partition}"


class Tables:
    """Both tables."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._checkpoints: dict[str, Item] = {}
        self._rows: dict[int, list[tuple[str, str]]] = {}

    def load(self, contents: Contents) -> None:
        """Replace all that they hold."""
        with self._lock:
            self._checkpoints = {item["item_key"]["S"]: item for item in contents.checkpoints}
            self._rows = contents.rows

    def get(self, body: bytes) -> bytes:
        """Answer a `BatchGetItem` of checkpoints."""
        ((table, asked),) = msgspec.json.decode(body)["RequestItems"].items()
        keys = [key["item_key"]["S"] for key in asked["Keys"]]
        with self._lock:
            items = [self._checkpoints[key] for key in keys if key in self._checkpoints]
        return msgspec.json.encode({"Responses": {table: items}, "UnprocessedKeys": {}})

    def execute(self, body: bytes) -> bytes:
        """Answer a `BatchExecuteStatement` of checkpoints."""
        with self._lock:
            answers = [
                self._execute(each["Statement"], each["Parameters"])
                for each in msgspec.json.decode(body)["Statements"]
            ]
        return msgspec.json.encode({"Responses": answers})

    def query(self, body: bytes) -> bytes:
        """Answer a `Query` of the history."""
        values = msgspec.json.decode(body)["ExpressionAttributeValues"]
        user_id, first = values[":user"]["S"], values.get(":first", {"S": ""})["S"]
        rows = self._rows.get(int(user_id.rpartition("-")[2]), []) if self._rows else []
        items = [item for key, item in rows if key >= first]
        text = ",".join(items).replace(f'"{MODEL_USER}"', f'"{user_id}"')
        return f'{{"Count":{len(items)},"Items":[{text}],"ScannedCount":{len(items)}}}'.encode()

    def _execute(self, statement: str, parameters: list[dict[str, Any]]) -> dict[str, Any]:
        if statement.startswith("INSERT"):
            item = dict(zip(_INSERTED.findall(statement), parameters, strict=True))
            if self._checkpoints.setdefault(item["item_key"]["S"], item) is not item:
                return {"Error": {"Code": "DuplicateItem"}}
            return _DONE
        changes, _, where = statement.partition(" WHERE ")
        names = _SET.findall(changes)
        conditions = list(zip(_CONDITION.findall(where), parameters[len(names) :], strict=True))
        stored = self._checkpoints.get(conditions[0][1]["S"])
        if stored is None or not all(_holds(stored[name], sign, value) for (name, sign), value in conditions):
            return {"Error": {"Code": "ConditionalCheckFailed"}}
        stored.update(zip(names, parameters, strict=False))
        return _DONE


def _holds(stored: dict[str, Any], sign: str, value: dict[str, Any]) -> bool:
    if sign == "=":
        return stored == value
    left, right = int(stored["N"]), int(value["N"])
    return left <= right if sign == "<=" else left >= right
