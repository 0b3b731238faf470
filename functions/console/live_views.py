"""View models of the flow: rates, decisions, latencies and backlogs of the last minutes and of the last hour. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from console.live_records import BEHIND, PERCENTILES, STEP, TIMED

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from console.live_records import Live, Point

FLOW: Final = (
    ("Payments decided", "score", "TransactionsScored"),
    ("Flagged", "persist", "TransactionsFlagged"),
    ("Alerts sent", "alert", "AlertsSent"),
    ("Payments counted for a later alert", "alert", "AlertsSuppressed"),
    ("Cases opened", "case", "CasesOpened"),
    ("Cases closed", "case", "CasesClosed"),
    ("Labels stored", "label", "LabelsStored"),
    ("Records quarantined", "score", "RecordsQuarantined"),
    ("Decided without the cache", "score", "TransactionsDegraded"),
)
"""Words, stage and metric."""

DECISIONS: Final = (
    ("Approved", "TransactionsApproved"),
    ("Reviewed", "TransactionsReviewed"),
    ("Blocked", "TransactionsBlocked"),
)

_TIMED_WORDS: Final = {
    "score": "To the decision, of the oldest payment of a batch",
    "persist": "To the flagged row",
    "alert": "To the alert",
    "case": "To the case",
    "label": "From a label to its effects",
}
_BEHIND_WORDS: Final = {
    "score": "Payments before the decision",
    "persist": "Decisions before the flagged row",
    "alert": "Flagged rows before the alert",
    "case": "Flagged rows before the case",
    "label": "Labels before their effects",
}
_IN_MS: Final = {stage for stage, name in BEHIND if name == "IteratorAge"}


class FlowRow(msgspec.Struct, frozen=True):
    """Something that is counted."""

    name: str
    per_second: str
    """In the last whole five minutes."""
    hour: str
    """In the last hour."""


class DecisionRow(msgspec.Struct, frozen=True):
    """A decision."""

    name: str
    hour: str
    share: str
    """Of all decisions; empty for none."""


class TimeRow(msgspec.Struct, frozen=True):
    """How long something takes."""

    name: str
    median: str
    slow: str
    """99th percentile."""


class BacklogRow(msgspec.Struct, frozen=True):
    """What waits."""

    name: str
    value: str
    highest: str
    """In the last hour."""


class LiveView(msgspec.Struct, frozen=True):
    """The flow."""

    summary: str
    flow: tuple[FlowRow, ...]
    decisions: tuple[DecisionRow, ...]
    times: tuple[TimeRow, ...]
    backlogs: tuple[BacklogRow, ...]


def live_view(live: Live, now: datetime) -> LiveView:
    """Show the flow.

    Parameters
    ----------
    live : Live
        Of the last hour.
    now : datetime
        The clock, UTC.
    """
    if not live.is_known:
        return LiveView("CloudWatch did not answer: the flow is not known now.", (), (), (), ())
    if not any((*live.counts.values(), *live.behind.values())):
        return LiveView("Nothing was counted in the last hour: no payment came.", (), (), (), ())
    decided = {words: _sum(live.counts.get(("score", name), ())) for words, name in DECISIONS}
    together = sum(decided.values())
    return LiveView(
        summary=f"As CloudWatch had it at {now:%H:%M:%S} UTC; rates are of the last whole {STEP.seconds // 60} minutes.",
        flow=tuple(_flow(words, live.counts.get((stage, name), ()), now) for words, stage, name in FLOW),
        decisions=tuple(
            DecisionRow(words, f"{number:,.0f}", f"{number / together:.2%}" if together else "")
            for words, number in decided.items()
        ),
        times=tuple(
            TimeRow(
                _TIMED_WORDS[stage],
                *(time_text(live.times.get((stage, name, each), ())) for each in PERCENTILES),
            )
            for stage, name in TIMED
        ),
        backlogs=tuple(
            _backlog(words, live.behind.get(stage, ()), stage) for stage, words in _BEHIND_WORDS.items()
        ),
    )


def rate(points: Sequence[Point], now: datetime) -> float:
    """How many a second, in the last whole part of the hour.

    Parameters
    ----------
    points : Sequence[Point]
        Sums of parts, :data:`console.live_records.STEP` long.
    now : datetime
        UTC. A part that is not over, or ended less than a minute ago, may be counted half: the one before it is taken.
    """
    seconds = STEP.total_seconds()
    whole_end = (now.timestamp() - 60) // seconds * seconds
    return sum(each.value for each in points if each.at.timestamp() == whole_end - seconds) / seconds


def ms_text(ms: float) -> str:
    """Write a time.

    >>> ms_text(0.4), ms_text(940), ms_text(61_500), ms_text(7_200_000)
    ('0 ms', '940 ms', '62 s', '2 h')
    """
    for unit, size in (("h", 3_600_000), ("min", 60_000), ("s", 1_000)):
        if ms >= 2 * size:
            return f"{ms / size:,.0f} {unit}"
    return f"{ms / 1000:.1f} s" if ms >= 1_000 else f"{ms:.0f} ms"


def time_text(points: Sequence[Point]) -> str:
    """Write the newest of some times; empty for none."""
    return ms_text(points[-1].value) if points else ""


def _flow(words: str, points: Sequence[Point], now: datetime) -> FlowRow:
    per_second = rate(points, now)
    digits = 2 if 0 < per_second < 1 else 1
    return FlowRow(words, f"{per_second:,.{digits}f}" if per_second else "0", f"{_sum(points):,.0f}")


def _backlog(words: str, points: Sequence[Point], stage: str) -> BacklogRow:
    if not points:
        return BacklogRow(words, "not known", "")

    def text(value: float) -> str:
        return ms_text(value) if stage in _IN_MS else f"{value:,.0f}"

    return BacklogRow(words, text(points[-1].value), text(max(each.value for each in points)))


def _sum(points: Sequence[Point]) -> float:
    return sum(each.value for each in points)
