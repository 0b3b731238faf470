"""What is shown beside a case: the cases that share something with it, and closed ones that were alike. And which cases a second person is to look at."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from common.batch_requests import BatchReader
from common.cases import MAX_ATTEMPTS, readable
from contract.case import (
    REASONS_INDEX,
    SECOND_LOOK_DUE,
    SECOND_LOOK_INDEX,
    CaseKey,
    from_case_item,
    parse_case_id,
    reasons_key,
    to_case_key,
)
from contract.closed_case import ClosedCase, LookCase, from_closed_item, from_look_item

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from mypy_boto3_dynamodb import DynamoDBClient

    from common.backoff import Backoff
    from common.failures import FailureLog
    from contract.case import Case

SIMILAR: Final = 20
"""Closed cases that are given."""

SHOWN_LINKS: Final = 5
"""Cases of an entity that are given, the newest; the others are counted."""

MAX_COUNTED: Final = 100
"""To how many an entity's cases are counted: everybody pays at a popular merchant, and more says nothing about a case."""

WORKERS: Final = 8
"""Entities that are looked up at the same time."""

MAX_KEYS: Final = 100
"""Cases of all links together that are given: one request reads them."""


class Tables(NamedTuple):
    """Names of the tables in this environment."""

    cases: str
    links: str


class Link(NamedTuple):
    """An entity of a case, and the other cases that have met it."""

    entity_id: str
    cases: tuple[Case, ...]
    """The newest, newest first: at most :data:`SHOWN_LINKS`, and fewer where other links have used :data:`MAX_KEYS`."""
    case_count: int
    """All of them, at most :data:`MAX_COUNTED`."""
    has_more: bool
    """Whether there are more than were counted."""


class _Found(NamedTuple):
    keys: tuple[CaseKey, ...]
    has_more: bool


class CaseLookups:
    """The tables, by the calls with which people look around. Raises ClientError and BotoCoreError.

    Parameters
    ----------
    client : DynamoDBClient
        A low-level client, which several threads may use.
    tables : Tables
        Their names.
    backoff : Backoff
        Waits before rows are asked for again that were not answered.
    log : FailureLog
        Gets a line for each case that cannot be read and is left out of a list.
    """

    def __init__(self, client: DynamoDBClient, tables: Tables, backoff: Backoff, log: FailureLog) -> None:
        self._client = client
        self._tables = tables
        self._log = log
        self._requests = BatchReader(client, MAX_ATTEMPTS, backoff.pause)

    def links(self, case: Case) -> tuple[Link, ...]:
        """Give the entities of a case that other cases have met too, those with the fewest first: what few share says most."""
        with ThreadPoolExecutor(WORKERS) as workers:
            found = list(workers.map(lambda name: self._cases_of(name, case.key), case.entities))
        shared = [(name, each) for name, each in zip(case.entities, found, strict=True) if each.keys]
        shared.sort(key=lambda named: (named[1].has_more, len(named[1].keys)))
        cases = self._cases(dict.fromkeys(key for _, each in shared for key in each.keys[:SHOWN_LINKS]))
        return tuple(
            Link(
                entity_id=name,
                cases=tuple(cases[key] for key in each.keys[:SHOWN_LINKS] if key in cases),
                case_count=len(each.keys),
                has_more=each.has_more,
            )
            for name, each in shared
        )

    def similar(self, case: Case) -> list[ClosedCase]:
        """Give the newest other closed cases with the same two strongest reasons, whichever of the two is stronger.

        The index may be some seconds old, so the sums are those of the cases' rows. A case that is open again is left out.
        """
        if not case.reasons:
            return []
        items = self._newest(
            REASONS_INDEX,
            "reasons_key",
            reasons_key(case.strongest_reasons),
            SIMILAR + 1,
        )
        found = readable(items, from_closed_item, self._log)
        others = [closed for closed in found if closed.key != case.key][:SIMILAR]
        rows = self._cases(closed.key for closed in others)
        return [_with_sums(closed, rows[closed.key]) for closed in others if _is_closed(rows, closed.key)]

    def second_looks(self, limit: int) -> list[LookCase]:
        """Give the cases that a second person is to look at, those that have waited longest first, at most ``limit``."""
        found: list[LookCase] = []
        for items in self._pages(SECOND_LOOK_INDEX, "second_look_state", SECOND_LOOK_DUE):
            found += readable(items, from_look_item, self._log)
            if len(found) >= limit:
                break
        return found[:limit]

    def _pages(self, index: str, attribute: str, value: str) -> Iterator[list[dict[str, Any]]]:
        """All entries of a partition, in ascending order, as they are needed."""
        request: dict[str, Any] = {
            "TableName": self._tables.cases,
            "IndexName": index,
            "KeyConditionExpression": f"{attribute} = :value",
            "ExpressionAttributeValues": {":value": {"S": value}},
        }
        while True:
            answer = self._client.query(**request)
            yield answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def _newest(self, index: str, attribute: str, value: str, limit: int) -> list[dict[str, Any]]:
        answer = self._client.query(
            TableName=self._tables.cases,
            IndexName=index,
            KeyConditionExpression=f"{attribute} = :value",
            ExpressionAttributeValues={":value": {"S": value}},
            ScanIndexForward=False,
            Limit=limit,
        )
        return answer["Items"]

    def _cases_of(self, entity_id: str, but: CaseKey) -> _Found:
        answer = self._client.query(
            TableName=self._tables.links,
            KeyConditionExpression="entity_id = :entity",
            ExpressionAttributeValues={":entity": {"S": entity_id}},
            ProjectionExpression="case_id",
            ScanIndexForward=False,
            Limit=MAX_COUNTED + 2,  # the case itself, and one more than is counted
        )
        keys = (parse_case_id(item["case_id"]["S"]) for item in answer["Items"])
        others = tuple(key for key in keys if key != but)
        return _Found(others[:MAX_COUNTED], len(others) > MAX_COUNTED)

    def _cases(self, keys: Iterable[CaseKey]) -> Mapping[CaseKey, Case]:
        """Read the first :data:`MAX_KEYS` of these cases; those that have expired are left out."""
        items = self._requests.rows(self._tables.cases, [to_case_key(key) for key in islice(keys, MAX_KEYS)])
        cases = readable(items, from_case_item, self._log)
        return {case.key: case for case in cases}


def _is_closed(rows: Mapping[CaseKey, Case], key: CaseKey) -> bool:
    return key in rows and rows[key].is_closed


def _with_sums(closed: ClosedCase, row: Case) -> ClosedCase:
    return msgspec.structs.replace(
        closed,
        verdict=row.verdict,
        fraud=row.fraud,
        legitimate=row.legitimate,
        undecided=row.undecided,
    )
