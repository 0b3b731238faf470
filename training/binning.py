"""Cuts each feature into few bins: the only places at which a model's tables may change."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

MAX_PLAIN: Final = 24
"""A feature of at most so many values has an edge between each two."""
_PLACES: Final = np.r_[0.01, 0.03, np.linspace(1 / 16, 15 / 16, 15), 0.97, 0.99, 0.995, 0.999]
"""Shares of the payments below the edges, among honest ones and among frauds: fine where few are."""
MAX_TEXTS: Final = 24
MIN_OF_TEXT: Final = 50
"""Payments of a text that has a bin of its own."""
_SMOOTHING: Final = 20.0
"""Payments of the usual share of fraud that are added to those of a text."""


class Bins(NamedTuple):
    """The bins of one feature."""

    edges: tuple[float, ...]
    """Ascending; none of text."""
    texts: tuple[str | None, ...]
    """Of text: that of each bin, from the least to the most suspicious; None is every other text. Empty of numbers."""

    @property
    def size(self) -> int:
        """How many bins there are."""
        return len(self.texts) or len(self.edges) + 1


def bins_of_numbers(values: npt.NDArray[np.float64], is_fraud: npt.NDArray[np.bool_]) -> Bins:
    """Cut numbers at their own values, or at the quantiles of honest payments and of frauds.

    Parameters
    ----------
    values, is_fraud : array
        One of each a payment.

    Returns
    -------
    Bins
        Edges of at most four digits; a value belongs to the first bin whose edge is not below it.
    """
    distinct = np.unique(values)
    if distinct.size <= MAX_PLAIN:
        edges = distinct[:-1]
    else:
        quantiles = [
            np.quantile(part, _PLACES, method="lower")
            for part in (values[~is_fraud], values[is_fraud])
            if part.size
        ]
        edges = np.concatenate(quantiles)
    short = {float(f"{edge:.4g}") for edge in edges.tolist()}
    return Bins(tuple(sorted(edge for edge in short if edge < distinct[-1])), ())


def bins_of_texts(
    places: npt.NDArray[np.float64],
    texts: tuple[str, ...],
    is_fraud: npt.NDArray[np.bool_],
    weight: npt.NDArray[np.float64],
) -> Bins:
    """Give the most frequent texts a bin each, ordered by their share of fraud; all others share one.

    Parameters
    ----------
    places : array
        By payment: the place of its text.
    texts : tuple[str, ...]
        The texts.
    is_fraud, weight : array
        By payment.
    """
    place = places.astype(np.int64)
    size = len(texts)
    rows = np.bincount(place, minlength=size)
    payments = np.bincount(place, weights=weight, minlength=size)
    frauds = np.bincount(place, weights=weight * is_fraud, minlength=size)
    usual = frauds.sum() / max(payments.sum(), 1.0)
    frequent = sorted(
        (each for each in range(size) if rows[each] >= MIN_OF_TEXT),
        key=lambda each: (-rows[each], texts[each]),
    )[:MAX_TEXTS]
    shares: list[tuple[float, str | None]] = [(usual, None)]
    for each in frequent:
        share = (frauds[each] + _SMOOTHING * usual) / (payments[each] + _SMOOTHING)
        shares.append((float(share), texts[each]))
    ordered = sorted(shares, key=lambda each: (each[0], each[1] or ""))
    return Bins((), tuple(text for _, text in ordered))


def codes_of(bins: Bins, values: npt.NDArray[np.float64], texts: tuple[str, ...]) -> npt.NDArray[np.uint8]:
    """Give each value's bin."""
    if not bins.texts:
        return np.searchsorted(bins.edges, values, side="left").astype(np.uint8)
    other = bins.texts.index(None)
    places = {text: place for place, text in enumerate(bins.texts)}
    by_text = np.array([places.get(text, other) for text in texts], np.uint8)
    return by_text[values.astype(np.int64)]
