"""Card numbers are found however they are written, and other numbers stay."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract import card_numbers as detector
from contract.card_issuers import LENGTHS, passes_luhn
from contract.card_numbers import (
    find_card_numbers,
    holds_card_number,
    may_hold_card_number,
    replace_card_field,
    replace_card_numbers,
    replace_in_cells,
)
from contract.card_tokens import CardTokens
from contract.escapes import escapes_in
from tests.support.cards import (
    SEPARATORS,
    TEST_NUMBERS,
    ZEROS,
    in_digits_of,
    scientific_numbers,
    separators,
    written_numbers,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

TOKENS = CardTokens(b"a key for these tests")
VISA, AMEX = "4111111111111111", "378282246310005"


def card_numbers() -> st.SearchStrategy[str]:
    """Numbers of every length of every issuer."""

    def with_check_digit(prefix_and_length: tuple[str, int], middle: str) -> str:
        prefix, length = prefix_and_length
        stem = (prefix + middle)[: length - 1]
        return next(stem + digit for digit in "0123456789" if passes_luhn(stem + digit))

    forms = st.sampled_from([(prefix, length) for prefix, lengths in LENGTHS.items() for length in lengths])
    return st.builds(with_check_digit, forms, st.text("0123456789", min_size=15, max_size=15))


@pytest.mark.parametrize("number", TEST_NUMBERS.values(), ids=TEST_NUMBERS)
def test_a_number_of_every_issuer_becomes_its_token(number: str) -> None:
    assert TOKENS.replace(number) == TOKENS.token(number)
    assert replace_card_field(number, TOKENS.token) == TOKENS.token(number)


@given(card_numbers(), st.text("abc ,;:.\u00a0", max_size=5), st.text("abc ,;:.\u00a0", max_size=5))
def test_any_card_number_is_replaced_whatever_is_around_it(number: str, before: str, after: str) -> None:
    assert TOKENS.replace(before + number + after) == before + TOKENS.token(number) + after


@pytest.mark.parametrize("zero", ZEROS, ids=ascii)
def test_digits_of_every_script_give_the_token_of_the_number(zero: str) -> None:
    assert TOKENS.replace(in_digits_of(zero, VISA)) == TOKENS.token(VISA)
    assert TOKENS.replace(in_digits_of(zero, VISA[:8]) + VISA[8:]) == TOKENS.token(VISA)


@pytest.mark.parametrize(
    "written",
    [
        "\u2463" + "\u2460" * 15,  # circled digits
        "4" + "\u246a" * 7 + "1",  # circled elevens
        "\u2074" + "\u00b9" * 15,  # superscripts
        "4\ufe0f\u20e3" + "1\ufe0f\u20e3" * 15,  # keycaps
    ],
    ids=ascii,
)
def test_characters_that_look_like_digits_give_the_token_of_the_number(written: str) -> None:
    assert replace_card_field(written, TOKENS.token) == TOKENS.token(VISA)
    assert "1" not in TOKENS.replace(written)


@pytest.mark.parametrize("separator", [*SEPARATORS, " - ", "   ", ", ", "\0 \0", "\t\t", "\r\n"], ids=ascii)
def test_every_separator_gives_the_token_of_the_number_written_together(separator: str) -> None:
    visa = separator.join(("4111", "1111", "1111", "1111"))
    amex = separator.join(("3782", "822463", "10005"))

    assert TOKENS.replace(f"a {visa} b {amex} c") == f"a {TOKENS.token(VISA)} b {TOKENS.token(AMEX)} c"
    assert replace_card_field(visa, TOKENS.token) == TOKENS.token(VISA)


@pytest.mark.parametrize("separator", ["x", "&nbsp;", "<br>", " and "])
def test_letters_between_a_cards_own_groups_do_not_hide_it(separator: str) -> None:
    visa = separator.join(("4111", "1111", "1111", "1111"))
    amex = separator.join(("3782", "822463", "10005"))

    assert TOKENS.replace(f"{visa}; {amex}") == f"{TOKENS.token(VISA)}; {TOKENS.token(AMEX)}"


@pytest.mark.parametrize(
    "escaped",
    [
        r"\u0034111111111111111",
        r"4111\u00a01111\u00a01111\u00a01111",
        r"4111\x201111\x201111\x201111",
        "4111%201111%201111%201111",
        "4111&#160;1111&#xA0;1111&#32;1111",
        r"4111\t1111\t1111\t1111",
    ],
)
def test_escapes_do_not_hide_a_card_number(escaped: str) -> None:
    assert TOKENS.replace(f"caf\\u00e9 {escaped}!") == f"caf\\u00e9 {TOKENS.token(VISA)}!"
    assert replace_card_field(escaped, TOKENS.token) == TOKENS.token(VISA)


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("6.304.00000000.0000000", "6304000000000000000"),
        ("630400000000.0000000", "630400000000"),
        (f"{VISA}.00", VISA),
        (f"{VISA},0", VISA),
        ("4111 1111 1111 1111.00", VISA),
    ],
)
def test_zeros_behind_a_point_are_decimals_only_of_a_number_written_together(
    written: str, number: str
) -> None:
    assert replace_card_field(written, TOKENS.token) == TOKENS.token(number)


@given(written_numbers())
def test_whatever_separators_and_script_no_card_number_is_left(case: tuple[str, str]) -> None:
    number, written = case

    replaced = TOKENS.replace(f"card: {written}.")

    # Digits of its first group can be left, where the others are a card number of their own.
    assert "tok_" in replaced
    assert number not in "".join(str(int(character)) for character in replaced if character.isdecimal())
    assert not holds_card_number(replaced)
    assert replace_card_field(written, TOKENS.token) == TOKENS.token(number)


@given(scientific_numbers())
def test_a_number_with_an_exponent_gives_the_token_of_its_digits(case: tuple[str, str]) -> None:
    number, written = case

    assert replace_card_field(written, TOKENS.token) == TOKENS.token(number)
    assert TOKENS.replace(f"a,{written},12.50") == f"a,{TOKENS.token(number)},12.50"


# UATP's range counts only where it has no other digits beside it: every number that begins with 1 would be one.
@given(
    st.sampled_from([number for number in TEST_NUMBERS.values() if number[0] != "1"]),
    st.text("0123456789", max_size=12),
)
def test_digits_run_together_with_a_card_number_do_not_hide_it(number: str, other: str) -> None:
    for text in (number + other, other + number, f"{number[:4]} {number[4:8]} {number[8:]}{other}"):
        replaced = TOKENS.replace(text)

        assert number not in replaced.replace(" ", "")


@pytest.mark.parametrize(
    "text",
    [
        "4111 1111 1111 1111 12/27",
        "4111111111111111 1227 123",
        "41111111111111111227",
        ";4111111111111111=27121010000012300000?",
        "4111 1111 1111 11111227",
        "REF 00 4111-1111-1111-1111",
        "2.4111.1111.1111.1111",
    ],
)
def test_digits_beside_a_card_number_do_not_hide_it(text: str) -> None:
    assert VISA not in "".join(filter(str.isdecimal, TOKENS.replace(text)))
    assert replace_card_field(text, TOKENS.token) == TOKENS.token(VISA)


@pytest.mark.parametrize(
    "text",
    [
        "4111111111111112",  # fails Luhn's check
        "7111111111111114",  # no issuer's
        "411111111111",
        "1767616200123",  # milliseconds since the epoch
        "2026-11-24 12:44:14",
        "2026-01-05T12:30:00.123456Z",
        "20260105123000",
        "192.168.100.200",
        "+49 151 23456789",
        "DE89 3704 0044 0532 0130 00",
        "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
        "9007199254740991",
        "4.111111111111112E15",
        "4.2E11",
        "6.304E20",
        "4.111111111111111E-15x",
        "tok_fppmgkmhoghpljmnilchbflc",
        "card_****1111 card_****1111 card_****1111 card_****4111",
        "",
    ],
)
def test_other_numbers_stay(text: str) -> None:
    expected = text.replace("4.111111111111111", TOKENS.token(VISA))

    assert TOKENS.replace(text) == expected


def test_a_time_beside_a_card_number_stays() -> None:
    text = "t-1;u-1;1250;05.01.2026 13:30;4111 1111 1111 1111"

    assert TOKENS.replace(text) == text.replace("4111 1111 1111 1111", TOKENS.token(VISA))


@given(written_numbers(), st.sampled_from([" ", ", ", ";"]), written_numbers())
def test_of_two_cards_beside_each_other_none_is_left(
    first: tuple[str, str], between: str, second: tuple[str, str]
) -> None:
    replaced = TOKENS.replace(first[1] + between + second[1])

    left = "".join(str(int(character)) for character in replaced if character.isdecimal())
    assert first[0] not in left
    assert second[0] not in left


def test_two_cards_beside_each_other_become_two_tokens() -> None:
    text = "4111 1111 1111 1111 5555 5555 5555 4444"

    assert TOKENS.replace(text) == f"{TOKENS.token(VISA)} {TOKENS.token('5555555555554444')}"


def test_a_card_field_of_no_known_issuer_is_replaced_where_luhn_says_so() -> None:
    assert replace_card_field("7111-1111-1111-1114", TOKENS.token) == TOKENS.token("7111111111111114")
    assert replace_card_field("7111-1111-1111-1119", TOKENS.token) == "7111-1111-1111-1119"


@pytest.mark.parametrize("text", ["4111111111111111.0", "4111111111111111,00", " 4111111111111111\n"])
def test_a_card_field_written_as_a_decimal_number_has_the_token_of_the_number(text: str) -> None:
    assert replace_card_field(text, TOKENS.token) == TOKENS.token(VISA)


@pytest.mark.parametrize("text", ["card-7", "3f2504e0-4f89-11d3-9a0c-0305e82c3301", "7", "****1111"])
def test_a_card_field_without_a_card_number_stays(text: str) -> None:
    assert replace_card_field(text, TOKENS.token) == text


def test_in_a_line_of_cells_a_date_beside_an_amount_is_no_card_number() -> None:
    line = f"t-1;500;05/01/2026 12:30;2;{VISA};9.99"

    assert replace_in_cells(line, ";", str.lower) == line
    assert replace_in_cells(line, ";", TOKENS.token) == line.replace(VISA, TOKENS.token(VISA))


@pytest.mark.parametrize(
    "card", ["4111,1111,1111,1111", '"4111,1111,1111,1111"', '"4111 1111,1111/1111"', f'"{VISA}']
)
def test_in_a_line_of_cells_a_card_number_is_found_in_one_and_over_several(card: str) -> None:
    assert "1111" not in replace_in_cells(f"t-1,{card},9.99", ",", TOKENS.token)


@given(st.text("0123456789 -.ab\u00a0\uff14", max_size=60))
def test_nothing_is_left_to_replace_after_one_pass(text: str) -> None:
    once = TOKENS.replace(text)

    assert TOKENS.replace(once) == once


@given(
    st.one_of(
        st.text("0123456789 -.eE^x\u00a0\uff14", max_size=40), written_numbers().map(lambda case: case[1])
    )
)
def test_the_quick_search_misses_nothing_and_a_text_holds_what_is_replaced(text: str) -> None:
    assert holds_card_number(text) == (TOKENS.replace(text) != text)
    assert may_hold_card_number(text) or not find_card_numbers(text)


@given(written_numbers(), separators, written_numbers())
def test_what_is_found_is_in_order_and_does_not_overlap(
    first: tuple[str, str], between: str, second: tuple[str, str]
) -> None:
    text = first[1] + between + second[1]

    found = find_card_numbers(text)

    ends = [0, *(card.end for card in found)]
    assert found
    assert all(end <= card.start < card.end for end, card in zip(ends, found, strict=False))


def steps_to_replace(text: str) -> int:
    """Calls of functions, Python's own among them, that it takes: the same number on every machine."""
    steps = 0

    def count(frame: FrameType, event: str, argument: object) -> None:
        nonlocal steps
        steps += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        replace_card_numbers(text, TOKENS.token)
    finally:
        sys.setprofile(before)
    return steps


