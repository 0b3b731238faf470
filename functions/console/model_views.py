"""View model of the model's page: what it was made from, what it makes of each feature as curves, and whether payments are still like those it learnt from. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

import msgspec

from console.views import shown_time
from engine.model.drift import MIN_PAYMENTS, SHIFTED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from contract.authoring import SideOutline
    from engine.model.document import Axis, ModelDocument, Term
    from engine.model.drift import Drift, InputCounts

WIDTH: Final = 320
"""Units of a curve's picture."""
HEIGHT: Final = 120
_MARGIN: Final = 8.0

CELL: Final = 16
"""Units of a cell in the picture of two features."""

MAX_PAIRS: Final = 24
"""Terms of two features that are drawn: those that move the probability most."""
MAX_DRIFTS: Final = 15
"""Inputs whose drift is listed, the largest first."""

_MOVED: Final = 0.1
_TRUTH_BINS: Final = ("false", "true")


class Curve(msgspec.Struct, frozen=True):
    """What the model makes of one feature."""

    feature: str
    sentence: str
    points: str
    """Of an SVG polyline: a step for each bin."""
    zero: float
    """Where log-odds of 0 are drawn."""
    bins: tuple[tuple[str, str], ...]
    """In words: a bin, and its log-odds."""
    span: float
    """From the lowest to the highest log-odds."""
    drift: str


class Cell(msgspec.Struct, frozen=True):
    """A cell of two features."""

    x: int
    y: int
    kind: str
    """``more`` or ``less`` likely fraud."""
    opacity: str
    words: str


class Pair(msgspec.Struct, frozen=True):
    """What the model makes of two features together, beside what it makes of each."""

    features: str
    width: int
    height: int
    cells: tuple[Cell, ...]
    lowest: str
    highest: str
    span: float


class ModelView(msgspec.Struct, frozen=True):
    """The page."""

    name: str
    facts: tuple[tuple[str, str], ...]
    curves: tuple[Curve, ...]
    pairs: tuple[Pair, ...]
    pairs_left: int
    drift: str
    drifts: tuple[tuple[str, str, str], ...]
    """Feature, population stability index, in words."""
    invalid: tuple[tuple[str, str], ...]
    """Fields that could not be used, and for which share of the payments."""


def model_view(
    sha256: str,
    document: ModelDocument,
    side: SideOutline,
    drift: Drift | None,
    inputs: InputCounts,
    sentences: Mapping[str, str],
) -> ModelView:
    """Show a model.

    Parameters
    ----------
    sha256 : str
        Its name.
    document : ModelDocument
        What it is.
    side : SideOutline
        The ruleset that uses it.
    drift : Drift | None
        Of the last day; None where its training window is not kept.
    inputs : InputCounts
        Of the same day.
    sentences : Mapping[str, str]
        Feature to what it is.
    """
    moved = {} if drift is None else drift.features
    types = {each.name: each.type for each in document.features}
    curves = [_curve(term, types, sentences, moved) for term in document.terms if len(term.axes) == 1]
    pairs = sorted(
        (_pair(term, types) for term in document.terms if len(term.axes) > 1),
        key=lambda pair: -pair.span,
    )
    return ModelView(
        name=sha256[:12],
        facts=tuple(_facts(document, side)),
        curves=tuple(sorted(curves, key=lambda curve: -curve.span)),
        pairs=tuple(pairs[:MAX_PAIRS]),
        pairs_left=max(len(pairs) - MAX_PAIRS, 0),
        drift=_drift_text(drift, inputs),
        drifts=tuple(_drifts(drift)),
        invalid=tuple(_invalid(inputs)),
    )


def _facts(document: ModelDocument, side: SideOutline) -> Iterator[tuple[str, str]]:
    training, calibration = document.training, document.calibration
    left_out = f"; {training.left_out:,} were left out, blocked and never judged" if training.left_out else ""
    yield "Payments", f"{training.payments:,}, of which {training.frauds:,} were known to be fraud{left_out}"
    yield "Their time", f"{_time(training.first)} to {_time(training.last)}"
    yield "Labels", f"as they were known at {_time(training.labels_until)}"
    yield "Rules beside it", training.ruleset
    yield "Amounts", f"in {document.base_currency}"
    yield "Features and terms", f"{len(document.features)} and {len(document.terms)}"
    yield "Calibration", f"slope {calibration.slope:g}, offset {calibration.offset:g}"
    if side.points:
        low, high = side.points[0], side.points[-1]
        yield (
            "Points",
            f"{low[1]:+d} from a probability of {low[0]:.2%}, up to {high[1]:+d} from {high[0]:.2%}, in {len(side.points)} steps",
        )
    else:
        yield "Points", "none: its probability is only recorded, and used by conditions"


