"""The job that tries a proposed ruleset on stored payments, beside the one from which it was made. It says how far it is in its row.

Lambda invokes it asynchronously, so nobody waits for its answer, and the request may come twice. The row names the run that may write it: a second
delivery finds it begun, and a run whose place another one has taken finds that out at its next write, and ends.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from common.errors import StageError
from contract.errors import InvalidRowError
from contract.trial_row import WRITTEN_EVERY, TrialState, failed
from contract.tried import TryAnswer, TryJob
from engine.errors import InvalidRulesetError
from engine.replay import UnknownRulesetError
from replay.comparison import Comparison
from replay.sample import SEGMENTS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date, datetime

    from common.trial_rows import TrialRows
    from contract.flagged import FlaggedKey
    from contract.trial_row import TrialRow
    from contract.tried import TryRequest
    from engine.rules.ruleset import Ruleset
    from replay.known_verdicts import Flagged
    from replay.sample import HistorySample

TO_FINISH: Final = timedelta(seconds=15)
"""Before Lambda ends the function: for the last page, the last verdicts and the result."""

UNANSWERED: Final = "A table or the rules bucket did not answer. Try it again in a minute."


class Rulesets(Protocol):
    """The calls to rulesets; see :class:`replay.kept_rulesets.KeptRulesets`."""

    def ruleset(self, digest: str) -> Ruleset:
        """Give a ruleset that was active."""
        ...

    def proposed(self, sha256: str) -> Ruleset:
        """Give a ruleset that was proposed."""
        ...


class Verdicts(Protocol):
    """The calls to what is known of payments; see :class:`replay.known_verdicts.KnownVerdictsTables`."""

    def frauds(self, days: Sequence[date]) -> frozenset[int]:
        """Hashes of the keys of payments that count as fraud."""
        ...

    def flagged(self, keys: Sequence[FlaggedKey]) -> Mapping[FlaggedKey, Flagged]:
        """What flagged rows say."""
        ...


class Bounds(NamedTuple):
    """How much a job does."""

    payments: int
    time: timedelta


class _OvertakenError(Exception):
    """Another run writes the row."""


class Trial:
    """Tries proposed rulesets.

    Parameters
    ----------
    rows : TrialRows
        Where the job says how far it is.
    sample : HistorySample
        Stored payments.
    verdicts : Verdicts
        What is known of them.
    rulesets : Rulesets
        Gives both rulesets.
    bounds : Bounds
        After how many payments, or how long, it ends.
    clock : Callable
        The time, aware, UTC.
    log
        Powertools' Logger.
    """

    def __init__(
        self,
        rows: TrialRows,
        sample: HistorySample,
        verdicts: Verdicts,
        rulesets: Rulesets,
        bounds: Bounds,
        clock: Callable[[], datetime],
        log: Any,
    ) -> None:
        self._rows = rows
        self._sample = sample
        self._verdicts = verdicts
        self._rulesets = rulesets
        self._bounds = bounds
        self._clock = clock
        self._log = log

    def handle(self, event: Any, time_left: timedelta) -> None:
        """Work on a :class:`~contract.tried.TryJob`.

        Parameters
        ----------
        event : Any
            The job.
        time_left : timedelta
            Until Lambda ends the function.

        Raises
        ------
        msgspec.ValidationError
            For an event of another form.
        ClientError, BotoCoreError, StageError, InvalidRowError
            Where a table or the bucket did not answer; the row says so, if it can be written.
        """
        job = msgspec.convert(event, TryJob)
        row = self._rows.row(job.request.trial_id)
        if row is None or row.job_id != job.job_id or row.state is not TrialState.ASKED:
            self._log.warning("a trial is not begun", extra={"job_id": job.job_id})
            return
        run = _Run(self._rows, self._clock, row, min(self._bounds.time, time_left - TO_FINISH))
        try:
            run.write(TrialState.RUNNING, TryAnswer())
            run.write(TrialState.DONE, self._found(job.request, run))
        except _OvertakenError:
            self._log.warning("another run has taken a trial's place", extra={"job_id": job.job_id})
        except (ClientError, BotoCoreError, StageError, InvalidRowError):
            # Not tried again by Lambda: whoever watches decides that.
            run.fail(UNANSWERED)
            raise

    def _found(self, request: TryRequest, run: _Run) -> TryAnswer:
        try:
            before = self._rulesets.ruleset(request.digest_before)
            after: Ruleset | None = self._rulesets.proposed(request.proposal)
        except UnknownRulesetError as error:
            return TryAnswer(why_not=str(error))
        except InvalidRulesetError as error:
            # Without its excerpt: a line of a document may hold an address or a device of a list.
            return TryAnswer(why_not=error.problems[0].without_excerpt)
        if request.is_candidate and after is not None:
            # All users are on its side, and none on that of the active candidate: a share of them would say less of both.
            before = before.without_candidate()
            after = None if after.candidate is None else after.candidate.ruleset
        if after is None:
            return TryAnswer(why_not="The proposed document has no candidate.")
        return self._compared(before, after, timedelta(days=request.days), run)

    def _compared(self, before: Ruleset, after: Ruleset, span: timedelta, run: _Run) -> TryAnswer:
        since = run.began - span
        # A time that is believed may be some minutes ahead: the day after is read too.
        days = [(since + timedelta(days=number)).date() for number in range(span.days + 2)]
        comparison = Comparison(before, after, self._verdicts.frauds(days), self._verdicts.flagged)

        def may_go_on() -> bool:
            run.say(comparison.so_far(self._share_read))
            return comparison.payments < self._bounds.payments and run.has_time()

        first = run.began.microsecond % SEGMENTS  # by chance, so that another try sees other users
        for item in self._sample.rows(since, first, may_go_on):
            comparison.add(item)
        return comparison.answer(self._share_read)

    @property
    def _share_read(self) -> float:
        return self._sample.parts_read / SEGMENTS


class _Run:
    """A job that is worked on, and its row."""

    def __init__(
        self, rows: TrialRows, clock: Callable[[], datetime], row: TrialRow, time: timedelta
    ) -> None:
        self._rows = rows
        self._clock = clock
        self._row = row
        self.began = clock()
        self._ends_by = self.began + time

    def has_time(self) -> bool:
        return self._clock() < self._ends_by

    def say(self, so_far: TryAnswer) -> None:
        """Write how far it is, if that was not done just now."""
        if self._clock() - self._row.changed_at >= WRITTEN_EVERY:
            self.write(TrialState.RUNNING, so_far)

    def write(self, state: TrialState, answer: TryAnswer) -> None:
        """Write the row.

        Raises
        ------
        _OvertakenError
            Where it is another run's meanwhile.
        """
        row = msgspec.structs.replace(
            self._row,
            state=state,
            changed_at=self._clock(),
            ends_by=self._ends_by,
            answer=msgspec.json.encode(answer).decode(),
        )
        if not self._rows.replace(row, self._row):
            raise _OvertakenError
        self._row = row

    def fail(self, problem: str) -> None:
        """Write why it ends. Where that fails as well, the row's silence says that it has ended."""
        self._rows.replace(failed(self._row, problem, self._clock()), self._row)
