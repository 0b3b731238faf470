"""The tables that are compared: the history by its sparse index, flagged payments by key, and the cases that they name. And which cases wait for a second person."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from common.batch_requests import BatchReader
from contract.alert import AlertState
from contract.case import (
    SECOND_LOOK_DUE,
    SECOND_LOOK_INDEX,
    CaseKey,
    Judgement,
    parse_case_id,
    to_case_key,
)
from contract.errors import InvalidRowError
from contract.flag_hour import FLAG_HOUR, FLAG_HOUR_INDEX
from contract.flagged import FLAGGED_TABLE, FlaggedKey, to_flagged_key
from contract.scored import HISTORY_TABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator, Mapping, Sequence

    from mypy_boto3_dynamodb import DynamoDBClient

MAX_KEYS: Final = 100
"""Keys that one `BatchGetItem` takes."""

MAX_ROUNDS: Final = 20
"""How often keys are asked for again that DynamoDB left unprocessed."""

_MARKS: Final = "user_id, event_key, alert_state, case_id, case_judgement, case_alert_id, status, alert_id, alert_claim, suppression_id"

_UNFINISHED: Final = (None, {"S": AlertState.CLAIMED.value})


class Unfinished(NamedTuple):
    """Payments that a stage has not finished."""

    unflagged: list[FlaggedKey]
    """Without a flagged row."""
    unalerted: list[FlaggedKey]
    """Whose row has no alert and is in no count."""
    uncased: list[FlaggedKey]
    """Whose row is in no case."""
    unsettled: list[FlaggedKey]
    """Whose row says something else than its case has counted, or names a case that does not exist."""


class SecondLooks(NamedTuple):
    """Cases that a second person is to look at."""

    cases: int
    oldest_since: datetime | None
    """Since when the one waits that has waited longest; None without one."""


class Tables:
    """The tables by the calls that the reconciler makes. A payment has one key in both.

    Parameters
    ----------
    client : DynamoDBClient
        A low-level client.
    history, flagged, cases : str
        Their names in this environment.
    pause : Callable
        Waits before unprocessed keys are asked for again; gets how often that was done before.
    """

    def __init__(
        self, client: DynamoDBClient, history: str, flagged: str, cases: str, pause: Callable[[int], None]
    ) -> None:
        self._client = client
        self._history = history
        self._flagged = flagged
        self._cases = cases
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

    def second_looks(self) -> SecondLooks:
        """Count the cases that wait for a second person."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._cases,
            IndexName=SECOND_LOOK_INDEX,
            KeyConditionExpression="second_look_state = :due",
            ExpressionAttributeValues={":due": {"S": SECOND_LOOK_DUE}},
            ProjectionExpression="second_look_since",
        )
        since = [item["second_look_since"]["S"] for page in pages for item in page["Items"]]
        return SecondLooks(len(since), datetime.fromisoformat(min(since)) if since else None)

    def history_rows(self, keys: Sequence[FlaggedKey]) -> list[Mapping[str, Any]]:
        """Read rows of the history whole, consistently; those that do not exist are left out."""
        return list(self._get(self._history, keys))

    def flagged_rows(self, keys: Sequence[FlaggedKey]) -> list[Mapping[str, Any]]:
        """Read flagged rows whole, consistently; those that do not exist are left out."""
        return list(self._get(self._flagged, keys))

    def unfinished(self, keys: Sequence[FlaggedKey]) -> Unfinished:
        """Divide out of these payments those that a stage has not finished."""
        found = {_key(FLAGGED_TABLE, item): item for item in self._get(self._flagged, keys, _MARKS)}
        cased = {key: item for key, item in found.items() if "case_id" in item}
        existing = self._existing({item["case_id"]["S"] for item in cased.values()})
        return Unfinished(
            unflagged=[key for key in keys if key not in found],
            unalerted=[key for key, item in found.items() if item.get("alert_state") in _UNFINISHED],
            uncased=[key for key in found if key not in cased],
            unsettled=[key for key, item in cased.items() if not _is_settled(item, existing)],
        )

    def _existing(self, case_ids: set[str]) -> set[str]:
        """Which of the cases are stored. A name of another form is none of a case's."""
        keys = []
        for case_id in sorted(case_ids):
            with suppress(ValueError):
                keys.append(parse_case_id(case_id))
        items = self._rows(self._cases, [to_case_key(key) for key in keys], "case_owner, case_number")
        return {CaseKey(item["case_owner"]["S"], int(item["case_number"]["N"])).case_id for item in items}

    def _get(
        self, table: str, keys: Sequence[FlaggedKey], attributes: str = ""
    ) -> Iterator[Mapping[str, Any]]:
        return self._rows(table, [to_flagged_key(key) for key in keys], attributes)


def _is_settled(item: Mapping[str, Any], existing: Container[str]) -> bool:
    """As :func:`case.fold.is_settled` says of a whole row, and its case exists."""
    own_alert = item.get("alert_id") if "alert_claim" in item else None
    wanted = Judgement.of(item.get("status", {}).get("S", "")).value, own_alert or item.get("suppression_id")
    marks = item.get("case_judgement", {}).get("S"), item.get("case_alert_id")
    return item["case_id"]["S"] in existing and marks == wanted


def _key(table: str, item: Mapping[str, Any]) -> FlaggedKey:
    try:
        return FlaggedKey(item["user_id"]["S"], item["event_key"]["S"])
    except KeyError as error:
        raise InvalidRowError(table, str(error.args[0]), "missing") from error
