"""A sample of the history: all payments of the last days of some users. Which users are in it is chance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from contract.clock import time_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from mypy_boto3_dynamodb import DynamoDBClient

SEGMENTS: Final = 64
"""Parts of the table, by a hash of the user. A part is read whole, or what was read of it is as much of a sample."""


class HistorySample:
    """Scans parts of the table of the history.

    Parameters
    ----------
    client : DynamoDBClient
        A low-level client.
    table : str
        The table's name in this environment.
    """

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table
        self.parts_read = 0.0
        """Of :data:`SEGMENTS`, by the last call; of a part that was not read to its end, half."""

    def rows(self, since: datetime, first: int, has_time: Callable[[], bool]) -> Iterator[Mapping[str, Any]]:
        """Read rows in DynamoDB's wire form, part by part.

        Parameters
        ----------
        since : datetime
            Payments before are left out, UTC.
        first : int
            The part that is read first, 0 to 63.
        has_time : Callable
            Whether another page can be read.

        Raises
        ------
        ClientError, BotoCoreError
            Where DynamoDB did not answer.
        """
        self.parts_read = 0.0
        for number in range(SEGMENTS):
            request: dict[str, Any] = {
                "TableName": self._table,
                "Segment": (first + number) % SEGMENTS,
                "TotalSegments": SEGMENTS,
                "FilterExpression": "event_key >= :since",
                "ExpressionAttributeValues": {":since": {"S": time_text(since)}},
            }
            while True:
                if not has_time():
                    self.parts_read += 0.5 if "ExclusiveStartKey" in request else 0.0
                    return
                answer = self._client.scan(**request)
                yield from answer["Items"]
                if "LastEvaluatedKey" not in answer:
                    break
                request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
            self.parts_read += 1
