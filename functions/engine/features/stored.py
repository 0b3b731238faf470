"""How a history row stores the features: packed in binary, and unpacked by the catalogue of the row's own feature set.

Packed they are a MessagePack array, in the order of the catalogue: booleans and whole numbers as they are, text as text, and
floating-point numbers as whole numbers of ten-thousandths, since features are rounded to four decimals. A number that this would
change, such as an amount with nine digits before the point and more decimals than that, stays a floating-point number.
"""

from __future__ import annotations

from functools import lru_cache
from math import floor
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from engine.features.catalogue import CATALOGUE, FEATURE_SET, ROUNDED, Features, in_order
from engine.features.definition import absent_values
from engine.features.past import PAST_CATALOGUES
from engine.features.windows import DIGITS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from contract.scored import FeatureValue, ScoredTransaction
    from engine.features.definition import FeatureType

FIRST_FEATURE_SET: Final = "3"
"""Of rows of format 1. Its values are stored as they are; its features are those of set :data:`FIRST_CATALOGUE`."""

FIRST_CATALOGUE: Final = "861800"
"""The set that names the same features in the same order as :data:`FIRST_FEATURE_SET`."""

_SCALE: Final = 10.0**DIGITS
_TOO_LARGE: Final = 2**63 / _SCALE
"""As ten-thousandths it would be no integer of MessagePack."""
_SURELY_SAFE: Final = 2**50
"""Of fewer ten-thousandths the floating-point number always gives back the same whole number."""
_DOUBLES: Final = tuple(place for place, each in enumerate(CATALOGUE) if each.type == "double")
_NOT_ROUNDED: Final = tuple(place for place in _DOUBLES if place not in ROUNDED)
_CATALOGUES: Final = {
    **PAST_CATALOGUES,
    FEATURE_SET: tuple((each.name, each.type) for each in CATALOGUE),
}
_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(tuple[bool | int | float | str, ...])
_STORED_TYPES: Final[dict[FeatureType, object]] = {
    "double": int | float,
    "int": int,
    "bool": bool,
    "string": str,
}
"""Of a feature: what its stored value can be."""
_ABSENT: Final = absent_values(CATALOGUE)


class FeatureSetError(Exception):
    """Features of a catalogue that is not known here; names it."""


def pack(features: Mapping[str, FeatureValue]) -> bytes:
    """Pack the features of one payment.

    Parameters
    ----------
    features : Mapping[str, FeatureValue]
        All of the catalogue.

    Returns
    -------
    bytes
        For :func:`unpack`.
    """
    values, doubles = list(in_order(features)), _DOUBLES
    if isinstance(features, Features) and features.rounded and _are_safe(rounded := features.rounded):
        for place, whole in zip(ROUNDED, rounded, strict=True):
            values[place] = whole
        doubles = _NOT_ROUNDED
    for place in doubles:
        value = values[place]
        if not value:
            values[place] = 0
        elif -_TOO_LARGE < value < _TOO_LARGE:  # type: ignore[operator]  # a double, by the catalogue
            whole = floor(value * _SCALE + 0.5)  # type: ignore[operator]
            if whole / _SCALE == value:
                values[place] = whole
    return _ENCODER.encode(values)


def _are_safe(rounded: Sequence[int]) -> bool:
    return min(rounded) > -_SURELY_SAFE and max(rounded) < _SURELY_SAFE


class DamagedFeaturesError(Exception):
    """Packed features that are not of the types or not of the number of their catalogue."""


class _Reading(NamedTuple):
    """How the values of one feature set are read as today's."""

    decoder: msgspec.msgpack.Decoder[tuple[FeatureValue, ...]]
    """Checks number and types."""
    scaled: tuple[int, ...]
    """Places of the floating-point numbers that may be stored as ten-thousandths."""
    places: tuple[int | None, ...] | None
    """By today's place: the value's place in the set; None for a feature that it lacks. None where the set is today's."""


