"""Text of a sender changes nothing outside its own field."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.sanitizing import (
    ascii_line,
    defanged,
    gsm_line,
    gsm_septets,
    printable,
    shortened,
)
from contract.quotation import quoted
from tests.support.links import DOTS, LINK, link_like


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Café Müller, 東京", "Café Müller, 東京"),
        ("a\nSEVERITY: none", "a SEVERITY: none"),
        ("a\r\n\tb", "a b"),
        ("a\u2028b\u2029c\x85d", "a b c d"),
        ("a\u202egnp.exe", "a?gnp.exe"),
        ("a\u2066b\u2069\u200f", "a?b??"),
        ("a\u200b\u200d\ufeffb", "a???b"),
        ("a\x00\x1b[31mb\x7f", "a??[31mb?"),
        ("a\ud800b\ue000\uffff", "a?b??"),
        ("  a   b  ", "a b"),
        ("", ""),
    ],
)
def test_characters_that_move_or_hide_text_are_neutralised(text: str, shown: str) -> None:
    assert printable(text, 100) == shown


@given(st.text(), st.integers(1, 50))
def test_text_is_one_printable_line_within_its_limit(text: str, limit: int) -> None:
    shown = printable(text, limit)

    assert shown.isprintable()
    assert len(shown) <= limit
    assert printable(shown, limit) == shown


@given(st.text(), st.integers(1, 50))
def test_defanged_text_is_printable_within_its_limit_and_holds_no_scheme(text: str, limit: int) -> None:
    shown = defanged(text, limit)

    assert shown.isprintable()
    assert len(shown) <= limit
    assert "://" not in shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("amazon.com", "amazon[.]com"),
        ("http://evil.example/x", "http[:]//evil[.]example/x"),
        ("http://10.1.2.3/x", "http[:]//10[.]1[.]2[.]3/x"),
        ("198.51.100.7/pay", "198[.]51[.]100[.]7/pay"),
        ("1,250.00 USD, e.g. now. Then", "1,250.00 USD, e.g. now. Then"),
        ("bank\u200b.com", "bank?[.]com"),
        *((f"evil{dot}com", "evil[.]com") for dot in DOTS),
        *((f"10{dot}1{dot}2{dot}3", "10[.]1[.]2[.]3") for dot in DOTS),
        ("evil.भारत", "evil[.]भारत"),
        ("_10.1.2.3x", "_10[.]1[.]2[.]3x"),
        ("http:\uff0f\uff0flocalhost", "http[:]\uff0f\uff0flocalhost"),
        ("http\uff1a//localhost", "http[:]//localhost"),
        ("http\ufe55/\u2215localhost", "http[:]/\u2215localhost"),
        ("customer-..abc", "customer-..abc"),
    ],
)
def test_what_would_become_a_link_does_not(text: str, shown: str) -> None:
    assert defanged(text, 100) == shown


@pytest.mark.parametrize(
    ("text", "line"),
    [
        *((f"evil{dot}com", "evil[.]com") for dot in DOTS),
        *((f"198{dot}51{dot}100{dot}7", "198[.]51[.]100[.]7") for dot in DOTS),
        ("evil\u2488com", "evil1[.]com"),
        ("evil.\u24d2\u24de\u24dc", "evil[.]com"),
        ("evil.\u24b8o", "evil[.]Co"),
        ("http\uff1a\uff0f\uff0flocalhost", "http[:]//localhost"),
        ("1,250.00 USD, e.g. now. Then", "1,250.00 USD, e.g. now. Then"),
    ],
)
def test_what_becomes_a_link_only_when_it_is_folded_does_not(text: str, line: str) -> None:
    assert gsm_line(text, 100) == line
    assert ascii_line(text, 100) == line


@given(link_like, st.integers(1, 160))
def test_no_text_leaves_a_link(text: str, limit: int) -> None:
    lines = [defanged(text, limit), gsm_line(text, limit), ascii_line(text, limit)]

    assert [line for line in lines if LINK.search(line)] == []


def test_no_quotation_mark_is_left_that_is_one_in_an_sms_or_a_subject() -> None:
    characters = map(chr, range(0x10000))
    marks = [one for one in characters if '"' in gsm_line(one, 20) + ascii_line(one, 20)]

    assert '"' in marks
    assert [mark for mark in marks if '"' in gsm_line(quoted(mark)[1:-1], 20)] == []


def test_cut_text_shows_that_it_was_cut() -> None:
    assert printable("a" * 10_000_000, 5) == "aaaa…"


@given(st.text(min_size=1), st.integers(8, 40))
def test_shortened_identifier_keeps_its_ends(identifier: str, limit: int) -> None:
    shown = shortened(identifier, limit)

    assert len(shown) <= limit
    assert shown == identifier or (identifier.startswith(shown[:3]) and identifier.endswith(shown[-2:]))


@given(st.text(), st.integers(1, 100))
def test_subject_is_printable_ascii_within_its_limit(text: str, limit: int) -> None:
    line = ascii_line(text, limit)

    assert line.isascii()
    assert line.isprintable()
    assert len(line) <= limit


@given(st.text(), st.integers(1, 160))
def test_sms_is_in_the_gsm_alphabet_within_its_septets(text: str, septets: int) -> None:
    line = gsm_line(text, septets)

    assert gsm_line(line, septets) == line
    assert gsm_septets(line) <= septets
    assert "\n" not in line


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Müller é Ø £5 €7", "Müller é Ø £5 €7"),
        ("Łódź São ç", "?odz Sao c"),
        ("東京", "??"),
        ("\u201cdon\u2019t\u201d \u2013 now \u00d7 2", '"don\'t" - now x 2'),
        ("ﬁn™", "finTM"),
    ],
)
def test_sms_characters_become_their_nearest_likeness(text: str, line: str) -> None:
    assert gsm_line(text, 100) == line


def test_extension_characters_take_two_septets() -> None:
    assert gsm_septets("[€]") == 6
    assert gsm_line("ab[]", 5) == "ab["
    assert gsm_line("[€]", 3) == "["


@pytest.mark.parametrize(
    ("text", "limit", "shown"),
    [("abcde", 5, "abcde"), ("abcdef", 5, "abcd…"), ("a", 1, "a"), ("ab", 1, "…")],
)
def test_text_longer_than_its_limit_is_cut(text: str, limit: int, shown: str) -> None:
    assert printable(text, limit) == shown


def test_white_space_before_text_takes_no_space_within_four_times_the_limit() -> None:
    assert printable(" " * 23 + "ab", 5) == "a"
    assert printable(" " * 22 + "abc", 5) == "ab"
    assert printable(" " * 24 + "a", 5) == ""


@pytest.mark.parametrize(
    ("identifier", "limit", "shown"),
    [
        ("abcdefghij", 10, "abcdefghij"),
        ("abcdefghijk", 10, "abcde..ijk"),
        ("customer-0000000000001234", 16, "customer-..01234"),
        ("customer-0000000000001234", 24, "customer-00000..00001234"),
    ],
)
def test_identifier_longer_than_its_limit_is_cut_in_the_middle(
    identifier: str, limit: int, shown: str
) -> None:
    assert shortened(identifier, limit) == shown


def test_ascii_line_is_cut_at_its_limit_without_a_space_at_its_end() -> None:
    assert ascii_line("abcdefgh", 8) == "abcdefgh"
    assert ascii_line("abcdefghi", 8) == "abcdefg."  # the first dot of the ellipsis
    assert ascii_line("é.comx", 6) == "e[.]co"
    assert ascii_line("a.com bc", 8) == "a[.]com"


@pytest.mark.parametrize(
    ("text", "septets", "line"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "ab."),
        ("€€", 4, "€€"),
        ("€€", 3, "€"),
        ("a €", 3, "a"),
        ("a €", 4, "a €"),
    ],
)
def test_sms_line_is_cut_at_its_septets(text: str, septets: int, line: str) -> None:
    assert gsm_line(text, septets) == line


def test_characters_of_the_gsm_alphabet_stay_as_they_are() -> None:
    alphabet = (
        "@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ!\"#¤%&'()*+,-/0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
        "abcdefghijklmnopqrstuvwxyzäöñüà^{}\\[~]|€"
    )

    assert (
        len(alphabet) == 132
    )  # 128 of the default alphabet without two line ends, space, dot and escape; nine extensions
    assert gsm_line(alphabet, 200) == alphabet
    assert gsm_septets(alphabet) == len(alphabet) + 9


def test_printable_ascii_stays_as_it_is_in_a_subject() -> None:
    printable_ascii = "".join(chr(code) for code in range(0x21, 0x7F))

    assert ascii_line(printable_ascii, 100) == printable_ascii


def test_typographic_characters_become_plain_ones() -> None:
    assert gsm_line("a\u2013b\u2014c\u2018d\u2019e\u201cf\u201dg\u00d7h\u3002 i\uff61 j\ufe12 k", 100) == (
        "a-b-c'd'e\"f\"gxh. i. j. k"
    )
