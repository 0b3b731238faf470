"""How far the comparison of a proposed ruleset with the active one is: a row of ``rollout_counts`` for each comparison. Pure.

The job that works on it writes the row again every two seconds. So a row that nobody has written for a while says that its job has ended, however
it ended, and nobody has to write that down.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

import msgspec

from contract.clock import Instant
from contract.items import from_item
from contract.rollout_rows import ROLLOUT_COUNTS_TABLE
from contract.tried import TryAnswer, TryRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

TRIAL_PREFIX: Final = "trial#"
"""How the partition of a trial begins; the id of its comparison follows. No ruleset's digest has such a form."""

SORT_KEY: Final = "trial"

PLACES_KEY: Final = f"{TRIAL_PREFIX}places"
"""Partition of the places; no id of a comparison has such a form."""

WRITTEN_EVERY: Final = timedelta(seconds=2)
"""While the job works."""

BEGINS_WITHIN: Final = timedelta(minutes=2)
"""Lambda tries to start an asynchronous request for one minute, then drops it; a first start takes some seconds."""

SILENT_FOR: Final = timedelta(minutes=1)
"""A job that has not written for so long has ended: one request to DynamoDB, with its retries, takes half of that at most."""

AGAIN_AFTER: Final = timedelta(minutes=10)
"""A result is shown for so long before the same comparison can be made again."""

RETENTION: Final = timedelta(days=7)

PLACES: Final = 4
"""Comparisons that run at once. The function has one execution more, for the pages of payments: those wait for its answer."""


class TrialState(StrEnum):
    """How far a job is."""

    ASKED = "asked"
    """Lambda has the request, or gets it now."""
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class TrialRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One row; the fields are its attributes."""

    digest: str
    """Partition key: :data:`TRIAL_PREFIX` and the comparison's id."""
    count_key: str
    """Sort key: :data:`SORT_KEY`."""
    job_id: str
    """Of the run that may write the row."""
    request: TryRequest
    state: TrialState
    asked_at: Instant
    changed_at: Instant
    """When it was written."""
    ends_by: Instant | None = None
    """When a job that runs ends at the latest."""
    answer: str = ""
    """A :class:`~contract.tried.TryAnswer` as JSON; of a job that runs, how far it is."""
    problem: str = ""
    """A sentence: why it failed."""
    expires_at: int
    """When DynamoDB may delete the row, seconds since the epoch."""

    def has_ended(self, now: datetime) -> bool:
        """Whether no job works on it any more."""
        if self.state in (TrialState.DONE, TrialState.FAILED):
            return True
        silence = BEGINS_WITHIN if self.state is TrialState.ASKED else SILENT_FOR
        return now - self.changed_at > silence

    @property
    def found(self) -> TryAnswer | None:
        """What was found; None where nothing is written, or another version has written it."""
        try:
            return msgspec.json.decode(self.answer, type=TryAnswer) if self.answer else None
        except msgspec.DecodeError:
            return None


class TrialPlace(msgspec.Struct, frozen=True, kw_only=True):
    """One of the places for comparisons that run at once. It is free where its job works no more, so nobody has to write that."""

    digest: str
    """Partition key: :data:`PLACES_KEY`."""
    count_key: str
    """Sort key: the place's number, from 0."""
    job_id: str
    """Who took it last."""
    trial_id: str
    """Of that job's comparison."""
    expires_at: int
    """When DynamoDB may delete the row, seconds since the epoch."""

    def is_taken(self, row: TrialRow | None, now: datetime) -> bool:
        """Whether the job works; given the row of its comparison."""
        return row is not None and row.job_id == self.job_id and not row.has_ended(now)


def place_for(row: TrialRow, number: int) -> TrialPlace:
    """Make the row of a place that a job takes."""
    return TrialPlace(
        digest=PLACES_KEY,
        count_key=str(number),
        job_id=row.job_id,
        trial_id=row.request.trial_id,
        expires_at=row.expires_at,
    )


def to_place_key(number: int) -> dict[str, Any]:
    """Key of a place's row, in DynamoDB's wire form."""
    return {"digest": {"S": PLACES_KEY}, "count_key": {"S": str(number)}}


def may_begin(row: TrialRow | None, now: datetime) -> bool:
    """Whether a job may be started for a comparison: none works on it, and no result is fresh."""
    if row is None:
        return True
    is_fresh = row.state is TrialState.DONE and now - row.changed_at < AGAIN_AFTER
    return row.has_ended(now) and not is_fresh


def asked(request: TryRequest, job_id: str, now: datetime) -> TrialRow:
    """Make the row of a job that is to be started."""
    return TrialRow(
        digest=TRIAL_PREFIX + request.trial_id,
        count_key=SORT_KEY,
        job_id=job_id,
        request=request,
        state=TrialState.ASKED,
        asked_at=now,
        changed_at=now,
        expires_at=int((now + RETENTION).timestamp()),
    )


def failed(row: TrialRow, problem: str, now: datetime) -> TrialRow:
    """Make the row of a job that ended without a result."""
    return msgspec.structs.replace(row, state=TrialState.FAILED, problem=problem, changed_at=now, answer="")


def to_trial_key(trial_id: str) -> dict[str, Any]:
    """Key of a comparison's row, in DynamoDB's wire form."""
    return {"digest": {"S": TRIAL_PREFIX + trial_id}, "count_key": {"S": SORT_KEY}}


def from_trial_item(item: Mapping[str, Any]) -> TrialRow:
    """Read a row back; raises as :func:`contract.items.from_item`."""
    return from_item(ROLLOUT_COUNTS_TABLE, item, TrialRow)
