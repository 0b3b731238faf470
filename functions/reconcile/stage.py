"""Compares the history with what the stages behind it have made of it, and sends them what they have missed.

A stream keeps its records for 24 hours, and a mapping may be switched off, or pointed elsewhere, for longer. What was lost with them is
still in the tables: a payment that is to be flagged and has no flagged row, or a flagged row with no alert and in no count, in no case, or in one
that counts it as something else or does not exist. It also counts the cases that wait for a second person: nobody is given one.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Event
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, NamedTuple, Protocol, TypedDict

import msgspec
from msgspec import Meta

from common.metrics import emit
from contract.canary import is_canary
from contract.errors import InvalidRowError
from contract.flag_hour import flag_hours
from contract.flagged import from_flagged_item
from contract.scored import from_history_item
from reconcile.metrics import Metric

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from aws_lambda_powertools import Logger

    from common.metrics import MetricSink
    from contract.flagged import FlaggedKey
    from reconcile.repairs import Repair
    from reconcile.tables import SecondLooks, Unfinished

MAX_UNSETTLED: Final = 100
"""Payments that are looked at again at a time."""

WORKERS: Final = 4
"""Parts of an hour that are looked through at a time; as many calls of a stage at most, which leaves its mapping the others."""


class Request(msgspec.Struct, frozen=True):
    """What a run is asked for; EventBridge's event has none of it."""

    hours: Annotated[int, Meta(ge=1, le=4_400)] | None = None
    """How far to look back instead of the setting, hours; the index goes back as far as the history."""
    recount: bool = False
    """Whether the cases of all payments are counted anew, after a restore of a table: a row that was restored may look settled, though its case was restored
    to another time."""


class Summary(TypedDict):
    """What a run found."""

    checked: int
    flagged_rows_repaired: int
    alerts_repaired: int
    cases_repaired: int
    cases_recounted: int
    """Payments whose user's cases were counted because the request asks for it."""
    repairs_failed: int
    hours_unchecked: int


class _Look(NamedTuple):
    """What a run looks for."""

    until: datetime
    """What is younger may still be on its way."""
    has_time: Callable[[], bool]
    is_recount: bool
    unsettled: list[FlaggedKey]
    """Gets the payments that are looked at again at the end. All workers append to it, which is one step of the interpreter."""


class Tables(Protocol):
    """The calls that are made; see :class:`reconcile.tables.Tables`."""

    def to_be_flagged(self, hour: str) -> Iterator[list[FlaggedKey]]:
        """Give the payments of a part of an hour, some at a time."""
        ...

    def unfinished(self, keys: Sequence[FlaggedKey]) -> Unfinished:
        """Divide out of these payments those that a stage has not finished."""
        ...

    def second_looks(self) -> SecondLooks:
        """Count the cases that wait for a second person."""
        ...

    def history_rows(self, keys: Sequence[FlaggedKey]) -> list[Mapping[str, Any]]:
        """Read rows of the history whole."""
        ...

    def flagged_rows(self, keys: Sequence[FlaggedKey]) -> list[Mapping[str, Any]]:
        """Read flagged rows whole."""
        ...