@pytest.mark.parametrize(
    "unit",
    ["1 ", "12-", "1", "1234 ", "4111 1111 1111 1111 ", "0 ", "4111.", "\uff14\u00a0", "4", "4x", r"\u0034"],
)
def test_a_row_of_nothing_but_digits_takes_a_few_steps_for_each(unit: str) -> None:
    long = steps_to_replace((unit * 60_000)[:60_000])

    assert long <= 40 * 60_000
    assert long <= 2.1 * steps_to_replace((unit * 60_000)[:30_000]) + 100


@given(card_numbers())
def test_a_token_holds_no_digit_of_the_card(number: str) -> None:
    assert not any(character.isdigit() for character in TOKENS.token(number))


def test_another_key_gives_another_token() -> None:
    assert CardTokens(b"another key for them").token(VISA) != TOKENS.token(VISA)


def test_a_short_key_is_refused_with_its_length() -> None:
    with pytest.raises(ValueError, match="15 bytes; at least 16"):
        CardTokens(b"x" * 15)


def test_a_card_field_may_be_replaced_by_anything() -> None:
    assert replace_card_field(VISA, lambda digits: digits[-4:]) == "1111"


def test_escapes_of_a_text_are_searched_once_however_many_card_numbers_it_holds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Once for each number is quadratic: a record of 64 KiB took three seconds, and a batch of them the function's whole time."""
    searches = []

    def counted(text: str) -> Iterator[tuple[int, int]]:
        searches.append(len(text))
        return escapes_in(text)

    monkeypatch.setattr(detector, "escapes_in", counted)
    text = f"{VISA} %20 " * 50

    assert TOKENS.replace(text) == f"{TOKENS.token(VISA)} %20 " * 50
    assert len(searches) == 1
