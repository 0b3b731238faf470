"""Opens, extends and closes cases: each flagged payment is in one case, and counted there as what its row says.

Records may come in any order and any number of times. A record only says that a row has changed; what counts is the row as it is stored
when the record is handled, and the row's own marks say what its case knows of it (docs/decisions/0027-cases.md).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from case.fold import is_placed, is_settled, settle
from case.metrics import Metric
from case.recount import misplaced, recounts
from common.cases import MAX_ATTEMPTS, CaseContentionError
from common.metrics import emit
from common.stream_reader import StreamReader
from contract.canary import is_canary
from contract.case_outcome import awaited_keys
from contract.flag_hour import REPAIR_SOURCE
from contract.flagged import FLAGGED_TABLE, from_flagged_item

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse

    from case.fold import Change, UserCases
    from case.recount import Recount, UserRows
    from common.backoff import Backoff
    from common.failures import FailureLog
    from common.metrics import MetricSink
    from common.stream_crashes import StreamCrashes
    from common.stream_reader import InvocationContext
    from contract.case import Case
    from contract.case_decision import CaseDecision
    from contract.case_limits import CaseLimits
    from contract.flagged import FlaggedKey, FlaggedTransaction


class CaseStore(Protocol):
    """The calls that this stage makes to its tables; see :class:`case.store.CaseTables`."""

    def flagged(self, key: FlaggedKey) -> FlaggedTransaction | None:
        """Read a flagged row."""
        ...

    def cases_of(self, flagged: FlaggedTransaction) -> UserCases:
        """Read the cases of a payment's user."""
        ...

    def write(self, key: FlaggedKey, change: Change) -> bool:
        """Write a change, all or none; False where another worker was faster."""
        ...

    def all_of(self, user_id: str) -> UserRows:
        """Read all cases of a user, then all flagged rows, and what was decided on the cases."""
        ...

    def decisions(self, case: Case) -> Sequence[CaseDecision]:
        """Read what was decided on a case."""
        ...

    def rewrite(self, recount: Recount) -> bool:
        """Write a counted case; False where another worker was faster."""
        ...

    def link(self, recount: Recount) -> None:
        """Write the links of a counted case."""
        ...


