"""How many alerts flagged payments are: those of one user within a window are one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Integers = npt.NDArray[np.integer]
    Booleans = npt.NDArray[np.bool_]

ALERT_WINDOW_MS: Final = 900_000
"""Flagged payments of one user less than this after the first are one alert: the alert stage's window."""

THRESHOLDS: Final = range(5, 101, 5)
"""Where flagging is measured, in addition to a ruleset's own thresholds."""


class AlertWindows:
    """Payments by user and clock, sorted once for all thresholds.

    Parameters
    ----------
    user, at_ms : array
        One of each a payment: the number of its user, and its clock in ms since the epoch.
    """

    def __init__(self, user: Integers, at_ms: Integers) -> None:
        begin, end = (int(at_ms.min()), int(at_ms.max())) if at_ms.size else (0, 0)
        # User and clock in one number. It has room for 5,000,000 users whose payments are 56 years apart.
        key = user.astype(np.int64) * (end - begin + ALERT_WINDOW_MS) + (at_ms - begin)
        self._order = np.argsort(key)
        self._key = key[self._order]

    def count(self, flagged: Booleans) -> int:
        """Count alerts, given which payments are flagged: each begins at the first flagged payment that no earlier one covers."""
        key = self._key[flagged[self._order]]
        after = np.searchsorted(key, key + ALERT_WINDOW_MS).data  # its items are plain integers
        windows = row = 0
        while row < key.size:
            windows += 1
            row = after[row]
        return windows
