"""One code for one country, however it is written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.countries import COUNTRY_CODES, country_code
from contract.transaction import decode_transaction
from tests.unit.contract.records import record


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("ir", "IR"), ("IRN", "IR"), ("Iran", "IR"), ("Iran, Islamic Republic of", "IR"), ("364", "IR"),
        ("UK", "GB"), ("GB", "GB"), ("gbr", "GB"), ("Great Britain", "GB"), ("England", "GB"), ("United Kingdom", "GB"),
        ("US", "US"), ("USA", "US"), ("U.S.A.", "US"), ("United States", "US"), ("united states of america", "US"), ("840", "US"),
        ("Deutschland", None), ("Germany", "DE"), ("Federal Republic of Germany", "DE"),
        ("Türkiye", "TR"), ("Turkey", "TR"), ("Czechia", "CZ"), ("Czech Republic", "CZ"), ("Holland", "NL"), ("The Netherlands", "NL"),
        ("Côte d'Ivoire", "CI"), ("Cote d\u2019Ivoire", "CI"), ("Ivory Coast", "CI"), ("South Korea", "KR"), ("Korea, Republic of", "KR"),
        ("Russia", "RU"), ("Russian Federation", "RU"), ("Viet Nam", "VN"), ("Hong Kong", "HK"), ("EL", "GR"), ("XK", "XK"), ("Kosovo", "XK"),
        ("St. Lucia", "LC"), ("Saint Lucia", "LC"), ("Bosnia & Herzegovina", "BA"), ("Réunion", "RE"), ("76", "BR"), ("076", "BR"),
        ("XX", None), ("ZZ", None), ("EU", None), ("Narnia", None), ("CO-DC", None), ("1", None), ("", None), ("Texas", None),
    ],
)  # fmt: skip
def test_a_country_has_one_code(written: str, code: str | None) -> None:
    assert country_code(written) == code


def test_every_code_is_its_own_country() -> None:
    assert len(COUNTRY_CODES) == 250
    assert all(country_code(code) == code and country_code(code.lower()) == code for code in COUNTRY_CODES)


@pytest.mark.parametrize(("home", "away"), [("GB", "UK"), ("IR", "irn"), ("US", "United States")])
def test_two_spellings_of_one_country_are_one_place(home: str, away: str) -> None:
    one, other = (
        decode_transaction(record(location={"country": code, "city": "X"})) for code in (home, away)
    )

    assert one.location == other.location
    assert one.country == other.country


@given(st.text(max_size=30))
def test_any_text_is_a_country_or_none(name: str) -> None:
    assert country_code(name) in {None, *COUNTRY_CODES}
