"""Scores payments with a model's tables: one bisection a feature, one look-up a term."""

from __future__ import annotations

from bisect import bisect_left
from math import exp, fsum
from operator import itemgetter
from typing import TYPE_CHECKING, Final, NamedTuple

from engine.errors import InvalidModelError
from engine.features.catalogue import CATALOGUE, PLACES, Features
from engine.features.model import FRAUD_PROBABILITY
from engine.features.windows import rounded
from engine.model.document import Axis, decode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from contract.scored import FeatureValue
    from engine.features.definition import FeatureDefinition
    from engine.model.document import ModelDocument, Term

USABLE: Final = tuple(each for each in CATALOGUE if each.name != FRAUD_PROBABILITY)
"""What a model can be made from: every feature but its own."""

_SAMPLE_TOLERANCE: Final = 1.5e-4
"""One step of a rounded probability: two platforms' exponentials may differ in their last digit."""


class Contribution(NamedTuple):
    """What one term adds to a payment's log-odds, compared with the average payment."""

    features: tuple[str, ...]
    """The term's, one or two."""
    log_odds: float


class _Pair(NamedTuple):
    table: tuple[tuple[float, ...], ...]
    """By the bins of both features."""
    first: int
    second: int
    """Places of the features."""


class Model:
    """A checked model. Immutable; made by :func:`read_model`."""

    def __init__(self, sha256: str, document: ModelDocument) -> None:
        self._sha256 = sha256
        self._document = document
        self._calibration = document.calibration
        used = [each for each in document.features if each.type != "string"]
        texts = [each for each in document.features if each.type == "string"]
        names = [each.name for each in (*used, *texts)]
        places = {name: place for place, name in enumerate(names)}
        self._names = names
        self._edges = [_edges_of(each.name, document.terms) for each in used]
        self._texts = [_texts_of(each.name, document.terms) for each in texts]
        self._values = itemgetter(*names) if len(names) > 1 else None
        # A payment that is being decided has its features in order; to ask it by name takes ten times as long.
        self._in_order = itemgetter(*[PLACES[name] for name in names]) if len(names) > 1 else None
        singles = {term.axes[0].feature: term for term in document.terms if len(term.axes) == 1}
        self._singles = [
            tuple([singles[name].log_odds[row] for row in self._rows(places[name], singles[name].axes[0])])
            if name in singles
            else (0.0,) * self._bins(places[name])
            for name in names
        ]
        self._pair_features = [
            (term.axes[0].feature, term.axes[1].feature) for term in document.terms if len(term.axes) == 2
        ]
        self._pairs = [self._pair(term, places) for term in document.terms if len(term.axes) == 2]

    @property
    def sha256(self) -> str:
        """The model's name: 64 hexadecimal digits."""
        return self._sha256

    @property
    def document(self) -> ModelDocument:
        """What the model was made from, and its tables."""
        return self._document

    def fraud_probability(self, features: Mapping[str, FeatureValue]) -> float:
        """How likely a payment is fraud.

        Parameters
        ----------
        features : Mapping[str, FeatureValue]
            Every feature that the model uses, by name.

        Returns
        -------
        float
            0 to 1, rounded like a feature; never raises for values of the features' types.
        """
        bins = self._bins_of(features)
        parts = [table[place] for table, place in zip(self._singles, bins, strict=True)]
        parts += [table[bins[first]][bins[second]] for table, first, second in self._pairs]
        # fsum: the same sum in every version of Python and in any order.
        log_odds = self._calibration.slope * (self._document.intercept + fsum(parts))
        return rounded(1.0 / (1.0 + exp(-log_odds - self._calibration.offset)))

    def contributions(self, features: Mapping[str, FeatureValue]) -> list[Contribution]:
        """What each term adds to a payment's log-odds.

        Parameters
        ----------
        features : Mapping[str, FeatureValue]
            As for :meth:`fraud_probability`.

        Returns
        -------
        list[Contribution]
            Calibrated: with the intercept and the offset they add up to the log-odds of the probability. Of a feature without a term of
            its own there is one of 0.
        """
        bins, slope = self._bins_of(features), self._calibration.slope
        singles = zip(self._names, self._singles, bins, strict=True)
        pairs = zip(self._pair_features, self._pairs, strict=True)
        return [
            *(Contribution((name,), slope * table[place]) for name, table, place in singles),
            *(
                Contribution(names, slope * pair.table[bins[pair.first]][bins[pair.second]])
                for names, pair in pairs
            ),
        ]

    def binned(self, features: Mapping[str, FeatureValue]) -> Iterator[tuple[str, int]]:
        """Each feature with the bin of its value; the bins of a feature are those of all its terms together."""
        return zip(self._names, self._bins_of(features), strict=True)

    @property
    def bin_counts(self) -> dict[str, int]:
        """Feature to how many bins it has."""
        return {name: self._bins(place) for place, name in enumerate(self._names)}

    def _bins_of(self, features: Mapping[str, FeatureValue]) -> list[int]:
        if self._in_order and isinstance(features, Features):
            values = self._in_order(features.in_order)
        else:
            values = self._values(features) if self._values else (features[self._names[0]],)
        bins = list(map(bisect_left, self._edges, values))
        if self._texts:
            bins += [
                text.get(str(value), 0) for text, value in zip(self._texts, values[len(bins) :], strict=True)
            ]
        return bins

    def _bins(self, place: int) -> int:
        if place < len(self._edges):
            return len(self._edges[place]) + 1
        return max(self._texts[place - len(self._edges)].values(), default=0) + 1

    def _rows(self, place: int, axis: Axis) -> list[int]:
        """The axis's bin of each of the feature's bins, which are those of all its axes together."""
        if place < len(self._edges):
            edges = self._edges[place]
            return [bisect_left(axis.edges, edge) for edge in edges] + [len(axis.edges)]
        own = {text: row for row, texts in enumerate(axis.values, 1) for text in texts}
        texts = self._texts[place - len(self._edges)]
        return [0, *(own.get(text, 0) for text in texts)]

    def _pair(self, term: Term, places: Mapping[str, int]) -> _Pair:
        one, two = term.axes
        first, second = places[one.feature], places[two.feature]
        columns = self._rows(second, two)
        rows = [
            tuple([term.log_odds[row * two.bins + column] for column in columns]) for row in range(one.bins)
        ]
        return _Pair(tuple([rows[row] for row in self._rows(first, one)]), first, second)


