"""What both sides of the active ruleset said lately, as the guardrails are judged by it. It is only read here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.model.drift import InputCounts
from engine.rollout.windows import windows_at

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from engine.rollout.counts import RolloutCounts
    from rollouts.tables import CountsTable

_MINUTES_A_DAY = 1_440


class RolloutWindows:
    """The table of counts.

    Parameters
    ----------
    counts : CountsTable
        One that keeps nothing.
    """

    def __init__(self, counts: CountsTable) -> None:
        self._counts = counts

    def windows(self, digest: str, now: datetime) -> Mapping[int, RolloutCounts]:
        """Minutes to what was counted of a ruleset in so many of the last ones, the longest last; empty where nothing was counted.

        Raises
        ------
        ClientError, BotoCoreError
            Where DynamoDB did not answer.
        """
        counted = self._counts.read(digest, now)
        if not counted.parts and not counted.hours:
            return {}
        return windows_at(counted.parts, counted.hours, now)

    def inputs(self, digest: str, now: datetime) -> InputCounts:
        """What payments of the last day were like, by the bins of the active model; raises as :meth:`windows`."""
        windows = self.windows(digest, now)
        if not windows:
            return InputCounts()
        of_a_day = [minutes for minutes in windows if minutes <= _MINUTES_A_DAY]
        return windows[max(of_a_day, default=min(windows))].inputs
