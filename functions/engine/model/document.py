"""A model's document: JSON that holds tables and what they were made from. Read and checked as a whole.

The document is ``{"sha256": …, "model": {…}}``; the digest is that of the bytes of ``model``, and the model's name. A model's
log-odds are the intercept plus one number of each term's table; the calibration makes a probability of them. All numbers are finite:
JSON has no others.
"""

from __future__ import annotations

import hashlib
from itertools import pairwise
from math import prod
from typing import TYPE_CHECKING, Annotated, Final, Literal

import msgspec
from msgspec import Meta

from engine.errors import InvalidModelError
from engine.features.definition import FeatureType

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from engine.features.definition import FeatureDefinition

MAX_MODEL_BYTES: Final = 200_000
"""The largest document."""

MAX_FEATURES: Final = 60
MAX_TERMS: Final = 80
"""With so many features and terms a payment takes less than 25 µs."""
MAX_BINS: Final = 64
"""Of one axis of a table."""
MAX_CELLS: Final = 1_024
"""Of one table."""

MAX_LOG_ODDS: Final = 500.0
"""The largest log-odds that the tables may add up to, calibrated. The exponential of 710 is no number."""

FORMAT: Final = 1
"""Of the documents that are written; no other is read."""

_Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
_Count = Annotated[int, Meta(ge=0)]
_Probability = Annotated[float, Meta(ge=0, le=1)]
_Name = Annotated[str, Meta(pattern="^[a-z0-9_]{1,60}$")]
_Text = Annotated[str, Meta(max_length=200)]


class UsedFeature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A feature that the model uses, as it was defined when the model was trained."""

    name: _Name
    type: FeatureType
    version: Annotated[int, Meta(ge=1)]
    direction: Literal[-1, 0, 1] = 0
    """1 where a larger value never lowers the probability, -1 where it never raises it, 0 where neither is promised."""


class Axis(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One side of a table: the bins of one feature."""

    feature: _Name
    edges: tuple[float, ...] = ()
    """Of a number or truth value, ascending: a value belongs to the first bin whose edge is not below it, else to the last bin."""
    values: tuple[tuple[_Text, ...], ...] = ()
    """Of text: the values of each bin but the first, to which all other texts belong."""

    @property
    def bins(self) -> int:
        """How many bins it has."""
        return len(self.edges) + len(self.values) + 1


