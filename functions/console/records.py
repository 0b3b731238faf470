"""What the console reads about payments: flagged rows, history, labels, links. Every read has an end; that of what is to be judged is the end of a user's rows."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from common.batch_requests import BatchReader
from common.decision_tables import read_decisions
from common.label_tables import LabelTables
from contract.case import (
    alert_link,
    from_case_item,
    is_undecided,
    parse_case_id,
    to_case_key,
)
from contract.case_decision import contested_keys
from contract.flagged import CONFIRMED_FRAUD, FALSE_POSITIVE, FlaggedKey, from_flagged_item, to_flagged_key
from contract.scored import from_history_item

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

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
    decisions: str


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
        """Read the flagged payments of a case, oldest first, among the user's newest :data:`MAX_PAGES` MiB of rows.

        Of more than ``limit``, those that nobody has judged come before the others, and newer ones before older ones.
        """
        payments, _ = self._newest_payments(case)
        return _first(payments, limit, frozenset())

    def payments_to_judge(self, case: Case, limit: int) -> list[FlaggedTransaction]:
        """Read the flagged payments of a case as :meth:`case_payments`, and what is to be judged also where the user has more rows.

        However many rows the user has, the newest ``limit`` undecided payments are read, and then those that a second person has contested: so
        whoever judges what is read comes to the end of the case.
        """
        payments, end = self._newest_payments(case)
        if end is None and len(payments) <= limit:
            return _first(payments, limit, frozenset())
        missing = limit - sum(is_undecided(each) for each in payments)
        payments += map(from_flagged_item, islice(self._undecided(case, end), max(0, missing)))
        contested = contested_keys(read_decisions(self._client, self._tables.decisions, case))
        others = sorted(contested - {each.event_key for each in payments}, reverse=True)
        found = self.flagged_rows([FlaggedKey(case.user_id, key) for key in others])
        payments += [each for each in found.values() if each.case_id == case.case_id]
        return _first(payments, limit, contested)

    def _newest_payments(self, case: Case) -> tuple[list[FlaggedTransaction], Any]:
        """Read a case's payments, newest first; with where older rows of the user begin that were not read, None for none."""
        request, call = self._of_case(case), cast("Any", self._client.query)
        payments: list[FlaggedTransaction] = []
        for _ in range(MAX_PAGES):
            answer = call(**request)
            payments += map(from_flagged_item, answer["Items"])
            if "LastEvaluatedKey" not in answer:
                return payments, None
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
        return payments, request["ExclusiveStartKey"]

    def _undecided(self, case: Case, begin: Any) -> Iterator[Mapping[str, Any]]:
        """Give the undecided payments of a case from a place on, newest first, as they are needed, to the end of the user's rows."""
        request = self._of_case(case)
        request["FilterExpression"] += " AND NOT (#status IN (:fraud, :legitimate))"
        request["ExpressionAttributeNames"] = {"#status": "status"}
        request["ExpressionAttributeValues"] |= {
            ":fraud": {"S": CONFIRMED_FRAUD},
            ":legitimate": {"S": FALSE_POSITIVE},
        }
        call: Any = self._client.query
        while begin is not None:
            answer = call(**request, ExclusiveStartKey=begin)
            yield from answer["Items"]
            begin = answer.get("LastEvaluatedKey")

    def _of_case(self, case: Case) -> dict[str, Any]:
        return {
            "TableName": self._tables.flagged,
            "KeyConditionExpression": "user_id = :user",
            "FilterExpression": "case_id = :case",
            "ExpressionAttributeValues": {":user": {"S": case.user_id}, ":case": {"S": case.case_id}},
            "ConsistentRead": True,
            "ScanIndexForward": False,
        }

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

    def labels_of_payment(self, key: FlaggedKey) -> list[Label]:
        """Read all labels of a payment."""
        return self._labels.of_payment(key.user_id, key.event_key)

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
            if "LastEvaluatedKey" not in answer:
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def _first(
    payments: list[FlaggedTransaction], limit: int, contested: Collection[str]
) -> list[FlaggedTransaction]:
    """Take the first of payments that come newest first: those to be judged before the others; give them oldest first."""
    ranked = sorted(payments, key=lambda each: (not is_undecided(each), each.event_key not in contested))
    return sorted(ranked[:limit], key=lambda each: each.event_key)


def _with_key(row: Mapping[str, Any]) -> tuple[FlaggedKey, ScoredTransaction]:
    scored = from_history_item(row)
    return FlaggedKey(scored.transaction.user_id, row["event_key"]["S"]), scored