def _edges_of(feature: str, terms: Sequence[Term]) -> tuple[float, ...]:
    """All edges of a feature: one bisection gives its bins in every term."""
    return tuple(
        sorted(
            {edge for term in terms for axis in term.axes if axis.feature == feature for edge in axis.edges}
        )
    )


def _texts_of(feature: str, terms: Sequence[Term]) -> dict[str, int]:
    """All texts of a feature that some term names, each in a bin of its own."""
    texts = sorted(
        {
            text
            for term in terms
            for axis in term.axes
            if axis.feature == feature
            for values in axis.values
            for text in values
        }
    )
    return {text: place for place, text in enumerate(texts, 1)}


def read_model(data: bytes, source: str, catalogue: Sequence[FeatureDefinition] = USABLE) -> Model:
    """Read and check a model's document.

    Parameters
    ----------
    data : bytes
        As stored, at most :data:`engine.model.document.MAX_MODEL_BYTES`.
    source : str
        The document's name in messages.
    catalogue : Sequence[FeatureDefinition]
        The features that it can use here.

    Returns
    -------
    Model
        It scores the payments that the document records as its trainer did.

    Raises
    ------
    InvalidModelError
        With every problem, each naming its place.
    """
    sha256, document = decode(data, source, catalogue)
    model = Model(sha256, document)
    problems = []
    names = [each.name for each in document.features]
    for place, sample in enumerate(document.sample):
        try:
            found = model.fraud_probability(dict(zip(names, sample.values, strict=True)))
        except TypeError as error:
            problems.append(f"$.sample[{place}].values: {error}")
            continue
        if not abs(found - sample.fraud_probability) <= _SAMPLE_TOLERANCE:
            problems.append(
                f"$.sample[{place}]: the tables give {found:g}; recorded is {sample.fraud_probability:g}"
            )
    if problems:
        raise InvalidModelError(source, tuple(problems))
    return model
