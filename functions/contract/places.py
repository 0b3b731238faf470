"""The country of a place in words, such as ``Paris, FR`` or ``Denver, CO``.

What follows the last comma is a country, an American state or a Canadian province. Some letters are both: CO is Colorado and
Colombia, CA is California and Canada. Then, in this order:

1. the place decides, where it is known on one side alone, or is larger there (``Denver, CO``, ``Berlin, DE``);
2. else a postal code behind the letters (``Lee, MA 01238``), and the payment's currency, where it has one of its own: dollars
   of the side's own country mean that side, the other country's money the other;
3. else the country is not known. A wrong one would match lists and look like travel.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Final, NamedTuple

from contract.countries import country_code
from contract.country_names import name_key

_POSTAL_CODE: Final = re.compile(
    r"\s+(?:[0-9]{5}(?:-[0-9]{4})?|[A-Z][0-9][A-Z]\s?[0-9][A-Z][0-9])$", re.IGNORECASE
)


class _Shared(NamedTuple):
    """Letters that a state and a country share."""

    region_in: str
    """US or CA."""
    country: str
    currencies: frozenset[str]
    """The country's own, since 1999."""
    in_region: frozenset[str]
    """Keys of places that the letters put into the state."""
    in_country: frozenset[str]


class _Regions(NamedTuple):
    country_of: dict[str, str]
    """Key of a state's or province's code or name to US or CA."""
    shared: dict[str, _Shared]


@lru_cache(maxsize=4096)
def country_of_place(place: str, currency: str | None) -> str | None:
    """Find the country of a place in words.

    Parameters
    ----------
    place : str
        Canonical text.
    currency : str | None
        ISO 4217 code of the payment; None where it was assumed.

    Returns
    -------
    str | None
        ISO 3166 alpha-2; None where it is not known.

    Examples
    --------
    >>> [country_of_place(place, None) for place in ("Denver, CO", "Bogotá, CO", "Berlin, DE", "Wilmington, DE", "Paris")]
    ['US', 'CO', 'DE', 'US', None]
    >>> country_of_place("Nowhere, CA", "USD"), country_of_place("Nowhere, CA", "CAD"), country_of_place("Nowhere, CA", None)
    ('US', 'CA', None)
    """
    before, comma, last = place.rpartition(",")
    last = last.strip()
    if not comma:
        return _alone(last, currency)
    without_code = _POSTAL_CODE.sub("", last)
    regions, key = _regions(), name_key(without_code)
    if (shared := regions.shared.get(key)) is not None:
        town = name_key(before.rpartition(",")[2])
        return _decided(shared, town, currency, has_postal_code=without_code != last)
    return regions.country_of.get(key) or country_code(last)


def _alone(text: str, currency: str | None) -> str | None:
    """A place without a comma: a country, perhaps; states are not written alone."""
    shared = _regions().shared.get(name_key(text)) if len(text) > 2 else None
    return country_code(text) if shared is None else _decided(shared, "", currency, has_postal_code=False)


def _decided(shared: _Shared, town: str, currency: str | None, *, has_postal_code: bool) -> str | None:
    if town in shared.in_region:
        return shared.region_in
    if town in shared.in_country:
        return shared.country
    if has_postal_code or currency == ("USD" if shared.region_in == "US" else "CAD"):
        return shared.region_in
    return shared.country if currency in shared.currencies else None


@cache
def _regions() -> _Regions:
    # Read when the first place in words needs it: most senders' places are objects.
    from contract.reference.regions import PLACES, PROVINCES, SHARED_CODES, STATES

    country_of = {
        key: country
        for country, table in (("US", STATES), ("CA", PROVINCES))
        for line in table.splitlines()
        for key in line.lower().split("|")
    }
    places = {}
    for line in PLACES.splitlines():
        code, side, *keys = line.split("|")
        places[code, side] = frozenset(keys)
    shared = {}
    for line in SHARED_CODES.splitlines():
        code, country, currencies = line.split("|")
        key = code.lower()
        in_region, in_country = places[code, "region"], places[code, "country"]
        shared[key] = _Shared(country_of[key], country, frozenset(currencies.split()), in_region, in_country)
    return _Regions(country_of, shared)