def _time(text: str) -> str:
    return shown_time(datetime.fromisoformat(text))


def _curve(
    term: Term, types: Mapping[str, str], sentences: Mapping[str, str], moved: Mapping[str, float]
) -> Curve:
    (axis,) = term.axes
    low, high = min(*term.log_odds, 0.0), max(*term.log_odds, 0.0)
    span = high - low or 1.0
    step = (WIDTH - 2 * _MARGIN) / len(term.log_odds)
    points = []
    for place, value in enumerate(term.log_odds):
        y = _MARGIN + (high - value) / span * (HEIGHT - 2 * _MARGIN)
        x = _MARGIN + place * step
        points += [f"{x:.1f},{y:.1f}", f"{x + step:.1f},{y:.1f}"]
    index = moved.get(axis.feature)
    names = bin_names(axis, types.get(axis.feature, ""))
    return Curve(
        feature=axis.feature,
        sentence=sentences.get(axis.feature, ""),
        points=" ".join(points),
        zero=round(_MARGIN + high / span * (HEIGHT - 2 * _MARGIN), 1),
        bins=tuple((name, f"{value:+.2f}") for name, value in zip(names, term.log_odds, strict=True)),
        span=max(term.log_odds) - min(term.log_odds),
        drift="" if index is None else f"{index:.2f}{_word(index)}",
    )


def bin_names(axis: Axis, kind: str) -> list[str]:
    """Name the bins of an axis in words."""
    if axis.values:
        return ["all others", *(", ".join(values) for values in axis.values)]
    if kind == "bool" and axis.bins == len(_TRUTH_BINS):
        return list(_TRUTH_BINS)
    if not axis.edges:
        return ["all"]
    edges = [f"{edge:,.6g}" for edge in axis.edges]
    return [f"up to {edge}" for edge in edges] + [f"above {edges[-1]}"]


def _pair(term: Term, types: Mapping[str, str]) -> Pair:
    down, across = term.axes
    rows, columns = (bin_names(axis, types.get(axis.feature, "")) for axis in term.axes)
    largest = max(map(abs, term.log_odds), default=0.0) or 1.0
    cells = tuple(
        Cell(
            x=place % across.bins * CELL,
            y=place // across.bins * CELL,
            kind="more" if value > 0 else "less",
            opacity=f"{abs(value) / largest:.2f}",
            words=f"{down.feature} {rows[place // across.bins]}, {across.feature} {columns[place % across.bins]}: {value:+.2f}",
        )
        for place, value in enumerate(term.log_odds)
    )
    ends = [term.log_odds.index(end(term.log_odds)) for end in (min, max)]
    return Pair(
        features=f"{down.feature} (down) and {across.feature} (across)",
        width=across.bins * CELL,
        height=down.bins * CELL,
        cells=cells,
        lowest=cells[ends[0]].words,
        highest=cells[ends[1]].words,
        span=max(term.log_odds) - min(term.log_odds),
    )


def _drift_text(drift: Drift | None, inputs: InputCounts) -> str:
    counted = f"{inputs.payments:,} payments of the last day were counted, one in 16."
    if drift is None:
        return f"{counted} Its training window is not kept, so nothing can be compared."
    if drift.score is None:
        return f"{counted} They are compared with the training window from {MIN_PAYMENTS:,} on."
    return (
        f"{counted} The probability's distribution: a population stability index of {drift.score:.3f} against the training "
        f"window{_word(drift.score)}. From {_MOVED} on it has moved, from {SHIFTED} on it is another one."
    )


def _drifts(drift: Drift | None) -> Iterator[tuple[str, str, str]]:
    for name, index in list({} if drift is None else drift.features.items())[:MAX_DRIFTS]:
        yield name, f"{index:.3f}", _word(index).removeprefix(": ")


def _invalid(inputs: InputCounts) -> Sequence[tuple[str, str]]:
    by_count = sorted(inputs.invalid_fields.items(), key=lambda item: (-item[1], item[0]))
    return [(field, f"{count / inputs.payments:.2%}") for field, count in by_count]


def _word(index: float) -> str:
    return ": another distribution" if index >= SHIFTED else ": moved" if index >= _MOVED else ""
