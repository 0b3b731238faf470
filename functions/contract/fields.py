"""The canonical form of a payment's optional fields, from whatever value a sender gave them.

A value that is no such field's is not an error: the payment is scored without it. A blank one is absent.
"""

from __future__ import annotations

import re
from decimal import Decimal
from math import isfinite
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from contract.addresses import MAX_ADDRESS_TEXT, canonical_address
from contract.countries import country_code
from contract.json_object import JsonNumber
from contract.text import MAX_COUNTRY, MAX_PLACE, MAX_TEXT, canonical_id, canonical_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MIN_COORDINATE: Final = 1e-9
"""Degrees, a tenth of a millimetre: a coordinate nearer to 0 is read as 0. DynamoDB has no numbers between 0 and 1e-130."""

SURELY_NO_LATITUDE: Final = 90.01
"""Degrees: a larger one is a longitude, perhaps. What is between 90 and this was rounded or made up near the pole."""

_DEGREES: Final = re.compile(r"[-+]?[0-9]{1,3}(?:\.[0-9]*)?|[-+]?\.[0-9]+")
_PLAIN_INTEGER: Final = re.compile(r"-?[0-9]+")
_MAX_EXPONENT: Final = 38
"""A number with more digits before its point is no code and no name."""


_T = TypeVar("_T")


class Parts(NamedTuple):
    """The parts of a location that could be used."""

    latitude: float | None
    longitude: float | None
    country: str | None
    city: str | None
    invalid: tuple[str, ...]
    """Those that could not, dotted: ``location.latitude``."""


class InvalidFieldError(Exception):
    """A value that its field cannot have; the field is left out of the payment."""


def text_of(value: object) -> str | None:
    """Read a text, or a number as its text: codes are often sent as numbers.

    Parameters
    ----------
    value : object
        As :func:`contract.json_object.read_object` gives it.

    Returns
    -------
    str | None
        As sent; a number without an exponent, and without a fraction of zeros. None for null.

    Raises
    ------
    InvalidFieldError
        For a list, an object and a truth value, and for a number of more than 38 digits.
    """
    if isinstance(value, JsonNumber):
        if _PLAIN_INTEGER.fullmatch(value):
            return str(value)
        try:
            number = Decimal(value)
        except ArithmeticError as error:
            raise InvalidFieldError from error
        if not -_MAX_EXPONENT < number.adjusted() < _MAX_EXPONENT:
            raise InvalidFieldError
        written = format(number, "f")
        return written.rstrip("0").rstrip(".") if "." in written else written
    if value is None or isinstance(value, str):
        return value
    raise InvalidFieldError


def _bounded(canonical: Callable[[str], str | None], longest: int) -> Callable[[object], str | None]:
    def read(value: object) -> str | None:
        text = text_of(value)
        text = text and canonical(text)
        if text is None and value is not None:
            raise InvalidFieldError
        if text and (len(text) > longest or not _is_storable(text)):
            raise InvalidFieldError
        return text or None

    return read


def _is_storable(text: str) -> bool:
    return text.isprintable() or canonical_id(text) == text  # an id may hold a joiner


def _address(text: str) -> str | None:
    text = canonical_text(text)
    if len(text) > MAX_ADDRESS_TEXT:
        return None
    return canonical_address(text) if text else ""


def _country(text: str) -> str | None:
    text = canonical_text(text)
    if len(text) > MAX_COUNTRY:
        return None
    return country_code(text) if text else ""


CANONICAL_FORMS: Final[Mapping[str, Callable[[str], str | None]]] = {
    "merchant_id": canonical_id,
    "merchant_category": canonical_text,
    "channel": canonical_text,
    "card_id": canonical_text,
    "device_id": canonical_id,
    "ip_address": _address,
    "payee_id": canonical_id,
}
"""Optional text field to its canonical form: empty for a blank one, None for what cannot be that field."""

OPTIONAL_TEXTS: Final[Mapping[str, Callable[[object], str | None]]] = {
    field: _bounded(canonical, MAX_TEXT) for field, canonical in CANONICAL_FORMS.items()
}
"""Optional text field to what reads any value of it: the canonical text, None for none; :class:`InvalidFieldError` else."""

place_text: Final = _bounded(canonical_text, MAX_PLACE)
"""Reads a location in words."""

country_of: Final = _bounded(_country, 2)
"""Reads a country, as its ISO 3166 alpha-2 code."""

_city = _bounded(canonical_text, MAX_TEXT)


def location_parts(place: Mapping[str, object]) -> Parts:
    """Read a location that is an object.

    Latitude and longitude that only fit the other way round are exchanged. 0 degrees north and 0 east is what software writes for a
    place that it does not know: it is none.

    Parameters
    ----------
    place : Mapping[str, object]
        Its keys and values; keys that the contract does not know are not read.

    Returns
    -------
    Parts
        What could be read, and the names of the parts that could not.
    """
    invalid: list[str] = []

    def part(name: str, read: Callable[[object], _T | None]) -> _T | None:
        try:
            return read(place.get(name))
        except InvalidFieldError:
            invalid.append(f"location.{name}")
            return None

    country, city = part("country", country_of), part("city", _city)
    latitude, longitude = part("latitude", _degrees), part("longitude", _degrees)
    if latitude is not None and longitude is not None:
        latitude, longitude = _without_traces(latitude), _without_traces(longitude)
        if abs(latitude) > SURELY_NO_LATITUDE and is_place(longitude, latitude):
            latitude, longitude = longitude, latitude
    if (wrong := _wrong_coordinate(latitude, longitude)) is not None:
        invalid.append(f"location.{wrong}")
    if wrong is not None or latitude == 0 == longitude:
        latitude = longitude = None
    return Parts(latitude, longitude, country, city, tuple(invalid))


def is_place(latitude: float, longitude: float) -> bool:
    """Whether two numbers of degrees are within the ranges of latitude and longitude."""
    return -90 <= latitude <= 90 and -180 <= longitude <= 180


def _wrong_coordinate(latitude: float | None, longitude: float | None) -> str | None:
    """Name the coordinate that cannot be used; None where both can, or there is none. One without the other is no place."""
    if latitude is None or longitude is None:
        return None if latitude is longitude else ("longitude" if latitude is None else "latitude")
    if is_place(latitude, longitude):
        return None
    return "latitude" if abs(latitude) > 90 else "longitude"


def _without_traces(degrees: float) -> float:
    return degrees if abs(degrees) >= MIN_COORDINATE else 0.0


def _degrees(value: object) -> float | None:
    if isinstance(value, str) and not isinstance(value, JsonNumber):
        value = canonical_text(value)
        if not value:
            return None
        if not _DEGREES.fullmatch(value):
            raise InvalidFieldError
    if value is None:
        return None
    if not isinstance(value, str):
        raise InvalidFieldError
    degrees = float(value)
    if not isfinite(degrees):
        raise InvalidFieldError
    return degrees
