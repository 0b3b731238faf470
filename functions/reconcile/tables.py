"""The two tables that are compared: the history by its sparse index, and the flagged payments by key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from common.batch_requests import BatchReader
from contract.alert import AlertState
from contract.errors import InvalidRowError
from contract.flag_hour import FLAG_HOUR, FLAG_HOUR_INDEX
from contract.flagged import FLAGGED_TABLE, FlaggedKey, to_flagged_key
from contract.scored import HISTORY_TABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from mypy_boto3_dynamodb import DynamoDBClient

MAX_KEYS: Final = 100
"""Keys that one `BatchGetItem` takes."""

MAX_ROUNDS: Final = 20
"""How often keys are asked for again that DynamoDB left unprocessed."""

_UNFINISHED: Final = (None, {"S": AlertState.CLAIMED.value})


class Tables:
    """The tables by the calls that the reconciler makes. A payment has one key in both.

    Parameters
    ----------
    client : DynamoDBClient
        A low-level client.
    history, flagged : str
        Their names in this environment.
    pause : Callable
        Waits before unprocessed keys are asked for again; gets how often that was done before.
    """

    def __init__(
        self, client: DynamoDBClient, history: str, flagged: str, pause: Callable[[int], None]
    ) -> None:
        self._client = client
        self._history = history
        self._flagged = flagged
        self._rows = BatchReader(client, MAX_ROUNDS, pause).rows

    def to_be_flagged(self, hour: str) -> Iterator[list[FlaggedKey]]:
        """Give the payments of a part of an hour, some at a time; the index may lag behind by less than a second."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._history,
            IndexName=FLAG_HOUR_INDEX,
            KeyConditionExpression=f"{FLAG_HOUR} = :hour",
            ExpressionAttributeValues={":hour": {"S": hour}},
        )
        for page in pages:
            keys = [_key(HISTORY_TABLE, item) for item in page["Items"]]
            for place in range(0, len(keys), MAX_KEYS):
                yield keys[place : place + MAX_KEYS]

    def history_rows(self, keys: Sequence[FlaggedKey]) -> list[Mapping[str, Any]]:
        """Read rows of the history whole, consistently; those that do not exist are left out."""
        return list(self._get(self._history, keys))

    def flagged_rows(self, keys: Sequence[FlaggedKey]) -> list[Mapping[str, Any]]:
        """Read flagged rows whole, consistently; those that do not exist are left out."""
        return list(self._get(self._flagged, keys))

    def unfinished(self, keys: Sequence[FlaggedKey]) -> tuple[list[FlaggedKey], list[FlaggedKey]]:
        """Divide out of these payments those without a flagged row, and those whose row has no alert and is in no count."""
        found = {
            _key(FLAGGED_TABLE, item): item.get("alert_state")
            for item in self._get(self._flagged, keys, "user_id, event_key, alert_state")
        }
        missing = [key for key in keys if key not in found]
        unalerted = [key for key, state in found.items() if state in _UNFINISHED]
        return missing, unalerted

    def _get(
        self, table: str, keys: Sequence[FlaggedKey], attributes: str = ""
    ) -> Iterator[Mapping[str, Any]]:
        return self._rows(table, [to_flagged_key(key) for key in keys], attributes)


def _key(table: str, item: Mapping[str, Any]) -> FlaggedKey:
    try:
        return FlaggedKey(item["user_id"]["S"], item["event_key"]["S"])
    except KeyError as error:
        raise InvalidRowError(table, str(error.args[0]), "missing") from error
