"""Pieces of text that alerts and digests share: money, sums, a sender's text in ours."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from common.sanitizing import defanged, shortened
from contract.currency import MINOR_UNIT_EXPONENT
from contract.quotation import quoted

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

MAX_FIELD_CHARACTERS: Final = 256
"""Of a sender's field in a message."""

MAX_SENTENCE_CHARACTERS: Final = 500
"""Of a rule's sentence in a message."""

_MAX_CURRENCIES: Final = 3
_MAX_NAME_CHARACTERS: Final = 24
_WORD = re.compile(r"[A-Za-z0-9_-]+")


def money(amount: Decimal, currency: str) -> str:
    """Write an amount with its currency's decimals.

    Examples
    --------
    >>> from decimal import Decimal
    >>> money(Decimal("1250"), "EUR"), money(Decimal("1250"), "JPY")
    ('1,250.00 EUR', '1,250 JPY')
    """
    return f"{amount:,.{MINOR_UNIT_EXPONENT[currency]}f} {currency}"


def sums(totals: Mapping[str, Decimal]) -> str:
    """Write sums in several currencies, the first ones by name.

    Examples
    --------
    >>> from decimal import Decimal
    >>> sums({"USD": Decimal("12.5"), "JPY": Decimal("900")})
    '900 JPY and 12.50 USD'
    """
    written = [money(totals[currency], currency) for currency in sorted(totals)]
    if len(written) > _MAX_CURRENCIES:
        written[_MAX_CURRENCIES:] = [f"{len(written) - _MAX_CURRENCIES} more currencies"]
    return " and ".join(written)


def shown(text: str) -> str:
    """Text of a sender's or a rule's, without links."""
    return defanged(text, 2 * MAX_SENTENCE_CHARACTERS)


def quoted_text(text: str | None) -> str | None:
    """Text of a sender's in quotation marks; None for none."""
    return quoted(shown(text)) if text else None


def named(identifier: str) -> str:
    """Write an identifier as a part of our own text: shortened, and in quotation marks where it could be read as our words."""
    if _WORD.fullmatch(identifier):
        return shortened(identifier, _MAX_NAME_CHARACTERS)
    return quoted(shortened(shown(identifier), _MAX_NAME_CHARACTERS))
