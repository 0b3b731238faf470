"""The world of the simulated people: cities, currencies and kinds of merchants.

Cities and their coordinates are real. Exchange rates and price levels are round figures: they make amounts plausible, and
are not meant for any other use.
"""

from __future__ import annotations

from math import asin, cos, radians, sin, sqrt
from typing import Final

import msgspec

EARTH_RADIUS_KM: Final = 6371.0088
"""Mean radius of the Earth (IUGG)."""


class City(msgspec.Struct, frozen=True):
    """A city where people live or travel to."""

    code: str
    name: str
    country: str
    """ISO 3166-1 alpha-2."""
    latitude: float
    longitude: float
    utc_offset_hours: float
    """Standard time; the simulation has no summer time."""


class Country(msgspec.Struct, frozen=True):
    """What all cities of a country have in common."""

    currency: str
    price_level: float
    """Cost of the same goods, relative to the United States."""
    home_weight: float
    """Relative share of the users who live there; 0 for countries that people only travel to."""


class Category(msgspec.Struct, frozen=True):
    """A kind of merchant, and how people pay there."""

    name: str
    median_usd: float
    """Median amount at price level 1."""
    sigma: float
    """Standard deviation of the amount's logarithm."""
    weight: float
    """Relative frequency of payments at home."""
    online_share: float
    """Share of the payments that are made online, 0 to 1."""
    abroad_weight: float
    """Relative frequency of payments while travelling."""


USD_RATES: Final[dict[str, float]] = {
    "USD": 1.0, "EUR": 0.92, "GBP": 0.79, "CHF": 0.88, "SEK": 10.5, "PLN": 4.0, "JPY": 150.0, "INR": 83.0,
    "BRL": 5.0, "MXN": 17.0, "CAD": 1.36, "AUD": 1.52, "SGD": 1.34, "AED": 3.67, "ZAR": 18.5, "NGN": 1500.0,
    "THB": 35.5, "TRY": 32.0, "KRW": 1330.0, "KWD": 0.31,
}  # fmt: skip
"""Units of the currency for one US dollar."""

COUNTRIES: Final[dict[str, Country]] = {
    "US": Country("USD", 1.0, 30), "CA": Country("CAD", 0.95, 6), "MX": Country("MXN", 0.5, 4),
    "BR": Country("BRL", 0.5, 8), "GB": Country("GBP", 1.0, 14), "IE": Country("EUR", 1.05, 2),
    "DE": Country("EUR", 0.95, 12), "FR": Country("EUR", 0.95, 8), "ES": Country("EUR", 0.8, 6),
    "IT": Country("EUR", 0.85, 4), "NL": Country("EUR", 1.0, 3), "PT": Country("EUR", 0.7, 0),
    "GR": Country("EUR", 0.75, 0), "CH": Country("CHF", 1.4, 2), "SE": Country("SEK", 1.0, 2),
    "PL": Country("PLN", 0.55, 4), "TR": Country("TRY", 0.45, 0), "AE": Country("AED", 0.9, 2),
    "KW": Country("KWD", 0.8, 1), "IN": Country("INR", 0.3, 10), "SG": Country("SGD", 1.1, 2),
    "TH": Country("THB", 0.45, 0), "JP": Country("JPY", 0.8, 6), "KR": Country("KRW", 0.8, 2),
    "AU": Country("AUD", 1.05, 4), "ZA": Country("ZAR", 0.5, 2), "NG": Country("NGN", 0.35, 1),
}  # fmt: skip

