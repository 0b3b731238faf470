"""Faults of the machine: its wall clock is set, its disk is full."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from .fault import wait_for_calls
from .site import FUNCTIONS, Site

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from contract.scored import ScoredTransaction

HOUR_SECONDS = 3600.0
NEARLY_AN_HOUR = timedelta(minutes=55)


@contextmanager
def step_clock(site: Site, seed: int, *, hours: int) -> Iterator[None]:
    """All functions' clocks are set in the middle of their work, and set right in the middle of it or after all of it, by the seed."""
    wait_for_calls(site, seed)
    for function in FUNCTIONS:
        site.mapping(function).control.set_clock(hours * HOUR_SECONDS)
    yield
    if seed % 2:
        wait_for_calls(site, seed)
    else:
        site.be_quiet()
    for function in FUNCTIONS:
        site.mapping(function).control.set_clock(0)


def shows_step(rows: Sequence[ScoredTransaction], *, hours: int) -> bool:
    """Whether some payments were decided by the wrong clock, compared with Kafka's."""
    return any((row.scored_at - row.appended_at) * hours > NEARLY_AN_HOUR for row in rows)


@contextmanager
def fill_disk(site: Site, _: int) -> Iterator[None]:
    """From its start on, no function can write a byte to any file."""
    for function in FUNCTIONS:
        site.mapping(function).control.fill_disk(True)
        site.mapping(function).kill_workers()
    yield
    site.be_quiet()
    for function in FUNCTIONS:
        control = site.mapping(function).control
        assert control.disk_refusals > 0, function
        control.fill_disk(False)
        site.mapping(function).kill_workers()
