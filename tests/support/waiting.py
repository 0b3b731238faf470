"""Waits until something is so, and fails with a sentence if it never is."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

WAIT_SECONDS = 60.0


def wait_until(
    is_so: Callable[[], bool],
    what: str,
    seconds: float = WAIT_SECONDS,
    progress: Callable[[], object] = lambda: None,
) -> None:
    """Ask again and again; AssertionError once ``progress`` has not changed for the time."""
    last, deadline = progress(), time.monotonic() + seconds
    while not is_so():
        if (now := progress()) != last:
            last, deadline = now, time.monotonic() + seconds
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s for {what}"
        time.sleep(0.05)