def read_features(data: bytes, feature_set: str) -> Features:
    """Read packed features as those of today's catalogue.

    Parameters
    ----------
    data : bytes
        As :func:`pack` made them, in this version or an earlier one.
    feature_set : str
        The row's.

    Returns
    -------
    Features
        Equal to what was packed. What the row's catalogue lacks is 0, false or empty text (:func:`differing` names it).

    Raises
    ------
    FeatureSetError
        Where the row's catalogue is not known here.
    DamagedFeaturesError
        Where the values are not those of the catalogue.
    """
    reading = _reading(feature_set)
    try:
        values: list[FeatureValue] = list(reading.decoder.decode(data))
    except msgspec.MsgspecError as error:
        raise DamagedFeaturesError(f"no features of set {feature_set}") from error
    for place in reading.scaled:
        value = values[place]
        values[place] = value / _SCALE if isinstance(value, int) else value
    if reading.places is not None:
        absent = _ABSENT.values()
        values = [
            default if place is None else values[place]
            for place, default in zip(reading.places, absent, strict=True)
        ]
    return Features(values, ())


@lru_cache(maxsize=16)
def differing(feature_set: str) -> frozenset[str]:
    """Name today's features that rows of a set lack, or may hold as an earlier version of the feature computed them.

    None for today's set. FeatureSetError where the set is not known here.
    """
    if feature_set == FEATURE_SET:
        return frozenset()
    known = dict(_catalogue(feature_set))
    return frozenset(each.name for each in CATALOGUE if known.get(each.name) != each.type or each.version > 1)


@lru_cache(maxsize=16)
def _reading(feature_set: str) -> _Reading:
    catalogue = _catalogue(feature_set)
    kinds = tuple([_STORED_TYPES[kind] for _, kind in catalogue])
    decoder = msgspec.msgpack.Decoder(tuple.__class_getitem__(kinds))
    doubles = tuple(place for place, (_, kind) in enumerate(catalogue) if kind == "double")
    own = {each: place for place, each in enumerate(catalogue)}
    places = tuple(own.get((each.name, each.type)) for each in CATALOGUE)
    return _Reading(
        decoder,
        () if feature_set == FIRST_FEATURE_SET else doubles,
        None if feature_set == FEATURE_SET else places,
    )


def _catalogue(feature_set: str) -> tuple[tuple[str, FeatureType], ...]:
    catalogue = _CATALOGUES.get(FIRST_CATALOGUE if feature_set == FIRST_FEATURE_SET else feature_set)
    if catalogue is None:
        raise FeatureSetError(f"feature set {feature_set}; known are {', '.join(sorted(_CATALOGUES))}")
    return catalogue


def unpack(data: bytes, feature_set: str) -> dict[str, FeatureValue]:
    """Give packed features their names.

    Parameters
    ----------
    data : bytes
        As :func:`pack` made them, in this version or an earlier one.
    feature_set : str
        The row's.

    Returns
    -------
    dict[str, FeatureValue]
        Name to value, in the order of the row's catalogue; equal to what was packed.

    Raises
    ------
    FeatureSetError
        Where the row's catalogue is not known here.
    """
    is_natural = feature_set == FIRST_FEATURE_SET
    catalogue = _catalogue(feature_set)
    values = _DECODER.decode(data)
    if len(values) != len(catalogue):
        raise FeatureSetError(
            f"{len(values)} features of set {feature_set}; the catalogue has {len(catalogue)}"
        )
    if is_natural:
        return {name: value for (name, _), value in zip(catalogue, values, strict=True)}
    return {
        name: value / _SCALE if kind == "double" and isinstance(value, int) else value
        for (name, kind), value in zip(catalogue, values, strict=True)
    }


def features_of(row: ScoredTransaction) -> dict[str, FeatureValue]:
    """Features of a stored row by name; none where the row is of a catalogue that is not known here, such as a later version's."""
    try:
        return unpack(row.features, row.feature_set)
    except FeatureSetError:
        return {}
