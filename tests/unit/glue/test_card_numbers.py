"""Card numbers are found wherever they stand, and nothing else is touched."""

import sys
from types import FrameType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glue_scripts.card_numbers import CardTokens, may_hold_card_number, passes_luhn

TOKENS = CardTokens(b"a key for these tests")
VISA, AMEX = "4111111111111111", "378282246310005"


def card_numbers() -> st.SearchStrategy[str]:
    """Luhn-valid numbers of 13 to 19 digits."""

    def with_check_digit(stem: str) -> str:
        return next(stem + digit for digit in "0123456789" if passes_luhn(stem + digit))

    return st.text("0123456789", min_size=12, max_size=18).map(with_check_digit)


@pytest.mark.parametrize("number", ["4222222222222", AMEX, VISA, "6304000000000000000"])
def test_a_card_number_of_each_length_becomes_its_token(number: str) -> None:
    assert TOKENS.replace(number) == TOKENS.token(number)


@pytest.mark.parametrize("written", ["4111 1111 1111 1111", "4111-1111-1111-1111", "4111  1111--11111111"])
def test_groups_give_the_token_of_the_number_written_together(written: str) -> None:
    assert TOKENS.replace(written) == TOKENS.token(VISA)


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
        "",
    ],
)
def test_other_numbers_stay(text: str) -> None:
    assert TOKENS.replace(text) == text


@given(card_numbers(), st.text("abc ,;:.", max_size=5), st.text("abc ,;:.", max_size=5))
def test_any_card_number_is_replaced_whatever_stands_around_it(number: str, before: str, after: str) -> None:
    text = before + number + after

    replaced = TOKENS.replace(text)

    assert replaced == before + TOKENS.token(number) + after
    assert may_hold_card_number(text.encode())


@given(st.text("0123456789 -ab", max_size=60))
def test_nothing_is_left_to_replace_after_one_pass(text: str) -> None:
    once = TOKENS.replace(text)

    assert TOKENS.replace(once) == once


@given(st.text("0123456789 -ab", max_size=60))
def test_the_quick_look_misses_nothing_that_is_replaced(text: str) -> None:
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


@pytest.mark.parametrize("unit", ["1 ", "12-", "1", "1234 ", "4111 1111 1111 1111 ", "0 "])
def test_a_row_of_nothing_but_digits_takes_a_few_steps_for_each(unit: str) -> None:
    long = steps_to_replace((unit * 60_000)[:60_000])

    assert long <= 15 * 60_000
    assert long <= 2.1 * steps_to_replace((unit * 60_000)[:30_000])


@given(card_numbers())
def test_a_token_holds_no_digit_of_the_card(number: str) -> None:
    assert not any(character.isdigit() for character in TOKENS.token(number))


def test_another_key_gives_another_token() -> None:
    assert CardTokens(b"another key for them").token(VISA) != TOKENS.token(VISA)


def test_a_short_key_is_refused_with_its_length() -> None:
    with pytest.raises(ValueError, match="15 bytes; at least 16"):
        CardTokens(b"x" * 15)
