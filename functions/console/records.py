"""What the console reads about payments: flagged rows, history, labels, links. Every read has an end."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from common.batch_requests import BatchReader
from common.label_tables import LabelTables
from contract.case import (
    alert_link,
    from_case_item,
    is_undecided,
    parse_case_id,
    to_case_key,
)
from contract.flagged import FlaggedKey, from_flagged_item, to_flagged_key
from contract.scored import from_history_item

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from mypy_boto3_dynamodb import DynamoDBClient

    from contract.case import Case
    from contract.flagged import FlaggedTransaction
    from contract.label import Label
    from contract.label_rows import EntityMarks
    from contract.scored import ScoredTransaction

MAX_REQUESTS: Final = 6
"""How often rows are asked for again that DynamoDB left unprocessed."""

MAX_PAGES: Final = 8
"""Pages of one query that are read: 8 MiB of rows."""

MAX_KEYS: Final = 100
"""Rows that one request reads by key."""


class Tables(NamedTuple):
    """Names of the tables in this environment."""

    flagged: str
    history: str
    labels: str
    entity_risk: str
    cases: str
    links: str


class Records:
    """The tables, by the calls that the pages make.

    Every method raises InvalidRowError where a row cannot be read, and UnansweredError, ClientError or BotoCoreError when DynamoDB
    did not answer.

    Parameters
    ----------
    client : DynamoDBClient
        A low-level client.
    tables : Tables
        Their names.
    transaction_index : str
        Index of the history by transaction id; empty where it is switched off.
    pause : Callable
        Waits before rows are asked for again; gets how often that was done before.
    """

    def __init__(
        self,
        client: DynamoDBClient,
        tables: Tables,
        transaction_index: str,
        pause: Callable[[int], None],
    ) -> None:
        self._client = client
        self._tables = tables
        self._transaction_index = transaction_index
        self._requests = BatchReader(client, MAX_REQUESTS, pause)
        self._labels = LabelTables(client, tables.labels, tables.entity_risk)

    def case_payments(self, case: Case, limit: int) -> list[FlaggedTransaction]:
        """Read the flagged payments of a case, oldest first.

        Of more than ``limit``, those that nobody has judged come before the others, and newer ones before older ones: so whoever judges what is
        read comes to the end of the case.
        """
        rows = self._query(
            TableName=self._tables.flagged,
            KeyConditionExpression="user_id = :user",
            FilterExpression="case_id = :case",
            ExpressionAttributeValues={":user": {"S": case.user_id}, ":case": {"S": case.case_id}},
            ConsistentRead=True,
            ScanIndexForward=False,
        )
        payments = [from_flagged_item(row) for row in rows]
        payments.sort(key=lambda each: not is_undecided(each))
        return sorted(payments[:limit], key=lambda each: each.event_key)

    def flagged_of_user(self, user_id: str, limit: int) -> list[FlaggedTransaction]:
        """Read a user's newest flagged payments, newest first."""
        rows = self._query(
            TableName=self._tables.flagged,
            KeyConditionExpression="user_id = :user",
            ExpressionAttributeValues={":user": {"S": user_id}},
            ScanIndexForward=False,
            Limit=limit,
        )
        return [from_flagged_item(row) for row in islice(rows, limit)]

    def flagged_rows(self, keys: Sequence[FlaggedKey]) -> dict[FlaggedKey, FlaggedTransaction]:
        """Read flagged rows by key, :data:`MAX_KEYS` at most; those that do not exist are left out."""
        rows = self._requests.rows(self._tables.flagged, [to_flagged_key(key) for key in keys[:MAX_KEYS]])
        return {flagged.key: flagged for flagged in map(from_flagged_item, rows)}

    def history_rows(self, keys: Sequence[FlaggedKey]) -> dict[FlaggedKey, ScoredTransaction]:
        """Read history rows by key, :data:`MAX_KEYS` at most; those that do not exist are left out."""
        rows = self._requests.rows(self._tables.history, [to_flagged_key(key) for key in keys[:MAX_KEYS]])
        return dict(_with_key(row) for row in rows)

    def history_of_user(self, user_id: str, limit: int) -> dict[FlaggedKey, ScoredTransaction]:
        """Read a user's newest payments, newest first."""
        rows = self._query(
            TableName=self._tables.history,
            KeyConditionExpression="user_id = :user",
            ExpressionAttributeValues={":user": {"S": user_id}},
            ScanIndexForward=False,
            Limit=limit,
        )
        return dict(_with_key(row) for row in islice(rows, limit))

    def keys_of_transaction(self, transaction_id: str, limit: int) -> list[FlaggedKey]:
        """Find payments by transaction id in the history; none where the index is switched off."""
        if not self._transaction_index:
            return []
        rows = self._query(
            TableName=self._tables.history,
            IndexName=self._transaction_index,
            KeyConditionExpression="transaction_id = :id",
            ExpressionAttributeValues={":id": {"S": transaction_id}},
            Limit=limit,
        )
        return [FlaggedKey(row["user_id"]["S"], row["event_key"]["S"]) for row in islice(rows, limit)]

    def labels_of_user(self, user_id: str) -> list[Label]:
        """Read the labels of a user's newest payments."""
        return self._labels.of_user(user_id)

    def marks(self, entity_name: str) -> EntityMarks:
        """Read what labels say about an entity: its newest frauds, and its newest honest payment."""
        return self._labels.marks(entity_name)

    def cases_of_entity(self, entity_name: str, limit: int) -> list[str]:
        """Ids of cases that an entity is in, the newest first."""
        rows = self._query(
            TableName=self._tables.links,
            KeyConditionExpression="entity_id = :entity",
            ExpressionAttributeValues={":entity": {"S": entity_name}},
            ScanIndexForward=False,
            Limit=limit,
        )
        return [row["case_id"]["S"] for row in islice(rows, limit)]

    def case_of_alert(self, alert_id: str) -> str | None:
        """Id of the newest case that an alert is in; None where it is in none, or not yet."""
        rows = self._query(
            TableName=self._tables.links,
            KeyConditionExpression="entity_id = :alert",
            ExpressionAttributeValues={":alert": {"S": alert_link(alert_id)}},
            ScanIndexForward=False,
            Limit=1,
        )
        return next((row["case_id"]["S"] for row in rows), None)

    def cases(self, case_ids: Sequence[str]) -> list[Case]:
        """Read cases by id, :data:`MAX_KEYS` at most; those that are not kept any more are left out."""
        keys = [to_case_key(parse_case_id(each)) for each in case_ids[:MAX_KEYS]]
        return [from_case_item(row) for row in self._requests.rows(self._tables.cases, keys)]

    def cases_of_owner(self, case_owner: str, limit: int) -> list[Case]:
        """Read a user's cases, newest first; ``case_owner`` of :func:`contract.case.owner_of`."""
        rows = self._query(
            TableName=self._tables.cases,
            KeyConditionExpression="case_owner = :owner",
            ExpressionAttributeValues={":owner": {"S": case_owner}},
            ScanIndexForward=False,
            Limit=limit,
        )
        return [from_case_item(row) for row in islice(rows, limit)]

    def _query(self, **request: Any) -> Iterator[Mapping[str, Any]]:
        call: Any = self._client.query
        for _ in range(MAX_PAGES):
            answer = call(**request)
            yield from answer["Items"]
    def labels_of_payment(self, key: FlaggedKey) -> list[Label]:
        """Read all labels of a payment."""
        return self._labels.of_payment(key.user_id, key.event_key)

            if "LastEvaluatedKey" not in answer:
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def _with_key(row: Mapping[str, Any]) -> tuple[FlaggedKey, ScoredTransaction]:
    scored = from_history_item(row)
    return FlaggedKey(scored.transaction.user_id, row["event_key"]["S"]), scored
