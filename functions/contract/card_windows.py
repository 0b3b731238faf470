"""Which windows of a run of digits are card numbers: by first digits, length, Luhn's check, and how the digits are grouped."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from contract.card_issuers import LENGTHS, PREFIX_DIGITS, SHORTEST, WIDE_LENGTHS, luhn_sums

if TYPE_CHECKING:
    from collections.abc import Iterator

_LENGTHS_WITHIN: Final = (15, 16)
"""Of a number with other digits on both sides, without a gap: of other lengths nearly all are found by chance."""

_SURE: Final = 3
"""The rank of a window that hardly is one by chance."""

_GROUPS_OF_CARDS: Final = frozenset(
    {(4, 4, 4, 4), (4, 4, 4, 4, 1), (4, 4, 4, 4, 2), (4, 4, 4, 4, 3), (4, 6, 5), (4, 6, 4), (4, 4, 5)}
)
"""Sizes of groups as cards have them printed."""


class Span(NamedTuple):
    """Digits of a run that are a card number, with those of windows that overlap it and may be one too."""

    first: int
    """Index of the first digit."""
    last: int
    """Index of the last one."""
    digits: str
    """The number, 12 to 19 ASCII digits."""


class _Window(NamedTuple):
    """Digits of a run that can be a card number, from ``start`` to before ``end``."""

    start: int
    end: int
    rank: int
    """How much it looks like one: 3 for groups as on a card or a group of its own, 2 for other whole groups, 1 where it begins with
    a group, else 0."""


def card_spans(digits: str, gaps: list[str]) -> list[Span]:
    """Find the card numbers of a run.

    Parameters
    ----------
    digits : str
        Of the run, ASCII.
    gaps : list[str]
        What is before each digit and after the last one, so one more than digits; empty within a group of digits.

    Returns
    -------
    list[Span]
        In their order, none overlapping another.

    Examples
    --------
    >>> card_spans("41111111111111111227", ["^", *[""] * 19, "$"])
    [Span(first=0, last=15, digits='4111111111111111')]
    """
    windows = _windows(digits, gaps)
    sure = [window for window in windows if window.rank == _SURE]
    covered = bytearray(len(digits))
    for window in sure:
        covered[window.start : window.end] = b"\x01" * (window.end - window.start)
    # What overlaps a sure one by chance ends in the middle of a neighbour, such as a time: that stays.
    others = [window for window in windows if not any(covered[window.start : window.end])]
    return sorted(_span_of(cluster, digits) for cluster in [*_clusters(sure), *_clusters(others)])


def _windows(digits: str, gaps: list[str]) -> list[_Window]:
    """Find the windows that may be card numbers, by where they begin."""
    ends_even, ends_odd = luhn_sums(digits)
    windows: list[_Window] = []
    for start in range(len(digits) - SHORTEST + 1):
        is_start = bool(gaps[start])
        lengths = (WIDE_LENGTHS if is_start else LENGTHS).get(digits[start : start + PREFIX_DIGITS])
        if lengths is None:
            continue
        for length in lengths:
            end = start + length
            if end > len(digits):
                continue
            sums = ends_odd if end % 2 else ends_even
            if (sums[end] - sums[start]) % 10 == 0 and _is_plausible(digits, gaps, start, end):
                windows.append(_Window(start, end, _rank(gaps, start, end)))
    return windows


def _clusters(windows: list[_Window]) -> Iterator[list[_Window]]:
    """Put windows that overlap, directly or by way of others, together."""
    cluster: list[_Window] = []
    reach = 0
    for window in windows:
        if cluster and window.start >= reach:
            yield cluster
            cluster = []
        cluster.append(window)
        reach = max(reach, window.end)
    if cluster:
        yield cluster


def _span_of(cluster: list[_Window], digits: str) -> Span:
    """Make one card number of windows that overlap: the most likely one's digits, in the place of all of them."""
    best = max(cluster, key=lambda window: (window.rank, window.end - window.start))
    last = max(window.end for window in cluster) - 1
    return Span(cluster[0].start, last, digits[best.start : best.end])


def _rank(gaps: list[str], start: int, end: int) -> int:
    if not gaps[start] or not gaps[end]:
        return int(bool(gaps[start]))
    breaks = [index for index in range(start + 1, end) if gaps[index]]
    return _SURE if not breaks or _is_printed(start, breaks, end) else 2


def _is_plausible(digits: str, gaps: list[str], start: int, end: int) -> bool:
    """Whether the gaps in and around a window leave it possible that it is one number."""
    breaks = [index for index in range(start + 1, end) if gaps[index]]
    is_narrow = end - start in LENGTHS.get(digits[start : start + PREFIX_DIGITS], ())
    if not gaps[start] and not gaps[end] and end - start not in _LENGTHS_WITHIN:
        return False
    if gaps[start] and (is_narrow or gaps[end]):
        # In the wide ranges only what one hand wrote with one kind of gap: not a date beside an amount.
        return is_narrow or len({gaps[index] for index in breaks}) <= 1 or _is_printed(start, breaks, end)
    return is_narrow and (not breaks or _is_printed(start, breaks, end))


def _is_printed(start: int, breaks: list[int], end: int) -> bool:
    """Whether groups have the sizes that cards have them printed in."""
    edges = pairwise([start, *breaks, end])
    return tuple(after - before for before, after in edges) in _GROUPS_OF_CARDS
