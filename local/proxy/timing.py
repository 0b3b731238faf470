"""Delays measured from the moment of receipt: the time of processing is part of them."""

from __future__ import annotations

import time


def sleep_until(due: float) -> None:
    """Sleep until a moment of ``time.monotonic()``; returns at once if that has passed."""
    left = due - time.monotonic()
    if left > 0:
        time.sleep(left)
