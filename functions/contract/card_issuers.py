"""Which digits a card number may begin with, and how many digits it then has.

The table knows the schemes by four digits. Where a scheme's ranges are finer, all of the four digits' numbers count: a number
that is replaced by mistake costs little, one that is missed costs a card. Source: ISO/IEC 7812-1 (the first digits are the
issuer's) and the schemes' published ranges.
"""

from __future__ import annotations

from typing import Final

SHORTEST: Final = 12
"""Digits of the shortest card number, of Maestro."""

LONGEST: Final = 19
"""Digits of the longest card number that ISO/IEC 7812-1 allows."""

PREFIX_DIGITS: Final = 4
"""Digits of a key of the tables below."""

_ANY: Final = range(12, 20)
_FROM_13: Final = range(13, 20)
_FROM_14: Final = range(14, 20)
_FROM_16: Final = range(16, 20)

_SCHEMES: Final = (
    # First and last prefix, lengths.
    (4000, 4999, (13, 16, 19)),  # Visa, Visa Electron, Switch
    (2221, 2720, (16,)),  # Mastercard
    (5100, 5599, (16,)),  # Mastercard
    (3400, 3499, (15,)),  # American Express
    (3700, 3799, (15,)),  # American Express
    (3000, 3059, _FROM_14),  # Diners Club
    (3095, 3095, _FROM_14),  # Diners Club
    (3600, 3699, _FROM_14),  # Diners Club
    (3800, 3999, _FROM_14),  # Diners Club
    (3528, 3589, _FROM_16),  # JCB, LankaPay
    (1800, 1800, (15,)),  # JCB
    (2131, 2131, (15,)),  # JCB
    (6011, 6011, _FROM_16),  # Discover
    (6440, 6599, _FROM_16),  # Discover, RuPay, Verve, Elo
    (6200, 6299, _FROM_16),  # UnionPay, Discover
    (8100, 8199, _FROM_16),  # UnionPay, RuPay
    (5018, 5018, _ANY),  # Maestro
    (5020, 5020, _ANY),  # Maestro
    (5038, 5038, _ANY),  # Maestro
    (5612, 5612, _ANY),  # Maestro
    (5893, 5893, _ANY),  # Maestro
    (6304, 6304, _ANY),  # Maestro, Laser
    (6390, 6390, _ANY),  # Maestro, InstaPayment
    (6703, 6709, _ANY),  # Maestro, Laser
    (6759, 6763, _ANY),  # Maestro
    (6767, 6767, _ANY),  # Solo
    (6771, 6771, _FROM_16),  # Laser
    (6333, 6334, _FROM_16),  # Switch, Solo
    (6331, 6331, _FROM_16),  # Switch
    (5641, 5641, _FROM_16),  # Switch
    (5019, 5019, (16,)),  # Dankort
    (5060, 5061, _FROM_16),  # Verve
    (5078, 5099, _FROM_16),  # Verve, RuPay, Elo
    (5066, 5067, (16,)),  # Elo
    (6362, 6363, (16,)),  # Elo
    (6062, 6062, _FROM_16),  # Hipercard
    (6360, 6361, _FROM_16),  # InterPayment
    (6364, 6379, _FROM_16),  # InterPayment, InstaPayment
    (2200, 2205, _FROM_16),  # Mir, Borica
    (6040, 6042, _FROM_16),  # UkrCard
    (9792, 9792, (16,)),  # Troy
    (8600, 8600, (16,)),  # Uzcard
    (9860, 9860, (16,)),  # Humo
)

_WIDE_SCHEMES: Final = (
    (5000, 5099, _FROM_13),  # Maestro's whole range, and the domestic schemes in it
    (5600, 5899, _FROM_13),  # Maestro's whole range
    (6000, 6999, _FROM_13),  # merchandising and banking: Maestro, RuPay, Discover
    (8200, 8299, (16,)),  # RuPay
    (3528, 3589, (15,)),  # JCB
    (1000, 1999, (15,)),  # UATP
    (2014, 2014, (15,)),  # enRoute
    (2149, 2149, (15,)),  # enRoute
    (3100, 3199, (19,)),  # T-Union
)


def _lengths_by_prefix(*schemes: tuple[int, int, range | tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    found: dict[str, set[int]] = {}
    for first, last, lengths in schemes:
        for prefix in range(first, last + 1):
            found.setdefault(f"{prefix:04d}", set()).update(lengths)
    return {prefix: tuple(sorted(lengths, reverse=True)) for prefix, lengths in found.items()}


LENGTHS: Final = _lengths_by_prefix(*_SCHEMES)
"""First four digits to the lengths of such numbers, the longest first: tried at every digit."""

WIDE_LENGTHS: Final = _lengths_by_prefix(*_SCHEMES, *_WIDE_SCHEMES)
"""The same with ranges of which few numbers are issued: tried only for a number that begins and ends where a group does."""

_DOUBLED: Final = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
"""Twice a digit, its own digits added."""


def passes_luhn(digits: str) -> bool:
    """Whether the last digit is Luhn's check digit of the others (ISO/IEC 7812-1, annex B).

    >>> passes_luhn("4111111111111111"), passes_luhn("4111111111111112")
    (True, False)
    """
    total = sum(map(int, digits[-1::-2])) + sum(_DOUBLED[int(digit)] for digit in digits[-2::-2])
    return total % 10 == 0


def luhn_sums(digits: str) -> tuple[list[int], list[int]]:
    """Sum the digits up to each place, every second one doubled: so a window is checked by one subtraction.

    Parameters
    ----------
    digits : str
        ASCII digits.

    Returns
    -------
    tuple[list[int], list[int]]
        For windows that end before an even index, and for those that end before an odd one; each one longer than ``digits``.

    Examples
    --------
    >>> even, odd = luhn_sums("4111111111111111")
    >>> (even[16] - even[0]) % 10
    0
    """
    ends_even, ends_odd = [0], [0]
    even_sum = odd_sum = 0
    for index, digit in enumerate(map(int, digits)):
        # Luhn doubles the second digit from the right, the fourth, and so on.
        if index % 2:
            even_sum += digit
            odd_sum += _DOUBLED[digit]
        else:
            even_sum += _DOUBLED[digit]
            odd_sum += digit
        ends_even.append(even_sum)
        ends_odd.append(odd_sum)
    return ends_even, ends_odd
