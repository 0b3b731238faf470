"""Card numbers are found wherever they are, and nothing else is changed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glue_scripts.card_numbers import CardTokens, holds_card_number, may_hold_card_number, passes_luhn

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

TOKENS = CardTokens(b"a key for these tests")
VISA, AMEX = "4111111111111111", "378282246310005"


def card_numbers(shortest: int = 13, longest: int = 19) -> st.SearchStrategy[str]:
    """Luhn-valid numbers of so many digits."""

    def with_check_digit(stem: str) -> str:
        return next(stem + digit for digit in "0123456789" if passes_luhn(stem + digit))

    return st.text("0123456789", min_size=shortest - 1, max_size=longest - 1).map(with_check_digit)


@pytest.mark.parametrize("number", ["4222222222222", AMEX, VISA, "6304000000000000000"])
def test_a_card_number_of_each_length_becomes_its_token(number: str) -> None:
    assert TOKENS.replace(number) == TOKENS.token(number)


@pytest.mark.parametrize("written", ["4111 1111 1111 1111", "4111-1111-1111-1111", "4111  1111--11111111"])
def test_groups_give_the_token_of_the_number_written_together(written: str) -> None:
    assert TOKENS.replace(written) == TOKENS.token(VISA)


def in_digits_of(zero: str, number: str) -> str:
    """The number in another script, by its zero."""
    return "".join(chr(ord(zero) + int(digit)) for digit in number)


@pytest.mark.parametrize(
    "zero", ["\uff10", "\u0660", "\u0966", "\U0001d7ce"], ids=["full-width", "Arabic", "Devanagari", "bold"]
)
def test_digits_of_every_script_give_the_token_of_the_number(zero: str) -> None:
    assert TOKENS.replace(in_digits_of(zero, VISA)) == TOKENS.token(VISA)
    assert TOKENS.replace(in_digits_of(zero, VISA[:8]) + VISA[8:]) == TOKENS.token(VISA)
    assert may_hold_card_number(in_digits_of(zero, VISA).encode())


@pytest.mark.parametrize(
    "separator",
    ["\u00a0", "\u2009", "\u202f", "\u2007", "\u3000", "\u2011", "\u2013", "\u200b", "\u00ad", ".", "\u00b7"],
    ids=ascii,
)
def test_every_separator_gives_the_token_of_the_number_written_together(separator: str) -> None:
    visa = separator.join(("4111", "1111", "1111", "1111"))
    amex = separator.join(("3782", "822463", "10005"))

    replaced = TOKENS.replace(f"{visa}; {amex}")

    assert replaced == f"{TOKENS.token(VISA)}; {TOKENS.token(AMEX)}"
    assert may_hold_card_number(visa.encode())
    assert may_hold_card_number(amex.encode())


@pytest.mark.parametrize(
    "text", ["4111.1111.1111.1111.12.27", "2.4111.1111.1111.1111", "No. 4111.1111.1111.1111."]
)
def test_digits_beside_a_card_number_with_dots_do_not_hide_it(text: str) -> None:
    assert TOKENS.replace(text) == text.replace("4111.1111.1111.1111", TOKENS.token(VISA))


# Each takes the 16 digits of a number that passes Luhn's check, so that nothing but the grouping can save it.
NO_CARDS = {
    "amount": lambda n: f"{n[:12]}.{n[12:]}",
    "amount with thousands": lambda n: f"{n[0]}.{n[1:4]}.{n[4:7]}.{n[7:10]}.{n[10:13]},{n[13:]}",
    "seconds since the epoch": lambda n: f"{n[:10]}.{n[10:]}",
    "time": lambda n: f"{n[:4]}-{n[4:6]}-{n[6:8]}T{n[8:10]}:{n[10:12]}:{n[12:14]}.{n[14:]}Z",
    "time with dots": lambda n: f"{n[:4]}.{n[4:6]}.{n[6:8]} {n[8:10]}.{n[10:12]}.{n[12:14]}.{n[14:]}",
    "coordinates": lambda n: f"{n[:2]}.{n[2:8]} {n[8:10]}.{n[10:]}",
    "coordinates of four decimals": lambda n: f"{n[:2]}.{n[2:6]}, -{n[6:8]}.{n[8:12]} {n[12:]}",
    "address": lambda n: f"{n[:3]}.{n[3:6]}.{n[6:9]}.{n[9:12]}:{n[12:]}",
    "addresses": lambda n: f"{n[:2]}.{n[2:4]}.{n[4:6]}.{n[6:8]} {n[8:10]}.{n[10:12]}.{n[12:14]}.{n[14:]}",
    "version": ".".join,
}


@pytest.mark.parametrize("write", NO_CARDS.values(), ids=NO_CARDS)
@given(card_numbers(16, 16))
def test_amounts_times_addresses_and_coordinates_stay(write: Callable[[str], str], number: str) -> None:
    assert TOKENS.replace(write(number)) == write(number)


def test_a_card_number_inside_free_text_is_replaced_and_the_text_stays() -> None:
    text = f"card {VISA}, then 3782 822463 10005; ref CARD{VISA}X"

    replaced = TOKENS.replace(text)

    visa, amex = TOKENS.token(VISA), TOKENS.token(AMEX)
    assert replaced == f"card {visa}, then {amex}; ref CARD{visa}X"


@pytest.mark.parametrize(
    "text", ["4111 1111 1111 1111 12 27", "2 4111 1111 1111 1111", "12 4111111111111111 7"]
)
def test_digits_beside_a_card_number_do_not_hide_it(text: str) -> None:
    assert VISA not in TOKENS.replace(text).replace(" ", "")
    assert "tok_" in TOKENS.replace(text)


@pytest.mark.parametrize(
    "text",
    [
        "4111111111111112",
        "411111111111",
        "41111111111111111111",
        "2026-11-24 12:44:14",
        "192.168.100.200",
        "1.2.3.4",
        "",
    ],
)
def test_other_numbers_stay(text: str) -> None:
    assert TOKENS.replace(text) == text


@given(card_numbers(), st.text("abc ,;:.\u00a0", max_size=5), st.text("abc ,;:.\u00a0", max_size=5))
def test_any_card_number_is_replaced_whatever_is_around_it(number: str, before: str, after: str) -> None:
    text = before + number + after

    replaced = TOKENS.replace(text)

    assert replaced == before + TOKENS.token(number) + after
    assert may_hold_card_number(text.encode())


@given(st.text("0123456789 -.ab\u00a0\uff14", max_size=60))
def test_nothing_is_left_to_replace_after_one_pass(text: str) -> None:
    once = TOKENS.replace(text)

    assert TOKENS.replace(once) == once


@given(st.text("0123456789 -.ab\u00a0\uff14", max_size=60))
def test_the_quick_search_misses_nothing_that_is_replaced(text: str) -> None:
    assert TOKENS.replace(text) == text or may_hold_card_number(text.encode())


@given(st.lists(st.text("0123456789", min_size=1, max_size=8), min_size=3, max_size=12))
def test_groups_are_replaced_as_one_stretch_after_the_other_is_tried(groups: list[str]) -> None:
    replaced = TOKENS.replace(" ".join(groups))

    # The plain way: from each group on, the longest stretch that passes.
    expected, first = [], 0
    while first < len(groups):
        stretches = [(last, "".join(groups[first:last])) for last in range(len(groups), first, -1)]
        cards = [(last, card) for last, card in stretches if 13 <= len(card) <= 19 and passes_luhn(card)]
        last, card = cards[0] if cards else (first + 1, "")
        expected.append(TOKENS.token(card) if card else groups[first])
        first = last
    assert replaced == " ".join(expected)


def steps_to_replace(text: str) -> int:
    """Calls of functions, Python's own among them, that it takes: the same number on every machine."""
    steps = 0

    def count(frame: FrameType, event: str, argument: object) -> None:
        nonlocal steps
        steps += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        TOKENS.replace(text)
    finally:
        sys.setprofile(before)
    return steps