CITIES: Final[tuple[City, ...]] = (
    City("nyc", "New York", "US", 40.7128, -74.0060, -5), City("bos", "Boston", "US", 42.3601, -71.0589, -5),
    City("chi", "Chicago", "US", 41.8781, -87.6298, -6), City("hou", "Houston", "US", 29.7604, -95.3698, -6),
    City("mia", "Miami", "US", 25.7617, -80.1918, -5), City("lax", "Los Angeles", "US", 34.0522, -118.2437, -8),
    City("sfo", "San Francisco", "US", 37.7749, -122.4194, -8), City("sea", "Seattle", "US", 47.6062, -122.3321, -8),
    City("yto", "Toronto", "CA", 43.6532, -79.3832, -5), City("ymq", "Montreal", "CA", 45.5019, -73.5674, -5),
    City("mex", "Mexico City", "MX", 19.4326, -99.1332, -6), City("cun", "Cancún", "MX", 21.1619, -86.8515, -5),
    City("sao", "São Paulo", "BR", -23.5505, -46.6333, -3), City("rio", "Rio de Janeiro", "BR", -22.9068, -43.1729, -3),
    City("lon", "London", "GB", 51.5074, -0.1278, 0), City("man", "Manchester", "GB", 53.4808, -2.2426, 0),
    City("edi", "Edinburgh", "GB", 55.9533, -3.1883, 0), City("dub", "Dublin", "IE", 53.3498, -6.2603, 0),
    City("ber", "Berlin", "DE", 52.5200, 13.4050, 1), City("ham", "Hamburg", "DE", 53.5511, 9.9937, 1),
    City("muc", "München", "DE", 48.1351, 11.5820, 1), City("par", "Paris", "FR", 48.8566, 2.3522, 1),
    City("lyo", "Lyon", "FR", 45.7640, 4.8357, 1), City("mad", "Madrid", "ES", 40.4168, -3.7038, 1),
    City("bcn", "Barcelona", "ES", 41.3874, 2.1686, 1), City("rom", "Roma", "IT", 41.9028, 12.4964, 1),
    City("mil", "Milano", "IT", 45.4642, 9.1900, 1), City("ams", "Amsterdam", "NL", 52.3676, 4.9041, 1),
    City("lis", "Lisboa", "PT", 38.7223, -9.1393, 0), City("ath", "Athina", "GR", 37.9838, 23.7275, 2),
    City("zrh", "Zürich", "CH", 47.3769, 8.5417, 1), City("sto", "Stockholm", "SE", 59.3293, 18.0686, 1),
    City("waw", "Warszawa", "PL", 52.2297, 21.0122, 1), City("krk", "Kraków", "PL", 50.0647, 19.9450, 1),
    City("ist", "İstanbul", "TR", 41.0082, 28.9784, 3), City("dxb", "Dubai", "AE", 25.2048, 55.2708, 4),
    City("kwi", "Kuwait City", "KW", 29.3759, 47.9774, 3), City("bom", "Mumbai", "IN", 19.0760, 72.8777, 5.5),
    City("blr", "Bengaluru", "IN", 12.9716, 77.5946, 5.5), City("sin", "Singapore", "SG", 1.3521, 103.8198, 8),
    City("bkk", "Bangkok", "TH", 13.7563, 100.5018, 7), City("tyo", "Tokyo", "JP", 35.6762, 139.6503, 9),
    City("osa", "Osaka", "JP", 34.6937, 135.5023, 9), City("sel", "Seoul", "KR", 37.5665, 126.9780, 9),
    City("syd", "Sydney", "AU", -33.8688, 151.2093, 10), City("mel", "Melbourne", "AU", -37.8136, 144.9631, 10),
    City("jnb", "Johannesburg", "ZA", -26.2041, 28.0473, 2), City("los", "Lagos", "NG", 6.5244, 3.3792, 1),
)  # fmt: skip

CATEGORIES: Final[tuple[Category, ...]] = (
    Category("grocery", 31, 0.6, 24, 0.06, 10), Category("restaurant", 24, 0.55, 12, 0.08, 24),
    Category("coffee", 4.8, 0.3, 9, 0.0, 10), Category("transport", 3.2, 0.5, 9, 0.15, 14),
    Category("fuel", 44, 0.3, 6, 0.0, 2), Category("vending", 1.7, 0.35, 2.5, 0.0, 2),
    Category("pharmacy", 16, 0.6, 4, 0.1, 3), Category("clothing", 52, 0.6, 5, 0.45, 5),
    Category("online_retail", 36, 0.8, 11, 1.0, 3), Category("digital_goods", 7, 0.65, 5, 1.0, 3),
    Category("entertainment", 26, 0.5, 4, 0.4, 8), Category("electronics", 150, 0.85, 1.6, 0.55, 0.8),
    Category("furniture", 210, 0.8, 0.8, 0.35, 0), Category("jewellery", 180, 0.9, 0.4, 0.2, 0.6),
    Category("health", 65, 0.7, 1.6, 0.1, 0.2), Category("charity", 15, 0.7, 0.7, 0.8, 0.1),
    Category("cash", 70, 0.5, 3.5, 0.0, 5), Category("transfer", 55, 0.9, 4, 0.0, 0.6),
)  # fmt: skip
"""What people pay for day by day. ``cash`` is a withdrawal at an ATM, ``transfer`` goes to a payee, not a merchant."""

CATEGORY_BY_NAME: Final[dict[str, Category]] = {category.name: category for category in CATEGORIES}

MERCHANTS_PER_CITY: Final = 24
"""Shops of each category in each city."""

MERCHANTS_ONLINE: Final = 80
"""Online shops of each category, the same for the whole world."""


def distance_km(one: City, other: City) -> float:
    """Great-circle distance between two cities, km (haversine: Sky & Telescope 68(2), 1984)."""
    latitude_1, latitude_2 = radians(one.latitude), radians(other.latitude)
    chord = (
        sin((latitude_2 - latitude_1) / 2) ** 2
        + cos(latitude_1) * cos(latitude_2) * sin(radians(other.longitude - one.longitude) / 2) ** 2
    )
    return 2 * EARTH_RADIUS_KM * asin(sqrt(chord))


def cities_between(start: City, low_km: float, high_km: float) -> tuple[City, ...]:
    """Find the cities at a distance of low_km to high_km from ``start``; if there is none, the farthest city."""
    found = tuple(city for city in CITIES if low_km <= distance_km(start, city) <= high_km)
    return found or (max(CITIES, key=lambda city: distance_km(start, city)),)


def currency_of(city: City) -> str:
    """Local currency of this city, ISO 4217."""
    return COUNTRIES[city.country].currency


def shop_in(category: str, city: City, number: int) -> str:
    """Name the shop with this number, 0 to ``MERCHANTS_PER_CITY`` - 1, in a city."""
    return f"{category}-{city.code}-{number:02d}"


def shop_online(category: str, number: int) -> str:
    """Name the online shop with this number, 0 to ``MERCHANTS_ONLINE`` - 1."""
    return f"{category}-web-{number:02d}"
