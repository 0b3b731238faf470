"""Plots as shapes in a coordinate system of their own; a template makes SVG of them. Pure.

Their colours are classes of the stylesheet, so that they are readable on a light and on a dark page.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil, floor, isfinite, log10
from typing import Final

import msgspec

WIDTH: Final = 480
HEIGHT: Final = 270
_LEFT: Final = 52
_RIGHT: Final = 14
_TOP: Final = 20
_BOTTOM: Final = 44
_TICKS: Final = 5
_LONGEST: Final = 16
"""Letters of a name beside or below an axis."""
_LETTER: Final = 7
"""Width of a letter, about."""
_WIDE_LETTER: Final = 8
"""Of a text that nothing may cut off."""


class Stroke(msgspec.Struct, frozen=True):
    """A line along a path."""

    path: str
    css: str


class Box(msgspec.Struct, frozen=True):
    """A filled rectangle."""

    x: float
    y: float
    width: float
    height: float
    css: str
    title: str
    """Shown where a pointer rests on it."""


class Label(msgspec.Struct, frozen=True):
    """Text at a place."""

    x: float
    y: float
    text: str
    anchor: str = "middle"
    """``start``, ``middle`` or ``end``."""


class Key(msgspec.Struct, frozen=True):
    """What a line of a plot is."""

    css: str
    name: str


class Drawing(msgspec.Struct, frozen=True):
    """A plot."""

    width: int
    height: int
    strokes: tuple[Stroke, ...] = ()
    boxes: tuple[Box, ...] = ()
    labels: tuple[Label, ...] = ()
    keys: tuple[Key, ...] = ()
    """Beside the plot; empty where its caption says it."""


class Line(msgspec.Struct, frozen=True):
    """A line of a plot."""

    name: str
    points: Sequence[tuple[float, float]]
    """(x, y); places without a figure are left out."""


class Axis(msgspec.Struct, frozen=True):
    """An axis from ``low`` to ``high``."""

    label: str
    low: float
    high: float
    is_log: bool = False
    """Both ends are above 0 then."""
    write: Callable[[float], str] = "{:g}".format
    """Writes a tick."""

    def place(self, value: float) -> float:
        """Where a value is, 0 at the low end to 1 at the high one; outside it is at the end."""
        low, high = self.low, self.high
        if self.is_log:
            low, high, value = log10(low), log10(high), log10(max(value, low))
        return min(max((value - low) / (high - low), 0.0), 1.0) if high > low else 0.0

    def ticks(self) -> list[float]:
        """Round values within the ends, at most about :data:`_TICKS`; powers of ten of a logarithmic axis."""
        if self.is_log:
            return [10.0**power for power in range(ceil(log10(self.low)), floor(log10(self.high)) + 1)]
        step = round_step((self.high - self.low) / _TICKS)
        first, last = ceil(self.low / step), floor(self.high / step + 1e-9)
        return [place * step for place in range(first, last + 1)]


def round_step(least: float) -> float:
    """The smallest of 1, 2 and 5 times a power of ten that is not below ``least``.

    >>> round_step(0.17), round_step(23.0), round_step(5.0)
    (0.2, 50.0, 5.0)
    """
    if not (least > 0 and isfinite(least)):
        return 1.0
    power = 10.0 ** floor(log10(least))
    return next(
        float(f"{factor * power:.9g}") for factor in (1, 2, 5, 10) if factor * power >= least * (1 - 1e-9)
    )


def line_plot(
    x: Axis,
    y: Axis,
    lines: Sequence[Line],
    marks: Sequence[tuple[float, str]] = (),
    *,
    diagonal: bool = False,
) -> Drawing:
    """Draw lines.

    Parameters
    ----------
    x, y : Axis
        The axes.
    lines : Sequence[Line]
        At most six; they differ by colour and by dashes.
    marks : Sequence[tuple[float, str]]
        Places on the x axis with their names.
    diagonal : bool
        Whether to draw the line on which x equals y.
    """
    frame = _Frame(x, y, WIDTH, HEIGHT)
    strokes = [*frame.strokes]
    labels = [*frame.labels]
    if diagonal:
        strokes.append(Stroke(frame.path([(x.low, y.low), (x.high, y.high)]), "axis"))
    for at, name in marks:
        strokes.append(Stroke(frame.path([(at, y.low), (at, y.high)]), "mark-line"))
        labels.append(Label(frame.x(at), _TOP - 6, name))
    strokes += [
        Stroke(frame.path(line.points), f"line line-{number}")
        for number, line in enumerate(lines, 1)
        if line.points
    ]
    keys = [Key(f"line line-{number}", line.name) for number, line in enumerate(lines, 1) if line.points]
    return Drawing(WIDTH, HEIGHT, tuple(strokes), (), tuple(labels), tuple(keys) if len(keys) > 1 else ())


def step_plot(names: Sequence[str], values: Sequence[float], y_label: str) -> Drawing:
    """Draw a curve of steps, one for each name.

    Parameters
    ----------
    names, values : Sequence
        Of equal length, at least one.
    y_label : str
        Of the values.
    """
    x = Axis("", 0, len(values))
    y = Axis(y_label, *_ends(values))
    frame = _Frame(x, y, WIDTH, HEIGHT, names_x=names)
    steps = [point for place, value in enumerate(values) for point in ((place, value), (place + 1, value))]
    zero = Stroke(frame.path([(0, 0), (len(values), 0)]), "axis")
    return Drawing(
        WIDTH,
        HEIGHT,
        (*frame.strokes, zero, Stroke(frame.path(steps), "line line-1")),
        (),
        tuple(frame.labels),
    )


def grid_plot(
    across: tuple[str, Sequence[str]], up: tuple[str, Sequence[str]], values: Sequence[Sequence[float]]
) -> Drawing:
    """Draw a grid of fields: the stronger the colour, the farther from 0; one colour above it and another below.

    Parameters
    ----------
    across, up : tuple[str, Sequence[str]]
        What the axis shows, and the names of its places.
    values : Sequence[Sequence[float]]
        By the place up, then by the place across.
    """
    x, y = Axis(across[0], 0, len(across[1])), Axis(up[0], 0, len(up[1]))
    frame = _Frame(x, y, WIDTH, HEIGHT, names_x=across[1], names_y=up[1])
    most = max((abs(value) for row in values for value in row), default=0.0) or 1.0
    boxes = [
        Box(
            *_rounded(
                frame.x(column),
                frame.y(row + 1),
                frame.x(column + 1) - frame.x(column),
                frame.y(row) - frame.y(row + 1),
            ),
            f"{'above' if value > 0 else 'below'} strength-{min(9, round(9 * abs(value) / most))}",
            f"{up[0]} {up[1][row]}, {across[0]} {across[1][column]}: {value:+.2f}",
        )
        for row, line in enumerate(values)
        for column, value in enumerate(line)
    ]
    return Drawing(WIDTH, HEIGHT, tuple(frame.strokes), tuple(boxes), tuple(frame.labels))


def bar_plot(bars: Sequence[tuple[str, float, str]], label: str) -> Drawing:
    """Draw bars that lie, the first on top.

    Parameters
    ----------
    bars : Sequence[tuple[str, float, str]]
        Name, value >= 0, and the value as people read it.
    label : str
        What the values are.
    """
    left = 12 + _WIDE_LETTER * max((len(name) for name, _, _ in bars), default=0)
    right = 16 + _WIDE_LETTER * max((len(text) for _, _, text in bars), default=0)
    step, most = 24, max((value for _, value, _ in bars), default=0.0) or 1.0
    width, height = max(WIDTH, left + right + 120), step * len(bars) + 30
    boxes, labels = [], []
    for place, (name, value, text) in enumerate(bars):
        length = (width - left - right) * value / most
        boxes.append(Box(*_rounded(left, place * step + 5, length, step - 8), "bar", f"{name}: {text}"))
        labels.append(Label(left - 6, place * step + 17, name, "end"))
        labels.append(Label(round(left + length + 6, 1), place * step + 17, text, "start"))
    labels.append(Label(left, height - 8, label, "start"))
    return Drawing(width, height, (), tuple(boxes), tuple(labels))


class _Frame:
    """The axes of a plot, and where values are in it."""

    def __init__(
        self,
        x: Axis,
        y: Axis,
        width: int,
        height: int,
        names_x: Sequence[str] = (),
        names_y: Sequence[str] = (),
    ) -> None:
        self._x, self._y, self._width, self._height = x, y, width, height
        names_x, names_y = [_short(name) for name in names_x], [_short(name) for name in names_y]
        self._left = _LEFT + (_LETTER * max(0, max(map(len, names_y), default=0) - 4))
        self.strokes = [Stroke(self.path([(x.low, y.high), (x.low, y.low), (x.high, y.low)]), "axis")]
        self.labels = [Label(4, 12, y.label, "start"), Label(self._left, height - 6, x.label, "start")]
        self._mark_x(names_x)
        self._mark_y(names_y)

    def x(self, value: float) -> float:
        return round(self._left + self._x.place(value) * (self._width - self._left - _RIGHT), 1)

    def y(self, value: float) -> float:
        return round(self._height - _BOTTOM - self._y.place(value) * (self._height - _TOP - _BOTTOM), 1)

    def path(self, points: Sequence[tuple[float, float]]) -> str:
        return "M" + "L".join(f"{self.x(x):g} {self.y(y):g}" for x, y in points)

    def _mark_x(self, names: Sequence[str]) -> None:
        below = self._height - _BOTTOM + 16
        if not names:
            self.labels += [Label(self.x(at), below, self._x.write(at)) for at in self._x.ticks()]
            return
        room = (self._width - self._left - _RIGHT) / len(names)
        every = ceil(_LETTER * (max(map(len, names)) + 1) / room)
        middle = [(self.x(place + 0.5), name) for place, name in enumerate(names)]
        self.labels += [Label(at, below, name) for at, name in middle[::every]]

    def _mark_y(self, names: Sequence[str]) -> None:
        beside = self._left - 6
        if not names:
            for at in self._y.ticks():
                self.strokes.append(Stroke(self.path([(self._x.low, at), (self._x.high, at)]), "grid"))
                self.labels.append(Label(beside, self.y(at) + 4, self._y.write(at), "end"))
            return
        every = ceil(16 * len(names) / (self._height - _TOP - _BOTTOM))
        self.labels += [
            Label(beside, self.y(place + 0.5) + 4, name, "end")
            for place, name in list(enumerate(names))[::every]
        ]


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"


def _ends(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(*values, 0.0), max(*values, 0.0)
    return (low, high) if high > low else (low, low + 1)


def _rounded(*numbers: float) -> tuple[float, float, float, float]:
    one, two, three, four = (round(max(number, 0.0), 1) for number in numbers)
    return one, two, three, four
