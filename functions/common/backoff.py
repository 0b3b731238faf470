"""The waits between tries: exponential, bounded, with full jitter.

Only the waits are shared. How many tries there are, and what ends them, is the caller's decision: time left in the invocation
(`score.history_store`), or a number of tries (`common.alert_windows`). Single requests are retried by botocore, as each client's
configuration says. `topic_admin.authorization_retry` uses a fixed interval until a deadline instead. How often Lambda delivers a
batch again is in each stage's ``function.yaml``, under ``trigger``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Backoff:
    """Waits a random share of a bound that doubles with each failed try.

    Full jitter: callers that failed together do not come back together (M. Brooker, "Exponential Backoff And Jitter", AWS
    Architecture Blog, 2015).

    Parameters
    ----------
    first_seconds : float
        The bound after the first failed try.
    longest_seconds : float
        The bound never exceeds this.
    wait : Callable[[float], None]
        Waits the given seconds; ``time.sleep``.
    draw : Callable[[], float]
        Gives a number in [0, 1); ``random.random``.
    """

    def __init__(
        self,
        first_seconds: float,
        longest_seconds: float,
        wait: Callable[[float], None],
        draw: Callable[[], float],
    ) -> None:
        self._first_seconds = first_seconds
        self._longest_seconds = longest_seconds
        self._wait = wait
        self._draw = draw

    def pause(self, failed_before: int) -> None:
        """Wait once.

        Parameters
        ----------
        failed_before : int
            Failed tries before the one that has just failed, so 0 after the first.
        """
        bound = min(self._longest_seconds, self._first_seconds * 2**failed_before)
        self._wait(self._draw() * bound)
