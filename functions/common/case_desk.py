"""Where people get and change cases: a step is written over one version, and the next case of the queue is claimed for one person."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from heapq import merge
from typing import TYPE_CHECKING, Any, Final

from common.cases import (
    MAX_ATTEMPTS,
    TAKEN,
    CaseContentionError,
    Write,
    case_put,
    newest_check,
    read_case,
    readable,
    report_unreadable,
)
from contract.case import QUEUE_INDEX, QUEUE_SHARDS, Case, CaseKey, QueuedCase, from_queued_item
from contract.case_work import Refusal, claim, end_decided, holder, is_left_decided, is_offered
from contract.errors import InvalidRowError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from mypy_boto3_dynamodb import DynamoDBClient

    from common.backoff import Backoff
    from common.failures import FailureLog

PAGE: Final = 25
"""Cases of a shard that one request reads."""

LONGEST_PASS: Final = 64
"""Most cases that are passed over after one that was taken."""


class CaseDesk:
    """The table `cases`, by the calls that people make.

    Parameters
    ----------
    client : DynamoDBClient
        A low-level client.
    cases_table : str
        The table's name in this environment.
    backoff : Backoff
        Waits between attempts to change a case.
    draw : Callable[[], float]
        Gives a number in [0, 1); ``random.random``.
    log : FailureLog
        Gets a line for each row that cannot be read and is left out of the queue.
    """

    def __init__(
        self,
        client: DynamoDBClient,
        cases_table: str,
        backoff: Backoff,
        draw: Callable[[], float],
        log: FailureLog,
    ) -> None:
        self._client = client
        self._table = cases_table
        self._backoff = backoff
        self._draw = draw
        self._log = log

    def queue(self) -> Iterator[QueuedCase]:
        """Give the cases that are not closed, the most urgent first, as the index has them: perhaps a second old.

        A row that cannot be read is left out and reported: one row must not keep everybody from all the others.
        The first page of each shard is read at once, the shards side by side; further ones as they are needed.
        """
        requests = [self._request(shard) for shard in range(QUEUE_SHARDS)]
        with ThreadPoolExecutor(QUEUE_SHARDS) as pool:
            answers = list(pool.map(lambda request: self._client.query(**request), requests))
        shards = [self._shard(*pair) for pair in zip(requests, answers, strict=True)]
        return merge(*shards, key=lambda queued: queued.queue_key)

    def next_case(self, analyst: str, now: datetime) -> Case | None:
        """Claim the most urgent case that is offered to somebody.

        Whoever presses "next" at the same time looks at the same queue. Each claim is written over the version that was read, so a
        case goes to one of them. Who finds a case taken passes over a random number of the next ones, up to twice as many each time:
        fifty people would else try the same case one after the other, and the last of them fifty cases. What was passed over is tried
        last.

        Parameters
        ----------
        analyst : str
            Who gets it.
        now : datetime
            The clock, UTC.

        Returns
        -------
        Case | None
            Claimed; None where the queue has no case for this person.

        Raises
        ------
        CaseContentionError, ClientError, BotoCoreError
            When DynamoDB did not answer or refused a request, after retries.
        """
        passed: list[QueuedCase] = []
        to_pass = taken = 0
        # The index may be behind, so the row itself decides.
        for queued in self.queue():
            if is_left_decided(queued, now):
                self._end(queued.key, now)
            if not is_offered(queued, analyst, now):
                continue
            if to_pass:
                to_pass -= 1
                passed.append(queued)
                continue
            found = self._take(queued.key, analyst, now)
            if isinstance(found, Case):
                return found
            taken += 1
            to_pass = int(self._draw() * min(2**taken, LONGEST_PASS))
        for queued in passed:
            found = self._take(queued.key, analyst, now)
            if isinstance(found, Case):
                return found
        return None

    def _end(self, key: CaseKey, now: datetime) -> None:
        """Close a case in which nothing is left to decide, unless the row says something else than the index: no record of a stream will."""
        try:
            self.change(key, partial(end_decided, now=now))
        except InvalidRowError as error:
            report_unreadable(error, self._log)

    def _take(self, key: CaseKey, analyst: str, now: datetime) -> Case | Refusal:
        try:
            return self.change(key, _Taking(analyst, now))
        except InvalidRowError as error:
            report_unreadable(error, self._log)
            return Refusal.GONE

    def change(self, key: CaseKey, step: Callable[[Case], Case | Refusal]) -> Case | Refusal:
        """Make a step of :mod:`contract.case_work` with a case as it is stored.

        Parameters
        ----------
        key : CaseKey
            The case's.
        step : Callable
            Called again with the newer case where another worker was faster.

        Returns
        -------
        Case | Refusal
            As it is stored now; or why the step was not made, which is ``gone`` where there is no row.

        Raises
        ------
        InvalidRowError
            Where the row cannot be read.
        CaseContentionError
            When others kept changing the case.
        ClientError, BotoCoreError
            When DynamoDB did not answer or refused a request, after retries. Whether the step was made is not known then.
        """
        for attempt in range(MAX_ATTEMPTS):
            case = read_case(self._client, self._table, key)
            if case is None:
                return Refusal.GONE
            changed = step(case)
            if isinstance(changed, Refusal) or changed == case:
                return changed
            written = self._write(case, changed)
            if written is not Write.CHANGED:
                return changed if written is Write.WRITTEN else Refusal.SUPERSEDED
            self._backoff.pause(attempt)
        raise CaseContentionError(MAX_ATTEMPTS)

    def _write(self, before: Case, after: Case) -> Write:
        if before.is_closed and not after.is_closed:
            return self._write_reopened(after)
        errors = self._client.exceptions
        try:
            self._client.put_item(**case_put(self._table, after))
        except (errors.ConditionalCheckFailedException, errors.TransactionConflictException):
            return Write.CHANGED
        return Write.WRITTEN

    def _write_reopened(self, case: Case) -> Write:
        try:
            self._client.transact_write_items(
                TransactItems=[
                    {"Put": case_put(self._table, case)},
                    {"ConditionCheck": newest_check(self._table, case)},
                ]
            )
        except self._client.exceptions.TransactionCanceledException as error:
            response: Mapping[str, Any] = error.response
            put_reason, newest_reason = (reason["Code"] for reason in response["CancellationReasons"])
            # The case itself first: where both conditions fail, it is no longer the case that the step was made with.
            if put_reason == "None" and newest_reason == "ConditionalCheckFailed":
                return Write.SUPERSEDED
            if {put_reason, newest_reason} - {"None"} <= TAKEN:
                return Write.CHANGED
            raise
        return Write.WRITTEN

    def _request(self, shard: int) -> dict[str, Any]:
        return {
            "TableName": self._table,
            "IndexName": QUEUE_INDEX,
            "KeyConditionExpression": "queue_shard = :shard",
            "ExpressionAttributeValues": {":shard": {"N": str(shard)}},
            "Limit": PAGE,
        }

    def _shard(self, request: dict[str, Any], answer: Mapping[str, Any]) -> Iterator[QueuedCase]:
        while True:
            yield from readable(answer["Items"], from_queued_item, self._log)
            if "LastEvaluatedKey" not in answer:
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
            answer = self._client.query(**request)


class _Taking:
    """The step that claims an offered case. From its second call on, a case that this person holds is its own write, whose answer was lost."""

    def __init__(self, analyst: str, now: datetime) -> None:
        self._analyst = analyst
        self._now = now
        self._was_tried = False

    def __call__(self, case: Case) -> Case | Refusal:
        was_tried, self._was_tried = self._was_tried, True
        if was_tried and holder(case, self._now) == self._analyst:
            return case
        return (
            claim(case, self._analyst, self._now)
            if is_offered(case, self._analyst, self._now)
            else Refusal.TAKEN
        )
