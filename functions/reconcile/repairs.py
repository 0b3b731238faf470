"""Sends rows to a stage again, as events of its table's stream: the stage alone knows what to do with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from contract.flag_hour import REPAIR_SOURCE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

CLIENT_CONFIG: Final = Config(
    connect_timeout=2,
    read_timeout=65,  # longer than any stage may run
    retries={"mode": "standard", "total_max_attempts": 2},
)

ROWS_A_CALL: Final = 25
"""As many as alert's mapping delivers at once; they fit into the stage's time."""


class Functions(Protocol):
    """The call that is made of Lambda."""

    def invoke(self, *, FunctionName: str, Payload: bytes) -> Any:  # noqa: N803 - Lambda's names
        """Invoke a function, and wait for its answer."""
        ...


class Repair(Protocol):
    """A stage that rows are sent to."""

    def send(self, rows: Sequence[Mapping[str, Any]], has_time: Callable[[], bool]) -> int:
        """Send rows, as long as there is time; return how many of them the stage did not process."""
        ...


class StageRepair:
    """One stage.

    Parameters
    ----------
    client : Functions
        With a time-out longer than the stage's.
    function : str
        The stage's ARN with its alias, or its name.
    clock : Callable
        The time, aware.
    """

    def __init__(self, client: Functions, function: str, clock: Callable[[], datetime]) -> None:
        self._client = client
        self._function = function
        self._clock = clock

    def send(self, rows: Sequence[Mapping[str, Any]], has_time: Callable[[], bool]) -> int:
        """Send rows in calls of 25; return how many of them the stage did not process.

        Parameters
        ----------
        rows : Sequence[Mapping]
            In DynamoDB's wire form.
        has_time : Callable
            Whether another call can be begun; rows that there is no time for count as not processed.
        """
        parts = [rows[start : start + ROWS_A_CALL] for start in range(0, len(rows), ROWS_A_CALL)]
        return sum(self._send(part, has_time) for part in parts)

    def _send(self, rows: Sequence[Mapping[str, Any]], has_time: Callable[[], bool]) -> int:
        if not has_time():
            return len(rows)
        payload = msgspec.json.encode({"Records": [self._record(*each) for each in enumerate(rows)]})
        try:
            answer = self._client.invoke(FunctionName=self._function, Payload=payload)
            content = answer["Payload"].read()
        except (ClientError, BotoCoreError):
            return len(rows)
        if answer.get("FunctionError"):
            # One row that crashes the function must not keep the others from being repaired, day after day.
            half = len(rows) // 2
            return sum(self._send(part, has_time) for part in (rows[:half], rows[half:])) if half else 1
        return len(msgspec.json.decode(content, type=_Answer).batchItemFailures)

    def _record(self, number: int, row: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "eventID": str(number),
            "eventName": "INSERT",
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "dynamodb": {
                # Now: the stage counts tries of old records only.
                "ApproximateCreationDateTime": self._clock().timestamp(),
                "SequenceNumber": str(number),
                "StreamViewType": "NEW_IMAGE",
                "NewImage": row,
            },
            "eventSourceARN": REPAIR_SOURCE,
        }


class _Answer(msgspec.Struct):
    batchItemFailures: list[Any]  # noqa: N815 - Lambda's name
