"""The measures along the threshold as a plot: SVG, drawn by matplotlib, the same bytes for the same figures."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

    from engine.rules.ruleset import Thresholds
    from lab.backtest.ranking import RankingMeasures

_SHARES: Final = (("precision", "-"), ("recall", "--"), ("value_recall", ":"))
"""A measure and its line: the lines differ without colours."""


def draw_curve(
    measures: RankingMeasures, thresholds: Thresholds, path: Path, title: str, *, is_labelled: bool = True
) -> None:
    """Draw a ruleset's curve.

    Parameters
    ----------
    measures : RankingMeasures
        The figures.
    thresholds : Thresholds
        The ruleset's own, marked in the plot.
    path : Path
        Where the SVG goes; its folder is made if missing.
    title : str
        Above the plot.
    is_labelled : bool
        Whether precision and recall are known; if not, only alerts are drawn.
    """
    import matplotlib as mpl  # takes a second: only where a plot is drawn
    from matplotlib.figure import Figure

    at = [each.threshold for each in measures.curve]
    with mpl.rc_context({"svg.hashsalt": "threshold-curve", "svg.fonttype": "none", "font.size": 9}):
        figure = Figure(figsize=(7.2, 4.2), layout="constrained")
        alerts = figure.subplots()
        alerts.plot(at, [each.alerts_a_day for each in measures.curve], color="#999999", label="alerts a day")
        alerts.set(xlabel="threshold, points", ylabel="alerts a day", xlim=(0, max(at)), title=title)
        alerts.set_ylim(bottom=0)
        lines = [*alerts.get_lines()]
        if is_labelled:
            shares = alerts.twinx()
            for name, style in _SHARES:
                values = [getattr(each, name) for each in measures.curve]
                heights = [math.nan if value is None else value for value in values]
                lines += shares.plot(at, heights, style, label=name.replace("_", " "))
            shares.set(ylabel="share", ylim=(0, 1.02))
        for name in ("review", "block"):
            threshold = getattr(thresholds, name)
            alerts.axvline(threshold, color="#cccccc", linewidth=0.8)
            alerts.annotate(
                f" {name}", (threshold, 0.01), xycoords=("data", "axes fraction"), color="#666666"
            )
        figure.legend(handles=lines, loc="outside lower center", ncols=len(lines), frameon=False)
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, format="svg", metadata={"Date": None})
