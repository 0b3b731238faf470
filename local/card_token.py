"""Prints the token of a card number, for a list of the ruleset on this machine; the number is asked for, and never shown.

Not an argument and not a variable: other users of the machine could read those, and the shell keeps them. In AWS the function
`card_token` gives the tokens (docs/guide-stolen-cards.md).
"""

from __future__ import annotations

import sys
from getpass import getpass
from typing import TYPE_CHECKING, Final

from contract.card_numbers import card_field_digits
from contract.card_tokens import CardTokens
from local.ingestion import LOCAL_TOKENIZATION_KEY

if TYPE_CHECKING:
    from collections.abc import Iterable

NO_CARD: Final = "no card number: 12 to 19 digits that pass Luhn's check"


def tokens_of(lines: Iterable[str]) -> list[str | None]:
    """Make the token of each line that is not blank.

    Parameters
    ----------
    lines : Iterable[str]
        A card number each, in any spelling that the ingestion job knows.

    Returns
    -------
    list[str | None]
        In their order; None where a line is no card number.
    """
    tokens = CardTokens(LOCAL_TOKENIZATION_KEY.encode())
    found = (card_field_digits(line) for line in lines if line.strip())
    return [None if digits is None else tokens.token(digits) for digits in found]


def main() -> int:
    """Read numbers from a prompt, or a line each from standard input, and print their tokens; 1 if one is no card number."""
    lines = [getpass("card number (not shown): ")] if sys.stdin.isatty() else sys.stdin.readlines()
    found = tokens_of(lines)
    for place, token in enumerate(found, 1):
        if token is None:
            sys.stderr.write(f"line {place}: {NO_CARD}\n")
        else:
            sys.stdout.write(f"{token}\n")
    if not found:
        sys.stderr.write("no card number was given\n")
    return 0 if found and None not in found else 1


if __name__ == "__main__":
    sys.exit(main())
