"""DynamoDB's requests of several rows: what it leaves unprocessed, because it is throttled, is asked for again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from common.errors import StageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from mypy_boto3_dynamodb import DynamoDBClient


class UnansweredError(StageError):
    """A table that left rows unprocessed again and again; whoever asked tries again later.

    Parameters
    ----------
    table : str
        Its name in this environment.
    requests : int
        How often it was asked.
    """

    def __init__(self, table: str, requests: int) -> None:
        super().__init__(f"{table}: keys remain unprocessed after {requests} requests")
        self.table = table
        self.requests = requests


class _Batches:
    """What reading and writing share.

    Parameters
    ----------
    client : DynamoDBClient
        A low-level client.
    max_requests : int
        How often a table is asked for the same rows.
    pause : Callable
        Waits before rows are asked for again; gets how often that was done before.
    """

    def __init__(self, client: DynamoDBClient, max_requests: int, pause: Callable[[int], None]) -> None:
        self._client = client
        self._max_requests = max_requests
        self._pause = pause

    def _wait(self, table: str, requests: int) -> None:
        if requests == self._max_requests:
            raise UnansweredError(table, requests)
        if requests:
            self._pause(requests - 1)


class BatchReader(_Batches):
    """Reads several rows of a table at a time."""

    def rows(
        self, table: str, keys: Sequence[Mapping[str, Any]], attributes: str = ""
    ) -> Iterator[Mapping[str, Any]]:
        """Read rows, consistently; those that do not exist are left out.

        Parameters
        ----------
        table : str
            Its name in this environment.
        keys : Sequence[Mapping]
            100 at most, in DynamoDB's wire form.
        attributes : str
            Names of the attributes that are read, with commas between; empty for all.

        Raises
        ------
        UnansweredError
            When rows remain unprocessed.
        ClientError, BotoCoreError
            When DynamoDB did not answer or refused the request, after retries.
        """
        wanted: dict[str, Any] = {"Keys": list(keys), "ConsistentRead": True}
        if attributes:
            # All by placeholders: "status" and hundreds of other names are reserved words.
            names = {f"#a{number}": name for number, name in enumerate(attributes.split(", "))}
            wanted |= {"ProjectionExpression": ", ".join(names), "ExpressionAttributeNames": names}
        request: Any = {table: wanted} if keys else {}
        requests = 0
        while request:
            self._wait(table, requests)
            answer = self._client.batch_get_item(RequestItems=request)
            yield from answer["Responses"].get(table, [])
            request, requests = answer.get("UnprocessedKeys"), requests + 1


class BatchWriter(_Batches):
    """Puts and deletes several rows of a table at a time."""

    def write(self, table: str, writes: Sequence[Mapping[str, Any]]) -> None:
        """Put and delete rows, 25 at most; errors as of :meth:`BatchReader.rows`."""
        request: Any = {table: list(writes)} if writes else {}
        requests = 0
        while request:
            self._wait(table, requests)
            answer = self._client.batch_write_item(RequestItems=request)
            request, requests = answer.get("UnprocessedItems"), requests + 1
