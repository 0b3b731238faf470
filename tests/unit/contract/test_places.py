"""The country of a place in words: a state's letters are no country."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.countries import COUNTRY_CODES
from contract.places import country_of_place
from contract.transaction import Location, decode_transaction
from tests.unit.contract.records import record


@pytest.mark.parametrize(
    ("place", "country"),
    [
        ("Denver, CO", "US"),
        ("Leadville, CO", "US"),
        ("Bogotá, CO", "CO"),
        ("Medellin, co", "CO"),
        ("San Francisco, CA", "US"),
        ("Toronto, CA", "CA"),
        ("Wilmington, DE", "US"),
        ("Berlin, DE", "DE"),
        ("Cologne, DE", "DE"),
        ("Köln, DE", "DE"),
        ("Indianapolis, IN", "US"),
        ("Mumbai, IN", "IN"),
        ("Chicago, IL", "US"),
        ("Tel Aviv, IL", "IL"),
        ("St. John's, NL", "CA"),
        ("Amsterdam, NL", "NL"),
        ("Charlottetown, PE", "CA"),
        ("Lima, PE", "PE"),
        ("Regina, SK", "CA"),
        ("Bratislava, SK", "SK"),
        ("Nashville, TN", "US"),
        ("Tunis, TN", "TN"),
        ("Atlanta, Georgia", "US"),
        ("Tbilisi, Georgia", "GE"),
        ("Austin, TX", "US"),
        ("Montréal, QC", "CA"),
        ("Vancouver, British Columbia", "CA"),
        ("Santa Fe, New Mexico", "US"),
        ("Denver, Colorado", "US"),
        ("Washington, D.C.", "US"),
        ("Denver, CO 80202", "US"),
        ("Nowhere, CO 80202-1234", "US"),
        ("Toronto, ON M5V 2T6", "CA"),
        ("Denver, CO, USA", "US"),
        ("Paris, France", "FR"),
        ("Paris, fr", "FR"),
        ("Paris,FR", "FR"),
        ("London, England", "GB"),
        ("London, UK", "GB"),
        ("Seoul, Korea", "KR"),
        ("FR", "FR"),
        ("Singapore", "SG"),
        ("Paris", None),
        ("Paris, Narnia", None),
        ("Nowhere, CO", None),
        ("Georgia", None),
        (", CO", None),
        (",", None),
    ],
)
def test_the_country_of_a_place(place: str, country: str | None) -> None:
    assert country_of_place(place, None) == country


@pytest.mark.parametrize(
    ("place", "currency", "country"),
    [
        ("Nowhere, CO", "USD", "US"),
        ("Nowhere, CO", "COP", "CO"),
        ("Nowhere, CO", "CHF", None),
        ("Nowhere, CA", "USD", "US"),
        ("Nowhere, CA", "CAD", "CA"),
        ("Nowhere, NL", "CAD", "CA"),
        ("Nowhere, NL", "EUR", "NL"),
        ("Nowhere, DE", "DEM", "DE"),
        ("Georgia", "GEL", "GE"),
        ("Denver, CO", "COP", "US"),
        ("Bogotá, CO", "USD", "CO"),
    ],
)
def test_the_payments_currency_decides_where_the_place_is_not_known(
    place: str, currency: str, country: str | None
) -> None:
    assert country_of_place(place, currency) == country


def test_an_assumed_currency_decides_nothing() -> None:
    assert decode_transaction(record(location="Nowhere, CO")).country is None
    assert decode_transaction(record(location="Nowhere, CO", currency="USD")).country == "US"


@pytest.mark.parametrize("code", ["CO", "co", "COL", "Colombia", 170])
def test_a_country_in_a_field_of_its_own_is_never_a_state(code: object) -> None:
    payment = decode_transaction(record(location={"city": "Denver", "country": code}))

    assert payment.location == Location(city="Denver", country="CO")
    assert payment.country == "CO"


@given(
    st.text(max_size=30)
    | st.builds("{}, {}".format, st.text(max_size=8), st.sampled_from(["CO", "x", "Georgia", "ON K1A"]))
)
def test_any_text_has_a_country_or_none(place: str) -> None:
    country = country_of_place(place, "EUR")

    assert country is None or country in COUNTRY_CODES
