"""Waits between tries double from a first bound to a longest one, and are drawn from below it."""

from __future__ import annotations

import pytest

from common.backoff import Backoff


@pytest.mark.parametrize(
    ("failed_before", "bound"), [(0, 0.25), (1, 0.5), (2, 1.0), (3, 2.0), (4, 3.0), (5, 3.0), (50, 3.0)]
)
def test_the_bound_doubles_with_each_failed_try_up_to_the_longest(failed_before: int, bound: float) -> None:
    waits: list[float] = []

    Backoff(0.25, 3.0, waits.append, lambda: 1.0).pause(failed_before)

    assert waits == [bound]


@pytest.mark.parametrize("share", [0.0, 0.25, 0.999])
def test_the_wait_is_the_drawn_share_of_the_bound(share: float) -> None:
    waits: list[float] = []

    Backoff(0.25, 3.0, waits.append, lambda: share).pause(2)

    assert waits == [share * 1.0]
