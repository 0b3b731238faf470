"""Charts as SVG files, drawn by matplotlib from plain numbers.

The same numbers give the same bytes with one version of matplotlib. Importing this module imports matplotlib, which takes a
second or more, so the command lines import it only to draw.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import matplotlib as mpl
import msgspec
from cycler import cycler
from matplotlib import style
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, LogLocator, NullLocator, StrMethodFormatter

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.axis import Axis as MatplotlibAxis

COLOURS: Final = mpl.color_sequences["petroff10"]
"""Ten colours that people with colour blindness can distinguish (Petroff 2021, arXiv:2107.02270)."""
STYLE: Final[dict[str, Any]] = {
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.prop_cycle": cycler(linestyle=["-", "--"]) * cycler(color=COLOURS),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "figure.constrained_layout.use": True,
    "figure.figsize": (8.0, 4.5),
    "font.sans-serif": ["DejaVu Sans"],
    "grid.color": "#e3e3e3",
    "legend.frameon": False,
    # White on a dark page as well: the text is black.
    "savefig.facecolor": "white",
    # Element ids are random without it.
    "svg.hashsalt": "charts",
    # Text stays text: files are small, differences can be read, labels can be searched.
    "svg.fonttype": "none",
    "text.parse_math": False,
}
"""Applied over matplotlib's defaults, because a user's own settings would change the bytes."""
MARKED_POINTS: Final = 12
"""A line with at most this many points marks each of them."""

_NUMBERS: Final = "{x:,.10g}"
_ONE_LINE_INCHES: Final = 0.45
_BAR_MARGIN_INCHES: Final = 1.2


class Line(msgspec.Struct, frozen=True):
    """One line of a chart."""

    name: str
    points: Sequence[tuple[float, float]]
    """(x, y), at least one."""


class Axis(msgspec.Struct, frozen=True):
    """What an axis shows."""

    label: str
    log: bool = False
    ticks: tuple[float, ...] = ()
    """Where the axis is labelled; matplotlib chooses if empty."""


def line_chart(title: str, x: Axis, y: Axis, lines: Sequence[Line]) -> Figure:
    """Draw lines, with a legend in the order in which they end, highest first.

    Parameters
    ----------
    title : str
        Above the plot.
    x, y : Axis
        A linear y axis begins at 0.
    lines : Sequence[Line]
        At least one. All values are above 0 on a logarithmic axis.

    Raises
    ------
    ValueError
        Without lines, and if a line has no points.
    """
    if not lines:
        raise ValueError(f"chart {title!r}: no lines")
    with style.context(["default", STYLE]):
        figure = Figure()
        axes = figure.add_subplot()
        drawn = []
        for line in lines:
            if not line.points:
                raise ValueError(f"chart {title!r}: line {line.name!r} has no points")
            marker = "o" if len(line.points) <= MARKED_POINTS else None
            drawn += axes.plot(*zip(*line.points, strict=True), label=line.name, marker=marker)
        _set_axis(axes, axes.xaxis, x)
        _set_axis(axes, axes.yaxis, y)
        if not y.log:
            axes.set_ylim(bottom=0)
        axes.set_title(title)
        ends = [line.points[-1][1] for line in lines]
        order = sorted(range(len(lines)), key=lambda place: -ends[place])
        figure.legend(handles=[drawn[place] for place in order], loc="outside right upper")
    return figure


def bar_chart(title: str, label: str, values: Mapping[str, float]) -> Figure:
    """Draw horizontal bars from 0, the first on top, each with its value at its end.

    Parameters
    ----------
    title, label : str
        Above the plot; below the axis of the values.
    values : Mapping[str, float]
        By name, at least one, none negative.

    Raises
    ------
    ValueError
        Without values.
    """
    if not values:
        raise ValueError(f"chart {title!r}: no bars")
    with style.context(["default", STYLE]):
        figure = Figure(figsize=(8.0, _BAR_MARGIN_INCHES + _ONE_LINE_INCHES * len(values)))
        axes = figure.add_subplot()
        bars = axes.barh(list(values), list(values.values()), color=COLOURS[: len(values)])
        axes.bar_label(bars, labels=[_short(value) for value in values.values()], padding=4)
        axes.grid(visible=False)
        axes.invert_yaxis()
        axes.xaxis.set_major_formatter(StrMethodFormatter(_NUMBERS))
        axes.set_xlabel(label)
        axes.set_title(title)
    return figure


def write_charts(charts: Mapping[str, Figure], folder: Path) -> list[Path]:
    """Write charts as SVG.

    Parameters
    ----------
    charts : Mapping[str, Figure]
        By file name without ``.svg``.
    folder : Path
        Made if it does not exist.

    Returns
    -------
    list[Path]
        The files, in the order of ``charts``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for name, figure in charts.items():
        file = folder / f"{name}.svg"
        # Without date and version, a chart that is drawn again from the same numbers does not change.
        metadata = {"Date": None, "Creator": None, "Title": figure.axes[0].get_title(loc="left")}
        with style.context(["default", STYLE]):
            figure.savefig(file, format="svg", metadata=metadata)
        files.append(file)
    return files


def _set_axis(axes: Axes, drawn: MatplotlibAxis, axis: Axis) -> None:
    drawn.set_label_text(axis.label)
    if axis.log:
        (axes.set_xscale if drawn is axes.xaxis else axes.set_yscale)("log")
        drawn.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        drawn.set_minor_locator(NullLocator())
    if axis.ticks:
        drawn.set_major_locator(FixedLocator(axis.ticks))
    drawn.set_major_formatter(StrMethodFormatter(_NUMBERS))


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
