"""Finds card numbers in text, however they are written. The ingestion job and the contract use this one detector.

A card number is a window of digits that begins as an issuer's numbers do, has a length of that issuer's, and passes Luhn's check
(:mod:`contract.card_issuers`). Its digits may be of any script. Between them may be anything but letters and digits: spaces,
dashes, dots, commas, slashes, tabs, NULs, characters without width, any number of them. Other digits may be beside it
without a gap, such as an expiry date. A number with an exponent counts with all of its digits.

The trade-off: a number of another kind is taken for a card number where all three agree by chance. Of random numbers of 16
digits 8% are, of 13 digits 3%, of 19 digits 20%, of 12 and fewer none. Times and dates of this century in their usual forms are not.
Ids are never searched, amounts and times of payments neither. In the fields that are searched such numbers are rare; coordinates
and addresses are recognised before (:mod:`contract.card_records`). A missed number is worse than a mask too many.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple
from unicodedata import normalize

from contract.card_issuers import (
    LENGTHS,
    LONGEST,
    PREFIX_DIGITS,
    SHORTEST,
    WIDE_LENGTHS,
    passes_luhn,
)
from contract.card_windows import card_spans
from contract.escapes import escapes_in, may_hold_escapes, unescaped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

IDS: Final = frozenset({"transaction_id", "user_id", "payee_id", "merchant_id", "device_id"})
"""Fields that keep their value, whatever it looks like: on every path the same user is the same user."""

CARD_FIELD: Final = "card_id"
"""The field that is a card number as a whole, or none."""

_FILLERS: Final = "\u115f\u1160"
"""Letters without a glyph, which NFKC makes of other such letters."""

_GAP: Final = rf"[\W_{_FILLERS}]"
_RUN: Final = re.compile(rf"(?:\d{_GAP}*+){{{SHORTEST},}}+")
"""Digits with nothing but separators between them, as many as a card number has at least."""

# 4111x1111x1111x1111, 4111&nbsp;1111&nbsp;1111&nbsp;1111: with letters between, only a card's own groups and one separator count.
_LETTERED: Final = re.compile(
    r"(?<!\d)(\d{4})([^\d*]{1,12}?)(?:\d{4}(?:\2\d{4}){2}(?P<tail>\2\d{1,3})?|\d{6}\2\d{4,5})(?!\d)"
)
_SCIENTIFIC: Final = re.compile(
    r"(?<![\w.])(\d{1,40})(?:[.,](\d{1,40}))?(?:\s?[eE]\s?|\s?[*xX\u00d7\u00b7]\s?10\s?[\^]\s?)([+-]?)0{0,2}(\d{1,2})(?![\w-])"
)
# Twelve digits, an exponent, or three of a card's groups; one digit first, which makes the search fast.
_QUICK: Final = re.compile(
    rf"\d(?:(?:{_GAP}*+\d){{{SHORTEST - 1}}}"
    r"|\s?(?:[eE]|[*xX\u00d7\u00b7]\s?10\s?\^)\s?\+?\d{1,4}(?![\w-])"
    r"|\d{3}[^\d*]{1,12}?\d{4,6}[^\d*]{1,12}?\d{4})"
)
_FEWEST_CHARACTERS: Final = 6
"""Of a card number: two digits may be one character, such as a circled eleven."""

_WHOLE_NUMBER: Final = re.compile(r"(\d+)[.,]0+")
"""A number that a table wrote with decimals. Where something else parts its digits, zeros behind the last point are a group of them."""


class CardNumber(NamedTuple):
    """A card number in a text, with what overlaps it and may be one too."""

    start: int
    """Index of the first character."""
    end: int
    """Index after the last one."""
    digits: str
    """The number, 12 to 19 ASCII digits."""


def may_hold_card_number(text: str) -> bool:
    """Whether there are enough digits together: a quick search that misses nothing that :func:`find_card_numbers` finds."""
    if len(text) < _FEWEST_CHARACTERS or text.isalpha():
        return False
    return _QUICK.search(text if text.isascii() else normalize("NFKC", text)) is not None


def find_card_numbers(text: str) -> list[CardNumber]:
    """Find every card number of a text.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    list[CardNumber]
        In their order, none overlapping another.

    Examples
    --------
    >>> find_card_numbers("paid with 4111 1111 1111 1111, 12/27")
    [CardNumber(start=10, end=29, digits='4111111111111111')]
    >>> find_card_numbers("order 4111111111111112")
    []
    """
    if not may_hold_card_number(text):
        return []
    plain, places = _plain(text)
    found = []
    done = 0
    for match in _SCIENTIFIC.finditer(plain):
        digits = _digits_of_exponent(match)
        if digits:
            found += _without_exponents(plain, done, match.start())
            found.append(CardNumber(match.start(), match.end(), digits))
            done = match.end()
    found += _without_exponents(plain, done, len(plain))
    if places is None:
        return found
    return [CardNumber(places[card.start], places[card.end - 1] + 1, card.digits) for card in found]


def replace_card_numbers(text: str, replacement: Callable[[str], str]) -> str:
    r"""Replace every card number of a text; other text is returned as it is.

    Parameters
    ----------
    text : str
        Any text. Escapes of digits and separators (``\u0034``, ``%20``, ``&#160;``) are read where they hide a card number.
    replacement : Callable[[str], str]
        Digits of a card number to what replaces it; that must hold no card number.

    Returns
    -------
    str
        Without card numbers.
    """
    found = find_card_numbers(text)
    if may_hold_escapes(text) and (hidden := _hidden_by_escapes(text, found)):
        return _replaced(unescaped(text), hidden, replacement)
    return _replaced(text, found, replacement) if found else text


def replace_in_cells(line: str, delimiter: str, replacement: Callable[[str], str]) -> str:
    """Replace the card numbers in a line of a CSV file that has the right number of cells, cell by cell.

    So a date beside an amount is no number. Only a card's own groups count in cells beside each other.

    Parameters
    ----------
    line : str
        The line, its cells quoted or not.
    delimiter : str
        One character.
    replacement : Callable[[str], str]
        As for :func:`replace_card_numbers`.
    """
    printed = _replaced(line, list(_printed_numbers(line, 0, len(line))), replacement)
    mark = re.escape(delimiter)
    cell = re.compile(rf'"(?:[^"]|"")*+"|[^{mark}]++')
    return cell.sub(lambda match: replace_card_numbers(match.group(), replacement), printed)


def replace_card_field(text: str, replacement: Callable[[str], str]) -> str:
    """Replace the value of a card field if it is a card number, whatever parts its digits, or if it holds one.

    Luhn's check is enough here, whatever the issuer: the field says that it is a card. What is beside the number is left out:
    one card has one replacement, with its expiry or without.

    Parameters
    ----------
    text : str
        The field's value.
    replacement : Callable[[str], str]
        As for :func:`replace_card_numbers`.

    Examples
    --------
    >>> replace_card_field("4111/1111/1111/1111 12-27", str.upper), replace_card_field("card-7", str.upper)
    ('4111111111111111', 'card-7')
    """
    digits = card_field_digits(text)
    return text if digits is None else replacement(digits)


def card_field_digits(text: str) -> str | None:
    """Digits of the card number that a card field is or holds, by the rules of :func:`replace_card_field`; None where there is none."""
    plain = unescaped(text)
    digits = _field_digits(plain)
    if digits is None or not _has_issuers_form(digits):
        # Digits of something else beside the number must not become a part of it.
        found = find_card_numbers(plain)
        digits = found[0].digits if found else digits
    return digits


def holds_card_number(text: str) -> bool:
    """Whether :func:`replace_card_numbers` would replace something.

    >>> holds_card_number("acme/4111 1111 1111 1111.yaml"), holds_card_number("acme/4111111111111112.yaml")
    (True, False)
    >>> holds_card_number("4.111111111111111e+15")
    True
    """
    return bool(find_card_numbers(text) or find_card_numbers(unescaped(text)))


def _hidden_by_escapes(text: str, found: list[CardNumber]) -> list[CardNumber]:
    """Find the card numbers of a text without its escapes; none where the escapes make no difference to those ``found``."""
    hidden = find_card_numbers(unescaped(text))
    if [card.digits for card in hidden] != [card.digits for card in found]:
        return hidden
    # Both in their order, none overlapping its own kind: for each escape, the first card number that ends behind its start decides.
    ends = [card.end for card in found]
    for start, end in escapes_in(text):
        place = bisect_right(ends, start)
        if place < len(found) and found[place].start < end:
            return hidden
    return []


def _plain(text: str) -> tuple[str, list[int] | None]:
    """Write the text in NFKC, with the index of the character that each of its characters comes from; None where all are their own."""
    if text.isascii():
        return text, None
    pieces: list[str] = []
    places: list[int] = []
    for index, character in enumerate(text):
        piece = character if character.isascii() else normalize("NFKC", character)
        pieces.append(piece)
        places += [index] * len(piece)
    return "".join(pieces), places


def _without_exponents(text: str, begin: int, end: int) -> list[CardNumber]:
    """Find the card numbers between two places of a text in NFKC."""
    found: list[CardNumber] = []
    for match in _RUN.finditer(text, begin, end):
        found += _in_run(match.group(), match.start())
    # With letters between, only in what is left.
    lettered: list[CardNumber] = []
    starts, ends = [begin, *(card.end for card in found)], [*(card.start for card in found), end]
    for start, stop in zip(starts, ends, strict=True):
        lettered += _printed_numbers(text, start, stop)
    return sorted([*found, *lettered])


def _printed_numbers(text: str, begin: int, end: int) -> Iterator[CardNumber]:
    """Find the card numbers whose groups are as on a card, whatever is between them."""
    for match in _LETTERED.finditer(text, begin, end):
        tail = match["tail"] or ""
        for cut in (0, len(tail)):
            last = match.end() - cut
            digits = _ascii_digits(text[match.start() : last])
            if len(digits) in LENGTHS.get(digits[:PREFIX_DIGITS], ()) and passes_luhn(digits):
                yield CardNumber(match.start(), last, digits)
                break


def _in_run(text: str, begin: int) -> list[CardNumber]:
    """Find the card numbers of one run of digits and separators, which is at ``begin`` of its text."""
    places = [index for index, character in enumerate(text) if character.isdecimal()]
    digits = _ascii_digits(text)
    gaps = ["^", *(text[one + 1 : other] for one, other in pairwise(places)), "$"]
    return [
        CardNumber(begin + places[span.first], begin + places[span.last] + 1, span.digits)
        for span in card_spans(digits, gaps)
    ]


def _field_digits(text: str) -> str | None:
    """Digits of a text that is one number as a whole; None where it is none, or no card number."""
    plain = _plain(text.strip())[0]
    match = _SCIENTIFIC.fullmatch(plain)
    if match is not None:
        digits = _exact_digits(match)
    else:
        if (whole := _WHOLE_NUMBER.fullmatch(plain)) is not None:
            plain = whole[1]
        if any(character.isalpha() and character not in _FILLERS for character in plain):
            return None
        digits = _ascii_digits(plain)
    return digits if SHORTEST <= len(digits) <= LONGEST and passes_luhn(digits) else None


def _digits_of_exponent(match: re.Match[str]) -> str:
    """Digits of a number with an exponent if it is a card number, else empty text."""
    digits = _exact_digits(match)
    return digits if _has_issuers_form(digits) and passes_luhn(digits) else ""


def _has_issuers_form(digits: str) -> bool:
    """Whether a number begins and is as long as an issuer's are."""
    return len(digits) in WIDE_LENGTHS.get(digits[:PREFIX_DIGITS], ())


def _exact_digits(match: re.Match[str]) -> str:
    """Digits of a whole number with an exponent; empty text where it is none."""
    whole, fraction, exponent = match[1], match[2] or "", int(match[3] + match[4])
    places = exponent - len(fraction)
    digits = _ascii_digits(whole + fraction)
    if places < 0:
        digits, rest = digits[:places], digits[places:]
        if rest.strip("0"):
            return ""
    return (digits + "0" * places).lstrip("0")


def _ascii_digits(text: str) -> str:
    digits = "".join(filter(str.isdecimal, text))
    return digits if digits.isascii() else "".join(str(int(digit)) for digit in digits)


def _replaced(text: str, found: list[CardNumber], replacement: Callable[[str], str]) -> str:
    pieces: list[str] = []
    done = 0
    for card in found:
        pieces += (text[done : card.start], replacement(card.digits))
        done = card.end
    return "".join([*pieces, text[done:]])