class Reconciler:
    """One run looks through the last hours, the oldest first, some parts of them at a time.

    Parameters
    ----------
    tables : Tables
        What is compared.
    persist, alert, case : Repair
        The stages that get what they have missed.
    look_back : timedelta
        How old the payments are that are looked at.
    grace : timedelta
        Age below which a payment may still be on its way.
    metrics, log
        Powertools' Metrics and Logger.
    clock : Callable
        The time, aware, UTC.
    """

    def __init__(
        self,
        tables: Tables,
        persist: Repair,
        alert: Repair,
        case: Repair,
        look_back: timedelta,
        grace: timedelta,
        metrics: MetricSink,
        log: Logger,
        clock: Callable[[], datetime],
    ) -> None:
        self._tables = tables
        self._persist = persist
        self._alert = alert
        self._case = case
        self._look_back = look_back
        self._grace = grace
        self._metrics = metrics
        self._log = log
        self._clock = clock

    def run(self, event: Mapping[str, Any], has_time: Callable[[], bool]) -> Summary:
        """Look through the last hours; repair and count what is missing.

        Parameters
        ----------
        event : Mapping
            :class:`Request`, or EventBridge's.
        has_time : Callable
            Whether another request or call can be begun.

        Raises
        ------
        ClientError, BotoCoreError, UnansweredError
            If a table does not answer; the run is tried again.
        msgspec.ValidationError
            If a field of the request is of another form, such as ``hours``.
        """
        asked = msgspec.convert(event, Request)
        now = self._clock()
        until = now - self._grace
        since = now - (self._look_back if asked.hours is None else timedelta(hours=asked.hours))
        parts = {hour: _nothing_found() for hour in flag_hours(min(since, until), until)}
        self._report_looks(now)
        later = _nothing_found()
        look = _Look(until, has_time, asked.recount, unsettled=[])
        try:
            self._look_through(parts, look)
            self._look_again(look, later)
        finally:
            # Also of a run that fails: what it has repaired is not found again by the next try.
            found = _sum_of([*parts.values(), later])
            self._report(found)
        return found

    def _look_through(self, parts: Mapping[str, Summary], look: _Look) -> None:
        failed = Event()

        def work(hour: str, found: Summary) -> None:
            of_part = look._replace(has_time=lambda: look.has_time() and not failed.is_set())
            try:
                is_checked = self._is_checked(hour, of_part, found)
            except BaseException:
                failed.set()  # The run is tried again as a whole: the others begin no further request.
                raise
            found["hours_unchecked"] += not is_checked and not failed.is_set()

        with ThreadPoolExecutor(WORKERS) as workers:
            # Each worker writes to the summary of its own part alone.
            for run in [workers.submit(work, *part) for part in parts.items()]:
                run.result()

    def _look_again(self, look: _Look, found: Summary) -> None:
        """Send unsettled payments to case that still are: a label or an alert may just have changed a row when it was read."""
        for place in range(0, len(look.unsettled), MAX_UNSETTLED):
            keys = look.unsettled[place : place + MAX_UNSETTLED]
            if look.has_time():
                self._send_to_case(self._tables.unfinished(keys).unsettled, look, found, "cases_repaired")
            else:
                found["repairs_failed"] += len(keys)

    def _is_checked(self, hour: str, look: _Look, found: Summary) -> bool:
        """Look through a part of an hour; False if the time ended before."""
        pages = self._tables.to_be_flagged(hour)
        while look.has_time():
            keys = next(pages, None)
            if keys is None:
                return True
            # The canary finds by itself what is missing of its payments, and their flagged rows expire after a day.
            self._check([key for key in keys if not is_canary(key.user_id)], look, found)
        return False

    def _check(self, keys: Sequence[FlaggedKey], look: _Look, found: Summary) -> None:
        unflagged, unalerted, uncased, unsettled = self._tables.unfinished(keys)
        found["checked"] += len(keys)
        rows = self._settled(self._tables.history_rows(unflagged), _scored_at, look.until, found)
        failed = self._persist.send(rows, look.has_time)
        found["flagged_rows_repaired"] += len(rows) - failed
        found["repairs_failed"] += failed
        rows = self._settled(self._tables.flagged_rows(unalerted), _flagged_at, look.until, found)
        failed = self._alert.send(rows, look.has_time)
        found["alerts_repaired"] += len(rows) - failed
        found["repairs_failed"] += failed
        self._send_to_case(uncased, look, found, "cases_repaired")
        if look.is_recount:
            missing = {*unflagged, *uncased}
            self._send_to_case([key for key in keys if key not in missing], look, found, "cases_recounted")
        else:
            look.unsettled.extend(unsettled)

    def _send_to_case(
        self,
        keys: Sequence[FlaggedKey],
        look: _Look,
        found: Summary,
        count: Literal["cases_repaired", "cases_recounted"],
    ) -> None:
        rows = self._settled(self._tables.flagged_rows(keys), _flagged_at, look.until, found)
        failed = self._case.send(rows, look.has_time)
        found[count] += len(rows) - failed
        found["repairs_failed"] += failed

    def _settled(
        self,
        rows: Sequence[Mapping[str, Any]],
        time_of: Callable[[Mapping[str, Any]], datetime],
        until: datetime,
        found: Summary,
    ) -> list[Mapping[str, Any]]:
        """Leave out rows that may still be on their way, and count those that cannot be read: no stage can do more with them."""
        settled = []
        for row in rows:
            try:
                if time_of(row) <= until:
                    settled.append(row)
            except InvalidRowError as error:
                found["repairs_failed"] += 1
                self._log.error("a row that cannot be read", problem=str(error))
        return settled

    def _report_looks(self, now: datetime) -> None:
        cases, oldest = self._tables.second_looks()
        emit(self._metrics, Metric.SECOND_LOOKS_DUE, cases)
        emit(
            self._metrics,
            Metric.OLDEST_LOOK_SECONDS,
            0 if oldest is None else max((now - oldest).total_seconds(), 0),
        )

    def _report(self, found: Summary) -> None:
        emit(self._metrics, Metric.PAYMENTS_CHECKED, found["checked"])
        emit(self._metrics, Metric.FLAGGED_ROWS_REPAIRED, found["flagged_rows_repaired"])
        emit(self._metrics, Metric.ALERTS_REPAIRED, found["alerts_repaired"])
        emit(self._metrics, Metric.CASES_REPAIRED, found["cases_repaired"])
        emit(self._metrics, Metric.REPAIRS_FAILED, found["repairs_failed"])
        emit(self._metrics, Metric.HOURS_UNCHECKED, found["hours_unchecked"])
        if any(count for name, count in found.items() if name not in {"checked", "cases_recounted"}):
            self._log.error("payments that a stage has missed", **found)
        else:
            self._log.info("no payment was found that a stage has missed", **found)


def _nothing_found() -> Summary:
    return Summary(
        checked=0,
        flagged_rows_repaired=0,
        alerts_repaired=0,
        cases_repaired=0,
        cases_recounted=0,
        repairs_failed=0,
        hours_unchecked=0,
    )


def _sum_of(parts: Collection[Summary]) -> Summary:
    return Summary(
        checked=sum(part["checked"] for part in parts),
        flagged_rows_repaired=sum(part["flagged_rows_repaired"] for part in parts),
        alerts_repaired=sum(part["alerts_repaired"] for part in parts),
        cases_repaired=sum(part["cases_repaired"] for part in parts),
        cases_recounted=sum(part["cases_recounted"] for part in parts),
        repairs_failed=sum(part["repairs_failed"] for part in parts),
        hours_unchecked=sum(part["hours_unchecked"] for part in parts),
    )


def _scored_at(row: Mapping[str, Any]) -> datetime:
    return from_history_item(row).scored_at


def _flagged_at(row: Mapping[str, Any]) -> datetime:
    return from_flagged_item(row).flagged_at
