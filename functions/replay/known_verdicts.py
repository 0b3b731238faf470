"""What is known of stored payments: which ones count as fraud, and how those ended that were reviewed or blocked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from common.batch_requests import BatchReader
from contract.flagged import CONFIRMED_FRAUD, FALSE_POSITIVE, FlaggedKey, to_flagged_key
from contract.label_rows import FRAUD, day_id

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from mypy_boto3_dynamodb import DynamoDBClient

MAX_KEYS: Final = 100
"""Rows that one request reads by key."""

MAX_REQUESTS: Final = 6
"""How often rows are asked for again that DynamoDB left unprocessed."""

FRAUDULENT: Final = "fraud"
LEGITIMATE: Final = "legitimate"
_VERDICTS: Final = {CONFIRMED_FRAUD: FRAUDULENT, FALSE_POSITIVE: LEGITIMATE}


class Flagged(NamedTuple):
    """What the flagged row of a payment says."""

    verdict: str
    """``fraud``, ``legitimate`` or empty."""
    case_id: str
    """Empty where it is in no case."""


class KnownVerdictsTables:
    """The tables ``entity_risk`` and ``flagged_transactions``.

    Parameters
    ----------
    client : DynamoDBClient
        A low-level client.
    entity_risk, flagged : str
        Their names in this environment.
    pause : Callable
        Waits before rows are asked for again; gets how often that was done before.
    """

    def __init__(
        self, client: DynamoDBClient, entity_risk: str, flagged: str, pause: Callable[[int], None]
    ) -> None:
        self._client = client
        self._entity_risk = entity_risk
        self._flagged = flagged
        self._reader = BatchReader(client, MAX_REQUESTS, pause)

    def frauds(self, days: Sequence[date]) -> frozenset[int]:
        """Payments of some days that count as fraud, whether or not they were flagged.

        Parameters
        ----------
        days : Sequence[date]
            Days of the payments' times, UTC.

        Returns
        -------
        frozenset[int]
            Hashes of their keys in the history (:func:`engine.profile.fingerprints.key_hash`).

        Raises
        ------
        ClientError, BotoCoreError
            When DynamoDB did not answer.
        """
        pages = self._client.get_paginator("query")
        found = set()
        for day in days:
            for page in pages.paginate(
                TableName=self._entity_risk,
                KeyConditionExpression="entity_id = :day AND begins_with(payment_key, :fraud)",
                ExpressionAttributeValues={":day": {"S": day_id(day)}, ":fraud": {"S": f"{FRAUD}#"}},
                ProjectionExpression="payment_key",
            ):
                found |= {int(item["payment_key"]["S"].rpartition("#")[2], 16) for item in page["Items"]}
        return frozenset(found)

    def flagged(self, keys: Sequence[FlaggedKey]) -> dict[FlaggedKey, Flagged]:
        """What the flagged rows of payments say, :data:`MAX_KEYS` at most; those that have none are left out.

        Raises
        ------
        ClientError, BotoCoreError, UnansweredError
            When DynamoDB did not answer.
        """
        rows = self._reader.rows(
            self._flagged, [to_flagged_key(key) for key in keys], "user_id, event_key, status, case_id"
        )
        return {
            FlaggedKey(row["user_id"]["S"], row["event_key"]["S"]): Flagged(
                _VERDICTS.get(row["status"]["S"], ""), row.get("case_id", {"S": ""})["S"]
            )
            for row in rows
        }
