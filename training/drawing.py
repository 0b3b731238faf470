"""The picture of a model's card: its calibration, and its strongest terms as curves. SVG, the same bytes for the same model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from engine.model.document import Axis, ModelDocument, Term
    from training.figures import CalibrationBin

TERMS_SHOWN: Final = 10
_COLUMNS: Final = 3


def draw(document: ModelDocument, calibration: Sequence[CalibrationBin], path: Path) -> None:
    """Draw the picture.

    Parameters
    ----------
    document : ModelDocument
        The model; its terms are in the order of their strength.
    calibration : Sequence[CalibrationBin]
        Of later payments; empty without any.
    path : Path
        Where the SVG goes.
    """
    import matplotlib as mpl  # takes a second: only where a picture is drawn
    from matplotlib.figure import Figure

    terms = document.terms[:TERMS_SHOWN]
    rows = -(-(len(terms) + 1) // _COLUMNS)
    with mpl.rc_context({"svg.hashsalt": "model-card", "svg.fonttype": "none", "font.size": 8}):
        figure = Figure(figsize=(3.4 * _COLUMNS, 2.7 * rows), layout="constrained")
        panels = np.ravel(figure.subplots(rows, _COLUMNS))
        _calibration(panels[0], calibration)
        for panel, term in zip(panels[1:], terms, strict=False):
            _term(panel, term)
        for panel in panels[len(terms) + 1 :]:
            panel.set_axis_off()
        figure.savefig(path, format="svg", metadata={"Date": None})


def _calibration(panel: Any, calibration: Sequence[CalibrationBin]) -> None:
    panel.plot([1e-4, 1], [1e-4, 1], color="#bbbbbb", linewidth=0.8)
    shown = [each for each in calibration if each.said > 0 and each.was > 0]
    panel.plot([each.said for each in shown], [each.was for each in shown], "o-", markersize=3)
    panel.set(
        title="calibration",
        xlabel="probability said",
        ylabel="share that was fraud",
        xscale="log",
        yscale="log",
    )


def _term(panel: Any, term: Term) -> None:
    names = [axis.feature for axis in term.axes]
    panel.set_title("\n".join(names))
    table = np.array(term.log_odds)
    if len(term.axes) == 1:
        (axis,) = term.axes
        labels = bin_names(axis)
        panel.step(range(len(labels)), table, where="mid")
        panel.axhline(0, color="#bbbbbb", linewidth=0.8)
        panel.set_ylabel("log-odds")
        _ticks(panel.set_xticks, labels)
        return
    first, second = term.axes
    image = panel.imshow(
        table.reshape(first.bins, second.bins),
        aspect="auto",
        origin="lower",
        cmap="RdBu_r",
        vmin=-float(np.abs(table).max()) or -1.0,
        vmax=float(np.abs(table).max()) or 1.0,
    )
    panel.figure.colorbar(image, ax=panel)
    panel.set(xlabel=second.feature, ylabel=first.feature)
    _ticks(panel.set_xticks, bin_names(second))
    _ticks(panel.set_yticks, bin_names(first))


def bin_names(axis: Axis) -> list[str]:
    """Name the bins of an axis, in their order."""
    if axis.values:
        return ["other", *(", ".join(texts) or "-" for texts in axis.values)]
    edges = [f"{edge:g}" for edge in axis.edges]
    return [*(f"to {edge}" for edge in edges), f"above {edges[-1]}" if edges else "all"]


def _ticks(set_ticks: Any, labels: list[str]) -> None:
    step = -(-len(labels) // 6)
    places = sorted({*range(0, len(labels), step), len(labels) - 1})
    set_ticks(places, [labels[place] for place in places], rotation=30, fontsize=6)
