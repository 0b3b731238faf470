"""Plots as SVG text: lines over a linear or logarithmic axis, and bars. Pure, and the same input gives the same bytes."""

from __future__ import annotations

from html import escape
from itertools import pairwise
from math import ceil, floor, log10
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH: Final = 720
HEIGHT: Final = 400
LEFT: Final = 78
RIGHT: Final = 150
TOP: Final = 46
BOTTOM: Final = 56
COLOURS: Final = ("#2f6fab", "#c2452d", "#3a8f5c", "#8a6bb1", "#b8862b")
"""Told apart by people who see no red or green, too: they differ in lightness."""
_MAX_TICKS: Final = 6


class Line(msgspec.Struct, frozen=True):
    """One line of a chart."""

    name: str
    points: tuple[tuple[float, float], ...]


class Axis(msgspec.Struct, frozen=True):
    """What an axis shows."""

    label: str
    log: bool = False
    ticks: tuple[float, ...] = ()
    """Where it is labelled; by itself where empty."""


class Bar(msgspec.Struct, frozen=True):
    """One bar."""

    name: str
    value: float


def line_chart(title: str, x: Axis, y: Axis, lines: Sequence[Line]) -> str:
    """Draw lines; each is named at its end.

    Parameters
    ----------
    title : str
        Above the plot.
    x, y : Axis
        A linear y axis begins at 0.
    lines : Sequence[Line]
        At least one, each of at least one point; all values above 0 on a logarithmic axis.

    Returns
    -------
    str
        An SVG document.
    """
    xs = [point[0] for line in lines for point in line.points]
    ys = [point[1] for line in lines for point in line.points]
    across = _Scale(x, min(xs), max(xs), LEFT, WIDTH - RIGHT)
    up = _Scale(y, min(ys) if y.log else 0.0, max(ys), HEIGHT - BOTTOM, TOP)
    parts = [_grid(across, up)]
    ends = _apart([up(line.points[-1][1]) for line in lines], 15)
    for line, colour, end in zip(lines, _colours(len(lines)), ends, strict=True):
        path = " ".join(f"{across(px):.1f},{up(py):.1f}" for px, py in line.points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        if len(line.points) <= 12:
            parts += [
                f'<circle cx="{across(px):.1f}" cy="{up(py):.1f}" r="3" fill="{colour}"/>'
                for px, py in line.points
            ]
        parts.append(_text(across(line.points[-1][0]) + 9, end + 4, line.name, fill=colour))
    return _document(title, x.label, y.label, parts)


def bar_chart(title: str, label: str, bars: Sequence[Bar]) -> str:
    """Draw horizontal bars from 0, each with its value; at least one, none negative."""
    row = 34
    height = TOP + row * len(bars) + 30
    left = 200
    largest = max(bar.value for bar in bars) or 1.0
    parts = []
    for place, (bar, colour) in enumerate(zip(bars, _colours(len(bars)), strict=True)):
        y = TOP + row * place
        width = (WIDTH - left - 110) * bar.value / largest
        parts.append(_text(left - 10, y + 17, bar.name, anchor="end"))
        parts.append(f'<rect x="{left}" y="{y}" width="{width:.1f}" height="24" fill="{colour}"/>')
        parts.append(_text(left + width + 7, y + 17, tick_text(bar.value)))
    return _document(title, label, "", parts, height)


def nice_ticks(low: float, high: float) -> list[float]:
    """Round numbers from ``low`` to at least ``high``, at most six or so.

    Examples
    --------
    >>> nice_ticks(0.0, 93.0)
    [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]
    """
    span = (high - low) or abs(high) or 1.0
    rough = span / (_MAX_TICKS - 1)
    power = 10.0 ** floor(log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)
    first, last = floor(low / step), ceil(high / step - 1e-9)
    return [round(number * step, 10) for number in range(first, max(last, first + 1) + 1)]


def tick_text(value: float) -> str:
    """Write a tick: ``1,000``, ``2.5``.

    Examples
    --------
    >>> tick_text(1000.0), tick_text(2.5), tick_text(0.0)
    ('1,000', '2.5', '0')
    """
    return f"{value:,.0f}" if value == round(value) or abs(value) >= 100 else f"{value:.3g}"


class _Scale:
    """Values of one axis to pixels."""

    def __init__(self, axis: Axis, low: float, high: float, start: float, stop: float) -> None:
        self.axis = axis
        if axis.ticks:
            self.ticks = list(axis.ticks)
        elif axis.log:
            self.ticks = [10.0**power for power in range(floor(log10(low)), ceil(log10(high)) + 1)]
        else:
            self.ticks = nice_ticks(low, high)
        low, high = min(low, self.ticks[0]), max(high, self.ticks[-1])
        self._low, self._high = self._at(low), self._at(high)
        self._start, self._stop = start, stop

    def __call__(self, value: float) -> float:
        span = (self._high - self._low) or 1.0
        return self._start + (self._at(value) - self._low) / span * (self._stop - self._start)

    def _at(self, value: float) -> float:
        return log10(value) if self.axis.log else value


def _grid(across: _Scale, up: _Scale) -> str:
    parts = []
    for tick in up.ticks:
        y = up(tick)
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#e3e3e3"/>')
        parts.append(_text(LEFT - 8, y + 4, tick_text(tick), anchor="end"))
    base = HEIGHT - BOTTOM
    parts += [_text(across(tick), base + 18, tick_text(tick), anchor="middle") for tick in across.ticks]
    parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{base}" y2="{base}" stroke="#666"/>')
    return "".join(parts)


def _apart(places: Sequence[float], least: float) -> list[float]:
    """Move labels down until none covers another; as long as ``places``, in their order."""
    order = sorted(range(len(places)), key=lambda index: places[index])
    moved = list(places)
    for before, after in pairwise(order):
        moved[after] = max(moved[after], moved[before] + least)
    return moved


def _colours(count: int) -> list[str]:
    return [COLOURS[index % len(COLOURS)] for index in range(count)]


def _text(x: float, y: float, text: str, *, anchor: str = "start", fill: str = "#333") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{fill}">{escape(text)}</text>'


def _document(title: str, x_label: str, y_label: str, parts: Sequence[str], height: int = HEIGHT) -> str:
    middle = (LEFT + WIDTH - RIGHT) / 2
    vertical = (
        f'<text transform="translate(18 {(TOP + height - BOTTOM) / 2:.0f}) rotate(-90)" text-anchor="middle" '
        f'fill="#333">{escape(y_label)}</text>'
        if y_label
        else ""
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'font-family="sans-serif" font-size="12" role="img">\n<title>{escape(title)}</title>\n'
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>\n'
        f'<text x="{LEFT}" y="24" font-size="15" fill="#111">{escape(title)}</text>\n'
        + "\n".join(parts)
        + f"\n{_text(middle, height - 12, x_label, anchor='middle')}\n{vertical}\n</svg>\n"
    )
