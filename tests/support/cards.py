"""Test numbers of all major issuers, and the ways in which senders write them."""

from __future__ import annotations

from typing import Final

from hypothesis import strategies as st

TEST_NUMBERS: Final = {
    "Visa": "4111111111111111",
    "Visa debit": "4000056655665556",
    "Visa of 13 digits": "4222222222222",
    "Visa of 19 digits": "4000000000000000006",
    "Mastercard": "5555555555554444",
    "Mastercard of the second range": "2223003122003222",
    "American Express": "378282246310005",
    "American Express corporate": "371449635398431",
    "Diners Club": "30569309025904",
    "Diners Club of another range": "38520000023237",
    "Diners Club of 16 digits": "3056930009020004",
    "Discover": "6011111111111117",
    "Discover of another range": "6500000000000002",
    "JCB": "3530111333300000",
    "UnionPay": "6205500000000000004",
    "UnionPay of 16 digits": "6250941006528599",
    "Maestro": "6759649826438453",
    "Maestro of 19 digits": "6304000000000000000",
    "Maestro of 12 digits": "676770000005",
    "Mir": "2200000000000004",
    "RuPay": "6521111111111110",
    "Troy": "9792030394440796",
    "Elo": "6362970000457013",
    "UATP": "135410014004955",
    "Dankort": "5019717010103742",
}
"""Published for tests by payment processors, but for those that end a run of zeros, which are made."""

ZEROS: Final = ("0", "\uff10", "\u0660", "\u06f0", "\u0966", "\u09e6", "\u0e50", "\U0001d7ce", "\U0001d7f6")
"""The zero of some scripts; their other digits follow it."""

SEPARATORS: Final = (
    *(" ", "-", ".", ",", "/", "\t", "\0", "_", ":", ";", "|", "+", "=", "'", "\\", "~"),
    *("\u00a0", "\u2009", "\u202f", "\u3000", "\u2011", "\u2013", "\u2014", "\u2212", "\u00b7", "\u2024"),
    *("\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u3164", "\uffa0", "\ufe0f", "\u20e3"),
)
"""What may be between two digits, alone or several in a row."""


def in_digits_of(zero: str, number: str) -> str:
    """The number in another script, by its zero."""
    return "".join(chr(ord(zero) + int(digit)) for digit in number)


def _groups(number: str, sizes: list[int]) -> list[str]:
    groups, done = [], 0
    for size in sizes:
        groups.append(number[done : done + size])
        done += size
    return [group for group in [*groups, number[done:]] if group]


separators = st.lists(st.sampled_from(SEPARATORS), min_size=1, max_size=4).map("".join)


@st.composite
def written_numbers(draw: st.DrawFn) -> tuple[str, str]:
    """A test number, and one of its spellings: of any script, its groups of any size parted by anything."""
    number = draw(st.sampled_from(list(TEST_NUMBERS.values())))
    groups = _groups(number, draw(st.lists(st.integers(1, 8), max_size=19)))
    zeros = draw(st.lists(st.sampled_from(ZEROS), min_size=1, max_size=2))
    written = [in_digits_of(zeros[place % len(zeros)], group) for place, group in enumerate(groups)]
    # Of UATP's range, which is every number that begins with 1, only one kind of gap counts.
    is_mixed = number[0] != "1" and draw(st.booleans())
    gaps = [draw(separators) for _ in written] if is_mixed else [draw(separators)] * len(written)
    return number, "".join(part for pair in zip(written, gaps, strict=True) for part in pair)[
        : -len(gaps[-1])
    ]


@st.composite
def scientific_numbers(draw: st.DrawFn) -> tuple[str, str]:
    """A test number, and one of its spellings with an exponent."""
    number = draw(st.sampled_from(list(TEST_NUMBERS.values())))
    point = draw(st.integers(1, len(number) - 1))
    fraction = number[point:].rstrip("0")
    mark = draw(st.sampled_from(["E", "e", "E+", "e+0", "E+00", "x10^", "\u00d710^", " e", "\uff25"]))
    comma = draw(st.sampled_from(".,"))
    return number, f"{number[:point]}{comma + fraction if fraction else ''}{mark}{len(number) - point}"
