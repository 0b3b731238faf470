"""Card, device, address and payee of a payment as a page shows them: masked, with the way to their own page, and since when they are known. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import msgspec

from console.masking import masked
from console.views import counted, duration
from contract.scored import FeatureValue
from contract.transaction import Transaction

if TYPE_CHECKING:
    from contract.flagged import FlaggedTransaction

FIELDS: Final = {"c": "card_id", "d": "device_id", "i": "ip_address", "p": "payee_id"}
"""First letter of an entity's name to the field of a payment that has its value, in the order of the page."""

NAMES: Final = {"c": "Card", "d": "Device", "i": "Address", "p": "Payee"}

_KNOWN_DAYS: Final = {"c": "card_known_days", "d": "device_known_days", "i": "ip_known_days", "p": "payee_known_days"}  # fmt: skip
_OF_USER: Final = {"d": ("device_tx_count", "device_age_days"), "p": ("payee_tx_count", "payee_age_days")}
"""What a profile counts for its user: number of usual payments, and age."""


class Party(msgspec.Struct, frozen=True):
    """A card, device, address or payee of a payment."""

    name: str
    """What it is."""
    value: str
    """As far as it may be seen."""
    number: str = ""
    """Its place among the case's entities, by which its page is named; empty where the case does not have it."""
    known: str = ""
    """Since when it is known, and from how many payments; empty where that was not asked for."""


class Earlier(msgspec.Struct, frozen=True):
    """What is known of a user before a payment."""

    features: Mapping[str, FeatureValue]
    """Of the payment; empty where its row is not kept."""
    payments: Sequence[Transaction] = ()
    """Earlier ones of the user that were read."""


def numbers_of(entities: Sequence[str]) -> dict[str, str]:
    """Give the places of a case's entities, by their names."""
    return {name: str(number) for number, name in enumerate(entities)}


def parties(
    payment: Transaction | FlaggedTransaction,
    names: Sequence[str],
    numbers: Mapping[str, str],
    earlier: Earlier | None = None,
    *,
    is_revealed: bool,
) -> tuple[Party, ...]:
    """Show the card, device, address and payee that a payment names.

    Parameters
    ----------
    payment : Transaction | FlaggedTransaction
        The payment, or its flagged row.
    names : Sequence[str]
        Of the entities that it touches.
    numbers : Mapping[str, str]
        Of :func:`numbers_of`.
    earlier : Earlier | None
        What is known of its user before it; None where the page does not say it.
    is_revealed : bool
        Whether personal data are shown.
    """
    by_letter = {name[:1]: name for name in names}
    found = []
    for letter, field in FIELDS.items():
        value: str | None = getattr(payment, field)
        if value:
            found.append(
                Party(
                    NAMES[letter],
                    masked(value, is_revealed=is_revealed),
                    numbers.get(by_letter.get(letter, ""), ""),
                    "" if earlier is None else known_text(letter, value, earlier),
                )
            )
    return tuple(found)


def known_text(letter: str, value: str, earlier: Earlier) -> str:
    """Say since when a value is known: to the user, and to anybody.

    A profile counts usual payments by device and payee; by card and address the user's earlier payments are counted that were read.

    Parameters
    ----------
    letter : str
        The first one of the entity's name.
    value : str
        The payment's.
    earlier : Earlier
        What is known of its user before it.
    """
    features = earlier.features
    if not features:
        return ""
    parts = [_to_the_user(letter, value, earlier)]
    days = float(features.get(_KNOWN_DAYS[letter], 0.0))
    if days > 0:
        parts.append(f"any user: first {duration(timedelta(days=days))} before")
    elif not features.get("entities_partial", ""):
        parts.append("any user: never before")
    return "; ".join(part for part in parts if part)


def _to_the_user(letter: str, value: str, earlier: Earlier) -> str:
    if letter in _OF_USER:
        number, age = (float(earlier.features.get(name, 0.0)) for name in _OF_USER[letter])
        if not number:
            return "no usual payment of the user before"
        first = duration(timedelta(days=age))
        return f"{counted(int(number), 'usual payment')} of the user before, the first {first} before"
    if not earlier.payments:
        return ""
    field = FIELDS[letter]
    same = sum(getattr(each, field) == value for each in earlier.payments)
    return f"in {same or 'none'} of {counted(len(earlier.payments), 'earlier payment')} of the user"