@pytest.mark.parametrize(
    "unit", ["1 ", "12-", "1", "1234 ", "4111 1111 1111 1111 ", "0 ", "4111.", "\uff14\u00a0"]
)
def test_a_row_of_nothing_but_digits_takes_a_few_steps_for_each(unit: str) -> None:
    long = steps_to_replace((unit * 60_000)[:60_000])

    assert long <= 25 * 60_000
    assert long <= 2.1 * steps_to_replace((unit * 60_000)[:30_000])


@given(card_numbers())
def test_a_token_holds_no_digit_of_the_card(number: str) -> None:
    assert not any(character.isdigit() for character in TOKENS.token(number))


def test_another_key_gives_another_token() -> None:
    assert CardTokens(b"another key for them").token(VISA) != TOKENS.token(VISA)


def test_a_short_key_is_refused_with_its_length() -> None:
    with pytest.raises(ValueError, match="15 bytes; at least 16"):
        CardTokens(b"x" * 15)


@given(st.text("0123456789 -.a", max_size=60))
def test_a_text_holds_a_card_number_exactly_where_one_would_be_replaced(text: str) -> None:
    assert holds_card_number(text) == (TOKENS.replace(text) != text)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("4.111111111111111E15", VISA),
        ("4.111111111111111e+15", VISA),
        ("4111111111111.111E3", VISA),
        ("4.1111111111111110E+015", VISA),
        ("4111111111111111e0", VISA),
        ("4.222222222222E12", "4222222222222"),
        ("37828224631000.5e1", AMEX),
        ("6.304E18", "6304000000000000000"),
    ],
)
def test_a_number_with_an_exponent_gives_the_token_of_its_digits(text: str, number: str) -> None:
    line = f'{{"card": {text}, "x": "{text}"}}'

    assert TOKENS.replace_exponents(line) == line.replace(text, TOKENS.token(number))


@pytest.mark.parametrize(
    "text",
    [
        "4.111111111111112E15",  # fails Luhn's check
        "4.111111111111111E14",  # no whole number
        "4.111111111111111E-15",
        "4.2E11",
        "6.304E20",
        "4.111111111111111E115",
        "a4.111111111111111E15",
        "1.4.111111111111111E15",
        "4.111111111111111E15f",
        "0E15",
    ],
)
def test_other_numbers_with_an_exponent_stay(text: str) -> None:
    assert TOKENS.replace_exponents(text) == text