class Term(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table over the bins of one feature, or of two."""

    axes: Annotated[tuple[Axis, ...], Meta(min_length=1, max_length=2)]
    log_odds: tuple[float, ...]
    """By bin; of two features row by row, a row a bin of the first. 0 is what the average payment has."""


class Calibration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What makes the probability's log-odds of the tables' sum: ``slope * sum + offset``."""

    slope: Annotated[float, Meta(gt=0, le=10)] = 1.0
    offset: float = 0.0


class Training(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From what the model was made."""

    first: str
    """Clock of the first payment that it was trained on, RFC 3339 in UTC."""
    last: str
    labels_until: str
    """Labels that became known later were not used."""
    payments: _Count
    frauds: _Count
    left_out: _Count
    """Payments of these days that were blocked and never judged, or whose label came too late."""
    ruleset: _Text
    """Version and digest of the ruleset whose decisions taught the profiles."""
    data_sha256: _Sha256
    """Of the features and labels that it was trained on."""


class SampleScore(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A recorded payment, by which a reader checks that it scores as the trainer did."""

    values: tuple[bool | int | float | str, ...]
    """In the order of ``features``."""
    fraud_probability: _Probability


class ModelDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Everything that a model's document says."""

    format: Literal[1]
    base_currency: Annotated[str, Meta(pattern="^[A-Z]{3}$")]
    """In which features that end in ``_base`` were computed."""
    training: Training
    features: Annotated[tuple[UsedFeature, ...], Meta(min_length=1, max_length=MAX_FEATURES)]
    intercept: float
    terms: Annotated[tuple[Term, ...], Meta(min_length=1, max_length=MAX_TERMS)]
    calibration: Calibration
    proposed_points: tuple[tuple[float, int], ...] = ()
    """Steps that suit the ruleset of the training; a ruleset's own count."""
    sample: Annotated[tuple[SampleScore, ...], Meta(min_length=1, max_length=100)]


class _Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    sha256: _Sha256
    model: msgspec.Raw


_ENVELOPE: Final = msgspec.json.Decoder(_Envelope)
_DOCUMENT: Final = msgspec.json.Decoder(ModelDocument)


def encode(document: ModelDocument) -> bytes:
    """Write a document: the same bytes for the same content."""
    body = msgspec.json.encode(document)
    return msgspec.json.encode(_Envelope(hashlib.sha256(body).hexdigest(), msgspec.Raw(body))) + b"\n"


def digest_of(data: bytes) -> str | None:
    """Give the digest that a document states; None where it is no document. What it says of itself is not checked here."""
    try:
        return _ENVELOPE.decode(data).sha256
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def decode(data: bytes, source: str, catalogue: Sequence[FeatureDefinition]) -> tuple[str, ModelDocument]:
    """Read a document and check what can be checked without scoring.

    Parameters
    ----------
    data : bytes
        As stored.
    source : str
        The document's name in messages.
    catalogue : Sequence[FeatureDefinition]
        The features that exist here.

    Returns
    -------
    tuple[str, ModelDocument]
        Its digest, 64 hexadecimal digits, and its content.

    Raises
    ------
    InvalidModelError
        With every problem, or the first where the document cannot be read at all.
    """
    if len(data) > MAX_MODEL_BYTES:
        raise InvalidModelError(source, (f"{len(data):,} bytes; at most {MAX_MODEL_BYTES:,}",))
    try:
        envelope = _ENVELOPE.decode(data)
        body = bytes(envelope.model)
        actual = hashlib.sha256(body).hexdigest()
        if actual != envelope.sha256:
            problem = f"$.sha256 is {envelope.sha256[:12]}…, and $.model has {actual[:12]}…: it was changed or cut off"
            raise InvalidModelError(source, (problem,))
        document = _DOCUMENT.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise InvalidModelError(source, (str(error),)) from error
    problems = tuple(_problems(document, catalogue))
    if problems:
        raise InvalidModelError(source, problems)
    return envelope.sha256, document


def _problems(document: ModelDocument, catalogue: Sequence[FeatureDefinition]) -> Iterator[str]:
    yield from _feature_problems(document.features, catalogue)
    features = {each.name: each for each in document.features}
    seen: set[tuple[str, ...]] = set()
    for place, term in enumerate(document.terms):
        names = tuple(sorted(axis.feature for axis in term.axes))
        if names in seen:
            yield f"$.terms[{place}]: an earlier term has the same features, {', '.join(names)}"
        seen.add(names)
        yield from (f"$.terms[{place}]{problem}" for problem in _term_problems(term, features))
    for place, sample in enumerate(document.sample):
        if len(sample.values) != len(document.features):
            yield f"$.sample[{place}].values has {len(sample.values)} items; $.features has {len(document.features)}"
    most = _largest_log_odds(document)
    if most > MAX_LOG_ODDS:
        yield f"$.calibration: the log-odds may reach {most:.4g}; at most {MAX_LOG_ODDS:g}"


def _feature_problems(used: Sequence[UsedFeature], catalogue: Sequence[FeatureDefinition]) -> Iterator[str]:
    known = {each.name: each for each in catalogue}
    names: set[str] = set()
    for place, each in enumerate(used):
        where = f"$.features[{place}]: '{each.name}'"
        definition = known.get(each.name)
        if each.name in names:
            yield f"{where} appears twice"
        elif definition is None:
            yield f"{where} is no feature here"
        elif definition.type != each.type:
            yield f"{where} is {definition.type} here; the model was trained on {each.type}"
        elif definition.version != each.version:
            yield (
                f"{where} has definition version {definition.version} here; "
                f"the model was trained on version {each.version}"
            )
        names.add(each.name)


def _term_problems(term: Term, features: dict[str, UsedFeature]) -> Iterator[str]:
    cells = prod(axis.bins for axis in term.axes)
    for place, axis in enumerate(term.axes):
        yield from (f".axes[{place}]{problem}" for problem in _axis_problems(axis, features))
    if len(term.axes) == 2 and term.axes[0].feature == term.axes[1].feature:
        yield f": both axes are '{term.axes[0].feature}'"
    if cells != len(term.log_odds):
        yield f".log_odds has {len(term.log_odds)} items; the axes have {cells} bins together"
    elif cells > MAX_CELLS:
        yield f".log_odds has {cells} items; at most {MAX_CELLS}"
    else:
        yield from _direction_problems(term, features)


def _axis_problems(axis: Axis, features: dict[str, UsedFeature]) -> Iterator[str]:
    feature = features.get(axis.feature)
    if feature is None:
        yield f".feature '{axis.feature}' is not in $.features"
    elif axis.edges and feature.type == "string":
        yield f".edges: '{axis.feature}' is text, which has values"
    elif axis.values and feature.type != "string":
        yield f".values: '{axis.feature}' is {feature.type}, which has edges"
    if axis.bins > MAX_BINS:
        yield f" has {axis.bins} bins; at most {MAX_BINS}"
    for place, (low, high) in enumerate(pairwise(axis.edges)):
        if low >= high:
            yield f".edges[{place + 1}] is {high:g}, not above the edge before it, {low:g}"
    texts = [text for texts in axis.values for text in texts]
    if len(set(texts)) != len(texts):
        yield ".values: a text appears twice"


def _direction_problems(term: Term, features: dict[str, UsedFeature]) -> Iterator[str]:
    rows, columns = term.axes[0].bins, term.axes[-1].bins if len(term.axes) == 2 else 1
    for place, axis in enumerate(term.axes):
        feature = features.get(axis.feature)
        if feature is None or not feature.direction:
            continue
        step, lines = (columns, range(columns)) if place == 0 else (1, range(0, rows * columns, columns))
        for begin in lines:
            line = term.log_odds[begin : begin + step * axis.bins : step]
            if any((high - low) * feature.direction < 0 for low, high in pairwise(line)):
                word = "fall" if feature.direction > 0 else "rise"
                yield f".log_odds: they {word} where '{axis.feature}' rises, which its direction rules out"
                break


def _largest_log_odds(document: ModelDocument) -> float:
    most = abs(document.intercept) + sum(max(map(abs, term.log_odds), default=0.0) for term in document.terms)
    return document.calibration.slope * most + abs(document.calibration.offset)