class CaseStage:
    """Handles the stream of ``flagged_transactions``, batch by batch.

    Parameters
    ----------
    store : CaseStore
        Flagged rows, cases and links.
    limits : CaseLimits
        When a case is urgent, and when it is due.
    metrics, log
        Powertools' Metrics and Logger.
    crashes : StreamCrashes
        Dead-letters a record that crashes the stage.
    clock : Callable
        Gives the time, aware, UTC.
    backoff : Backoff
        Waits between attempts to change a case.
    """

    def __init__(
        self,
        store: CaseStore,
        limits: CaseLimits,
        metrics: MetricSink,
        log: FailureLog,
        crashes: StreamCrashes,
        clock: Callable[[], datetime],
        backoff: Backoff,
    ) -> None:
        self._store = store
        self._limits = limits
        self._metrics = metrics
        self._clock = clock
        self._backoff = backoff
        self._reader = StreamReader(FLAGGED_TABLE, self.take, log, crashes, takes_changes=True)
        self._repaired: set[str] = set()
        """Users whose cases this batch of repairs has counted already."""
        self._repairs = StreamReader(FLAGGED_TABLE, self.repair, log, crashes, takes_changes=True)

    def handle(self, event: dict[str, Any], context: InvocationContext) -> PartialItemFailureResponse:
        """Bring the cases of a batch's payments up to date; return the records that must be delivered again."""
        is_repair = all(record.get("eventSourceARN") == REPAIR_SOURCE for record in event["Records"])
        self._repaired.clear()
        response = (self._repairs if is_repair else self._reader).read(event, context)
        emit(self._metrics, Metric.RECORDS_RECEIVED, len(event["Records"]))
        emit(self._metrics, Metric.RECORDS_FAILED, len(response["batchItemFailures"]))
        return response

    def take(self, item: Mapping[str, Any]) -> None:
        """Bring the case of one flagged payment up to date.

        Parameters
        ----------
        item : Mapping
            Its row of ``flagged_transactions`` after a change, in DynamoDB's wire form.

        Raises
        ------
        InvalidRowError
            When a row cannot be read.
        CaseContentionError
            When others kept changing the user's cases.
        ClientError, BotoCoreError
            When DynamoDB did not answer or refused a request, after retries.
        """
        image = from_flagged_item(item)
        # A settled image needs no read: if the row has changed since, that change has a record of its own.
        if is_canary(image.user_id) or is_settled(image):
            return
        self._bring(image.key, is_repair=False)

    def repair(self, item: Mapping[str, Any]) -> None:
        """Bring all payments of a row's user into cases, and make these say what the payments' marks and people's decisions say.

        Parameters and errors as of :meth:`take`. It reads all rows of the user, so only the reconciler asks for it.
        """
        image = from_flagged_item(item)
        if is_canary(image.user_id) or image.user_id in self._repaired:
            return
        # A case is counted before its payments are brought up to date, since labels close a case by its sums; and after it, since a
        # payment may come into a case of which others say already that they are in it.
        for key in misplaced(self._recounted(image.user_id), self._clock()):
            self._bring(key, is_repair=True)
        self._recounted(image.user_id, is_last=True)
        self._repaired.add(image.user_id)

    def _bring(self, key: FlaggedKey, *, is_repair: bool) -> None:
        for attempt in range(MAX_ATTEMPTS):
            flagged = self._store.flagged(key)
            if flagged is None:
                emit(self._metrics, Metric.FLAGGED_ROWS_MISSING)
                return
            if is_settled(flagged) and not is_repair:
                return
            stored = self._store.cases_of(flagged)
            if is_repair:
                made = () if stored.own is None else self._store.decisions(stored.own)
                stored = stored._replace(awaited=awaited_keys(made, self._clock()))
            if is_placed(flagged, stored):
                return
            change = settle(flagged, stored, self._limits, self._clock())
            if self._store.write(flagged.key, change):
                self._count(flagged, change)
                return
            emit(self._metrics, Metric.CASE_CONFLICTS)
            self._backoff.pause(attempt)
        raise CaseContentionError(MAX_ATTEMPTS)

    def _recounted(self, user_id: str, *, is_last: bool = False) -> UserRows:
        """Make a user's cases say what the marks say, and return both; the last time their links too, which may be missing."""
        for attempt in range(MAX_ATTEMPTS):
            stored = self._store.all_of(user_id)
            changes = recounts(stored, self._limits, self._clock())
            changed = [change for change in changes if change.after != change.before]
            if all(self._store.rewrite(change) for change in changed):
                emit(self._metrics, Metric.CASES_RECOUNTED, len(changed))
                for change in changes if is_last else ():
                    self._store.link(change)
                return stored._replace(cases=[change.after for change in changes])
            emit(self._metrics, Metric.CASE_CONFLICTS)
            self._backoff.pause(attempt)
        raise CaseContentionError(MAX_ATTEMPTS)

    def _count(self, flagged: FlaggedTransaction, change: Change) -> None:
        before, after, case = change.before, change.after, change.case
        if case.version == 1:
            emit(self._metrics, Metric.CASES_OPENED)
        if change.is_reopened:
            emit(self._metrics, Metric.CASES_REOPENED)
        if change.is_closed_now:
            emit(self._metrics, Metric.CASES_CLOSED)
        if before.case_id != after.case_id:
            emit(self._metrics, Metric.PAYMENTS_ADDED)
        elif before.case_judgement != after.case_judgement:
            emit(self._metrics, Metric.JUDGEMENTS_CHANGED)
        if before.case_id is None:
            latency = self._clock() - flagged.appended_at
            emit(self._metrics, Metric.CASE_LATENCY_MS, latency / timedelta(milliseconds=1))
