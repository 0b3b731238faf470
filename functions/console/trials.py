"""Trials of proposed rulesets: starts the job that works on one, unless one does, and says how far it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from contract.trial_row import PLACES, asked, failed, may_begin
from contract.tried import TryJob

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from common.trial_rows import TrialRows
    from contract.trial_row import TrialRow
    from contract.tried import TryRequest

NOT_STARTED: Final = "It could not be started. Try it again in a minute."
"""What the page says of a job that Lambda did not take."""
NO_PLACE: Final = f"{PLACES} other comparisons are working, and no more may at once. Try it again when one of them has ended."


class Starting(Protocol):
    """The call to what works on trials; see :class:`console.replays.Replays`."""

    def start(self, job: TryJob) -> bool:
        """Ask for a trial, without waiting for its end; False where that failed."""
        ...


class Trials:
    """Trials, by the calls of the pages.

    Every method raises InvalidRowError where a row cannot be read, and ClientError or BotoCoreError when DynamoDB did not answer.

    Parameters
    ----------
    rows : TrialRows
        How far each is.
    replays : Starting
        Works on them.
    keep : Callable
        Keeps a document among what was proposed, and gives its SHA-256.
    new_id : Callable
        Gives a random id.
    """

    def __init__(
        self,
        rows: TrialRows,
        replays: Starting,
        keep: Callable[[bytes], str],
        new_id: Callable[[], str],
    ) -> None:
        self._rows = rows
        self._replays = replays
        self._keep = keep
        self._new_id = new_id

    def keep(self, document: bytes) -> str:
        """Keep a document that somebody has not proposed, so that it can be tried; give its SHA-256."""
        return self._keep(document)

    def row(self, trial_id: str) -> TrialRow | None:
        """How far a comparison is; None where nobody has asked for it lately."""
        return self._rows.row(trial_id)

    def begin(self, request: TryRequest, now: datetime) -> None:
        """Start a job, unless one works on this comparison or has found something just now.

        Who presses the button while somebody else does: the row lets one of them write it, and that one asks for the job. Where as many jobs work as may at once,
        none is started, and the row says so.
        """
        before = self._rows.row(request.trial_id)
        if not may_begin(before, now):
            return
        row = asked(request, self._new_id(), now)
        if not self._rows.replace(row, before):
            return
        if not self._rows.take_place(row, now):
            self._rows.replace(failed(row, NO_PLACE, now), row)
        elif not self._replays.start(TryJob(job_id=row.job_id, request=request)):
            # A job that did begin after all has written the row, or finds that it may not begin.
            self._rows.replace(failed(row, NOT_STARTED, now), row)
